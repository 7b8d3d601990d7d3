"""Hints reach a child beside the call that it is at, and can do no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from kinogate.procs.host import ChildHost
from kinogate.procs.protocol import Limits

T = TypeVar("T")
HERE = Path(__file__).parent


def run(work: Callable[[ChildHost], Awaitable[T]], module: str = "procs.hint_workers") -> T:
    async def hosted() -> T:
        host = ChildHost(module, slots=1, limits=Limits(), env={"PYTHONPATH": str(HERE.parent)})
        try:
            await host.start()
            return await asyncio.wait_for(work(host), 30)
        finally:
            await host.close()

    return asyncio.run(hosted())


def test_a_hint_is_taken_while_a_call_is_at_work_and_the_newest_counts() -> None:
    async def work(host: ChildHost) -> list[int]:
        await host.call("told", 0, list[int], timeout_s=20)  # children without work get none
        waiting = asyncio.create_task(host.call("wait_for_hint", None, bool, timeout_s=20))
        await asyncio.sleep(0)
        while not waiting.done():
            host.hint(1)
            await asyncio.sleep(0.02)
        assert await waiting
        return await host.call("told", 1, list[int], timeout_s=20)

    assert set(run(work)) == {1}


def test_a_hint_that_goes_wrong_is_no_more_than_a_line() -> None:
    async def work(host: ChildHost) -> list[int]:
        await host.call("told", 0, list[int], timeout_s=20)
        host.hint(-1)
        host.hint("nonsense")
        await asyncio.sleep(0.1)
        host.hint(7)
        return await host.call("told", 1, list[int], timeout_s=20)

    assert run(work) == [7]


def test_a_module_that_takes_no_hints_is_not_disturbed() -> None:
    async def work(host: ChildHost) -> int:
        first = await host.call("who", None, int, timeout_s=20)
        host.hint(1)
        assert await host.call("who", None, int, timeout_s=20) == first
        return first

    assert run(work, "procs.workers") > 0


def test_a_host_without_children_keeps_hints_to_itself() -> None:
    ChildHost("procs.hint_workers", slots=1, limits=Limits()).hint(1)
