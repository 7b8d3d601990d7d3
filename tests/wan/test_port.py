"""The engine through its port, with its child process, on tiny weights."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import tiny

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.knobs import Knobs
from kinogate.domain.order import InputFile, Mode, Order, Role
from kinogate.engines.diffusers.options import read_options
from kinogate.engines.diffusers.port import DiffusersEngine
from kinogate.media.probe import probe_video
from kinogate.media.still_paths import still_paths
from kinogate.testing.engine import CASES, Case
from kinogate.testing.rig import Rig

T = TypeVar("T")
Folders = Callable[[str], Path]


def an_engine(folder: Path, weights: dict[str, Path], **options: Any) -> DiffusersEngine:
    """An engine for these variants on the CPU."""
    models = [
        {"card": tiny.CARD_OF[variant], "path": str(path)} for variant, path in weights.items()
    ]
    section = {"models": models, "devices": "cpu", "dtype": "float32", "spares": 0} | options
    return DiffusersEngine(
        read_options(section), name="wan", timeout_s=90, folder=folder / "engine"
    )


async def one(engine: DiffusersEngine, work: Coroutine[Any, Any, T]) -> T:
    """Start the engine, do one thing, close it."""
    try:
        await engine.start()
        return await work
    finally:
        work.close()
        await engine.close()


def nothing(_stage: str, _share: float) -> None:
    """A report that nobody reads."""


@pytest.fixture(scope="session")
def rig(folders: Folders) -> Rig:
    order = tiny.an_order("ti2v", model="wan2.2-i2v-flash")
    return Rig(
        make=lambda folder: an_engine(folder, {"ti2v": folders("ti2v")}),
        order=order,
        others=(
            replace(order, width=80, height=112, fps=24, frame_count=30, duration_s=1.25),
            replace(order, width=98, height=50),
        ),
        long=replace(
            order,
            width=512,
            height=512,
            frame_count=120,
            duration_s=5.0,
            knobs=Knobs(steps=200),
        ),
        image_order=replace(order, mode=Mode.I2V),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_engine_keeps_every_promise_of_the_port(rig: Rig, case: Case, tmp_path: Path) -> None:
    if case.__name__ == "what_the_rig_orders_is_offered":
        rig = replace(rig, order=rig.image_order, others=())  # t2v is no mode of that row
    case(rig, tmp_path)


def test_one_child_makes_clips_of_two_models_with_what_the_order_says(
    folders: Folders, tmp_path: Path
) -> None:
    weights = {name: folders(name) for name in ("a14b-t2v", "flf2v")}
    orders = [
        tiny.an_order(
            "a14b-t2v", watermark="AI-generated", tags=(("AIGC", "x"),), width=96, height=64
        ),
        tiny.an_order("flf2v", tiny.inputs_of("flf2v", tmp_path)),
    ]

    async def work() -> list[Any]:
        return [
            await engine.run(order, tmp_path / f"{index}.mp4", nothing)
            for index, order in enumerate(orders)
        ]

    engine = an_engine(tmp_path, weights)
    made = asyncio.run(one(engine, work()))

    for index, (order, produced) in enumerate(zip(orders, made, strict=True)):
        facts = probe_video(tmp_path / f"{index}.mp4")
        size = (facts.width, facts.height, facts.frame_count, float(facts.fps))
        assert size == (order.width, order.height, 8, 16.0)
        assert facts.duration_s == pytest.approx(0.5, abs=0.001)
        assert tiny.CARD_OF[("a14b-t2v", "flf2v")[index]] in produced.fingerprint
        assert all(path.exists() for path in still_paths(tmp_path / f"{index}.mp4").all())
    assert "lossless[" in made[0].fingerprint
    assert dict(probe_video(tmp_path / "0.mp4").tags)["AIGC"] == "x"


def test_the_rate_of_the_row_is_made_by_blending_where_the_operator_wants_it(
    folders: Folders, tmp_path: Path
) -> None:
    engine = an_engine(tmp_path, {"t2v": folders("t2v")}, fps="row")
    order = tiny.an_order("t2v", fps=30, frame_count=30, duration_s=1.0)

    produced = asyncio.run(one(engine, engine.run(order, tmp_path / "a.mp4", nothing)))

    facts = probe_video(tmp_path / "a.mp4")
    assert engine.abilities(order.model).fps is None
    assert (facts.frame_count, float(facts.fps), facts.duration_s) == (30, 30.0, 1.0)
    assert produced.warnings == ("The model's 16 frames a second are blended to 30.",)


@pytest.mark.parametrize("previews", [True, False])
def test_a_clip_can_be_looked_at_in_the_middle_of_its_noise(
    folders: Folders, tmp_path: Path, previews: bool
) -> None:
    engine = an_engine(tmp_path, {"t2v": folders("t2v")}, previews=previews)
    order = tiny.an_order("t2v", knobs=Knobs(steps=200))  # reports come at most 20 times a second
    live = still_paths(tmp_path / "a.mp4").live
    told: list[tuple[float, bool]] = []

    def look(stage: str, share: float) -> None:
        if stage == "denoising":
            told.append((share, live.exists()))

    asyncio.run(one(engine, engine.run(order, tmp_path / "a.mp4", look)))

    # Looks are at a third and at two thirds; by the end, frames are being decoded.
    late = told[0][0] + 0.8 * (told[-1][0] - told[0][0])
    assert any(is_there for share, is_there in told if share < late) is previews
    assert not live.exists()


def test_a_configured_lora_is_used_and_seen(folders: Folders, tmp_path: Path) -> None:
    lora = tiny.save_lora("t2v", tmp_path / "style.safetensors")
    engine = an_engine(tmp_path, {"t2v": folders("t2v")}, loras={"style": str(lora)})
    plain = tiny.an_order("t2v")
    styled = replace(plain, knobs=tiny.with_lora(plain.knobs, "style", 2.0))

    async def work() -> list[bytes]:
        files = []
        for index, order in enumerate((plain, styled, plain)):
            out = tmp_path / f"{index}.mp4"
            await engine.run(order, out, nothing)
            files.append(out.read_bytes())
        return files

    first, other, again = asyncio.run(one(engine, work()))

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("gone", "there is no such folder"),
        ("no index", "model_index.json: the file is missing"),
        ("no transformer", "component 'transformer' is missing"),
        ("cut short", "is not a whole safetensors file"),
        ("another model", "is a WanPipeline"),
    ],
)
def test_weights_that_cannot_be_used_are_told_at_the_start_and_by_the_check(
    folders: Folders, tmp_path: Path, damage: str, words: str
) -> None:
    path = tiny.damaged(damage, folders("t2v"), folders("vace"), tmp_path / "weights")
    engine = an_engine(tmp_path, {"t2v": path})

    health = asyncio.run(engine.check())
    with pytest.raises(InternalError) as caught:
        asyncio.run(one(engine, engine.run(tiny.an_order("t2v"), tmp_path / "a.mp4", nothing)))

    assert not health.is_ready
    assert words in health.findings[1].text
    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert words in caught.value.message
    assert str(path) in caught.value.message


def test_weights_that_only_torch_finds_wrong_are_told_at_the_start(
    folders: Folders, tmp_path: Path
) -> None:
    path = tiny.damaged("other names", folders("t2v"), folders("t2v"), tmp_path / "weights")
    engine = an_engine(tmp_path, {"t2v": path})

    with pytest.raises(InternalError) as caught:
        asyncio.run(one(engine, engine.run(tiny.an_order("t2v"), tmp_path / "a.mp4", nothing)))

    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert f"{path}/transformer: " in caught.value.message
    assert "weights are missing" in caught.value.message


def test_an_edit_changes_only_what_the_mask_says_and_says_that_it_stands_still(
    folders: Folders, tmp_path: Path
) -> None:
    source = tiny.a_clip(tmp_path / "source.mp4", seconds=1)
    mask = tiny.a_mask(tmp_path / "mask.png")
    order: Order = tiny.an_order(
        "vace",
        (
            InputFile(role=Role.SOURCE_VIDEO, path=str(source)),
            InputFile(role=Role.MASK_IMAGE, path=str(mask)),
        ),
        mode=Mode.EDIT,
        function="video_repainting",
    )
    engine = an_engine(tmp_path, {"vace": folders("vace")})

    produced = asyncio.run(one(engine, engine.run(order, tmp_path / "a.mp4", nothing)))

    assert produced.warnings == ("The mask image stands still through the whole clip.",)
    assert probe_video(tmp_path / "a.mp4").frame_count == 8
