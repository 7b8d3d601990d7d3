"""A small server without HTTP: submits its tasks once, runs them, and ends when all have ended.

    python durable_process.py DATABASE_URL JOURNAL COUNT [LEASE_S]

Each start appends `start PID TIME` to the journal, each engine start `render PID TASK TIME`, and
on SQLite, where there is nobody to talk to, each use of the network `network PID EVENT TIME`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import zlib

from kinogate.db.open import open_database
from kinogate.db.store import SqlTaskStore
from kinogate.domain.errors import ErrorCode
from kinogate.domain.order import AudioMode, Mode, ShotType
from kinogate.domain.ports import NewTask
from kinogate.domain.resolution import Size, Tier
from kinogate.domain.task import Fault, Outcome, Plan, Status, Task
from kinogate.durable.engine import DbosDurable
from kinogate.durable.heartbeat import LEASE_S

HOLD, COST, SLOTS = 500, 300, 8
PLAN = Plan(
    model="wan2.6-t2v",
    mode=Mode.T2V,
    prompt="A cat",
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
OUTCOME = Outcome(
    blob_key="results/a.mp4",
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


class Clock:
    def now_ms(self) -> int:
        return int(time.time() * 1000)


class JournalStages:
    """Stages that take a while, differing by task, and say when an engine would start."""

    def __init__(self, store: SqlTaskStore, journal: int) -> None:
        self._store = store
        self._journal = journal

    def note(self, *words: str) -> None:
        line = " ".join([*words, f"{time.time():.3f}"])
        os.write(self._journal, f"{line}\n".encode())

    async def prepare(self, task_id: str) -> str:
        await asyncio.sleep(0.01)
        return task_id

    async def render(self, task_id: str, order: str) -> str:
        self.note("render", str(os.getpid()), order)
        await asyncio.sleep(0.05 + zlib.crc32(task_id.encode()) % 150 / 1000)
        return order

    async def finish(self, task_id: str, outcome: str) -> None:
        assert outcome == task_id
        await self._store.succeed(
            task_id, OUTCOME, engine="fake", cost_micro=COST, now_ms=5, expires_ms=6
        )

    async def fail(self, task_id: str, code: ErrorCode, message: str, field: str | None) -> None:
        fault = Fault(code=code, message=message, field=field)
        await self._store.fail(task_id, fault, now_ms=5)


def a_task(number: int) -> Task:
    return Task(
        id=f"00000000-0000-4000-8000-{number:012d}",
        account_id="acme",
        key_id="key-1",
        dialect="unified",
        model="wan2.6",
        status=Status.QUEUED,
        plan=PLAN,
        hold_micro=HOLD,
        created_ms=number,
        updated_ms=number,
    )


async def live(url: str, journal: str, count: int, lease_s: float) -> None:
    database = open_database(url)
    store = SqlTaskStore(database)
    fd = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    stages = JournalStages(store, fd)

    def watch(event: str, _args: object) -> None:
        if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
            stages.note("network", str(os.getpid()), event)

    if database.path is not None:
        sys.addaudithook(watch)
    durable = DbosDurable(
        database, store, stages, lanes={"preview": SLOTS}, clock=Clock(), lease_s=lease_s
    )
    await durable.start()
    stages.note("start", str(os.getpid()))
    news = [NewTask(task=a_task(n), idempotency_key=f"k{n}", digest=b"d") for n in range(count)]
    await asyncio.gather(*[store.submit(new) for new in news])
    for new in news:
        while True:
            task = await store.load(new.task.id)
            assert task is not None
            if task.status.is_final:
                break
            await asyncio.sleep(0.02)
    await durable.close(5.0)
    database.close()


if __name__ == "__main__":
    lease = float(sys.argv[4]) if len(sys.argv) > 4 else LEASE_S
    asyncio.run(live(sys.argv[1], sys.argv[2], int(sys.argv[3]), lease))
