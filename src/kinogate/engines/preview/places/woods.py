"""Forest and snowfield."""

from __future__ import annotations

import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, Points, mix
from kinogate.engines.preview.effects import Fire, Shafts
from kinogate.engines.preview.foliage import blob, pine, tuft
from kinogate.engines.preview.layers import Haze, Layer, ShapeBuilder
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.places.hills import backdrop, copse, fringe, ground_cover
from kinogate.engines.preview.spec import Place, Season, Time, Weather
from kinogate.engines.preview.terrain import hills, mountains, pines, treeline


def build_forest(build: Build) -> Stage:
    """Trees in four depths, light between the trunks, ferns on the ground."""
    stage = Stage(ground=0.885, person=0.28, horizon=0.74, air=(0.16, 0.44))
    if build.spec.backdrop is not None:
        stage.back += backdrop(build, 0.64)
    leaf = mix(build.leaves()[0], (40, 90, 80), 0.35)
    if build.is_white:
        leaf = (120, 150, 164)
    stage.back.append(treeline(build, depth=0.12, base=0.64, height=0.22, color=leaf, mist=0.75))
    stage.back.append(treeline(build, depth=0.25, base=0.70, height=0.26, color=leaf, mist=0.65))
    is_broad = build.spec.season in (Season.AUTUMN, Season.SPRING)
    if is_broad:
        stage.back.append(copse(build, depth=0.42, base=0.745, height=0.34, count=15))
    stage.back.append(pines(build, depth=0.45, base=0.75, height=0.42, count=15))
    stage.back.append(
        Haze(depth=0.45, top=0.40, bottom=0.80, color=build.palette.haze, start=0.0, end=0.36)
    )
    clear = build.spec.weather in (Weather.CLEAR, Weather.CLOUDY, Weather.FOG, Weather.WIND)
    if clear and build.spec.time not in (Time.DUSK, Time.NOON):
        power = 0.16 if build.spec.time is Time.NIGHT else 0.42
        ray = mix((0, 0, 0), build.palette.sun, power * 0.55)
        stage.back.append(
            Shafts(ray, build.rng, top=0.0, bottom=0.92, slant=-0.35 * build.side, count=6)
        )
    if is_broad:
        stage.back.append(copse(build, depth=0.70, base=0.80, height=0.50, count=6, clear=0.3))
    stage.back.append(pines(build, depth=0.72, base=0.81, height=0.56, count=7, clear=0.25))
    floor = build.grass() if build.is_white else mix(build.grass(), (84, 82, 52), 0.45)
    near = hills(
        build, depth=0.97, base=stage.ground - 0.075, swell=0.012, color=floor, bumps=3, mist=0.0
    )
    stage.back.append(near)
    stage.back.append(
        Haze(
            depth=0.97,
            top=stage.ground - 0.05,
            bottom=1.05,
            color=build.lit((20, 40, 44), 1.0, 0.5),
            start=0.0,
            end=0.30 if build.is_white else 0.6,
        )
    )
    stage.back.append(ground_cover(build, stage.ground, floor, flowers=False))
    if "fire" in build.spec.extras:
        stage.back.append(Fire(0.22 * build.side, stage.ground - 0.005, 0.09))
    if not build.roams:
        stage.front.append(_trunks(build))
    stage.front += _ferns(build)
    return stage


def build_snowfield(build: Build) -> Stage:
    """A white plain, drifts and firs under far mountains."""
    stage = Stage(ground=0.87, person=0.26, horizon=0.68, air=(0.14, 0.42))
    white: Color = (232, 240, 250)
    if build.spec.backdrop in (Place.CITY, Place.VILLAGE, Place.SEA):
        stage.back += backdrop(build, 0.66)
    else:
        stage.back += mountains(
            build,
            depth=0.07,
            base=0.65,
            height=0.36,
            color=(132, 152, 186),
            snow=0.85,
            count=15,
            mist=0.42,
        )
    stage.back.append(hills(build, depth=0.22, base=0.665, swell=0.02, color=white, mist=0.2))
    stage.back.append(
        treeline(build, depth=0.28, base=0.69, height=0.055, color=(150, 174, 194), mist=0.35)
    )
    stage.back.append(
        hills(build, depth=0.45, base=0.725, swell=0.022, color=white, mist=0.15, crest=0.3)
    )
    stage.back.append(_firs(build, 0.5, 0.745, 0.20, 11))
    stage.back.append(
        hills(
            build, depth=0.72, base=0.785, swell=0.020, color=(224, 234, 246), mist=0.0, crest=0.35
        )
    )
    stage.back.append(_firs(build, 0.74, 0.80, 0.32, 4))
    stage.back.append(
        hills(build, depth=0.97, base=0.82, swell=0.012, color=(238, 244, 252), mist=0.0, crest=0.3)
    )
    stage.back.append(_drifts(build))
    return stage


def _firs(build: Build, depth: float, base: float, height: float, count: int) -> Layer:
    rng = build.rng
    out = ShapeBuilder()
    brush = build.brush(out, ((48, 84, 94), (214, 228, 238), (240, 246, 252)), depth)
    period = 4.4
    for x in np.sort(rng.uniform(0, period, count)):
        if min(x, period - x) < 0.3:
            continue
        pine(brush, float(x), base + rng.uniform(0, 0.02), height * rng.uniform(0.6, 1.05))
    return out.layer(depth, period, build.wind)


def _drifts(build: Build) -> Layer:
    """Blue shadows and sparkling rims on the near snow, and some dry grass."""
    rng = build.rng
    out = ShapeBuilder()
    period = 5.0
    shadow, bright = build.lit((190, 208, 232)), build.lit((252, 254, 255))
    for _ in range(26):
        y = rng.uniform(0.85, 1.03)
        x, wide = rng.uniform(0, period), rng.uniform(0.08, 0.3) * (y - 0.6) * 2
        share = np.linspace(-1, 1, 13)
        arch = 0.06 * wide * (1 - share**2)
        top = np.stack([x + share * wide, y - arch], 1)
        low = np.stack([x + share[::-1] * wide, y + 0.35 * arch[::-1]], 1)
        out.add(np.vstack([top, low]), shadow if rng.random() < 0.6 else bright)
    brush = build.brush(out, ((150, 128, 96), (190, 166, 120), (150, 128, 96)))
    for _ in range(9):
        y = rng.uniform(0.84, 0.97)
        tuft(brush, rng.uniform(0, period), y, 0.02 + 0.1 * (y - 0.8), 5)
    return out.layer(0.97, period, build.wind)


def _trunks(build: Build) -> Layer:
    """Dark trunks at both edges and leaves above: the frame of the picture."""
    rng = build.rng
    out = ShapeBuilder()
    bark = build.lit((58, 44, 42), 1.0, 0.55)
    edge = build.aspect / 2 / 1.3
    for side, offset, wide in ((-1.0, 0.02, 0.060), (1.0, -0.01, 0.075)):
        x = side * (edge - offset)
        share = np.linspace(0, 1, 8)
        rough = rng.uniform(-0.006, 0.006, 8)
        lean = side * -0.02 * share
        left = np.stack([x - wide * (1 - 0.35 * share) + lean + rough, 1.1 - 1.3 * share], 1)
        right = np.stack([x + wide * (1 - 0.35 * share) + lean + rough, 1.1 - 1.3 * share], 1)
        out.add(np.vstack([left, right[::-1]]), bark)
        leaves = build.lit(build.leaves()[0], 1.0, 0.42)
        for _ in range(7):
            px = x - side * rng.uniform(-0.1, 0.26)
            leaf = blob(px, rng.uniform(-0.06, 0.05), rng.uniform(0.06, 0.12), 0.05, rng)
            out.add(leaf, leaves, 0.008, rigid=True)
    return out.layer(1.3, None, build.wind)


def _ferns(build: Build) -> list[Layer]:
    if build.is_white:
        return fringe(build, (150, 160, 168))
    rng = build.rng
    out = ShapeBuilder()
    period = 3.6
    tones = (build.lit((40, 84, 54), 1.0, 0.5), build.lit((66, 116, 64), 1.0, 0.55))
    for center in rng.uniform(0, period, 7):
        for index in range(5):
            angle = -np.pi / 2 + (index - 2) * 0.38 + rng.uniform(-0.1, 0.1)
            out.add(_frond(center, 1.05, angle, rng.uniform(0.12, 0.20)), tones[index % 2], 0.012)
    return [out.layer(1.3, period, build.wind)]


def _frond(x: float, y: float, angle: float, long: float) -> Points:
    share = np.linspace(0, 1, 13)
    bend = np.sign(np.cos(angle)) * 0.5 * share**2
    px = x + long * (np.cos(angle) * share + bend * 0.4)
    py = y + long * (np.sin(angle) * share + np.abs(bend) * 0.5)
    wide = (
        long
        * 0.16
        * np.sin(np.pi * (share * 0.9 + 0.1))
        * np.where(np.arange(13) % 2 == 0, 1.0, 0.45)
    )
    normal = np.array([-np.sin(angle), np.cos(angle)])
    side = wide[:, None] * normal[None, :]
    spine = np.stack([px, py], 1)
    return np.vstack([spine + side, (spine - side)[::-1]])
