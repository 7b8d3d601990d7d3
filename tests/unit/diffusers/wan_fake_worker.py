"""A worker module without torch that fails as the operator's card would; steered by the prompt.

`oom:N` runs out of memory on the first N rungs, `fault` has a fault of the device, `slow` takes a
while, anything else makes a clip at once. What was asked for is written beside the clip.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from kinogate.domain.order import Produced
from kinogate.engines.diffusers.faults import DeviceFault, OutOfMemory
from kinogate.engines.diffusers.jobs import RenderJob, Warmed, WarmJob
from kinogate.engines.diffusers.rungs import Rung
from kinogate.procs.protocol import Method, Report, Spent


def _warm(job: WarmJob, report: Report) -> Warmed:
    report("loading", 0.0)
    return Warmed(device="cpu", models=(), bytes=0, levers=(), left_out=())


def _render(job: RenderJob, report: Report) -> Produced:
    with Path(job.out).with_suffix(".calls").open("a", encoding="utf-8") as calls:
        told = {
            "rung": job.rung,
            "pid": os.getpid(),
            "device": job.settings.device,
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


METHODS: Mapping[str, Method] = {
    "warm": Method(WarmJob, _warm),
    "render": Method(RenderJob, _render),
}
