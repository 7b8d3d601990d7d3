"""`TaskStore` over SQL, the same on SQLite and Postgres.

Also carries what the durable engine needs beyond the port: `running`, `lane`, `requeue`,
`own`.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import replace

from kinogate.db import queue_statements as qs
from kinogate.db import statements as st
from kinogate.db.admit import movement
from kinogate.db.codec import Row, Value, task_of, to_json, to_per_mille
from kinogate.db.listing import Listing
from kinogate.db.open import Database
from kinogate.db.session import Session, Values
from kinogate.domain.ports import Accepted, NewTask, RunningTask, TaskFilter, TaskPage
from kinogate.domain.task import Fault, Outcome, Status, Task

MISSES = 3
"""How often a claim that other processes spoiled is tried again."""


class SqlTaskStore:
    """Tasks, ledger and idempotency keys in a database.

    Every method may be awaited on any event loop.

    Args:
        database: Open database; stays the caller's to close.
    """

    def __init__(self, database: Database) -> None:
        self._writer = database.writer
        self._readers = database.readers
        self._is_shared = database.is_shared

    async def submit(self, new: NewTask) -> Accepted:
        """As the port says."""
        return await self._writer.submit(new)

    async def get(self, account_id: str, task_id: str) -> Task | None:
        """As the port says."""
        # The account is the database's to compare: fetching and reading a stranger's row takes
        # time, by which it could be told from an id that never was.
        given: Values = {"id": task_id, "account_id": account_id}
        row = await self._readers.run(lambda s: s.row(st.task_of_account, given))
        return None if row is None else task_of(row)

    async def load(self, task_id: str) -> Task | None:
        """As the port says."""
        row = await self._readers.run(lambda s: s.row(st.task_by_id, {"id": task_id}))
        return None if row is None else task_of(row)

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
        page = Listing.of(where, has_after=after is not None, ascending=ascending)
        total_of = replace(page, is_count=True, has_after=False)
        given: dict[str, Value] = {
            "account_id": account_id,
            "limit": limit + 1,
            "offset": offset,
            "task_id": where.task_id,
            "model": where.model,
            "since_ms": where.since_ms,
            "until_ms": where.until_ms,
        }

        def read(session: Session) -> TaskPage:
            total = int(session.rows(total_of, given)[0][0]) if count else None
            if after is not None:
                place = session.row(st.place_of, {"id": after, "account_id": account_id})
                if place is None:
                    return TaskPage(tasks=(), has_more=False, total=total)
                given["after_seq"] = int(place[0])
            rows = session.rows(page, given)
            tasks = tuple(task_of(row) for row in rows[:limit])
            return TaskPage(tasks=tasks, has_more=len(rows) > limit, total=total)

        return await self._readers.run(read)

    async def claim(self, owner: str, limit: int, now_ms: int, *, lane: str) -> Sequence[str]:
        """As the port says."""
        due: Values = {"lane": lane, "now_ms": now_ms}
        values: Values = {"owner": owner, **due}

        def take(session: Session) -> Sequence[str]:
            taken: builtins.list[str] = []
            misses = 0
            while len(taken) < limit:
                row = session.row(qs.claim_task, values)
                if row is not None:
                    taken.append(str(row[0]))
                    continue
                # The queue is empty, or another process was faster and there is more.
                misses += 1
                if not self._is_shared or misses > MISSES or not session.row(qs.due_task, due):
                    break
            return taken

        return await self._writer.run(take)

    async def relane(self, known: Sequence[str], to: str, now_ms: int) -> int:
        """As the port says."""

        def read(session: Session) -> Sequence[str]:
            return [str(row[0]) for row in session.rows(qs.queued_lanes, {}) if row[0] not in known]

        # Usually there is none, and nothing to write.
        lanes = [lane for lane in await self._readers.run(read) if lane != to]
        if not lanes:
            return 0

        def move(session: Session) -> int:
            values: builtins.list[Values] = [
                {"lane": lane, "to": to, "now_ms": now_ms} for lane in lanes
            ]
            return sum(session.count(qs.relane_tasks, value) for value in values)

        return await self._writer.run(move)

    async def progress(self, task_id: str, share: float, now_ms: int) -> None:
        """As the port says."""
        values: Values = {"id": task_id, "share": to_per_mille(share), "now_ms": now_ms}
        await self._writer.run(lambda s: s.count(st.raise_progress, values))

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
        values: Values = {
            "id": task_id,
            "outcome_json": to_json(outcome),
            "engine": engine,
            "cost_micro": cost_micro,
            "expires_ms": expires_ms,
            "now_ms": now_ms,
        }

        def end(session: Session) -> bool:
            ended = session.row(st.succeed_task, values)
            return _pay(session, task_id, ended, cost_micro, now_ms)

        return await self._writer.run(end)

    async def fail(
        self, task_id: str, fault: Fault, *, now_ms: int, engine: str | None = None
    ) -> bool:
        """As the port says."""
        values: Values = {
            "id": task_id,
            "engine": engine,
            "fault_code": fault.code.value,
            "fault_message": fault.message,
            "fault_field": fault.field,
            "now_ms": now_ms,
        }

        def end(session: Session) -> bool:
            return _pay(session, task_id, session.row(st.fail_task, values), None, now_ms)

        return await self._writer.run(end)

    async def cancel(
        self, account_id: str, task_id: str, *, now_ms: int, only_queued: bool
    ) -> Status | None:
        """As the port says."""

        def end(session: Session) -> Status | None:
            task = _locked(session, account_id, task_id)
            if task is None:
                return None
            if task.status is Status.QUEUED or not only_queued:
                _cancel(session, task, now_ms)
            return task.status

        return await self._writer.run(end)

    async def delete(self, account_id: str, task_id: str, now_ms: int) -> Task | None:
        """As the port says."""

        def hide(session: Session) -> Task | None:
            task = _locked(session, account_id, task_id)
            if task is not None:
                _cancel(session, task, now_ms)
                session.count(st.hide_task, {"id": task_id, "now_ms": now_ms})
            return task

        return await self._writer.run(hide)

    async def forget(self, before_ms: int, now_ms: int) -> int:
        """As the port says."""
        values: Values = {"before_ms": before_ms, "now_ms": now_ms}
        return await self._writer.run(lambda s: s.count(st.forget_tasks, values))

    # Beyond the port: what recovery needs.

    async def running(self) -> Sequence[RunningTask]:
        """Every running task."""
        rows = await self._readers.run(lambda s: s.rows(st.running_tasks, {}))
        return [RunningTask(task_id=row[0], owner=row[1] or "", lane=row[2]) for row in rows]

    async def lane(self, task_id: str) -> str | None:
        """A task's lane; None for an unknown id."""
        row = await self._readers.run(lambda s: s.row(st.lane_of_task, {"id": task_id}))
        return None if row is None else str(row[0])

    async def requeue(self, owner: str, task_ids: Sequence[str], now_ms: int) -> None:
        """Put those of the tasks that are running under `owner` back into the queue."""
        rows: builtins.list[Values] = [
            {"id": task_id, "holder": owner, "now_ms": now_ms} for task_id in task_ids
        ]
        await self._writer.run(lambda s: s.many(st.requeue_task, rows))

    async def own(self, task_id: str, owner: str, now_ms: int) -> None:
        """Make `owner` the owner of a running task."""
        values: Values = {"id": task_id, "owner": owner, "now_ms": now_ms}
        await self._writer.run(lambda s: s.count(st.own_task, values))

    async def sums(self, account_id: str) -> tuple[int, int]:
        """Micro-dollars that an account has held and spent."""
        row = await self._readers.run(lambda s: s.row(st.account_sums, {"id": account_id}))
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    async def movements(self, task_id: str) -> dict[str, int]:
        """A task's ledger: amount by kind (`hold`, `settle`, `release`)."""
        rows = await self._readers.run(lambda s: s.rows(st.ledger_of_task, {"id": task_id}))
        return {row[0]: int(row[1]) for row in rows}


def _locked(session: Session, account_id: str, task_id: str) -> Task | None:
    row = session.row(st.lock_task, {"id": task_id})
    task = None if row is None else task_of(row)
    return task if task is not None and task.account_id == account_id else None


def _cancel(session: Session, task: Task, now_ms: int) -> None:
    if not task.status.is_final:
        values: Values = {"id": task.id, "seen": task.status.value, "now_ms": now_ms}
        _pay(session, task.id, session.row(st.cancel_task, values), None, now_ms)


def _pay(
    session: Session, task_id: str, ended: Row | None, cost_micro: int | None, now_ms: int
) -> bool:
    """Move the money of a task that this transaction has ended; False when it has not.

    hold = settle + release holds for every ended task, and for a failed one there is no settle.
    """
    if ended is None:
        return False
    account_id, hold = str(ended[0]), int(ended[1])
    cost = cost_micro or 0
    rows = [movement(task_id, "release", account_id, hold - cost, now_ms)]
    if cost_micro is not None:
        rows.insert(0, movement(task_id, "settle", account_id, cost, now_ms))
    session.many(st.insert_ledger, rows)
    session.count(st.move_money, {"id": account_id, "held": -hold, "spent": cost})
    return True
