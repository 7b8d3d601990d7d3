"""A driver connection that runs our statements.

Each statement is compiled once per database and cached; afterwards only the driver is involved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Executable
from sqlalchemy.sql.compiler import SQLCompiler

from kinogate.db.codec import Row, Value

Statement = Callable[[], Executable]
"""What makes a statement. Equal ones are compiled once: functions, or equal callable values."""

Values = Mapping[str, Value]
GIVEN = object()
"""Stands in a statement for a value that each execution gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A compiled statement: driver text, its parameters' order (None: by name), its constants."""

    sql: str
    order: tuple[str, ...] | None
    constants: Mapping[str, Value]

    def bind(self, values: Values) -> Any:  # Any: tuple or dict, as the driver wants
        """The driver's parameters for `values`."""
        if self.order is None:
            return {**self.constants, **values} if self.constants else values
        constants = self.constants
        return tuple([values[n] if n in values else constants[n] for n in self.order])


class Statements:
    """The compiled statements of one engine; shared by its sessions."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        self._cache: dict[Statement, Prepared] = {}

    def _prepare(self, statement: Executable) -> Prepared:
        compiled = statement.compile(  # type: ignore[attr-defined]  # ClauseElement's, not typed
            dialect=self._dialect, compile_kwargs={"render_postcompile": True}
        )
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  # what Core always gives
        order = None if compiled.positiontup is None else tuple(compiled.positiontup)
        # The values that stand in the statement itself, those of expanded IN lists included.
        given = compiled.construct_params(_check=False)
        constants = {name: value for name, value in given.items() if value is not GIVEN}
        return Prepared(sql=str(compiled), order=order, constants=constants)

    def get(self, statement: Statement) -> Prepared:
        """The compiled form of a named statement."""
        prepared = self._cache.get(statement)
        if prepared is None:
            prepared = self._cache[statement] = self._prepare(statement())
        return prepared


class Session:
    """One driver connection; used by one thread at a time.

    Args:
        connection: A DBAPI connection of sqlite3 or psycopg.
        statements: The engine's compiled statements.
    """

    def __init__(self, connection: Any, statements: Statements) -> None:  # Any: two drivers
        self._connection = connection
        self._cursor = connection.cursor()
        self._statements = statements
        self._is_sqlite = statements._dialect.name == "sqlite"  # noqa: SLF001

    def begin(self) -> None:
        """Open a write transaction."""
        # psycopg begins by itself; sqlite3 would begin only at the first write, after our reads.
        if self._is_sqlite:
            self._cursor.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make the transaction durable."""
        self._connection.commit()

    def rollback(self) -> None:
        """Undo the transaction."""
        self._connection.rollback()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def rows(self, statement: Statement, values: Values) -> list[Row]:
        """Run a statement and fetch all it returns."""
        prepared = self._statements.get(statement)
        self._cursor.execute(prepared.sql, prepared.bind(values))
        rows: list[Row] = self._cursor.fetchall()
        return rows

    def row(self, statement: Statement, values: Values) -> Row | None:
        """Run a statement that returns at most one row."""
        rows = self.rows(statement, values)
        return rows[0] if rows else None

    def count(self, statement: Statement, values: Values) -> int:
        """Run a statement and say how many rows it changed."""
        prepared = self._statements.get(statement)
        self._cursor.execute(prepared.sql, prepared.bind(values))
        changed: int = self._cursor.rowcount
        return changed

    def many(self, statement: Statement, rows: Sequence[Values]) -> None:
        """Run a statement for every row; on Postgres in one round trip."""
        if rows:
            prepared = self._statements.get(statement)
            self._cursor.executemany(prepared.sql, [prepared.bind(row) for row in rows])

    def each(self, statement: Statement, rows: Sequence[Values]) -> list[list[Row]]:
        """Run a query for every row, and give each one's result; on Postgres in one round trip."""
        if self._is_sqlite or len(rows) < 2:  # nothing to gather
            return [self.rows(statement, row) for row in rows]
        prepared = self._statements.get(statement)
        cursor = self._cursor
        cursor.executemany(prepared.sql, [prepared.bind(row) for row in rows], returning=True)
        results = [cursor.fetchall()]
        while cursor.nextset():
            results.append(cursor.fetchall())
        return results
