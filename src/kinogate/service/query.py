"""Reading and ending tasks: get, list, cancel, delete, and waiting for the end.

A poll reads one row of ours and nothing else.
"""

from __future__ import annotations

import asyncio

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.ports import (
    Clock,
    Durable,
    Principal,
    TaskFilter,
    TaskPage,
    TaskStore,
)
from kinogate.domain.task import Status, Task

_WAIT_STEP_S = 0.2


class Tasks:
    """The use cases on tasks that exist already. Every one is bound to the caller's account."""

    def __init__(self, *, store: TaskStore, durable: Durable, clock: Clock) -> None:
        self._store = store
        self._durable = durable
        self._clock = clock

    async def get(self, principal: Principal, task_id: str) -> Task:
        """One task.

        Raises:
            CallerError: TASK_UNKNOWN.
        """
        task = await self._store.get(principal.account_id, task_id)
        if task is None:
            raise _unknown()
        return task

    async def list(
        self,
        principal: Principal,
        where: TaskFilter,
        *,
        limit: int,
        after: str | None = None,
        offset: int = 0,
        ascending: bool = False,
        count: bool = False,
    ) -> TaskPage:
        """A page of tasks."""
        return await self._store.list(
            principal.account_id,
            where,
            limit=limit,
            after=after,
            offset=offset,
            ascending=ascending,
            count=count,
        )

    async def cancel(self, principal: Principal, task_id: str, *, only_queued: bool) -> Task:
        """Cancel; a running task's engine stops within two seconds.

        Raises:
            CallerError: TASK_UNKNOWN, or TASK_NOT_CANCELABLE when it has ended or may not be
                canceled any more.
        """
        before = await self._store.cancel(
            principal.account_id,
            task_id,
            now_ms=self._clock.now_ms(),
            only_queued=only_queued,
        )
        if before is None:
            raise _unknown()
        if before.is_final or (before is Status.RUNNING and only_queued):
            raise CallerError(
                ErrorCode.TASK_NOT_CANCELABLE,
                f"The task is {before.value} and can no longer be canceled.",
            )
        if before is Status.RUNNING:
            await self._durable.cancel(task_id)
        return await self.get(principal, task_id)

    async def delete(self, principal: Principal, task_id: str) -> Task:
        """Hide a task for good; an unfinished one is canceled first.

        Raises:
            CallerError: TASK_UNKNOWN.
        """
        task = await self._store.delete(principal.account_id, task_id, self._clock.now_ms())
        if task is None:
            raise _unknown()
        if task.status is Status.RUNNING:
            await self._durable.cancel(task_id)
        return task

    async def wait(self, principal: Principal, task_id: str, timeout_s: float) -> Task:
        """The task once it has ended, or as it is when the time is up."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            task = await self.get(principal, task_id)
            if task.status.is_final or asyncio.get_running_loop().time() >= deadline:
                return task
            await asyncio.sleep(_WAIT_STEP_S)


def _unknown() -> CallerError:
    return CallerError(ErrorCode.TASK_UNKNOWN, "There is no such task.", field="task_id")
