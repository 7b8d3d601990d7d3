"""Lights and sights beside the weather: fireworks, lanterns, beams, shafts, smoke, fire."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.canvas import Color, disc, fill, mix
from kinogate.engines.preview.layers import LIGHT_SCALE, Frame, glow
from kinogate.engines.preview.sky import sky_shift

_SHIFT = 4
_SCALE = 16


class Fireworks:
    """Bursts that rise, bloom and fall, several at a time, without end."""

    _HUES: tuple[Color, ...] = (
        (255, 120, 90),
        (255, 210, 110),
        (120, 220, 255),
        (255, 140, 220),
        (150, 255, 170),
        (200, 160, 255),
    )

    def __init__(self, aspect: float, rng: np.random.Generator, low: float) -> None:
        self._aspect = aspect
        self._low = low
        self._seed = int(rng.integers(0, 1 << 30))

    def draw(self, frame: Frame) -> None:
        """Draw all bursts alight at this moment."""
        pace, life = 0.62, 2.4
        newest = math.floor((frame.t + 1.6) / pace)
        for number in range(newest - 4, newest + 1):
            age = frame.t + 1.6 - number * pace
            if 0.0 <= age < life:
                self._burst(frame, number, age / life)

    def _burst(self, frame: Frame, number: int, share: float) -> None:
        rng = np.random.default_rng([self._seed, number + 1000])
        dx, dy = sky_shift(frame)
        height = frame.view.height
        spread = min(0.8, self._aspect * 0.42)
        x = frame.view.width / 2 + rng.uniform(-spread, spread) * height + dx
        y = rng.uniform(0.10, self._low * 0.52) * height + dy
        color = self._HUES[int(rng.integers(len(self._HUES)))]
        second = mix(color, (255, 255, 255), 0.55)
        size = rng.uniform(0.13, 0.22) * height
        rise = 0.22
        if share < rise:
            climb = share / rise
            py = self._low * height + (y - self._low * height) * (1 - (1 - climb) ** 2)
            trail = np.array(
                [(x - 1.2, py + 0.05 * height), (x, py), (x + 1.2, py + 0.05 * height)]
            )
            fill(frame.canvas, trail, mix((60, 40, 40), (255, 220, 170), 0.8))
            glow(frame, x, py, 0.02 * height, (150, 120, 80))
            return
        age = (share - rise) / (1 - rise)
        fade = max(0.0, 1.0 - age) ** 1.2
        count = 64
        angle = rng.uniform(0, 2 * np.pi, count)
        reach = size * np.sqrt(rng.uniform(0.12, 1.0, count))
        ends = []
        for moment in (age, max(0.0, age - 0.09 - 0.10 * age)):
            far = 1 - math.exp(-4.2 * moment)
            sparks_x = x + np.cos(angle) * reach * far
            sparks_y = y + np.sin(angle) * reach * far + 0.11 * height * moment**2
            ends.append(np.stack([sparks_x, sparks_y], 1))
        lines = np.rint(np.stack(ends, 1) * _SCALE).astype(np.int32)
        sparkle = rng.random(count) < 0.35
        twinkle = 0.6 + 0.4 * math.sin(age * 40 + number)
        for picked, tone in ((lines[~sparkle], color), (lines[sparkle], second)):
            lit = mix((0, 0, 0), tone, fade * (twinkle if tone is second else 1.0))
            thick = max(1, round(height / 480 * (1.2 - 0.5 * age)))
            self._streaks(frame, picked, lit, thick)
        glow(frame, x, y, size * (1.3 + 0.5 * age), mix((0, 0, 0), color, 0.62 * fade))

    @staticmethod
    def _streaks(frame: Frame, lines: npt.NDArray[np.int32], color: Color, thick: int) -> None:
        """Add thin lines of light; what lies behind shines through as they fade."""
        height, width = frame.canvas.shape[:2]
        low = np.clip(lines.reshape(-1, 2).min(0) // _SCALE - 4, 0, (width, height)).astype(int)
        high = np.clip(lines.reshape(-1, 2).max(0) // _SCALE + 5, 0, (width, height)).astype(int)
        if high[0] <= low[0] or high[1] <= low[1]:
            return
        region = frame.canvas[low[1] : high[1], low[0] : high[0]]
        ink = np.zeros_like(region)
        moved = (lines - low * _SCALE).astype(np.int32)
        cv2.polylines(ink, list(moved), False, color, thick, cv2.LINE_AA, _SHIFT)
        region[:] = cv2.add(region, ink)
        small = np.rint(lines / LIGHT_SCALE).astype(np.int32)
        dim = mix((0, 0, 0), color, 0.5)
        cv2.polylines(frame.light, list(small), False, dim, 1, cv2.LINE_AA, _SHIFT)
        frame.is_lit = True


class SkyLanterns:
    """Paper lanterns that climb slowly, the near ones large, each lit from within."""

    def __init__(
        self, aspect: float, rng: np.random.Generator, low: float, count: int = 30
    ) -> None:
        self._low = low
        self._x = rng.uniform(0, 1, count)
        self._y = rng.uniform(0, 1, count)
        self._near = np.sort(rng.uniform(0.18, 1.0, count) ** 1.5)
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._aspect = aspect

    def draw(self, frame: Frame) -> None:
        """Draw the lanterns of this moment."""
        view, t = frame.view, frame.t
        span = self._aspect + 0.3
        for x, y, near, phase in zip(self._x, self._y, self._near, self._phase, strict=True):
            sway = 0.012 * math.sin(t * 0.8 + phase)
            px = ((x * span + sway - (view.x * near + view.pan)) % span - 0.15) * view.height
            rise = (y - t * (0.012 + 0.03 * near) / self._low) % 1.0
            py = (rise * (self._low + 0.08) - 0.12) * view.height - view.tilt * view.height
            size = (0.012 + 0.040 * near) * view.height
            flicker = 0.92 + 0.08 * math.sin(t * 7 + phase * 9)
            body = np.array(
                [
                    (px - size * 0.62, py - size * 0.55),
                    (px - size * 0.40, py - size * 0.95),
                    (px + size * 0.40, py - size * 0.95),
                    (px + size * 0.62, py - size * 0.55),
                    (px + size * 0.44, py + size * 0.80),
                    (px - size * 0.44, py + size * 0.80),
                ]
            )
            shell = mix((120, 40, 20), (255, 150, 60), flicker * (0.55 + 0.35 * near))
            fill(frame.canvas, body, shell)
            heart = body * np.array([0.62, 0.5]) + np.array([px * 0.38, (py + size * 0.3) * 0.5])
            fill(frame.canvas, heart, (255, 214, 130))
            glow(frame, px, py, size * 3.4, mix((0, 0, 0), (190, 96, 34), flicker))


class Beam:
    """A turning lighthouse beam."""

    def __init__(self, x: float, y: float, depth: float) -> None:
        self._x, self._y, self._depth = x, y, depth

    def draw(self, frame: Frame) -> None:
        """Draw the lamp and its two rays of this moment."""
        scale, x0, y0 = frame.view.at(self._depth)
        x, y = self._x * scale + x0, self._y * scale + y0
        turn = frame.t * 0.9
        size = 16 / LIGHT_SCALE
        for way in (1.0, -1.0):
            swing = math.cos(turn) * way
            facing = max(0.0, 1.0 - abs(math.sin(turn)) * 0.35)
            long = 1.5 * scale * swing
            wide = 0.035 * scale + abs(long) * 0.10
            ray = np.array([(x, y - 2), (x + long, y - wide), (x + long, y + wide), (x, y + 2)])
            fixed = np.rint(ray * size).astype(np.int32)
            layer = np.zeros_like(frame.light)
            cv2.fillPoly(layer, [fixed], (78 * facing, 70 * facing, 48 * facing), cv2.LINE_AA, 4)
            cv2.add(frame.light, cv2.blur(layer, (9, 9)), dst=frame.light)
        glow(frame, x, y, 0.10 * scale, (255, 236, 170))
        disc(frame.canvas, x, y, 0.006 * scale, (255, 250, 224))
        frame.is_lit = True


class Shafts:
    """Slanting rays of light that breathe."""

    def __init__(
        self,
        color: Color,
        rng: np.random.Generator,
        *,
        top: float,
        bottom: float,
        slant: float,
        count: int = 6,
        spread: float = 1.2,
    ) -> None:
        self._color = color
        self._x = np.sort(rng.uniform(-spread, spread, count))
        self._wide = rng.uniform(0.03, 0.10, count)
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._top, self._bottom, self._slant = top, bottom, slant

    def draw(self, frame: Frame) -> None:
        """Add the rays to the light of the frame."""
        scale, x0, y0 = frame.view.at(0.35)
        layer = np.zeros_like(frame.light)
        unit = 16 / LIGHT_SCALE
        span = 2.6
        for x, wide, phase in zip(self._x, self._wide, self._phase, strict=True):
            power = 0.55 + 0.45 * math.sin(frame.t * 0.7 + phase)
            place = ((x + x0 / scale + 0.02 * math.sin(frame.t * 0.3 + phase)) % span - 0.4) * scale
            top, low = self._top * scale + y0, self._bottom * scale + y0
            lean = self._slant * (low - top)
            ray = np.array(
                [
                    (place - wide * scale * 0.5, top),
                    (place + wide * scale * 0.5, top),
                    (place + lean + wide * scale, low),
                    (place + lean - wide * scale, low),
                ]
            )
            color = mix((0, 0, 0), self._color, power)
            ink = np.zeros_like(layer)
            cv2.fillPoly(ink, [np.rint(ray * unit).astype(np.int32)], color, cv2.LINE_AA, 4)
            cv2.add(layer, ink, dst=layer)
        height = len(layer)
        first = max(0, int((self._top * scale + y0) / LIGHT_SCALE))
        rows = np.clip(1 - (np.arange(height) - first) / max(1, height - first), 0, 1)
        fade = np.rint(rows * 255).astype(np.uint8)
        mask = np.repeat(np.repeat(fade[:, None], layer.shape[1], 1)[:, :, None], 3, 2)
        cv2.multiply(layer, mask, dst=layer, scale=1 / 255)
        cv2.add(frame.light, cv2.blur(layer, (11, 3)), dst=frame.light)
        frame.is_lit = True


class Smoke:
    """Soft puffs that rise from a point and thin out: chimney smoke, steam."""

    def __init__(
        self,
        x: float,
        y: float,
        depth: float,
        color: Color,
        *,
        size: float,
        rise: float,
        lean: float,
    ) -> None:
        self._x, self._y, self._depth, self._color = x, y, depth, color
        self._size, self._rise, self._lean = size, rise, lean

    def draw(self, frame: Frame) -> None:
        """Draw the puffs of this moment."""
        scale, x0, y0 = frame.view.at(self._depth)
        count = 9
        for index in range(count):
            age = (frame.t * 0.22 + index / count) % 1.0
            x = self._x + self._lean * age + 0.25 * self._size * math.sin(age * 9 + index * 2)
            px = x * scale + x0
            py = (self._y - self._rise * age) * scale + y0
            power = math.sin(math.pi * min(1.0, age * 1.1)) * 0.30
            glow_color = mix((0, 0, 0), self._color, power)
            glow(frame, px, py, self._size * (0.7 + 1.6 * age) * scale, glow_color)


class Fire:
    """A small fire of licking tongues with its light."""

    def __init__(self, x: float, y: float, size: float) -> None:
        self._x, self._y, self._size = x, y, size

    def draw(self, frame: Frame) -> None:
        """Draw the flames of this moment."""
        scale, x0, y0 = frame.view.at(1.0)
        x, y, size = self._x * scale + x0, self._y * scale + y0, self._size * scale
        for log in (-0.5, 0.5):
            ends = np.array([(-0.6, -0.02), (0.6, 0.10), (0.6, 0.22), (-0.6, 0.10)])
            ends[:, 0] *= 1 if log > 0 else -1
            fill(frame.canvas, ends * size * 0.8 + np.array([x, y]), (66, 40, 30))
        tongues: tuple[tuple[Color, float], ...] = (
            ((226, 84, 34), 1.0),
            ((250, 150, 50), 0.72),
            ((255, 224, 130), 0.42),
        )
        for color, share in tongues:
            points = []
            for index in range(9):
                side = (index - 4) / 4
                lick = 1 if index % 2 == 0 else 0.45
                lick *= 0.75 + 0.25 * math.sin(frame.t * 9 + index * 2.3 + share * 5)
                tall = size * 1.3 * share * lick * (1 - 0.55 * abs(side))
                points.append((x + side * size * 0.42 * share, y - tall))
            points += [(x + size * 0.30 * share, y + size * 0.06), (x - size * 0.30 * share, y)]
            fill(frame.canvas, np.array(points), color)
        power = 0.85 + 0.15 * math.sin(frame.t * 11)
        glow(frame, x, y - size * 0.4, size * 4.5, mix((0, 0, 0), (150, 76, 24), power))


class Bubbles:
    """Bubbles that wobble upwards."""

    def __init__(self, aspect: float, rng: np.random.Generator, color: Color, count: int) -> None:
        self._x = rng.uniform(0, 1, count)
        self._y = rng.uniform(0, 1, count)
        self._near = np.sort(rng.uniform(0.2, 1.0, count) ** 1.5)
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._aspect = aspect
        self._color = color

    def draw(self, frame: Frame) -> None:
        """Draw the bubbles of this moment."""
        view, t = frame.view, frame.t
        span = self._aspect + 0.2
        thick = max(1, round(view.height / 700))
        for x, y, near, phase in zip(self._x, self._y, self._near, self._phase, strict=True):
            sway = 0.008 * math.sin(t * 2.1 + phase)
            px = ((x * span + sway - view.x * near - view.pan) % span - 0.1) * view.height
            py = ((y - t * (0.05 + 0.07 * near)) % 1.1 - 0.05) * view.height
            radius = (0.002 + 0.007 * near) * view.height
            center = (round(px * _SCALE), round(py * _SCALE))
            color = mix((0, 0, 0), self._color, 0.55 + 0.45 * near)
            size = round(radius * _SCALE)
            cv2.circle(frame.canvas, center, size, color, thick, cv2.LINE_AA, _SHIFT)
            if near > 0.5:
                disc(frame.canvas, px - radius * 0.35, py - radius * 0.35, radius * 0.22, color)
