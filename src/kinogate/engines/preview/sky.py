"""The sky: gradient without banding, sun or moon with its glow, stars, clouds, aurora, rainbow."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.canvas import Canvas, Color, disc, mix
from kinogate.engines.preview.layers import Frame, Stamp, glow
from kinogate.engines.preview.palette import Palette

Floats = npt.NDArray[np.float32]

_MARGIN_X = 0.30
_MARGIN_Y = 0.16
_FAR = 0.05


def dithered(
    picture: npt.NDArray[np.float32], rng: np.random.Generator, strength: float = 1.0
) -> Canvas:
    """Round `[H, W, 3]` float32 levels 0–255 to bytes with triangular noise, so nothing bands."""
    height, width = picture.shape[:2]
    tile = rng.random((128, 128, 3), dtype=np.float32) - rng.random((128, 128, 3), dtype=np.float32)
    for top in range(0, height, 128):
        for left in range(0, width, 128):
            part = picture[top : top + 128, left : left + 128]
            part += tile[: part.shape[0], : part.shape[1]] * strength
    np.clip(picture + 0.5, 0.0, 255.0, out=picture)
    return picture.astype(np.uint8)


class Sky:
    """Gradient and glow, painted once and copied into every frame."""

    def __init__(
        self,
        palette: Palette,
        size: tuple[int, int],
        sun: tuple[float, float] | None,
        horizon: float,
        rng: np.random.Generator,
    ) -> None:
        """`size` is (width, height) pixels; `sun` and `horizon` are in world units."""
        width, height = size
        self._width, self._height = size
        self._margin = (round(_MARGIN_X * height), round(_MARGIN_Y * height))
        full = (width + 2 * self._margin[0], height + 2 * self._margin[1])
        small = (max(2, full[0] // 4), max(2, full[1] // 4))
        y = (np.arange(small[1], dtype=np.float32) / small[1]) * (1 + 2 * _MARGIN_Y) - _MARGIN_Y
        span = horizon
        share = np.clip(y / span, 0.0, 1.0)
        places = [place for place, _ in palette.sky]
        rows = np.stack(
            [np.interp(share, places, [c[i] for _, c in palette.sky]) for i in range(3)], axis=1
        ).astype(np.float32)
        rows = np.asarray(cv2.GaussianBlur(rows, (1, 31), 0), dtype=np.float32)
        picture = np.repeat(rows[:, None, :], small[0], axis=1)
        if sun is not None:
            x = np.arange(small[0], dtype=np.float32) / small[1] * (1 + 2 * _MARGIN_Y)
            x -= full[0] / height / 2
            far = np.hypot(x[None, :] - sun[0], y[:, None] - sun[1])
            near = np.exp(-far / 0.11) * 0.9 + np.exp(-far / 0.36) * 0.8
            picture += near[:, :, None] * np.array(palette.glow, dtype=np.float32)
        grown = cv2.resize(picture, full, interpolation=cv2.INTER_LINEAR)
        self._picture = dithered(np.asarray(grown, dtype=np.float32), rng, 1.3)

    def draw(self, frame: Frame) -> None:
        """Fill the whole canvas."""
        dx, dy = sky_shift(frame)
        left = round(self._margin[0] - dx)
        top = round(self._margin[1] - dy)
        left = min(2 * self._margin[0], max(0, left))
        top = min(2 * self._margin[1], max(0, top))
        np.copyto(frame.canvas, self._picture[top : top + self._height, left : left + self._width])


def sky_shift(frame: Frame) -> tuple[float, float]:
    """How far the sky and what hangs in it has moved, in pixels."""
    view = frame.view
    limit = _MARGIN_X * 0.9
    dx = -(view.pan + _FAR * limit * math.tanh(view.x / limit / 4) * 4)
    dx = limit * math.tanh(dx / limit)
    dy = -(view.tilt + 0.02 * view.y)
    return dx * view.height, dy * view.height


class Sun:
    """The disc of the sun or the moon."""

    def __init__(
        self, palette: Palette, x: float, y: float, radius: float, *, is_moon: bool
    ) -> None:
        self._palette = palette
        self._x, self._y, self._radius = x, y, radius
        self._is_moon = is_moon
        self._craters = (
            (-0.30, -0.28, 0.24),
            (0.34, -0.05, 0.17),
            (-0.12, 0.34, 0.20),
            (0.22, 0.46, 0.11),
            (-0.52, 0.16, 0.10),
            (0.18, -0.52, 0.10),
        )

    def draw(self, frame: Frame) -> None:
        """Draw the disc and its halo."""
        dx, dy = sky_shift(frame)
        height = frame.view.height
        x = frame.view.width / 2 + self._x * height + dx
        y = self._y * height + dy
        radius = self._radius * height * (1 + 0.15 * (frame.view.zoom - 1))
        color = self._palette.sun
        pulse = 1.0 + 0.02 * math.sin(frame.t * 0.8)
        halo = mix((0, 0, 0), self._palette.glow, 0.5 if self._is_moon else 0.95)
        glow(frame, x, y, radius * (5.0 if self._is_moon else 6.5) * pulse, halo)
        disc(frame.canvas, x, y, radius, color)
        if self._is_moon:
            mare = mix(color, self._palette.cloud_lit, 0.34)
            for cx, cy, size in self._craters:
                disc(frame.canvas, x + cx * radius, y + cy * radius, size * radius, mare)
            light = mix(color, (255, 255, 255), 0.4)
            disc(frame.canvas, x - 0.1 * radius, y - 0.62 * radius, 0.12 * radius, light)


class Stars:
    """Stars of three sizes, each with its own twinkle."""

    def __init__(self, aspect: float, rng: np.random.Generator, low: float, count: int) -> None:
        spread = aspect / 2 + _MARGIN_X
        self._x = rng.uniform(-spread, spread, count)
        self._y = rng.uniform(-_MARGIN_Y, 1.0, count) ** 1.0 * low
        self._size = rng.choice([0.0009, 0.0013, 0.0022], count, p=[0.62, 0.3, 0.08])
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._pace = rng.uniform(0.8, 3.0, count)
        warm = rng.random(count) < 0.25
        self._colors = np.where(warm[:, None], (255, 232, 200), (214, 228, 255))
        self._low = low

    def draw(self, frame: Frame) -> None:
        """Draw them over the sky."""
        dx, dy = sky_shift(frame)
        height, width = frame.canvas.shape[:2]
        x = self._x * height + width / 2 + dx
        y = self._y * height + dy
        bright = 0.62 + 0.38 * np.sin(self._phase + self._pace * frame.t)
        bright *= np.clip(1.25 * (1 - self._y / self._low), 0.0, 1.0)
        seen = (x > 2) & (x < width - 2) & (y > 2) & (y < height - 2)
        x, y, share = x[seen], y[seen], bright[seen][:, None]
        below = frame.canvas[y.astype(np.int32), x.astype(np.int32)]
        colors = np.rint(below * (1 - share) + self._colors[seen] * share).astype(int).tolist()
        radius = np.maximum(0.6, self._size[seen] * height)
        spots = np.rint(np.stack([x, y, radius], 1) * 16).astype(int).tolist()
        for (cx, cy, size), color in zip(spots, colors, strict=True):
            cv2.circle(frame.canvas, (cx, cy), size, color, -1, cv2.LINE_AA, 4)


class Clouds:
    """Clouds with a lit and a shaded side, drifting with the wind."""

    def __init__(
        self,
        palette: Palette,
        size: tuple[int, int],
        rng: np.random.Generator,
        *,
        amount: float,
        top: float,
        bottom: float,
        sun: tuple[float, float],
        wind: float,
    ) -> None:
        """`amount` 0.0–1.0 is how full the sky is between `top` and `bottom` (world units)."""
        width, height = size
        self._aspect = width / height
        count = round(2 + 6 * amount * max(0.7, self._aspect / 1.6))
        self._period = self._aspect + 1.6
        self._clouds: list[tuple[Stamp, float, float, float, float]] = []
        slots = rng.permutation(count)
        hazy = replace(
            palette,
            cloud_lit=mix(palette.cloud_lit, palette.haze, 0.30),
            cloud_shade=mix(palette.cloud_shade, palette.haze, 0.40),
        )
        shades = {False: hazy, True: palette}
        for index in range(count):
            far = index / max(1, count - 1)  # 0 low and far, 1 high and near
            span = (0.24 + 0.42 * far) * (0.8 + 0.5 * amount) * rng.uniform(0.85, 1.2)
            sprite = _cloud(shades[far > 0.5], height, span, sun[0], rng)
            x = (slots[index] + rng.uniform(0.2, 0.8)) / count * self._period
            y = bottom + (top - bottom) * (far * 0.9 + rng.uniform(0, 0.1))
            speed = (0.006 + 0.012 * far) * wind
            if amount < 0.8 and abs(y - sun[1]) < 0.14:  # leave the sun and the moon free
                y = sun[1] + (0.18 if sun[1] + 0.18 < bottom + 0.08 else -0.18)
            self._clouds.append((sprite, x, y, speed, 0.02 + 0.08 * far))

    def draw(self, frame: Frame) -> None:
        """Draw them, the far ones first."""
        dx, dy = sky_shift(frame)
        height = frame.view.height
        half = frame.view.width / 2
        for sprite, x, y, speed, depth in self._clouds:
            place = x + speed * frame.t - frame.view.x * depth
            place = place % self._period - self._period / 2
            wide, tall = sprite.size
            px = half + place * height + dx - wide / 2
            sprite.draw(frame.canvas, px, y * height + dy - tall / 2)


def smooth_noise(rng: np.random.Generator, wide: int, tall: int, cell: float) -> Floats:
    """Smooth noise 0.0–1.0 with bumps of about `cell` pixels, the finer octaves weaker."""
    total = np.zeros((tall, wide), dtype=np.float32)
    weight, norm = 1.0, 0.0
    for _ in range(4):
        grid = (max(3, round(wide / cell) + 2), max(3, round(tall / cell) + 2))
        small = rng.random((grid[1], grid[0]), dtype=np.float32)
        total += weight * cv2.resize(small, (wide, tall), interpolation=cv2.INTER_CUBIC)
        norm += weight
        weight *= 0.52
        cell = max(2.0, cell / 2.1)
    return total / norm


def _cloud(
    palette: Palette, height: int, span: float, light_x: float, rng: np.random.Generator
) -> Stamp:
    """Paint one cloud at half size: billows over a flat base, modelled by the light."""
    wide = max(32, round(span * height / 2))
    tall = max(16, round(wide * 0.54))
    unit = wide / 2
    x = np.linspace(-1, 1, wide, dtype=np.float32)[None, :]
    y = np.linspace(-0.22, 0.95, tall, dtype=np.float32)[:, None]
    # A skyline of billows: the cloud is what lies under it and above its own flat base.
    crown = np.zeros((tall, wide), dtype=np.float32)
    for _ in range(13):
        across = rng.uniform(-0.72, 0.72)
        body = (1 - abs(across) ** 1.5) * rng.uniform(0.5, 1.0)
        radius = 0.14 + 0.26 * body
        rise = 0.70 - 0.42 * body
        squashed = np.hypot((x - across) / 1.15, (y - rise) * 0.92)
        crown = np.maximum(crown, 1.0 - squashed / radius * 0.72)
    grain = smooth_noise(rng, wide, tall, unit * 0.16)
    density = crown + (grain - 0.5) * 0.62
    density *= np.clip((0.80 - y) / 0.09 + (grain - 0.5) * 0.9, 0, 1)
    density *= np.clip((1 - np.abs(x)) / 0.14, 0, 1)
    alpha = np.clip((density - 0.24) / 0.16, 0, 1)
    alpha = alpha * alpha * (3 - 2 * alpha)
    relief = cv2.GaussianBlur(density, (0, 0), max(1.0, unit * 0.035))
    side = math.copysign(1.0, light_x) if light_x else 0.3
    slope = cv2.Sobel(relief, cv2.CV_32F, 0, 1) - 0.7 * side * cv2.Sobel(relief, cv2.CV_32F, 1, 0)
    light = np.clip(0.60 + slope * unit * 0.05 - (y - 0.42) * 1.15, 0, 1)
    light = light[:, :, None]
    lit = np.array(palette.cloud_lit, dtype=np.float32)
    shade = np.array(palette.cloud_shade, dtype=np.float32)
    color = shade + (lit - shade) * light
    weight = (alpha * 0.94)[:, :, None]
    rgba = np.concatenate([color * weight, weight * 255], axis=2)
    return Stamp(np.rint(np.clip(rgba, 0, 255)).astype(np.uint8), 2.0)


class Aurora:
    """Curtains of green and violet light that fold and drift."""

    def __init__(self, rng: np.random.Generator, low: float) -> None:
        self._phase = rng.uniform(0, 2 * np.pi, 8)
        self._low = low

    def draw(self, frame: Frame) -> None:
        """Add the curtains to the light of the frame."""
        rows, columns = max(8, frame.view.height // 12), max(8, frame.view.width // 12)
        dx, dy = sky_shift(frame)
        aspect = frame.view.width / frame.view.height
        x = np.linspace(-aspect / 2, aspect / 2, columns) - dx / frame.view.height
        y = np.linspace(0.0, 1.0, rows) - dy / frame.view.height
        total = np.zeros((rows, columns, 3))
        t = frame.t
        hues = ((40, 190, 120), (30, 150, 130), (110, 60, 170))
        for index, hue in enumerate(hues):
            p = self._phase[index * 2 : index * 2 + 2]
            foot = self._low * (0.66 - 0.16 * index)
            foot = foot + 0.07 * np.sin(x * 2.3 + p[0] + t * 0.16)
            foot += 0.03 * np.sin(x * 6.1 + p[1] - t * 0.27)
            folds = 0.62 + 0.25 * np.sin(x * 9.0 + p[0] * 3 + t * 0.5)
            folds += 0.13 * np.sin(x * 31.0 + p[1] + t * 1.1)
            above = (foot[None, :] - y[:, None]) / 0.34
            curtain = np.where(above > 0, np.exp(-above * 2.6), np.exp(above * 22.0))
            total += (curtain * folds[None, :])[:, :, None] * np.array(hue)
        picture = np.clip(total * 0.85, 0, 255).astype(np.uint8)
        size = (frame.light.shape[1], frame.light.shape[0])
        grown = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        cv2.add(frame.light, grown, dst=frame.light)
        frame.is_lit = True


class Rainbow:
    """A soft arc in the far sky."""

    _BANDS: tuple[Color, ...] = (
        (130, 30, 190),
        (40, 60, 230),
        (20, 170, 170),
        (40, 200, 30),
        (240, 200, 0),
        (250, 110, 0),
        (240, 20, 30),
    )

    def draw(self, frame: Frame) -> None:
        """Add the arc to the light of the frame."""
        dx, dy = sky_shift(frame)
        height = frame.view.height
        breath = 0.19 + 0.02 * math.sin(frame.t * 0.5)
        center = (
            round((frame.view.width / 2 + 0.15 * height + dx) * 16 / 4),
            round((0.86 * height + dy) * 16 / 4),
        )
        layer = np.zeros_like(frame.light)
        for index, band in enumerate(self._BANDS):
            radius = round((0.60 + 0.010 * index) * height * 16 / 4)
            color = mix((0, 0, 0), band, breath)
            cv2.circle(
                layer, center, radius, color, max(1, round(0.010 * height / 4)), cv2.LINE_AA, 4
            )
        cv2.add(frame.light, cv2.blur(layer, (3, 3)), dst=frame.light)
        frame.is_lit = True
