"""How fast the preview engine renders, against the least an encoder must do for the same frames.

    python bench/render.py                 480P, 720P and 1080P, 5 s each, median of 3
    python bench/render.py --memory        peak memory of 1080p at 5, 15 and 30 s

Every figure comes from a fresh child process. The floor is x264 `ultrafast` fed with the very
frames of the clip, already converted and in memory: no drawing, no conversion, no sound. Renders
and floors alternate, so that a busy machine hurts both.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from kinogate.domain.order import Mode, Order

SIZES = {"480P": (832, 480), "720P": (1280, 720), "1080P": (1920, 1080)}
PROMPTS = (
    "a fox walks through a snowy forest at dusk, the camera follows",
    "雨夜的城市街道，霓虹灯，一个人打着伞走过",
    "a sailboat on the sea at sunset, slow pan to the right",
)
FPS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one child measured; seconds and MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    bytes: int


def main() -> int:
    """Run the programme named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--runs", type=int, default=3, help="per prompt and size; the median counts"
    )
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--tiers", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--memory", action="store_true", help="peak memory over the duration")
    parser.add_argument("--child", choices=("render", "floor"), help=argparse.SUPPRESS)
    parser.add_argument("--tier", choices=SIZES, default="720P", help=argparse.SUPPRESS)
    parser.add_argument("--prompt", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        work = _render if options.child == "render" else _floor
        print(json.dumps(asdict(work(options.tier, PROMPTS[options.prompt], options.seconds))))
    elif options.memory:
        _show_memory(options.runs)
    else:
        _show_speed(options.tiers, options.seconds, options.runs)
    return 0


def _show_speed(tiers: list[str], seconds: float, runs: int) -> None:
    print(f"t2v, {seconds:g} s at {FPS} fps, with sound; medians of {runs}; s and MiB")
    print(
        f"{'tier':6}{'wall':>8}{'x real':>8}{'cpu':>8}{'floor':>8}{'ratio':>8}{'peak':>8}{'MB':>7}"
    )
    for tier in tiers:
        for number, prompt in enumerate(PROMPTS):
            made, floors = [], []
            for _ in range(runs):
                made.append(_child("render", tier, number, seconds))
                floors.append(_child("floor", tier, number, seconds))
            wall = statistics.median(item.wall_s for item in made)
            cpu = statistics.median(item.cpu_s for item in made)
            floor = statistics.median(item.cpu_s for item in floors)
            peak = max(item.peak_mib for item in made)
            print(
                f"{tier:6}{wall:8.2f}{wall / seconds:8.2f}{cpu:8.2f}{floor:8.2f}{cpu / floor:8.1f}"
                f"{peak:8.0f}{made[0].bytes / 1e6:7.2f}  {prompt}",
                flush=True,
            )


def _show_memory(runs: int) -> None:
    print(f"peak memory of a 1080p render, worst of {runs}, MiB")
    for seconds in (5.0, 15.0, 30.0):
        peak = max(_child("render", "1080P", 1, seconds).peak_mib for _ in range(runs))
        print(f"{seconds:5.0f} s{peak:8.0f}", flush=True)


def _child(kind: str, tier: str, prompt: int, seconds: float) -> Figures:
    command = [sys.executable, __file__, "--child", kind, "--tier", tier]
    command += ["--prompt", str(prompt), "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Figures(**json.loads(done.stdout))


def _order(tier: str, prompt: str, seconds: float) -> Order:
    width, height = SIZES[tier]
    return Order(
        task_id="bench",
        mode=Mode.T2V,
        model="wan2.6-t2v",
        prompt=prompt,
        width=width,
        height=height,
        fps=FPS,
        frame_count=round(seconds * FPS),
        duration_s=seconds,
        seed=7,
        watermark="AI Generated",
    )


def _render(tier: str, prompt: str, seconds: float) -> Figures:
    """A finished file, from the order to the measured result; imports are not counted."""
    from kinogate.engines.preview.engine import render  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "a.mp4"
        wall, cpu = time.perf_counter(), time.process_time()
        render(_order(tier, prompt, seconds), out, lambda _stage, _share: None)
        return _figures(wall, cpu, out)


def _floor(tier: str, prompt: str, seconds: float) -> Figures:
    """The same frames, ready as I420, through x264 ultrafast."""
    import av  # noqa: PLC0415
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    from kinogate.engines.preview.footage import order_frames  # noqa: PLC0415

    width, height = SIZES[tier]
    source = order_frames(_order(tier, prompt, seconds), None)
    ready = [
        np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8) for frame in source
    ]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "a.mp4"
        wall, cpu = time.perf_counter(), time.process_time()
        with av.open(str(out), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.thread_count = 2
            for index, planes in enumerate(ready):
                picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
                picture.pts, picture.time_base = index, Fraction(1, FPS)
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        return _figures(wall, cpu, out)


def _figures(wall: float, cpu: float, out: Path) -> Figures:
    return Figures(
        wall_s=time.perf_counter() - wall,
        cpu_s=time.process_time() - cpu,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        bytes=out.stat().st_size,
    )


if __name__ == "__main__":
    sys.exit(main())
