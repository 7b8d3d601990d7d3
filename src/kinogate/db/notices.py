"""How processes on one Postgres tell each other at once that tasks were queued.

A notice is sent with the commit of the tasks and lost with it. Nothing relies on one: whoever
misses a notice sees the tasks at the next look into the queue, a second later.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Select, Text, func, select

from kinogate.db.session import Session
from kinogate.db.statements import given
from kinogate.db.writer import unavailable

if TYPE_CHECKING:
    from sqlalchemy import Engine

CHANNEL = "kinogate_queued"
LONGEST = 2000
"""Characters of a notice, well below the 7999 bytes that Postgres takes."""


class Notice(msgspec.Struct, frozen=True):
    """Who queued tasks, and in which lanes; none stands for any."""

    origin: str
    lanes: list[str]


def tell_queued() -> Select[tuple[Any]]:
    """Send a notice when the transaction commits."""
    return select(func.pg_notify(CHANNEL, given("payload", Text)))


class Notices:
    """The notices of one database; sends those of this process and hears those of others.

    Args:
        engine: A Postgres engine; used for its address only.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._origin = uuid.uuid4().hex

    def send(self, session: Session, lanes: frozenset[str]) -> None:
        """Say within a transaction that it queues tasks in these lanes."""
        payload = msgspec.json.encode(Notice(self._origin, sorted(lanes)))
        if len(payload) > LONGEST:
            payload = msgspec.json.encode(Notice(self._origin, []))
        session.rows(tell_queued, {"payload": payload.decode()})

    async def hear(self, on_queued: Callable[[frozenset[str]], None]) -> None:
        """Call `on_queued` for each notice of another process, for ever.

        Lanes as in the notice; none of them stands for any. Keeps one connection open.

        Raises:
            InternalError: UNAVAILABLE: the connection is lost or was never made; call again.
        """
        import psycopg  # noqa: PLC0415  # an extra, and only here on its own

        _, options = self._engine.dialect.create_connect_args(self._engine.url)
        try:
            async with await psycopg.AsyncConnection.connect(
                **options, autocommit=True
            ) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                on_queued(frozenset())  # what was missed until now
                async for heard in connection.notifies():
                    notice = _read(heard.payload)
                    if notice.origin != self._origin:
                        on_queued(frozenset(notice.lanes))
        except (psycopg.Error, OSError) as exc:
            raise unavailable(exc) from exc


def _read(payload: str) -> Notice:
    try:
        return msgspec.json.decode(payload, type=Notice)
    except msgspec.DecodeError:  # another program's: look into the queue anyway
        return Notice("", [])
