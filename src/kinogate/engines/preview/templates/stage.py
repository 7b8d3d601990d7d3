"""What every effect works on: the picture, its figure cut out, the ground behind, and some light.

An effect is a function that takes a `Stage`, prepares what it needs once, and returns a function
from seconds to frames. Lengths are frame heights from the middle of the frame, so that an effect
looks alike at any size and aspect.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.canvas import Canvas, Color, Points, disc, fill, fill_alpha, stroke
from kinogate.engines.preview.figure import Figure, find_figure
from kinogate.engines.preview.fit import Surroundings, fit_cover, surround
from kinogate.engines.preview.keyframes import blend
from kinogate.engines.preview.pacing import smooth
from kinogate.engines.preview.warp import Field, Grid

Shot = Callable[[float], Canvas]
"""Seconds since the start, above 0, to a fresh frame."""

Floats = npt.NDArray[np.floating]

_MARGIN = 0.2


class Stage:
    """One picture, made ready for effects. Costly parts are made when first asked for."""

    def __init__(
        self, image: Canvas, seed: int, width: int, height: int, *, fps: int, frame_count: int
    ) -> None:
        """Fit the picture to the frame; `seed` decides everything an effect leaves to chance."""
        self._image = image
        self.width, self.height = width, height
        self.half_width = width / height / 2.0
        self.duration_s = max(1, frame_count) / fps
        self.still: Canvas = fit_cover(image, width, height)
        self.grid = Grid(width, height)
        self.rng = random.Random(f"{seed}/template")
        self.dice = np.random.default_rng([seed, 4])

    @cached_property
    def figure(self) -> Figure:
        """Who is in the picture."""
        return find_figure(self.still)

    @cached_property
    def wide(self) -> Surroundings:
        """The picture with ground around it."""
        return surround(self._image, self.width, self.height, _MARGIN)

    @cached_property
    def cover(self) -> npt.NDArray[np.uint8]:
        """`[H, W]` uint8, 255 on the figure."""
        size = (self.width, self.height)
        soft = cv2.resize(self.figure.mask, size, interpolation=cv2.INTER_CUBIC)
        firm = np.clip((soft - 0.5) * 2.2 + 0.5, 0.0, 1.0) * 255.0
        return np.asarray(firm + 0.5, dtype=np.uint8)

    @cached_property
    def _sprite(self) -> npt.NDArray[np.uint8]:
        """The figure in RGBA; at the frame's rim it goes on, as a body does."""
        wide = self.wide
        alpha = cv2.copyMakeBorder(
            self.cover, wide.margin_y, wide.margin_y, wide.margin_x, wide.margin_x,
            cv2.BORDER_REPLICATE,
        )  # fmt: skip
        if self.figure.bottom < 0.492:
            # It stands on its own feet: nothing of it goes on below.
            alpha[round((self.figure.bottom + 0.5) * self.height) + wide.margin_y :] = 0
        return np.dstack([wide.pixels, alpha])

    @cached_property
    def ground(self) -> Surroundings:
        """The picture without its figure: the hole is filled from around it."""
        wide = self.wide
        alpha = self._sprite[..., 3]
        scale = 160.0 / max(alpha.shape)
        small_mask = cv2.resize(alpha, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        small = cv2.resize(wide.pixels, small_mask.shape[::-1], interpolation=cv2.INTER_AREA)
        hole = cv2.dilate(small_mask, np.ones((7, 7), np.uint8)).astype(np.float32) / 255.0
        filled = _fill_hole(small.astype(np.float32), np.clip(hole * 1.5, 0.0, 1.0))
        size = (alpha.shape[1], alpha.shape[0])
        patch = cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR)
        weight = cv2.resize(hole, size, interpolation=cv2.INTER_LINEAR)
        pixels = blend(
            wide.pixels, np.asarray(patch, dtype=np.uint8), (weight * 255.0).astype(np.uint8)
        )
        return Surroundings(pixels=pixels, margin_x=wide.margin_x, margin_y=wide.margin_y)

    def drift(self, t: float, push: float = 0.035) -> tuple[Field, Field]:
        """Where to read for a picture that only breathes: a slow push and a small circle."""
        fade = smooth(t / 1.2)
        scale = np.float32(math.exp(-push * fade * (1.0 - math.exp(-t / 6.0))))
        round_u = np.float32(0.0030 * (math.cos(1.9 * t) - 1.0))
        round_v = np.float32(0.0030 * math.sin(1.9 * t))
        return self.grid.u * scale + round_u, self.grid.v * scale + round_v

    def picture(self, u: Field | Floats, v: Field | Floats) -> Canvas:
        """The whole picture, read at `u`, `v`."""
        return self._pull(self.wide, u, v)

    def behind(self, u: Field | Floats, v: Field | Floats) -> Canvas:
        """The ground without the figure, read at `u`, `v`."""
        return self._pull(self.ground, u, v)

    def figure_over(
        self,
        frame: Canvas,
        u: Field | Floats,
        v: Field | Floats,
        *,
        gain: float = 1.0,
        weight: npt.NDArray[np.uint8] | None = None,
        tone: Callable[[Canvas], Canvas] | None = None,
    ) -> Canvas:
        """Lay the figure, read at `u`, `v`, over `frame`.

        Args:
            frame: What is behind it.
            u: Where to read, in frame heights.
            v: Likewise, downwards.
            gain: Brightness of the figure, 1.0 as it is.
            weight: `[H, W]` uint8 that thins it out, 255 as it is.
            tone: Repaints the figure's pixels before it is laid over.
        """
        layer = self.grid.pull(
            self._sprite, np.asarray(u, np.float32), np.asarray(v, np.float32),
            margin=(self.wide.margin_x, self.wide.margin_y), border=cv2.BORDER_CONSTANT,
        )  # fmt: skip
        alpha = np.asarray(cv2.extractChannel(layer, 3), dtype=np.uint8)
        colors = np.asarray(cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB), dtype=np.uint8)
        if tone is not None:
            colors = tone(colors)
        if gain != 1.0:
            colors = np.asarray(cv2.convertScaleAbs(colors, alpha=gain), dtype=np.uint8)
        if weight is not None:
            alpha = np.asarray(cv2.multiply(alpha, weight, scale=1.0 / 255.0), dtype=np.uint8)
        return blend(frame, colors, alpha)

    def at(self, points: Points) -> Points:
        """Frame heights from the middle to pixels."""
        middle = np.array([self.width / 2.0, self.height / 2.0])
        return np.asarray(points * self.height + middle, dtype=np.float64)

    def poly(self, frame: Canvas, points: Points, color: Color, alpha: float = 1.0) -> None:
        """Fill a polygon given in frame heights."""
        if alpha >= 1.0:
            fill(frame, self.at(points), color)
        else:
            fill_alpha(frame, self.at(points), color, alpha)

    def line(
        self, frame: Canvas, points: Points, color: Color, width: float, *, closed: bool = False
    ) -> None:
        """Draw a line of `width` frame heights."""
        stroke(frame, self.at(points), color, width * self.height, closed=closed)

    def dot(self, frame: Canvas, x: float, y: float, radius: float, color: Color) -> None:
        """Fill a circle given in frame heights."""
        disc(
            frame, x * self.height + self.width / 2.0, y * self.height + self.height / 2.0,
            radius * self.height, color,
        )  # fmt: skip

    def light(
        self, frame: Canvas, shapes: Iterable[tuple[Points, Color]], blur: float = 0.02,
        strength: float = 1.0, *, line: float = 0.0,
    ) -> None:  # fmt: skip
        """Add soft light in the form of polygons, or of lines `line` frame heights wide."""
        small = np.zeros((max(2, self.height // 4), max(2, self.width // 4), 3), dtype=np.uint8)
        for points, color in shapes:
            if line > 0.0:
                stroke(small, self.at(points) / 4.0, color, line * self.height / 4.0)
            else:
                fill(small, self.at(points) / 4.0, color)
        self.add(frame, small, blur, strength)

    def add(self, frame: Canvas, small: Canvas, blur: float, strength: float = 1.0) -> None:
        """Add a small picture as light, softened by `blur` frame heights."""
        sigma = max(0.6, blur * small.shape[0])
        while sigma > 3.0 and min(small.shape[:2]) > 16:
            # A wide blur of few pixels looks the same and costs a tenth.
            half = (small.shape[1] // 2, small.shape[0] // 2)
            small = np.asarray(cv2.resize(small, half, interpolation=cv2.INTER_AREA), np.uint8)
            sigma /= 2.0
        soft = cv2.GaussianBlur(small, (0, 0), sigma)
        if strength != 1.0:
            soft = cv2.convertScaleAbs(soft, alpha=strength)
        size = (self.width, self.height)
        cv2.add(frame, cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR), dst=frame)

    def tint(self, frame: Canvas, color: Color, amount: float) -> None:
        """Move the whole frame towards a colour by `amount` 0.0–1.0."""
        if amount > 0.0:
            veil = np.empty_like(frame)
            veil[:] = color
            cv2.addWeighted(frame, 1.0 - amount, veil, amount, 0.0, dst=frame)

    def scale_map(self, field: Field | Floats) -> npt.NDArray[np.uint8]:
        """A field 0–1 over the grid as `[H, W]` uint8 weights."""
        levels = np.clip(np.asarray(field)[1:-1, 1:-1] * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
        rows, columns = levels.shape
        full = cv2.resize(levels, (columns * 8, rows * 8), interpolation=cv2.INTER_LINEAR)
        return np.ascontiguousarray(full[: self.height, : self.width])

    def _pull(self, source: Surroundings, u: Field | Floats, v: Field | Floats) -> Canvas:
        return self.grid.pull(
            source.pixels, np.asarray(u, np.float32), np.asarray(v, np.float32),
            margin=(source.margin_x, source.margin_y),
        )  # fmt: skip


def _fill_hole(
    image: npt.NDArray[np.float32], hole: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Fill where `hole` is 1 with the surroundings, near ones first.

    It reaches farther to the sides than up and down: horizons and floors are level.
    """
    known = (1.0 - hole)[..., None]
    result = image * known
    filled = known.copy()
    sigma = 0.8
    while sigma < max(image.shape):
        reach = (3.5 * sigma, sigma)
        weight = cv2.GaussianBlur(known, (0, 0), reach[0], None, reach[1])[..., None]
        colors = cv2.GaussianBlur(image * known, (0, 0), reach[0], None, reach[1])
        colors = colors / np.maximum(weight, 1e-4)
        sure = np.clip(weight * 6.0, 0.0, 1.0) * (1.0 - filled)
        result = result + colors * sure
        filled = filled + sure
        sigma *= 1.8
    return np.asarray(result / np.maximum(filled, 1e-3), dtype=np.float32)


def pts(*pairs: tuple[float, float]) -> Points:
    """Points from pairs."""
    return np.array(pairs, dtype=np.float64)


def oval(x: float, y: float, rx: float, ry: float, turn: float = 0.0, corners: int = 40) -> Points:
    """The outline of an ellipse, turned clockwise by `turn` radians."""
    angle = np.linspace(0.0, 2.0 * math.pi, corners, endpoint=False)
    return placed(np.stack([rx * np.cos(angle), ry * np.sin(angle)], axis=1), x, y, 1.0, turn)


def heart(x: float, y: float, size: float, turn: float = 0.0, corners: int = 60) -> Points:
    """The outline of a heart about `2 * size` wide, starting at its upper notch."""
    a = np.linspace(0.0, 2.0 * math.pi, corners, endpoint=False)
    px = np.sin(a) ** 3
    py = -(13.0 * np.cos(a) - 5.0 * np.cos(2 * a) - 2.0 * np.cos(3 * a) - np.cos(4 * a)) / 16.0
    return placed(np.stack([px, py], axis=1), x, y, size, turn)


def placed(points: Points, x: float, y: float, scale: float = 1.0, turn: float = 0.0) -> Points:
    """A shape around the origin, scaled, turned clockwise and moved to `x`, `y`."""
    cos, sin = math.cos(turn), math.sin(turn)
    turned = np.stack(
        [points[:, 0] * cos - points[:, 1] * sin, points[:, 0] * sin + points[:, 1] * cos], axis=1
    )
    return np.asarray(turned * scale + np.array([x, y]), dtype=np.float64)
