"""Outer space with a planet, and the surface of the moon."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.foliage import ellipse, rock
from kinogate.engines.preview.layers import (
    Frame,
    Haze,
    Layer,
    Ridge,
    ShapeBuilder,
    Sprite,
    glow,
    waves,
)
from kinogate.engines.preview.palette import Palette
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.sky import Sky, Stars, smooth_noise
from kinogate.engines.preview.terrain import PERIOD


def build_space(build: Build) -> Stage:
    """Stars, a nebula, a ringed planet rising from below."""
    stage = Stage(
        ground=0.74,
        person=0.36,
        horizon=1.0,
        has_sky=False,
        has_sun=False,
        air=(0.28, 0.62),
        dim=1.0,
    )
    build.palette = replace(build.palette, tint=(0.92, 0.94, 1.0), rim=(206, 222, 255))
    stage.back += _void(build, low=1.3)
    stage.back.append(Nebula(build))
    side = build.side
    stage.back.append(
        Planet(
            build,
            x=side * 0.34 * build.aspect,
            y=0.95,
            radius=0.52,
            tones=((48, 92, 168), (92, 156, 206), (208, 224, 236)),
            ringed=False,
        )
    )
    stage.back.append(
        Planet(
            build,
            x=-side * 0.33 * build.aspect,
            y=0.20,
            radius=0.085,
            tones=((176, 112, 78), (222, 164, 112), (244, 206, 156)),
            ringed=True,
        )
    )
    return stage


def build_moon(build: Build) -> Stage:
    """Grey dust, craters, and the earth above the horizon."""
    stage = Stage(
        ground=0.86, person=0.30, horizon=1.0, has_sky=False, has_sun=False, air=(0.2, 0.5), dim=1.0
    )
    build.palette = replace(build.palette, tint=(0.96, 0.96, 1.0), rim=(255, 255, 255))
    stage.back += _void(build, low=0.8)
    stage.back.append(
        Planet(
            build,
            x=build.side * -0.26 * min(1.5, build.aspect),
            y=0.26,
            radius=0.115,
            tones=((34, 84, 158), (66, 140, 116), (236, 242, 248)),
            ringed=False,
        )
    )
    for depth, base, swell, tone in (
        (0.10, 0.665, 0.050, (104, 106, 118)),
        (0.28, 0.715, 0.035, (128, 130, 140)),
        (0.55, 0.765, 0.022, (152, 152, 160)),
        (0.97, 0.800, 0.010, (176, 176, 182)),
    ):
        profile = base + swell * waves(build.rng, 360, 5, 6, 0.45)
        stage.back.append(
            Ridge(
                depth=depth,
                profile=profile,
                period=PERIOD,
                color=tone,
                crest=mix(tone, (255, 255, 255), 0.4),
                crest_width=0.003 + 0.004 * depth,
            )
        )
        stage.back.append(
            Haze(depth=depth, top=base, bottom=base + 0.25, color=(20, 22, 34), start=0.0, end=0.45)
        )
    stage.back.append(_craters(build))
    return stage


def _void(build: Build, low: float) -> list[Layer]:
    dark: Palette = replace(
        build.palette,
        sky=((0.0, (5, 6, 18)), (0.5, (10, 12, 34)), (1.0, (24, 20, 54))),
        glow=(20, 16, 40),
    )
    size = (build.width, build.height)
    return [
        Sky(dark, size, (0.1, 0.6), 1.0, build.rng),
        Stars(build.aspect, build.rng, low, round(300 * min(1.3, build.aspect))),
    ]


class Nebula:
    """Clouds of coloured gas, slowly turning and breathing."""

    def __init__(self, build: Build) -> None:
        rng = build.rng
        rows, columns = 72, max(40, round(72 * build.aspect))
        total = np.zeros((rows, columns, 3), dtype=np.float32)
        y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
        x = np.linspace(-build.aspect / 2, build.aspect / 2, columns, dtype=np.float32)[None, :]
        band = np.exp(-(((y - 0.45 + 0.35 * x * build.side) / 0.24) ** 2))
        for hue, grain in (((150, 56, 150), 26.0), ((46, 84, 190), 20.0), ((220, 110, 90), 14.0)):
            soft = smooth_noise(rng, columns, rows, grain)
            total += (np.clip(soft - 0.42, 0, 1) * 3.0 * band)[:, :, None] * np.array(
                hue, np.float32
            )
        self._picture = np.clip(total * 0.62, 0, 255).astype(np.uint8)

    def draw(self, frame: Frame) -> None:
        """Add the gas to the light of the frame."""
        rows, columns = frame.light.shape[:2]
        breath = 0.92 + 0.08 * np.sin(frame.t * 0.6)
        scale = columns / self._picture.shape[1] * 1.12
        drift = (frame.view.pan + frame.view.x * 0.05) * rows + 1.5 * np.sin(frame.t * 0.21)
        matrix = np.array(
            [[scale, 0.0, -columns * 0.06 - drift], [0.0, scale, -rows * 0.06]], dtype=np.float64
        )
        moved = cv2.warpAffine(
            self._picture,
            matrix,
            (columns, rows),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        cv2.addWeighted(moved, float(breath), frame.light, 1.0, 0.0, dst=frame.light)
        frame.is_lit = True


class Planet:
    """A shaded ball with bands or continents, turning slowly, in a thin bright air."""

    def __init__(
        self,
        build: Build,
        *,
        x: float,
        y: float,
        radius: float,
        tones: tuple[Color, Color, Color],
        ringed: bool,
    ) -> None:
        self._x, self._y, self._radius = x, y, radius
        self._ringed, self._tones = ringed, tones
        size = max(24, round(radius * build.height * 1.0))
        self._sprite = Sprite(_ball(size, tones, build.rng, build.side, ringed))
        self._scale = 2 * radius * build.height / size

    def draw(self, frame: Frame) -> None:
        """Draw the ball, its glow and its ring."""
        scale, x0, y0 = frame.view.at(0.08)
        drift = 0.004 * np.sin(frame.t * 0.25)
        x, y = (self._x + drift) * scale + x0, self._y * scale + y0
        radius = self._radius * scale
        glow(frame, x, y, radius * 1.55, mix((0, 0, 0), self._tones[1], 0.45))
        if self._ringed:
            self._ring(frame, x, y, radius, back=True)
        size = self._scale * scale / frame.view.height
        self._sprite.draw(frame.canvas, x - radius, y - radius, size)
        if self._ringed:
            self._ring(frame, x, y, radius, back=False)

    def _ring(self, frame: Frame, x: float, y: float, radius: float, *, back: bool) -> None:
        angle = np.linspace(np.pi, 2 * np.pi, 30) if back else np.linspace(0, np.pi, 30)
        tilt = -0.32
        for size, share in ((1.95, 0.75), (1.62, 0.5)):
            px, py = np.cos(angle) * radius * size, np.sin(angle) * radius * size * 0.26
            line = np.stack(
                [
                    x + px * np.cos(tilt) - py * np.sin(tilt),
                    y + px * np.sin(tilt) + py * np.cos(tilt),
                ],
                1,
            )
            color = mix((20, 18, 36), self._tones[2], share)
            cv2.polylines(
                frame.canvas,
                [np.rint(line * 16).astype(np.int32)],
                False,
                color,
                max(1, round(radius * 0.13)),
                cv2.LINE_AA,
                4,
            )


def _ball(
    size: int,
    tones: tuple[Color, Color, Color],
    rng: np.random.Generator,
    side: float,
    banded: bool,
) -> npt.NDArray[np.uint8]:
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    r2 = x * x + y * y
    z = np.sqrt(np.clip(1 - r2, 0, 1))
    if banded:
        wave = np.sin(y * 13 + 0.5 * np.sin(x * 5 + y * 3))
        land, cloud = np.clip(wave, 0, 1), np.clip(np.sin(y * 29 + x * 2) - 0.6, 0, 1)
    else:
        noise = smooth_noise(rng, size, size, size / 5)
        fine = cv2.resize(
            rng.random((26, 18)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC
        )
        land = np.clip((noise + 0.35 * fine - 0.68) * 9, 0, 1)
        swirl = cv2.resize(
            rng.random((22, 8)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC
        )
        cloud = np.clip((swirl - 0.62) * 3.2, 0, 1) * 0.85
    base = np.array(tones[0], np.float32)
    color = base + land[:, :, None] * (np.array(tones[1], np.float32) - base)
    color += cloud[:, :, None] * (np.array(tones[2], np.float32) - color)
    light = np.clip(x * side * 0.62 - y * 0.46 + z * 0.62, 0, 1) ** 0.8
    rim = np.clip(1 - z, 0, 1) ** 3 * np.clip(x * side - y + 0.4, 0, 1)
    shaded = color * (0.05 + 0.95 * light)[:, :, None] + rim[:, :, None] * 120.0
    edge = np.clip((1 - np.sqrt(r2)) * size / 2, 0, 1)
    rgb = np.clip(shaded, 0, 255) * edge[:, :, None]
    rgba: npt.NDArray[np.uint8] = np.rint(np.dstack([rgb, edge * 255])).astype(np.uint8)
    return rgba


def _craters(build: Build) -> Layer:
    rng = build.rng
    out = ShapeBuilder()
    period = 5.6
    ground: Color = (168, 168, 174)
    for _ in range(30):
        y = rng.uniform(0.83, 1.02)
        wide = rng.uniform(0.015, 0.075) * (y - 0.62) * 3.2
        x = rng.uniform(0, period)
        tall = wide * 0.26
        out.add(ellipse(x, y, wide * 1.12, tall * 1.2), mix(ground, (255, 255, 255), 0.25))
        out.add(ellipse(x, y, wide, tall), mix(ground, (40, 42, 56), 0.62))
        out.add(
            ellipse(x - build.side * wide * 0.12, y + tall * 0.22, wide * 0.80, tall * 0.70),
            mix(ground, (60, 62, 76), 0.35),
        )
    stones = build.brush(out, ((90, 90, 98), (160, 160, 166), (200, 200, 204)))
    stones = replace(stones, tones=((84, 84, 94), (178, 178, 184), (210, 210, 214)))
    for _ in range(12):
        rock(stones, rng.uniform(0, period), rng.uniform(0.82, 0.98), rng.uniform(0.006, 0.022))
    return out.layer(0.97, period)
