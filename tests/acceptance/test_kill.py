"""`kill -9` of the whole server in the middle of its work: nothing is lost, nothing done thrice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from live import LiveServer, decoded, polls
from wires import NATIVE, Json

pytestmark = pytest.mark.xdist_group("kill")

TASKS = 10


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with LiveServer(tmp_path / "data") as found:
        yield found


def look(client: httpx2.Client, ids: list[str]) -> dict[str, Json]:
    return {task_id: NATIVE.look(client, task_id) for task_id in ids}


def engine_starts(server: LiveServer) -> Counter[str]:
    """The outside journal: every line is written before the engine is asked."""
    return Counter(entry["task_id"] for entry in server.logged("engine started"))


@pytest.mark.timeout(240)
def test_ten_tasks_survive_a_kill(server: LiveServer, tmp_path: Path) -> None:
    states: dict[str, Json] = {}
    with server.client() as client:
        ids = [NATIVE.start(client) for _ in range(TASKS)]
        for _ in polls(60, every_s=0.02):
            states = look(client, ids)
            running = [task for task in states.values() if task["progress"] > 0]
            if len(running) >= 2:
                break
        shown = {task_id: task["progress"] for task_id, task in states.items()}
    server.kill()
    assert sum(task["status"] == "queued" for task in states.values()) >= TASKS - 4
    before = engine_starts(server)

    server.start()
    ready = time.monotonic()
    with server.client() as client:
        for _ in polls(2, every_s=0.02):
            if engine_starts(server) != before:
                break
        resumed_s = time.monotonic() - ready
        unfinished = set(ids)
        for _ in polls(180, every_s=0.1):
            for task_id, task in look(client, list(unfinished)).items():
                assert task["progress"] >= shown[task_id], (task_id, shown[task_id], task)
                shown[task_id] = task["progress"]
                if task["status"] in ("succeeded", "failed", "canceled"):
                    assert task["status"] == "succeeded", task
                    unfinished.discard(task_id)
            if not unfinished:
                break
        for task_id, task in look(client, ids).items():
            facts = decoded(client.get(task["video"]["url"]).content, tmp_path / task_id)
            assert (facts.width, facts.height, facts.frame_count) == (832, 480, 150)
    starts = engine_starts(server)
    assert set(starts) == set(ids)
    assert max(starts.values()) <= 2, starts
    print(f"went on {resumed_s:.2f} s after being ready; engine starts {sorted(starts.values())}")


def test_a_client_that_polls_through_a_restart_sees_the_same_task(server: LiveServer) -> None:
    with server.client() as client:
        task_id = NATIVE.start(client, x_kinogate_simulate="slow=3", idempotency_key="once")
        server.kill()
        server.start()
        again = NATIVE.submit(client, x_kinogate_simulate="slow=3", idempotency_key="once")
        assert NATIVE.id_of(again.json()) == task_id
        assert again.headers["idempotent-replayed"] == "true"
        assert NATIVE.await_end(client, task_id)["status"] == "succeeded"
