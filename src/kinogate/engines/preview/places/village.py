"""A village among fields, and a garden in bloom."""

from __future__ import annotations

import math

import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, fill, mix
from kinogate.engines.preview.effects import Smoke
from kinogate.engines.preview.foliage import blooms, broadleaf, bush, ellipse, poplar, quad, tuft
from kinogate.engines.preview.layers import Frame, Layer, ShapeBuilder
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.places.hills import backdrop, copse, fringe, meadow
from kinogate.engines.preview.spec import Season
from kinogate.engines.preview.terrain import hills

_PETALS: tuple[Color, ...] = (
    (240, 86, 104),
    (252, 200, 72),
    (250, 248, 240),
    (176, 116, 214),
    (248, 148, 184),
    (250, 140, 70),
    (120, 150, 230),
)


def build_village(build: Build) -> Stage:
    """Cottages with smoking chimneys, a windmill, fields and a fence."""
    stage = Stage(ground=0.875, person=0.25, horizon=0.64, air=(0.14, 0.42))
    stage.back += backdrop(build, 0.62)
    green = build.grass()
    stage.back.append(hills(build, depth=0.20, base=0.615, swell=0.03, color=green, mist=0.4))
    stage.back.append(_fields(build))
    stage.back.append(copse(build, depth=0.38, base=0.665, height=0.07, count=14))
    stage.back += _houses(build)
    stage.back.append(_Sails(0.30 * build.aspect * build.side * -1, 0.535, 0.46, build))
    stage.back.append(_fence(build, stage.ground - 0.05))
    stage.back[-1:-1] = meadow(build, stage, green)
    stage.front += fringe(build, green)
    return stage


def build_garden(build: Build) -> Stage:
    """Beds of flowers before hedges and blossoming trees."""
    stage = Stage(ground=0.865, person=0.27, horizon=0.62, air=(0.34, 0.66))
    green = build.grass()
    stage.back += backdrop(build, 0.60)
    stage.back.append(hills(build, depth=0.22, base=0.60, swell=0.03, color=green, mist=0.3))
    stage.back.append(copse(build, depth=0.40, base=0.655, height=0.15, count=18))
    stage.back.append(
        hills(build, depth=0.6, base=0.70, swell=0.012, color=green, mist=0.0, crest=0.12)
    )
    stage.back.append(_hedges(build))
    stage.back.append(_blossoms(build))
    stage.back += meadow(build, stage, green, flowers=False)
    stage.back.append(_bed(build, depth=0.86, low=0.80, high=0.85, count=120, size=0.045))
    stage.back.append(_path(build, stage.ground))
    stage.front.append(_bed(build, depth=1.1, low=0.975, high=1.08, count=64, size=0.10))
    return stage


def _fields(build: Build) -> Layer:
    """Striped fields on the middle slope."""
    out = ShapeBuilder()
    period = 6.0
    tones = ((214, 184, 92), (134, 168, 84), (186, 150, 84), (104, 148, 80))
    if build.is_white:
        tones = ((226, 232, 240), (214, 224, 236), (232, 238, 246), (206, 218, 232))
    x = 0.0
    index = 0
    while x < period:
        wide = build.rng.uniform(0.35, 0.75)
        color = build.lit(tones[index % 4], 0.4)
        out.add(
            np.array([(x, 0.655), (x + wide, 0.650), (x + wide + 0.12, 0.78), (x - 0.06, 0.78)]),
            color,
        )
        line = mix(color, (60, 60, 40), 0.14)
        for row in range(1, 6):
            share = row / 6
            top, low = x + wide * share, x - 0.06 + (wide + 0.18) * share
            out.add(
                np.array([(top, 0.654), (top + 0.003, 0.654), (low + 0.010, 0.78), (low, 0.78)]),
                line,
            )
        x += wide
        index += 1
    return out.layer(0.34, period)


def _houses(build: Build) -> list[Layer]:
    rng = build.rng
    out = ShapeBuilder()
    layers: list[Layer] = []
    depth, base = 0.55, 0.765
    walls = ((240, 226, 200), (226, 198, 168), (214, 216, 214))
    roofs = ((178, 76, 56), (150, 88, 62), (104, 84, 92))
    smoke = build.lit((90, 92, 98), depth)
    places = (-1.15, -0.62, -0.20, 0.42, 0.95, 1.4)
    for index, x in enumerate(places):
        wide, tall = rng.uniform(0.14, 0.20), rng.uniform(0.075, 0.10)
        foot = base + rng.uniform(-0.012, 0.012)
        roof = (232, 238, 246) if build.is_white else roofs[index % 3]
        _house(build, out, x, foot, wide, tall, walls[index % 3], roof, depth)
        if index % 2 == 0:
            chimney = x + wide * 0.26
            layers.append(
                Smoke(
                    chimney,
                    foot - tall * 2.05,
                    depth,
                    smoke,
                    size=0.020,
                    rise=0.20,
                    lean=0.06 * build.wind,
                )
            )
    brush = build.brush(out, build.leaves(), depth)
    for x in (-0.88, 0.16, 0.70, 1.20):
        broadleaf(brush, x, base + 0.01, rng.uniform(0.14, 0.20), detail=6)
    for x in (-0.40, -0.36, 1.08):
        poplar(brush, x, base, rng.uniform(0.18, 0.24))
    _mill(build, out, 0.30 * build.aspect * build.side * -1, 0.70, 0.46)
    return [out.layer(depth, None, build.wind), *layers]


def _house(  # noqa: PLR0917
    build: Build,
    out: ShapeBuilder,
    x: float,
    base: float,
    wide: float,
    tall: float,
    wall: Color,
    roof: Color,
    depth: float,
) -> None:
    face, side = build.lit(wall, depth), build.lit(wall, depth, 0.78)
    half = wide / 2
    eave = base - tall
    top = eave - tall * 0.85
    out.add(quad(x + half * 0.42, top - tall * 0.18, x + half * 0.60, eave), side)
    out.add(quad(x - half, eave, x + half, base), face)
    dark = x - half if build.side > 0 else x + half * 0.5
    out.add(quad(dark, eave, dark + half * 0.5, base), side)
    tiles, rim = build.lit(roof, depth), build.lit(roof, depth, 0.8)
    out.add(
        np.array(
            [
                (x - half * 1.16, eave + tall * 0.08),
                (x - half * 0.74, top),
                (x + half * 0.74, top),
                (x + half * 1.16, eave + tall * 0.08),
            ]
        ),
        tiles,
    )
    out.add(quad(x - half * 1.16, eave + tall * 0.04, x + half * 1.16, eave + tall * 0.11), rim)
    pane = (255, 212, 132) if build.palette.is_dark else build.lit((120, 156, 176), depth)
    frame = build.lit((250, 246, 236), depth)
    for dx in (-0.62, 0.42):
        left = x + half * dx
        out.add(
            quad(left - 0.003, base - tall * 0.72, left + half * 0.30 + 0.003, base - tall * 0.26),
            frame,
        )
        out.add(quad(left, base - tall * 0.68, left + half * 0.30, base - tall * 0.30), pane)
    out.add(
        quad(x - half * 0.14, base - tall * 0.62, x + half * 0.14, base),
        build.lit((122, 78, 56), depth),
    )


def _mill(build: Build, out: ShapeBuilder, x: float, base: float, depth: float) -> None:
    body, shade = build.lit((232, 222, 206), depth), build.lit((232, 222, 206), depth, 0.74)
    top = 0.545
    out.add(
        np.array([(x - 0.055, base), (x - 0.034, top), (x + 0.034, top), (x + 0.055, base)]), body
    )
    away = -build.side
    out.add(
        np.array([(x, base), (x, top), (x + away * 0.034, top), (x + away * 0.055, base)]), shade
    )
    cap = build.lit((128, 74, 58), depth)
    out.add(np.array([(x - 0.042, top), (x, top - 0.05), (x + 0.042, top)]), cap)
    out.add(quad(x - 0.012, base - 0.05, x + 0.012, base), cap)


class _Sails:
    """The turning sails of a windmill."""

    def __init__(self, x: float, y: float, depth: float, build: Build) -> None:
        self._x, self._y, self._depth = x, y, 0.55
        self._cloth = build.lit((244, 238, 224), depth)
        self._wood = build.lit((92, 66, 52), depth)
        self._pace = 0.7 * build.wind

    def draw(self, frame: Frame) -> None:
        """Draw the sails at this moment's angle."""
        scale, x0, y0 = frame.view.at(self._depth)
        x, y = self._x * scale + x0, self._y * scale + y0
        for arm in range(4):
            angle = frame.t * self._pace + arm * math.pi / 2
            along = np.array([math.cos(angle), math.sin(angle)])
            across = np.array([-along[1], along[0]])
            hub = np.array([x, y])
            long = 0.125 * scale
            wide = 0.026 * scale
            beam = 0.0035 * scale
            cloth = np.array(
                [
                    hub + along * long * 0.2,
                    hub + along * long,
                    hub + along * long + across * wide,
                    hub + along * long * 0.2 + across * wide,
                ]
            )
            fill(frame.canvas, cloth, self._cloth)
            rod = np.array(
                [
                    hub - across * beam,
                    hub + along * long - across * beam,
                    hub + along * long + across * beam,
                    hub + across * beam,
                ]
            )
            fill(frame.canvas, rod, self._wood)


def _fence(build: Build, base: float) -> Layer:
    out = ShapeBuilder()
    wood = build.lit((176, 142, 104), 0.9)
    period = 3.2
    out.add(quad(0, base - 0.034, period, base - 0.027), wood)
    out.add(quad(0, base - 0.016, period, base - 0.009), wood)
    for index in range(20):
        x = index * 0.16
        tip = base - 0.050 - 0.004 * (index % 3)
        out.add(
            np.array(
                [(x, base), (x, tip), (x + 0.006, tip - 0.006), (x + 0.012, tip), (x + 0.012, base)]
            ),
            wood,
        )
    return out.layer(0.86, period)


def _hedges(build: Build) -> Layer:
    rng = build.rng
    out = ShapeBuilder()
    brush = build.brush(out, build.leaves(), 0.7)
    period = 4.2
    for x in np.arange(0, period, 0.14):
        bush(brush, x + rng.uniform(-0.03, 0.03), 0.765, rng.uniform(0.065, 0.09))
    for x in np.arange(0.0, period, 0.035):
        petal = build.lit(_PETALS[int(rng.integers(len(_PETALS)))], 0.75)
        out.add(ellipse(x, rng.uniform(0.70, 0.76), 0.005, 0.005, 8), petal, 0.002, rigid=True)
    return out.layer(0.7, period, build.wind)


def _blossoms(build: Build) -> Layer:
    """Trees in flower, or in the colours of their season."""
    out = ShapeBuilder()
    tones = build.leaves()
    if build.spec.season is Season.SPRING:
        tones = ((206, 116, 152), (244, 168, 192), (255, 222, 230))
    brush = build.brush(out, tones, 0.78)
    for x in (-1.25, -0.72, 0.78, 1.32):
        broadleaf(brush, x, 0.785, build.rng.uniform(0.36, 0.44), detail=9)
    return out.layer(0.78, 3.4, build.wind)


def _bed(build: Build, *, depth: float, low: float, high: float, count: int, size: float) -> Layer:
    rng = build.rng
    out = ShapeBuilder()
    period = 3.6
    near = min(1.0, depth)
    stems = (56, 112, 58)
    if build.is_white:
        return out.layer(depth, period)
    flowers = []
    blades = build.brush(out, ((48, 102, 54), (86, 146, 70), (48, 102, 54)), near)
    for y in np.sort(rng.uniform(low, high, count)):
        x = rng.uniform(0, period)
        drift = int((x * 1.7 + rng.uniform(0, 0.8)) * 2) % len(_PETALS)
        brush = build.brush(out, (stems, _PETALS[drift], (244, 196, 70)), near)
        flowers.append((brush, x, y, size * rng.uniform(0.7, 1.15)))
        if rng.random() < 0.5:
            tuft(blades, x, y, size * 0.7, 3)
    blooms(flowers)
    return out.layer(depth, period, build.wind)


def _path(build: Build, ground: float) -> Layer:
    """A pale path the subject walks on."""
    rng = build.rng
    out = ShapeBuilder()
    period = 4.8
    x = np.linspace(0, period, 80)
    top = ground - 0.018 + 0.004 * np.sin(x * 2 * np.pi / period * 4)
    low = ground + 0.040 + 0.006 * np.sin(x * 2 * np.pi / period * 3 + 1)
    pale = build.lit((226, 206, 172))
    out.add(np.vstack([np.stack([x, top], 1), np.stack([x, low], 1)[::-1]]), pale)
    for _ in range(50):
        y = rng.uniform(ground - 0.010, ground + 0.034)
        tone = build.lit((200, 178, 146) if rng.random() < 0.5 else (240, 226, 200))
        out.add(
            ellipse(rng.uniform(0.1, period - 0.1), y, rng.uniform(0.006, 0.016), 0.004, 10), tone
        )
    return out.layer(0.98, period)
