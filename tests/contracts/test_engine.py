"""What every engine promises, run on each of them. An engine of yours needs one line in ENGINES."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.engine import Engine
from kinogate.domain.errors import KinogateError
from kinogate.domain.order import AudioMode, InputFile, Mode, Order, Role
from kinogate.domain.resolution import Size
from kinogate.engines.preview.port import PreviewEngine
from kinogate.media.probe import VideoFacts, probe_video

ENGINES: dict[str, Callable[[], Engine]] = {
    "preview": lambda: PreviewEngine(slots=2, timeout_s=120),
}
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


def an_order(**changes: object) -> Order:
    order = Order(
        task_id="00000000-0000-4000-8000-000000000001",
        mode=Mode.T2V,
        model="wan2.6-t2v",
        prompt="a sailboat on the ocean at sunset",
        width=320,
        height=192,
        fps=30,
        frame_count=60,
        duration_s=2.0,
        audio=AudioMode.OFF,
        seed=7,
    )
    return replace(order, **changes)  # type: ignore[arg-type]


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest) -> Callable[[], Engine]:
    return ENGINES[request.param]


@asynccontextmanager
async def started(make: Callable[[], Engine]) -> AsyncIterator[Engine]:
    engine = make()
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def nothing(_stage: str, _share: float) -> None:
    """A report that nobody reads."""


def produce(make: Callable[[], Engine], orders: list[Order], folder: Path) -> list[Path]:
    """Run orders on one engine, two at a time; the files in order."""

    async def run() -> list[Path]:
        async with started(make) as engine:
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
def test_every_size_of_the_catalogue_comes_out_exactly(
    make: Callable[[], Engine], tmp_path: Path, fps: int
) -> None:
    orders = [
        an_order(
            width=size.width, height=size.height, fps=fps, frame_count=fps // 2, duration_s=0.5
        )
        for size in ALL_SIZES
    ]
    for order, path in zip(orders, produce(make, orders, tmp_path), strict=True):
        wanted = (order.width, order.height, float(fps), fps // 2, 0.5, False)
        assert measured(probe_video(path)) == wanted


def test_every_duration_of_the_catalogue_comes_out_exactly(
    make: Callable[[], Engine], tmp_path: Path
) -> None:
    orders = [
        an_order(frame_count=seconds * 30, duration_s=float(seconds), audio=AudioMode.AUTO)
        for seconds in ALL_DURATIONS
    ]
    for seconds, path in zip(ALL_DURATIONS, produce(make, orders, tmp_path), strict=True):
        facts = probe_video(path)
        assert measured(facts) == (320, 192, 30.0, seconds * 30, float(seconds), True)
        assert facts.audio_duration_s == pytest.approx(seconds, abs=0.05)


def test_the_codecs_and_tags_are_what_players_expect(
    make: Callable[[], Engine], tmp_path: Path
) -> None:
    order = an_order(audio=AudioMode.AUTO, tags=(("AIGC", '{"Label":"1"}'),))
    (path,) = produce(make, [order], tmp_path)
    facts = probe_video(path)

    assert (facts.codec, facts.profile, facts.pix_fmt) == ("h264", "High", "yuv420p")
    assert (facts.audio_codec, facts.audio_rate, facts.audio_channels) == ("aac", 48_000, 2)
    assert facts.faststart
    assert dict(facts.tags)["AIGC"] == '{"Label":"1"}'


def test_the_same_order_gives_the_same_bytes_and_another_seed_does_not(
    make: Callable[[], Engine], tmp_path: Path
) -> None:
    orders = [an_order(), an_order(), an_order(seed=8)]
    first, again, other = (
        hashlib.sha256(path.read_bytes()).hexdigest() for path in produce(make, orders, tmp_path)
    )

    assert first == again
    assert first != other


def test_progress_never_falls_and_nears_one(make: Callable[[], Engine], tmp_path: Path) -> None:
    seen: list[float] = []

    async def run() -> None:
        async with started(make) as engine:
            await engine.run(
                an_order(), tmp_path / "a.mp4", lambda _stage, share: seen.append(share)
            )

    asyncio.run(run())

    assert len(seen) >= 3
    assert seen == sorted(seen)
    assert seen[-1] > 0.9


def test_cancelling_stops_the_work_within_two_seconds_and_the_engine_goes_on(
    make: Callable[[], Engine], tmp_path: Path
) -> None:
    long = an_order(width=1920, height=1080, frame_count=900, duration_s=30.0)

    async def run() -> float:
        async with started(make) as engine:
            begun = asyncio.Event()
            work = asyncio.create_task(
                engine.run(long, tmp_path / "long.mp4", lambda _stage, _share: begun.set())
            )
            await asyncio.wait_for(begun.wait(), 30)
            asked = time.monotonic()
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
            took = time.monotonic() - asked
            await engine.run(an_order(), tmp_path / "next.mp4", nothing)
            return took

    took = asyncio.run(run())

    assert took < 2.0
    assert not (tmp_path / "long.mp4").exists()
    assert probe_video(tmp_path / "next.mp4").frame_count == 60


def test_a_broken_input_fails_in_our_own_words_and_leaves_no_file(
    make: Callable[[], Engine], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + b"junk" * 50)
    order = an_order(mode=Mode.I2V, inputs=(InputFile(role=Role.FIRST_FRAME, path=str(broken)),))

    with pytest.raises(KinogateError):
        produce(make, [order], tmp_path)

    assert list(tmp_path.glob("*.mp4")) == []


def test_a_full_disk_fails_in_our_own_words(make: Callable[[], Engine], tmp_path: Path) -> None:
    nowhere = tmp_path / "gone"
    nowhere.mkdir()
    shutil.rmtree(nowhere)

    with pytest.raises(KinogateError):
        produce(make, [an_order()], nowhere)


def test_the_catalogue_has_sizes_and_durations_to_test() -> None:
    assert Size(width=1920, height=1080) in ALL_SIZES
    assert {2, 5, 15, 30} <= set(ALL_DURATIONS)
