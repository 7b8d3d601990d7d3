"""Finding who is in the picture: a mask of the main figure, its box, and where its face is.

A guess by colour, place and contrast, without a trained model. When nothing stands out, the figure
is an oval in the middle, so that every effect has something to work on.
"""

from __future__ import annotations

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
    if not 0.04 < share < 0.86:
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
    # Shoulders may reach the sides of a tall frame, but nothing that matters touches its upper half.
    far = (np.abs(across) > 0.82 * (width / height)) & (down < (0.0 if height > width else 2.0))
    labels[np.broadcast_to(far, labels.shape)] = cv2.GC_BGD
    _expect_bodies(small, labels)
    # The cut starts from clusters drawn by OpenCV's own generator: pin it, or the bytes vary.
    cv2.setRNGSeed(7)
    near, far_model = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, labels, None, near, far_model, _CUT_ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]  # the stub forgets that the rectangle may be None
    inside = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    inside = _largest(inside)
    closing = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    whole = cv2.morphologyEx(inside, cv2.MORPH_CLOSE, closing)
    return np.asarray(cv2.GaussianBlur(whole.astype(np.float32), (0, 0), 1.1), dtype=np.float32)


def _skin(small: Canvas) -> npt.NDArray[np.bool_]:
    """Where colours are those of skin, light or dark, under ordinary light."""
    luma, warm, cold = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb))
    likely = (luma > 70) & (warm > 136) & (warm < 172) & (cold > 85) & (cold < 130)
    red, green, blue = (channel.astype(np.float32) for channel in cv2.split(small))
    # Petals are bluer than skin, ginger fur has hardly any blue, linen is paler.
    likely &= (
        (green > blue - 6.0)
        & (red - green < 0.40 * red)
        & (red - green > 0.10 * red)
        & (blue > 0.42 * red)
    )
    return np.asarray(likely, dtype=np.bool_)


def _faces(small: Canvas) -> list[tuple[int, int, int, int]]:
    """Left, top, width and height of what may be faces, in pixels of `small`; largest first."""
    height, width = small.shape[:2]
    count, _, stats, _ = cv2.connectedComponentsWithStats(_skin(small).astype(np.uint8))
    found = []
    for x, y, w, h, area in stats[1:count].tolist():
        is_compact = area > 0.45 * w * h and 0.7 * w < h < 2.8 * w
        if is_compact and area > 0.008 * height * width and y >= 2 and w < 0.6 * width:
            # A bare neck belongs to the patch of skin, but not to the face.
            found.append((x, y, w, min(h, round(1.35 * w))))
    return sorted(found, key=lambda face: -face[2] * face[3])


def _expect_bodies(small: Canvas, labels: npt.NDArray[np.uint8]) -> None:
    """Around a face expect hair, and below it shoulders, whatever they are dressed in."""
    height = small.shape[0]
    for x, y, w, h in _faces(small):
        middle, chin = x + w / 2.0, y + 1.05 * h
        cv2.ellipse(
            labels, (round(middle), round(y + 0.42 * h)), (round(0.78 * w), round(0.78 * h)),
            0, 0, 360, cv2.GC_PR_FGD, -1,
        )  # fmt: skip
        cv2.ellipse(
            labels, (round(middle), round(y + 0.34 * h)), (round(0.46 * w), round(0.56 * h)),
            0, 0, 360, cv2.GC_FGD, -1,
        )  # fmt: skip
        for reach, hip, label in ((1.5, 1.6, cv2.GC_PR_FGD), (0.6, 0.9, cv2.GC_FGD)):
            outline = [
                (middle - 0.5 * w, chin), (middle + 0.5 * w, chin),
                (middle + reach * w, chin + 0.45 * h), (middle + hip * w, height),
                (middle - hip * w, height), (middle - reach * w, chin + 0.45 * h),
            ]  # fmt: skip
            cv2.fillPoly(labels, [np.array(outline).astype(np.int32)], label)


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
    """The largest thing like a face on the figure, else where a head would be."""
    height, width = small.shape[:2]
    tall = bottom - top
    for x, y, w, h in _faces(small):
        row, column = y + h // 2, x + w // 2
        if mask[row, column] > 0.5 and row / height - 0.5 < top + 0.6 * tall:
            size = min(0.3, max(0.05, 0.55 * h / height))
            return (column - width / 2.0) / height, row / height - 0.5, size
    rows = np.arange(height, dtype=np.float32)[:, None] / height - 0.5
    head = (rows > top - 0.01) & (rows < top + 0.35 * tall) & (mask > 0.5)
    columns = np.nonzero(head)[1]
    middle = float(np.median(columns)) if len(columns) else width / 2.0
    return (middle - width / 2.0) / height, top + 0.24 * tall, min(0.2, 0.2 * tall)
