"""Whom a task waits for when its engines start, cool down or drain."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lineup import Player, Ticker, fleet_of

from kinogate.db.memory_journal import MemoryJournal
from kinogate.domain.engine import CallState
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.service.fleet import Fleet, Member
from kinogate.service.relay import Relay


def run(work: Any) -> Any:
    return asyncio.run(asyncio.wait_for(work, 20))


class Ticks:
    """A clock that moves when told to."""

    ms = 1_000

    def now_ms(self) -> int:
        return self.ms


async def name_of(member: Member) -> str:
    return member.name


async def always() -> bool:
    return True


async def served(fleet: Fleet, *names: str, now: Ticker | None = None) -> str:
    """The engine that a task goes to; a look at the engines takes a second of `now`."""
    relay = Relay(fleet, poll_s=0.001, now=now or Ticker())
    name, _ = await relay.serve("t", names, name_of, is_wanted=always)
    return name


def two() -> Fleet:
    return Fleet.of(Player("a"), Player("b"))


def test_an_engine_that_cools_down_or_drains_is_passed_over() -> None:
    async def work() -> None:
        fleet = two()
        fleet.members["a"].condition.fail("Away.", retry_after_s=60)
        assert await served(fleet, "a", "b") == "b"
        fleet.members["b"].condition.is_draining = True
        fleet.members["a"].condition.succeed()
        assert await served(fleet, "b", "a") == "a"

    run(work())


def test_an_engine_that_starts_is_waited_for_before_the_next_is_asked() -> None:
    async def work() -> None:
        fleet = fleet_of(Player("a"), Player("b"), kind="diffusers")
        await fleet.members["b"].start()
        waiting = asyncio.create_task(served(fleet, "a", "b"))
        await asyncio.sleep(0.02)
        await fleet.members["a"].start()
        assert await waiting == "a"

    run(work())


def test_an_engine_that_starts_for_too_long_is_passed_over() -> None:
    async def work() -> None:
        fleet = fleet_of(Player("a"), Player("b"), kind="diffusers")
        await fleet.members["b"].start()
        assert await served(fleet, "a", "b") == "b"

    run(work())


def test_when_all_cool_down_the_first_to_be_well_again_is_asked() -> None:
    async def work() -> None:
        fleet = two()
        for name in ("a", "b"):
            fleet.members[name].condition.fail("Away.", retry_after_s=60)
        waiting = asyncio.create_task(served(fleet, "a", "b"))
        await asyncio.sleep(0.02)
        fleet.members["b"].condition.succeed()
        assert await waiting == "b"

    run(work())


def test_a_cool_down_is_waited_for_five_minutes_at_most() -> None:
    async def work() -> None:
        fleet = two()
        for name in ("a", "b"):
            fleet.members[name].condition.fail("The key is not valid.", retry_after_s=3_600)
        await served(fleet, "a", "b")

    with pytest.raises(InternalError) as caught:
        run(work())
    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert "The key is not valid." in caught.value.message


def test_a_drain_is_waited_for_as_long_as_it_lasts() -> None:
    async def work() -> None:
        fleet, now = two(), Ticker()
        for name in ("a", "b"):
            fleet.members[name].condition.is_draining = True
        waiting = asyncio.create_task(served(fleet, "a", "b", now=now))
        while now.s < 1_000:
            await asyncio.sleep(0.01)
        assert not waiting.done()
        fleet.members["b"].condition.is_draining = False
        assert await waiting == "b"

    run(work())


def test_engines_that_are_gone_are_passed_over() -> None:
    async def work() -> None:
        fleet = two()
        assert await served(fleet, "gone", "b") == "b"
        await served(fleet, "gone")

    with pytest.raises(InternalError, match="not set up any more"):
        run(work())


def test_one_trial_after_a_cool_down_decides_for_all_who_wait() -> None:
    async def work() -> None:
        fleet = Fleet.of(Player("a", capacity=5))
        condition = fleet.members["a"].condition
        condition.fail("Away.", retry_after_s=0.05)
        going, most = 0, 0
        release = asyncio.Event()

        async def attempt(member: Member) -> str:
            nonlocal going, most
            going += 1
            most = max(most, going)
            await release.wait()
            return member.name

        relay = Relay(fleet, poll_s=0.001)
        tasks = [
            asyncio.create_task(relay.serve(str(n), ["a"], attempt, is_wanted=always))
            for n in range(4)
        ]
        await asyncio.sleep(0.2)
        assert most == 1
        release.set()
        await asyncio.gather(*tasks)

    run(work())


@pytest.mark.parametrize("state", [CallState.INTENT, CallState.CREATED, CallState.ENDED])
def test_the_engine_that_has_begun_a_task_last_is_asked_first(state: CallState) -> None:
    async def work() -> None:
        clock = Ticks()
        journal = MemoryJournal(clock)
        for name, end in (("a", CallState.ENDED), ("b", state), ("c", CallState.REFUSED)):
            clock.ms += 1
            await journal.mark(await journal.intend("t", name, "key"), end)
        fleet = Fleet.of(Player("a"), Player("b"), Player("c"))
        relay = Relay(fleet, journal=journal, poll_s=0.001)
        name, _ = await relay.serve("t", ("a", "c", "b"), name_of, is_wanted=always)
        assert name == "b"

    run(work())
