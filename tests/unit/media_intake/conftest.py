"""Where the tests of this folder put what they were given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[[bytes], Path]:
    """Write bytes to a file and give its path."""

    def write(data: bytes) -> Path:
        path = tmp_path / "given"
        path.write_bytes(data)
        return path

    return write
