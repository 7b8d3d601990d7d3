"""A skyline over a river, and a street of shops."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, Points, mix
from kinogate.engines.preview.foliage import blob, ellipse, quad
from kinogate.engines.preview.layers import Frame, Haze, Layer, ShapeBuilder, glow
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.places.hills import backdrop
from kinogate.engines.preview.spec import Time, Weather
from kinogate.engines.preview.terrain import skyline
from kinogate.engines.preview.water import Glints, Water

_NEON: tuple[Color, ...] = (
    (255, 64, 140),
    (60, 220, 255),
    (255, 170, 60),
    (150, 90, 255),
    (90, 255, 170),
)


@dataclass(frozen=True, slots=True)
class _Lamp:
    x: float
    y: float
    radius: float
    color: Color
    flicker: float


class Lamps:
    """Glowing points that belong to a layer: street lamps, neon signs."""

    def __init__(self, lamps: list[_Lamp], depth: float, period: float | None) -> None:
        self._lamps, self._depth, self._period = lamps, depth, period

    def draw(self, frame: Frame) -> None:
        """Add their light."""
        scale, x0, y0 = frame.view.at(self._depth)
        left, right = frame.view.visible(self._depth)
        for lamp in self._lamps:
            shifts = [0.0]
            if self._period is not None:
                first = math.floor((left - lamp.x) / self._period)
                shifts = [index * self._period for index in range(first, first + 4)]
            power = 1.0 - lamp.flicker * (0.5 + 0.5 * math.sin(frame.t * 5.3 + lamp.x * 40))
            for shift in shifts:
                x = lamp.x + shift
                if left - lamp.radius < x < right + lamp.radius:
                    color = mix((0, 0, 0), lamp.color, power)
                    glow(frame, x * scale + x0, lamp.y * scale + y0, lamp.radius * scale, color)


def build_city(build: Build) -> Stage:
    """Towers along a river that mirrors their lights."""
    stage = Stage(ground=0.915, waterline=0.84, person=0.21, horizon=0.70, air=(0.10, 0.34))
    if build.spec.backdrop is not None:
        stage.back += backdrop(build, 0.64)
    shore = 0.70
    tall = 0.42 if build.aspect > 1.0 else 0.36
    if build.palette.is_dark:  # the lights of the streets hang in the air behind the towers
        air: Color = (150, 62, 138) if "neon" in build.spec.extras else (104, 84, 128)
        stage.back.append(
            Haze(depth=0.05, top=0.16, bottom=shore + 0.02, color=air, start=0.0, end=0.62)
        )
    stage.back.append(
        skyline(build, depth=0.10, base=shore, height=tall, color=(132, 146, 178), period=7.0)
    )
    stage.back.append(
        Haze(depth=0.1, top=0.42, bottom=shore, color=build.palette.haze, start=0.0, end=0.45)
    )
    stage.back.append(
        skyline(build, depth=0.20, base=shore, height=tall * 1.05, color=(96, 110, 146), period=6.0)
    )
    stage.back += _towers(build, 0.34, shore + 0.004, tall * 0.95)
    stage.back.append(
        Haze(depth=0.2, top=0.58, bottom=shore + 0.01, color=build.palette.haze, start=0.0, end=0.3)
    )
    deep = build.lit((30, 66, 92))
    stage.back.append(
        Water(build.rng, top=shore + 0.012, deep=deep, clear=0.10, murk=0.5, rough=1.3)
    )
    stage.back.append(
        Glints(
            build.palette, build.rng, top=shore + 0.012, sun_x=None, aspect=build.aspect, count=90
        )
    )
    stage.back += _quay(build, stage.ground)
    return stage


def build_street(build: Build) -> Stage:
    """Shop fronts with awnings and signs, a pavement, a road that shines when wet."""
    stage = Stage(
        ground=0.90,
        person=0.30,
        horizon=0.55,
        has_sun=False,
        air=(0.12, 0.34),
        dim=1.25 if build.palette.is_dark else 1.0,
    )
    stage.back.append(
        skyline(build, depth=0.2, base=0.62, height=0.42, color=(112, 122, 152), period=6.0)
    )
    stage.back.append(
        Haze(depth=0.2, top=0.2, bottom=0.66, color=build.palette.haze, start=0.0, end=0.5)
    )
    stage.back += _shops(build)
    wet = build.spec.weather in (Weather.RAIN, Weather.STORM)
    kerb = 0.845
    asphalt = build.lit((92, 94, 106))
    ground = ShapeBuilder()
    ground.add(quad(0, 0.775, 6.0, kerb), build.lit((164, 158, 156)))
    for index in range(30):
        x = index * 0.2
        ground.add(quad(x, 0.775, x + 0.004, kerb), build.lit((130, 126, 128)))
    ground.add(quad(0, kerb, 6.0, kerb + 0.012), build.lit((200, 196, 190)))
    ground.add(quad(0, kerb + 0.012, 6.0, 1.3), asphalt)
    for index in range(10):
        ground.add(quad(index * 0.6, 0.962, index * 0.6 + 0.3, 0.975), build.lit((226, 222, 206)))
    stage.back.append(ground.layer(0.97, 6.0))
    if wet or build.palette.is_dark:
        stage.back.append(
            Water(
                build.rng,
                top=0.858,
                deep=mix(asphalt, (0, 0, 0), 0.25),
                clear=0.45 if wet else 0.72,
                murk=0.62 if wet else 0.88,
                rough=1.2,
            )
        )
    stage.back += _lampposts(build)
    return stage


def _towers(build: Build, depth: float, base: float, height: float) -> list[Layer]:
    """Near towers with window rows, roofs of several shapes, and neon where asked for."""
    rng = build.rng
    out = ShapeBuilder()
    lamps: list[_Lamp] = []
    period, x = 5.0, 0.0
    neon = "neon" in build.spec.extras
    lit_share = {Time.NIGHT: 0.34, Time.DUSK: 0.28, Time.DAWN: 0.10, Time.SUNSET: 0.10}.get(
        build.spec.time, 0.0
    )
    while x < period - 0.12:
        wide = rng.uniform(0.085, 0.17)
        high = height * rng.uniform(0.38, 1.0)
        hue = ((70, 82, 118), (92, 84, 116), (62, 92, 118), (104, 98, 112))[int(rng.integers(4))]
        wall, dark = build.lit(hue, depth + 0.4, 1.12), build.lit(hue, depth + 0.4, 0.8)
        top = base - high
        face = wide * (0.72 if build.side < 0 else 0.28)
        out.add(quad(x, top, x + wide, base + 0.03), wall if build.side > 0 else dark)
        out.add(quad(x, top, x + face, base + 0.05), dark if build.side > 0 else wall)
        _crown(out, rng, x, top, wide, wall, lamps)
        glass = build.lit((150, 186, 210), depth + 0.25)
        warm = mix((255, 206, 124), wall, float(rng.uniform(0.08, 0.40)))
        cool = mix((170, 214, 255), wall, 0.25)
        step_x, step_y = 0.0160, 0.0215
        ys = np.arange(top + 0.016, base - 0.015, step_y)
        xs = np.arange(x + 0.008, x + wide - 0.012, step_x)
        state = rng.random((len(ys), len(xs)))
        unlit = mix(glass, wall, 0.72)
        panes: dict[Color, list[Points]] = {unlit: [], warm: [], cool: []}
        for row, y in enumerate(ys):
            # One dim strip of glass for each floor, and single panes only where a lamp is on.
            panes[unlit].append(quad(xs[0], y, xs[-1] + 0.0095, y + 0.0125))
            for column in np.flatnonzero(state[row] < lit_share):
                tone = cool if state[row, column] < lit_share * 0.25 else warm
                px = xs[column]
                panes[tone].append(quad(px, y, px + 0.0095, y + 0.0125))
        for tone, quads in panes.items():
            out.add_many(quads, tone)
        if (neon or (build.palette.is_dark and rng.random() < 0.3)) and wide > 0.1:
            _neon_sign(build, out, lamps, x + wide * rng.uniform(0.2, 0.7), top, high)
        x += wide * rng.uniform(0.98, 1.18)
    layers: list[Layer] = [out.layer(depth, period)]
    if lamps and (build.palette.is_dark or neon):
        layers.append(Lamps(lamps, depth, period))
    return layers


def _crown(  # noqa: PLR0917 - one drawing, used in one place
    out: ShapeBuilder,
    rng: np.random.Generator,
    x: float,
    top: float,
    wide: float,
    wall: Color,
    lamps: list[_Lamp],
) -> None:
    kind = rng.integers(4)
    middle = x + wide / 2
    if kind == 0:
        out.add(quad(x + wide * 0.2, top - 0.022, x + wide * 0.8, top), wall)
        out.add(quad(middle - 0.002, top - 0.085, middle + 0.002, top - 0.02), wall)
        lamps.append(_Lamp(middle, top - 0.085, 0.018, (210, 40, 40), 0.9))
    elif kind == 1:
        out.add(np.array([(x, top), (x + wide, top), (x + wide, top - 0.045)]), wall)
    elif kind == 2:
        out.add(np.array([(x, top), (middle, top - 0.06), (x + wide, top)]), wall)
    else:
        out.add(quad(x + wide * 0.12, top - 0.014, x + wide * 0.45, top), wall)


def _neon_sign(  # noqa: PLR0917 - one drawing, used in one place
    build: Build, out: ShapeBuilder, lamps: list[_Lamp], x: float, top: float, high: float
) -> None:
    rng = build.rng
    color = _NEON[int(rng.integers(len(_NEON)))]
    bright = mix(color, (255, 255, 255), 0.35)
    length = min(high * 0.5, rng.uniform(0.08, 0.16))
    y = top + high * rng.uniform(0.08, 0.25)
    out.add(quad(x - 0.013, y - 0.006, x + 0.013, y + length + 0.006), (26, 20, 40))
    for index in range(int(length / 0.026)):
        mark = y + 0.004 + index * 0.026
        out.add(quad(x - 0.008, mark, x + 0.008, mark + 0.016), bright)
    lamps.append(_Lamp(x, y + length / 2, 0.12, mix((0, 0, 0), color, 0.62), 0.25))


def _quay(build: Build, ground: float) -> list[Layer]:
    """The embankment in front, with its rail and lamps that light the pavement after dark."""
    out = ShapeBuilder()
    lamps: list[_Lamp] = []
    period = 4.0
    dark = build.palette.is_dark
    stone, edge = build.lit((136, 130, 138), 1.0, 1.15), build.lit((184, 176, 176), 1.0, 1.15)
    out.add(quad(0, ground - 0.040, period, 1.3), stone)
    out.add(quad(0, ground - 0.040, period, ground - 0.030), edge)
    for index in range(10):
        x = index * 0.4
        out.add(quad(x, ground - 0.03, x + 0.004, 1.3), build.lit((104, 98, 108)))
    out.add(quad(0, 0.975, period, 0.980), build.lit((104, 98, 108)))
    rail = build.lit((52, 54, 70))
    iron = build.lit((44, 46, 60))
    out.add(quad(0, ground - 0.105, period, ground - 0.099), rail)
    out.add(quad(0, ground - 0.072, period, ground - 0.068), rail)
    out.add_many(
        [quad(i / 8, ground - 0.105, i / 8 + 0.004, ground - 0.036) for i in range(32)], rail
    )
    for index in range(4):
        x, top = 0.5 + index, ground - 0.27
        out.add(quad(x - 0.004, top, x + 0.004, ground - 0.036), iron)
        out.add(quad(x - 0.010, ground - 0.075, x + 0.010, ground - 0.036), iron)
        bulb = (255, 236, 186) if dark else build.lit((226, 226, 222))
        out.add(ellipse(x, top - 0.010, 0.013, 0.016, 14), bulb)
        out.add(quad(x - 0.012, top + 0.003, x + 0.012, top + 0.008), iron)
        lamps.append(_Lamp(x, top - 0.01, 0.13, (150, 112, 58), 0.02))
        lamps.append(_Lamp(x, ground + 0.03, 0.16, (64, 46, 26), 0.01))
    layers: list[Layer] = [out.layer(0.97, period)]
    if dark:
        layers.append(Lamps(lamps, 0.97, period))
    return layers


def _shops(build: Build) -> list[Layer]:
    """A row of house fronts at the far pavement."""
    rng = build.rng
    out = ShapeBuilder()
    lamps: list[_Lamp] = []
    dark = build.palette.is_dark
    base, period, x = 0.79, 6.0, 0.0
    walls = ((186, 116, 92), (214, 176, 130), (126, 142, 150), (170, 104, 108), (196, 190, 176))
    awnings = ((196, 66, 62), (52, 118, 110), (222, 158, 66), (72, 92, 150))
    while x < period - 0.3:
        wide = min(rng.uniform(0.42, 0.62), period - x)
        top = rng.uniform(0.16, 0.30)
        hue = walls[int(rng.integers(len(walls)))]
        wall = build.lit(hue, 0.8)
        trim = build.lit(mix(hue, (255, 255, 255), 0.35), 0.8)
        shade = build.lit(hue, 0.8, 0.8)
        out.add(quad(x, top, x + wide, base), wall)
        out.add(quad(x - 0.01, top - 0.02, x + wide + 0.01, top + 0.008), trim)
        out.add(quad(x + wide - 0.012, top, x + wide, base), shade)
        for row in np.arange(top + 0.05, 0.48, 0.125):
            for column in np.arange(x + 0.05, x + wide - 0.07, 0.115):
                lit = dark and rng.random() < 0.5
                pane = mix((255, 206, 128), wall, 0.1) if lit else build.lit((104, 140, 160), 0.8)
                out.add(quad(column - 0.006, row - 0.006, column + 0.066, row + 0.091), trim)
                out.add(quad(column, row, column + 0.060, row + 0.085), pane)
                out.add(quad(column + 0.028, row, column + 0.032, row + 0.085), trim)
        _front(build, out, lamps, x, wide, base, awnings[int(rng.integers(len(awnings)))])
        x += wide + 0.004
    layers: list[Layer] = [out.layer(0.8, period)]
    if dark:
        layers.append(Lamps(lamps, 0.8, period))
    return layers


def _front(  # noqa: PLR0917 - one drawing, used in one place
    build: Build,
    out: ShapeBuilder,
    lamps: list[_Lamp],
    x: float,
    wide: float,
    base: float,
    color: Color,
) -> None:
    """One shop: window, door, striped awning, sign."""
    dark = build.palette.is_dark
    wood = build.lit(mix(color, (60, 44, 40), 0.6), 0.8)
    glass = (255, 212, 138) if dark else build.lit((150, 186, 196), 0.8)
    out.add(quad(x + 0.02, 0.56, x + wide - 0.02, base), wood)
    out.add(quad(x + 0.045, 0.61, x + wide * 0.62, base - 0.05), glass)
    out.add(quad(x + wide * 0.70, 0.61, x + wide * 0.70 + 0.085, base), mix(glass, wood, 0.35))
    for index in range(3):
        place = x + 0.07 + index * (wide * 0.62 - 0.10) / 3
        goods = mix(_NEON[(index * 2) % 5], glass, 0.45)
        out.add(quad(place, base - 0.10, place + 0.035, base - 0.05), goods)
    left, right, top, low = x + 0.015, x + wide - 0.015, 0.555, 0.622
    stripes = 10
    for index in range(stripes):
        a = left + (right - left) * index / stripes
        b = left + (right - left) * (index + 1) / stripes
        tone = build.lit(color if index % 2 else (242, 236, 224), 0.85)
        skew = 0.012
        out.add(np.array([(a, top), (b, top), (b + skew, low), (a + skew, low)]), tone)
        out.add(ellipse((a + b) / 2 + skew, low, (b - a) / 2, 0.010, 12), tone)
    sign = _NEON[int(build.rng.integers(len(_NEON)))]
    if dark:
        lamps.append(_Lamp(x + wide * 0.34, 0.69, 0.20, (120, 84, 40), 0.05))
        if build.rng.random() < 0.75 or "neon" in build.spec.extras:
            bright = mix(sign, (255, 255, 255), 0.4)
            sx = x + wide * 0.5
            out.add(quad(sx - 0.09, 0.500, sx + 0.09, 0.545), (30, 22, 44))
            for index in range(5):
                mark = sx - 0.075 + index * 0.031
                out.add(quad(mark, 0.510, mark + 0.020, 0.535), bright)
            lamps.append(_Lamp(sx, 0.522, 0.16, mix((0, 0, 0), sign, 0.6), 0.15))
    else:
        out.add(quad(x + wide * 0.3, 0.505, x + wide * 0.7, 0.545), build.lit(color, 0.8, 0.8))


def _lampposts(build: Build) -> list[Layer]:
    out = ShapeBuilder()
    lamps: list[_Lamp] = []
    period = 1.9
    iron = build.lit((44, 48, 60))
    x, base = 0.62, 0.850
    out.add(quad(x - 0.006, 0.30, x + 0.006, base), iron)
    out.add(quad(x - 0.014, base - 0.05, x + 0.014, base), iron)
    out.add(quad(x - 0.05, 0.305, x + 0.05, 0.313), iron)
    for side in (-1, 1):
        bulb = (255, 238, 190) if build.palette.is_dark else build.lit((226, 228, 226))
        out.add(ellipse(x + side * 0.05, 0.330, 0.014, 0.020, 14), bulb)
        lamps.append(_Lamp(x + side * 0.05, 0.33, 0.15, (150, 118, 66), 0.03))
    leaves = build.leaves()
    tree = x + 0.95
    out.add(quad(tree - 0.010, 0.56, tree + 0.010, base), build.lit((84, 62, 50)))
    for dx, dy, size, tone in (
        (0.0, 0.50, 0.13, 0),
        (-0.07, 0.54, 0.09, 0),
        (0.08, 0.53, 0.10, 0),
        (0.02, 0.47, 0.085, 1),
        (0.05, 0.44, 0.04, 2),
    ):
        leaf = build.lit(leaves[tone], 0.95)
        out.add(blob(tree + dx, dy, size, size * 0.8, build.rng), leaf, 0.006, rigid=True)
    layers: list[Layer] = [out.layer(0.93, period, build.wind)]
    if build.palette.is_dark:
        layers.append(Lamps(lamps, 0.93, period))
    return layers
