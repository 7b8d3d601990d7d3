"""Who lives, on a database that several processes share; times are the database's own clock."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from kinogate.db import statements as st
from kinogate.db.open import Database
from kinogate.db.session import Session

BEAT_S = 2.0
SILENCE_MS = 15_000


class Heartbeat:
    """This executor's row, and the reading of the others'.

    Args:
        database: A shared database.
        me: This executor.
    """

    def __init__(self, database: Database, me: str) -> None:
        self._writer = database.writer
        self._me = me

    async def beat(self) -> AbstractSet[str]:
        """Say that this executor lives.

        Returns:
            The executors that have beaten in the last fifteen seconds, this one included.
        """

        def write(session: Session) -> AbstractSet[str]:
            now = int(session.rows(st.database_now, {})[0][0])
            if not session.count(st.beat_executor, {"id": self._me, "now_ms": now}):
                session.count(st.insert_executor, {"id": self._me, "now_ms": now})
            beats = session.rows(st.all_executors, {})
            return {row[0] for row in beats if now - int(row[1]) < SILENCE_MS}

        return await self._writer.run(write)

    async def leave(self) -> None:
        """Take this executor's row away: its work may be taken over at once."""
        await self._writer.run(lambda s: s.count(st.delete_executor, {"id": self._me}))
