"""Slots: never more runs than allowed, and recovered runs before new claims."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kinogate.durable.slots import Slots

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def held(slots: Slots, task_id: str) -> AsyncIterator[None]:
    try:
        await slots.acquire(task_id)
        yield
    finally:
        slots.release(task_id)


class Calls:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


async def test_granted_slots_are_not_free() -> None:
    slots = Slots(3, Calls())
    slots.grant(["a", "b"])
    assert slots.free == 1
    assert slots.granted == {"a", "b"}


async def test_no_more_is_granted_than_there_is() -> None:
    slots = Slots(2, Calls())
    slots.grant(["a", "b", "c"])
    assert slots.granted == {"a", "b"}
    assert slots.free == 0


async def test_a_held_slot_is_free_afterwards_and_says_so() -> None:
    freed = Calls()
    slots = Slots(1, freed)
    slots.grant(["a"])
    async with held(slots, "a"):
        assert slots.free == 0
    assert (slots.free, freed.count) == (1, 1)


async def test_an_error_inside_frees_the_slot() -> None:
    slots = Slots(1, Calls())
    with pytest.raises(ZeroDivisionError):
        async with held(slots, "a"):
            raise ZeroDivisionError
    assert slots.free == 1


async def test_releasing_an_unknown_task_changes_nothing() -> None:
    freed = Calls()
    slots = Slots(1, freed)
    slots.release("a")
    assert (slots.free, freed.count) == (1, 0)


async def test_a_run_without_a_slot_waits_ahead_of_claims() -> None:
    freed = Calls()
    slots = Slots(1, freed)
    slots.grant(["a"])
    inside = asyncio.Event()

    async def recovered() -> None:
        async with held(slots, "b"):
            inside.set()

    waiting = asyncio.create_task(recovered())
    await asyncio.sleep(0)
    assert not inside.is_set()
    slots.release("a")
    assert (slots.free, freed.count) == (0, 0)
    await waiting
    assert inside.is_set()
    assert slots.free == 1


async def test_a_canceled_waiter_takes_no_slot() -> None:
    slots = Slots(1, Calls())
    slots.grant(["a"])

    async def recovered() -> None:
        async with held(slots, "b"):
            await asyncio.sleep(60)

    waiting = asyncio.create_task(recovered())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    slots.release("a")
    assert slots.free == 1


async def test_a_waiter_canceled_while_its_slot_arrives_gives_it_back() -> None:
    slots = Slots(1, Calls())
    slots.grant(["a"])

    async def recovered() -> None:
        async with held(slots, "b"):
            await asyncio.sleep(60)

    waiting = asyncio.create_task(recovered())
    await asyncio.sleep(0)
    slots.release("a")
    waiting.cancel()
    await asyncio.wait([waiting])
    assert slots.free == 1


async def test_fewer_slots_let_the_running_end_before_anything_is_claimed() -> None:
    freed = Calls()
    slots = Slots(3, freed)
    slots.grant(["a", "b", "c"])
    slots.resize(1)
    slots.release("a")
    slots.release("b")
    assert (slots.free, freed.count) == (0, 0)
    slots.release("c")
    assert (slots.free, freed.count) == (1, 1)


async def test_more_slots_serve_who_waits_and_then_claims() -> None:
    freed = Calls()
    slots = Slots(1, freed)
    slots.grant(["a"])
    waiting = asyncio.create_task(slots.acquire("b"))
    await asyncio.sleep(0)
    slots.resize(2)
    await waiting
    assert (slots.granted, slots.free, freed.count) == ({"a", "b"}, 0, 0)
    slots.resize(4)
    assert (slots.free, freed.count) == (2, 1)
