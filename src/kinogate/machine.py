"""The machine itself behind the ports of `domain`: clock, randomness, a folder and a secret of ours."""

from __future__ import annotations

import os
import secrets
import time
import uuid
from pathlib import Path

_SECRET_BYTES = 32


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return time.time_ns() // 1_000_000


class SystemIds:
    """The machine's randomness."""

    def task_id(self) -> str:
        """A fresh UUIDv4."""
        return str(uuid.uuid4())

    def seed(self) -> int:
        """A fresh seed."""
        return secrets.randbelow(2**31)


def make_private(folder: Path) -> Path:
    """The folder, made if need be, closed to others, with `~` resolved.

    Raises:
        OSError: It cannot be made.
    """
    resolved = folder.expanduser()
    resolved.mkdir(parents=True, exist_ok=True, mode=0o700)
    return resolved


def signing_secret(folder: Path) -> bytes:
    """The secret behind download links; made once, readable by the owner only."""
    path = folder / "signing.key"
    if not path.exists():
        fresh = path.with_suffix(f".{uuid.uuid4().hex}")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
        try:
            path.hardlink_to(fresh)  # the first of several starting processes wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
