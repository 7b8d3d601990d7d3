"""Opening a database: engine, pragmas, migrations, the writer and the readers.

`sqlite:///FILE` is for one machine, `postgresql+psycopg://…` for several.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from kinogate.db.gate import GatedConnection, WriteGate
from kinogate.db.migrations import upgrade
from kinogate.db.notices import Notices
from kinogate.db.readers import Readers
from kinogate.db.session import Session, Statements
from kinogate.db.writer import Writer, unavailable
from kinogate.domain.errors import InternalError

BUSY_TIMEOUT_MS = 30_000
POOL_SIZE = 20
READER_THREADS = 6


class Database:
    """An open database with its migrations applied.

    Attributes:
        engine: For Alembic, and on SQLite for DBOS; its connections pass the write gate.
        writer: All of this process's writes to our tables.
        readers: All of its reads.
        statements: The compiled statements.
        path: The SQLite file, or None on Postgres.
        notices: On Postgres, how processes tell each other of queued tasks; None on SQLite.
    """

    def __init__(self, engine: Engine, path: Path | None, gate: WriteGate | None) -> None:
        self.engine = engine
        self.path = path
        self._gate = gate
        self.statements = Statements(engine)
        assert engine.dialect.dbapi is not None  # noqa: S101  # an engine always has its driver
        failures = (engine.dialect.dbapi.Error, SQLAlchemyError, OSError)
        self.notices = Notices(engine) if self.is_shared else None
        self.writer = Writer(
            partial(self._connect, is_autocommit=False),
            failures=failures,
            notify=None if self.notices is None else self.notices.send,
        )
        self.readers = Readers(
            partial(self._connect, is_autocommit=True),
            threads=READER_THREADS if self.is_shared else 0,
            failures=failures,
        )

    @property
    def is_shared(self) -> bool:
        """Whether several serving processes may use the database at once."""
        return self.path is None

    @property
    def url(self) -> str:
        """The address with its password; never for logs."""
        return self.engine.url.render_as_string(hide_password=False)

    def close(self) -> None:
        """Finish the writes that wait and close every connection; safe to call twice."""
        self.writer.close()
        self.readers.close()
        self.engine.dispose()
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.close()

    def _connect(self, *, is_autocommit: bool) -> Session:
        pooled = self.engine.raw_connection()
        connection: Any = pooled.driver_connection  # Any: sqlite3's or psycopg's
        pooled.detach()
        if self.is_shared:
            connection.autocommit = is_autocommit
        return Session(connection, self.statements)


def open_database(url: str) -> Database:
    """Open a database, creating the SQLite file and migrating as needed.

    Several processes may open the same database at once; one of them migrates.

    Args:
        url: `sqlite:///FILE` or `postgresql+psycopg://USER:PASSWORD@HOST/NAME`.

    Raises:
        ValueError: The address is none of the two forms, or the Postgres driver is missing.
        InternalError: UNAVAILABLE: it cannot be reached, or it is newer than this program.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        msg = "The database address must begin with sqlite:/// or postgresql+psycopg://."
        raise ValueError(msg) from exc
    kind = parsed.get_backend_name()
    path, gate = None, None
    if kind == "sqlite" and parsed.database not in (None, "", ":memory:"):
        path = Path(str(parsed.database)).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        gate = WriteGate(path.with_name(path.name + ".gate"))
        engine = _sqlite_engine(f"sqlite:///{path}", gate)
    elif kind == "postgresql":
        engine = _postgres_engine(parsed)
    else:
        msg = "The database address must begin with sqlite:/// or postgresql+psycopg://."
        raise ValueError(msg)
    try:
        upgrade(engine)
    except InternalError:
        engine.dispose()
        raise
    except (SQLAlchemyError, sqlite3.Error, OSError) as exc:
        engine.dispose()
        raise unavailable(exc) from exc
    return Database(engine, path, gate)


def _postgres_engine(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"), pool_size=POOL_SIZE, pool_pre_ping=True
        )
    except ImportError as exc:
        msg = "Postgres needs the extra: pip install 'kinogate[postgres]'."
        raise ValueError(msg) from exc


def _sqlite_engine(url: str, gate: WriteGate) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=POOL_SIZE,
        connect_args={
            "factory": partial(GatedConnection, gate=gate),
            "check_same_thread": False,
            "timeout": BUSY_TIMEOUT_MS / 1000,
            # A transaction that will write must say so at its start: upgrading a read lock
            # fails at once when another writer got in between.
            "isolation_level": "IMMEDIATE",
        },
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # FULL: a commit survives the loss of power. WAL stays with the file, and makes readers
        # and the writer independent; without it DBOS is nine times as slow.
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "foreign_keys=ON",
        ):
            sqlite3.Connection.execute(connection, f"PRAGMA {pragma}").close()

    return engine
