"""Time on a card: alternating, warmed up, medians, by the device's own clock."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch

REFERENCE_RATE = 790e12
"""Dense bfloat16 operations a second of an H100 or H200, measured on random matrices."""

PEAKS = {
    "B200": 2250e12,
    "H200": 989e12,
    "H100": 989e12,
    "H100 PCIe": 756e12,
    "A100": 312e12,
    "L40S": 362e12,
    "RTX 4090": 165e12,
    "RTX 5090": 210e12,
}
"""Dense bfloat16 peaks by the makers' data sheets, by a part of the card's name."""


def card_name(device: torch.device) -> str:
    """What the device calls itself."""
    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else "CPU"


def card_peak(name: str) -> float | None:
    """The card's own peak; None where it is not in the table."""
    found = [part for part in PEAKS if all(word in name for word in part.split())]
    return PEAKS[max(found, key=len)] if found else None


class Clock:
    """Marks moments on the device's time line, without making the host wait."""

    def __init__(self, device: torch.device) -> None:
        self._is_cuda = device.type == "cuda"
        self._marks: list[Any] = []

    def mark(self) -> None:
        """Mark now."""
        if not self._is_cuda:
            self._marks.append(time.perf_counter())
            return
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        self._marks.append(event)

    def gaps(self) -> list[float]:
        """Seconds between one mark and the next; waits for the last."""
        if not self._is_cuda:
            return [b - a for a, b in zip(self._marks, self._marks[1:], strict=False)]
        if self._marks:
            self._marks[-1].synchronize()
        pairs = zip(self._marks, self._marks[1:], strict=False)
        return [first.elapsed_time(second) / 1000 for first, second in pairs]


@contextmanager
def pass_ends(models: Sequence[Any], device: torch.device) -> Iterator[Clock]:
    """Mark the end of every pass through these transformers inside the block."""
    clock = Clock(device)
    handles = [model.register_forward_hook(lambda *_: clock.mark()) for model in models]
    try:
        yield clock
    finally:
        for handle in handles:
            handle.remove()


def step_seconds(clock: Clock, passes: int) -> list[float]:
    """Seconds of each step but the first, which also pays for what comes before it."""
    gaps = clock.gaps()
    whole = len(gaps) - (passes - 1)
    return [sum(gaps[i : i + passes]) for i in range(passes - 1, whole + passes - 1, passes)]


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of wall time until the device has finished."""
    settle(device)
    begun_s = time.perf_counter()
    work()
    settle(device)
    return time.perf_counter() - begun_s


def settle(device: torch.device) -> None:
    """Wait for everything that the device has been given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@dataclass(slots=True, kw_only=True)
class Sample:
    """What one way of doing a job took.

    Attributes:
        seconds: Of each repetition.
        peak_bytes: Most memory held on the device, weights included.
        more: Other figures, each with its unit in the name.
    """

    seconds: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    more: dict[str, float] = field(default_factory=dict)

    @property
    def median_s(self) -> float:
        """The median."""
        return statistics.median(self.seconds)


@contextmanager
def as_shipped() -> Iterator[None]:
    """Settings of the whole process as torch comes with them; the engine's levers change two."""
    precision, benchmark = torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.benchmark = benchmark


def alternate(
    ways: Mapping[str, Callable[[Sample], list[float]]],
    *,
    rounds: int,
    warm_ups: int,
    device: torch.device,
) -> dict[str, Sample]:
    """Do each way in turn, so that a card that slows down slows all of them.

    Ways whose name begins with "stock" run with torch's own settings.

    Args:
        ways: Names, and functions that do the work and return the seconds of its repetitions; they
            may put other figures into the sample.
        rounds: How often each is done.
        warm_ups: How often before that, without counting.
        device: Where.
    """
    samples = {name: Sample() for name in ways}
    for number in range(warm_ups + rounds):
        for name, work in ways.items():
            sample = samples[name] if number >= warm_ups else Sample()
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
            with as_shipped() if name.startswith("stock") else nullcontext():
                sample.seconds += work(sample)
            if device.type == "cuda":
                held = torch.cuda.max_memory_allocated(device)
                sample.peak_bytes = max(sample.peak_bytes, held)
    return samples


@dataclass(slots=True, kw_only=True)
class Row:
    """One line of the report.

    Attributes:
        case: P1 to P11.
        what: The job and the way it was done.
        seconds: The median.
        spread: Smallest and largest of the repetitions, seconds.
        flops: Operations of the job by the committed formula; 0 where it says nothing.
        peak_bytes: Most memory on the device.
        ratio: Seconds of stock diffusers in the same run over these.
        notes: Whatever else belongs to the figure.
    """

    case: str
    what: str
    seconds: float
    spread: tuple[float, float] | None = None
    flops: int = 0
    peak_bytes: int = 0
    ratio: float | None = None
    notes: str = ""

    def mfu(self, rate: float = REFERENCE_RATE) -> float | None:
        """Share of a rate that was reached."""
        return self.flops / self.seconds / rate if self.flops and self.seconds else None


def rows_of(case: str, samples: Mapping[str, Sample], flops: int, **notes: str) -> list[Row]:
    """Lines for what `alternate` has measured; the ratio is to the first way."""
    stock = next(iter(samples.values())).median_s
    rows = []
    for number, (name, sample) in enumerate(samples.items()):
        figures = [f"{key} {value:.3g}" for key, value in sample.more.items()]
        rows.append(
            Row(
                case=case,
                what=name,
                seconds=sample.median_s,
                spread=(min(sample.seconds), max(sample.seconds)),
                flops=flops,
                peak_bytes=sample.peak_bytes,
                ratio=stock / sample.median_s if number and sample.median_s else None,
                notes=", ".join([*figures, *([notes[name]] if notes.get(name) else [])]),
            )
        )
    return rows
