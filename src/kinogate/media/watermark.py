"""The visible mark in the lower right corner, laid over the frames of whatever engine.

The text is prepared once; a frame then costs a multiply and an add on the mark's own pixels. Which
text to use is the dialect's business (design §4.9).
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Frame = npt.NDArray[np.uint8]
"""`[H, W, 3]` uint8, RGB, full range."""

LABEL_SHARE: Final = 0.05
"""Height of a label's letters, of the picture's shorter side (notes on expectations, §2 l)."""

_FALLBACK = "AI-generated"
_HEIGHT_SHARE = 0.03  # of the picture's height, as the type's size
_OPACITY = 0.85
_SMALLEST_PX = 9


class Watermark:
    """One line of text for pictures of one size: white with a dark rim, so any ground will do."""

    def __init__(self, text: str, width: int, height: int, *, letters_px: float = 0.0) -> None:
        """Draw the mark.

        Args:
            text: The line. When the bundled font lacks one of its letters (it has no Chinese),
                "AI-generated" is written instead: boxes would tell nobody anything.
            width: Pixels of the pictures to come.
            height: Pixels of the pictures to come.
            letters_px: Least height of a capital letter, as far as the line then fits.
        """
        size = max(_SMALLEST_PX, round(height * _HEIGHT_SHARE))
        font = ImageFont.load_default(size)
        # Not until equal: a letter's outermost rows are half transparent.
        while letters_px > 0 and _cover("H", font, 0).height <= letters_px:
            size += 1
            font = ImageFont.load_default(size)
        line = text if can_write(text, font) else _FALLBACK
        rim = max(1, size // 12)
        ink = _cover(line, font, 0)
        while ink.width > width * 0.9 and size > _SMALLEST_PX:
            size -= 1
            font = ImageFont.load_default(size)
            ink = _cover(line, font, 0)
        margin = 2 * rim
        padded = ((margin, margin), (margin, margin))
        letters = np.pad(np.asarray(ink, dtype=np.float32) / 255.0, padded)
        # The rim is the letters grown and softened, below the letters and half as strong.
        ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
        grown = cv2.GaussianBlur(cv2.dilate(letters, ellipse), (0, 0), rim / 2)
        dark = 0.6 * grown * (1.0 - letters)
        alpha = (letters + dark) * _OPACITY
        inset = max(2, round(height * 0.022))
        self._bottom = height - inset
        self._right = width - inset
        top, left = self._bottom - letters.shape[0], self._right - letters.shape[1]
        cut = (slice(max(0, -top), None), slice(max(0, -left), None))
        self._top, self._left = max(0, top), max(0, left)
        white = np.repeat((letters * (_OPACITY * 255.0))[cut][..., None], 3, axis=2)
        clear = np.repeat(((1.0 - alpha) * 255.0)[cut][..., None], 3, axis=2)
        self._light = np.rint(white).astype(np.uint8)
        self._keep = np.rint(np.clip(clear, 0.0, 255.0)).astype(np.uint8)

    @property
    def region(self) -> tuple[int, int, int, int]:
        """The pixels it may change: left, top, right and bottom, the last two excluded."""
        return self._left, self._top, self._right, self._bottom

    def apply(self, frame: Frame) -> None:
        """Lay the mark over `frame`, which has the announced size, in place."""
        region = frame[self._top : self._bottom, self._left : self._right]
        kept = cv2.multiply(region, self._keep, scale=1.0 / 255.0)
        region[:] = cv2.add(kept, self._light)


def label_letters_px(width: int, height: int) -> float:
    """Least height of a label's letters on pictures of that size."""
    return LABEL_SHARE * min(width, height)


def marked_frames(seconds: float | None, fps: float, frame_count: int) -> int:
    """How many frames from the start carry the mark; all of them when `seconds` is None."""
    return frame_count if seconds is None else min(frame_count, math.ceil(seconds * fps))


def can_write(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> bool:
    """Whether `font` has every letter of `text`; a line without ink counts as not writable."""
    if not text.strip():
        return False
    # U+FFFFF is never assigned: whatever is drawn for it is the font's "missing" sign.
    missing = _cover("\U000fffff", font, 0).tobytes()
    return all(
        letter.isascii() or _cover(letter, font, 0).tobytes() != missing
        for letter in set(text) - {" "}
    )


def _cover(
    text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, stroke: int
) -> Image.Image:
    """Coverage of the written line, `L` mode, cut to its ink."""
    left, top, right, bottom = font.getbbox(text)
    size = (max(1, int(right - left) + 2 * stroke), max(1, int(bottom - top) + 2 * stroke))
    picture = Image.new("L", size, 0)
    ImageDraw.Draw(picture).text((stroke - left, stroke - top), text, fill=255, font=font)
    return picture
