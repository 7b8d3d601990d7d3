"""Fitting pictures into the frame: cover and centre-crop, never a stretch.

Also the wider picture around the frame, which a camera that pulls back needs: what the crop cut
away is put back, and beyond the picture's own rim lies a soft mirror image. Obeys design.md §4.6.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from kinogate.engines.preview.canvas import Canvas


def fit_cover(image: Canvas, width: int, height: int) -> Canvas:
    """Scale `image` until it covers the frame, then cut the overhang off evenly.

    Args:
        image: `[h, w, 3]` uint8 RGB of any size from 1 by 1.
        width: Pixels of the frame.
        height: Pixels of the frame.

    Returns:
        A new C-contiguous `[height, width, 3]` array; the same input gives the same bytes.
    """
    scaled = _scale_to_cover(image, width, height)
    top = (scaled.shape[0] - height) // 2
    left = (scaled.shape[1] - width) // 2
    return np.array(scaled[top : top + height, left : left + width], order="C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """A picture larger than the frame, with the frame's exact pixels in the middle.

    Attributes:
        pixels: `[height + 2 * margin_y, width + 2 * margin_x, 3]` uint8 RGB.
        margin_x: Columns left of the frame, and as many to its right.
        margin_y: Rows above the frame, and as many below.
    """

    pixels: Canvas
    margin_x: int
    margin_y: int


def surround(image: Canvas, width: int, height: int, margin: float) -> Surroundings:
    """Lay the frame into a wider picture, `margin` of each side's length all around.

    Args:
        image: The picture that the frame is cut from.
        width: Pixels of the frame.
        height: Pixels of the frame.
        margin: Share of the frame's width and height added on each side, 0.0–0.5.
    """
    margin_x, margin_y = round(width * margin), round(height * margin)
    frame = fit_cover(image, width, height)
    scaled = _scale_to_cover(image, width, height)
    over_y, over_x = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    keep_y, keep_x = min(over_y, margin_y), min(over_x, margin_x)
    known = scaled[
        over_y - keep_y : over_y + height + keep_y,
        over_x - keep_x : over_x + width + keep_x,
    ]
    wide = _extend(known, margin_x - keep_x, margin_y - keep_y)
    wide[margin_y : margin_y + height, margin_x : margin_x + width] = frame
    return Surroundings(pixels=wide, margin_x=margin_x, margin_y=margin_y)


def _scale_to_cover(image: Canvas, width: int, height: int) -> Canvas:
    image_height, image_width = image.shape[:2]
    scale = max(width / image_width, height / image_height)
    size = (
        max(width, round(image_width * scale)),
        max(height, round(image_height * scale)),
    )
    if size == (image_width, image_height):
        return image
    flags = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=flags), dtype=np.uint8)


def _extend(known: Canvas, pad_x: int, pad_y: int) -> Canvas:
    """Mirror the rim outwards, the softer the farther: an eye takes it for out-of-focus ground."""
    if pad_x == 0 and pad_y == 0:
        return known.copy()
    height, width = known.shape[:2]
    mirrored = cv2.copyMakeBorder(known, pad_y, pad_y, pad_x, pad_x, cv2.BORDER_REFLECT_101)
    wide = _calm(np.asarray(mirrored, dtype=np.uint8), known, pad_x, pad_y)
    small = cv2.resize(wide, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    sigma = max(1.0, 0.012 * max(height, width) / 4.0)
    soft = cv2.GaussianBlur(small, (0, 0), sigma)
    soft = cv2.resize(soft, (wide.shape[1], wide.shape[0]), interpolation=cv2.INTER_LINEAR)
    across = _softness(width, pad_x)
    down = _softness(height, pad_y)
    share = np.maximum(across[None, :], down[:, None])[..., None]
    return np.asarray(wide + (soft.astype(np.float32) - wide) * share + 0.5, dtype=np.uint8)


def _calm(wide: Canvas, known: Canvas, pad_x: int, pad_y: int) -> Canvas:
    """Where the rim itself is calm (sky, a wall), draw it on instead of mirroring what is near it.

    A mirrored roof under the upper rim gives the trick away; a sky that just goes on does not.
    """
    height, width = known.shape[:2]
    drawn_on = cv2.copyMakeBorder(known, pad_y, pad_y, pad_x, pad_x, cv2.BORDER_REPLICATE)
    sides = (
        (slice(0, pad_y), slice(None), known[0]),
        (slice(pad_y + height, None), slice(None), known[-1]),
        (slice(None), slice(0, pad_x), known[:, 0]),
        (slice(None), slice(pad_x + width, None), known[:, -1]),
    )
    for rows, columns, rim in sides:
        unrest = float(np.abs(np.diff(rim.astype(np.int16), axis=0)).mean())
        if unrest < 1.0 and rim.shape[0] > 1:
            wide[rows, columns] = drawn_on[rows, columns]
    return wide


def _softness(length: int, pad: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """0 inside the known span, rising to 1 within a third of the padding."""
    place = np.arange(length + 2 * pad, dtype=np.float32)
    outside = np.maximum(pad - place, place - (length + pad - 1))
    return np.clip(outside / max(1.0, pad / 3.0), 0.0, 1.0).astype(np.float32)
