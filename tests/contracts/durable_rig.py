"""A durable engine over fake stages, for the contract suites of `Durable`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from kinogate.db.memory import MemoryTaskStore
from kinogate.db.open import Database
from kinogate.db.store import SqlTaskStore
from kinogate.domain.errors import ErrorCode
from kinogate.domain.ports import DEFAULT_LANE, NewTask
from kinogate.domain.task import Fault, Outcome, Status, Task
from kinogate.durable.engine import DbosDurable
from kinogate.durable.inline import InlineDurable

Store = MemoryTaskStore | SqlTaskStore
Durable = InlineDurable | DbosDurable
SLOTS = 3
LANES = {DEFAULT_LANE: SLOTS}
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


class RealClock:
    """The machine's clock: DBOS has its own, and both must agree."""

    def now_ms(self) -> int:
        return int(time.time() * 1000)


class FakeStages:
    """Stages that journal what they do and behave as the test says."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.journal: list[tuple[str, str]] = []
        self.loops: set[asyncio.AbstractEventLoop] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = 0
        self.most_busy = 0
        self.prepare_errors: list[Exception] = []
        self.render_errors: list[Exception] = []
        self.finish_errors: list[Exception] = []

    def count(self, stage: str) -> int:
        return sum(name == stage for name, _ in self.journal)

    async def prepare(self, task_id: str) -> str:
        self._note("prepare", task_id)
        if self.prepare_errors:
            raise self.prepare_errors.pop(0)
        return f"order of {task_id}"

    async def render(self, task_id: str, order: str) -> str:
        assert order == f"order of {task_id}"
        self._note("render", task_id)
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self._note("stopped", task_id)
            raise
        finally:
            self.busy -= 1
        if self.render_errors:
            raise self.render_errors.pop(0)
        return f"outcome of {task_id}"

    async def finish(self, task_id: str, outcome: str) -> None:
        assert outcome == f"outcome of {task_id}"
        self._note("finish", task_id)
        if self.finish_errors:
            raise self.finish_errors.pop(0)
        await self.store.succeed(
            task_id, OUTCOME, engine="fake", cost_micro=1, now_ms=5, expires_ms=6
        )

    async def fail(self, task_id: str, code: ErrorCode, message: str, field: str | None) -> None:
        self._note("fail", task_id)
        fault = Fault(code=code, message=message, field=field)
        await self.store.fail(task_id, fault, now_ms=5)

    def _note(self, stage: str, task_id: str) -> None:
        self.journal.append((stage, task_id))
        self.loops.add(asyncio.get_running_loop())


class Rig:
    """A store with fake stages, and durable engines over them, one after another."""

    def __init__(
        self, store: Store, database: Database | None, new: Callable[..., NewTask]
    ) -> None:
        self.store = store
        self.stages = FakeStages(store)
        self.database = database
        self.lanes = dict(LANES)
        self.new = new

    def engine(self) -> Durable:
        if self.database is None:
            assert isinstance(self.store, MemoryTaskStore)
            return InlineDurable(
                self.store, self.stages, lanes=self.lanes, clock=RealClock(), source=self.store
            )
        return DbosDurable(
            self.database, self.store, self.stages, lanes=self.lanes, clock=RealClock()
        )

    @asynccontextmanager
    async def started(self, grace_s: float = 0.0) -> AsyncIterator[Durable]:
        durable = self.engine()
        await durable.start()
        try:
            yield durable
        finally:
            await durable.close(grace_s)

    async def submit(self, lane: str = DEFAULT_LANE) -> Task:
        return (await self.store.submit(replace(self.new(), lane=lane))).task

    async def status(self, task: Task) -> Status:
        return (await self.read(task)).status

    async def read(self, task: Task) -> Task:
        found = await self.store.load(task.id)
        assert found is not None
        return found

    async def until(self, met: Callable[[], bool], within_s: float = 8.0) -> None:
        async with asyncio.timeout(within_s):
            while not met():
                await asyncio.sleep(0.005)

    async def ended(self, *tasks: Task, within_s: float = 8.0) -> list[Status]:
        async with asyncio.timeout(within_s):
            while True:
                statuses = [await self.status(task) for task in tasks]
                if all(status.is_final for status in statuses):
                    return statuses
                await asyncio.sleep(0.005)
