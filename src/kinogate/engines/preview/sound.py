"""The preview's own soundtrack, made from sines and noise; no recording is used."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def soundtrack(
    prompt: str, template: str | None, seed: int, duration_s: float, rate: int = 48_000
) -> npt.NDArray[np.float32]:
    """Make `[2, N]` float32 stereo of `duration_s`."""
    count = round(duration_s * rate)
    time = np.arange(count, dtype=np.float32) / np.float32(rate)
    rng = np.random.default_rng(seed)
    root = float(rng.choice([110.0, 123.5, 130.8, 146.8]))
    left = sum(np.sin(2 * np.pi * root * k * time) for k in (1.0, 1.5, 2.0))
    right = sum(np.sin(2 * np.pi * root * k * time) for k in (1.0, 1.5, 2.5))
    fade = np.minimum(1.0, np.minimum(time, duration_s - time) / 0.5)
    mixed: npt.NDArray[np.float32] = (np.stack([left, right]) * fade * 0.07).astype(np.float32)
    return mixed
