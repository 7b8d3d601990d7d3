"""The jobs P8 to P11 through the engine as the server runs it: child process, files, cancellation."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import gpu_models
from gpu_cases import Lab, an_order
from gpu_measure import Row

from kinogate.domain.order import Order, Produced
from kinogate.engines.diffusers.options import read_options
from kinogate.engines.diffusers.port import DiffusersEngine
from kinogate.engines.diffusers.stages import Stage

_ON_DEVICE = {Stage.TEXT.value, Stage.IMAGE.value, Stage.DENOISE.value, Stage.DECODE.value}
_QUEUED = 20


class Watch:
    """When each stage of a run was first and last heard of."""

    def __init__(self) -> None:
        self.begun_s = time.monotonic()
        self.first_s: dict[str, float] = {}
        self.last_s: dict[str, float] = {}
        self.share = 0.0

    def report(self, stage: str, share: float) -> None:
        """As the engine calls it."""
        now_s = time.monotonic()
        self.first_s.setdefault(stage, now_s)
        self.last_s[stage] = now_s
        self.share = share

    @property
    def span(self) -> tuple[float, float]:
        """From the first to the last moment on the device."""
        first = [at for stage, at in self.first_s.items() if stage in _ON_DEVICE]
        last = [at for stage, at in self.last_s.items() if stage in _ON_DEVICE]
        return min(first), max(last)


def order_of(lab: Lab, *, steps: int, is_guided: bool, frames: int = 121) -> Order:
    """An order for TI2V-5B."""
    card = lab.card(gpu_models.TI2V)
    return an_order(card, lab.shape(1280, 704, frames), steps=steps, is_guided=is_guided)


def engine_of(lab: Lab, folder: Path) -> DiffusersEngine:
    """The engine on a folder of random weights, as a section of the configuration would make it."""
    options = read_options(
        {
            "card": gpu_models.TI2V,
            "path": str(folder),
            "distilled": True,
            "preset": "turbo",
            "devices": [str(lab.device)],
            "dtype": str(lab.dtype).removeprefix("torch."),
            "spares": 1,
        }
    )
    return DiffusersEngine(options, name="bench", timeout_s=600.0, folder=lab.folder / "engine")


async def _overhead(lab: Lab, engine: DiffusersEngine) -> Row:
    """P8: what a short job takes outside the device."""
    order = order_of(lab, steps=4, is_guided=False)
    found = []
    for number in range(1 + lab.rounds):
        watch = Watch()
        await engine.run(order, lab.folder / "p8.mp4", watch.report)
        took_s = time.monotonic() - watch.begun_s
        first_s, last_s = watch.span
        if number:
            found.append(took_s - (last_s - first_s))
    found.sort()
    return Row(
        case="P8",
        what="the engine's own overhead of one run",
        seconds=found[len(found) // 2],
        spread=(found[0], found[-1]),
        notes="order to finished MP4, less the time on the device; bench of the gateway apart",
    )


async def _utilisation(lab: Lab, engine: DiffusersEngine) -> Row:
    """P9: queued jobs of several lengths, and the share of the time that the device is at work."""
    lengths = (49, 81, 121)
    orders = [
        order_of(lab, steps=4, is_guided=False, frames=lengths[number % 3])
        for number in range(3 if lab.is_tiny else _QUEUED)
    ]
    watches = [Watch() for _ in orders]
    begun_s = time.monotonic()
    await asyncio.gather(
        *(
            engine.run(order, lab.folder / f"p9-{number}.mp4", watch.report)
            for number, (order, watch) in enumerate(zip(orders, watches, strict=True))
        )
    )
    took_s = time.monotonic() - begun_s
    busy_s = sum(last - first for first, last in (watch.span for watch in watches))
    return Row(
        case="P9",
        what=f"{len(orders)} queued jobs",
        seconds=took_s,
        notes=f"device at work {100 * busy_s / took_s:.1f} % of the time",
    )


async def _cancelled(lab: Lab, engine: DiffusersEngine, stage: Stage) -> tuple[float, float]:
    """Cancel in a stage; seconds until the run has ended, and until the next one is on the device."""
    is_long = stage is Stage.DENOISE
    order = order_of(lab, steps=50 if is_long else 4, is_guided=is_long)
    work = await _run_until(lab, engine, order, stage)
    if not work.done() and not lab.is_tiny:
        await asyncio.sleep(0.3)
    begun_s = time.monotonic()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    ended_s = time.monotonic() - begun_s
    return ended_s, await _next_on_device(lab, engine, begun_s)


async def _next_on_device(lab: Lab, engine: DiffusersEngine, begun_s: float) -> float:
    watch = Watch()
    order = order_of(lab, steps=1, is_guided=False, frames=49)
    await engine.run(order, lab.folder / "p10n.mp4", watch.report)
    return watch.first_s[Stage.DENOISE.value] - begun_s


async def _killed(lab: Lab, engine: DiffusersEngine) -> float:
    """Kill the child in the middle of a run; seconds until the next run is on the device."""
    order = order_of(lab, steps=50, is_guided=True)
    work = await _run_until(lab, engine, order, Stage.DENOISE)
    begun_s = time.monotonic()
    os.kill(_largest_child(), signal.SIGKILL)
    await asyncio.gather(work, return_exceptions=True)  # fails, as it should
    return await _next_on_device(lab, engine, begun_s)


async def _run_until(
    lab: Lab, engine: DiffusersEngine, order: Order, stage: Stage
) -> asyncio.Task[Produced]:
    """Start a run and return when it is in a stage, or has ended."""
    reached = asyncio.Event()

    def report(name: str, _share: float) -> None:
        if name == stage.value:
            reached.set()

    work = asyncio.create_task(engine.run(order, lab.folder / "p10.mp4", report))
    work.add_done_callback(lambda _: reached.set())
    await reached.wait()
    return work


def _largest_child() -> int:
    """The child process that holds the weights: the one with the most memory."""
    lists = Path("/proc/self/task").glob("*/children")
    children = {int(pid) for path in lists for pid in path.read_text().split()}
    return max(children, key=lambda pid: int(Path(f"/proc/{pid}/statm").read_text().split()[1]))


async def _cancellation(lab: Lab, engine: DiffusersEngine) -> list[Row]:
    """P10: soft in two stages, and hard."""
    rows = []
    for stage in (Stage.DENOISE, Stage.DECODE):
        ended_s, next_s = await _cancelled(lab, engine, stage)
        rows.append(
            Row(
                case="P10",
                what=f"cancel while {stage.value}",
                seconds=ended_s,
                notes=f"next run on the device after {next_s:.2f} s",
            )
        )
    next_s = await _killed(lab, engine)
    rows.append(Row(case="P10", what="kill -9 to the next run on the device", seconds=next_s))
    return rows


async def _cold_start(lab: Lab, engine: DiffusersEngine, cache: str) -> Row:
    """P11: from nothing to the first step; the weights are in the page cache."""
    begun_s = time.monotonic()
    await engine.start()
    ready_s = time.monotonic() - begun_s
    watch = Watch()
    order = order_of(lab, steps=1, is_guided=False)
    await engine.run(order, lab.folder / "p11.mp4", watch.report)
    return Row(
        case="P11",
        what="cold start to the first step",
        seconds=watch.first_s[Stage.DENOISE.value] - begun_s,
        notes=f"weights loaded after {ready_s:.2f} s; the compiler's cache is {cache}",
    )


async def _all(lab: Lab, wanted: set[str], folder: Path) -> list[Row]:
    engine = engine_of(lab, folder)
    rows = []
    try:
        started = await _cold_start(lab, engine, "empty")
        if "P8" in wanted:
            rows.append(await _overhead(lab, engine))
        if "P9" in wanted:
            rows.append(await _utilisation(lab, engine))
        if "P10" in wanted:
            rows += await _cancellation(lab, engine)
        if "P11" in wanted:
            rows.append(started)
    finally:
        await engine.close()
    if "P11" in wanted:
        engine = engine_of(lab, folder)
        try:
            rows.append(await _cold_start(lab, engine, "warm"))
        finally:
            await engine.close()
    return rows


def served_rows(lab: Lab, wanted: set[str]) -> list[Row]:
    """Measure those of P8 to P11 that are wanted, on one engine."""
    lab.clear()
    folder = lab.folder / "weights"
    gpu_models.save(lab.card(gpu_models.TI2V), folder, lab.device, is_tiny=lab.is_tiny)
    lab.clear()
    return asyncio.run(_all(lab, wanted, folder))
