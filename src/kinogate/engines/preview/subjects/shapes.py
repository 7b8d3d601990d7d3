"""Curves for figures: smooth outlines, tapered tubes, and two-bone joints.

Pure geometry in float units, y upwards; nothing here knows about canvases or colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.canvas import Points

Point = tuple[float, float]
Outline = Sequence[Point] | Points
"""Key points, as pairs or as `[N, 2]` float64."""

_ROUND = 13
_CAP = np.linspace(0.0, math.pi, _ROUND)[1:-1]
_CAP_ALONG, _CAP_ACROSS = np.sin(_CAP)[:, None], np.cos(_CAP)[:, None]


@lru_cache(maxsize=128)
def _catmull_rom(count: int, samples: int, closed: bool) -> npt.NDArray[np.float64]:
    """Matrix that turns `count` key points into points on a Catmull-Rom curve through them."""
    spans = count if closed else count - 1
    rows = spans * samples + (0 if closed else 1)
    matrix = np.zeros((rows, count))
    for row in range(rows):
        span, u = (
            min(row // samples, spans - 1),
            (row / samples) - min(row // samples, spans - 1),
        )
        weights = (
            -0.5 * u + u * u - 0.5 * u**3,
            1.0 - 2.5 * u * u + 1.5 * u**3,
            0.5 * u + 2.0 * u * u - 1.5 * u**3,
            -0.5 * u * u + 0.5 * u**3,
        )
        for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
            index = span + offset
            index = index % count if closed else min(max(index, 0), count - 1)
            matrix[row, index] += weight
    matrix.flags.writeable = False
    return matrix


def closed_curve(points: Outline, samples: int = 5) -> Points:
    """Smooth closed outline through `points` (3 or more), `samples` points per span."""
    keys = np.asarray(points, dtype=np.float64)
    return _catmull_rom(len(keys), samples, True) @ keys


def open_curve(points: Outline, samples: int = 5) -> Points:
    """Smooth open line through `points` (2 or more), ends included."""
    keys = np.asarray(points, dtype=np.float64)
    return _catmull_rom(len(keys), samples, False) @ keys


@lru_cache(maxsize=32)
def _unit_circle(count: int) -> Points:
    angles = np.linspace(0.0, math.tau, count, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    circle.flags.writeable = False
    return circle


def ellipse_points(
    x: float, y: float, rx: float, ry: float, *, angle: float = 0.0, count: int = 24
) -> Points:
    """Outline of an ellipse turned by `angle` radians, counter-clockwise."""
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[rx * cos, rx * sin], [-ry * sin, ry * cos]])
    outline: Points = _unit_circle(count) @ turn + (x, y)
    return outline


def along(start: Point, angle: float, length: float) -> Point:
    """The point `length` from `start`; angle 0 hangs straight down, positive swings forward."""
    return start[0] + length * math.sin(angle), start[1] - length * math.cos(angle)


def between(first: Point, second: Point, share: float) -> Point:
    """The point `share` of the way from `first` to `second`."""
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
    )


def two_bone(
    start: Point, end: Point, upper: float, lower: float, bend: float
) -> tuple[Point, Point]:
    """Middle joint and reached end of a limb from `start` towards `end`.

    `bend` +1 puts the joint on the forward side (+x when the limb hangs down), -1 on the other.
    An end out of reach is pulled in along its direction.
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    gap = math.hypot(dx, dy) or 1e-9
    reach = min(max(gap, abs(upper - lower) * 1.02 + 1e-9), (upper + lower) * 0.999)
    ux, uy = dx / gap, dy / gap
    cosine = (upper * upper + reach * reach - lower * lower) / (2.0 * upper * reach)
    cosine = min(1.0, max(-1.0, cosine))
    sine = math.sqrt(1.0 - cosine * cosine) * bend
    joint = (
        start[0] + upper * (ux * cosine - uy * sine),
        start[1] + upper * (uy * cosine + ux * sine),
    )
    return joint, (start[0] + ux * reach, start[1] + uy * reach)


@dataclass(frozen=True, slots=True)
class Tube:
    """A centre line with a radius at each point: a limb, a neck, a torso, a tail.

    Across the tube, +1 is the left side of the direction of travel and -1 the right: the back and
    the belly of a spine that runs forward, the front and the rear of a leg that runs down.
    """

    centre: Points
    normal: Points
    radius: npt.NDArray[np.float64]

    def side(self, across: float) -> Points:
        """The line at `across` (-1.0 to 1.0) radii from the centre line, start to end."""
        return self.centre + self.normal * (self.radius * across)[:, None]

    def outline(self) -> Points:
        """Closed outline with a round cap at each end."""
        first, last = self.normal[0], self.normal[-1]
        ahead = np.array([last[1], -last[0]])
        behind = np.array([-first[1], first[0]])
        end = self.centre[-1] + self.radius[-1] * (_CAP_ACROSS * last + _CAP_ALONG * ahead)
        start = self.centre[0] + self.radius[0] * (-_CAP_ACROSS * first + _CAP_ALONG * behind)
        offset = self.normal * self.radius[:, None]
        return np.concatenate([self.centre + offset, end, (self.centre - offset)[::-1], start])

    def band(self, low: float, high: float, begin: float = 0.0, stop: float = 1.0) -> Points:
        """Strip between two lines across and two shares along; always inside the tube."""
        last = len(self.centre) - 1
        cut = slice(round(begin * last), max(round(stop * last), round(begin * last) + 1) + 1)
        offset = self.normal[cut] * self.radius[cut][:, None]
        return np.concatenate(
            [self.centre[cut] + offset * high, (self.centre[cut] + offset * low)[::-1]]
        )

    def flank(self, edge: float, begin: float = 0.0, stop: float = 1.0) -> Points:
        """Patch along one side, from `edge` out to the side of its sign, pointed at both ends."""
        last = len(self.centre) - 1
        cut = slice(round(begin * last), max(round(stop * last), round(begin * last) + 1) + 1)
        side = math.copysign(1.0, edge)
        offset = self.normal[cut] * self.radius[cut][:, None]
        swell = np.sin(np.linspace(0.0, math.pi, len(offset))) ** 0.6
        inner = (side + (edge - side) * swell)[:, None]
        return np.concatenate(
            [self.centre[cut] + offset * side, (self.centre[cut] + offset * inner)[::-1]]
        )

    def at(self, share: float, across: float = 0.0) -> Point:
        """The point `share` 0.0–1.0 along and `across` radii off the centre line."""
        index = round(min(1.0, max(0.0, share)) * (len(self.centre) - 1))
        spot = self.centre[index] + self.normal[index] * (self.radius[index] * across)
        return float(spot[0]), float(spot[1])


def tube(points: Outline, radii: Sequence[float], samples: int = 4) -> Tube:
    """Smooth tube through `points` with one radius each (2 or more)."""
    keys = np.empty((len(radii), 3))
    keys[:, :2] = points
    keys[:, 2] = radii
    line = _catmull_rom(len(radii), samples, False) @ keys
    centre = line[:, :2]
    step = np.empty_like(centre)
    step[1:-1] = centre[2:] - centre[:-2]
    step[0] = centre[1] - centre[0]
    step[-1] = centre[-1] - centre[-2]
    length = np.sqrt(step[:, 0] ** 2 + step[:, 1] ** 2)
    step /= np.maximum(length, 1e-9)[:, None]
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1)
    return Tube(centre, normal, np.maximum(line[:, 2], 0.0))
