"""The statements about executors: who is alive, by the database's own clock."""

from __future__ import annotations

from sqlalchemy import BigInteger, Delete, Insert, Select, String, Text, Update, func, select

from kinogate.db.codec import PER_MILLE
from kinogate.db.schema import executors
from kinogate.db.statements import given

_ID = given("id", String)
_NOW = given("now_ms", BigInteger)
_LANES = given("lanes_json", Text)


def beat_executor() -> Update:
    """Say that an executor lives, and which lanes it knows."""
    return executors.update().where(executors.c.id == _ID).values(beat_ms=_NOW, lanes_json=_LANES)


def insert_executor() -> Insert:
    """A new executor."""
    return executors.insert().values(id=_ID, beat_ms=_NOW, lanes_json=_LANES)


def delete_executor() -> Delete:
    """Forget an executor."""
    return executors.delete().where(executors.c.id == _ID)


def delete_old_executors() -> Delete:
    """Forget the executors that have not beaten since `until_ms`."""
    return executors.delete().where(executors.c.beat_ms < given("until_ms", BigInteger))


def all_executors() -> Select[tuple[str, int, str]]:
    """Id, last beat and lanes (JSON, or NULL) of every executor."""
    return select(executors.c.id, executors.c.beat_ms, executors.c.lanes_json)


def database_now() -> Select[tuple[int]]:
    """The Postgres server's clock, epoch milliseconds: the one clock that executors share."""
    epoch = func.extract("epoch", func.clock_timestamp())
    return select(func.cast(epoch * PER_MILLE, BigInteger))
