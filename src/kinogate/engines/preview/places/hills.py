"""Meadow hills and mountain valleys."""

from __future__ import annotations

import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.foliage import Brush, blooms, broadleaf, bush, ellipse, rock, tuft
from kinogate.engines.preview.layers import Haze, Layer, ShapeBuilder
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.spec import Place, Season
from kinogate.engines.preview.terrain import hills, mountains, pines, skyline, treeline

_PETALS: tuple[Color, ...] = (
    (250, 210, 70),
    (236, 92, 96),
    (250, 250, 244),
    (184, 120, 210),
    (246, 150, 180),
)


def build_hills(build: Build) -> Stage:
    """Rolling meadows with a few trees."""
    stage = Stage(ground=0.855, person=0.30, horizon=0.66)
    stage.back += backdrop(build, 0.66)
    green = build.grass()
    stage.back.append(
        hills(build, depth=0.22, base=0.62, swell=0.045, color=mix(green, (70, 120, 110), 0.4))
    )
    stage.back.append(
        hills(build, depth=0.40, base=0.68, swell=0.040, color=mix(green, (70, 130, 90), 0.2))
    )
    stage.back.append(copse(build, depth=0.42, base=0.665, height=0.075, count=16))
    stage.back.append(hills(build, depth=0.65, base=0.755, swell=0.028, color=green, crest=0.14))
    stage.back.append(copse(build, depth=0.67, base=0.765, height=0.19, count=5, clear=0.35))
    stage.back += meadow(build, stage, green)
    stage.front += fringe(build, green)
    return stage


def build_mountains(build: Build) -> Stage:
    """High peaks over a wooded valley."""
    stage = Stage(ground=0.875, person=0.22, horizon=0.72, air=(0.14, 0.44))
    snow = 0.62 if build.is_white or "snowcaps" in build.spec.extras else 0.38
    stage.back += mountains(
        build,
        depth=0.07,
        base=0.66,
        height=0.44,
        color=(116, 128, 164),
        snow=snow,
        count=15,
        mist=0.45,
    )
    stage.back += mountains(
        build,
        depth=0.16,
        base=0.72,
        height=0.30,
        color=(92, 106, 134),
        snow=snow * 0.5,
        count=16,
        mist=0.62,
    )
    wood = (52, 92, 84) if not build.is_white else (150, 172, 188)
    turf = build.grass() if build.is_white else mix(build.grass(), (60, 96, 80), 0.35)
    stage.back.append(treeline(build, depth=0.30, base=0.735, height=0.05, color=wood, mist=0.5))
    stage.back.append(
        hills(build, depth=0.45, base=0.775, swell=0.03, color=mix(build.grass(), wood, 0.5))
    )
    stage.back.append(pines(build, depth=0.52, base=0.80, height=0.15, count=22, detail=True))
    stage.back += meadow(build, stage, turf, flowers=False)
    stage.front += fringe(build, build.grass())
    return stage


def backdrop(build: Build, base: float) -> list[Layer]:
    """What stands on the horizon of an open place, if the plan asks for it."""
    match build.spec.backdrop:
        case Place.MOUNTAINS:
            snow = 0.55 if build.is_white or "snowcaps" in build.spec.extras else 0.36
            return mountains(
                build,
                depth=0.08,
                base=base,
                height=0.34,
                color=(112, 124, 160),
                snow=snow,
                count=16,
                mist=0.5,
            )
        case Place.CITY:
            return [skyline(build, depth=0.12, base=base, height=0.24, color=(96, 108, 140))]
        case Place.FOREST:
            leaf = mix(build.leaves()[0], (40, 80, 80), 0.4)
            return [treeline(build, depth=0.25, base=base, height=0.09, color=leaf)]
        case Place.DESERT:
            return [hills(build, depth=0.15, base=base, swell=0.05, color=(214, 160, 100), bumps=3)]
        case Place.HILLS | Place.VILLAGE:
            return [hills(build, depth=0.15, base=base, swell=0.05, color=build.grass())]
        case _:
            far = hills(
                build, depth=0.10, base=base - 0.07, swell=0.05, color=(120, 140, 170), bumps=4
            )
            return [far]


def copse(
    build: Build, *, depth: float, base: float, height: float, count: int, clear: float = 0.0
) -> Layer:
    """Scattered round trees and bushes on a slope."""
    rng = build.rng
    out = ShapeBuilder()
    brush = build.brush(out, build.leaves(), depth)
    period = 4.8
    detail = 3 if height < 0.1 else 4 if depth < 0.6 else 8
    for place in np.sort(rng.uniform(0, period, count)):
        if min(place, period - place) < clear:
            continue
        high = height * rng.uniform(0.6, 1.1)
        foot = base + rng.uniform(0.0, 0.02)
        broadleaf(brush, float(place), foot, high, detail=detail)
        if rng.random() < 0.5:
            bush(brush, float(place) + high * 0.6, foot, high * 0.16)
    return out.layer(depth, period, build.wind)


def meadow(build: Build, stage: Stage, color: Color, *, flowers: bool = True) -> list[Layer]:
    """The near ground the subject stands on: a broad slope with tufts, stones and flowers."""
    near = hills(
        build,
        depth=0.97,
        base=stage.ground - 0.055,
        swell=0.010,
        color=color,
        bumps=3,
        mist=0.0,
        crest=0.16,
    )
    deep = Haze(
        depth=0.97,
        top=stage.ground - 0.04,
        bottom=1.05,
        color=build.lit(mix(color, (10, 40, 40), 0.5), 1.0, 0.5),
        start=0.0,
        end=0.62,
    )
    return [near, deep, ground_cover(build, stage.ground, color, flowers=flowers)]


def ground_cover(build: Build, ground: float, color: Color, *, flowers: bool) -> Layer:
    """Tufts, stones, flowers and worn patches scattered over near ground."""
    rng = build.rng
    out = ShapeBuilder()
    light = mix(build.lit(color, 0.97, 1.12), build.palette.sun, 0.08)
    dark = build.lit(color, 0.97, 0.74)
    period = 5.2
    for _ in range(30):  # worn patches give the slope a grain that shows its speed
        x, y = rng.uniform(0, period), rng.uniform(ground - 0.01, 1.02)
        wide = rng.uniform(0.05, 0.20) * (y - 0.6)
        tone = mix(light if rng.random() < 0.5 else dark, build.lit(color, 0.97), 0.55)
        out.add(ellipse(x, y, wide * 2.2, wide * 0.10, 14), tone)
    stones = build.brush(out, ((124, 122, 124), (168, 164, 158), (200, 196, 186)))
    for _ in range(5):
        rock(stones, rng.uniform(0, period), rng.uniform(0.88, 0.97), rng.uniform(0.010, 0.026))
    blades = Brush(out=out, rng=rng, tones=(dark, light, dark))
    for _ in range(64):
        y = rng.uniform(ground - 0.04, 0.99)
        tuft(blades, rng.uniform(0, period), y, 0.012 + 0.10 * max(0.0, y - 0.78), 4)
    if flowers and build.spec.season in (Season.SPRING, Season.SUMMER):
        bed = []
        for y in np.sort(
            rng.uniform(ground, 1.0, 60 if build.spec.season is Season.SPRING else 30)
        ):
            petal = _PETALS[int(rng.integers(len(_PETALS)))]
            brush = build.brush(out, ((70, 120, 60), petal, (240, 180, 60)))
            bed.append((brush, rng.uniform(0, period), y, 0.02 + 0.14 * max(0.0, y - 0.80)))
        blooms(bed)
    return out.layer(0.97, period, build.wind)


def fringe(build: Build, color: Color) -> list[Layer]:
    """Dark blades along the lower edge that frame the picture."""
    rng = build.rng
    out = ShapeBuilder()
    tones = (build.lit(color, 1.0, 0.36), build.lit(color, 1.0, 0.5), build.lit(color, 1.0, 0.4))
    brush = Brush(out=out, rng=rng, tones=tones)
    period = 4.4
    for center in rng.uniform(0, period, 9):
        for _ in range(3):
            tuft(brush, center + rng.uniform(-0.12, 0.12), 1.06, rng.uniform(0.08, 0.15), 6)
    return [out.layer(1.35, period, build.wind)]
