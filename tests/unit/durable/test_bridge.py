"""A stage on another loop: results, errors and cancellation come across, both ways."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from kinogate.durable.bridge import StageCall, StageStopped

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def elsewhere() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def test_a_result_comes_back_from_the_other_loop(
    elsewhere: asyncio.AbstractEventLoop,
) -> None:
    async def stage() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    assert await StageCall(elsewhere, stage).result() is elsewhere


async def test_an_error_comes_back(elsewhere: asyncio.AbstractEventLoop) -> None:
    async def stage() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await StageCall(elsewhere, stage).result()


async def test_a_canceled_caller_waits_until_the_stage_has_cleaned_up(
    elsewhere: asyncio.AbstractEventLoop,
) -> None:
    begun, cleaned = threading.Event(), threading.Event()

    async def stage() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            cleaned.set()

    caller = asyncio.create_task(StageCall(elsewhere, stage).result())
    await asyncio.to_thread(begun.wait, 5)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert cleaned.is_set()


async def test_a_stopped_stage_is_told_from_a_canceled_caller(
    elsewhere: asyncio.AbstractEventLoop,
) -> None:
    begun = threading.Event()

    async def stage() -> None:
        begun.set()
        await asyncio.sleep(60)

    call = StageCall(elsewhere, stage)
    caller = asyncio.create_task(call.result())
    await asyncio.to_thread(begun.wait, 5)
    call.stop()
    with pytest.raises(StageStopped):
        await caller


async def test_a_stage_stopped_before_it_begins_does_not_begin(
    elsewhere: asyncio.AbstractEventLoop,
) -> None:
    begun = threading.Event()

    async def stage() -> None:
        begun.set()

    call = StageCall(elsewhere, stage)
    call.stop()
    with pytest.raises(StageStopped):
        await call.result()
    assert not begun.is_set()
