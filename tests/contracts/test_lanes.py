"""What every `TaskStore` promises about lanes, and how quick a claim stays."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from kinogate.db.memory import MemoryTaskStore
from kinogate.db.open import Database, open_database
from kinogate.db.schema import tasks as tasks_table
from kinogate.db.store import SqlTaskStore
from kinogate.domain.ports import NewTask

pytestmark = pytest.mark.anyio

Store = MemoryTaskStore | SqlTaskStore
MakeTask = Callable[..., NewTask]


async def test_a_claim_takes_tasks_of_its_lane_only(store: Store, new_task: MakeTask) -> None:
    for lane in ("cpu", "gpu", "cpu", "upstream"):
        await store.submit(replace(new_task(), lane=lane))
    assert await store.claim("me", 9, 1, lane="unknown") == []
    assert [task_id[-2:] for task_id in await store.claim("me", 9, 1, lane="cpu")] == ["01", "03"]
    assert [task_id[-2:] for task_id in await store.claim("me", 9, 1, lane="gpu")] == ["02"]
    assert {run.lane: run.task_id[-2:] for run in await store.running()} == {
        "cpu": "03",
        "gpu": "02",
    }


async def test_a_task_is_in_the_first_engines_lane_unless_told(
    store: Store, new_task: MakeTask
) -> None:
    task = (await store.submit(new_task())).task
    assert await store.lane(task.id) == "preview"
    assert await store.lane("unknown") is None


async def test_a_claim_counts_what_an_account_runs_in_the_same_lane_only(
    store: Store, new_task: MakeTask
) -> None:
    """Forty tasks at an upstream cost an account no turn at the GPU."""
    for account, lane in (("a", "up"), ("a", "up"), ("b", "gpu"), ("a", "gpu"), ("b", "gpu")):
        await store.submit(replace(new_task(account_id=account), lane=lane))
    assert len(await store.claim("me", 2, 1, lane="up")) == 2
    claimed = [task_id[-2:] for task_id in await store.claim("me", 3, 1, lane="gpu")]
    assert claimed == ["03", "04", "05"]


async def test_queued_tasks_of_unknown_lanes_move_and_keep_their_place(
    store: Store, new_task: MakeTask
) -> None:
    lanes = ("gone", "gone", "cpu", "gpu", "lost", "gone")
    tasks = [(await store.submit(replace(new_task(), lane=lane))).task for lane in lanes]
    assert await store.claim("me", 1, 1, lane="gone") == [tasks[0].id]
    await store.cancel("acme", tasks[5].id, now_ms=2, only_queued=True)
    assert await store.relane(["cpu", "gpu"], "cpu", 3) == 2
    assert await store.relane(["cpu", "gpu"], "cpu", 4) == 0
    assert await store.lane(tasks[0].id) == "gone"  # it runs already
    moved = await store.load(tasks[1].id)
    assert moved is not None
    assert moved.updated_ms == 3
    assert await store.claim("me", 9, 5, lane="cpu") == [tasks[n].id for n in (1, 2, 4)]
    assert await store.claim("me", 9, 5, lane="gpu") == [tasks[3].id]


async def test_a_lane_that_tasks_move_to_need_not_be_known(
    store: Store, new_task: MakeTask
) -> None:
    task = (await store.submit(new_task())).task
    assert await store.relane([], "preview", 2) == 0
    assert await store.relane([], "cpu", 3) == 1
    assert await store.lane(task.id) == "cpu"


async def test_a_requeued_task_stays_in_its_lane(store: Store, new_task: MakeTask) -> None:
    task = (await store.submit(replace(new_task(), lane="gpu"))).task
    await store.claim("me", 1, 1, lane="gpu")
    await store.requeue("me", [task.id], 2)
    assert await store.claim("you", 1, 3, lane="preview") == []
    assert await store.claim("you", 1, 3, lane="gpu") == [task.id]


COPIES = """
INSERT INTO tasks ({columns})
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
SELECT {values} FROM tasks CROSS JOIN numbers WHERE tasks.lane = 'busy'
"""


def multiply(database: Database, count: int) -> None:
    """Copy the one task of lane `busy`, `count` times, under ids of their own."""
    names = [column.name for column in tasks_table.c if column.name != "seq"]
    ids = {"id": "CAST(n AS VARCHAR(36))"}
    sql = COPIES.format(
        columns=", ".join(names),
        values=", ".join(ids.get(name, f"tasks.{name}") for name in names),
        count=count,
    )
    with database.engine.begin() as connection:
        connection.exec_driver_sql(sql)


@pytest.mark.parametrize("lane", ["calm", "busy", "empty"])
async def test_100_000_queued_tasks_slow_no_claim_down(
    database: Database, new_task: MakeTask, lane: str
) -> None:
    """A walk along the index takes 10 to 40 ms; past one that lacks the lane, over two seconds."""
    store = SqlTaskStore(database)
    await store.submit(replace(new_task(), lane="busy"))
    multiply(database, 100_000)
    calm = [(await store.submit(replace(new_task(), lane="calm"))).task for _ in range(20)]
    await store.claim("me", 1, 1, lane=lane)  # compiles
    begun = time.perf_counter()
    for _ in range(20):
        await store.claim("me", 1, 1, lane=lane)
        await store.relane(["calm", "busy"], "calm", 2)
    assert time.perf_counter() - begun < 1.0
    if lane == "calm":
        assert {run.task_id for run in await store.running()} == {task.id for task in calm}


async def test_processes_that_claim_at_once_leave_nothing_behind(
    database: Database, new_task: MakeTask
) -> None:
    """Who finds the next task taken by another process looks again, and does not go to sleep."""
    other = open_database(database.url)
    stores = [SqlTaskStore(database), SqlTaskStore(other)]
    for _ in range(10):
        for _ in range(10):
            await stores[0].submit(new_task())
        claims = await asyncio.gather(*[s.claim("me", 5, 1, lane="preview") for s in stores])
        assert [len(claim) for claim in claims] == [5, 5]
    other.close()
