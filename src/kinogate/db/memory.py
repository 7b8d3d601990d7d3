"""`TaskStore` and `KeyStore` in memory, for one process and its lifetime.

Same contract as the SQL stores. Made for `kinogate generate` and for tests; every method is
atomic because none of them awaits.
"""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from kinogate.db.admit import conflict
from kinogate.db.codec import PER_MILLE, to_per_mille
from kinogate.domain.ports import (
    Accepted,
    Key,
    NewTask,
    OnSubmitted,
    RunningTask,
    TaskFilter,
    TaskPage,
)
from kinogate.domain.task import Fault, Outcome, Status, Task


class MemoryTaskStore:
    """Tasks, ledger and idempotency keys in dictionaries; used on one event loop."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}  # in order of creation
        self._deleted: set[str] = set()
        self._owners: dict[str, str] = {}
        self._not_before: dict[str, int] = {}
        self._lanes: dict[str, str] = {}
        self._keys: dict[tuple[str, str], tuple[bytes, str]] = {}
        self._ledger: dict[str, dict[str, int]] = {}
        self._sums: dict[str, tuple[int, int]] = {}
        self._listeners: tuple[OnSubmitted, ...] = ()

    def on_submitted(self, listener: OnSubmitted) -> Callable[[], None]:
        """As `Writer.on_submitted`."""
        self._listeners = (*self._listeners, listener)

        def stop() -> None:
            self._listeners = tuple(kept for kept in self._listeners if kept != listener)

        return stop

    async def submit(self, new: NewTask) -> Accepted:
        """As the port says."""
        task = new.task
        if new.idempotency_key is not None:
            name = (task.account_id, new.idempotency_key)
            digest, task_id = self._keys.setdefault(name, (new.digest, task.id))
            if digest != new.digest:
                raise conflict()
            if task_id != task.id:
                return Accepted(task=self._tasks[task_id], is_replay=True)
        self._tasks[task.id] = task
        self._not_before[task.id] = new.not_before_ms or 0
        self._lanes[task.id] = new.lane
        self._ledger[task.id] = {"hold": task.hold_micro}
        self._move(task.account_id, task.hold_micro, 0)
        for listener in self._listeners:
            listener(frozenset({new.lane}))
        return Accepted(task=task)

    async def get(self, account_id: str, task_id: str) -> Task | None:
        """As the port says."""
        task = await self.load(task_id)
        return task if task is not None and task.account_id == account_id else None

    async def load(self, task_id: str) -> Task | None:
        """As the port says."""
        return None if task_id in self._deleted else self._tasks.get(task_id)

    async def list(
        self,
        account_id: str,
        where: TaskFilter,
        *,
        limit: int,
        after: str | None = None,
        offset: int = 0,
        ascending: bool = False,
        count: bool = False,
    ) -> TaskPage:
        """As the port says."""
        mine = [task for task in self._tasks.values() if task.account_id == account_id]
        if not ascending:
            mine.reverse()
        found = [task for task in mine if task.id not in self._deleted and _matches(task, where)]
        total = len(found) if count else None
        if after is not None:
            places = {task.id: place for place, task in enumerate(mine)}
            if after not in places:
                return TaskPage(tasks=(), has_more=False, total=total)
            found = [task for task in found if places[task.id] > places[after]]
        page = found[offset : offset + limit]
        return TaskPage(tasks=tuple(page), has_more=len(found) > offset + limit, total=total)

    async def claim(self, owner: str, limit: int, now_ms: int, *, lane: str) -> Sequence[str]:
        """As the port says."""
        taken: builtins.list[str] = []
        while len(taken) < limit and (task := self._next(lane, now_ms)):
            self._owners[task.id] = owner
            started_ms = task.started_ms if task.started_ms is not None else now_ms
            self._put(
                replace(task, status=Status.RUNNING, started_ms=started_ms, updated_ms=now_ms)
            )
            taken.append(task.id)
        return taken

    async def relane(self, known: Sequence[str], to: str, now_ms: int) -> int:
        """As the port says."""
        lost = [
            task
            for task in self._tasks.values()
            if task.status is Status.QUEUED and self._lanes[task.id] not in {*known, to}
        ]
        for task in lost:
            self._lanes[task.id] = to
            self._put(replace(task, updated_ms=now_ms))
        return len(lost)

    def _next(self, lane: str, now_ms: int) -> Task | None:
        """Of the account with the fewest running tasks, the oldest queued one that may start."""
        tasks = [task for task in self._tasks.values() if self._lanes[task.id] == lane]
        running = Counter(task.account_id for task in tasks if task.status is Status.RUNNING)
        queued = [
            task
            for task in tasks
            if task.status is Status.QUEUED and self._not_before[task.id] <= now_ms
        ]
        return min(queued, key=lambda task: running[task.account_id], default=None)

    async def progress(self, task_id: str, share: float, now_ms: int) -> None:
        """As the port says."""
        task = self._tasks.get(task_id)
        stored = to_per_mille(share) / PER_MILLE
        if task is not None and task.status is Status.RUNNING and stored > task.progress:
            self._put(replace(task, progress=stored, updated_ms=now_ms))

    async def succeed(
        self,
        task_id: str,
        outcome: Outcome,
        *,
        engine: str,
        cost_micro: int,
        now_ms: int,
        expires_ms: int,
    ) -> bool:
        """As the port says."""
        task = self._tasks.get(task_id)
        if task is None or task.status is not Status.RUNNING:
            return False
        ended = replace(
            task,
            status=Status.SUCCEEDED,
            progress=1.0,
            outcome=outcome,
            engine=engine,
            cost_micro=cost_micro,
            expires_ms=expires_ms,
        )
        self._ledger[task_id]["settle"] = cost_micro
        self._end(ended, now_ms)
        return True

    async def fail(
        self, task_id: str, fault: Fault, *, now_ms: int, engine: str | None = None
    ) -> bool:
        """As the port says."""
        task = self._tasks.get(task_id)
        if task is None or task.status.is_final:
            return False
        failed = replace(task, status=Status.FAILED, fault=fault, engine=engine or task.engine)
        self._end(failed, now_ms)
        return True

    async def cancel(
        self, account_id: str, task_id: str, *, now_ms: int, only_queued: bool
    ) -> Status | None:
        """As the port says."""
        task = await self.get(account_id, task_id)
        if task is None:
            return None
        if task.status is Status.QUEUED or (task.status is Status.RUNNING and not only_queued):
            self._end(replace(task, status=Status.CANCELED), now_ms)
        return task.status

    async def delete(self, account_id: str, task_id: str, now_ms: int) -> Task | None:
        """As the port says."""
        task = await self.get(account_id, task_id)
        if task is not None:
            if not task.status.is_final:
                self._end(replace(task, status=Status.CANCELED), now_ms)
            self._deleted.add(task_id)
        return task

    async def forget(self, before_ms: int, now_ms: int) -> int:
        """As the port says."""
        old = {
            task.id
            for task in self._tasks.values()
            if task.finished_ms is not None and task.finished_ms < before_ms
        } - self._deleted
        self._deleted |= old
        return len(old)

    # Beyond the port, as in `SqlTaskStore`.

    async def running(self) -> Sequence[RunningTask]:
        """Every running task."""
        return [
            RunningTask(task_id=task.id, owner=self._owners[task.id], lane=self._lanes[task.id])
            for task in self._tasks.values()
            if task.status is Status.RUNNING
        ]

    async def lane(self, task_id: str) -> str | None:
        """A task's lane; None for an unknown id."""
        return self._lanes.get(task_id)

    async def requeue(self, owner: str, task_ids: Sequence[str], now_ms: int) -> None:
        """Put those of the tasks that are running under `owner` back into the queue."""
        for run in await self.running():
            if run.owner == owner and run.task_id in task_ids:
                task = self._tasks[run.task_id]
                self._put(replace(task, status=Status.QUEUED, updated_ms=now_ms))

    async def own(self, task_id: str, owner: str, now_ms: int) -> None:
        """Make `owner` the owner of a running task."""
        task = self._tasks.get(task_id)
        if task is not None and task.status is Status.RUNNING:
            self._owners[task_id] = owner
            self._put(replace(task, updated_ms=now_ms))

    async def sums(self, account_id: str) -> tuple[int, int]:
        """Micro-dollars that an account has held and spent."""
        return self._sums.get(account_id, (0, 0))

    async def movements(self, task_id: str) -> dict[str, int]:
        """A task's ledger: amount by kind (`hold`, `settle`, `release`)."""
        return dict(self._ledger.get(task_id, {}))

    def _put(self, task: Task) -> None:
        self._tasks[task.id] = task

    def _end(self, task: Task, now_ms: int) -> None:
        self._put(replace(task, finished_ms=now_ms, updated_ms=now_ms))
        self._ledger[task.id]["release"] = task.hold_micro - task.cost_micro
        self._move(task.account_id, -task.hold_micro, task.cost_micro)

    def _move(self, account_id: str, held: int, spent: int) -> None:
        before = self._sums.get(account_id, (0, 0))
        self._sums[account_id] = (before[0] + held, before[1] + spent)


def _matches(task: Task, where: TaskFilter) -> bool:
    return (
        (where.task_id is None or task.id == where.task_id)
        and (where.statuses is None or task.status in where.statuses)
        and (where.model is None or where.model in (task.model, task.plan.model))
        and (where.since_ms is None or task.created_ms >= where.since_ms)
        and (where.until_ms is None or task.created_ms <= where.until_ms)
    )


class MemoryKeyStore:
    """Keys in a dictionary; used on one event loop."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}

    async def add(self, key: Key) -> None:
        """As the port says."""
        if key.id not in self._keys and await self.by_hash(key.hash) is None:
            self._keys[key.id] = key

    async def by_hash(self, key_hash: str) -> Key | None:
        """As the port says."""
        return next((key for key in self._keys.values() if key.hash == key_hash), None)

    async def list(self, account_id: str | None = None) -> Sequence[Key]:
        """As the port says."""
        keys: builtins.list[Key] = [
            key for key in self._keys.values() if account_id in (None, key.account_id)
        ]
        return sorted(keys, key=lambda key: (key.created_ms, key.id))

    async def revoke(self, key_id: str, now_ms: int) -> bool:
        """As the port says."""
        key = self._keys.get(key_id)
        if key is None or key.revoked_ms is not None:
            return False
        self._keys[key_id] = replace(key, revoked_ms=now_ms)
        return True
