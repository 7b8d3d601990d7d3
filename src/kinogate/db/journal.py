"""`UpstreamJournal` over SQL, the same on SQLite and Postgres."""

from __future__ import annotations

from collections.abc import Sequence

from kinogate.db import journal_statements as st
from kinogate.db.codec import Row
from kinogate.db.open import Database
from kinogate.db.session import Session, Values
from kinogate.domain.engine import CallState, UpstreamCall
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.ports import Clock


def unknown_call() -> InternalError:
    """The error for a mark on a call that was never intended."""
    return InternalError(ErrorCode.INTERNAL, "The upstream call is not in the journal.")


class SqlJournal:
    """The upstream calls of all tasks, in a database; may be awaited on any event loop.

    Args:
        database: Open database; stays the caller's to close.
        clock: Time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._writer = database.writer
        self._readers = database.readers
        self._clock = clock

    async def calls(self, task_id: str, engine: str) -> Sequence[UpstreamCall]:
        """As the port says."""
        values: Values = {"task_id": task_id, "engine": engine}
        rows = await self._readers.run(lambda s: s.rows(st.calls_of_task, values))
        return [_call_of(row) for row in rows]

    async def intend(self, task_id: str, engine: str, credential: str) -> UpstreamCall:
        """As the port says."""
        now_ms = self._clock.now_ms()

        def write(session: Session) -> UpstreamCall:
            # Or two processes would give one number; the second would fail and send nothing.
            session.row(st.lock_caller, {"task_id": task_id})
            last = session.rows(st.last_number, {"task_id": task_id, "engine": engine})[0][0]
            call = UpstreamCall(
                task_id=task_id,
                engine=engine,
                number=int(last) + 1,
                credential=credential,
                state=CallState.INTENT,
                created_ms=now_ms,
            )
            values: Values = {**_name_of(call), "credential": credential, "created_ms": now_ms}
            session.count(st.insert_call, values)
            return call

        return await self._writer.run(write)

    async def mark(
        self, call: UpstreamCall, state: CallState, upstream_id: str | None = None
    ) -> UpstreamCall:
        """As the port says: a call goes from INTENT to CREATED or REFUSED, and from both to ENDED.

        REFUSED and ENDED are final. Any other mark leaves the call as it is.

        Returns:
            The call as it is kept now.

        Raises:
            InternalError: INTERNAL, when there is no such call.
        """
        name = _name_of(call)
        values: Values = {**name, "upstream_id": upstream_id}

        def write(session: Session) -> UpstreamCall:
            if state in st.MARKS:
                session.count(st.MARKS[state], values)
            row = session.row(st.one_call, name)
            if row is None:
                raise unknown_call()
            return _call_of(row)

        return await self._writer.run(write)

    async def known(self, engine: str, upstream_ids: Sequence[str]) -> frozenset[str]:
        """As the port says."""
        values: list[Values] = [
            {"engine": engine, "upstream_id": upstream_id}
            for upstream_id in sorted(set(upstream_ids))
        ]
        found = await self._readers.run(lambda s: s.each(st.known_id, values))
        return frozenset(str(rows[0][0]) for rows in found if rows)


def _name_of(call: UpstreamCall) -> Values:
    return {"task_id": call.task_id, "engine": call.engine, "number": call.number}


def _call_of(row: Row) -> UpstreamCall:
    task_id, engine, number, credential, state, upstream_id, created_ms = row
    return UpstreamCall(
        task_id=task_id,
        engine=engine,
        number=int(number),
        credential=credential,
        state=CallState(state),
        upstream_id=upstream_id,
        created_ms=int(created_ms),
    )
