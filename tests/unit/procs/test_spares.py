"""Children kept in reserve, so that the call after a kill need not wait for an import."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.procs.host import ChildHost, Patience
from kinogate.procs.protocol import Limits

from .test_host import HERE, pid, run

QUICK = Patience(grace_s=0.3, idle_s=60.0)


@asynccontextmanager
async def hosting(
    *, slots: int = 1, spares: int = 1, patience: Patience = QUICK, import_s: float = 0.3
) -> AsyncIterator[ChildHost]:
    host = ChildHost(
        "procs.slow_workers",
        slots=slots,
        spares=spares,
        limits=Limits(),
        env={"PYTHONPATH": str(HERE.parent), "SLOW_IMPORT_S": str(import_s)},
        patience=patience,
    )
    try:
        await host.start()
        yield host
    finally:
        await host.close()


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0.02)


async def kill_by_cancelling(host: ChildHost, name: str) -> None:
    """Begin a call and give it up as soon as it works."""
    begun = asyncio.Event()
    call = asyncio.ensure_future(
        host.call(name, None, int, timeout_s=20, on_progress=lambda *_: begun.set())
    )
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


def test_after_a_hard_kill_the_next_call_is_served_at_once() -> None:
    async def work() -> tuple[bool, float]:
        async with hosting(import_s=2.0) as host:
            before = await pid(host)
            await until(lambda: host.idle_count == 2)
            await kill_by_cancelling(host, "deaf")
            asked = time.monotonic()
            after = await pid(host)
            return before != after, time.monotonic() - asked

    is_new, took_s = run(work)
    assert is_new
    assert took_s < 0.5  # an import takes two seconds


def test_a_spare_that_was_used_up_is_replaced() -> None:
    async def work() -> int:
        async with hosting() as host:
            await until(lambda: host.idle_count == 2)
            await kill_by_cancelling(host, "deaf")
            await until(lambda: host.idle_count == 2)
            return len(host._children)

    assert run(work) == 2


def test_a_call_that_listens_keeps_its_child_also_with_spares() -> None:
    async def work() -> bool:
        async with hosting() as host:
            before = await pid(host)
            await until(lambda: host.idle_count == 2)
            await kill_by_cancelling(host, "halt")
            return before == await pid(host)

    assert run(work)


def test_the_child_that_has_worked_is_asked_before_a_spare() -> None:
    async def work() -> set[int]:
        async with hosting(spares=2) as host:
            await until(lambda: host.idle_count == 3)
            return {await pid(host) for _ in range(5)}

    assert len(run(work)) == 1


def test_a_call_joins_the_child_that_is_starting_already() -> None:
    async def work() -> tuple[int, float]:
        async with hosting(spares=0, import_s=2.0) as host:
            await kill_by_cancelling(host, "deaf")
            await asyncio.sleep(1.0)
            asked = time.monotonic()
            await pid(host)
            return len(host._children), time.monotonic() - asked

    count, took_s = run(work)
    assert count == 1
    assert took_s < 2.0


def test_a_call_given_up_while_its_child_starts_leaves_that_to_the_next() -> None:
    async def work() -> int:
        async with hosting(spares=0) as host:
            await kill_by_cancelling(host, "deaf")
            call = asyncio.ensure_future(pid(host))
            await asyncio.sleep(0.2)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await pid(host)
            return len(host._children)

    assert run(work) == 1


def test_spares_stay_and_what_is_more_than_them_is_closed() -> None:
    async def work() -> tuple[int, int]:
        async with hosting(slots=3, patience=Patience(grace_s=0.3, idle_s=1.0)) as host:
            await asyncio.gather(*(pid(host) for _ in range(3)))
            most = len(host._children)
            await until(lambda: len(host._children) <= 2)
            await asyncio.sleep(1.5)
            return most, host.idle_count

    most, left = run(work)
    assert most >= 3
    assert left == 2


def test_a_method_may_have_its_process_replaced_after_a_failure() -> None:
    async def work() -> tuple[InternalError, bool]:
        async with hosting() as host:
            before = await pid(host)
            with pytest.raises(InternalError) as caught:
                await host.call("spoil", None, int, timeout_s=9)
            return caught.value, before != await pid(host)

    error, is_new = run(work)
    assert (error.code, error.message) == (
        ErrorCode.ENGINE_FAILED,
        "The device has lost its memory.",
    )
    assert is_new


def test_closing_while_children_start_leaves_none() -> None:
    async def work() -> int:
        async with hosting(spares=3) as host:
            call = asyncio.ensure_future(pid(host))
            await asyncio.sleep(0)
            await host.close()
            await asyncio.wait([call])
            call.exception()
            return len(host._children)

    assert run(work) == 0


def test_a_call_without_progress_is_killed_and_its_stage_named() -> None:
    async def work() -> tuple[InternalError, float, float]:
        async with hosting(import_s=2.0) as host:
            await until(lambda: host.idle_count == 2)
            begin = time.monotonic()
            with pytest.raises(InternalError) as caught:
                await host.call("deaf", None, int, timeout_s=20, stall_s=0.6)
            took_s = time.monotonic() - begin
            begin = time.monotonic()
            await pid(host)
            return caught.value, took_s, time.monotonic() - begin

    error, took_s, next_s = run(work)
    assert error.code is ErrorCode.TIMED_OUT
    assert error.message == "The engine made no progress for 0.6 seconds in the stage denoise."
    assert took_s < 2.0
    assert next_s < 0.5


def test_a_call_that_makes_progress_is_not_stalled_however_long_it_takes() -> None:
    async def work() -> InternalError:
        async with hosting() as host:
            with pytest.raises(InternalError) as caught:
                await host.call("halt", None, int, timeout_s=1.5, stall_s=0.5)
            return caught.value

    assert run(work).message == "The engine did not finish within 1.5 seconds."


def test_children_that_all_die_idle_are_not_replaced_for_ever(tmp_path: Path) -> None:
    births = tmp_path / "births"

    async def work() -> None:
        host = ChildHost(
            "procs.dying_workers",
            slots=1,
            limits=Limits(),
            env={"PYTHONPATH": str(HERE.parent), "BIRTHS": str(births)},
        )
        try:
            await host.start()
            await until(lambda: len(births.read_text().split()) == 3 and not host._children)
            await asyncio.sleep(1.0)
        finally:
            await host.close()

    run(work)
    assert len(births.read_text().split()) == 3
