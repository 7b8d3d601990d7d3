"""A lake between hills, and a Chinese pavilion by still water."""

from __future__ import annotations

import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.foliage import Brush, bush, ellipse, quad, rock, tuft
from kinogate.engines.preview.layers import Haze, Layer, ShapeBuilder
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.places.hills import backdrop, copse, fringe
from kinogate.engines.preview.spec import Place, Weather
from kinogate.engines.preview.terrain import hills, mountains, treeline
from kinogate.engines.preview.water import Glints, Water


def build_lake(build: Build) -> Stage:
    """A still lake under hills, seen from a grassy bank."""
    stage = Stage(ground=0.90, waterline=0.79, person=0.25, horizon=0.60, air=(0.14, 0.40))
    shore = 0.595
    if build.spec.backdrop is None:
        snow = 0.5 if build.is_white else 0.25
        stage.back += mountains(
            build,
            depth=0.07,
            base=shore,
            height=0.30,
            color=(110, 124, 156),
            snow=snow,
            count=14,
            mist=0.5,
        )
    else:
        stage.back += backdrop(build, shore)
    green = mix(build.leaves()[0], (60, 100, 90), 0.3)
    if build.spec.backdrop is not Place.CITY:
        stage.back.append(
            hills(build, depth=0.18, base=shore - 0.03, swell=0.025, color=green, mist=0.4)
        )
        stage.back.append(
            treeline(build, depth=0.24, base=shore + 0.006, height=0.045, color=green, mist=0.25)
        )
        stage.back.append(copse(build, depth=0.30, base=shore, height=0.07, count=14))
    stage.back += still_water(build, shore + 0.008)
    stage.back.append(_bank(build, stage.ground))
    stage.front += fringe(build, build.grass())
    return stage


def build_pavilion(build: Build) -> Stage:
    """A pavilion on a rocky shore, misty peaks behind, bamboo in front."""
    stage = Stage(ground=0.915, waterline=0.82, person=0.19, horizon=0.62, air=(0.12, 0.34))
    shore = 0.655
    stage.back += mountains(
        build, depth=0.05, base=0.60, height=0.42, color=(104, 134, 148), count=13, mist=0.85
    )
    stage.back += mountains(
        build, depth=0.12, base=0.635, height=0.26, color=(84, 118, 124), count=15, mist=0.8
    )
    stage.back.append(
        hills(build, depth=0.22, base=0.63, swell=0.02, color=(86, 122, 110), mist=0.3)
    )
    spot = 0.20 * min(1.6, build.aspect) * -build.side
    stage.back += _island(build, spot, shore + 0.012)
    stage.back += still_water(build, shore + 0.006)
    stage.back.append(_lotus(build))
    stage.back.append(_bank(build, stage.ground))
    if build.aspect > 0.8 and not build.roams:
        stage.front.append(bamboo(build, side=build.side))
    return stage


def still_water(build: Build, top: float) -> list[Layer]:
    """Calm mirror water from `top` down."""
    deep = build.lit((30, 84, 98))
    clear = build.spec.weather in (Weather.CLEAR, Weather.CLOUDY, Weather.WIND)
    return [
        Water(build.rng, top=top, deep=deep, clear=0.10, murk=0.55, rough=0.6),
        Glints(
            build.palette,
            build.rng,
            top=top,
            sun_x=build.sun[0] if clear else None,
            aspect=build.aspect,
            count=90,
        ),
    ]


def pavilion_shapes(build: Build, out: ShapeBuilder, x: float, base: float, size: float) -> None:
    """A two-tier pavilion with upturned eaves; `size` is its height."""
    depth = 0.45
    tile, edge = build.lit((58, 74, 84), depth), build.lit((92, 110, 116), depth)
    red, dark = build.lit((176, 56, 44), depth), build.lit((104, 34, 34), depth)
    stone = build.lit((178, 172, 164), depth)
    floor = base - size * 0.06
    out.add(quad(x - size * 0.52, floor, x + size * 0.52, base + 0.01), stone)
    out.add(quad(x - size * 0.52, floor, x + size * 0.52, floor + size * 0.02), edge)
    eave = base - size * 0.48
    inside = (
        mix((255, 196, 110), red, 0.25) if build.palette.is_dark else build.lit((96, 64, 54), depth)
    )
    out.add(quad(x - size * 0.34, eave, x + size * 0.34, floor), inside)
    for place in (-0.40, -0.14, 0.14, 0.40):
        out.add(quad(x + size * (place - 0.022), eave, x + size * (place + 0.022), floor), red)
    out.add(quad(x - size * 0.42, floor - size * 0.10, x + size * 0.42, floor - size * 0.08), dark)
    out.add(quad(x - size * 0.44, eave, x + size * 0.44, eave + size * 0.04), dark)
    _roof(out, x, eave, size * 0.62, size * 0.20, tile, edge)
    neck = eave - size * 0.17
    out.add(quad(x - size * 0.20, neck - size * 0.10, x + size * 0.20, neck), red)
    out.add(quad(x - size * 0.16, neck - size * 0.08, x + size * 0.16, neck), inside)
    _roof(out, x, neck - size * 0.10, size * 0.40, size * 0.20, tile, edge)
    top = neck - size * 0.29
    out.add(ellipse(x, top, size * 0.022, size * 0.035, 12), build.lit((214, 170, 84), depth))


def bamboo(build: Build, *, side: float) -> Layer:
    """Stems and leaves that frame one side of the picture."""
    rng = build.rng
    out = ShapeBuilder()
    edge = build.aspect / 2 / 1.2
    stem = build.lit((70, 128, 74), 1.0, 0.62)
    ring = build.lit((120, 166, 96), 1.0, 0.7)
    leaf = (build.lit((44, 100, 62), 1.0, 0.6), build.lit((86, 148, 80), 1.0, 0.75))
    for offset in (0.01, 0.055, 0.10, 0.17):
        x = side * (edge - offset)
        lean = rng.uniform(-0.03, 0.03)
        wide = rng.uniform(0.007, 0.011)
        for joint in range(9):
            y0, y1 = 1.08 - joint * 0.145, 1.08 - (joint + 1) * 0.145 + 0.006
            x0, x1 = x + lean * joint / 4, x + lean * (joint + 1) / 4
            out.add(
                np.array([(x0 - wide, y0), (x1 - wide, y1), (x1 + wide, y1), (x0 + wide, y0)]), stem
            )
            out.add(quad(x1 - wide * 1.2, y1 - 0.006, x1 + wide * 1.2, y1), ring)
            if joint > 2:
                for _ in range(3):
                    _leaf(out, rng, x1, y1, -side, leaf)
    return out.layer(1.2, None, build.wind)


def _leaf(  # noqa: PLR0917 - one drawing, used in one place
    out: ShapeBuilder,
    rng: np.random.Generator,
    x: float,
    y: float,
    way: float,
    tones: tuple[Color, Color],
) -> None:
    angle = rng.uniform(0.1, 1.1)
    long = rng.uniform(0.06, 0.12)
    turn = way if rng.random() < 0.75 else -way
    tip = np.array([x + turn * long * np.cos(angle), y + long * np.sin(angle)])
    normal = np.array([-np.sin(angle) * turn, np.cos(angle)]) * long * 0.09
    middle = np.array([x, y]) * 0.55 + tip * 0.45
    shape = np.array([(x, y), middle + normal, tip, middle - normal])
    out.add(shape, tones[int(rng.random() < 0.5)], 0.006, rigid=True)


def _roof(  # noqa: PLR0917 - one drawing, used in one place
    out: ShapeBuilder, x: float, y: float, half: float, tall: float, tile: Color, edge: Color
) -> None:
    """One roof whose corners turn upwards."""
    share = np.linspace(-1, 1, 21)
    low = y - tall * 0.34 * np.abs(share) ** 4 + tall * 0.04
    high = y - tall * (1 - np.abs(share) ** 0.8 * 0.86)
    high = np.where(np.abs(share) < 0.22, y - tall, high)
    lower = np.stack([x + share * half, low], 1)
    upper = np.stack([x + share * half * 0.99, np.minimum(high, low - tall * 0.03)], 1)
    out.add(np.vstack([lower, upper[::-1]]), tile)
    band = np.stack([x + share * half, low + tall * 0.07], 1)
    out.add(np.vstack([lower, band[::-1]]), edge)
    for rib in np.linspace(-0.8, 0.8, 9):
        top = np.array([x + rib * half * 0.30, y - tall * 0.92])
        foot = np.array([x + rib * half, y - tall * 0.30 * abs(rib) ** 4])
        tip, toe = np.array([half * 0.008, 0.0]), np.array([half * 0.012, 0.0])
        out.add(np.array([top, top + tip, foot + toe, foot]), edge)


def _island(build: Build, x: float, base: float) -> list[Layer]:
    depth = 0.45
    out = ShapeBuilder()
    rng = build.rng
    green = build.brush(out, build.leaves(), depth)
    for dx in (-0.34, -0.26, 0.27, 0.36):
        bush(green, x + dx, base - 0.02, rng.uniform(0.05, 0.09))
    out.add(ellipse(x, base + 0.012, 0.50, 0.035, 40), build.lit((104, 132, 96), depth))
    pavilion_shapes(build, out, x, base - 0.008, 0.34)
    stone = build.brush(out, ((86, 92, 96), (128, 132, 132), (160, 160, 156)), depth)
    for dx in (-0.42, -0.30, -0.12, 0.16, 0.33, 0.45):
        rock(stone, x + dx, base + 0.03, rng.uniform(0.02, 0.045))
    _willow(build, out, x + 0.42 * build.side, base, 0.34, depth)
    layers: list[Layer] = [out.layer(depth, None, build.wind)]
    if build.spec.weather is Weather.FOG:
        layers.append(
            Haze(depth=0.3, top=0.46, bottom=0.70, color=build.palette.haze, start=0.0, end=0.5)
        )
    return layers


def _willow(  # noqa: PLR0917 - one drawing, used in one place
    build: Build, out: ShapeBuilder, x: float, base: float, height: float, depth: float
) -> None:
    rng = build.rng
    trunk = build.lit((80, 66, 56), depth)
    out.add(
        np.array(
            [
                (x - 0.016, base),
                (x - 0.006, base - height * 0.6),
                (x + 0.010, base - height * 0.62),
                (x + 0.012, base),
            ]
        ),
        trunk,
    )
    dark, light = build.lit((74, 118, 70), depth), build.lit((136, 172, 90), depth)
    crown = base - height * 0.80
    out.add(ellipse(x, crown, height * 0.34, height * 0.17, 28), dark, 0.004, rigid=True)
    for place in np.linspace(-1, 1, 40):
        top = crown - height * 0.10 * (1 - place**2)
        long = height * rng.uniform(0.34, 0.62) * (1.1 - 0.3 * abs(place))
        px = x + place * height * 0.35
        half = height * 0.022
        bend = place * height * 0.05
        strand = np.array(
            [
                (px - half, top),
                (px + half, top),
                (px + half * 0.9 + bend, top + long * 0.6),
                (px + bend * 1.1, top + long),
                (px - half * 0.9 + bend, top + long * 0.6),
            ]
        )
        tone = mix(dark, light, float(rng.uniform(0.0, 0.9)))
        out.add(strand, tone, 0.008, rigid=True)


def _lotus(build: Build) -> Layer:
    rng = build.rng
    out = ShapeBuilder()
    leaf, light = build.lit((52, 112, 84), 0.9), build.lit((98, 158, 106), 0.9)
    pink, pale = build.lit((238, 140, 168), 0.95), build.lit((252, 206, 216), 0.95)
    period = 4.0
    for _ in range(20):
        y = rng.uniform(0.78, 0.90)
        x = rng.uniform(0, period)
        size = 0.016 + (y - 0.76) * 0.22
        out.add(ellipse(x, y, size, size * 0.26, 16), leaf)
        out.add(ellipse(x + size * 0.15, y - size * 0.04, size * 0.7, size * 0.14, 14), light)
        if rng.random() < 0.35:
            for dx, tone in ((-0.3, pink), (0.3, pink), (0.0, pale)):
                petal = ellipse(x + dx * size * 0.7, y - size * 0.5, size * 0.2, size * 0.42, 12)
                out.add(petal, tone, 0.002)
    return out.layer(0.85, period)


def _bank(build: Build, ground: float) -> Layer:
    """The near shore: a strip of grass with reeds."""
    rng = build.rng
    out = ShapeBuilder()
    period = 6.0
    count = 120
    x = np.linspace(0, period, count + 1)
    top = (
        ground
        - 0.022
        + 0.008 * np.sin(x * 2 * np.pi / period * 3)
        + 0.004 * np.sin(x * 2 * np.pi / period * 11)
    )
    color = build.grass()
    earth, grass = build.lit(mix(color, (80, 66, 50), 0.55)), build.lit(color, 1.0, 0.86)
    foot = np.array([(period, 1.2), (0.0, 1.2)])
    out.add(np.vstack([np.stack([x, top - 0.005], 1), foot]), mix(earth, (0, 0, 0), 0.2))
    out.add(np.vstack([np.stack([x, top], 1), foot]), grass)
    out.add(np.vstack([np.stack([x, top + 0.045], 1), foot]), mix(grass, earth, 0.25))
    tones = (build.lit(color, 1.0, 0.55), build.lit(color, 1.0, 1.05), build.lit(color))
    brush = Brush(out=out, rng=rng, tones=tones)
    for _ in range(60):
        y = rng.uniform(ground - 0.015, 1.0)
        tuft(brush, rng.uniform(0, period), y, 0.016 + 0.12 * max(0.0, y - 0.86), 4)
    stones = build.brush(out, ((100, 100, 100), (140, 138, 134), (170, 168, 160)))
    for _ in range(6):
        rock(stones, rng.uniform(0, period), ground - 0.012, rng.uniform(0.010, 0.024))
    return out.layer(1.0, period, build.wind)
