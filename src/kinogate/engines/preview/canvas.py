"""The few drawing operations that every scene, subject and effect is made of.

A canvas is a C-contiguous `[H, W, 3]` uint8 RGB array. Shapes are given in float pixels and drawn
anti-aliased with 1/16-pixel vertices, so slow motion does not jitter; a camera move is a transform
of the points, never a warp of pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Canvas = npt.NDArray[np.uint8]
"""`[H, W, 3]` uint8, RGB, full range."""

Points = npt.NDArray[np.float64]
"""`[N, 2]` float pixels, x to the right and y downwards."""

Color = tuple[int, int, int]
"""RGB, 0–255 each."""

_SHIFT = 4
_SCALE = 1 << _SHIFT


def _fixed(points: Points) -> npt.NDArray[np.int32]:
    return np.rint(np.asarray(points, dtype=np.float64) * _SCALE).astype(np.int32)


def fill(canvas: Canvas, points: Points, color: Color) -> None:
    """Fill one polygon; parts outside the canvas are clipped."""
    cv2.fillPoly(canvas, [_fixed(points)], color, cv2.LINE_AA, _SHIFT)


def fill_many(canvas: Canvas, polygons: list[Points], color: Color) -> None:
    """Fill several polygons of one colour in one call; overlaps cancel (even-odd rule)."""
    cv2.fillPoly(canvas, [_fixed(points) for points in polygons], color, cv2.LINE_AA, _SHIFT)


def stroke(
    canvas: Canvas, points: Points, color: Color, width: float, *, closed: bool = False
) -> None:
    """Draw a polyline of at least one pixel width."""
    thickness = max(1, round(width))
    cv2.polylines(canvas, [_fixed(points)], closed, color, thickness, cv2.LINE_AA, _SHIFT)


def disc(canvas: Canvas, x: float, y: float, radius: float, color: Color) -> None:
    """Fill a circle."""
    center = (round(x * _SCALE), round(y * _SCALE))
    cv2.circle(canvas, center, max(0, round(radius * _SCALE)), color, -1, cv2.LINE_AA, _SHIFT)


def fill_alpha(canvas: Canvas, points: Points, color: Color, alpha: float) -> None:
    """Fill one polygon with `alpha` 0.0–1.0; costs only its bounding box."""
    height, width = canvas.shape[:2]
    x0 = max(0, int(np.floor(points[:, 0].min())))
    y0 = max(0, int(np.floor(points[:, 1].min())))
    x1 = min(width, int(np.ceil(points[:, 0].max())) + 1)
    y1 = min(height, int(np.ceil(points[:, 1].max())) + 1)
    if x0 >= x1 or y0 >= y1 or alpha <= 0.0:
        return
    region = canvas[y0:y1, x0:x1]
    painted = region.copy()
    fill(painted, points - np.array([x0, y0], dtype=np.float64), color)
    region[:] = cv2.addWeighted(painted, alpha, region, 1.0 - alpha, 0.0)


def mix(first: Color, second: Color, share: float) -> Color:
    """The colour `share` 0.0–1.0 of the way from `first` to `second`."""
    keep = 1.0 - share
    return (
        round(first[0] * keep + second[0] * share),
        round(first[1] * keep + second[1] * share),
        round(first[2] * keep + second[2] * share),
    )
