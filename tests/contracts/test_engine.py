"""What every engine promises, run on each of them; and what only exact engines do.

The cases are in `kinogate.testing.engine`, where engines from elsewhere find them, too. An engine
of yours needs one line in RIGS; it may have a module of its own where it needs more than that.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.order import AudioMode, Order
from kinogate.domain.resolution import Size
from kinogate.engines.preview.port import PreviewEngine
from kinogate.media.probe import VideoFacts, probe_video
from kinogate.testing.engine import CASES, Case
from kinogate.testing.rig import AN_ORDER, Rig, nothing, started

PREVIEW = Rig(make=lambda _folder: PreviewEngine(slots=2, timeout_s=120))
RIGS = {"preview": PREVIEW}
pytestmark = pytest.mark.xdist_group("engines")

ALL_SIZES = sorted(
    {size for spec in CATALOGUE.all() for size in spec.sizes}
    | {
        size
        for spec in CATALOGUE.all()
        for tier in spec.tiers
        for ratio in spec.ratios
        if (size := spec.size_for(tier, ratio)) is not None
    },
    key=lambda size: (size.pixels, size.width),
)
ALL_DURATIONS = sorted({value for spec in CATALOGUE.all() for value in spec.durations.values})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("rig", RIGS.values(), ids=RIGS)
def test_an_engine_keeps_its_promise(rig: Rig, case: Case, tmp_path: Path) -> None:
    case(rig, tmp_path)


def produce(orders: list[Order], folder: Path) -> list[Path]:
    """Run orders on one preview engine, two at a time; the files in order."""

    async def run() -> list[Path]:
        async with started(PREVIEW, folder) as engine:
            paths = [folder / f"{index}.mp4" for index in range(len(orders))]
            jobs = zip(orders, paths, strict=True)
            await asyncio.gather(*(engine.run(order, path, nothing) for order, path in jobs))
            return paths

    return asyncio.run(run())


def measured(facts: VideoFacts) -> tuple[int, int, float, int, float, bool]:
    return (
        facts.width,
        facts.height,
        float(facts.fps),
        facts.frame_count,
        round(facts.duration_s, 3),
        facts.has_audio,
    )


@pytest.mark.parametrize("fps", [24, 30])
def test_every_size_of_the_catalogue_comes_out_exactly(tmp_path: Path, fps: int) -> None:
    orders = [
        replace(
            AN_ORDER,
            width=size.width,
            height=size.height,
            fps=fps,
            frame_count=fps // 2,
            duration_s=0.5,
        )
        for size in ALL_SIZES
    ]
    for order, path in zip(orders, produce(orders, tmp_path), strict=True):
        wanted = (order.width, order.height, float(fps), fps // 2, 0.5, False)
        assert measured(probe_video(path)) == wanted


def test_every_duration_of_the_catalogue_comes_out_exactly(tmp_path: Path) -> None:
    orders = [
        replace(AN_ORDER, frame_count=seconds * 30, duration_s=float(seconds), audio=AudioMode.AUTO)
        for seconds in ALL_DURATIONS
    ]
    for seconds, path in zip(ALL_DURATIONS, produce(orders, tmp_path), strict=True):
        facts = probe_video(path)
        assert measured(facts) == (320, 192, 30.0, seconds * 30, float(seconds), True)
        assert facts.audio_duration_s == pytest.approx(seconds, abs=0.05)


def test_the_codecs_and_tags_are_what_players_expect(tmp_path: Path) -> None:
    order = replace(AN_ORDER, audio=AudioMode.AUTO, tags=(("AIGC", '{"Label":"1"}'),))
    (path,) = produce([order], tmp_path)
    facts = probe_video(path)

    assert (facts.codec, facts.profile, facts.pix_fmt) == ("h264", "High", "yuv420p")
    assert (facts.audio_codec, facts.audio_rate, facts.audio_channels) == ("aac", 48_000, 2)
    assert facts.faststart
    assert dict(facts.tags)["AIGC"] == '{"Label":"1"}'


def test_progress_comes_in_steps_and_nears_one(tmp_path: Path) -> None:
    seen: list[float] = []

    async def run() -> None:
        async with started(PREVIEW, tmp_path) as engine:
            await engine.run(AN_ORDER, tmp_path / "a.mp4", lambda _stage, share: seen.append(share))

    asyncio.run(run())

    assert len(seen) >= 3
    assert seen[-1] > 0.9


def test_the_same_order_gives_the_same_bytes(tmp_path: Path) -> None:
    first, again = (
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in produce([AN_ORDER, AN_ORDER], tmp_path)
    )

    assert first == again


def test_the_catalogue_has_sizes_and_durations_to_test() -> None:
    assert Size(width=1920, height=1080) in ALL_SIZES
    assert {2, 5, 15, 30} <= set(ALL_DURATIONS)
