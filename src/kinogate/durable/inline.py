"""The port `Durable` in plain asyncio: a run that dies with the process.

For `kinogate generate`, where there is no server to come back, and for tests.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from kinogate.domain.ports import Clock, OnSubmitted, Stages
from kinogate.domain.task import Fault
from kinogate.durable.dispatcher import Dispatcher
from kinogate.durable.lanes import Lanes, checked_lanes
from kinogate.durable.run import RunStore, StageResult, StageRunner

ME = "inline"


class SubmitSource(Protocol):
    """Whoever can say that a task was queued: a `Writer`, a `MemoryTaskStore`."""

    def on_submitted(self, listener: OnSubmitted) -> Callable[[], None]:
        """Call `listener` after each submit; returns what ends the subscription."""
        ...


class InlineDurable:
    """Runs claimed tasks on the event loop that awaits `start`.

    Args:
        store: The tasks.
        stages: What a run does.
        lanes: How many tasks of each lane run at once, at least 1; the tasks of other lanes go to
            the first.
        clock: Time.
        source: Wakes the dispatcher; without one, call `wake` or wait a second.
    """

    def __init__(
        self,
        store: RunStore,
        stages: Stages,
        *,
        lanes: Mapping[str, int],
        clock: Clock,
        source: SubmitSource | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._source = source
        self._runner = StageRunner(store, stages)
        self._lanes = Lanes(checked_lanes(lanes), self._freed)
        self._dispatcher = Dispatcher(store, clock, ME, lanes=self._lanes, start=self._start)
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread_id = 0
        self._claiming: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """As the port says; whatever another inline engine left running is queued again."""
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        left = [run.task_id for run in await self._store.running() if run.owner == ME]
        await self._store.requeue(ME, left, self._clock.now_ms())
        if self._source is not None:
            self._unsubscribe = self._source.on_submitted(self._submitted)
        self._claiming = asyncio.create_task(self._dispatcher.run())

    async def close(self, grace_s: float) -> None:
        """As the port says."""
        self._unsubscribe()
        self._dispatcher.stop()
        if self._claiming is not None:
            await self._claiming
        if self._runs:
            await asyncio.wait(list(self._runs.values()), timeout=grace_s)
        left = list(self._runs)
        for run in list(self._runs.values()):
            run.cancel()
        if self._runs:
            await asyncio.wait(list(self._runs.values()))
        await self._store.requeue(ME, left, self._clock.now_ms())
        self._claiming = None

    def wake(self) -> None:
        """As the port says."""
        self._submitted(frozenset())

    def set_lanes(self, lanes: Mapping[str, int]) -> None:
        """As the port says."""
        given = checked_lanes(lanes)
        if self._loop is None or self._thread_id == threading.get_ident():
            self._dispatcher.set_lanes(given)
        else:
            self._loop.call_soon_threadsafe(self._dispatcher.set_lanes, given)

    async def cancel(self, task_id: str) -> None:
        """As the port says; returns when the stage has been told, before it has ended."""
        run = self._runs.get(task_id)
        if run is not None:
            run.cancel()

    def is_healthy(self) -> bool:
        """As the port says."""
        claiming = self._claiming
        return claiming is not None and not claiming.done() and self._dispatcher.is_healthy

    def _submitted(self, lanes: frozenset[str]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._dispatcher.wake, lanes)

    def _freed(self, lane: str) -> None:
        self._dispatcher.wake([lane])

    async def _start(self, task_id: str) -> bool:
        run = asyncio.create_task(self._run(task_id))
        self._runs[task_id] = run
        run.add_done_callback(lambda _: self._forget(task_id))
        return True

    def _forget(self, task_id: str) -> None:
        self._runs.pop(task_id, None)
        self._lanes.release(task_id)

    async def _run(self, task_id: str) -> None:
        order = await self._runner.prepare(task_id)
        if await self._is_over(task_id, order):
            return
        outcome = await self._runner.render(task_id, order.text)
        if await self._is_over(task_id, outcome):
            return
        await self._is_over(task_id, await self._runner.finish(task_id, outcome.text))

    async def _is_over(self, task_id: str, result: StageResult) -> bool:
        if result.is_canceled:
            return True
        fault: Fault | None = result.fault
        if fault is not None:
            await self._runner.fail(task_id, fault)
        return fault is not None
