"""Guessing what is near: a smooth depth map from one picture, without a trained model.

Near is what lies low in the frame, in its middle, stands out from the rest, and is sharp. The guess
is kept smooth on purpose: a wrong edge tears a picture apart, a soft one only leans it a little.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.canvas import Canvas

FloatMap = npt.NDArray[np.float32]
"""`[h, w]` float32 over the whole frame."""

_LONG_SIDE = 192


def shrink(frame: Canvas, long_side: int = _LONG_SIDE) -> Canvas:
    """Scale a frame down so that its longer side has `long_side` pixels."""
    height, width = frame.shape[:2]
    scale = long_side / max(height, width)
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def guess_depth(frame: Canvas) -> FloatMap:
    """Guess how near each part of `frame` is.

    Args:
        frame: `[H, W, 3]` uint8 RGB.

    Returns:
        `[h, w]` float32 in 0.0 (far) – 1.0 (near), longer side 192, without hard edges.
    """
    small = shrink(frame)
    height, width = small.shape[:2]
    down = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    across = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :]
    middle = np.exp(-((across / 0.55) ** 2 + ((down - 0.55) / 0.45) ** 2))
    striking = saliency(small)
    guess = 0.42 * down + 0.33 * striking * (0.35 + 0.65 * middle) + 0.25 * middle
    guide = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255.0
    near = _guided(guide, np.asarray(guess, dtype=np.float32), radius=max(4, width // 20), eps=0.02)
    near = np.asarray(cv2.GaussianBlur(near, (0, 0), width / 26.0), dtype=np.float32)
    return _spread(near)


def saliency(small: Canvas) -> FloatMap:
    """How much each part stands out by colour and sharpness, 0.0–1.0, shape of `small`."""
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    width = small.shape[1]
    fine = cv2.GaussianBlur(lab, (0, 0), max(1.0, width / 96.0))
    rim = np.concatenate(
        [
            fine[:4].reshape(-1, 3),
            fine[:, :4].reshape(-1, 3),
            fine[:, -4:].reshape(-1, 3),
        ]
    )
    unlike_rim = np.linalg.norm(fine - np.median(rim, axis=0), axis=2)
    unlike_all = np.linalg.norm(fine - fine.reshape(-1, 3).mean(axis=0), axis=2)
    detail = np.abs(cv2.Laplacian(lab[..., 0], cv2.CV_32F, ksize=3))
    sharp = cv2.GaussianBlur(detail, (0, 0), width / 40.0)
    total = _spread(unlike_rim) * 0.4 + _spread(unlike_all) * 0.35 + _spread(sharp) * 0.25
    return _spread(np.asarray(cv2.GaussianBlur(total, (0, 0), width / 48.0), dtype=np.float32))


def straightness(frame: Canvas) -> float:
    """How much of the picture's outlines is upright or level, 0.0 (a face) – 1.0 (a page)."""
    small = cv2.cvtColor(shrink(frame, 320), cv2.COLOR_RGB2GRAY)
    across = np.abs(cv2.Sobel(small, cv2.CV_32F, 1, 0))
    down = np.abs(cv2.Sobel(small, cv2.CV_32F, 0, 1))
    strength = across + down
    strong = strength > 60.0
    if int(np.count_nonzero(strong)) < 50:
        return 0.0
    aligned = np.maximum(across, down)[strong] > 0.93 * strength[strong]
    return min(1.0, max(0.0, (float(aligned.mean()) - 0.35) / 0.4))


def _spread(values: npt.ArrayLike) -> FloatMap:
    """Stretch to 0–1 between the 2nd and the 98th percentile; a flat map becomes all zeros."""
    found = np.asarray(values, dtype=np.float32)
    low, high = np.percentile(found, (2.0, 98.0))
    if high - low < 1e-6:
        return np.zeros_like(found)
    return np.asarray(np.clip((found - low) / (high - low), 0.0, 1.0), dtype=np.float32)


def _guided(guide: FloatMap, values: FloatMap, radius: int, eps: float) -> FloatMap:
    """Guided filter: smooth `values`, but let them turn where `guide` has an edge."""
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(field: FloatMap) -> FloatMap:
        return np.asarray(cv2.blur(field, size), dtype=np.float32)

    mean_guide, mean_values = mean(guide), mean(values)
    spread = mean(guide * guide) - mean_guide * mean_guide
    covariance = mean(guide * values) - mean_guide * mean_values
    slope = np.asarray(covariance / (spread + eps), dtype=np.float32)
    offset = np.asarray(mean_values - slope * mean_guide, dtype=np.float32)
    return np.asarray(mean(slope) * guide + mean(offset), dtype=np.float32)
