"""Who lives, on a database that several processes share; times are the database's own clock."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from kinogate.db import executor_statements as st
from kinogate.db.open import Database
from kinogate.db.session import Session

LEASE_S = 15.0
BEATS = 7.5
"""Beats per lease: one every two seconds by default."""

FORGET_MS = 3_600_000


class Heartbeat:
    """This executor's row, and the reading of the others'.

    Args:
        database: A shared database.
        me: This executor.
        lease_s: Silence after which an executor counts as dead.
    """

    def __init__(self, database: Database, me: str, *, lease_s: float) -> None:
        self._writer = database.writer
        self._me = me
        self._lease_ms = lease_s * 1000
        self.pause_s = lease_s / BEATS
        """How long to wait between beats."""

    async def beat(self) -> AbstractSet[str]:
        """Say that this executor lives.

        Returns:
            The executors that have beaten within the lease, this one included.
        """

        def write(session: Session) -> AbstractSet[str]:
            now = int(session.rows(st.database_now, {})[0][0])
            if not session.count(st.beat_executor, {"id": self._me, "now_ms": now}):
                session.count(st.insert_executor, {"id": self._me, "now_ms": now})
            session.count(st.delete_old_executors, {"until_ms": now - FORGET_MS})
            beats = session.rows(st.all_executors, {})
            return {row[0] for row in beats if now - int(row[1]) < self._lease_ms}

        return await self._writer.run(write)

    async def leave(self) -> None:
        """Take this executor's row away: its work may be taken over at once."""
        await self._writer.run(lambda s: s.count(st.delete_executor, {"id": self._me}))
