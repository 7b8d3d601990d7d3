"""The engines of a server: starting, seats, verdicts, replacing, closing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lineup import Player, fleet_of

from kinogate.domain.errors import CallerError, ErrorCode, InternalError, UpstreamError
from kinogate.domain.routes import EngineSection
from kinogate.service.fleet import Fleet, Member
from kinogate.service.health import Stand


def run(work: Any) -> Any:
    return asyncio.run(asyncio.wait_for(work, 20))


def section(name: str, kind: str = "preview", **options: object) -> EngineSection:
    return EngineSection(name=name, kind=kind, options=options)


async def until(is_so: Any) -> None:
    while not is_so():
        await asyncio.sleep(0.005)


class Meter:
    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []

    def run_began(self, engine: str) -> None:
        self.seen.append(("began", engine))

    def run_ended(self, engine: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.seen.append(("ended", engine, outcome))


class Slow(Player):
    """Starts when told to."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.gate = asyncio.Event()

    async def start(self) -> None:
        await self.gate.wait()
        await super().start()


class Broken(Player):
    async def start(self) -> None:
        self.starts += 1
        raise InternalError(ErrorCode.UNAVAILABLE, "There is no such folder.")


def test_preview_engines_are_awaited_and_others_start_in_the_background() -> None:
    async def work() -> None:
        quick, slow = Player("preview"), Slow("gpu")
        fleet = Fleet(lambda item: {"preview": quick, "gpu": slow}[item.name])
        fleet.build([section("gpu", "diffusers"), section("preview")])
        await fleet.start()
        assert quick.starts == 1
        assert fleet.members["preview"].stand is Stand.READY
        assert fleet.members["gpu"].stand is Stand.STARTING
        slow.gate.set()
        await until(lambda: fleet.members["gpu"].stand is Stand.READY)
        await fleet.close()

    run(work())


def test_a_preview_engine_that_cannot_start_stops_the_server() -> None:
    async def work() -> None:
        await fleet_of(Broken("preview")).start()

    with pytest.raises(InternalError, match="no such folder"):
        run(work())


def test_another_engine_that_cannot_start_cools_down_and_says_why() -> None:
    async def work() -> None:
        fleet = fleet_of(Broken("gpu"), kind="diffusers")
        await fleet.start()
        member = fleet.members["gpu"]
        await until(lambda: member.stand is Stand.COOLING)
        assert member.condition.reason == "There is no such folder."
        await fleet.close()

    run(work())


def test_no_more_runs_than_seats_go_on_at_a_time() -> None:
    async def work() -> None:
        member = Fleet.of(Player("a", capacity=2)).members["a"]
        going, most = 0, 0

        async def one() -> None:
            nonlocal going, most
            async with member.seat():
                going += 1
                most = max(most, going)
                await asyncio.sleep(0.01)
                going -= 1

        await asyncio.gather(*(one() for _ in range(7)))
        assert most == 2
        assert member.running == 0

    run(work())


async def fail_with(member: Member, error: BaseException) -> None:
    with pytest.raises(type(error)):
        async with member.seat():
            raise error


def test_only_the_engines_own_faults_speak_against_it() -> None:
    async def work() -> None:
        member = Fleet.of(Player("a")).members["a"]
        for error in (
            CallerError(ErrorCode.FIELD_INVALID, "Odd."),
            UpstreamError(ErrorCode.CONTENT_REFUSED, "Improper."),
            asyncio.CancelledError(),
        ):
            await fail_with(member, error)
        assert member.condition.failures == 0
        for error in (
            InternalError(ErrorCode.ENGINE_FAILED, "It crashed."),
            UpstreamError(ErrorCode.UPSTREAM_REFUSED, "No balance."),
            ValueError("a bug"),
        ):
            await fail_with(member, error)
        assert member.condition.failures == 3
        assert member.stand is Stand.COOLING

    run(work())


def test_retry_after_is_heeded() -> None:
    async def work() -> None:
        member = Fleet.of(Player("a")).members["a"]
        busy = UpstreamError(ErrorCode.UPSTREAM_FAILED, "Busy.", retry_after_s=30)
        await fail_with(member, busy)
        assert 29 < member.condition.cools_for_s <= 30

    run(work())


def test_runs_are_counted_by_engine_and_outcome() -> None:
    async def work() -> list[tuple[str, ...]]:
        meter = Meter()
        fleet = Fleet(lambda item: Player(item.name), meter=meter)
        fleet.build([section("a")])
        member = fleet.members["a"]
        async with member.seat():
            pass
        await fail_with(member, InternalError(ErrorCode.TIMED_OUT, "Slow."))
        await fail_with(member, asyncio.CancelledError())
        return [item for item in meter.seen if item[0] == "ended"]

    assert run(work()) == [
        ("ended", "a", "succeeded"),
        ("ended", "a", "timed_out"),
        ("ended", "a", "canceled"),
    ]


def test_an_unchanged_engine_stays_warm_and_a_changed_one_ends_after_its_runs() -> None:
    async def work() -> None:
        made: list[Player] = []

        def make(item: EngineSection) -> Player:
            made.append(Player(item.name))
            return made[-1]

        fleet = Fleet(make)
        fleet.build([section("same"), section("changed", slots=1), section("gone")])
        await fleet.start()
        same, old, gone = made
        member = fleet.members["changed"]
        member.condition.is_draining = True
        async with member.seat():
            changed = fleet.replace([section("same"), section("changed", slots=2)])
            assert set(changed) == {"changed", "gone"}
            await until(lambda: gone.closes == 1)
            assert fleet.members["changed"] is not member
            fleet.members["changed"].condition.is_draining = False
            assert fleet.members["changed"].stand is Stand.STARTING  # the old one has the device
            assert (old.closes, made[3].starts) == (0, 0)
        await until(lambda: fleet.members["changed"].stand is Stand.READY)
        assert (old.closes, same.closes, same.starts) == (1, 0, 1)
        assert fleet.get("gone") is None
        await fleet.close()
        assert (same.closes, made[3].closes) == (1, 1)

    run(work())


def test_a_drain_outlives_a_change_of_the_section() -> None:
    async def work() -> None:
        fleet = fleet_of(Player("a"))
        fleet.members["a"].condition.is_draining = True
        fleet.replace([section("a", slots=3)])
        assert fleet.members["a"].stand is Stand.DRAINING
        await fleet.close()

    run(work())


def test_a_section_that_cannot_be_built_changes_nothing() -> None:
    async def work() -> None:
        def make(item: EngineSection) -> Player:
            if "slots" in item.options:
                raise ValueError("slots: too many.")
            return Player(item.name)

        fleet = Fleet(make)
        fleet.build([section("a"), section("b")])
        before = dict(fleet.members)
        with pytest.raises(ValueError, match="too many"):
            fleet.replace([section("c"), section("a", slots=99)])
        assert dict(fleet.members) == before

    run(work())


def test_closing_also_ends_engines_that_are_still_retiring() -> None:
    async def work() -> None:
        player = Player("a")
        fleet = Fleet.of(player)
        async with fleet.members["a"].seat():
            fleet.replace([])
            await fleet.close()
        assert player.closes == 1

    run(work())


def test_every_engine_has_a_lane_of_its_capacity() -> None:
    fleet = Fleet.of(Player("a", capacity=3), Player("b", capacity=0))
    assert fleet.lanes() == {"a": 3, "b": 1}


def test_a_lane_has_room_for_the_clip_that_is_finished_while_the_device_goes_on() -> None:
    fleet = Fleet(lambda item: Player(item.name, capacity=1))
    fleet.build([section("gpu", "diffusers"), section("preview")])
    assert fleet.lanes() == {"gpu": 2, "preview": 1}
