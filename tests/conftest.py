"""What every test may use; builders are in `factories.py`, the server in `harness.py`."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import structlog

if TYPE_CHECKING:
    from harness import Harness


@pytest.fixture
def server() -> Iterator[Harness]:
    """A whole server over memory, with a key of the account `acme`."""
    from harness import Harness  # here, so that tests of one module load no server

    with Harness() as harness:
        yield harness


@pytest.fixture
def process_as_before() -> Iterator[None]:
    """Undo what the server's start does to a process: where its log goes, and its signals.

    Else the lines of later tests go to a stream that has been closed.
    """
    root = logging.getLogger()
    handlers, level, hang_up = root.handlers[:], root.level, signal.getsignal(signal.SIGHUP)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    signal.signal(signal.SIGHUP, hang_up)
    for name in ("python_multipart", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.NOTSET)
