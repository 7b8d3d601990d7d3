"""How a motion spends its time: easing curves and the schedule of a camera.

Nothing here knows of pixels. Every curve starts at exactly 0.0, because frame 0 is the given
picture, untouched.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float64]
"""`[frame_count]` float64, one value per frame."""


def clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    """`value`, kept within `low`–`high` inclusive."""
    return min(high, max(low, value))


def smooth(share: float) -> float:
    """0 to 1 with rest at both ends, for `share` 0.0–1.0; flat outside."""
    share = clamp(share)
    return share * share * (3.0 - 2.0 * share)


def ramp(t: float, start: float, end: float) -> float:
    """0 before `start`, 1 after `end`, smooth between."""
    return smooth((t - start) / max(1e-6, end - start))


def overshoot(share: float) -> float:
    """0 to 1, a little past it, and back: something landing."""
    share = clamp(share)
    return 1.0 + 2.3 * (share - 1.0) ** 3 + 1.3 * (share - 1.0) ** 2


def rebound(t: float, frequency_hz: float, decay_s: float) -> float:
    """A spring let go at t = 0: starts at 1, swings through 0, dies away."""
    return math.exp(-max(0.0, t) / decay_s) * math.cos(2.0 * math.pi * frequency_hz * t)


def travel(frame_count: int, fps: int, parts: int = 1) -> list[Curve]:
    """How far a camera has got at each frame, for `parts` moves done one after the other.

    It eases in within half a second, is quickest early, and slows towards the end without ever
    standing still, so a clip of 30 s is as gentle as one of 5 s.

    Returns:
        One curve per move, each from 0.0 to at most 1.0.
    """
    share = max(1, frame_count) / parts
    duration_s = share / fps
    tau_s = clamp(0.9 * duration_s, 2.0, 11.0)
    # A short clip gets a shorter way, so that speed on the screen stays alike.
    reach = clamp(0.45 + 0.11 * duration_s, 0.5, 1.0)
    curves: list[Curve] = []
    for part in range(parts):
        t = (np.arange(frame_count) - part * share) / fps
        begin = np.clip(t / min(0.5, duration_s / 3.0), 0.0, 1.0)
        end = np.clip((duration_s - t) / min(1.0, duration_s / 4.0), 0.0, 1.0)
        end = end if part < parts - 1 else 0.15 + 0.85 * end
        speed = begin * begin * (3 - 2 * begin) * end * (np.exp(-np.maximum(t, 0) / tau_s) + 0.04)
        way = np.concatenate([[0.0], np.cumsum(speed)[:-1]])
        whole = float(speed.sum())
        curves.append(way * (reach / whole) if whole > 0.0 else way)
    return curves
