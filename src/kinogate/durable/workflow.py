"""The workflow `run_task`: three steps under the task's id, kept by DBOS.

A step's result is stored before the next one begins, so a crash repeats only the step it hit.
Nothing in here may raise for an ordinary failure: an uncaught exception would be final for DBOS
and leave the hold open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from kinogate.domain.errors import ErrorCode
from kinogate.domain.task import Fault
from kinogate.durable.bridge import StageCall, StageStopped
from kinogate.durable.lanes import Lanes
from kinogate.durable.run import CANCELED, StageResult, StageRunner, from_text, to_text

Step = Callable[..., Coroutine[Any, Any, str]]  # Any: DBOS keeps each step's own arguments
WORKFLOW_NAME = "run_task"
WORKFLOW_VERSION = "1"
"""Raised by hand when the steps change shape; DBOS takes up only runs of its own version."""

MAX_ATTEMPTS = 20
"""Starts of one run, crashes included; beyond it the task is failed by the sweep."""


class Runs:
    """The workflow's body, and the runs of this process that are under way.

    Lives on the durable engine's loop; stages run on `main`.

    Args:
        runner: The stages.
        main: The API's loop.
        lanes: A slot is held by each run while it works.
        lane_of: Finds the lane of a run that has no slot yet: a recovered one.
        on_resumed: Awaited with the task's id when a run begins that this process has not started.
        on_ended: Called with the task's id when its run is over.
    """

    def __init__(
        self,
        runner: StageRunner,
        main: asyncio.AbstractEventLoop,
        lanes: Lanes,
        *,
        lane_of: Callable[[str], Awaitable[str]],
        on_resumed: Callable[[str], Awaitable[None]],
        on_ended: Callable[[str], None],
    ) -> None:
        self._runner = runner
        self._main = main
        self._lanes = lanes
        self._lane_of = lane_of
        self._on_resumed = on_resumed
        self._on_ended = on_ended
        self._expected: set[str] = set()
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._calls: dict[str, StageCall[StageResult]] = {}
        self._canceled: set[str] = set()

    @property
    def active(self) -> frozenset[str]:
        """The tasks whose workflow is under way, waiting for a slot included."""
        return frozenset(self._tasks)

    def expect(self, task_id: str) -> None:
        """Say that this process has claimed the task and starts it now."""
        self._expected.add(task_id)

    def expect_not(self, task_id: str) -> None:
        """Take `expect` back."""
        self._expected.discard(task_id)

    def cancel(self, task_id: str) -> bool:
        """Stop the task's stage; False when it does not run here."""
        if task_id not in self._tasks:
            return False
        self._canceled.add(task_id)
        call = self._calls.get(task_id)
        if call is not None:
            call.stop()
        return True

    async def leave(self) -> None:
        """Stop every run without ending it, so that the next start takes it up."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def drained(self) -> None:
        """Wait until no run is under way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def run(self, task_id: str, steps: Steps) -> str:
        """The workflow's body: prepare, render, finish; or fail."""
        current = asyncio.current_task()
        assert current is not None  # noqa: S101  # a coroutine always runs in a task
        self._tasks[task_id] = current
        try:
            async with self._lanes.hold(task_id, self._lane_of):
                if task_id not in self._expected:
                    await self._on_resumed(task_id)
                return await self._stages(task_id, steps)
        finally:
            self._canceled.discard(task_id)
            self._expected.discard(task_id)
            self._tasks.pop(task_id, None)
            self._on_ended(task_id)

    async def _stages(self, task_id: str, steps: Steps) -> str:
        order = from_text(await steps.prepare(task_id))
        if order.is_canceled:
            return "canceled"
        if order.fault is not None:
            return await self._fail(task_id, order.fault, steps)
        outcome = from_text(await steps.render(task_id, order.text))
        if outcome.is_canceled:
            return "canceled"
        if outcome.fault is not None:
            return await self._fail(task_id, outcome.fault, steps)
        end = from_text(await steps.finish(task_id, outcome.text))
        if end.fault is not None:
            return await self._fail(task_id, end.fault, steps)
        return "canceled" if end.is_canceled else "succeeded"

    async def _fail(self, task_id: str, fault: Fault, steps: Steps) -> str:
        await steps.fail(task_id, fault.code.value, fault.message, fault.field)
        return "failed"

    async def call(
        self, task_id: str, stage: Callable[[], Coroutine[Any, Any, StageResult]]
    ) -> StageResult:
        """Run a stage on the API's loop, where `cancel` can reach it."""
        if task_id in self._canceled:
            return CANCELED
        call = self._calls[task_id] = StageCall(self._main, stage)
        try:
            return await call.result()
        except StageStopped:
            if task_id in self._canceled:
                return CANCELED
            # The API's loop is ending: leave the run to the next start, as in `leave`.
            raise asyncio.CancelledError from None
        finally:
            self._calls.pop(task_id, None)

    @property
    def runner(self) -> StageRunner:
        """The stages."""
        return self._runner


class Steps:
    """The workflow's steps, each kept by DBOS under its name.

    Args:
        runs: Where the stages run.
        keep: Makes a kept step of a coroutine function and a name.
    """

    def __init__(self, runs: Runs, keep: Callable[[str, Step], Step]) -> None:
        self._runs = runs
        self.prepare = keep("prepare", self._prepare)
        self.render = keep("render", self._render)
        self.finish = keep("finish", self._finish)
        self.fail = keep("fail", self._fail)

    async def _prepare(self, task_id: str) -> str:
        runner = self._runs.runner
        return to_text(await self._runs.call(task_id, lambda: runner.prepare(task_id)))

    async def _render(self, task_id: str, order: str) -> str:
        runner = self._runs.runner
        return to_text(await self._runs.call(task_id, lambda: runner.render(task_id, order)))

    async def _finish(self, task_id: str, outcome: str) -> str:
        runner = self._runs.runner
        return to_text(await self._runs.call(task_id, lambda: runner.finish(task_id, outcome)))

    async def _fail(self, task_id: str, code: str, message: str, field: str | None) -> str:
        runner = self._runs.runner
        fault = Fault(code=ErrorCode(code), message=message, field=field)
        return to_text(await self._runs.call(task_id, lambda: runner.fail(task_id, fault)))
