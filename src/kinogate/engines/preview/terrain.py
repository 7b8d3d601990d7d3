"""Land in the distance: hazy hill ridges, faceted mountains, dunes, and far city or forest lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, Points, mix
from kinogate.engines.preview.foliage import pine, quad
from kinogate.engines.preview.layers import Haze, Layer, Ridge, ShapeBuilder, waves

PERIOD = 9.0
"""World units after which far land repeats; wider than any picture at any zoom."""


def hills(
    build: Build,
    *,
    depth: float,
    base: float,
    swell: float,
    color: Color,
    bumps: int = 5,
    octaves: int = 4,
    mist: float = 0.35,
    crest: float = 0.10,
) -> Ridge:
    """One rolling ridge around world y `base`, `swell` high, with mist gathering at its foot."""
    profile = base + swell * waves(build.rng, 360, octaves, bumps, 0.42)
    lit = build.lit(color, depth)
    haze = Haze(
        depth=depth,
        top=base - swell * 0.4,
        bottom=base + 0.16,
        color=build.palette.haze,
        start=0.0,
        end=0.6 * mist * (1.0 - depth * 0.7),
    )
    bright = mix(lit, build.palette.sun, crest * (0.45 if build.palette.is_dark else 1.0))
    return Ridge(
        depth=depth,
        profile=profile,
        period=PERIOD,
        color=lit,
        crest=bright,
        crest_width=0.004 + 0.006 * depth,
        haze=haze,
    )


def mountains(
    build: Build,
    *,
    depth: float,
    base: float,
    height: float,
    color: Color,
    snow: float = 0.0,
    count: int = 9,
    mist: float = 0.6,
) -> list[Layer]:
    """A range of faceted peaks with light and shadow sides; `snow` is how far down the caps come."""
    rng = build.rng
    out = ShapeBuilder()
    is_dark = build.palette.is_dark
    shine = (0.10 if is_dark else 0.16) * (0.4 + depth)
    tones = _Rock(
        dark=build.lit(color, depth, 0.72),
        bright=mix(build.lit(color, depth, 1.06), build.palette.sun, shine),
        snow=build.lit((240, 246, 252), min(1.0, depth + (0.45 if is_dark else 0.25))),
        snow_dark=build.lit((168, 190, 218), min(1.0, depth + 0.2)),
    )
    slots = (np.arange(count) + rng.uniform(-0.28, 0.28, count)) / count * PERIOD
    tall = height * rng.uniform(0.5, 1.0, count)
    for index in np.argsort(-tall):  # the small ones stand before the tall ones
        high = float(tall[index])
        _peak(build, out, (float(slots[index]), base - high), high, tones, snow)
    layer = out.layer(depth, PERIOD)
    haze = Haze(
        depth=depth,
        top=base - height * 0.75,
        bottom=base + 0.02,
        color=build.palette.haze,
        start=0.0,
        end=min(0.92, mist),
    )
    foot = Ridge(
        depth=depth,
        profile=np.full(24, base),
        period=PERIOD,
        color=mix(build.lit(color, depth), build.palette.haze, min(0.92, mist)),
    )
    return [layer, haze, foot]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rock:
    """Lit colours of a peak's two sides and of the snow on them."""

    dark: Color
    bright: Color
    snow: Color
    snow_dark: Color


def _peak(  # noqa: PLR0917 - one drawing, used in one place
    build: Build,
    out: ShapeBuilder,
    top: tuple[float, float],
    high: float,
    tones: _Rock,
    snow: float,
) -> None:
    """One peak: two rugged flanks that meet in a winding spine, gullies, perhaps a cap of snow."""
    rng, side = build.rng, build.side
    reach = high * rng.uniform(1.0, 1.4)
    steps = 9
    share = np.linspace(0, 1, steps)
    left = _slope(rng, top, high, -reach, share)
    right = _slope(rng, top, high, reach, share)
    spine_x = top[0] + np.cumsum(rng.uniform(-0.05, 0.05, steps)) * high
    spine_x[0] = top[0]
    spine = np.stack([spine_x, top[1] + high * 1.3 * share], 1)
    out.add(np.vstack([left, right[::-1]]), tones.dark)
    sunny = right if side > 0 else left
    out.add(np.vstack([sunny, spine[::-1]]), tones.bright)
    for place in (0.35, 0.65):  # gullies on the lit side
        start = (sunny[int(place * steps)] + spine[int(place * steps)]) / 2
        wide = start + np.array([side * high * 0.10, high * 0.34])
        low = start + np.array([side * high * 0.02, high * 0.40])
        out.add(np.array([start, wide, low]), mix(tones.bright, tones.dark, 0.45))
    if snow > 0:
        cut = max(2, int(snow * steps * rng.uniform(0.7, 1.0)))
        for flank, tone in ((left, tones.snow_dark), (right, tones.snow_dark), (sunny, tones.snow)):
            out.add(_cap(flank, spine, cut, rng), tone)


def _slope(
    rng: np.random.Generator,
    peak: tuple[float, float],
    high: float,
    reach: float,
    share: npt.NDArray[np.float64],
) -> Points:
    """One rugged flank, from the peak to its foot `reach` to the side."""
    count = len(share)
    jag = high * 0.05
    x = peak[0] + reach * share**1.05 + rng.uniform(-1, 1, count) * jag * 0.5
    y = peak[1] + high * 1.3 * share + rng.uniform(-1, 1, count) * jag
    x[0], y[0] = peak
    return np.stack([x, y], 1)


def _cap(slope: Points, spine: Points, cut: int, rng: np.random.Generator) -> Points:
    outer, inner = slope[: cut + 1], spine[: cut + 1]
    low_out, low_in = outer[-1], inner[-1]
    teeth = []
    for index, share in enumerate(np.linspace(0, 1, 5)[1:-1]):
        point = low_out * (1 - share) + low_in * share
        drop = (0.10 if index % 2 else -0.14) * (low_out[1] - outer[0, 1])
        teeth.append((point[0], point[1] + drop * rng.uniform(0.7, 1.2)))
    return np.vstack([outer, np.array(teeth), inner[::-1]])


def treeline(
    build: Build,
    *,
    depth: float,
    base: float,
    height: float,
    color: Color,
    density: int = 90,
    mist: float = 0.3,
) -> Ridge:
    """A far forest edge: many pointed tops in one profile."""
    rng = build.rng
    count = 1440
    ground = base - 0.02 * waves(rng, count, 3, 4)
    tops = np.zeros(count)
    step = PERIOD / count
    for center in rng.uniform(0, count, density * 2):
        high = height * rng.uniform(0.45, 1.0)
        half = max(2.0, high * 0.22 / step)
        index = np.arange(int(center - half), int(center + half) + 1)
        rise = high * (1 - np.abs(index - center) / half).clip(0, 1)
        rise *= 1.0 - 0.16 * (index % 3 == 0)
        np.maximum.at(tops, index % count, rise)
    haze = Haze(
        depth=depth,
        top=base - height,
        bottom=base + 0.16,
        color=build.palette.haze,
        start=0.0,
        end=mist,
    )
    return Ridge(
        depth=depth, profile=ground - tops, period=PERIOD, color=build.lit(color, depth), haze=haze
    )


def pines(
    build: Build,
    *,
    depth: float,
    base: float,
    height: float,
    count: int,
    period: float = 4.5,
    detail: bool = True,
    clear: float = 0.0,
) -> Layer:
    """Single conifers standing along a line; none within `clear` of x = 0."""
    rng = build.rng
    out = ShapeBuilder()
    leaves = ((26, 62, 56), (58, 104, 74), (90, 130, 90))
    if build.is_white:
        leaves = ((44, 78, 86), (206, 222, 232), (240, 246, 250))
    brush = build.brush(out, leaves, depth)
    for place in np.sort(rng.uniform(0, period, count)):
        if min(place, period - place) < clear:
            continue
        high = height * rng.uniform(0.6, 1.05)
        foot = base + rng.uniform(-0.008, 0.014)
        pine(brush, float(place), foot, high, detail=detail)
    return out.layer(depth, period, build.wind)


def skyline(
    build: Build,
    *,
    depth: float,
    base: float,
    height: float,
    color: Color,
    period: float = 6.0,
    lights: bool = True,
) -> Layer:
    """A far row of buildings, with lit windows after dark."""
    rng = build.rng
    out = ShapeBuilder()
    wall = build.lit(color, depth)
    side = build.lit(color, depth, 0.86)
    lamp = mix((255, 206, 128), wall, 0.30)
    x = 0.0
    while x < period - 0.05:
        wide = rng.uniform(0.05, 0.13)
        high = height * rng.uniform(0.3, 1.0) ** 1.2
        out.add(quad(x, base - high, x + wide, base + 0.15), wall)
        out.add(quad(x + wide * 0.68, base - high, x + wide, base + 0.15), side)
        if rng.random() < 0.25:
            out.add(quad(x + wide * 0.45, base - high - 0.05, x + wide * 0.5, base - high), wall)
        if build.palette.is_dark and lights:
            panes = []
            for row in np.arange(base - high + 0.012, base - 0.01, 0.024):
                columns = np.arange(x + 0.010, x + wide * 0.9 - 0.008, 0.021)
                lit = columns[rng.random(len(columns)) < 0.24]
                panes += [quad(at, row, at + 0.009, row + 0.012) for at in lit]
            out.add_many(panes, lamp)
        x += wide * rng.uniform(0.9, 1.25)
    return out.layer(depth, period)
