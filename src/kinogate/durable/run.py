"""One run of one task: the three stages, with their errors turned into results.

Shared by the DBOS and the inline engine, which differ only in how a stage's result is kept. An
error is kept as a result too, so that a run that is taken up again sees the same error.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from kinogate.domain.errors import ErrorCode, InternalError, KinogateError, UpstreamError
from kinogate.domain.ports import RunningTask, Stages
from kinogate.domain.task import Fault, Status, Task

log = logging.getLogger(__name__)

PREPARE_ATTEMPTS = 3
BACKOFF_S = (0.5, 2.0)
LONGEST_WAIT_S = 10.0
STORE_BACKOFF_S = (0.1, 0.3, 1.0, 3.0, 5.0, 5.0, 5.0, 5.0)
"""Waits while the database cannot be written, some 25 seconds in all; then the sweep takes over."""


class TaskReader(Protocol):
    """What a run asks of the task store."""

    async def load(self, task_id: str) -> Task | None:
        """The task, or None."""
        ...


class RunStore(TaskReader, Protocol):
    """What the durable engine asks of the task store beyond `TaskStore`."""

    async def claim(self, owner: str, limit: int, now_ms: int, *, lane: str) -> Sequence[str]:
        """As `TaskStore.claim`."""
        ...

    async def relane(self, known: Sequence[str], to: str, now_ms: int) -> int:
        """As `TaskStore.relane`."""
        ...

    async def running(self) -> Sequence[RunningTask]:
        """Every running task."""
        ...

    async def lane(self, task_id: str) -> str | None:
        """A task's lane; None for an unknown id."""
        ...

    async def requeue(self, owner: str, task_ids: Sequence[str], now_ms: int) -> None:
        """Put those of the tasks that are running under `owner` back into the queue."""
        ...

    async def own(self, task_id: str, owner: str, now_ms: int) -> None:
        """Make `owner` the owner of a running task."""
        ...

    async def fail(
        self, task_id: str, fault: Fault, *, now_ms: int, engine: str | None = None
    ) -> bool:
        """As `TaskStore.fail`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """How a stage ended: with a text, with a fault, or not at all because of a cancel."""

    text: str = ""
    fault: Fault | None = None
    is_canceled: bool = False


CANCELED = StageResult(is_canceled=True)

_decoder = msgspec.json.Decoder(StageResult)


def to_text(result: StageResult) -> str:
    """The JSON that is kept between stages."""
    return msgspec.json.encode(result).decode()


def from_text(text: str) -> StageResult:
    """The result in a kept JSON."""
    return _decoder.decode(text)


def fault_of(error: Exception, task_id: str) -> Fault:
    """What a failed task says; what is not one of our errors is logged and kept from the caller."""
    if isinstance(error, KinogateError):
        return Fault(code=error.code, message=error.message, field=error.field)
    log.error("A stage of task %s failed unexpectedly.", task_id, exc_info=error)
    return Fault(code=ErrorCode.INTERNAL, message="The task failed because of a server error.")


class StageRunner:
    """The stages of any task, each returning a `StageResult` and raising only cancellation.

    Args:
        store: Asked before each stage whether the task is still to be run.
        stages: What to run.
    """

    def __init__(self, store: TaskReader, stages: Stages) -> None:
        self._store = store
        self._stages = stages

    async def prepare(self, task_id: str) -> StageResult:
        """Run the first stage; a retriable upstream error is tried again, three times in all."""

        async def attempt() -> str:
            for waited in BACKOFF_S:
                try:
                    return await self._stages.prepare(task_id)
                except UpstreamError as error:
                    if not error.retriable:
                        raise
                    pause = waited if error.retry_after_s is None else error.retry_after_s
                    await asyncio.sleep(min(pause, LONGEST_WAIT_S))
            return await self._stages.prepare(task_id)

        return await self._guarded(task_id, attempt)

    async def render(self, task_id: str, order: str) -> StageResult:
        """Run the second stage, once."""
        return await self._guarded(task_id, lambda: self._stages.render(task_id, order))

    async def finish(self, task_id: str, outcome: str) -> StageResult:
        """Run the last stage; waits for a database that is away."""

        async def settle() -> str:
            await _through_outage(lambda: self._stages.finish(task_id, outcome))
            return ""

        return await self._guarded(task_id, settle)

    async def fail(self, task_id: str, fault: Fault) -> StageResult:
        """Release; waits for a database that is away."""
        try:
            await _through_outage(
                lambda: self._stages.fail(task_id, fault.code, fault.message, fault.field)
            )
        except Exception:  # the run's edge: the sweep releases later
            log.exception("Task %s could not be failed.", task_id)
            return StageResult(fault=fault)
        return StageResult()

    async def _guarded(self, task_id: str, stage: Callable[[], Awaitable[str]]) -> StageResult:
        try:
            task = await self._store.load(task_id)
            if task is None or task.status is not Status.RUNNING:
                return CANCELED
            return StageResult(text=await stage())
        except Exception as error:  # the run's edge: any error ends the task  # noqa: BLE001
            return StageResult(fault=fault_of(error, task_id))


async def _through_outage(write: Callable[[], Awaitable[None]]) -> None:
    for pause in STORE_BACKOFF_S:
        try:
            await write()
        except InternalError as error:
            if error.code is not ErrorCode.UNAVAILABLE:
                raise
            await asyncio.sleep(pause)
        else:
            return
    await write()
