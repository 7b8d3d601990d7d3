"""Under water: light from above, a reef below."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, disc, mix
from kinogate.engines.preview.effects import Bubbles, Shafts
from kinogate.engines.preview.foliage import Brush, blob, ellipse, rock
from kinogate.engines.preview.layers import Frame, Haze, Layer, Ridge, ShapeBuilder, waves
from kinogate.engines.preview.palette import Palette
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.sky import Sky
from kinogate.engines.preview.spec import Time
from kinogate.engines.preview.terrain import PERIOD

_Lit = Callable[[Color, float], Color]
"""A daylight colour seen through water, by nearness 0.0–1.0."""

_CORALS: tuple[Color, ...] = (
    (240, 104, 96),
    (250, 160, 84),
    (222, 96, 160),
    (150, 104, 200),
    (246, 204, 96),
    (90, 200, 180),
)


def build_underwater(build: Build) -> Stage:
    """A sunlit reef, blue distance, rays from the surface."""
    stage = Stage(
        ground=0.90, person=0.22, horizon=1.0, has_sky=False, has_sun=False, air=(0.24, 0.66)
    )
    light = {Time.NIGHT: 0.30, Time.DUSK: 0.45, Time.DAWN: 0.7, Time.SUNSET: 0.7}.get(
        build.spec.time, 1.0
    )

    def lit(color: Color, near: float) -> Color:
        blue = _scaled((18, 104, 150), light)
        wet = _scaled(
            (round(color[0] * 0.72), round(color[1] * 0.92), color[2]), 0.35 + 0.65 * light
        )
        return mix(blue, wet, near)

    stage.back.append(
        Sky(
            _water_sky(build.palette, light),
            (build.width, build.height),
            (build.sun[0] * 0.6, -0.04),
            0.95,
            build.rng,
        )
    )
    ray = _scaled((110, 150, 140), 0.55 * light)
    stage.back.append(
        Shafts(ray, build.rng, top=-0.05, bottom=0.95, slant=0.22 * build.side, count=8)
    )
    for depth, base, tall, near in ((0.12, 0.80, 0.10, 0.10), (0.28, 0.86, 0.09, 0.24)):
        profile = base - tall * np.abs(waves(build.rng, 240, 4, 6, 0.5))
        stage.back.append(
            Ridge(depth=depth, profile=profile, period=PERIOD, color=lit((30, 74, 104), near * 2))
        )
    stage.back.append(_Jellies(build.aspect, build.rng, lit((230, 160, 210), 0.55)))
    stage.back.append(_reef(build, lit, depth=0.55, base=0.90, near=0.42, count=26, size=0.85))
    sand = lit((226, 206, 160), 0.72)
    profile = 0.895 + 0.012 * waves(build.rng, 120, 3, 4)
    stage.back.append(
        Ridge(
            depth=0.97,
            profile=profile,
            period=PERIOD,
            color=sand,
            crest=mix(sand, (255, 255, 240), 0.2),
        )
    )
    deep = _scaled((10, 60, 96), light)
    stage.back.append(Haze(depth=0.97, top=0.90, bottom=1.04, color=deep, start=0.0, end=0.55))
    stage.back.append(_Caustics(_scaled((70, 84, 70), light)))
    stage.back.append(_reef(build, lit, depth=0.97, base=0.945, near=0.86, count=40, size=1.0))
    stage.front.append(_weeds(build, lit))
    stage.front.append(
        Bubbles(build.aspect, build.rng, _scaled((206, 238, 246), 0.4 + 0.6 * light), 40)
    )
    return stage


def _scaled(color: Color, share: float) -> Color:
    return (round(color[0] * share), round(color[1] * share), round(color[2] * share))


def _water_sky(palette: Palette, light: float) -> Palette:
    stops: tuple[tuple[float, Color], ...] = (
        (0.0, _scaled((116, 212, 222), light)),
        (0.25, _scaled((48, 160, 194), light)),
        (0.6, _scaled((20, 106, 156), light)),
        (1.0, _scaled((10, 62, 112), light)),
    )
    return replace(palette, sky=stops, glow=_scaled((110, 104, 70), light))


class _Caustics:
    """A net of light that plays over the sand."""

    def __init__(self, color: Color) -> None:
        self._color = color

    def draw(self, frame: Frame) -> None:
        """Add the net to the light of the frame."""
        scale, x0, y0 = frame.view.at(0.97)
        rows, columns = frame.light.shape[:2]
        top = max(0, int((0.86 * scale + y0) / 4))
        if top >= rows - 2:
            return
        t = frame.t
        x = (np.arange(columns, dtype=np.float32) * 4 - x0) / scale
        y = (np.arange(top, rows, dtype=np.float32) * 4 - y0) / scale
        far = 1.0 / (y - 0.62)
        a = np.abs(
            np.sin(x[None, :] * 16 + far[:, None] * 3.0 + t * 1.1)
            + np.sin(x[None, :] * 9 - far[:, None] * 5.0 - t * 0.8)
        )
        net = np.clip(1 - a * 1.5, 0, 1) * np.clip((y - 0.86) * 14, 0, 1)[:, None]
        byte = np.rint(net * 255).astype(np.uint8)
        patch = cv2.merge([cv2.convertScaleAbs(byte, alpha=c / 255) for c in self._color])
        region = frame.light[top:]
        region[:] = cv2.add(region, patch)
        frame.is_lit = True


class _Jellies:
    """A few jellyfish far off, pulsing upwards."""

    def __init__(self, aspect: float, rng: np.random.Generator, color: Color) -> None:
        self._x = rng.uniform(-0.5, 0.5, 4) * aspect
        self._y = rng.uniform(0.12, 0.55, 4)
        self._size = rng.uniform(0.018, 0.034, 4)
        self._phase = rng.uniform(0, 6.28, 4)
        self._color = color

    def draw(self, frame: Frame) -> None:
        """Draw them."""
        scale, x0, y0 = frame.view.at(0.2)
        t = frame.t
        for x, y, size, phase in zip(self._x, self._y, self._size, self._phase, strict=True):
            beat = math.sin(t * 2.0 + phase)
            px = (x + 0.02 * math.sin(t * 0.3 + phase)) * scale + x0
            py = (y - 0.015 * math.sin(t * 0.5 + phase) - 0.004 * beat) * scale + y0
            wide, tall = size * (1 + 0.14 * beat) * scale, size * (0.8 - 0.1 * beat) * scale
            angle = np.linspace(np.pi, 2 * np.pi, 14)
            bell = np.stack([px + np.cos(angle) * wide, py + np.sin(angle) * tall], 1)
            fixed = np.rint(bell * 16).astype(np.int32)
            cv2.fillPoly(frame.canvas, [fixed], self._color, cv2.LINE_AA, 4)
            for index in range(5):
                root = px + (index - 2) * wide * 0.38
                share = np.linspace(0, 1, 7)
                wave = np.sin(share * 6 - t * 2.4 + index) * wide * 0.16 * share
                line = np.stack([root + wave, py + share * tall * 2.2], 1)
                cv2.polylines(
                    frame.canvas,
                    [np.rint(line * 16).astype(np.int32)],
                    False,
                    self._color,
                    1,
                    cv2.LINE_AA,
                    4,
                )
            disc(frame.canvas, px - wide * 0.3, py - tall * 0.45, wide * 0.12, (240, 220, 240))


def _reef(
    build: Build,
    lit: _Lit,
    *,
    depth: float,
    base: float,
    near: float,
    count: int,
    size: float,
) -> Layer:
    """Corals of several shapes among stones."""
    rng = build.rng
    out = ShapeBuilder()
    period = 4.2
    tones = (lit((60, 70, 98), near), lit((96, 104, 128), near), lit((120, 126, 140), near))
    stones = Brush(out=out, rng=rng, tones=tones, side=build.side)
    for x in np.sort(rng.uniform(0, period, count)):
        foot = base + rng.uniform(-0.005, 0.03)
        hue = _CORALS[int(rng.integers(len(_CORALS)))]
        color, shade = lit(hue, near), lit(mix(hue, (60, 40, 90), 0.45), near)
        kind = int(rng.integers(4))
        tall = size * rng.uniform(0.09, 0.20)
        if kind == 0:
            _branching(out, rng, x, foot, tall, color, -np.pi / 2, 3)
        elif kind == 1:
            out.add(blob(x, foot - tall * 0.3, tall * 0.62, tall * 0.44, rng, 9), shade)
            out.add(blob(x + 0.01, foot - tall * 0.38, tall * 0.46, tall * 0.30, rng, 9), color)
        elif kind == 2:
            for index in range(5):
                px = x + (index - 2) * tall * 0.26
                high = tall * rng.uniform(0.5, 1.0)
                tube = np.array(
                    [
                        (px - tall * 0.07, foot),
                        (px - tall * 0.10, foot - high),
                        (px + tall * 0.10, foot - high),
                        (px + tall * 0.07, foot),
                    ]
                )
                out.add(tube, color if index % 2 else shade)
                out.add(
                    ellipse(px, foot - high, tall * 0.10, tall * 0.035, 12), lit((40, 30, 60), near)
                )
        else:
            rock(stones, float(x), foot + 0.01, tall * 0.7)
    return out.layer(depth, period, 0.6)


def _branching(  # noqa: PLR0917
    out: ShapeBuilder,
    rng: np.random.Generator,
    x: float,
    y: float,
    long: float,
    color: Color,
    angle: float,
    level: int,
) -> None:
    tip_x, tip_y = x + np.cos(angle) * long * 0.55, y + np.sin(angle) * long * 0.55
    wide = long * 0.075
    normal = np.array([-np.sin(angle), np.cos(angle)]) * wide
    start, tip = np.array([x, y]), np.array([tip_x, tip_y])
    out.add(
        np.vstack([start - normal, tip - normal * 0.8, tip + normal * 0.8, start + normal]),
        color,
        long * 0.01,
        rigid=True,
    )
    out.add(ellipse(tip_x, tip_y, wide * 0.85, wide * 0.85, 9), color, long * 0.01, rigid=True)
    if level:
        for turn in (-0.55, 0.0, 0.55):
            if turn == 0.0 and level < 2:
                continue
            bend = angle + turn + rng.uniform(-0.2, 0.2)
            _branching(out, rng, tip_x, tip_y, long * 0.74, color, bend, level - 1)


def _weeds(build: Build, lit: _Lit) -> Layer:
    """Tall weed that waves at both edges."""
    rng = build.rng
    out = ShapeBuilder()
    period = 3.4
    for center in (0.55, 1.25, 2.6):
        for _ in range(5):
            x = center + rng.uniform(-0.10, 0.10)
            tall = rng.uniform(0.12, 0.30)
            share = np.linspace(0, 1, 14)
            wave = 0.02 * np.sin(share * 9 + rng.uniform(0, 6))
            wide = 0.012 * (1 - share) ** 0.6
            left = np.stack([x + wave - wide, 1.06 - tall * share], 1)
            right = np.stack([x + wave + wide, 1.06 - tall * share], 1)
            tone = lit((18, 70, 66), 0.9) if rng.random() < 0.5 else lit((34, 100, 76), 0.9)
            out.add(np.vstack([left, right[::-1]]), tone, tall * 0.16)
    return out.layer(1.25, period, 1.0)
