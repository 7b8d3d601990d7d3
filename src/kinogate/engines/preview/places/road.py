"""A road through open country, with whatever land the plan puts behind it."""

from __future__ import annotations

import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import mix
from kinogate.engines.preview.foliage import Brush, quad, tuft
from kinogate.engines.preview.layers import Layer, ShapeBuilder
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.places.hills import backdrop, copse
from kinogate.engines.preview.spec import Place, Weather
from kinogate.engines.preview.terrain import hills, mountains, pines, treeline
from kinogate.engines.preview.water import Water


def build_road(build: Build) -> Stage:
    """Side view of a road: rail and posts behind, lane marks in front."""
    stage = Stage(ground=0.875, person=0.25, horizon=0.66, air=(0.14, 0.42))
    green = build.grass()
    land = build.spec.backdrop
    if land is Place.DESERT:
        green = (222, 172, 106)
    if land is None:
        stage.back += mountains(
            build,
            depth=0.07,
            base=0.64,
            height=0.26,
            color=(118, 130, 162),
            snow=0.3,
            count=14,
            mist=0.6,
        )
    else:
        stage.back += backdrop(build, 0.64)
    if land is not Place.SEA:
        stage.back.append(hills(build, depth=0.2, base=0.635, swell=0.03, color=green, mist=0.4))
        stage.back.append(
            treeline(build, depth=0.28, base=0.67, height=0.04, color=mix(green, (40, 80, 70), 0.5))
        )
    stage.back.append(hills(build, depth=0.46, base=0.705, swell=0.022, color=green, mist=0.2))
    if land is Place.MOUNTAINS or land is Place.FOREST:
        stage.back.append(pines(build, depth=0.55, base=0.745, height=0.20, count=14))
    elif land is not Place.DESERT:
        stage.back.append(copse(build, depth=0.55, base=0.74, height=0.13, count=8))
    stage.back.append(
        hills(build, depth=0.8, base=0.785, swell=0.008, color=green, mist=0.0, crest=0.14)
    )
    stage.back.append(_asphalt(build))
    if build.spec.weather in (Weather.RAIN, Weather.STORM):
        gray = build.lit((70, 72, 82))
        stage.back.append(
            Water(build.rng, top=0.845, bottom=0.965, deep=gray, clear=0.6, murk=0.75)
        )
    stage.back.append(_rail(build))
    stage.front.append(_verge(build, green))
    return stage


def rails(build: Build, stage: Stage) -> Layer:
    """A railway embankment at the subject's feet."""
    out = ShapeBuilder()
    period, y = 2.4, stage.ground
    stone, dark = build.lit((136, 126, 120)), build.lit((96, 88, 86))
    out.add(
        np.array([(0, y - 0.004), (period, y - 0.004), (period, y + 0.05), (0, y + 0.05)]), stone
    )
    for index in range(40):
        x = index * 0.06
        out.add(quad(x, y + 0.004, x + 0.028, y + 0.020), build.lit((92, 68, 54)))
    for index in range(60):
        x = build.rng.uniform(0, period - 0.02)
        out.add(quad(x, y + 0.024, x + 0.010, y + 0.032), dark if index % 2 else stone)
    out.add(quad(0, y - 0.006, period, y + 0.002), build.lit((176, 178, 186)))
    return out.layer(0.99, period)


def _asphalt(build: Build) -> Layer:
    out = ShapeBuilder()
    period = 3.0
    tar = build.lit((98, 100, 110))
    out.add(quad(0, 0.835, period, 0.97), tar)
    out.add(quad(0, 0.835, period, 0.842), build.lit((198, 192, 176)))
    out.add(quad(0, 0.848, period, 0.851), build.lit((230, 228, 220)))
    for index in range(5):
        x = index * 0.6
        out.add(
            np.array([(x + 0.01, 0.915), (x + 0.27, 0.915), (x + 0.28, 0.923), (x, 0.923)]),
            build.lit((238, 236, 226)),
        )
    for _ in range(24):
        x, y = build.rng.uniform(0, period), build.rng.uniform(0.86, 0.96)
        wide = build.rng.uniform(0.03, 0.12)
        tone = mix(tar, (0, 0, 0) if build.rng.random() < 0.5 else (255, 255, 255), 0.05)
        out.add(quad(x, y, min(period, x + wide), y + 0.003), tone)
    return out.layer(0.99, period)


def _rail(build: Build) -> Layer:
    out = ShapeBuilder()
    period = 2.4
    metal, dark = build.lit((206, 210, 214), 0.95), build.lit((132, 136, 144), 0.95)
    out.add(quad(0, 0.795, period, 0.812), metal)
    out.add(quad(0, 0.803, period, 0.806), dark)
    for index in range(8):
        x = index * 0.3
        out.add(quad(x, 0.795, x + 0.012, 0.838), dark)
    return out.layer(0.93, period)


def _verge(build: Build, green: tuple[int, int, int]) -> Layer:
    out = ShapeBuilder()
    rng = build.rng
    period = 4.0
    ground = build.lit(green, 1.0, 0.7)
    x = np.linspace(0, period, 60)
    top = 0.975 + 0.008 * np.sin(x * 2 * np.pi / period * 3)
    edge = np.vstack([np.stack([x, top], 1), [(period, 1.3), (0.0, 1.3)]])
    out.add(edge, ground)
    tones = (build.lit(green, 1.0, 0.5), build.lit(green, 1.0, 0.8), ground)
    brush = Brush(out=out, rng=rng, tones=tones)
    for _ in range(34):
        tuft(brush, rng.uniform(0, period), rng.uniform(0.985, 1.03), rng.uniform(0.02, 0.06), 5)
    return out.layer(1.12, period, build.wind)
