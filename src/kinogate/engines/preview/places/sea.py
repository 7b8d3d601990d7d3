"""Open sea and beach."""

from __future__ import annotations

import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.effects import Beam
from kinogate.engines.preview.foliage import ellipse, palm, quad, rock
from kinogate.engines.preview.layers import Layer, ShapeBuilder
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.places.hills import backdrop
from kinogate.engines.preview.spec import Time, Weather
from kinogate.engines.preview.terrain import hills
from kinogate.engines.preview.water import Glints, Shore, Water, Wave

_DEEP: Color = (22, 92, 132)


def build_sea(build: Build) -> Stage:
    """Open water to the horizon, with swell in front."""
    stage = Stage(ground=0.80, waterline=0.80, person=0.24, horizon=0.60, air=(0.14, 0.42))
    has_tower = "lighthouse" in build.spec.extras
    stage.back += _far_coast(build, 0.60)
    stage.back += _surface(build, 0.60)
    if has_tower:
        stage.back += lighthouse(build, 0.34 * min(build.aspect, 1.6) * build.side * -1, 0.70)
    rough = 2.4 if build.spec.weather is Weather.STORM else 1.0
    for depth, base, swell, share in (
        (0.45, 0.665, 0.0030, 0.1),
        (0.60, 0.705, 0.0042, 0.2),
        (0.78, 0.755, 0.0055, 0.3),
    ):
        stage.back.append(_swell(build, depth=depth, base=base, swell=swell * rough, share=share))
    for depth, base, swell, share in (
        (1.00, 0.850, 0.0085, 0.6),
        (1.12, 0.905, 0.0105, 0.8),
        (1.28, 0.975, 0.0140, 1.0),
    ):
        stage.front.append(_swell(build, depth=depth, base=base, swell=swell * rough, share=share))
    return stage


def build_beach(build: Build) -> Stage:
    """Sand in front, surf behind it, palms at the side."""
    stage = Stage(ground=0.895, person=0.28, horizon=0.56, waterline=0.68, air=(0.14, 0.40))
    stage.back += _far_coast(build, 0.56)
    stage.back += _surface(build, 0.56)
    stage.back.append(_swell(build, depth=0.55, base=0.685, swell=0.005, share=0.25))
    stage.back.append(_swell(build, depth=0.72, base=0.725, swell=0.007, share=0.20))
    sand = (236, 208, 158)
    stage.back.append(
        Shore(
            base=0.775,
            sand=build.lit(sand),
            wet=mix(build.lit((176, 140, 104)), build.palette.haze, 0.22),
            foam=build.lit((250, 252, 250), 0.95),
            rng=build.rng,
        )
    )
    stage.back.append(_strand(build, sand))
    if build.aspect > 1.2 and not build.roams:
        stage.front.append(_palms(build))
    return stage


def lighthouse(build: Build, x: float, base: float) -> list[Layer]:
    """A striped tower on a rock, its beam turning after dark."""
    depth = 0.5
    out = ShapeBuilder()
    stone = build.brush(out, ((58, 60, 72), (96, 98, 108), (130, 130, 136)), depth)
    for dx, size in ((-0.10, 0.07), (0.09, 0.08), (0.0, 0.10), (0.16, 0.04)):
        rock(stone, x + dx, base + 0.02, size)
    white, red = build.lit((240, 236, 226), depth), build.lit((196, 58, 52), depth)
    shade = build.lit((180, 176, 186), depth)
    foot, top, rows = base - 0.03, base - 0.36, 5
    for row in range(rows):
        y0 = foot + (top - foot) * row / rows
        y1 = foot + (top - foot) * (row + 1) / rows
        w0, w1 = 0.040 - 0.016 * row / rows, 0.040 - 0.016 * (row + 1) / rows
        tone = red if row % 2 else white
        out.add(np.array([(x - w0, y0), (x - w1, y1), (x + w1, y1), (x + w0, y0)]), tone)
        dark = mix(tone, shade if row % 2 == 0 else build.lit((110, 36, 44), depth), 0.7)
        away = -build.side
        out.add(np.array([(x, y0), (x, y1), (x + away * w1, y1), (x + away * w0, y0)]), dark)
    rail = build.lit((50, 52, 62), depth)
    out.add(quad(x - 0.034, top - 0.006, x + 0.034, top + 0.004), rail)
    is_lit = build.palette.is_dark or build.spec.time in (Time.SUNSET, Time.DAWN)
    lamp = (255, 240, 190) if is_lit else build.lit((150, 190, 206), depth)
    out.add(quad(x - 0.016, top - 0.040, x + 0.016, top - 0.006), lamp)
    out.add(np.array([(x - 0.024, top - 0.040), (x, top - 0.070), (x + 0.024, top - 0.040)]), red)
    layers: list[Layer] = [out.layer(depth)]
    if is_lit:
        layers.append(Beam(x, top - 0.023, depth))
    return layers


def _far_coast(build: Build, base: float) -> list[Layer]:
    if build.spec.backdrop is not None:
        return backdrop(build, base + 0.004)
    land = (110, 128, 150)
    return [hills(build, depth=0.07, base=base - 0.004, swell=0.018, color=land, bumps=3, mist=0.5)]


def _surface(build: Build, top: float) -> list[Layer]:
    is_stormy = build.spec.weather in (Weather.STORM, Weather.RAIN)
    deep = build.lit(mix(_DEEP, (60, 84, 92), 0.5) if is_stormy else _DEEP)
    bright = build.spec.time in (Time.NOON, Time.MORNING)
    water = Water(
        build.rng,
        top=top,
        deep=deep,
        clear=0.25 if bright else 0.12,
        murk=0.86 if bright else 0.70,
        rough=1.6 if is_stormy else 1.0,
    )
    clear = build.spec.weather in (Weather.CLEAR, Weather.CLOUDY, Weather.WIND)
    glints = Glints(
        build.palette,
        build.rng,
        top=top,
        sun_x=build.sun[0] if clear else None,
        aspect=build.aspect,
    )
    return [water, glints]


def _swell(build: Build, *, depth: float, base: float, swell: float, share: float) -> Wave:
    deep = build.lit(_DEEP)
    sky = build.palette.haze
    return Wave(
        depth=depth,
        base=base,
        swell=swell,
        color=mix(deep, (6, 20, 44), 0.35),
        foam=mix(build.lit((244, 250, 252)), sky, 0.30),
        rng=build.rng,
        length=0.42 + 0.5 * share,
        pace=0.9,
    )


def _strand(build: Build, sand: Color) -> Layer:
    """Ripples, shells and stones on the sand."""
    rng = build.rng
    out = ShapeBuilder()
    period = 5.0
    for _ in range(40):
        y = rng.uniform(0.84, 1.04)
        wide = rng.uniform(0.04, 0.16) * (y - 0.55) * 2
        tone = build.lit(mix(sand, (150, 112, 76), rng.uniform(0.10, 0.26)))
        out.add(ellipse(rng.uniform(0, period), y, wide, wide * 0.05, 12), tone)
    for _ in range(26):
        y = rng.uniform(0.85, 1.0)
        size = rng.uniform(0.002, 0.006) * (y / 0.8)
        tone = (252, 240, 226) if rng.random() < 0.5 else (224, 150, 130)
        out.add(ellipse(rng.uniform(0, period), y, size, size * 0.6, 9), build.lit(tone))
    stones = build.brush(out, ((112, 100, 96), (150, 138, 128), (180, 170, 160)))
    for _ in range(4):
        rock(stones, rng.uniform(0, period), rng.uniform(0.83, 0.86), rng.uniform(0.012, 0.03))
    return out.layer(0.95, period)


def _palms(build: Build) -> Layer:
    """Two palms leaning in from the side away from the light."""
    out = ShapeBuilder()
    tones = ((28, 84, 58), (58, 128, 70), (120, 170, 80))
    edge = build.aspect / 2 / 1.25
    side = -build.side
    brush = build.brush(out, tones)
    dark = build.lit((30, 60, 50), 1.0, 0.6)
    brush = type(brush)(
        out=out,
        rng=build.rng,
        tones=(dark, mix(dark, brush.tones[1], 0.6), dark),
        trunk=mix(dark, brush.trunk, 0.5),
        side=build.side,
    )
    palm(brush, side * (edge - 0.02), 1.10, 0.86, lean=-side * 0.20)
    palm(brush, side * (edge + 0.08), 1.12, 0.66, lean=-side * 0.10)
    return out.layer(1.25, None, build.wind)
