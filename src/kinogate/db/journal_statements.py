"""The statements about the calls that engines make to upstreams."""

from __future__ import annotations

from sqlalchemy import BigInteger, Insert, Integer, Select, String, Text, Update, func, select

from kinogate.db.schema import tasks, upstream_calls
from kinogate.db.statements import given
from kinogate.domain.engine import CallState

_ID = given("task_id", String)
_ENGINE = given("engine", Text)
_NUMBER = given("number", Integer)
_UPSTREAM_ID = given("upstream_id", Text)

EARLIER = {
    CallState.INTENT: (),
    CallState.CREATED: (CallState.INTENT,),
    CallState.REFUSED: (CallState.INTENT,),
    CallState.ENDED: (CallState.INTENT, CallState.CREATED),
}
"""From which states a call comes to another; every other mark changes nothing."""


def calls_of_task() -> Select[tuple[str]]:
    """A task's calls through an engine, oldest first; the columns are those of the table."""
    return (
        select(*upstream_calls.c)
        .where(upstream_calls.c.task_id == _ID, upstream_calls.c.engine == _ENGINE)
        .order_by(upstream_calls.c.number)
    )


def one_call() -> Select[tuple[str]]:
    """The call with this number."""
    return calls_of_task().where(upstream_calls.c.number == _NUMBER)


def lock_caller() -> Select[tuple[str]]:
    """The task's id; on Postgres its row stays locked until the end of the transaction."""
    return select(tasks.c.id).where(tasks.c.id == _ID).with_for_update()


def last_number() -> Select[tuple[int]]:
    """The number of a task's newest call through an engine, 0 for none."""
    return select(func.coalesce(func.max(upstream_calls.c.number), 0)).where(
        upstream_calls.c.task_id == _ID, upstream_calls.c.engine == _ENGINE
    )


def insert_call() -> Insert:
    """A call that is about to be sent."""
    return upstream_calls.insert().values(
        task_id=_ID,
        engine=_ENGINE,
        number=_NUMBER,
        credential=given("credential", Text),
        state=CallState.INTENT.value,
        upstream_id=None,
        created_ms=given("created_ms", BigInteger),
    )


def mark_created() -> Update:
    """The upstream has given it an id."""
    return _mark(CallState.CREATED)


def mark_refused() -> Update:
    """The upstream said no, or was never reached."""
    return _mark(CallState.REFUSED)


def mark_ended() -> Update:
    """The upstream's task is over."""
    return _mark(CallState.ENDED)


MARKS = {
    CallState.CREATED: mark_created,
    CallState.REFUSED: mark_refused,
    CallState.ENDED: mark_ended,
}
"""The statement that brings a call to a state."""


def _mark(state: CallState) -> Update:
    earlier = [known.value for known in EARLIER[state]]
    return (
        upstream_calls.update()
        .where(
            upstream_calls.c.task_id == _ID,
            upstream_calls.c.engine == _ENGINE,
            upstream_calls.c.number == _NUMBER,
            upstream_calls.c.state.in_(earlier),
        )
        .values(
            state=state.value,
            upstream_id=func.coalesce(upstream_calls.c.upstream_id, _UPSTREAM_ID),
        )
    )


def known_id() -> Select[tuple[str]]:
    """The upstream's id, when a call through this engine has it."""
    return (
        select(upstream_calls.c.upstream_id)
        .where(upstream_calls.c.engine == _ENGINE, upstream_calls.c.upstream_id == _UPSTREAM_ID)
        .limit(1)
    )
