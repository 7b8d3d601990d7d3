"""Durable submits a second through the writer, without HTTP.

    python bench/submit_store.py [--url URL] [--seconds 2]

Every submit is one task row, one hold, one idempotency key and the account's sum, committed with
full synchronisation before it is answered. The store is a fresh SQLite file unless a URL of an
empty Postgres database is given. After each round the rows are counted against the answers.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
import uuid
from pathlib import Path

from kinogate.db.open import Database, open_database
from kinogate.db.store import SqlTaskStore
from kinogate.domain.order import AudioMode, Mode, ShotType
from kinogate.domain.ports import NewTask, TaskFilter
from kinogate.domain.resolution import Size, Tier
from kinogate.domain.task import Plan, Status, Task

ACCOUNTS = 20
PLAN = Plan(
    model="wan2.6-t2v",
    mode=Mode.T2V,
    prompt="A cat in the rain, close-up, cinematic light, shallow depth of field. " * 8,
    negative_prompt="",
    size=Size(width=1280, height=720),
    tier=Tier.P720,
    duration_s=5,
    fps=30,
    audio=AudioMode.AUTO,
    is_extendable=True,
    shot_type=ShotType.SINGLE,
    watermark=None,
    seed=7,
    house="unified",
)


def a_submit(account: int) -> NewTask:
    """A submit with a fresh id and a fresh key."""
    now_ms = int(time.time() * 1000)
    task = Task(
        id=str(uuid.uuid4()),
        account_id=f"account-{account % ACCOUNTS}",
        key_id="key",
        dialect="unified",
        model="wan2.6-t2v",
        status=Status.QUEUED,
        plan=PLAN,
        hold_micro=500_000,
        created_ms=now_ms,
        updated_ms=now_ms,
    )
    return NewTask(task=task, idempotency_key=task.id, digest=b"0" * 32)


async def round_of(store: SqlTaskStore, clients: int, seconds: float) -> list[float]:
    """Let `clients` submit one after the other; the seconds that each submit took."""
    until = time.perf_counter() + seconds
    taken: list[float] = []

    async def client(number: int) -> None:
        while (begun := time.perf_counter()) < until:
            await store.submit(a_submit(number))
            taken.append(time.perf_counter() - begun)

    await asyncio.gather(*[client(number) for number in range(clients)])
    return taken


async def measure(database: Database, seconds: float) -> None:
    """Print a line per number of clients, and check the rows."""
    store = SqlTaskStore(database)
    answered = 0
    sys.stdout.write("clients  submits/s  p50 ms  p99 ms  CPU us/submit\n")
    for clients in (1, 32, 64):
        before = resource.getrusage(resource.RUSAGE_SELF)
        begun = time.perf_counter()
        taken = sorted(await round_of(store, clients, seconds))
        wall = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        count = len(taken)
        answered += count
        sys.stdout.write(
            f"{clients:7d} {count / wall:10.0f} {taken[count // 2] * 1e3:7.2f}"
            f" {taken[int(count * 0.99)] * 1e3:7.2f} {cpu / count * 1e6:14.0f}\n"
        )
    stored = 0
    for account in range(ACCOUNTS):
        page = await store.list(f"account-{account}", TaskFilter(), limit=1, count=True)
        stored += page.total or 0
    sys.stdout.write(f"answered {answered}, stored {stored}\n")
    if stored != answered:
        sys.exit(1)


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(given.url or f"sqlite:///{Path(folder) / 'bench.db'}")
        try:
            asyncio.run(measure(database, given.seconds))
        finally:
            database.close()


if __name__ == "__main__":
    main()
