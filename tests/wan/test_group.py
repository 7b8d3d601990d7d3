"""Several devices on one clip, through the port: the clip of one, an end together, a fresh start."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny

from kinogate.domain.errors import InternalError
from kinogate.domain.knobs import Knobs
from kinogate.domain.order import Order
from kinogate.engines.diffusers.options import read_options
from kinogate.engines.diffusers.port import DiffusersEngine
from kinogate.media.probe import probe_video

Folders = Callable[[str], Path]
pytestmark = pytest.mark.timeout(300)


def an_engine(folder: Path, weights: Path, devices: str, **options: Any) -> DiffusersEngine:
    section = {
        "card": tiny.CARD_OF["t2v"],
        "path": str(weights),
        "devices": devices,
        "dtype": "float32",
        "spares": 0,  # the newest child is one at work
    }
    return DiffusersEngine(
        read_options(section | options), name="wan", timeout_s=120, folder=folder / "engine"
    )


def nothing(_stage: str, _share: float) -> None:
    """A report that nobody reads."""


async def started(engine: DiffusersEngine, work: Callable[[], Any]) -> Any:
    try:
        await engine.start()
        return await work()
    finally:
        await engine.close()


def children() -> list[int]:
    lists = Path("/proc/self/task").glob("*/children")
    return [int(pid) for path in lists for pid in path.read_text().split()]


async def in_denoising(engine: DiffusersEngine, order: Order, out: Path) -> asyncio.Task[Any]:
    """Start an order and return in the middle of it."""
    reached = asyncio.Event()

    def report(stage: str, share: float) -> None:
        if stage == "denoising" and share > 0.1:
            reached.set()

    work = asyncio.create_task(engine.run(order, out, report))
    work.add_done_callback(lambda _: reached.set())
    await reached.wait()
    assert not work.done()
    return work


def test_a_pair_makes_the_clip_of_one_ends_together_and_begins_again(
    folders: Folders, tmp_path: Path
) -> None:
    weights = folders("t2v")
    order = tiny.an_order("t2v", knobs=Knobs(steps=3))
    long = tiny.an_order("t2v", knobs=Knobs(steps=200), width=256, height=256)
    alone = an_engine(tmp_path, weights, "cpu")
    pair = an_engine(tmp_path, weights, "cpu+cpu")
    asyncio.run(started(alone, lambda: alone.run(order, tmp_path / "alone.mp4", nothing)))

    async def work() -> None:
        made = await pair.run(order, tmp_path / "pair.mp4", nothing)
        assert "shared:guidance" in made.fingerprint

        before = set(children())
        running = await in_denoising(pair, long, tmp_path / "cancelled.mp4")
        begun_s = time.monotonic()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert time.monotonic() - begun_s < 3
        assert not (tmp_path / "cancelled.mp4").exists()
        await pair.run(order, tmp_path / "again.mp4", nothing)
        assert before <= set(children())  # they left the clip together and met again

        running = await in_denoising(pair, long, tmp_path / "killed.mp4")
        os.kill(children()[-1], signal.SIGKILL)
        with pytest.raises(InternalError):
            await running
        await pair.run(order, tmp_path / "anew.mp4", nothing)

    asyncio.run(started(pair, work))
    alone_bytes = (tmp_path / "alone.mp4").read_bytes()
    for name in ("pair", "again", "anew"):
        assert probe_video(tmp_path / f"{name}.mp4").frame_count == order.frame_count
        assert (tmp_path / f"{name}.mp4").read_bytes() == alone_bytes


def test_a_pair_has_nothing_to_share_without_guidance(folders: Folders, tmp_path: Path) -> None:
    order = tiny.an_order("t2v", knobs=Knobs(steps=2, guidance=1.0))
    pair = an_engine(tmp_path, folders("t2v"), "cpu+cpu")
    made = asyncio.run(started(pair, lambda: pair.run(order, tmp_path / "a.mp4", nothing)))
    assert "shared" not in made.fingerprint


def test_the_prompt_of_an_order_that_waits_is_embedded_beside_the_run_at_work(
    folders: Folders, tmp_path: Path
) -> None:
    engine = an_engine(tmp_path, folders("t2v"), "cpu")
    long = tiny.an_order("t2v", knobs=Knobs(steps=200), width=256, height=256)
    kept = tmp_path / "engine" / "prompts"

    async def work() -> None:
        running = await in_denoising(engine, long, tmp_path / "long.mp4")
        before = len(list(kept.iterdir()))
        waiting = asyncio.create_task(
            engine.run(tiny.an_order("t2v", prompt="a boat"), tmp_path / "next.mp4", nothing)
        )
        async with asyncio.timeout(20):
            while len([one for one in kept.iterdir() if one.suffix != ".part"]) == before:
                await asyncio.sleep(0.05)
        assert not running.done()
        assert not waiting.done()
        running.cancel()
        await waiting

    asyncio.run(started(engine, work))
    assert probe_video(tmp_path / "next.mp4").frame_count == 8
