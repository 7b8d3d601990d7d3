"""Who gets the next device that is free."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kinogate.engines.diffusers.line import Line
from kinogate.engines.diffusers.pool import Key

A, B = (Key(model=name, preset="lossless") for name in "ab")


@dataclass(eq=False)
class Desk:
    """A device that remembers what it had."""

    last: Key | None = None


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def timed() -> None:
        await asyncio.wait_for(work(), 10)

    asyncio.run(timed())


def test_a_free_desk_that_has_the_weights_is_taken_first() -> None:
    async def work() -> None:
        one, two = Desk(A), Desk(B)
        line = Line([one, two], patience_s=60)
        assert await line.take(B) is two
        assert await line.take(B) is one
        assert one.last == B
        assert line.is_full

    run(work)


async def in_line(line: Line[Desk], *keys: Key) -> list[asyncio.Task[Desk]]:
    tasks = [asyncio.create_task(line.take(key)) for key in keys]
    await asyncio.sleep(0)
    return tasks


def test_an_order_for_the_same_weights_goes_first_until_the_other_has_waited_long() -> None:
    async def work() -> None:
        now_s = 0.0
        desk = Desk()
        line = Line([desk], patience_s=60, clock=lambda: now_s)
        await line.take(A)
        other, same, again = await in_line(line, B, A, A)
        line.free(desk)
        await asyncio.sleep(0)
        assert (other.done(), same.done(), again.done()) == (False, True, False)
        now_s = 60.0
        line.free(desk)
        await asyncio.sleep(0)
        assert (other.done(), again.done()) == (True, False)
        line.free(desk)
        assert await again is desk

    run(work)


def test_one_that_gave_up_waiting_is_passed_over() -> None:
    async def work() -> None:
        desk = Desk()
        line = Line([desk], patience_s=60)
        await line.take(A)
        first, second = await in_line(line, A, A)
        first.cancel()
        await asyncio.sleep(0)
        line.free(desk)
        assert await second is desk

    run(work)


def test_a_desk_given_to_one_that_gives_up_at_that_moment_is_not_lost() -> None:
    async def work() -> None:
        desk = Desk()
        line = Line([desk], patience_s=60)
        await line.take(A)
        first, second = await in_line(line, A, B)
        line.free(desk)
        first.cancel()
        assert await second is desk
        assert desk.last == B
        line.free(desk)
        assert not line.is_full

    run(work)
