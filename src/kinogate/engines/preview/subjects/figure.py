"""The pen a figure is drawn with: parts in local units, painted at once at the end.

Local units are figure heights, origin at the ground below the centre, x forward, y upwards. Parts
are collected first so that the edge light can be laid behind the whole silhouette and all points
reach the canvas in one transform. Obeys the drawing operations of `canvas`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kinogate.engines.preview.canvas import (
    Canvas,
    Color,
    Points,
    fill,
    fill_alpha,
    mix,
    stroke,
)
from kinogate.engines.preview.subjects.shapes import (
    Outline,
    Point,
    Tube,
    closed_curve,
    ellipse_points,
    open_curve,
    tube,
)

if TYPE_CHECKING:
    from kinogate.engines.preview.subjects.pose import Pose

_FAR = 16000.0
"""Pixel coordinates are held inside this so that fixed-point vertices cannot overflow."""

_SOLID = 0.999

_FINE = 180.0
"""Pixels per local unit above which curves get twice the points."""


class _Part(NamedTuple):
    points: Points
    color: Color
    alpha: float
    width: float  # pixels; 0 is a filled part
    rimmed: bool


def luma(color: Color) -> float:
    """Brightness of a colour, 0.0–255.0."""
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def _light_of(pose: Pose) -> Color:
    if pose.light is not None:
        return pose.light
    share = min(1.0, max(0.14, (max(luma(pose.body), luma(pose.accent)) - 8.0) / 92.0))
    level = round(255 * share)
    return level, level, level


class Figure:
    """Collects the parts of one figure; `paint` puts them on a canvas.

    Attributes:
        pose: The pose being drawn.
        pixels: Height of one local unit in pixels, for choosing the level of detail.
    """

    __slots__ = ("_matrix", "_offset", "_parts", "light", "pixels", "pose")

    def __init__(self, pose: Pose) -> None:
        self.pose = pose
        self.pixels = pose.height
        self.light = _light_of(pose)
        self._parts: list[_Part] = []
        self._matrix: Points | None = None
        self._offset: Points | None = None

    def part(
        self,
        x: float,
        y: float,
        *,
        scale: float = 1.0,
        angle: float = 0.0,
        flip: bool = False,
    ) -> Figure:
        """A pen for a sub-figure whose origin is `(x, y)` here, turned and scaled."""
        child = Figure(self.pose)
        child._parts = self._parts
        child.pixels = self.pixels * scale
        cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
        matrix = np.array([[cos, sin], [-sin, cos]])
        if flip:
            matrix[0] = -matrix[0]
        offset = np.array([x, y], dtype=np.float64)
        if self._matrix is not None and self._offset is not None:
            offset = offset @ self._matrix + self._offset
            matrix = matrix @ self._matrix
        child._matrix, child._offset = matrix, offset
        return child

    def tone(self, natural: Color) -> Color:
        """A colour of the thing itself (skin, glass, tyre) in the light of this pose."""
        return (
            natural[0] * self.light[0] // 255,
            natural[1] * self.light[1] // 255,
            natural[2] * self.light[2] // 255,
        )

    def glow(self, natural: Color) -> Color:
        """The colour of something that shines by itself (flame, lamp, lit window)."""
        return natural

    def dark(self, color: Color, share: float = 0.28) -> Color:
        """`color` on the side away from the light."""
        return mix(color, self.pose.shade, share)

    def fill(
        self, points: Outline, color: Color, *, alpha: float = 1.0, rimmed: bool = True
    ) -> None:
        """Add a polygon."""
        self._add(points, color, alpha, 0.0, rimmed)

    def blob(self, points: Outline, color: Color, *, alpha: float = 1.0, samples: int = 4) -> None:
        """Add a smooth closed shape through `points`."""
        if self.pixels > _FINE:
            samples *= 2
        self._add(closed_curve(points, samples), color, alpha, 0.0, True)

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        color: Color,
        *,
        angle: float = 0.0,
        alpha: float = 1.0,
    ) -> None:
        """Add a turned ellipse; its outline gets as many points as its size needs."""
        size = max(rx, ry) * self.pixels
        count = 10 if size < 5.0 else 24 if size < 40.0 else 48
        self._add(ellipse_points(x, y, rx, ry, angle=angle, count=count), color, alpha, 0.0, True)

    def tube(
        self,
        points: Outline,
        radii: Sequence[float],
        color: Color,
        *,
        shade: Color | None = None,
        edge: float = -0.25,
        begin: float = 0.0,
    ) -> Tube:
        """Add a tapered limb; with `shade`, darken it from `edge` to its -1 side.

        The dark side starts at `begin` along, so that a thigh can melt into the trunk.
        """
        made = tube(points, radii, 8 if self.pixels > _FINE else 4)
        self._add(made.outline(), color, 1.0, 0.0, True)
        if shade is not None and self.pixels >= 24.0:
            side = made.flank(edge, begin) if begin > 0.0 else made.band(-1.0, edge)
            self._add(side, shade, 1.0, 0.0, False)
        return made

    def line(self, points: Outline, color: Color, width: float, *, smooth: bool = True) -> None:
        """Add a line `width` local units wide, never thinner than one pixel."""
        path = open_curve(points, 4) if smooth and len(points) > 2 else points
        self._add(path, color, 1.0, max(1.0, width * self.pixels), False)

    def _add(self, points: Outline, color: Color, alpha: float, width: float, rimmed: bool) -> None:
        local = np.asarray(points, dtype=np.float64)
        if self._matrix is not None and self._offset is not None:
            local = local @ self._matrix + self._offset
        self._parts.append(_Part(local, color, alpha, width, rimmed and alpha >= _SOLID))

    def paint(self, canvas: Canvas) -> None:
        """Draw everything collected; parts off the canvas cost next to nothing."""
        pose = self.pose
        parts = self._parts
        if not parts or not all(map(math.isfinite, (pose.x, pose.ground_y, pose.height))):
            return
        sizes = [len(part.points) for part in parts]
        pixels = np.concatenate([part.points for part in parts])
        pixels *= (math.copysign(pose.height, pose.facing), -pose.height)
        pixels += (pose.x, pose.ground_y)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        height, width = canvas.shape[:2]
        if high[0] < -2 or high[1] < -2 or low[0] > width + 2 or low[1] > height + 2:
            return
        np.clip(pixels, -_FAR, _FAR, out=pixels)
        ends = np.cumsum(sizes).tolist()
        outlines = [pixels[end - size : end] for end, size in zip(ends, sizes, strict=True)]
        if pose.rim is not None:
            reach = max(0.7, pose.height * 0.011)
            shift = np.array([-0.35 * reach * pose.facing, -reach])
            for part, outline in zip(parts, outlines, strict=True):
                if part.rimmed:
                    fill(canvas, outline + shift, pose.rim)
        for part, outline in zip(parts, outlines, strict=True):
            if part.width > 0.0:
                stroke(canvas, outline, part.color, part.width)
            elif part.alpha >= _SOLID:
                fill(canvas, outline, part.color)
            else:
                fill_alpha(canvas, outline, part.color, part.alpha)


def cycle(t: float, hertz: float, phase: float = 0.0) -> float:
    """A sine of `t`, -1.0 to 1.0; `phase` counts in turns."""
    return math.sin(math.tau * (t * hertz + phase))


def bump(turn: float, centre: float, width: float) -> float:
    """A smooth hill of height 1.0 at `centre` on the circle of turns 0.0–1.0."""
    gap = (turn - centre + 0.5) % 1.0 - 0.5
    return math.exp(-((gap / width) ** 2))


def blinks(t: float, seed: int) -> bool:
    """Whether the eyes are shut at `t`: about 0.13 s in every 3 to 4 s."""
    period = 3.1 + (seed % 7) * 0.13
    return (t + (seed % 11) * 0.37) % period < 0.13


def chance(seed: int, salt: int) -> float:
    """A number 0.0–1.0 fixed by `seed` and `salt`; cheap enough to ask for every frame."""
    value = ((seed + 1) * 0x9E3779B1 ^ (salt + 1) * 0x85EBCA6B) & 0xFFFFFFFF
    value = ((value ^ (value >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    value = ((value ^ (value >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return ((value ^ (value >> 16)) & 0xFFFFFF) / 0xFFFFFF


__all__ = ["Figure", "Point", "blinks", "bump", "chance", "cycle", "luma"]
