"""Water: a rippled mirror of the picture above it, glints under the light, waves and foam."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.canvas import Color, fill, fill_alpha, mix
from kinogate.engines.preview.layers import Frame
from kinogate.engines.preview.palette import Palette
from kinogate.engines.preview.sky import sky_shift

_SHIFT = 4
_SCALE = 16


class Water:
    """A level surface from a far shore down to the lower edge of the picture."""

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        top: float,
        deep: Color,
        clear: float = 0.22,
        murk: float = 0.72,
        rough: float = 1.0,
        bottom: float = 1.0,
    ) -> None:
        """Make water whose far edge is at world y `top`.

        Args:
            rng: Source of the ripple's phases.
            top: Far edge, world y.
            deep: Colour of the water itself, lit.
            clear: How much of `deep` covers the mirror at the far edge, 0.0–1.0.
            murk: The same near by.
            rough: Ripple; 1.0 is a breeze.
            bottom: Near edge, world y.
        """
        self._top, self._bottom, self._rough = top, bottom, rough
        self._clear, self._murk = clear, murk
        self._deep = deep
        self._phase = rng.uniform(0, 2 * np.pi, 8)
        self._maps: tuple[npt.NDArray[np.float32], ...] = ()
        self._key = (0, 0)

    def draw(self, frame: Frame) -> None:
        """Mirror what is above the far edge into the rows below it."""
        height, width = frame.canvas.shape[:2]
        _, _, y0 = frame.view.at(0.1)
        scale = frame.view.at(0.1)[0]
        edge = min(height - 8, max(16, round(self._top * scale + y0)))
        end = min(height, max(edge + 8, round(self._bottom * height)))
        rows, columns = (end - edge + 1) // 2, width // 2
        above = min(edge, 2 * rows)
        small = cv2.resize(
            frame.canvas[edge - above : edge], (columns, above // 2), interpolation=cv2.INTER_AREA
        )
        map_x, map_y = self._displaced(frame, rows, columns, above // 2)
        mirror = cv2.remap(small, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        self._tint(np.asarray(mirror, dtype=np.uint8))
        region = frame.canvas[edge:end]
        region[:] = cv2.resize(mirror, (width, end - edge), interpolation=cv2.INTER_LINEAR)

    def _displaced(
        self, frame: Frame, rows: int, columns: int, source: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        if self._key != (rows, columns):
            self._key = (rows, columns)
            self._maps = (
                np.broadcast_to(np.arange(columns, dtype=np.float32), (rows, columns)).copy(),
                np.empty((rows, columns), dtype=np.float32),
            )
        share = (np.arange(rows, dtype=np.float32) + 1) / rows
        t, p = frame.t, self._phase
        unit = frame.view.height / 720 * self._rough
        distance = 1.0 / (share + 0.06)
        near = share**0.8
        swing = np.sin(distance * 14 + t * 1.9 + p[0]) + 0.6 * np.sin(
            distance * 31 - t * 2.6 + p[1]
        )
        dx = (unit * 3.2 * near * swing).astype(np.float32)
        lift = np.sin(distance * 23 - t * 2.2 + p[2]) + 0.7 * np.sin(distance * 47 + t * 3.1 + p[3])
        dy = (unit * 5.0 * near * lift).astype(np.float32)
        column = np.linspace(0, frame.view.width / frame.view.height, columns, dtype=np.float32)
        column += np.float32(frame.view.x * 0.6)
        turn = (distance * 9 + t * 1.3).astype(np.float32)
        wave = (unit * 4.0 * near).astype(np.float32)
        map_x, map_y = self._maps
        base_x = np.arange(columns, dtype=np.float32)
        np.add(base_x[None, :], dx[:, None], out=map_x)
        base_y = np.minimum(source - 1.0, np.arange(rows, dtype=np.float32)) + dy
        np.multiply((wave * np.sin(turn))[:, None], np.cos(column * 17 + p[4])[None, :], out=map_y)
        map_y += (wave * np.cos(turn))[:, None] * np.sin(column * 17 + p[4])[None, :]
        map_y += base_y[:, None]
        np.subtract(source - 1.0, map_y, out=map_y)
        return map_x, map_y

    def _tint(self, mirror: npt.NDArray[np.uint8]) -> None:
        rows = len(mirror)
        step = 2
        block = np.empty((step, mirror.shape[1], 3), dtype=np.uint8)
        block[:] = self._deep
        for row in range(0, rows, step):
            share = row / rows
            alpha = self._clear + (self._murk - self._clear) * share**0.7
            band = mirror[row : row + step]
            cv2.addWeighted(block[: len(band)], alpha, band, 1 - alpha, 0.0, dst=band)


class Glints:
    """Short bright dashes: a path of light under the sun or moon, and sparkle elsewhere."""

    def __init__(
        self,
        palette: Palette,
        rng: np.random.Generator,
        *,
        top: float,
        sun_x: float | None,
        aspect: float,
        count: int = 150,
        bottom: float = 1.0,
    ) -> None:
        share = rng.random(count) ** 1.7
        self._y = top + 0.004 + (bottom - top) * share
        self._depth = 0.08 + 0.85 * share
        wide = 0.020 + 0.11 * share
        is_path = rng.random(count) < (0.66 if sun_x is not None else 0.0)
        around = np.where(is_path, sun_x or 0.0, 0.0)
        spread = np.where(is_path, rng.normal(0, 1, count) * wide, rng.uniform(-1, 1, count) * 1.4)
        self._x = around + spread
        self._is_path = is_path
        self._long = (0.006 + 0.030 * share) * rng.uniform(0.5, 1.4, count)
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._pace = rng.uniform(1.2, 3.2, count)
        shine = mix(palette.haze, (255, 255, 255), 0.25)
        self._colors = np.where(is_path[:, None], palette.sun, shine)
        self._aspect = aspect

    def draw(self, frame: Frame) -> None:
        """Draw the dashes of this moment."""
        view = frame.view
        height, width = frame.canvas.shape[:2]
        power = np.sin(self._phase + self._pace * frame.t)
        strength = np.where(self._is_path, 0.25 + 0.75 * power, -0.15 + 0.45 * power)
        drift = 0.012 * np.sin(self._phase * 2 + frame.t * 0.6)
        hung = sky_shift(frame)[0]  # the path of light keeps under the sun
        moved = np.where(self._is_path, hung, -(view.x * self._depth + view.pan) * height)
        x = (self._x + drift) * height + moved + width / 2
        _, _, y0 = view.at(0.1)
        y = self._y * height + y0 * (1 - self._depth) - (view.y * self._depth + view.tilt) * height
        seen = (strength > 0.05) & (x > 2) & (x < width - 2) & (y > 2) & (y < height - 2)
        x, y, share = x[seen], y[seen], strength[seen][:, None]
        half = (self._long * height * (0.5 + 0.5 * np.abs(power)))[seen]
        tall = np.maximum(0.6, half * 0.09)
        below = frame.canvas[y.astype(np.int32), x.astype(np.int32)]
        colors = np.rint(below * (1 - share) + self._colors[seen] * share).astype(int).tolist()
        corners = np.stack([x - half, y, x, y - tall, x + half, y, x, y + tall], axis=1).reshape(
            -1, 4, 2
        )
        dashes = np.rint(corners * _SCALE).astype(np.int32)
        for dash, color in zip(dashes, colors, strict=True):
            cv2.fillPoly(frame.canvas, [dash], color, cv2.LINE_AA, _SHIFT)


class Wave:
    """One rolling wave: a dark flank below its crest and a lip of foam where it is steep."""

    def __init__(
        self,
        *,
        depth: float,
        base: float,
        swell: float,
        color: Color,
        foam: Color,
        rng: np.random.Generator,
        length: float = 0.5,
        pace: float = 1.0,
        alpha: float = 0.4,
    ) -> None:
        self._depth, self._base, self._swell = depth, base, swell
        self._color, self._foam, self._alpha = color, foam, alpha
        self._phase = rng.uniform(0, 2 * np.pi, 3)
        self._k = 2 * math.pi / length
        self._pace = pace

    def _edge(self, x: npt.NDArray[np.float64], t: float) -> npt.NDArray[np.float64]:
        k, p, pace = self._k, self._phase, self._pace
        first = np.sin(x * k + p[0] - t * 1.1 * pace)
        peaked = first + 0.28 * np.cos(2 * (x * k + p[0] - t * 1.1 * pace))
        slow = 0.5 * np.sin(x * k * 0.37 + p[1] + t * 0.6 * pace)
        ripple = 0.25 * np.sin(x * k * 2.7 + p[2] - t * 1.9)
        edge: npt.NDArray[np.float64] = self._base - self._swell * (peaked + slow + ripple)
        return edge

    def draw(self, frame: Frame) -> None:
        """Draw the wave of this moment."""
        scale, x0, y0 = frame.view.at(self._depth)
        left, right = frame.view.visible(self._depth)
        x = np.linspace(left - 0.02, right + 0.02, 90)
        y = self._edge(x, frame.t)
        top = np.stack([x * scale + x0, y * scale + y0], 1)
        steep = np.clip((self._base - y) / max(1e-6, self._swell) + 0.55, 0.0, 1.8)
        trough = np.roll(steep, 6)
        under = (0.5 + 1.3 * trough) * self._swell * scale
        shade = np.vstack([top, np.stack([top[::-1, 0], (top[:, 1] + under)[::-1]], 1)])
        fill_alpha(frame.canvas, shade, self._color, self._alpha)
        peak = np.clip((self._base - y) / max(1e-6, self._swell) - 0.50, 0.0, 1.2)
        thick = peak * self._swell * 0.30 * scale
        # OpenCV also draws the outline of a polygon without width: foam only where it has some.
        for run in np.split(np.arange(len(x)), np.flatnonzero(np.diff(thick > 0.4)) + 1):
            if thick[run[0]] > 0.4 and len(run) > 2:
                lip = top[run]
                below = np.stack([lip[:, 0], lip[:, 1] + thick[run]], 1)
                fill(frame.canvas, np.vstack([lip, below[::-1]]), self._foam)


class Shore:
    """The sandy edge where water runs up and back, with a line of foam and wet sand behind it."""

    def __init__(
        self, *, base: float, sand: Color, wet: Color, foam: Color, rng: np.random.Generator
    ) -> None:
        self._base = base
        self._sand, self._wet, self._foam = sand, wet, foam
        self._phase = rng.uniform(0, 2 * np.pi, 4)

    def draw(self, frame: Frame) -> None:
        """Draw sand, wet rim and foam."""
        scale, x0, y0 = frame.view.at(0.9)
        left, right = frame.view.visible(0.9)
        x = np.linspace(left - 0.02, right + 0.02, 100)
        p, t = self._phase, frame.t
        bay = 0.012 * np.sin(x * 1.7 + p[0]) + 0.006 * np.sin(x * 4.1 + p[1])
        run = 0.016 * math.sin(t * 0.9 + p[2]) + 0.004 * np.sin(x * 7.0 + t * 1.2 + p[3])
        low = frame.view.height + 4.0
        px = x * scale + x0
        for lift, color in ((0.0, self._wet), (0.030, self._sand)):
            edge = (self._base + bay + 0.016 + lift) * scale + y0
            band = np.vstack([np.stack([px, edge], 1), [(px[-1], low), (px[0], low)]])
            fill(frame.canvas, band, color)
        lace = 0.0035 * np.sin(x * 46 + p[0]) + 0.003 * np.sin(x * 83 + p[1] + t)
        front = (self._base + bay + run) * scale + y0
        wide = (0.010 + lace + 0.004 * np.sin(x * 5 + p[3])) * scale
        foam = np.vstack(
            [np.stack([px, front - 0.006 * scale], 1), np.stack([px, front + wide], 1)[::-1]]
        )
        fill(frame.canvas, foam, self._foam)
        thin = front - 0.022 * scale + 0.5 * wide
        trail = np.vstack([np.stack([px, thin], 1), np.stack([px, thin + 0.25 * wide], 1)[::-1]])
        fill(frame.canvas, trail, mix(self._foam, self._wet, 0.45))
