"""What every `TaskStore` promises."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fractions import Fraction
from typing import Any, Protocol

import psycopg
import pytest

from kinogate.db.memory import MemoryTaskStore
from kinogate.db.open import Database, open_database
from kinogate.db.store import SqlTaskStore
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.order import Role
from kinogate.domain.ports import NewTask, TaskFilter, TaskPage
from kinogate.domain.task import Fault, Outcome, Plan, Status, StoredMedia, Task

pytestmark = pytest.mark.anyio

Store = MemoryTaskStore | SqlTaskStore
HOLD = 500_000
COST = 300_000
OUTCOME = Outcome(
    blob_key="results/a.mp4",
    poster_key="results/a.jpg",
    size_bytes=1234,
    width=1280,
    height=720,
    fps=30,
    frame_count=150,
    duration_s=5.0,
    has_audio=True,
    actual_prompt="A cat in heavy rain",
    fingerprint="preview/1",
)
FAULT = Fault(code=ErrorCode.MEDIA_UNREACHABLE, message="No answer.", field="first_frame")


class MakeTask(Protocol):
    """The `new_task` fixture."""

    def __call__(
        self, *, key: str | None = None, digest: bytes = b"digest", **changes: Any
    ) -> NewTask: ...


async def submitted(store: Store, new: NewTask) -> Task:
    return (await store.submit(new)).task


async def running(store: Store, new: NewTask) -> Task:
    task = await submitted(store, new)
    await store.claim("me", 1, 2000, lane="preview")
    return task


async def succeed(store: Store, task: Task, cost_micro: int = COST) -> bool:
    return await store.succeed(
        task.id, OUTCOME, engine="preview", cost_micro=cost_micro, now_ms=3000, expires_ms=9000
    )


async def loaded(store: Store, task: Task) -> Task:
    found = await store.load(task.id)
    assert found is not None
    return found


async def owners(store: Store) -> dict[str, str]:
    return {run.task_id: run.owner for run in await store.running()}


def ids(page: TaskPage) -> list[str]:
    return [task.id[-2:] for task in page.tasks]


# Submit


async def test_a_submitted_task_is_read_back_as_it_was(store: Store, new_task: MakeTask) -> None:
    plan = replace(
        new_task().task.plan,
        media=(StoredMedia(role=Role.FIRST_FRAME, blob_key="inputs/a"),),
        metadata=(("purpose", "test"),),
        size=None,
    )
    new = new_task(plan=plan, warnings=("Shortened.",), remixed_from="0" * 36)
    assert (await store.submit(new)).task == new.task
    assert await store.get("acme", new.task.id) == new.task


async def test_a_submit_holds_its_price(store: Store, new_task: MakeTask) -> None:
    task = await submitted(store, new_task())
    assert await store.movements(task.id) == {"hold": HOLD}
    assert await store.sums("acme") == (HOLD, 0)


async def test_the_same_key_and_digest_replays_the_first_task(
    store: Store, new_task: MakeTask
) -> None:
    first = await store.submit(new_task(key="k"))
    second = await store.submit(new_task(key="k"))
    assert not first.is_replay
    assert second.is_replay
    assert second.task == first.task
    assert await store.sums("acme") == (HOLD, 0)


async def test_a_replay_shows_the_task_as_it_is_now(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task(key="k"))
    await succeed(store, task)
    replay = await store.submit(new_task(key="k"))
    assert replay.task.status is Status.SUCCEEDED
    assert replay.task.outcome == OUTCOME


async def test_the_same_key_with_another_digest_is_a_conflict(
    store: Store, new_task: MakeTask
) -> None:
    await store.submit(new_task(key="k"))
    with pytest.raises(CallerError) as caught:
        await store.submit(new_task(key="k", digest=b"other"))
    assert caught.value.code is ErrorCode.IDEMPOTENCY_CONFLICT
    assert caught.value.field == "idempotency_key"
    assert await store.sums("acme") == (HOLD, 0)


async def test_accounts_do_not_share_idempotency_keys(store: Store, new_task: MakeTask) -> None:
    await store.submit(new_task(key="k"))
    other = await store.submit(new_task(key="k", account_id="other", digest=b"other"))
    assert not other.is_replay


async def test_submits_without_a_key_are_never_replays(store: Store, new_task: MakeTask) -> None:
    answers = [await store.submit(new_task()) for _ in range(2)]
    assert [answer.is_replay for answer in answers] == [False, False]


async def test_64_submits_at_once_with_one_key_make_one_task(
    store: Store, new_task: MakeTask
) -> None:
    """A client that retries in a panic pays once."""
    answers = await asyncio.gather(*[store.submit(new_task(key="k")) for _ in range(64)])
    assert len({answer.task.id for answer in answers}) == 1
    assert sum(not answer.is_replay for answer in answers) == 1
    assert await store.sums("acme") == (HOLD, 0)


async def test_conflicts_among_submits_at_once_fail_alone(store: Store, new_task: MakeTask) -> None:
    news = [new_task(key="k", digest=bytes([n % 2])) for n in range(20)]
    answers = await asyncio.gather(*[store.submit(new) for new in news], return_exceptions=True)
    assert sum(isinstance(answer, CallerError) for answer in answers) == 10
    assert await store.sums("acme") == (HOLD, 0)


async def test_a_plan_keeps_its_exact_types(store: Store, new_task: MakeTask) -> None:
    task = await submitted(store, new_task())
    plan: Plan = (await loaded(store, task)).plan
    assert plan == task.plan
    assert type(plan.tier) is type(task.plan.tier)
    assert not isinstance(plan.fps, Fraction)


# Reads


async def test_a_foreign_account_sees_nothing(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task(key="k"))
    assert await store.get("other", task.id) is None
    assert (await store.list("other", TaskFilter(), limit=10, count=True)).total == 0
    assert await store.cancel("other", task.id, now_ms=1, only_queued=False) is None
    assert await store.delete("other", task.id, 1) is None
    assert (await store.list("other", TaskFilter(), limit=9, after=task.id)).tasks == ()
    assert (await loaded(store, task)).status is Status.RUNNING


async def test_an_unknown_id_is_nothing_everywhere(store: Store) -> None:
    assert await store.get("acme", "x") is None
    assert await store.load("x") is None
    assert await store.cancel("acme", "x", now_ms=1, only_queued=False) is None
    assert await store.delete("acme", "x", 1) is None
    assert not await store.fail("x", FAULT, now_ms=1)


async def test_a_listing_is_newest_first_and_pages_by_key(store: Store, new_task: MakeTask) -> None:
    tasks = [await submitted(store, new_task()) for _ in range(5)]
    first = await store.list("acme", TaskFilter(), limit=2, count=True)
    assert (ids(first), first.has_more, first.total) == (["05", "04"], True, 5)
    second = await store.list("acme", TaskFilter(), limit=3, after=tasks[3].id)
    assert (ids(second), second.has_more, second.total) == (["03", "02", "01"], False, None)


async def test_an_ascending_listing_pages_by_key(store: Store, new_task: MakeTask) -> None:
    tasks = [await submitted(store, new_task()) for _ in range(4)]
    page = await store.list("acme", TaskFilter(), limit=2, after=tasks[0].id, ascending=True)
    assert (ids(page), page.has_more) == (["02", "03"], True)


async def test_a_listing_pages_by_offset(store: Store, new_task: MakeTask) -> None:
    for _ in range(5):
        await store.submit(new_task())
    page = await store.list("acme", TaskFilter(), limit=2, offset=2)
    assert (ids(page), page.has_more) == (["03", "02"], True)


async def test_an_unknown_after_gives_an_empty_page(store: Store, new_task: MakeTask) -> None:
    await store.submit(new_task())
    page = await store.list("acme", TaskFilter(), limit=2, after="x")
    assert page == TaskPage(tasks=(), has_more=False)


async def test_a_deleted_task_still_marks_a_place_for_paging(
    store: Store, new_task: MakeTask
) -> None:
    """A client that deletes what it has read goes on from the last id it saw."""
    tasks = [await submitted(store, new_task()) for _ in range(3)]
    await store.delete("acme", tasks[1].id, 9)
    assert ids(await store.list("acme", TaskFilter(), limit=9, after=tasks[1].id)) == ["01"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (TaskFilter(), ["03", "02", "01"]),
        (TaskFilter(task_id="00000000-0000-4000-8000-000000000002"), ["02"]),
        (TaskFilter(statuses=frozenset({Status.RUNNING})), ["01"]),
        (TaskFilter(statuses=frozenset({Status.RUNNING, Status.QUEUED})), ["03", "02", "01"]),
        (TaskFilter(statuses=frozenset()), []),
        (TaskFilter(model="wan2.6-t2v"), ["03", "02", "01"]),
        (TaskFilter(model="alias"), ["03"]),
        (TaskFilter(model="wan"), []),
        (TaskFilter(since_ms=1002), ["03", "02"]),
        (TaskFilter(until_ms=1002), ["02", "01"]),
        (TaskFilter(since_ms=1002, until_ms=1002), ["02"]),
    ],
)
async def test_a_listing_is_filtered(
    store: Store, new_task: MakeTask, where: TaskFilter, expected: list[str]
) -> None:
    await running(store, new_task())
    await store.submit(new_task())
    await store.submit(new_task(model="alias"))
    page = await store.list("acme", where, limit=10, count=True)
    assert ids(page) == expected
    assert page.total == len(expected)


# The run


async def test_a_claim_takes_the_oldest_in_order(store: Store, new_task: MakeTask) -> None:
    tasks = [await submitted(store, new_task()) for _ in range(3)]
    assert await store.claim("me", 2, 2000, lane="preview") == [tasks[0].id, tasks[1].id]
    first = await loaded(store, tasks[0])
    assert (first.status, first.started_ms, first.updated_ms) == (Status.RUNNING, 2000, 2000)
    assert (await loaded(store, tasks[2])).status is Status.QUEUED
    assert await owners(store) == {tasks[0].id: "me", tasks[1].id: "me"}


async def test_a_claim_serves_the_account_with_the_fewest_running_tasks(
    store: Store, new_task: MakeTask
) -> None:
    """One account's long queue keeps nobody else waiting; within an account order is kept."""
    for account in ("a", "a", "a", "a", "b", "c", "b"):
        await store.submit(new_task(account_id=account))
    claimed = [task_id[-2:] for task_id in await store.claim("me", 7, 1, lane="preview")]
    assert claimed == ["01", "05", "06", "02", "07", "03", "04"]


async def test_a_claim_passes_over_a_task_whose_time_is_to_come(
    store: Store, new_task: MakeTask
) -> None:
    """Neither its account's other tasks nor other accounts wait with it."""
    await store.submit(replace(new_task(account_id="a"), not_before_ms=5000))
    await store.submit(new_task(account_id="a"))
    await store.submit(replace(new_task(account_id="b"), not_before_ms=5000))
    await store.submit(new_task(account_id="c"))
    assert [task_id[-2:] for task_id in await store.claim("me", 9, 4999, lane="preview")] == [
        "02",
        "04",
    ]
    assert [task_id[-2:] for task_id in await store.claim("me", 9, 5000, lane="preview")] == [
        "03",
        "01",
    ]


async def test_claims_at_once_never_share_a_task(store: Store, new_task: MakeTask) -> None:
    await asyncio.gather(*[store.submit(new_task()) for _ in range(40)])
    claims = await asyncio.gather(*[store.claim(f"w{n}", 5, 1, lane="preview") for n in range(10)])
    taken = [task_id for claim in claims for task_id in claim]
    assert len(taken) == len(set(taken)) == 40


async def test_a_canceled_task_is_not_claimed(store: Store, new_task: MakeTask) -> None:
    task = await submitted(store, new_task())
    await store.cancel("acme", task.id, now_ms=5, only_queued=True)
    assert await store.claim("me", 1, 6, lane="preview") == []


async def test_progress_rises_and_never_falls(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task())
    for share in (0.25, 0.5, 0.4):
        await store.progress(task.id, share, 2500)
    assert (await loaded(store, task)).progress == 0.5


async def test_progress_of_a_running_task_stays_below_one(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task())
    await store.progress(task.id, 1.0, 2500)
    assert (await loaded(store, task)).progress == 0.999


async def test_progress_of_a_queued_task_changes_nothing(store: Store, new_task: MakeTask) -> None:
    task = await submitted(store, new_task())
    await store.progress(task.id, 0.5, 2500)
    assert (await loaded(store, task)).progress == 0.0


async def test_success_settles_the_cost_and_releases_the_rest(
    store: Store, new_task: MakeTask
) -> None:
    task = await running(store, new_task())
    assert await succeed(store, task)
    done = await loaded(store, task)
    assert (done.status, done.progress, done.outcome) == (Status.SUCCEEDED, 1.0, OUTCOME)
    assert (done.cost_micro, done.finished_ms, done.expires_ms) == (COST, 3000, 9000)
    assert done.engine == "preview"
    assert await store.movements(task.id) == {"hold": HOLD, "settle": COST, "release": HOLD - COST}
    assert await store.sums("acme") == (0, COST)


async def test_a_queued_task_cannot_succeed(store: Store, new_task: MakeTask) -> None:
    assert not await succeed(store, await submitted(store, new_task()))


async def test_success_twice_settles_once(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task())
    assert [await succeed(store, task), await succeed(store, task)] == [True, False]
    assert await store.sums("acme") == (0, COST)


async def test_failure_releases_the_whole_hold(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task())
    assert await store.fail(task.id, FAULT, now_ms=3000, engine="preview")
    failed = await loaded(store, task)
    assert (failed.status, failed.fault, failed.engine) == (Status.FAILED, FAULT, "preview")
    assert (failed.cost_micro, failed.finished_ms) == (0, 3000)
    assert await store.movements(task.id) == {"hold": HOLD, "release": HOLD}
    assert await store.sums("acme") == (0, 0)


async def test_a_queued_task_can_fail(store: Store, new_task: MakeTask) -> None:
    task = await submitted(store, new_task())
    assert await store.fail(task.id, replace(FAULT, field=None), now_ms=3000)
    assert not await store.fail(task.id, FAULT, now_ms=3001)
    assert await store.sums("acme") == (0, 0)


@pytest.mark.parametrize("only_queued", [True, False])
async def test_cancel_of_a_queued_task_releases(
    store: Store, new_task: MakeTask, only_queued: bool
) -> None:
    task = await submitted(store, new_task())
    seen = await store.cancel("acme", task.id, now_ms=7, only_queued=only_queued)
    assert seen is Status.QUEUED
    canceled = await loaded(store, task)
    assert (canceled.status, canceled.finished_ms) == (Status.CANCELED, 7)
    assert await store.sums("acme") == (0, 0)


async def test_cancel_of_a_running_task_may_be_refused(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task())
    assert await store.cancel("acme", task.id, now_ms=7, only_queued=True) is Status.RUNNING
    assert (await loaded(store, task)).status is Status.RUNNING
    assert await store.sums("acme") == (HOLD, 0)


async def test_a_canceled_task_can_neither_succeed_nor_fail(
    store: Store, new_task: MakeTask
) -> None:
    task = await running(store, new_task())
    assert await store.cancel("acme", task.id, now_ms=7, only_queued=False) is Status.RUNNING
    assert not await succeed(store, task)
    assert not await store.fail(task.id, FAULT, now_ms=8)
    assert await store.movements(task.id) == {"hold": HOLD, "release": HOLD}
    assert await store.sums("acme") == (0, 0)


async def test_cancel_of_an_ended_task_says_how_it_ended(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task())
    await succeed(store, task)
    assert await store.cancel("acme", task.id, now_ms=7, only_queued=False) is Status.SUCCEEDED
    assert await store.sums("acme") == (0, COST)


async def test_cancel_against_success_200_times_pays_exactly_once(
    store: Store, new_task: MakeTask
) -> None:
    """Whoever comes first wins, and the money follows the winner."""
    tasks = [await submitted(store, new_task()) for _ in range(200)]
    await store.claim("me", 200, 2000, lane="preview")
    spent = 0
    for number, task in enumerate(tasks):
        race = [
            store.cancel("acme", task.id, now_ms=3000, only_queued=False),
            succeed(store, task),
            store.fail(task.id, FAULT, now_ms=3000),
        ]
        turn = number % 3
        await asyncio.gather(*race[turn:], *race[:turn])
        end = await loaded(store, task)
        assert end.status.is_final
        paid = COST if end.status is Status.SUCCEEDED else 0
        spent += paid
        moved = await store.movements(task.id)
        assert moved.get("settle", 0) == paid
        assert moved["release"] == HOLD - paid
    assert await store.sums("acme") == (0, spent)


async def test_a_deleted_task_is_invisible(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task())
    await succeed(store, task)
    before = await store.delete("acme", task.id, 4000)
    assert before is not None
    assert before.status is Status.SUCCEEDED
    assert await store.get("acme", task.id) is None
    assert await store.load(task.id) is None
    assert (await store.list("acme", TaskFilter(), limit=9, count=True)).total == 0
    assert await store.delete("acme", task.id, 4001) is None
    assert await store.sums("acme") == (0, COST)


async def test_old_tasks_are_forgotten_and_their_money_is_not(
    store: Store, new_task: MakeTask
) -> None:
    old = await running(store, new_task())
    await succeed(store, old)
    ended = await store.load(old.id)
    assert ended is not None
    assert ended.finished_ms is not None
    waiting = await submitted(store, new_task())
    assert await store.forget(ended.finished_ms, 9_000) == 0
    assert await store.forget(ended.finished_ms + 1, 9_000) == 1
    assert await store.forget(ended.finished_ms + 1, 9_000) == 0
    assert await store.get("acme", old.id) is None
    assert await store.get("acme", waiting.id) is not None
    assert await store.sums("acme") == (HOLD, COST)


@pytest.mark.parametrize("is_claimed", [True, False])
async def test_deleting_an_unfinished_task_cancels_it(
    store: Store, new_task: MakeTask, is_claimed: bool
) -> None:
    task = await (running if is_claimed else submitted)(store, new_task())
    before = await store.delete("acme", task.id, 4000)
    assert before is not None
    assert before.status is (Status.RUNNING if is_claimed else Status.QUEUED)
    assert not await succeed(store, task)
    assert await store.claim("me", 9, 1, lane="preview") == []
    assert await store.sums("acme") == (0, 0)


# What recovery needs


async def test_a_requeued_task_keeps_its_place_progress_and_start(
    store: Store, new_task: MakeTask
) -> None:
    task = await running(store, new_task())
    await store.submit(new_task())
    await store.progress(task.id, 0.5, 2500)
    await store.requeue("me", [task.id], 2600)
    assert (await loaded(store, task)).status is Status.QUEUED
    assert await store.claim("you", 1, 2700, lane="preview") == [task.id]
    again = await loaded(store, task)
    assert (again.progress, again.started_ms) == (0.5, 2000)


async def test_requeue_leaves_others_tasks_alone(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task())
    await store.requeue("you", [task.id], 2600)
    assert await owners(store) == {task.id: "me"}


async def test_a_running_task_can_change_its_owner(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task())
    await store.own(task.id, "you", 2600)
    assert await owners(store) == {task.id: "you"}


async def test_an_ended_task_gets_no_owner(store: Store, new_task: MakeTask) -> None:
    task = await running(store, new_task())
    await succeed(store, task)
    await store.own(task.id, "you", 2600)
    assert await owners(store) == {}


# Adversity


async def test_lost_connections_are_replaced(postgres_url: str, new_task: MakeTask) -> None:
    """The database server restarted: the next call works, and none was written twice."""
    database = open_database(postgres_url)
    store = SqlTaskStore(database)
    task = await submitted(store, new_task())
    await store.get("acme", task.id)
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert await store.get("acme", task.id) == task
    await store.submit(new_task())
    assert await store.sums("acme") == (2 * HOLD, 0)
    database.close()


async def test_two_processes_worth_of_writers_share_one_database(
    database: Database, new_task: MakeTask
) -> None:
    """Two writers on one database: keys stay unique, sums exact, claims disjoint."""
    other = open_database(database.url)
    stores = [SqlTaskStore(database), SqlTaskStore(other)]
    news = [new_task(key=f"k{n // 2}") for n in range(80)]
    answers = await asyncio.gather(
        *[stores[n % 2].submit(new) for n, new in enumerate(news)],
    )
    assert sum(not answer.is_replay for answer in answers) == 40
    claims = await asyncio.gather(
        *[stores[n % 2].claim("me", 10, 1, lane="preview") for n in range(8)]
    )
    taken = [task_id for claim in claims for task_id in claim]
    assert len(taken) == len(set(taken))
    ends = [stores[n % 2].fail(task_id, FAULT, now_ms=9) for n, task_id in enumerate(taken * 2)]
    assert sum(await asyncio.gather(*ends)) == len(taken)
    assert await stores[0].sums("acme") == ((40 - len(taken)) * HOLD, 0)
    other.close()
