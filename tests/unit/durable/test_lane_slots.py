"""Lanes: each has slots of its own, and may grow, shrink and go away while tasks run."""

from __future__ import annotations

import asyncio

import pytest

from kinogate.durable.lanes import Lanes, checked_lanes

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def lanes_of(**counts: int) -> tuple[Lanes, list[str]]:
    """Lanes, and the names of those that said they have become free."""
    freed: list[str] = []
    return Lanes(counts, freed.append), freed


async def holds(lanes: Lanes, task_id: str, lane: str, *, until: asyncio.Event) -> None:
    async def lane_of(_task_id: str) -> str:
        return lane

    async with lanes.hold(task_id, lane_of):
        await until.wait()


async def settled() -> None:
    """Let every task that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_lanes_do_not_share_slots() -> None:
    lanes, freed = lanes_of(cpu=2, upstream=40)
    lanes.grant("cpu", ["a", "b"])
    lanes.grant("upstream", ["c"])
    assert (lanes.free("cpu"), lanes.free("upstream"), lanes.free("gpu")) == (0, 39, 0)
    lanes.release("b")
    assert (lanes.free("cpu"), lanes.free("upstream"), freed) == (1, 39, ["cpu"])


def test_the_first_lane_is_the_first_that_was_given() -> None:
    lanes, _ = lanes_of(gpu=1, cpu=2)
    assert (lanes.names, lanes.first) == (("gpu", "cpu"), "gpu")


@pytest.mark.parametrize("counts", [{}, {"cpu": 0}, {"cpu": 2, "gpu": -1}])
def test_lanes_without_slots_are_refused(counts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least one slot"):
        checked_lanes(counts)


async def test_a_recovered_run_waits_for_a_slot_of_its_own_lane() -> None:
    lanes, freed = lanes_of(cpu=1, gpu=1)
    lanes.grant("gpu", ["a"])
    end = asyncio.Event()
    run = asyncio.create_task(holds(lanes, "b", "gpu", until=end))
    await settled()
    assert (lanes.free("cpu"), lanes.free("gpu")) == (1, 0)
    lanes.release("a")
    assert (lanes.free("gpu"), freed) == (0, [])
    end.set()
    await run
    assert (lanes.free("gpu"), freed) == (1, ["gpu"])


async def test_a_recovered_run_of_an_unknown_lane_takes_a_slot_of_the_first() -> None:
    lanes, _ = lanes_of(cpu=2, gpu=1)
    end = asyncio.Event()
    run = asyncio.create_task(holds(lanes, "a", "gone", until=end))
    await settled()
    assert lanes.free("cpu") == 1
    end.set()
    await run
    assert lanes.free("cpu") == 2


async def test_who_waits_in_a_lane_that_goes_away_waits_in_the_first() -> None:
    lanes, _ = lanes_of(cpu=1, gpu=1)
    lanes.grant("cpu", ["a"])
    lanes.grant("gpu", ["b"])
    end = asyncio.Event()
    run = asyncio.create_task(holds(lanes, "c", "gpu", until=end))
    await settled()
    lanes.resize({"cpu": 1})
    lanes.release("b")  # its lane is gone: its slot is nobody's
    await settled()
    assert lanes.free("cpu") == 0
    lanes.release("a")
    await settled()
    assert lanes.free("cpu") == 0
    end.set()
    await run
    assert lanes.free("cpu") == 1


async def test_a_lane_that_comes_back_counts_what_still_runs_in_it() -> None:
    lanes, freed = lanes_of(cpu=1, gpu=2)
    lanes.grant("gpu", ["a"])
    lanes.resize({"cpu": 1})
    assert lanes.free("gpu") == 0
    lanes.grant("gpu", ["late"])  # claimed just before the lane went away
    lanes.resize({"cpu": 1, "gpu": 2})
    assert lanes.free("gpu") == 1
    freed.clear()
    lanes.release("a")
    assert (lanes.free("gpu"), freed) == (2, ["gpu"])


async def test_a_task_claimed_for_a_lane_that_is_gone_takes_a_slot_of_the_first() -> None:
    lanes, _ = lanes_of(cpu=1, gpu=1)
    lanes.resize({"cpu": 1})
    lanes.grant("gpu", ["a"])
    end = asyncio.Event()
    run = asyncio.create_task(holds(lanes, "a", "gpu", until=end))
    await settled()
    assert lanes.free("cpu") == 0
    end.set()
    await run


async def test_an_error_while_the_lane_is_looked_up_leaves_no_slot_behind() -> None:
    lanes, _ = lanes_of(cpu=1)

    async def lane_of(_task_id: str) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with lanes.hold("a", lane_of):
            pass
    assert lanes.free("cpu") == 1
