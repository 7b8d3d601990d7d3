"""The fair write gate of a SQLite file, and the connection class that passes through it.

SQLite lets one writer in at a time, and makes the others sleep with a growing back-off and no
queue: two busy writers starve each other for seconds. Here everybody who writes to the file,
DBOS's connections included, first takes one gate: a thread lock inside the process, then `flock`
on a file beside the database. The kernel wakes the next waiter at once and frees the lock of a
killed process.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

GATE_TIMEOUT_S = 30.0
"""How long a thread waits for another thread of this process; as long as SQLite's own wait."""

_WRITES = re.compile(
    r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|BEGIN|CREATE|ALTER|DROP)\b", re.IGNORECASE
)


class WriteGate:
    """One gate per database file and process; shared by all of the process's connections.

    `enter` and `leave` are called in pairs by the same connection; not reentrant.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def enter(self) -> None:
        """Wait for the gate.

        Raises:
            sqlite3.OperationalError: Another thread of this process has held it for 30 seconds.
        """
        if not self._lock.acquire(timeout=GATE_TIMEOUT_S):
            msg = "database is locked (write gate)"
            raise sqlite3.OperationalError(msg)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        except BaseException:
            self._lock.release()
            raise

    def leave(self) -> None:
        """Let the next one in."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the file; no connection may use the gate afterwards."""
        os.close(self._fd)


class GatedCursor(sqlite3.Cursor):
    """Takes the gate before the first write of a transaction."""

    connection: GatedConnection

    def execute(self, sql: str, parameters: Any = (), /) -> Self:  # Any: the driver's own type
        """Run one statement, gated when it begins to write."""
        self.connection.before(sql)
        try:
            return super().execute(sql, parameters)
        finally:
            self.connection.after()

    def executemany(self, sql: str, seq_of_parameters: Iterable[Any], /) -> Self:
        """Run one statement for many rows, gated when it begins to write."""
        self.connection.before(sql)
        try:
            return super().executemany(sql, seq_of_parameters)
        finally:
            self.connection.after()


class GatedConnection(sqlite3.Connection):
    """A connection that holds the gate exactly while it has a write transaction open."""

    def __init__(self, *args: Any, gate: WriteGate, **kwargs: Any) -> None:  # Any: as sqlite3's
        super().__init__(*args, **kwargs)
        self._gate = gate
        self._is_inside = False

    def before(self, sql: str) -> None:
        """Enter when `sql` is about to open a write transaction."""
        if not self._is_inside and not self.in_transaction and _WRITES.match(sql):
            self._gate.enter()
            self._is_inside = True

    def after(self) -> None:
        """Leave when the transaction is over, however it ended."""
        if self._is_inside and not self.in_transaction:
            self._is_inside = False
            self._gate.leave()

    def cursor(self, factory: Any = None) -> Any:  # Any: typeshed's overloads cannot be met
        """A gated cursor."""
        return super().cursor(factory or GatedCursor)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """As `Cursor.execute`."""
        cursor: GatedCursor = self.cursor()
        return cursor.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """As `Cursor.executemany`."""
        cursor: GatedCursor = self.cursor()
        return cursor.executemany(sql, parameters)

    def commit(self) -> None:
        """Commit and leave."""
        try:
            super().commit()
        finally:
            self.after()

    def rollback(self) -> None:
        """Roll back and leave."""
        try:
            super().rollback()
        finally:
            self.after()

    def close(self) -> None:
        """Close and leave; an open transaction is rolled back by SQLite."""
        try:
            super().close()
        finally:
            if self._is_inside:
                self._is_inside = False
                self._gate.leave()
