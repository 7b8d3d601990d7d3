"""The statements about the queue: which task is next, and in which lanes tasks wait.

All walk the index `tasks_by_lane` from one name to the next, so that neither a long queue of
another lane nor one of a busy account costs anything.
"""

from __future__ import annotations

from sqlalchemy import CTE, BigInteger, Select, String, Text, Update, func, or_, select

from kinogate.db.schema import tasks
from kinogate.db.statements import given
from kinogate.domain.task import Status

_LANE = given("lane", Text)
_NOW = given("now_ms", BigInteger)
_QUEUED, _RUNNING = Status.QUEUED.value, Status.RUNNING.value


def claim_task() -> Update:
    """Give one queued task of a lane to `owner`.

    The oldest of the account with the fewest running in the lane. Tasks whose time is still to
    come are passed over.
    """
    mine, busy = tasks.alias("mine"), tasks.alias("busy")
    queues = _accounts()
    oldest = (
        select(func.min(mine.c.seq))
        .where(
            mine.c.status == _QUEUED,
            mine.c.lane == _LANE,
            mine.c.account_id == queues.c.account_id,
            or_(mine.c.not_before_ms.is_(None), mine.c.not_before_ms <= _NOW),
        )
        .scalar_subquery()
    )
    running = (
        select(func.count())
        .select_from(busy)
        .where(
            busy.c.status == _RUNNING,
            busy.c.lane == _LANE,
            busy.c.account_id == queues.c.account_id,
        )
        .scalar_subquery()
    )
    heads = (
        select(oldest.label("seq"), running.label("running"))
        .select_from(queues)
        .where(queues.c.account_id.is_not(None))
        .subquery("heads")
    )
    next_seq = (
        select(heads.c.seq)
        .where(heads.c.seq.is_not(None))
        .order_by(heads.c.running, heads.c.seq)
        .limit(1)
    )
    return (
        tasks.update()
        # The status again, for Postgres: another process may have claimed it meanwhile.
        .where(tasks.c.seq == next_seq.scalar_subquery(), tasks.c.status == _QUEUED)
        .values(
            status=_RUNNING,
            owner=given("owner", String),
            started_ms=func.coalesce(tasks.c.started_ms, _NOW),
            updated_ms=_NOW,
        )
        .returning(tasks.c.id)
    )


def _accounts() -> CTE:
    """The accounts with queued tasks in a lane, and a NULL at the end."""
    first, later = tasks.alias("first"), tasks.alias("later")
    queues = (
        select(func.min(first.c.account_id).label("account_id"))
        .where(first.c.status == _QUEUED, first.c.lane == _LANE)
        .cte("queues", recursive=True)
    )
    following = (
        select(func.min(later.c.account_id))
        .where(
            later.c.status == _QUEUED,
            later.c.lane == _LANE,
            later.c.account_id > queues.c.account_id,
        )
        .scalar_subquery()
    )
    return queues.union_all(select(following).where(queues.c.account_id.is_not(None)))


def due_task() -> Select[tuple[int]]:
    """One task of a lane that could be claimed now, if there is any."""
    return (
        select(tasks.c.seq)
        .where(
            tasks.c.status == _QUEUED,
            tasks.c.lane == _LANE,
            or_(tasks.c.not_before_ms.is_(None), tasks.c.not_before_ms <= _NOW),
        )
        .limit(1)
    )


def queued_lanes() -> Select[tuple[str]]:
    """The lanes in which tasks are queued."""
    first, later = tasks.alias("first"), tasks.alias("later")
    lanes = (
        select(func.min(first.c.lane).label("lane"))
        .where(first.c.status == _QUEUED)
        .cte("lanes", recursive=True)
    )
    following = (
        select(func.min(later.c.lane))
        .where(later.c.status == _QUEUED, later.c.lane > lanes.c.lane)
        .scalar_subquery()
    )
    lanes = lanes.union_all(select(following).where(lanes.c.lane.is_not(None)))
    return select(lanes.c.lane).where(lanes.c.lane.is_not(None))


def relane_tasks() -> Update:
    """Move a lane's queued tasks into the lane `to`."""
    return (
        tasks.update()
        .where(tasks.c.status == _QUEUED, tasks.c.lane == _LANE)
        .values(lane=given("to", Text), updated_ms=_NOW)
    )
