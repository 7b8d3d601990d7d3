"""What every test may use; builders are in `factories.py`, the server in `harness.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from harness import Harness


@pytest.fixture
def server() -> Iterator[Harness]:
    """A whole server over memory, with a key of the account `acme`."""
    from harness import Harness  # here, so that tests of one module load no server

    with Harness() as harness:
        yield harness
