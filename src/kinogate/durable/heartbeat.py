"""Who lives, on a database that several processes share; times are the database's own clock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from kinogate.db import executor_statements as st
from kinogate.db.open import Database
from kinogate.db.session import Session, Values

LEASE_S = 15.0
BEATS = 7.5
"""Beats per lease: one every two seconds by default."""

FORGET_MS = 3_600_000
LANES_MS = 300_000
"""Silence after which an executor's lanes are nobody's. Longer than a machine takes to boot: its
queue, which may need its hardware, must not move to others meanwhile. One that leaves properly
takes its lanes with it at once."""


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
        self.lanes_elsewhere: frozenset[str] = frozenset()
        """The lanes that other executors knew at the last beat."""

    async def beat(self, lanes: Collection[str]) -> AbstractSet[str]:
        """Say that this executor lives, and which lanes it knows.

        Returns:
            The executors that have beaten within the lease, this one included.
        """
        lanes_json = msgspec.json.encode(list(lanes)).decode()

        def write(session: Session) -> Sequence[tuple[str, int, str | None]]:
            now = int(session.rows(st.database_now, {})[0][0])
            mine: Values = {"id": self._me, "now_ms": now, "lanes_json": lanes_json}
            if not session.count(st.beat_executor, mine):
                session.count(st.insert_executor, mine)
            session.count(st.delete_old_executors, {"until_ms": now - FORGET_MS})
            rows = session.rows(st.all_executors, {})
            return [(row[0], now - int(row[1]), row[2]) for row in rows]

        beats = await self._writer.run(write)
        self.lanes_elsewhere = frozenset(
            lane
            for name, silent_ms, theirs in beats
            if name != self._me and theirs is not None and silent_ms < LANES_MS
            for lane in msgspec.json.decode(theirs, type=list[str])
        )
        return {name for name, silent_ms, _ in beats if silent_ms < self._lease_ms}

    async def leave(self) -> None:
        """Take this executor's row away: its work may be taken over at once."""
        await self._writer.run(lambda s: s.count(st.delete_executor, {"id": self._me}))
