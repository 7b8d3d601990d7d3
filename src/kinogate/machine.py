"""The machine itself behind the ports of `domain`: its clock, its randomness, a folder of ours."""

from __future__ import annotations

import secrets
import time
import uuid
from pathlib import Path


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
