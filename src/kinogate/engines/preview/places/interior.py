"""Indoors: a room with a window, and a café table before one."""

from __future__ import annotations

import math

import cv2
import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.effects import Smoke
from kinogate.engines.preview.foliage import Brush, blob, bloom, bush, ellipse, quad
from kinogate.engines.preview.layers import (
    LIGHT_SCALE,
    Frame,
    Layer,
    ShapeBuilder,
    glow,
)
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.places.hills import backdrop, copse
from kinogate.engines.preview.spec import Place, Weather
from kinogate.engines.preview.terrain import hills, skyline


def build_room(build: Build) -> Stage:
    """A quiet room: sill, curtains, plants, the world outside the panes."""
    stage = Stage(
        steady=0.4,
        ground=0.805,
        person=0.34,
        horizon=0.60,
        air=(0.2, 0.5),
        dim=1.9 if build.palette.is_dark else 1.0,
    )
    stage.back += _outside(build)
    stage.inside += _window(build, sill=0.80)
    stage.inside.append(_furnish(build, 0.80))
    stage.inside.append(_Warmth(build))
    if "cup" in build.spec.extras:
        stage.inside += _cup(build, 0.22, 0.80, 0.085)
    return stage


def build_cafe(build: Build) -> Stage:
    """A wooden table by a wide window, a steaming cup on it."""
    stage = Stage(
        steady=0.4,
        ground=0.90,
        person=0.42,
        horizon=0.58,
        air=(0.2, 0.5),
        dim=1.9 if build.palette.is_dark else 1.0,
    )
    stage.back += _outside(build)
    stage.inside += _window(build, sill=0.66)
    stage.inside.append(_Warmth(build))
    stage.inside.append(_table(build))
    stage.inside += _cup(build, -0.12 * build.aspect * build.side, 0.855, 0.21)
    return stage


def _outside(build: Build) -> list[Layer]:
    land = build.spec.backdrop
    if land is not None:
        layers = backdrop(build, 0.60)
    elif build.spec.place is Place.CAFE or build.rng.random() < 0.5:
        layers = [
            skyline(build, depth=0.10, base=0.66, height=0.36, color=(120, 132, 164)),
            skyline(build, depth=0.18, base=0.68, height=0.30, color=(92, 104, 138)),
        ]
    else:
        layers = [hills(build, depth=0.12, base=0.56, swell=0.05, color=(110, 134, 150))]
        layers.append(hills(build, depth=0.25, base=0.62, swell=0.03, color=build.grass()))
        layers.append(copse(build, depth=0.3, base=0.63, height=0.10, count=16))
    return layers


def _inner(build: Build, color: Color, light: float = 1.0) -> Color:
    """Indoor things are lit by lamps after dark, by the window by day."""
    if build.palette.is_dark:
        warm = (0.62, 0.44, 0.36)
        return (
            min(255, round(color[0] * warm[0] * light)),
            min(255, round(color[1] * warm[1] * light)),
            min(255, round(color[2] * warm[2] * light)),
        )
    return build.lit(color, 1.0, 0.86 * light)


def _window(build: Build, sill: float) -> list[Layer]:
    """The wall with its opening, frame, curtains and sill."""
    out = ShapeBuilder()
    half = min(0.74, build.aspect * 0.36)
    top = 0.09
    far = build.aspect + 1.0
    wall, trim = _inner(build, (196, 168, 146)), _inner(build, (246, 238, 226))
    shade = _inner(build, (170, 142, 124))
    for left, y0, right, y1 in (
        (-far, -0.4, far, top),
        (-far, top, -half, sill),
        (half, top, far, sill),
        (-far, sill, far, 1.4),
    ):
        out.add(quad(left, y0, right, y1), wall)
    out.add(quad(-far, sill + 0.10, far, 1.4), shade)
    out.add(quad(-far, sill + 0.10, far, sill + 0.112), trim)
    bar = 0.012
    for left, y0, right, y1 in (
        (-half - 0.03, top - 0.03, half + 0.03, top),
        (-half - 0.03, top, -half, sill),
        (half, top, half + 0.03, sill),
        (-bar / 2, top, bar / 2, sill),
        (-half, top + (sill - top) * 0.34, half, top + (sill - top) * 0.34 + bar),
        (-half * 0.5 - bar / 3, top, -half * 0.5 + bar / 3, sill),
        (half * 0.5 - bar / 3, top, half * 0.5 + bar / 3, sill),
    ):
        out.add(quad(left, y0, right, y1), trim)
    out.add(quad(-half - 0.07, sill, half + 0.07, sill + 0.035), trim)
    out.add(quad(-half - 0.07, sill + 0.026, half + 0.07, sill + 0.035), shade)
    _curtains(build, out, half, top, sill)
    return [_Panes(half, top, sill), out.layer(0.95, None, 0.5)]


def _curtains(build: Build, out: ShapeBuilder, half: float, top: float, sill: float) -> None:
    cloth = ((186, 92, 84), (92, 124, 140), (196, 152, 92))[int(build.rng.integers(3))]
    light, dark = _inner(build, cloth), _inner(build, cloth, 0.76)
    rod = _inner(build, (84, 62, 52))
    out.add(quad(-half - 0.16, top - 0.052, half + 0.16, top - 0.040), rod)
    for side in (-1.0, 1.0):
        folds = 6
        outer, inner = side * (half + 0.14), side * (half - 0.06)
        for index in range(folds):
            a = outer + (inner - outer) * index / folds
            b = outer + (inner - outer) * (index + 1) / folds
            share = np.linspace(0, 1, 8)
            y = top - 0.044 + (sill + 0.12 - top) * share
            pinch = -side * 0.05 * np.sin(np.pi * share * 0.9) * (index / folds) * -1
            left = np.stack([a + pinch, y], 1)
            right = np.stack([b + pinch, y], 1)
            out.add(np.vstack([left, right[::-1]]), light if index % 2 else dark, -0.010)


class _Panes:
    """A faint reflection that slides over the glass."""

    def __init__(self, half: float, top: float, sill: float) -> None:
        self._half, self._top, self._sill = half, top, sill

    def draw(self, frame: Frame) -> None:
        """Add the sheen to the light of the frame."""
        scale, x0, y0 = frame.view.at(0.95)
        unit = 16 / LIGHT_SCALE
        slide = 0.05 * math.sin(frame.t * 0.4)
        for place, wide in ((-0.28, 0.08), (-0.14, 0.03), (0.30, 0.06)):
            x = (place + slide) * self._half / 0.5
            tall = self._sill - self._top
            band = np.array(
                [
                    (x, self._sill),
                    (x + wide, self._sill),
                    (x + wide + tall * 0.4, self._top),
                    (x + tall * 0.4, self._top),
                ]
            )
            band[:, 0] = np.clip(band[:, 0], -self._half, self._half)
            fixed = np.rint((band * scale + np.array([x0, y0])) * unit).astype(np.int32)
            cv2.fillPoly(frame.light, [fixed], (9, 10, 12), cv2.LINE_AA, 4)
        frame.is_lit = True


def _furnish(build: Build, sill: float) -> Layer:
    """Pots, books and a lamp about the window."""
    out = ShapeBuilder()
    rng = build.rng
    half = min(0.74, build.aspect * 0.36)
    tones = tuple(_inner(build, color) for color in ((52, 104, 66), (84, 146, 84), (130, 180, 100)))
    brush = Brush(out=out, rng=rng, tones=(tones[0], tones[1], tones[2]), side=build.side)
    pot, rim = _inner(build, (196, 112, 78)), _inner(build, (216, 134, 96))
    for x, size in ((half * 0.80, 0.050), (-half * 0.86, 0.040)):
        bush(brush, x, sill - size * 1.1, size * 1.1)
        out.add(
            np.array(
                [
                    (x - size * 0.7, sill - size * 1.3),
                    (x + size * 0.7, sill - size * 1.3),
                    (x + size * 0.5, sill),
                    (x - size * 0.5, sill),
                ]
            ),
            pot,
        )
        out.add(quad(x - size * 0.8, sill - size * 1.45, x + size * 0.8, sill - size * 1.15), rim)
    x = half * 0.42
    for index, hue in enumerate(((70, 96, 140), (190, 80, 70), (222, 180, 96), (96, 128, 100))):
        wide = 0.016 + 0.004 * (index % 2)
        tall = 0.075 + 0.012 * ((index * 2) % 3)
        out.add(quad(x, sill - tall, x + wide, sill), _inner(build, hue))
        out.add(
            quad(x, sill - tall * 0.8, x + wide, sill - tall * 0.74), _inner(build, (236, 226, 200))
        )
        x += wide + 0.001
    petal = Brush(
        out=out,
        rng=rng,
        tones=(tones[0], _inner(build, (240, 150, 160)), _inner(build, (250, 214, 110))),
    )
    for dx in (-0.02, 0.0, 0.024):
        bloom(petal, -half * 0.55 + dx, sill - 0.05, 0.075)
    vase = -half * 0.55
    out.add(blob(vase, sill - 0.03, 0.022, 0.032, rng, 3), _inner(build, (120, 160, 176)))
    return out.layer(0.97, None, 0.5)


class _Warmth:
    """Lamp light after dark, a sunbeam by day."""

    def __init__(self, build: Build) -> None:
        self._dark = build.palette.is_dark
        self._side = build.side
        self._half = min(0.74, build.aspect * 0.36)
        self._bright = build.spec.weather in (Weather.CLEAR, Weather.CLOUDY, Weather.WIND)
        self._sun = mix((0, 0, 0), build.palette.sun, 0.13)

    def draw(self, frame: Frame) -> None:
        """Add it to the light of the frame."""
        scale, x0, y0 = frame.view.at(1.0)
        pulse = 1.0 + 0.03 * math.sin(frame.t * 1.7)
        if self._dark:
            x = (self._half + 0.10) * self._side * -1 * scale + x0
            glow(frame, x, 0.22 * scale + y0, 0.75 * scale * pulse, (104, 66, 30))
            return
        if not self._bright:
            return
        lean = -self._side * 0.30
        layer = np.zeros_like(frame.light)
        for left, right in ((-0.95, -0.50), (-0.42, 0.02), (0.10, 0.52), (0.60, 0.95)):
            a, b = left * self._half, right * self._half
            ray = np.array([(a, 0.1), (b, 0.1), (b + lean * 1.2, 1.1), (a + lean * 1.2, 1.1)])
            fixed = np.rint((ray * scale + np.array([x0, y0])) * 16 / LIGHT_SCALE).astype(np.int32)
            color = mix((0, 0, 0), self._sun, min(1.0, 0.9 * pulse))
            cv2.fillPoly(layer, [fixed], color, cv2.LINE_AA, 4)
        cv2.add(frame.light, cv2.blur(layer, (9, 9)), dst=frame.light)
        frame.is_lit = True


def _table(build: Build) -> Layer:
    out = ShapeBuilder()
    far = build.aspect + 1.0
    wood, dark = _inner(build, (168, 112, 74)), _inner(build, (128, 80, 54))
    light = _inner(build, (196, 142, 98))
    out.add(quad(-far, 0.80, far, 1.4), wood)
    out.add(quad(-far, 0.80, far, 0.808), light)
    for index in range(26):
        y = 0.815 + build.rng.uniform(0, 0.2)
        x = build.rng.uniform(-far, far)
        out.add(
            ellipse(x, y, build.rng.uniform(0.1, 0.4), 0.0022, 14), dark if index % 3 else light
        )
    x = 0.26 * build.aspect * build.side
    out.add(quad(x - 0.16, 0.870, x + 0.16, 0.892), _inner(build, (70, 96, 140)))
    out.add(quad(x - 0.155, 0.862, x + 0.155, 0.872), _inner(build, (240, 234, 220)))
    out.add(quad(x - 0.16, 0.846, x + 0.15, 0.863), _inner(build, (190, 84, 72)))
    return out.layer(1.0, None)


def _cup(build: Build, x: float, base: float, size: float) -> list[Layer]:
    """A cup on its saucer, with steam."""
    out = ShapeBuilder()
    white, shade = _inner(build, (248, 244, 238), 1.1), _inner(build, (206, 196, 190))
    coffee = _inner(build, (92, 54, 36))
    wide = size * 0.62
    out.add(
        ellipse(x, base + size * 0.05, wide * 1.75, size * 0.13, 36), mix(shade, (40, 20, 10), 0.5)
    )
    out.add(ellipse(x, base, wide * 1.65, size * 0.14, 36), shade)
    out.add(ellipse(x, base - size * 0.03, wide * 1.60, size * 0.12, 36), white)
    angle = np.linspace(0, 2 * np.pi, 26, endpoint=False)
    hx, hy = x + build.side * wide * 1.12, base - size * 0.42
    outer = np.stack([hx + np.cos(angle) * size * 0.26, hy + np.sin(angle) * size * 0.26], 1)
    inner = np.stack([hx + np.cos(angle) * size * 0.16, hy + np.sin(angle) * size * 0.16], 1)
    out.add_many([outer, inner], shade)
    share = np.linspace(0, np.pi, 22)
    rim = base - size * 0.80
    bowl = np.stack([x + np.cos(share) * wide, rim + np.sin(share) ** 0.6 * size * 0.80], 1)
    bowl[:, 1] = rim + size * 0.80 * np.sin(share) ** 0.55
    out.add(bowl, white)
    dark_side = bowl[bowl[:, 0] * -build.side >= x * -build.side]
    inner_edge = dark_side.copy()
    inner_edge[:, 0] = x + (dark_side[:, 0] - x) * 0.62
    out.add(np.vstack([dark_side, inner_edge[::-1]]), mix(white, shade, 0.8))
    out.add(ellipse(x, rim, wide, size * 0.13, 34), white)
    out.add(ellipse(x, rim + size * 0.02, wide * 0.88, size * 0.095, 34), coffee)
    out.add(
        ellipse(x - wide * 0.1, rim + size * 0.035, wide * 0.5, size * 0.045, 24),
        mix(coffee, white, 0.35),
    )
    steam: Color = (120, 116, 112)
    return [
        out.layer(1.0, None),
        Smoke(x, rim - size * 0.05, 1.0, steam, size=size * 0.20, rise=size * 1.9, lean=0.02),
    ]
