"""The lock that lets one process at a time execute the tasks of a SQLite file."""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

from kinogate.domain.errors import ErrorCode, InternalError

PATIENCE_S = 5.0
STEP_S = 0.05


class ExecutorLock:
    """Held from `acquire` to `release`, or to the death of the process.

    Whoever holds it knows that every other executor of the file is dead.

    Args:
        path: Made when missing, and never removed.
        patience_s: How long `acquire` waits for a predecessor to end.
    """

    def __init__(self, path: Path, *, patience_s: float = PATIENCE_S) -> None:
        self._path = path
        self._patience_s = patience_s
        self._fd: int | None = None

    async def acquire(self) -> None:
        """Take the lock.

        Raises:
            InternalError: UNAVAILABLE: another process holds it still.
        """
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        waited = 0.0
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                if waited >= self._patience_s:
                    os.close(fd)
                    raise InternalError(
                        ErrorCode.UNAVAILABLE, "Another process is serving this data directory."
                    ) from exc
                await asyncio.sleep(STEP_S)
                waited += STEP_S
            else:
                self._fd = fd
                return

    def release(self) -> None:
        """Give the lock back; safe to call twice."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)
