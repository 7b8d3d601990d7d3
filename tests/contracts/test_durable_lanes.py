"""Lanes of a `Durable`: none holds up another, and they change while tasks run."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from durable_rig import RealClock, Rig

from kinogate.db.open import open_database
from kinogate.db.store import SqlTaskStore
from kinogate.domain.ports import NewTask
from kinogate.domain.task import Status, Task
from kinogate.durable.engine import DbosDurable
from kinogate.durable.heartbeat import LEASE_S, Heartbeat

pytestmark = pytest.mark.anyio

BURST = 150


def rendering(rig: Rig, *tasks: Task) -> int:
    """How many of the tasks have come to their second stage."""
    ids = {task.id for task in tasks}
    return sum(stage == "render" and task_id in ids for stage, task_id in rig.stages.journal)


async def begun(rig: Rig, *tasks: Task, within_s: float = 8.0) -> None:
    await rig.until(lambda: rendering(rig, *tasks) == len(tasks), within_s)


async def test_a_burst_in_one_lane_does_not_delay_another(rig: Rig) -> None:
    rig.lanes = {"cpu": 2, "upstream": 20}
    rig.stages.gate.clear()
    async with rig.started():
        burst = await asyncio.gather(*[rig.submit("cpu") for _ in range(BURST)])
        await rig.until(lambda: rig.stages.busy == 2)
        for _ in range(3):
            submitted = time.perf_counter()
            await begun(rig, await rig.submit("upstream"))
            assert time.perf_counter() - submitted < 0.5  # less than the second of a poll
        assert rendering(rig, *burst) == 2


async def test_a_burst_that_is_being_started_does_not_delay_another_lane(rig: Rig) -> None:
    rig.lanes = {"cpu": 1, "upstream": 40}
    rig.stages.gate.clear()
    async with rig.started():
        burst = [await rig.submit("upstream") for _ in range(BURST)]
        task = await rig.submit("cpu")
        await begun(rig, task, within_s=2.0)
        await rig.until(lambda: rig.stages.busy == 41)
        rig.stages.gate.set()
        assert await rig.ended(task, *burst, within_s=30.0) == [Status.SUCCEEDED] * (BURST + 1)
    assert rig.stages.most_busy == 41


async def test_tasks_of_an_unknown_lane_run_in_the_first(rig: Rig) -> None:
    before = await rig.submit("gone")
    async with rig.started():
        after = await rig.submit("never was")
        assert await rig.ended(before, after, within_s=3.0) == [Status.SUCCEEDED] * 2


async def test_a_lane_that_grows_starts_more_at_once(rig: Rig) -> None:
    rig.lanes = {"preview": 1}
    rig.stages.gate.clear()
    async with rig.started() as durable:
        tasks = [await rig.submit() for _ in range(4)]
        await rig.until(lambda: rig.stages.busy == 1)
        durable.set_lanes({"preview": 3})
        await begun(rig, *tasks[:3], within_s=0.9)
        assert rendering(rig, *tasks) == 3


async def test_a_lane_that_shrinks_lets_its_runs_end(rig: Rig) -> None:
    rig.stages.gate.clear()
    async with rig.started() as durable:
        tasks = [await rig.submit() for _ in range(5)]
        await rig.until(lambda: rig.stages.busy == 3)
        durable.set_lanes({"preview": 1})
        await asyncio.sleep(0.05)
        assert rig.stages.busy == 3
        rig.stages.gate.set()
        rig.stages.most_busy = 0
        assert await rig.ended(*tasks) == [Status.SUCCEEDED] * 5
    assert rig.stages.most_busy <= 1


async def test_a_new_lane_takes_tasks_from_then_on(rig: Rig) -> None:
    async with rig.started() as durable:
        durable.set_lanes({"preview": 1, "gpu": 1})
        task = await rig.submit("gpu")
        assert await rig.ended(task, within_s=3.0) == [Status.SUCCEEDED]
        assert await rig.store.lane(task.id) == "gpu"


async def test_the_queue_of_a_lane_that_goes_away_moves_and_its_runs_end(rig: Rig) -> None:
    rig.lanes = {"preview": 1, "gpu": 1}
    rig.stages.gate.clear()
    async with rig.started() as durable:
        running, waiting = [await rig.submit("gpu") for _ in range(2)]
        await begun(rig, running)
        durable.set_lanes({"preview": 1})
        late = await rig.submit("gpu")  # routed before it went away
        await begun(rig, waiting)
        assert await rig.store.lane(waiting.id) == "preview"
        assert await rig.status(running) is Status.RUNNING
        rig.stages.gate.set()
        assert await rig.ended(running, waiting, late) == [Status.SUCCEEDED] * 3
        assert rig.stages.count("stopped") == 0


async def test_lanes_may_be_set_from_any_thread(rig: Rig) -> None:
    async with rig.started() as durable:
        thread = threading.Thread(target=durable.set_lanes, args=({"gpu": 2, "preview": 1},))
        thread.start()
        await asyncio.to_thread(thread.join)
        assert await rig.ended(await rig.submit("gpu"), within_s=3.0) == [Status.SUCCEEDED]


async def test_lanes_set_before_the_start_count(rig: Rig) -> None:
    rig.stages.gate.clear()
    durable = rig.engine()
    durable.set_lanes({"gpu": 1})
    await durable.start()
    tasks = [await rig.submit("gpu") for _ in range(2)]
    await begun(rig, tasks[0])
    assert rendering(rig, *tasks) == 1
    await durable.close(0.0)


@pytest.mark.parametrize("lanes", [{}, {"preview": 0}])
async def test_lanes_without_slots_are_refused_and_change_nothing(
    rig: Rig, lanes: dict[str, int]
) -> None:
    async with rig.started() as durable:
        with pytest.raises(ValueError, match="at least one slot"):
            durable.set_lanes(lanes)
        assert await rig.ended(await rig.submit()) == [Status.SUCCEEDED]


# What outlives a process


async def test_recovered_runs_take_slots_of_their_own_lanes(kept: Rig) -> None:
    kept.lanes = {"cpu": 1, "gpu": 2}
    kept.stages.gate.clear()
    left = [await kept.submit(lane) for lane in ("gpu", "gpu", "cpu")]
    async with kept.started():
        await begun(kept, *left)
    kept.stages.journal.clear()
    kept.lanes = {"cpu": 2, "gpu": 2}
    assert kept.database is not None
    new = {}
    if not kept.database.is_shared:  # where nobody else may take them up, they go before claims
        new = {lane: await kept.submit(lane) for lane in ("cpu", "gpu")}
    async with kept.started():
        await begun(kept, *left)
        new = new or {lane: await kept.submit(lane) for lane in ("cpu", "gpu")}
        await begun(kept, new["cpu"])
        await asyncio.sleep(0.1)
        assert rendering(kept, new["gpu"]) == 0
        kept.stages.gate.set()
        assert await kept.ended(*left, *new.values()) == [Status.SUCCEEDED] * 5


async def test_recovered_runs_of_a_lane_that_is_gone_go_on_in_the_first(kept: Rig) -> None:
    kept.lanes = {"preview": 1, "gpu": 2}
    kept.stages.gate.clear()
    left = [await kept.submit("gpu") for _ in range(2)]
    async with kept.started():
        await begun(kept, *left)
    kept.stages.journal.clear()
    kept.stages.most_busy = 0
    kept.lanes = {"preview": 1}
    async with kept.started():
        await kept.until(lambda: kept.stages.busy == 1)
        kept.stages.gate.set()
        assert await kept.ended(*left) == [Status.SUCCEEDED] * 2
    assert kept.stages.most_busy == 1


# Several processes on one Postgres


@pytest.fixture
def shared(postgres_url: str, new_task: Callable[..., NewTask]) -> Iterator[Rig]:
    """On Postgres."""
    database = open_database(postgres_url)
    yield Rig(SqlTaskStore(database), database, new_task)
    database.close()


async def started_from_elsewhere(rig: Rig, elsewhere: SqlTaskStore) -> float:
    """Seconds until a task that another process has submitted renders."""
    submitted = time.perf_counter()
    task = (await elsewhere.submit(rig.new())).task
    await begun(rig, task)
    return time.perf_counter() - submitted


async def test_tasks_queued_by_another_process_start_at_once(
    shared: Rig, postgres_url: str
) -> None:
    """By a notice: looking once a second, eight would take eight seconds."""
    other = open_database(postgres_url)
    async with shared.started():
        await started_from_elsewhere(shared, SqlTaskStore(other))
        await asyncio.sleep(1.2)  # by then it listens
        waits = [await started_from_elsewhere(shared, SqlTaskStore(other)) for _ in range(8)]
    other.close()
    assert sum(waits) < 3.0


async def test_notices_come_again_after_the_connection_was_lost(
    shared: Rig, postgres_url: str
) -> None:
    other = open_database(postgres_url)
    async with shared.started():
        await asyncio.sleep(1.2)
        with other.engine.begin() as admin:
            killed = admin.exec_driver_sql(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN kinogate%%' AND pid <> pg_backend_pid()"
            ).scalar()
        assert killed == 1
        assert await started_from_elsewhere(shared, SqlTaskStore(other)) < 5.0  # seen by the poll
        await asyncio.sleep(1.5)
        waits = [await started_from_elsewhere(shared, SqlTaskStore(other)) for _ in range(8)]
    other.close()
    assert sum(waits) < 3.0


async def test_the_queue_of_another_living_process_stays_its_own(shared: Rig) -> None:
    """One machine has a GPU and the other has none: the latter must not take its queue."""
    database = shared.database
    assert database is not None
    other = Heartbeat(database, "other", lease_s=LEASE_S)
    await other.beat(["preview", "gpu"])
    durable = DbosDurable(
        database, shared.store, shared.stages, lanes={"preview": 1}, clock=RealClock(), lease_s=1.5
    )
    await durable.start()
    task = await shared.submit("gpu")
    await durable.sweep()
    await asyncio.sleep(0.5)
    assert (await shared.status(task), await shared.store.lane(task.id)) == (Status.QUEUED, "gpu")
    await other.leave()
    await asyncio.sleep(0.5)  # two beats
    await durable.sweep()
    assert await shared.ended(task) == [Status.SUCCEEDED]
    await durable.close(0.0)
