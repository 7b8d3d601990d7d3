"""The kinds of layer a scene is stacked from, and the frame they draw on.

A layer draws itself for one moment and one camera view. Geometry is baked once, in world units
(see `camera`), and transformed by one numpy operation per layer and frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.camera import View
from kinogate.engines.preview.canvas import Canvas, Color, Points

_SHIFT = 4
_SCALE = 1 << _SHIFT
LIGHT_SCALE = 4
"""The light buffer is this many times smaller than the picture."""


@dataclass(slots=True)
class Frame:
    """One frame in the making.

    Attributes:
        canvas: The picture so far.
        t: Seconds into the shot.
        view: The camera.
        light: `[H/4, W/4, 3]` uint8; what is drawn here is blurred and added to the picture last.
        is_lit: Set once something was drawn into `light`.
    """

    canvas: Canvas
    t: float
    view: View
    light: Canvas
    is_lit: bool = False


class Layer(Protocol):
    """Anything that draws itself into a frame."""

    def draw(self, frame: Frame) -> None:
        """Draw this layer over what is there."""
        ...


@dataclass(slots=True)
class _Item:
    color: Color
    starts: list[int]
    ends: list[int]


@dataclass(slots=True)
class ShapeBuilder:
    """Collects polygons for a `ShapeLayer`."""

    points: list[Points] = field(default_factory=list)
    sways: list[npt.NDArray[np.float64]] = field(default_factory=list)
    items: list[_Item] = field(default_factory=list)
    size: int = 0

    def add(self, points: Points, color: Color, sway: float = 0.0, rigid: bool = False) -> None:
        """Add one polygon; `sway` is how far its top moves in the wind, in world units.

        With `rigid` the whole polygon moves by `sway`, for leaves high on a trunk.
        """
        self.add_many([points], color, sway, rigid)

    def add_many(
        self, polygons: list[Points], color: Color, sway: float = 0.0, rigid: bool = False
    ) -> None:
        """Add polygons of one colour that do not overlap; they are filled in one call."""
        starts, ends = [], []
        for points in polygons:
            starts.append(self.size)
            self.size += len(points)
            ends.append(self.size)
            self.points.append(np.asarray(points, dtype=np.float64))
            if sway and not rigid:
                low, high = points[:, 1].max(), points[:, 1].min()
                weights = (low - points[:, 1]) / max(1e-6, low - high)
                self.sways.append(sway * weights**1.5)
            else:
                self.sways.append(np.full(len(points), sway))
        if polygons:
            self.items.append(_Item(color, starts, ends))

    def layer(self, depth: float, period: float | None = None, wind: float = 1.0) -> ShapeLayer:
        """Bake what was collected; see `ShapeLayer`."""
        return ShapeLayer(self, depth, period, wind)


class ShapeLayer:
    """Polygons at one depth, repeated every `period` world units (or once, with None)."""

    def __init__(
        self, builder: ShapeBuilder, depth: float, period: float | None, wind: float
    ) -> None:
        self._depth = depth
        self._period = period
        self._wind = wind
        self._items = builder.items
        points = np.concatenate(builder.points) if builder.points else np.zeros((0, 2))
        self._points = points.astype(np.float32)
        sway = np.concatenate(builder.sways) if builder.sways else np.zeros(0)
        self._sway = sway.astype(np.float32) if np.any(sway) else None
        # One swing for each outline, not for each point: a sine costs more than all the rest.
        sizes = [len(outline) for outline in builder.points]
        self._owner = np.repeat(np.arange(len(sizes)), sizes)
        self._phase = np.array([outline[0, 0] * 5.0 for outline in builder.points])
        self._low = np.array([points[i.starts[0] : i.ends[-1], 0].min() for i in self._items])
        self._high = np.array([points[i.starts[0] : i.ends[-1], 0].max() for i in self._items])

    def draw(self, frame: Frame) -> None:
        """Draw what the camera sees of it."""
        if not self._items:
            return
        left, right = frame.view.visible(self._depth)
        scale, x0, y0 = frame.view.at(self._depth)
        moved = self._points * np.float32(scale * _SCALE)
        moved[:, 1] += np.float32(y0 * _SCALE)
        if self._sway is not None:
            swing = np.sin(self._phase + frame.t * 1.9) + 0.4 * np.sin(self._phase + frame.t * 4.7)
            swing *= self._wind * scale * _SCALE
            moved[:, 0] += self._sway * swing.astype(np.float32)[self._owner]
        margin = 0.05
        for shift in self._shifts(left - margin, right + margin):
            offset = np.array([(x0 + shift * scale) * _SCALE, 0.0], dtype=np.float32)
            fixed = np.rint(moved + offset).astype(np.int32)
            seen = (self._low + shift < right + margin) & (self._high + shift > left - margin)
            for index in np.flatnonzero(seen):
                item = self._items[index]
                contours = [fixed[a:b] for a, b in zip(item.starts, item.ends, strict=True)]
                cv2.fillPoly(frame.canvas, contours, item.color, cv2.LINE_AA, _SHIFT)

    def _shifts(self, left: float, right: float) -> list[float]:
        if self._period is None:
            return [0.0]
        first = math.floor((left - float(self._high.max())) / self._period) + 1
        last = math.ceil((right - float(self._low.min())) / self._period) - 1
        return [index * self._period for index in range(first, last + 1)]


class Ridge:
    """A band of land whose upper edge is a repeating profile; fades into haze at its foot."""

    def __init__(
        self,
        *,
        depth: float,
        profile: npt.NDArray[np.float64],
        period: float,
        color: Color,
        crest: Color | None = None,
        crest_width: float = 0.006,
        haze: Haze | None = None,
    ) -> None:
        """`profile` holds the y of evenly spaced points over one `period` of world units."""
        self._depth = depth
        self._profile = profile
        self._period = period
        self._color = color
        self._crest = crest
        self._crest_width = crest_width
        self._haze = haze

    def height_at(self, x: float) -> float:
        """World y of the edge at a world x."""
        count = len(self._profile)
        place = (x / self._period * count) % count
        low = int(place)
        share = place - low
        return float(
            self._profile[low % count] * (1 - share) + self._profile[(low + 1) % count] * share
        )

    def draw(self, frame: Frame) -> None:
        """Draw the band down to the lower edge of the picture."""
        scale, x0, y0 = frame.view.at(self._depth)
        left, right = frame.view.visible(self._depth)
        count = len(self._profile)
        step = self._period / count
        indices = np.arange(math.floor(left / step) - 1, math.ceil(right / step) + 2)
        edge = np.empty((len(indices) + 2, 2))
        edge[:-2, 0] = indices * step * scale + x0
        edge[:-2, 1] = self._profile[indices % count] * scale + y0
        bottom = frame.view.height + 4.0
        edge[-2] = (edge[-3, 0], bottom)
        edge[-1] = (edge[0, 0], bottom)
        fixed = np.rint(edge * _SCALE).astype(np.int32)
        cv2.fillPoly(frame.canvas, [fixed], self._color, cv2.LINE_AA, _SHIFT)
        if self._crest is not None:
            lower = edge[-3::-1].copy()
            lower[:, 1] += self._crest_width * scale
            band = np.rint(np.vstack([edge[:-2], lower]) * _SCALE).astype(np.int32)
            cv2.fillPoly(frame.canvas, [band], self._crest, cv2.LINE_AA, _SHIFT)
        if self._haze is not None:
            self._haze.draw(frame)


class Haze:
    """A horizontal veil of colour whose strength runs linearly from one height to another."""

    def __init__(
        self, *, depth: float, top: float, bottom: float, color: Color, start: float, end: float
    ) -> None:
        """Heights in world units, strengths 0.0–1.0 at `top` and at `bottom`."""
        self._depth = depth
        self._top = top
        self._bottom = bottom
        self._color = color
        self._start = start
        self._end = end
        self._block: Canvas | None = None

    def draw(self, frame: Frame) -> None:
        """Blend the veil over the rows it covers."""
        scale, _, y0 = frame.view.at(self._depth)
        top, bottom = self._top * scale + y0, self._bottom * scale + y0
        height, width = frame.canvas.shape[:2]
        first, last = max(0, round(top)), min(height, round(bottom))
        if last <= first:
            return
        rows = max(2, height // 120)
        if self._block is None or self._block.shape[:2] != (rows, width):
            self._block = np.empty((rows, width, 3), dtype=np.uint8)
            self._block[:] = self._color
        span = max(1.0, bottom - top)
        for row in range(first, last, rows):
            share = (row + rows / 2 - top) / span
            alpha = self._start + (self._end - self._start) * share
            if alpha < 0.004:
                continue
            band = frame.canvas[row : min(row + rows, last)]
            block = self._block[: len(band)]
            cv2.addWeighted(block, alpha, band, 1.0 - alpha, 0.0, dst=band)


class Sprite:
    """A small picture with soft edges, drawn at any sub-pixel place and size."""

    def __init__(self, rgba: npt.NDArray[np.uint8]) -> None:
        """`rgba`: `[H, W, 4]` uint8, colour already multiplied by alpha."""
        self._rgba = np.ascontiguousarray(rgba)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in its own pixels."""
        return self._rgba.shape[1], self._rgba.shape[0]

    def draw(self, canvas: Canvas, x: float, y: float, scale: float) -> None:
        """Lay it over the canvas with its upper left corner at (x, y) pixels."""
        height, width = canvas.shape[:2]
        x1 = min(width, math.ceil(x + self.size[0] * scale))
        y1 = min(height, math.ceil(y + self.size[1] * scale))
        left, top = max(0, math.floor(x)), max(0, math.floor(y))
        if x1 <= left or y1 <= top:
            return
        matrix = np.array([[scale, 0.0, x - left], [0.0, scale, y - top]])
        patch = cv2.warpAffine(
            self._rgba, matrix, (x1 - left, y1 - top), flags=cv2.INTER_LINEAR, borderValue=0
        )
        region = canvas[top:y1, left:x1]
        keep = cv2.cvtColor(cv2.bitwise_not(patch[:, :, 3]), cv2.COLOR_GRAY2RGB)
        below = cv2.multiply(region, keep, scale=1 / 255)
        region[:] = cv2.add(below, cv2.cvtColor(patch, cv2.COLOR_RGBA2RGB))


class Stamp:
    """A soft picture of fixed size, prepared at half-pixel steps so that drawing it is cheap."""

    def __init__(self, rgba: npt.NDArray[np.uint8], scale: float) -> None:
        """`rgba` as for `Sprite`; it is enlarged by `scale` once."""
        tall, wide = rgba.shape[:2]
        self.size = (round(wide * scale) + 1, round(tall * scale) + 1)
        self._phases = []
        for shift in (0.0, 0.5):
            matrix = np.array([[scale, 0.0, shift], [0.0, scale, 0.0]])
            grown = cv2.warpAffine(rgba, matrix, self.size, flags=cv2.INTER_LINEAR, borderValue=0)
            keep = cv2.cvtColor(cv2.bitwise_not(grown[:, :, 3]), cv2.COLOR_GRAY2RGB)
            self._phases.append((cv2.cvtColor(grown, cv2.COLOR_RGBA2RGB), keep))

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        """Lay it over the canvas with its upper left corner at (x, y) pixels."""
        halves = round(x * 2)
        left, top = halves // 2, round(y)
        color, keep = self._phases[halves % 2]
        height, width = canvas.shape[:2]
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(width, left + self.size[0]), min(height, top + self.size[1])
        if x1 <= x0 or y1 <= y0:
            return
        cut = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        region = canvas[y0:y1, x0:x1]
        cv2.multiply(region, keep[cut], dst=region, scale=1 / 255)
        cv2.add(region, color[cut], dst=region)


def _falloff(size: int = 64) -> npt.NDArray[np.uint8]:
    axis = np.linspace(-1.0, 1.0, size)
    radius = np.minimum(1.0, np.hypot(axis[:, None], axis[None, :]))
    soft = (1.0 - radius) ** 2 * (0.55 + 0.45 * (1.0 - radius) ** 2)
    return np.rint(soft * 255).astype(np.uint8)


_GLOW = _falloff()
_GLOW.setflags(write=False)


def glow(frame: Frame, x: float, y: float, radius: float, color: Color) -> None:
    """Add a soft round light at (x, y) pixels of the full picture; `color` is its brightest part."""
    light = frame.light
    height, width = light.shape[:2]
    x, y, radius = x / LIGHT_SCALE, y / LIGHT_SCALE, max(1.0, radius / LIGHT_SCALE)
    left, top = max(0, math.floor(x - radius)), max(0, math.floor(y - radius))
    right, bottom = min(width, math.ceil(x + radius)), min(height, math.ceil(y + radius))
    if right <= left or bottom <= top:
        return
    scale = 2 * radius / _GLOW.shape[0]
    matrix = np.array([[scale, 0.0, x - radius - left], [0.0, scale, y - radius - top]])
    mask = cv2.warpAffine(_GLOW, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    patch = cv2.merge([cv2.convertScaleAbs(mask, alpha=channel / 255) for channel in color])
    region = light[top:bottom, left:right]
    region[:] = cv2.add(region, patch)
    frame.is_lit = True


def waves(
    rng: np.random.Generator, count: int, octaves: int, base: int, gain: float = 0.5
) -> npt.NDArray[np.float64]:
    """Smooth repeating noise, `[count]` in about -1.0–1.0; `base` bumps in the coarsest octave."""
    phase = np.arange(count) / count * 2 * np.pi
    total = np.zeros(count)
    weight, norm = 1.0, 0.0
    for octave in range(octaves):
        cycles = base * 2**octave
        for extra in range(2):
            turn = rng.uniform(0, 2 * np.pi)
            total += weight * 0.5 * np.sin((cycles + extra) * phase + turn)
        norm += weight
        weight *= gain
    return total / norm * 1.4
