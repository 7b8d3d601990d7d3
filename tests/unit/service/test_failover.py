"""A run with several engines: who is asked, with what, and when nobody else may be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lineup import Player, Stage, route_to

from factories import a_plan, an_outcome
from kinogate.domain.abilities import Abilities
from kinogate.domain.engine import CallState
from kinogate.domain.errors import (
    CallerError,
    ErrorCode,
    InternalError,
    KinogateError,
    UpstreamError,
)
from kinogate.domain.knobs import Knobs
from kinogate.domain.order import AudioMode, ShotType
from kinogate.service.orders import ENGINE_TAG

Failing = Callable[[], KinogateError]

GO_ON: dict[str, Failing] = {
    "refused": lambda: UpstreamError(ErrorCode.UPSTREAM_REFUSED, "No balance."),
    "failed": lambda: UpstreamError(ErrorCode.UPSTREAM_FAILED, "Busy.", retriable=True),
    "engine": lambda: InternalError(ErrorCode.ENGINE_FAILED, "It crashed."),
    "away": lambda: InternalError(ErrorCode.UNAVAILABLE, "It is not there."),
    "unsold": lambda: CallerError(ErrorCode.MODEL_UNKNOWN, "There is no such model."),
    "slow": lambda: InternalError(ErrorCode.TIMED_OUT, "It took too long."),
}
STOP: dict[str, Failing] = {
    "charged": lambda: UpstreamError(ErrorCode.UPSTREAM_FAILED, "It failed.", is_charged=True),
    "ambiguous": lambda: UpstreamError(ErrorCode.SUBMIT_AMBIGUOUS, "Nobody knows."),
    "content": lambda: UpstreamError(ErrorCode.CONTENT_REFUSED, "Improper."),
    "caller": lambda: CallerError(ErrorCode.FIELD_INVALID, "The prompt is odd."),
    "file": lambda: InternalError(ErrorCode.RESULT_INVALID, "The file is broken."),
}


def run(work: Any) -> Any:
    return asyncio.run(asyncio.wait_for(work, 20))


@pytest.mark.parametrize("failing", GO_ON.values(), ids=GO_ON)
def test_the_next_engine_is_asked_while_nothing_can_have_been_charged(
    tmp_path: Path, failing: Failing
) -> None:
    first, second = Player("first", fails=[failing()]), Player("second")
    outcome = run(Stage(tmp_path, first, second).play())

    assert outcome.engine == "second"
    assert outcome.fingerprint == "second/1"
    assert outcome.upstream_id == "second-1"
    assert outcome.warnings == (f"The engine first failed ({failing().code}) before this one.",)


@pytest.mark.parametrize("failing", STOP.values(), ids=STOP)
def test_nobody_else_is_asked_otherwise(tmp_path: Path, failing: Failing) -> None:
    first, second = Player("first", fails=[failing()]), Player("second")

    with pytest.raises(KinogateError) as caught:
        run(Stage(tmp_path, first, second).play())

    assert caught.value.code is failing().code
    assert second.orders == []


def test_the_last_engines_failure_is_the_tasks(tmp_path: Path) -> None:
    players = [Player(name, fails=[GO_ON[name]()]) for name in ("failed", "away", "refused")]

    with pytest.raises(UpstreamError) as caught:
        run(Stage(tmp_path, *players).play())

    assert caught.value.code is ErrorCode.UPSTREAM_REFUSED


def test_a_canceled_run_asks_nobody_else(tmp_path: Path) -> None:
    first, second = Player("first"), Player("second")

    async def work() -> None:
        stage = Stage(tmp_path, first, second)
        first.hold = asyncio.Event()
        going = asyncio.create_task(stage.play())
        while not first.orders:
            await asyncio.sleep(0.01)
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going

    run(work())
    assert second.orders == []


def test_a_task_that_was_canceled_while_its_engine_failed_goes_nowhere_else(
    tmp_path: Path,
) -> None:
    first, second = Player("first", fails=[GO_ON["engine"]()]), Player("second")

    async def work() -> None:
        stage = Stage(tmp_path, first, second)
        task = await stage.begin()
        order = await stage.runner.prepare(task.id)
        first.hold = asyncio.Event()
        going = asyncio.create_task(stage.runner.render(task.id, order))
        while not first.orders:
            await asyncio.sleep(0.01)
        await stage.store.cancel(task.account_id, task.id, now_ms=6_000, only_queued=False)
        first.hold.set()
        with pytest.raises(InternalError):
            await going

    run(work())
    assert second.orders == []


def test_what_a_failed_engine_has_left_is_nobodys_result(tmp_path: Path) -> None:
    class Litterer(Player):
        async def run(self, order: Any, out: Path, report: Any) -> Any:
            out.write_bytes(b"half")
            out.with_suffix(".jpg").write_bytes(b"half a still")
            raise InternalError(ErrorCode.ENGINE_FAILED, "It crashed.")

    stage = Stage(tmp_path, Litterer("first"), Player("second"))
    outcome = run(stage.play())

    assert outcome.poster_key is None
    assert list(stage.scratch.iterdir()) == []


def test_each_engine_gets_what_it_can_keep_and_only_what_was_not_told_yet_is_told(
    tmp_path: Path,
) -> None:
    first = Player("first", fails=[GO_ON["engine"]()])
    second = Player(
        "second", able=Abilities(makes_stills=True, fps=16, auto_audio=False, seed=False)
    )
    plan = a_plan(is_seed_given=True, knobs=Knobs(steps=20))
    told = ("steps is not honoured by the engine first.",)
    outcome = run(Stage(tmp_path, first, second).play(plan, told))

    assert [order.fps for order in (*first.orders, *second.orders)] == [30, 16]
    assert second.orders[0].frame_count == 80
    assert second.orders[0].audio is AudioMode.OFF
    assert outcome.frame_count == 80
    assert outcome.warnings == (
        "The engine first failed (engine_failed) before this one.",
        "seed is not honoured by the engine second.",
        "fps is 16 on the engine second instead of 30.",
        "The engine second makes no sound; the clip is silent.",
        "steps is not honoured by the engine second.",
    )


def test_an_engine_that_extends_prompts_gets_the_callers_own_words(tmp_path: Path) -> None:
    rewriting = Abilities(makes_stills=True, extends_prompts=True)
    first = Player("first", able=rewriting, fails=[GO_ON["failed"]()])
    second = Player("second")
    outcome = run(Stage(tmp_path, first, second).play(a_plan(prompt="a lighthouse")))
    (asked,), (told,) = first.orders, second.orders

    assert (asked.prompt, asked.prompt_extend) == ("a lighthouse", True)
    assert told.prompt.startswith("a lighthouse, ")
    assert told.prompt_extend is False
    assert (outcome.actual_prompt, outcome.prompt_by) == (told.prompt, "builtin")


def test_the_prompt_is_left_alone_when_every_engine_extends_it_itself(tmp_path: Path) -> None:
    able = Abilities(makes_stills=True, extends_prompts=True)
    player = Player("only", able=able, says="a lighthouse in the storm")
    outcome = run(Stage(tmp_path, player).play(a_plan(prompt="a lighthouse")))

    assert (outcome.actual_prompt, outcome.prompt_by) == ("a lighthouse in the storm", "upstream")


def test_prompt_extend_false_reaches_an_engine_that_extends_prompts(tmp_path: Path) -> None:
    able = Abilities(makes_stills=True, extends_prompts=True)
    player = Player("only", able=able)
    outcome = run(Stage(tmp_path, player).play(a_plan(prompt="as it is", is_extendable=False)))

    assert player.orders[0].prompt_extend is False
    assert (outcome.actual_prompt, outcome.prompt_by) == ("as it is", "none")


def test_the_files_tags_name_the_engine_that_served(tmp_path: Path) -> None:
    first, second = Player("first", fails=[GO_ON["engine"]()]), Player("second")
    run(Stage(tmp_path, first, second).play())

    assert dict(second.orders[0].tags)[ENGINE_TAG] == "second"


def test_a_negative_prompt_goes_to_the_engines_that_know_one(tmp_path: Path) -> None:
    able = Abilities(makes_stills=True, negative_prompt=False)
    first, second = Player("first", able=able, fails=[GO_ON["engine"]()]), Player("second")
    run(Stage(tmp_path, first, second).play(a_plan(negative_prompt="rain")))

    assert [order.negative_prompt for order in (*first.orders, *second.orders)] == ["", "rain"]


def test_shots_are_told_to_the_engine_that_cuts_them(tmp_path: Path) -> None:
    able = Abilities(makes_stills=True, shot_type=False)
    first, second = Player("first", able=able, fails=[GO_ON["engine"]()]), Player("second")
    run(Stage(tmp_path, first, second).play(a_plan(shot_type=ShotType.MULTI)))

    assert [order.shot_type for order in (*first.orders, *second.orders)] == [
        ShotType.SINGLE,
        ShotType.MULTI,
    ]


@pytest.mark.parametrize("state", [CallState.INTENT, CallState.CREATED, CallState.ENDED])
def test_after_a_crash_the_engine_that_has_begun_is_asked_first(
    tmp_path: Path, state: CallState
) -> None:
    first, second = Player("first"), Player("second")
    stage = Stage(tmp_path, first, second)
    stage.pages.written["second"] = state

    assert run(stage.play()).engine == "second"
    assert first.orders == []


def test_a_call_that_was_refused_changes_no_order(tmp_path: Path) -> None:
    stage = Stage(tmp_path, Player("first"), Player("second"))
    stage.pages.written["second"] = CallState.REFUSED

    assert run(stage.play()).engine == "first"


def test_an_engine_that_has_begun_and_is_out_of_the_routes_is_asked_all_the_same(
    tmp_path: Path,
) -> None:
    first, second = Player("first"), Player("second")
    stage = Stage(tmp_path, first, second)
    stage.router.replace((route_to("first"),), ())
    stage.pages.written["second"] = CallState.CREATED

    assert run(stage.play()).engine == "second"


def test_an_engine_that_has_begun_and_is_gone_is_not_replaced_by_another(tmp_path: Path) -> None:
    first, second = Player("first"), Player("second")

    async def work() -> None:
        stage = Stage(tmp_path, first, second)
        task = await stage.begin()
        order = await stage.runner.prepare(task.id)
        stage.pages.written["second"] = CallState.CREATED
        stage.fleet.replace([stage.fleet.members["first"].section])
        await stage.runner.render(task.id, order)

    with pytest.raises(UpstreamError) as caught:
        run(work())
    assert caught.value.code is ErrorCode.SUBMIT_AMBIGUOUS
    assert first.orders == []


def test_a_run_that_is_taken_up_again_asks_the_engines_of_its_first_time(tmp_path: Path) -> None:
    first, second = Player("first"), Player("second")

    async def work() -> None:
        stage = Stage(tmp_path, first, second)
        task = await stage.begin()
        order = await stage.runner.prepare(task.id)
        stage.router.replace((route_to("second"),), ())
        await stage.runner.render(task.id, order)

    run(work())
    assert (len(first.orders), len(second.orders)) == (1, 0)


def test_a_run_whose_engines_are_all_gone_asks_those_of_today(tmp_path: Path) -> None:
    first, second = Player("first"), Player("second")

    async def work() -> None:
        stage = Stage(tmp_path, first, second)
        stage.router.replace((route_to("first"),), ())
        task = await stage.begin()
        order = await stage.runner.prepare(task.id)
        stage.router.replace((route_to("second"),), ())
        stage.fleet.replace([stage.fleet.members["second"].section])
        await stage.runner.render(task.id, order)

    run(work())
    assert (len(first.orders), len(second.orders)) == (0, 1)


def test_a_failed_task_names_the_engine_that_was_asked_last(tmp_path: Path) -> None:
    first, second = (Player(name, fails=[GO_ON["engine"]()]) for name in ("first", "second"))

    async def work() -> str | None:
        stage = Stage(tmp_path, first, second)
        task = await stage.begin()
        order = await stage.runner.prepare(task.id)
        with pytest.raises(InternalError):
            await stage.runner.render(task.id, order)
        await stage.runner.fail(task.id, ErrorCode.ENGINE_FAILED, "It crashed.", None)
        done = await stage.store.load(task.id)
        assert done is not None
        return done.engine

    assert run(work()) == "second"


def test_a_task_that_no_engine_takes_any_more_fails_before_its_inputs_are_fetched(
    tmp_path: Path,
) -> None:
    player = Player("only")

    async def work() -> None:
        stage = Stage(tmp_path, player)
        task = await stage.begin()
        player.refusal = "Not today."
        await stage.runner.prepare(task.id)

    with pytest.raises(CallerError, match="Not today"):
        run(work())


def test_more_pixels_than_asked_for_cost_no_more(tmp_path: Path) -> None:
    async def work() -> int:
        stage = Stage(tmp_path, Player("only"))
        task = await stage.begin(a_plan(duration_s=5))
        made = an_outcome(width=1920, height=1080)
        await stage.runner.finish(task.id, msgspec.json.encode(made).decode())
        done = await stage.store.load(task.id)
        assert done is not None
        return done.cost_micro

    assert run(work()) == 500_000  # as for 720P
