"""`kill -9` in the middle of everything: no task lost, none paid twice, no engine run in vain."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from kinogate.db.open import open_database
from kinogate.db.store import SqlTaskStore
from kinogate.domain.ports import TaskFilter
from kinogate.domain.task import Status

SCRIPT = Path(__file__).parent / "durable_process.py"
TASKS = 60
KILLS = 2
COST = 300
RESUME_S = 2.0


def lines(journal: Path) -> list[list[str]]:
    # A killed process may leave half a line behind.
    text = journal.read_text() if journal.exists() else ""
    return [line.split() for line in text.splitlines()[: text.count("\n")]]


def begin(url: str, journal: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(SCRIPT), url, str(journal), str(TASKS)])


@pytest.mark.acceptance
@pytest.mark.timeout(60)
@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_loses_no_task_and_pays_each_once(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    url = f"sqlite:///{tmp_path / 'kinogate.db'}"
    journal = tmp_path / "journal"
    for _ in range(KILLS):
        process = begin(url, journal)
        before = len(lines(journal))
        # Let it get somewhere first: a random number of engine starts, then a random moment.
        enough = before + 1 + chance.randrange(2, TASKS // 3)
        while len(lines(journal)) < enough and process.poll() is None:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.1))
        assert process.poll() is None, "it ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert begin(url, journal).wait(timeout=40) == 0
    check_journal(lines(journal))
    asyncio.run(check_money(url))


def check_journal(entries: list[list[str]]) -> None:
    """Each process starts an engine at most once per task, and soon takes up what was begun."""
    renders = [entry for entry in entries if entry[0] == "render"]
    assert [entry for entry in entries if entry[0] == "network"] == []
    assert len({task for _, _, task, _ in renders}) == TASKS
    per_process = Counter((pid, task) for _, pid, task, _ in renders)
    assert max(per_process.values()) == 1
    assert max(Counter(task for _, _, task, _ in renders).values()) <= 1 + KILLS
    # Only what ran at a kill (at most 8 slots) runs again.
    assert len(renders) <= TASKS + KILLS * 8
    begun: set[str] = set()
    for _, pid, moment in (entry for entry in entries if entry[0] == "start"):
        mine = {task: float(at) for _, owner, task, at in renders if owner == pid}
        for task in begun & mine.keys():
            assert mine[task] - float(moment) < RESUME_S
        begun |= mine.keys()


async def check_money(url: str) -> None:
    """Every task has succeeded; nothing is held; each was paid once."""
    database = open_database(url)
    try:
        store = SqlTaskStore(database)
        page = await store.list("acme", TaskFilter(), limit=TASKS + 1)
        assert Counter(task.status for task in page.tasks) == {Status.SUCCEEDED: TASKS}
        assert await store.sums("acme") == (0, TASKS * COST)
        for task in page.tasks:
            moved = await store.movements(task.id)
            assert moved == {"hold": 500, "settle": COST, "release": 200}
    finally:
        database.close()
