"""What every `Durable` promises: in plain asyncio, and on DBOS with SQLite and with Postgres."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from durable_rig import LANES, SLOTS, RealClock, Rig

from kinogate.db.open import open_database
from kinogate.db.store import SqlTaskStore
from kinogate.db.writer import unavailable
from kinogate.domain.errors import CallerError, ErrorCode, InternalError, UpstreamError
from kinogate.domain.ports import NewTask, TaskFilter
from kinogate.domain.task import Fault, Status
from kinogate.durable.engine import DbosDurable

pytestmark = pytest.mark.anyio

COUNT = 80
PROCESS = Path(__file__).parents[1] / "acceptance" / "durable_process.py"


async def test_a_submitted_task_goes_through_its_stages(rig: Rig) -> None:
    async with rig.started() as durable:
        task = await rig.submit()
        assert await rig.ended(task) == [Status.SUCCEEDED]
        assert [stage for stage, _ in rig.stages.journal] == ["prepare", "render", "finish"]
        assert durable.is_healthy()
    assert await rig.store.sums("acme") == (0, 1)


async def test_tasks_queued_before_the_start_are_run(rig: Rig) -> None:
    tasks = [await rig.submit() for _ in range(2)]
    async with rig.started():
        assert await rig.ended(*tasks) == [Status.SUCCEEDED] * 2


async def test_stages_run_on_the_loop_that_started_the_engine(rig: Rig) -> None:
    """Their child processes belong to that loop."""
    async with rig.started():
        await rig.ended(await rig.submit())
    assert rig.stages.loops == {asyncio.get_running_loop()}


async def test_never_more_tasks_run_than_there_are_slots(rig: Rig) -> None:
    rig.stages.gate.clear()
    async with rig.started():
        tasks = [await rig.submit() for _ in range(SLOTS + 3)]
        await rig.until(lambda: rig.stages.busy == SLOTS)
        rig.stages.gate.set()
        assert await rig.ended(*tasks) == [Status.SUCCEEDED] * len(tasks)
    assert rig.stages.most_busy == SLOTS
    assert rig.stages.count("render") == len(tasks)


async def test_tasks_start_in_the_order_of_submission(rig: Rig) -> None:
    tasks = [await rig.submit() for _ in range(9)]
    async with rig.started():
        await rig.ended(*tasks)
    started = sorted(
        [await rig.read(task) for task in tasks], key=lambda task: (task.started_ms, task.id)
    )
    assert [task.id for task in started] == [task.id for task in tasks]


@pytest.mark.parametrize("stage", ["prepare", "render", "finish"])
async def test_an_error_of_ours_fails_the_task_in_its_own_words(rig: Rig, stage: str) -> None:
    error = CallerError(ErrorCode.MEDIA_FORMAT, "Not a picture.", field="first_frame")
    getattr(rig.stages, f"{stage}_errors").append(error)
    async with rig.started():
        task = await rig.submit()
        assert await rig.ended(task) == [Status.FAILED]
    expected = Fault(code=ErrorCode.MEDIA_FORMAT, message="Not a picture.", field="first_frame")
    assert (await rig.read(task)).fault == expected
    assert await rig.store.sums("acme") == (0, 0)


async def test_an_unexpected_error_fails_the_task_without_its_words(rig: Rig) -> None:
    rig.stages.render_errors.append(ZeroDivisionError("secret path /etc"))
    async with rig.started():
        task = await rig.submit()
        await rig.ended(task)
    fault = (await rig.read(task)).fault
    assert fault is not None
    assert fault.code is ErrorCode.INTERNAL
    assert "secret" not in fault.message


async def test_a_retriable_upstream_error_while_preparing_is_tried_again(rig: Rig) -> None:
    soon = UpstreamError(ErrorCode.MEDIA_UNREACHABLE, "Busy.", retriable=True, retry_after_s=0)
    rig.stages.prepare_errors += [soon, soon]
    async with rig.started():
        assert await rig.ended(await rig.submit()) == [Status.SUCCEEDED]
    assert rig.stages.count("prepare") == 3


async def test_a_third_retriable_error_fails_the_task(rig: Rig) -> None:
    soon = UpstreamError(ErrorCode.MEDIA_UNREACHABLE, "Busy.", retriable=True, retry_after_s=0)
    rig.stages.prepare_errors += [soon] * 3
    async with rig.started():
        assert await rig.ended(await rig.submit()) == [Status.FAILED]


async def test_an_upstream_error_while_rendering_is_not_repeated(rig: Rig) -> None:
    """The upstream may have charged already."""
    error = UpstreamError(ErrorCode.UPSTREAM_FAILED, "Lost.", retriable=True)
    rig.stages.render_errors.append(error)
    async with rig.started():
        assert await rig.ended(await rig.submit()) == [Status.FAILED]
    assert rig.stages.count("render") == 1


async def test_cancel_stops_the_stage_and_frees_the_slot(rig: Rig) -> None:
    rig.stages.gate.clear()
    async with rig.started() as durable:
        tasks = [await rig.submit() for _ in range(SLOTS + 1)]
        await rig.until(lambda: rig.stages.busy == SLOTS)
        await rig.store.cancel("acme", tasks[0].id, now_ms=9, only_queued=False)
        await durable.cancel(tasks[0].id)
        await rig.until(lambda: ("stopped", tasks[0].id) in rig.stages.journal, within_s=2.0)
        await rig.until(lambda: ("render", tasks[SLOTS].id) in rig.stages.journal, within_s=2.0)
        rig.stages.gate.set()
        assert await rig.ended(*tasks[1:]) == [Status.SUCCEEDED] * SLOTS
    assert await rig.status(tasks[0]) is Status.CANCELED
    assert ("fail", tasks[0].id) not in rig.stages.journal


async def test_cancel_of_an_unknown_or_ended_task_changes_nothing(rig: Rig) -> None:
    async with rig.started() as durable:
        task = await rig.submit()
        await rig.ended(task)
        await durable.cancel(task.id)
        await durable.cancel("unknown")
        assert await rig.ended(await rig.submit()) == [Status.SUCCEEDED]


async def test_a_task_canceled_between_claim_and_start_does_not_render(rig: Rig) -> None:
    task = await rig.submit()
    await rig.store.claim("another", 1, 5, lane="preview")
    await rig.store.cancel("acme", task.id, now_ms=9, only_queued=False)
    async with rig.started():
        await rig.ended(await rig.submit())
    assert ("render", task.id) not in rig.stages.journal


async def test_close_waits_for_running_tasks(rig: Rig) -> None:
    rig.stages.gate.clear()
    async with rig.started(grace_s=5.0):
        task = await rig.submit()
        await rig.until(lambda: rig.stages.busy == 1)
        asyncio.get_running_loop().call_later(0.2, rig.stages.gate.set)
    assert await rig.status(task) is Status.SUCCEEDED


async def test_close_leaves_what_is_not_done_to_the_next_start(rig: Rig) -> None:
    rig.stages.gate.clear()
    async with rig.started():
        task = await rig.submit()
        await rig.until(lambda: rig.stages.busy == 1)
    assert ("stopped", task.id) in rig.stages.journal
    assert not (await rig.status(task)).is_final
    rig.stages.gate.set()
    async with rig.started():
        assert await rig.ended(task, within_s=2.5) == [Status.SUCCEEDED]
    assert await rig.store.sums("acme") == (0, 1)


async def test_a_closed_engine_claims_nothing(rig: Rig) -> None:
    async with rig.started() as durable:
        pass
    task = await rig.submit()
    durable.wake()
    await asyncio.sleep(0.05)
    assert await rig.status(task) is Status.QUEUED
    assert not durable.is_healthy()


# DBOS only


async def test_a_stage_that_was_kept_is_not_repeated_after_a_restart(kept: Rig) -> None:
    kept.stages.gate.clear()
    async with kept.started():
        task = await kept.submit()
        await kept.until(lambda: kept.stages.busy == 1)
    kept.stages.gate.set()
    async with kept.started():
        await kept.ended(task)
    assert (kept.stages.count("prepare"), kept.stages.count("render")) == (1, 2)


async def test_recovered_tasks_count_against_the_slots(kept: Rig) -> None:
    kept.stages.gate.clear()
    tasks = [await kept.submit() for _ in range(SLOTS)]
    async with kept.started():
        await kept.until(lambda: kept.stages.busy == SLOTS)
    tasks += [await kept.submit() for _ in range(2)]
    kept.stages.most_busy = 0
    async with kept.started():
        await kept.until(lambda: kept.stages.busy == SLOTS)
        kept.stages.gate.set()
        assert await kept.ended(*tasks) == [Status.SUCCEEDED] * 5
    assert kept.stages.most_busy == SLOTS


async def test_a_task_claimed_by_a_dead_process_and_never_started_is_run(kept: Rig) -> None:
    """The process died between the claim's commit and the workflow's start."""
    task = await kept.submit()
    await kept.store.claim("dead", 1, 5, lane="preview")
    async with kept.started():
        assert await kept.ended(task) == [Status.SUCCEEDED]


async def test_a_task_canceled_while_the_server_was_down_does_not_go_on(kept: Rig) -> None:
    kept.stages.gate.clear()
    async with kept.started():
        task = await kept.submit()
        await kept.until(lambda: kept.stages.busy == 1)
    await kept.store.cancel("acme", task.id, now_ms=9, only_queued=False)
    async with kept.started():
        kept.stages.gate.set()
        assert await kept.ended(await kept.submit()) == [Status.SUCCEEDED]
        await asyncio.sleep(1.5)
    assert [stage for stage, name in kept.stages.journal if name == task.id] == [
        "prepare",
        "render",
        "stopped",
    ]


async def test_a_database_that_is_away_while_settling_is_waited_for(kept: Rig) -> None:
    kept.stages.finish_errors += [unavailable(), unavailable()]
    async with kept.started():
        assert await kept.ended(await kept.submit()) == [Status.SUCCEEDED]
    assert kept.stages.count("finish") == 3


async def test_workflows_that_ended_are_deleted(kept: Rig) -> None:
    """Or the file would grow for ever."""
    database = kept.database
    assert database is not None
    kept.stages.prepare_errors.append(CallerError(ErrorCode.MEDIA_FORMAT, "No."))
    async with kept.started() as durable:
        assert isinstance(durable, DbosDurable)
        tasks = [await kept.submit() for _ in range(3)]
        await kept.ended(*tasks)
        await durable.tidy(keep_s=0)
        name = "dbos.workflow_status" if database.is_shared else "workflow_status"
        async with asyncio.timeout(5):
            while True:
                with database.engine.connect() as connection:
                    left = connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar()
                if left == 0:
                    break
                await asyncio.sleep(0.05)
                await durable.tidy(keep_s=0)


async def test_a_claimed_task_whose_workflow_never_began_is_queued_again(kept: Rig) -> None:
    """As after an error between the claim and the start."""
    kept.stages.gate.clear()
    async with kept.started() as durable:
        assert isinstance(durable, DbosDurable)
        tasks = [await kept.submit() for _ in range(SLOTS + 1)]
        await kept.until(lambda: kept.stages.busy == SLOTS)
        me = (await kept.store.running())[0].owner
        assert await kept.store.claim(me, 1, 5, lane="preview") == [tasks[SLOTS].id]
        await durable.sweep()
        assert await kept.status(tasks[SLOTS]) is Status.RUNNING
        await durable.sweep()
        assert await kept.status(tasks[SLOTS]) is Status.QUEUED
        kept.stages.gate.set()
        assert await kept.ended(*tasks) == [Status.SUCCEEDED] * (SLOTS + 1)
    assert kept.stages.count("render") == SLOTS + 1


@pytest.mark.timeout(60)
async def test_a_process_takes_over_what_another_left(postgres_url: str, tmp_path: Path) -> None:
    """Two processes on one Postgres; one is killed, and the other ends the work of both."""
    journal = tmp_path / "journal"
    command = [sys.executable, str(PROCESS), postgres_url, str(journal), str(COUNT), "2.0"]
    doomed = subprocess.Popen(command)
    heir = None
    try:
        while journal_of(journal).count("render") < SLOTS:
            await asyncio.sleep(0.02)
        heir = subprocess.Popen(command)
        while journal_of(journal).count("start") < 2:
            await asyncio.sleep(0.02)
        doomed.kill()
        assert await asyncio.to_thread(heir.wait, 45) == 0
    finally:
        for process in (doomed, heir):
            if process is not None:
                process.kill()
                process.wait()
    database = open_database(postgres_url)
    try:
        page = await SqlTaskStore(database).list("acme", TaskFilter(), limit=COUNT + 1)
        assert [task.status for task in page.tasks] == [Status.SUCCEEDED] * COUNT
        assert await SqlTaskStore(database).sums("acme") == (0, COUNT * 300)
    finally:
        database.close()
    assert journal_of(journal).count("render") <= COUNT + 8


def journal_of(path: Path) -> list[str]:
    """The first word of each line."""
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


async def test_a_sqlite_file_has_one_executor(
    sqlite_url: str, new_task: Callable[..., NewTask]
) -> None:
    database = open_database(sqlite_url)
    try:
        rig = Rig(SqlTaskStore(database), database, new_task)
        second = DbosDurable(
            database, rig.store, rig.stages, lanes=LANES, clock=RealClock(), patience_s=0.1
        )
        async with rig.started():
            with pytest.raises(InternalError) as caught:
                await second.start()
        assert caught.value.code is ErrorCode.UNAVAILABLE
    finally:
        database.close()
