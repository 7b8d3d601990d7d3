"""One executor per SQLite file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kinogate.domain.errors import InternalError
from kinogate.durable.lock import ExecutorLock

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_second_holder_is_refused(tmp_path: Path) -> None:
    first = ExecutorLock(tmp_path / "x")
    await first.acquire()
    with pytest.raises(InternalError, match="Another process"):
        await ExecutorLock(tmp_path / "x", patience_s=0.05).acquire()
    first.release()


async def test_a_successor_waits_for_the_lock(tmp_path: Path) -> None:
    first, second = ExecutorLock(tmp_path / "x"), ExecutorLock(tmp_path / "x")
    await first.acquire()
    asyncio.get_running_loop().call_later(0.1, first.release)
    await second.acquire()
    second.release()


async def test_releasing_twice_is_safe(tmp_path: Path) -> None:
    lock = ExecutorLock(tmp_path / "x")
    await lock.acquire()
    lock.release()
    lock.release()
