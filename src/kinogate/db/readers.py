"""Where reads happen: on SQLite in place, on Postgres in a few threads.

A read by index takes some twenty microseconds on SQLite, less than handing it to a thread would.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from kinogate.db.session import Session
from kinogate.db.writer import unavailable

T = TypeVar("T")


class Readers:
    """One kept connection per reading thread; usable from any thread and event loop.

    Args:
        connect: Opens a connection in autocommit mode.
        threads: How many threads read; 0 reads on the caller's own.
        failures: What the driver raises.
    """

    def __init__(
        self,
        connect: Callable[[], Session],
        *,
        threads: int,
        failures: tuple[type[Exception], ...],
    ) -> None:
        self._connect = connect
        self._failures = failures
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: list[Session] = []
        self._is_closed = False
        self._pool = ThreadPoolExecutor(threads, "kinogate-reader") if threads else None

    async def run(self, read: Callable[[Session], T]) -> T:
        """Run `read` on a kept connection; it may run twice when a connection was lost.

        Raises:
            InternalError: UNAVAILABLE.
        """
        if self._pool is None:
            return self._read(read)
        if self._is_closed:
            raise unavailable()
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, read)

    def close(self) -> None:
        """Close every connection; safe to call twice."""
        self._is_closed = True
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.close()

    def _read(self, read: Callable[[Session], T]) -> T:
        if self._is_closed:
            raise unavailable()
        kept: Session | None = getattr(self._local, "session", None)
        try:
            if kept is not None:
                try:
                    return read(kept)
                except self._failures:
                    self._forget(kept)
            fresh = self._connect()
            self._local.session = fresh
            with self._lock:
                self._sessions.append(fresh)
            return read(fresh)
        except self._failures as exc:
            raise unavailable(exc) from exc

    def _forget(self, session: Session) -> None:
        self._local.session = None
        with self._lock:
            if session in self._sessions:
                self._sessions.remove(session)
        try:
            session.close()
        except self._failures:
            return  # it was lost anyway
