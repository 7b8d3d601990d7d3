"""The side that draws; `kinogate.procs.child` imports it in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kinogate.domain.order import Order, Produced
from kinogate.media.encode import Mp4Writer
from kinogate.media.stills import StillsMaker
from kinogate.procs.protocol import Method, Report

_BARS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Arguments of `draw`; `seconds` is what it takes at least, as a slower engine would."""

    order: Order
    out: str
    seconds: float = 0.0
    stills: bool = True


def draw(job: Job, report: Report) -> Produced:
    """Draw one clip. `report` raises when the caller has given up, and ends the work with that."""
    begun = time.monotonic()
    order, out = job.order, Path(job.out)
    colours = np.random.default_rng(order.seed).integers(32, 224, (_BARS, 3), dtype=np.uint8)
    columns = np.arange(order.width)
    frame = np.empty((order.height, order.width, 3), dtype=np.uint8)
    stills = StillsMaker(out, frame_count=order.frame_count, duration_s=order.duration_s)
    with Mp4Writer(
        out,
        width=order.width,
        height=order.height,
        fps=order.fps,
        audio_rate=None,
        tags=order.tags,
        preset="ultrafast",
    ) as writer:
        for index in range(order.frame_count):
            report("draw", 0.9 * index / order.frame_count)
            bar = (columns + 2 * index) * _BARS // order.width % _BARS
            frame[:] = colours[bar]
            writer.write(frame)
            if job.stills:
                stills.take(index, frame)
    if job.stills:
        stills.finish()
    while (left := begun + job.seconds - time.monotonic()) > 0:
        report("wait", 0.9 + 0.1 * (1.0 - left / job.seconds))
        time.sleep(min(left, 0.05))
    report("done", 1.0)
    return Produced(
        path=job.out,
        width=order.width,
        height=order.height,
        fps=order.fps,
        frame_count=order.frame_count,
        duration_s=order.frame_count / order.fps,
        has_audio=False,
        fingerprint="colour-bars/1.0.0",
    )


METHODS: Mapping[str, Method] = {"draw": Method(Job, draw)}
