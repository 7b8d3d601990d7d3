"""From the answer of a submit to the first line of the task's first stage, idle server.

    python bench/start_latency.py [--url URL] [--tasks 60]

Also says what loading and starting the durable engine costs in time and memory. The store is a
fresh SQLite file unless a URL of an empty Postgres database is given.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from kinogate.db.open import Database, open_database
from kinogate.db.store import SqlTaskStore
from kinogate.domain.errors import ErrorCode
from kinogate.domain.task import Fault, Outcome
from kinogate.durable.engine import DbosDurable
from submit_store import a_submit

PAUSE_S = 0.05
OUTCOME = Outcome(
    blob_key="a.mp4",
    size_bytes=1,
    width=2,
    height=2,
    fps=30,
    frame_count=30,
    duration_s=1.0,
    has_audio=False,
    actual_prompt="A cat",
    fingerprint="fake/1",
)


class RealClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return int(time.time() * 1000)


class EmptyStages:
    """Stages that note when they begin and end, and do nothing else."""

    def __init__(self, store: SqlTaskStore) -> None:
        self._store = store
        self.begun: dict[str, float] = {}
        self.ended: dict[str, asyncio.Event] = {}

    async def prepare(self, task_id: str) -> str:
        """The moment that counts."""
        self.begun[task_id] = time.perf_counter()
        return task_id

    async def render(self, _task_id: str, order: str) -> str:
        """Nothing."""
        return order

    async def finish(self, task_id: str, _outcome: str) -> None:
        """Settle."""
        await self._store.succeed(
            task_id, OUTCOME, engine="none", cost_micro=1, now_ms=1, expires_ms=2
        )
        self.ended[task_id].set()

    async def fail(self, task_id: str, code: ErrorCode, message: str, field: str | None) -> None:
        """Release."""
        fault = Fault(code=code, message=message, field=field)
        await self._store.fail(task_id, fault, now_ms=1)
        self.ended[task_id].set()


def resident_mib() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def measure(database: Database, tasks: int) -> None:
    """Start the engine, then submit one task after another."""
    store = SqlTaskStore(database)
    stages = EmptyStages(store)
    before = resident_mib()
    begun = time.perf_counter()
    durable = DbosDurable(database, store, stages, lanes={"preview": 2}, clock=RealClock())
    await durable.start()
    sys.stdout.write(
        f"start {time.perf_counter() - begun:.2f} s (loading DBOS included),"
        f" memory {before:.0f} -> {resident_mib():.0f} MiB\n"
    )
    waits: list[float] = []
    wholes: list[float] = []
    for number in range(tasks):
        new = a_submit(number)
        stages.ended[new.task.id] = asyncio.Event()
        await store.submit(new)
        answered = time.perf_counter()
        await stages.ended[new.task.id].wait()
        waits.append((stages.begun[new.task.id] - answered) * 1e3)
        wholes.append((time.perf_counter() - answered) * 1e3)
        await asyncio.sleep(PAUSE_S)
    for name, values in (("start", sorted(waits)), ("whole run", sorted(wholes))):
        p50, p90, p99 = (values[min(int(tasks * share), tasks - 1)] for share in (0.5, 0.9, 0.99))
        sys.stdout.write(f"{name}: p50 {p50:.1f}, p90 {p90:.1f}, p99 {p99:.1f} ms\n")
    cpu = time.process_time()
    await asyncio.sleep(3)
    sys.stdout.write(f"idle CPU {(time.process_time() - cpu) / 3:.1%} of a core\n")
    begun = time.perf_counter()
    await durable.close(5.0)
    sys.stdout.write(f"close {time.perf_counter() - begun:.2f} s\n")


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--tasks", type=int, default=60)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(given.url or f"sqlite:///{Path(folder) / 'bench.db'}")
        try:
            asyncio.run(measure(database, given.tasks))
        finally:
            database.close()


if __name__ == "__main__":
    main()
