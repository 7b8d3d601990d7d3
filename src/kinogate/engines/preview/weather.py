"""What falls, blows and flashes in front of a scene: rain, snow, leaves, sand, fog, lightning."""

from __future__ import annotations

import math

import cv2
import numpy as np

from kinogate.engines.preview.canvas import Color, disc, mix
from kinogate.engines.preview.layers import Frame
from kinogate.engines.preview.palette import Palette

_SHIFT = 4
_SCALE = 16


class Rain:
    """Streaks at three distances; each takes a little of the colour behind it."""

    def __init__(
        self, palette: Palette, aspect: float, rng: np.random.Generator, *, heavy: bool
    ) -> None:
        count = round((150 if heavy else 105) * min(1.6, 0.5 + aspect / 2))
        self._x = rng.uniform(0, 1, count)
        self._y = rng.uniform(0, 1, count)
        self._near = np.sort(rng.uniform(0.25, 1.0, count))
        self._slant = 0.26 if heavy else 0.10
        self._light = mix(palette.haze, (235, 242, 255), 0.55)
        self._aspect = aspect

    def draw(self, frame: Frame) -> None:
        """Draw the streaks of this moment."""
        height, width = frame.canvas.shape[:2]
        view = frame.view
        speed = 1.5 * (0.5 + 0.5 * self._near)
        y = (self._y + speed * frame.t) % 1.16 - 0.08
        span = self._aspect + 0.5
        drift = self._slant * speed * frame.t - view.x * self._near * 0.8 - view.pan
        x = (self._x * span + drift) % span - 0.25
        long = (0.022 + 0.055 * self._near) * height
        x1, y1 = x * height, y * height
        x0, y0 = x1 - long * self._slant, y1 - long
        column = np.clip(x1.astype(np.int32), 0, width - 1)
        row = np.clip(y1.astype(np.int32), 0, height - 1)
        share = (0.16 + 0.24 * self._near)[:, None]
        light = np.array(self._light, dtype=np.float64)
        colors = np.rint(frame.canvas[row, column] * (1 - share) + light * share).astype(int)
        ends = np.rint(np.stack([x0, y0, x1, y1], 1) * _SCALE).astype(int).tolist()
        thick = max(1, round(height / 900))
        for (ax, ay, bx, by), color in zip(ends, colors.tolist(), strict=True):
            cv2.line(frame.canvas, (ax, ay), (bx, by), color, thick, cv2.LINE_AA, _SHIFT)


class Snow:
    """Flakes of several sizes on swaying paths."""

    def __init__(self, aspect: float, rng: np.random.Generator, color: Color, count: int) -> None:
        count = round(count * min(1.6, 0.5 + aspect / 2))
        self._x = rng.uniform(0, 1, count)
        self._y = rng.uniform(0, 1, count)
        self._near = np.sort(rng.uniform(0.15, 1.0, count) ** 1.6)
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._aspect = aspect
        self._color = color

    def draw(self, frame: Frame) -> None:
        """Draw the flakes of this moment."""
        height, width = frame.canvas.shape[:2]
        view = frame.view
        t = frame.t
        y = (self._y + (0.05 + 0.13 * self._near) * t) % 1.06 - 0.03
        span = self._aspect + 0.3
        sway = 0.018 * np.sin(self._phase + t * (0.7 + 0.6 * self._near))
        x = (self._x * span + 0.02 * t + sway - view.x * self._near - view.pan) % span - 0.15
        radius = (0.0012 + 0.0046 * self._near**1.5) * height
        row = np.clip((y * height).astype(np.int32), 0, height - 1)
        column = np.clip((x * height).astype(np.int32), 0, width - 1)
        share = (0.45 + 0.45 * self._near)[:, None]
        light = np.array(self._color, dtype=np.float64)
        colors = np.rint(frame.canvas[row, column] * (1 - share) + light * share).astype(int)
        spots = np.rint(np.stack([x * height, y * height, radius], 1) * _SCALE).astype(int)
        for (cx, cy, size), color in zip(spots.tolist(), colors.tolist(), strict=True):
            cv2.circle(frame.canvas, (cx, cy), size, color, -1, cv2.LINE_AA, _SHIFT)


class Drift:
    """Leaves, petals or grains that tumble by on the wind."""

    def __init__(
        self,
        aspect: float,
        rng: np.random.Generator,
        colors: tuple[Color, ...],
        *,
        count: int,
        size: float,
        speed: float,
        fall: float,
    ) -> None:
        self._x = rng.uniform(0, 1, count)
        self._y = rng.uniform(0, 1, count)
        self._near = np.sort(rng.uniform(0.35, 1.0, count))
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._spin = rng.uniform(1.0, 3.5, count)
        self._colors = [colors[index % len(colors)] for index in range(count)]
        self._aspect = aspect
        self._size, self._speed, self._fall = size, speed, fall
        angle = np.linspace(0, 2 * np.pi, 10, endpoint=False)
        taper = np.cos(angle) * (1 - 0.25 * np.cos(angle))
        self._shape = np.stack([taper, np.sin(angle) * 0.48], 1)

    def draw(self, frame: Frame) -> None:
        """Draw the pieces of this moment."""
        height = frame.view.height
        view = frame.view
        t = frame.t
        span = self._aspect + 0.4
        gust = 0.04 * np.sin(t * 0.9 + self._phase)
        move = self._speed * self._near * t + gust - view.x * self._near - view.pan
        x = (self._x * span + move) % span - 0.2
        bob = 0.02 * np.sin(t * 1.3 + self._phase)
        y = (self._y + self._fall * self._near * t + bob) % 1.1 - 0.05
        turn = self._phase + self._spin * t
        flip = 0.35 + 0.65 * np.abs(np.sin(turn * 0.7 + self._phase))
        size = self._size * (0.4 + 0.6 * self._near) * height
        cos, sin = np.cos(turn), np.sin(turn)
        sx = self._shape[None, :, 0] * size[:, None]
        sy = self._shape[None, :, 1] * (size * flip)[:, None]
        px = sx * cos[:, None] - sy * sin[:, None] + (x * height)[:, None]
        py = sx * sin[:, None] + sy * cos[:, None] + (y * height)[:, None]
        fixed = np.rint(np.stack([px, py], 2) * _SCALE).astype(np.int32)
        for index, color in enumerate(self._colors):
            cv2.fillPoly(frame.canvas, [fixed[index]], color, cv2.LINE_AA, _SHIFT)


class Fog:
    """Banks of mist that drift through the lower half."""

    def __init__(
        self,
        color: Color,
        rng: np.random.Generator,
        *,
        top: float,
        bottom: float,
        strength: float,
        speed: float = 0.03,
    ) -> None:
        # Wider than tall: mist lies in banks. Twice the same tile, so that it drifts without a seam.
        soft = np.zeros((80, 192), dtype=np.float32)
        for tall, wide, weight in ((9, 8, 0.62), (18, 16, 0.38)):
            small = rng.random((tall, wide), dtype=np.float32)
            tile = np.hstack([small, small, small])
            grown = cv2.resize(tile, (576, 80), interpolation=cv2.INTER_CUBIC)
            soft += weight * grown[:, 192:384]
        rows = np.sin(np.linspace(0, np.pi, 80, dtype=np.float32))[:, None]
        self._alpha = np.clip((soft * 1.3 - 0.2) * rows * strength, 0.0, 1.0)
        self._color = np.array(color, dtype=np.float32)
        self._top, self._bottom, self._speed = top, bottom, speed

    def draw(self, frame: Frame) -> None:
        """Blend the mist over the rows it covers."""
        height, width = frame.canvas.shape[:2]
        _, _, y0 = frame.view.at(0.5)
        first = max(0, round(self._top * height + min(0.0, y0)))
        last = min(height, round(self._bottom * height + y0))
        if last - first < 4:
            return
        span = 192
        shift = (frame.t * self._speed + frame.view.x * 0.5 + frame.view.pan) * 110
        columns = (np.arange(span + 1) + math.floor(shift)) % 192
        part = self._alpha[:, columns]
        share = shift - math.floor(shift)
        part = part[:, :-1] * (1 - share) + part[:, 1:] * share
        byte = np.rint(part * 255).astype(np.uint8)
        mask = cv2.resize(byte, (width, last - first), interpolation=cv2.INTER_LINEAR)
        region = frame.canvas[first:last]
        keep = cv2.cvtColor(cv2.bitwise_not(mask), cv2.COLOR_GRAY2RGB)
        cv2.multiply(region, keep, dst=region, scale=1 / 255)
        veil = cv2.merge([cv2.convertScaleAbs(mask, alpha=float(c) / 255) for c in self._color])
        cv2.add(region, veil, dst=region)


class Lightning:
    """A bolt now and then, and its flash on everything."""

    def __init__(self, aspect: float, rng: np.random.Generator, low: float) -> None:
        self._seeds = rng.integers(0, 1 << 30, 16)
        self._first = rng.uniform(0.7, 1.4)
        self._aspect = aspect
        self._low = low

    def draw(self, frame: Frame) -> None:
        """Draw the bolt if one strikes now."""
        period = 2.6
        number, age = divmod(frame.t + period - self._first, period)
        age = float(age)
        if age > 0.5 or number < 1:
            return
        strength = math.exp(-age * 9.0) + (0.6 * math.exp(-abs(age - 0.22) * 24.0))
        flash = min(150, round(130 * strength))
        white = np.full_like(frame.light, (flash * 0.8, flash * 0.85, flash))
        cv2.add(frame.light, white, dst=frame.light)
        frame.is_lit = True
        if age > 0.30:
            return
        rng = np.random.default_rng(int(self._seeds[int(number) % 16]))
        height = frame.view.height
        x = frame.view.width / 2 + rng.uniform(-0.38, 0.38) * self._aspect * height
        self._bolt(frame, rng, x, 0.0, self._low * height, max(2, height // 240))

    def _bolt(  # noqa: PLR0917 - one drawing, used in one place
        self, frame: Frame, rng: np.random.Generator, x: float, top: float, low: float, wide: int
    ) -> None:
        steps = max(6, round(26 * (low - top) / frame.view.height))
        y = np.linspace(top, low, steps)
        y[1:-1] += rng.uniform(-0.4, 0.4, steps - 2) * (y[1] - y[0])
        path = x + np.cumsum(rng.uniform(-1, 1, steps)) * frame.view.height * 0.026
        points = np.rint(np.stack([path, y], 1) * _SCALE).astype(np.int32)
        for thick, color in ((wide * 2, (150, 160, 235)), (wide, (250, 250, 255))):
            cv2.polylines(frame.canvas, [points], False, color, thick, cv2.LINE_AA, _SHIFT)
        small = np.rint(points / 4).astype(np.int32)
        cv2.polylines(
            frame.light, [small], False, (150, 160, 235), max(2, wide), cv2.LINE_AA, _SHIFT
        )
        if wide > 1 and low - top > 0.2 * frame.view.height:
            fork = int(rng.integers(3, max(4, steps - 3)))
            self._bolt(frame, rng, float(path[fork]), float(y[fork]), low * 0.82, wide // 2)


class Fireflies:
    """Small lights that wander and breathe."""

    def __init__(self, aspect: float, rng: np.random.Generator, count: int = 26) -> None:
        self._x = rng.uniform(-aspect / 2, aspect / 2, count)
        self._y = rng.uniform(0.5, 0.95, count)
        self._phase = rng.uniform(0, 2 * np.pi, count)

    def draw(self, frame: Frame) -> None:
        """Draw the lights of this moment."""
        scale, x0, y0 = frame.view.at(0.8)
        span = frame.view.width / frame.view.height + 0.2
        t = frame.t
        for x, y, phase in zip(self._x, self._y, self._phase, strict=True):
            wander = x + 0.05 * math.sin(t * 0.7 + phase) + 0.02 * math.sin(t * 1.9 + phase * 3)
            place = (wander + x0 / scale) % span - 0.1
            py = (y + 0.03 * math.sin(t * 0.9 + phase * 2)) * scale + y0
            power = max(0.0, math.sin(t * 1.3 + phase * 5)) ** 2
            px = place * scale
            if 2 < px < frame.view.width - 2 and 2 < py < frame.view.height - 2 and power > 0.02:
                color = mix((0, 0, 0), (255, 240, 130), power)
                light = frame.light[int(py) // 4 - 1 : int(py) // 4 + 2]
                column = int(px) // 4
                light[:, max(0, column - 1) : column + 2] = color
                disc(frame.canvas, px, py, 0.0022 * scale, (250, 244, 170))
                frame.is_lit = True
