"""The server's side of the engine, with children that have no torch."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from wan_weights import a_folder

from factories import a_plan
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.domain.knobs import Knobs
from kinogate.domain.order import AudioMode, InputFile, Mode, Order, Role
from kinogate.domain.resolution import Tier
from kinogate.engines.diffusers.card_rows import CARDS
from kinogate.engines.diffusers.faults import DEVICE_FAULT, STILL_OUT_OF_MEMORY
from kinogate.engines.diffusers.options import read_options
from kinogate.engines.diffusers.port import DiffusersEngine

TI2V, A14B = "wan2.2-ti2v-5b", "wan2.2-t2v-a14b"


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., DiffusersEngine]:
    # The children find the fake worker where this process finds it.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))

    def engine(*cards: str, **options: Any) -> DiffusersEngine:
        models = [
            {"card": card, "path": str(a_folder(tmp_path / card, CARDS[card]))}
            for card in cards or (TI2V,)
        ]
        section = {"models": models, "devices": "cpu"} | options
        return DiffusersEngine(
            read_options(section),
            name="wan",
            timeout_s=20,
            folder=tmp_path / "engine",
            worker="wan_fake_worker",
        )

    return engine


@asynccontextmanager
async def started(engine: DiffusersEngine) -> AsyncIterator[DiffusersEngine]:
    try:
        await engine.start()
        yield engine
    finally:
        await engine.close()


def an_order(prompt: str = "a kite", **changes: Any) -> Order:
    order = Order(
        task_id="00000000-0000-4000-8000-000000000001",
        mode=Mode.I2V,
        model="wan2.2-i2v-flash",
        prompt=prompt,
        inputs=(InputFile(role=Role.FIRST_FRAME, path="/x.png"),),
        width=832,
        height=480,
        fps=24,
        frame_count=120,
        duration_s=5.0,
        audio=AudioMode.OFF,
        seed=7,
    )
    return replace(order, **changes)


def nothing(_stage: str, _share: float) -> None:
    """A report that nobody reads."""


def calls_of(out: Path) -> list[dict[str, Any]]:
    lines = out.with_suffix(".calls").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_memory_that_does_not_suffice_leads_down_the_rungs_each_in_a_new_process(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    told: list[float] = []

    async def work() -> None:
        async with started(make()) as engine:
            report = lambda _stage, share: told.append(share)  # noqa: E731
            await engine.run(an_order("oom:2"), tmp_path / "a.mp4", report)
            await engine.run(an_order("oom:2"), tmp_path / "b.mp4", nothing)
            small = an_order("a kite", width=64, height=64)
            await engine.run(small, tmp_path / "c.mp4", nothing)

    asyncio.run(work())

    first, second, third = (calls_of(tmp_path / f"{name}.mp4") for name in "abc")
    assert [call["rung"] for call in first] == ["whole", "tiles", "groups"]
    assert len({call["pid"] for call in first}) == 3
    assert [call["rung"] for call in second] == ["groups"]  # it is remembered
    assert [call["rung"] for call in third] == ["whole"]  # and for this size only
    assert told == sorted(told)


def test_weights_that_do_not_fit_whole_are_loaded_on_the_rung_that_holds_them(
    make: Callable[..., DiffusersEngine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FAKE_RUNG", "2")

    async def work() -> None:
        async with started(make()) as engine:
            await engine.run(an_order(width=64, height=64), tmp_path / "a.mp4", nothing)

    asyncio.run(work())
    assert [call["rung"] for call in calls_of(tmp_path / "a.mp4")] == ["groups"]


def test_weights_that_fit_nowhere_keep_the_engine_from_starting(
    make: Callable[..., DiffusersEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FAKE_RUNG", "9")

    async def work() -> None:
        async with started(make()):
            pass

    with pytest.raises(InternalError, match="however they are held"):
        asyncio.run(work())


def test_when_no_rung_is_small_enough_that_is_said_and_the_engine_goes_on(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    async def work() -> InternalError:
        async with started(make()) as engine:
            with pytest.raises(InternalError) as caught:
                await engine.run(an_order("oom:9"), tmp_path / "a.mp4", nothing)
            await engine.run(an_order(), tmp_path / "b.mp4", nothing)
            return caught.value

    error = asyncio.run(work())

    assert (error.code, error.message) == (ErrorCode.ENGINE_FAILED, STILL_OUT_OF_MEMORY)
    assert [call["rung"] for call in calls_of(tmp_path / "a.mp4")] == [
        "whole",
        "tiles",
        "groups",
        "models",
    ]


def test_a_fault_of_the_device_ends_the_run_and_the_process(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    async def work() -> InternalError:
        async with started(make()) as engine:
            with pytest.raises(InternalError) as caught:
                await engine.run(an_order("fault"), tmp_path / "a.mp4", nothing)
            await engine.run(an_order(), tmp_path / "b.mp4", nothing)
            return caught.value

    error = asyncio.run(work())

    assert (error.code, error.message) == (ErrorCode.ENGINE_FAILED, DEVICE_FAULT)
    (faulty,), (next_,) = calls_of(tmp_path / "a.mp4"), calls_of(tmp_path / "b.mp4")
    assert faulty["pid"] != next_["pid"]


def test_two_devices_work_at_the_same_time_each_with_its_child(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    async def work() -> float:
        async with started(make(devices=["cpu", "cpu"])) as engine:
            assert engine.capacity == 3  # two at work, and one that waits with its inputs
            begun = time.monotonic()
            outs = [tmp_path / f"{index}.mp4" for index in range(3)]
            await asyncio.gather(*(engine.run(an_order("slow"), out, nothing) for out in outs))
            return time.monotonic() - begun

    took_s = asyncio.run(work())

    pids = [calls_of(tmp_path / f"{index}.mp4")[0]["pid"] for index in range(3)]
    assert len(set(pids[:2])) == 2
    assert pids[2] in pids[:2]
    assert took_s >= 0.8  # the third had to wait


def test_a_device_that_has_the_weights_is_taken_first(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    order = an_order()
    other = an_order(mode=Mode.T2V, model="wan2.2-t2v-plus", inputs=(), fps=16, frame_count=80)

    async def work() -> None:
        async with started(make(TI2V, A14B, devices=["cpu", "cpu"])) as engine:
            for index, one in enumerate((other, order, other, order)):
                await engine.run(one, tmp_path / f"{index}.mp4", nothing)

    asyncio.run(work())

    pids = [calls_of(tmp_path / f"{index}.mp4")[0]["pid"] for index in range(4)]
    assert pids[0] == pids[2]
    assert pids[1] == pids[3]
    assert pids[0] != pids[1]


def test_an_order_for_the_weights_that_are_there_goes_before_one_that_came_earlier(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    other = an_order(mode=Mode.T2V, model="wan2.2-t2v-plus", inputs=(), fps=16, frame_count=80)
    ended: list[str] = []

    async def work() -> None:
        async with started(make(TI2V, A14B, ahead=2)) as engine:

            async def one(name: str, order: Order) -> None:
                await engine.run(order, tmp_path / f"{name}.mp4", nothing)
                ended.append(name)

            tasks = [asyncio.create_task(one("first", an_order("slow")))]
            for name, order in (("other", other), ("same", an_order())):
                await asyncio.sleep(0.05)
                tasks.append(asyncio.create_task(one(name, order)))
            await asyncio.gather(*tasks)

    asyncio.run(work())
    assert ended == ["first", "same", "other"]


def test_the_prompts_of_an_order_that_must_wait_are_told_to_the_child_at_work(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    async def work() -> None:
        async with started(make()) as engine:
            first = asyncio.create_task(engine.run(an_order("slow"), tmp_path / "a.mp4", nothing))
            await asyncio.sleep(0.1)
            await asyncio.gather(first, engine.run(an_order("a boat"), tmp_path / "b.mp4", nothing))

    asyncio.run(work())
    assert calls_of(tmp_path / "a.mp4")[0]["foreseen"] == []
    assert calls_of(tmp_path / "b.mp4")[0]["foreseen"] == ["a boat"]


def test_a_pair_of_devices_meets_once_and_anew_when_one_of_them_was_lost(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    async def work() -> None:
        async with started(make(devices="cpu+cpu")) as engine:
            for name in "ab":
                await engine.run(an_order(), tmp_path / f"{name}.mp4", nothing)
            with pytest.raises(InternalError):
                await engine.run(an_order("partner"), tmp_path / "x.mp4", nothing)
            await engine.run(an_order(), tmp_path / "c.mp4", nothing)

    asyncio.run(work())
    first, second, third = (calls_of(tmp_path / f"{name}.mp4")[0] for name in "abc")
    assert first["seat"] == second["seat"]
    assert first["pid"] == second["pid"]
    assert first["seat"][0] == 0
    assert third["seat"][1] != first["seat"][1]
    assert third["pid"] != first["pid"]


def test_children_are_cut_off_from_the_hub_unless_it_is_allowed(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    async def work() -> None:
        async with started(make()) as engine:
            await engine.run(an_order(), tmp_path / "a.mp4", nothing)
        async with started(make(hub=True)) as engine:
            await engine.run(an_order(), tmp_path / "b.mp4", nothing)

    asyncio.run(work())

    assert calls_of(tmp_path / "a.mp4")[0]["offline"] == "1"
    assert calls_of(tmp_path / "b.mp4")[0]["offline"] is None


def test_what_it_takes_and_does_follows_from_the_cards(
    make: Callable[..., DiffusersEngine],
) -> None:
    engine = make(TI2V, A14B)

    flash, plus = (engine.abilities(name) for name in ("wan2.2-i2v-flash", "wan2.2-t2v-plus"))
    rows = {spec.name: engine.modes(spec) for spec in CATALOGUE.all()}

    assert (flash.fps, plus.fps) == (24, 16)
    assert "boundary_ratio" in plus.knobs
    assert "boundary_ratio" not in flash.knobs
    assert not flash.auto_audio
    assert not flash.takes_audio
    assert {name: modes for name, modes in rows.items() if modes} == {
        "wan2.2-i2v-flash": {Mode.I2V},
        "wan2.2-t2v-plus": {Mode.T2V},
    }


def test_names_of_closed_models_are_served_by_the_operators_word_only(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    plan = a_plan(model="wan2.6-t2v", mode=Mode.T2V)
    path = str(a_folder(tmp_path / "w", CARDS[TI2V]))
    alias = read_options({"card": TI2V, "path": path, "serves": ["wan2.6-*"]})
    served = DiffusersEngine(alias, name="wan", timeout_s=20, folder=tmp_path)

    assert "no weights for wan2.6-t2v" in str(make().refuses(plan, frozenset()))
    assert served.refuses(plan, frozenset()) is None
    assert served.modes(CATALOGUE.get("wan2.6-t2v")) == {Mode.T2V}  # type: ignore[arg-type]


def test_an_order_that_the_weights_refuse_never_reaches_a_child(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    with pytest.raises(CallerError) as caught:
        asyncio.run(make().run(an_order(duration_s=9.0), tmp_path / "a.mp4", nothing))
    assert caught.value.code is ErrorCode.FEATURE_UNSUPPORTED
    plan = a_plan(model="wan2.2-i2v-flash", mode=Mode.I2V, duration_s=9, tier=Tier.P720)
    assert make().refuses(plan, frozenset({Role.FIRST_FRAME})) == caught.value.message


def test_an_estimate_has_seconds_once_a_run_of_that_size_has_ended(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    async def work() -> tuple[Any, Any, Any]:
        async with started(make()) as engine:
            before = engine.estimate(an_order())
            await engine.run(an_order("slow"), tmp_path / "a.mp4", nothing)
            half = an_order(knobs=Knobs(steps=25))
            return before, engine.estimate(an_order()), engine.estimate(half)

    before, after, half = asyncio.run(work())

    assert before.seconds is None
    assert before.flops > 0
    assert before.memory_bytes > 0
    assert 0.3 < after.seconds < 10
    assert half.seconds < after.seconds
    assert half.flops < after.flops


def test_weights_that_do_not_fit_are_told_before_any_child_is_started(
    make: Callable[..., DiffusersEngine], tmp_path: Path
) -> None:
    engine = make()
    (tmp_path / TI2V / "vae" / "config.json").unlink()

    with pytest.raises(InternalError) as caught:
        asyncio.run(engine.start())
    health = asyncio.run(engine.check())

    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert "vae/config.json: the file is missing." in caught.value.message
    assert not health.is_ready
    assert "torch" not in sys.modules
