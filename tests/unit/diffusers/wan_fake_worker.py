"""A worker module without torch that fails as the operator's card would; steered by the prompt.

`oom:N` runs out of memory on the first N rungs, `fault` has a fault of the device, `partner` one in
the other process of a pair, `slow` takes a while, anything else makes a clip at once. What was asked for is written beside the clip.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from kinogate.domain.order import Produced
from kinogate.engines.diffusers.faults import DeviceFault, OutOfMemory
from kinogate.engines.diffusers.jobs import ForeseenJob, RenderJob, Warmed, WarmJob
from kinogate.engines.diffusers.rungs import Rung
from kinogate.engines.diffusers.seats import Seat
from kinogate.procs.protocol import Method, Report, Spent

met = ""
foreseen: list[str] = []


def _warm(job: WarmJob, report: Report) -> Warmed:
    report("loading", 0.0)
    _sit(job.seat)
    needed = os.environ.get("TORCH_FAKE_RUNG", "0")
    if list(Rung).index(job.rung) < int(needed):
        raise Spent(OutOfMemory())
    return Warmed(device="cpu", models=(), bytes=0, levers=(), left_out=())


def _render(job: RenderJob, report: Report) -> Produced:
    _sit(job.seat)
    with Path(job.out).with_suffix(".calls").open("a", encoding="utf-8") as calls:
        told = {
            "rung": job.rung,
            "pid": os.getpid(),
            "device": job.settings.device,
            "seat": None if job.seat is None else [job.seat.rank, job.seat.meeting],
            "foreseen": list(foreseen),
            "offline": os.environ.get("HF_HUB_OFFLINE"),
        }
        calls.write(json.dumps(told) + "\n")
    report("denoising", 0.5)
    word, _, count = job.order.prompt.partition(":")
    if word == "oom" and list(Rung).index(job.rung) < int(count):
        raise Spent(OutOfMemory())
    if word == "fault":
        raise Spent(DeviceFault())
    if word == "slow":
        time.sleep(0.4)
    report("finishing", 1.0)
    order = job.order
    return Produced(
        path=job.out,
        width=order.width,
        height=order.height,
        fps=order.fps,
        frame_count=order.frame_count,
        duration_s=order.duration_s,
        has_audio=False,
        fingerprint="fake",
    )


def _assist(job: RenderJob, report: Report) -> None:
    report("denoising", 0.5)
    if job.order.prompt == "partner":
        raise Spent(DeviceFault())


def _sit(seat: Seat | None) -> None:
    global met  # noqa: PLW0603 - as the process group of the real worker, there is one
    if seat is not None:
        assert met in {"", seat.meeting}, "This process has met others."
        met = seat.meeting


def _foresee(job: ForeseenJob, _report: Report) -> None:
    foreseen.extend(job.prompts[:1])


HINT = Method(ForeseenJob, _foresee)
METHODS: Mapping[str, Method] = {
    "warm": Method(WarmJob, _warm),
    "render": Method(RenderJob, _render),
    "assist": Method(RenderJob, _assist),
    "met": Method(None, lambda _args, _report: met),
}
