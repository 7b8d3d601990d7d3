"""Finding who is in the picture: a mask of the main figure, its box, and where its face is.

A guess by colour, place and contrast, without a trained model. When nothing stands out, the figure
is an oval in the middle, so that every effect has something to work on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.canvas import Canvas
from kinogate.engines.preview.depth import FloatMap, saliency, shrink

_LONG_SIDE = 200
_CUT_ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """The main figure of a picture. Lengths are frame heights from the middle of the frame.

    Attributes:
        mask: `[h, w]` float32 over the whole frame, 1.0 on the figure, with a soft rim.
        left: Its leftmost place.
        right: Its rightmost place.
        top: Its highest place.
        bottom: Its lowest place; 0.5 when it is cut off by the frame.
        face_x: Middle of its face, or of where a face would be.
        face_y: Likewise, downwards.
        face_size: Half the height of the face.
    """

    mask: FloatMap
    left: float
    right: float
    top: float
    bottom: float
    face_x: float
    face_y: float
    face_size: float

    @property
    def x(self) -> float:
        """Its middle."""
        return (self.left + self.right) / 2.0

    @property
    def y(self) -> float:
        """Its middle, downwards."""
        return (self.top + self.bottom) / 2.0

    @property
    def width(self) -> float:
        """Frame heights from side to side."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Frame heights from head to foot."""
        return self.bottom - self.top


def find_figure(frame: Canvas) -> Figure:
    """Guess the main figure of `frame`; takes about 0.1 s, the same for any size of frame."""
    small = shrink(frame, _LONG_SIDE)
    height, width = small.shape[:2]
    mask = _cut_out(small)
    share = float(mask.mean())
    if not 0.04 < share < 0.72:
        mask = _oval(height, width)
    rows = np.flatnonzero((mask > 0.5).sum(axis=1) > 0.02 * width)
    columns = np.flatnonzero((mask > 0.5).sum(axis=0) > 0.02 * height)
    if len(rows) == 0 or len(columns) == 0:
        mask = _oval(height, width)
        rows, columns = (
            np.arange(height // 6, height),
            np.arange(width // 4, 3 * width // 4),
        )
    top, bottom = float(rows[0]) / height - 0.5, float(rows[-1] + 1) / height - 0.5
    left = (float(columns[0]) - width / 2.0) / height
    right = (float(columns[-1] + 1) - width / 2.0) / height
    face_x, face_y, face_size = _face(small, mask, top, bottom)
    return Figure(
        mask=mask, left=left, right=right, top=top, bottom=bottom,
        face_x=face_x, face_y=face_y, face_size=face_size,
    )  # fmt: skip


def _cut_out(small: Canvas) -> FloatMap:
    """Cut the figure out by colour, starting from what stands out in the middle."""
    height, width = small.shape[:2]
    down = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
    across = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :] * (width / height)
    middle = np.exp(-((across / 0.62) ** 2) - ((down - 0.15) / 0.85) ** 2)
    likely = (0.35 + saliency(small)) * middle
    labels = np.full((height, width), cv2.GC_PR_BGD, dtype=np.uint8)
    labels[likely > np.percentile(likely, 72.0)] = cv2.GC_PR_FGD
    labels[likely > np.percentile(likely, 93.0)] = cv2.GC_FGD
    rim = max(2, width // 40)
    labels[:rim] = cv2.GC_BGD
    far = np.abs(across) > 0.82 * (width / height)
    labels[np.broadcast_to(far, labels.shape)] = cv2.GC_BGD
    # The cut starts from clusters drawn by OpenCV's own generator: pin it, or the bytes vary.
    cv2.setRNGSeed(7)
    near, far_model = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, labels, None, near, far_model, _CUT_ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]  # the stub forgets that the rectangle may be None
    inside = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    inside = _largest(inside)
    closing = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    whole = cv2.morphologyEx(inside, cv2.MORPH_CLOSE, closing)
    return np.asarray(cv2.GaussianBlur(whole.astype(np.float32), (0, 0), 1.1), dtype=np.float32)


def _largest(inside: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Keep the big pieces only, and fill the holes in them."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    if count <= 1:
        return inside
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = 1 + np.flatnonzero(areas >= 0.25 * areas.max())
    solid = np.isin(labels, kept).astype(np.uint8)
    outlines, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(solid)
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    return filled


def _oval(height: int, width: int) -> FloatMap:
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] - 0.05
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None, :] * (width / height)
    reach = min(0.28, 0.36 * width / height)
    away = np.sqrt((across / reach) ** 2 + (down / 0.42) ** 2)
    return np.asarray(np.clip((1.08 - away) / 0.16, 0.0, 1.0), dtype=np.float32)


def _face(small: Canvas, mask: FloatMap, top: float, bottom: float) -> tuple[float, float, float]:
    """Where skin colours gather in the upper part of the figure, else where a head would be."""
    height, width = small.shape[:2]
    rows = np.arange(height, dtype=np.float32)[:, None] / height - 0.5
    tall = bottom - top
    upper = (rows > top - 0.01) & (rows < top + 0.62 * tall) & (mask > 0.5)
    luma, red, blue = (
        c.astype(np.int16) for c in cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb))
    )
    skin = upper & (luma > 70) & (red > 136) & (red < 172) & (blue > 85) & (blue < 130)
    ys, xs = np.nonzero(skin)
    if len(ys) > 0.004 * height * width:
        x = float(np.median(xs))
        # Bare shoulders and fur look like skin too, but a face is never half-way down.
        y = min(float(np.median(ys)) / height - 0.5, top + 0.37 * tall)
        size = max(0.72 * math.sqrt(len(ys)) / height, 0.17 * tall)
        return (
            (x + 0.5 - width / 2.0) / height,
            y,
            min(0.3, max(0.05, size)),
        )
    head = upper & (rows < top + 0.35 * tall)
    columns = np.nonzero(head)[1]
    middle = float(np.median(columns)) if len(columns) else width / 2.0
    return (middle - width / 2.0) / height, top + 0.22 * tall, min(0.2, 0.2 * tall)
