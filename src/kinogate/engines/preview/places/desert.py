"""Sand dunes under a wide sky."""

from __future__ import annotations

import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.foliage import ellipse, palm, rock, tuft
from kinogate.engines.preview.layers import Haze, Layer, ShapeBuilder
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.places.hills import backdrop
from kinogate.engines.preview.terrain import PERIOD, hills

_SAND: Color = (232, 182, 112)


def build_desert(build: Build) -> Stage:
    """Dunes with sharp crests: one side in the light, the other in shadow."""
    stage = Stage(ground=0.875, person=0.26, horizon=0.66, air=(0.14, 0.42))
    if build.spec.backdrop is not None:
        stage.back += backdrop(build, 0.64)
    else:
        stage.back.append(
            hills(build, depth=0.08, base=0.63, swell=0.035, color=(188, 140, 116), bumps=6)
        )
    for depth, base, tall, count, tone in (
        (0.16, 0.665, 0.075, 12, 0.25),
        (0.32, 0.715, 0.085, 10, 0.12),
        (0.58, 0.780, 0.085, 7, 0.0),
    ):
        color = mix(_SAND, (206, 140, 96), tone)
        stage.back += dunes(build, depth=depth, base=base, height=tall, color=color, count=count)
    stage.back.append(
        hills(
            build,
            depth=0.97,
            base=stage.ground - 0.055,
            swell=0.014,
            color=_SAND,
            bumps=3,
            mist=0.0,
            crest=0.3,
        )
    )
    stage.back.append(
        Haze(
            depth=0.97,
            top=stage.ground - 0.04,
            bottom=1.05,
            color=build.lit((150, 84, 56), 1.0, 0.7),
            start=0.0,
            end=0.5,
        )
    )
    stage.back.append(_ripples(build, stage.ground))
    return stage


def dunes(
    build: Build, *, depth: float, base: float, height: float, color: Color, count: int
) -> list[Layer]:
    """Overlapping dunes, each a lit slope and a shadowed one meeting in a winding crest."""
    rng = build.rng
    out = ShapeBuilder()
    light = mix(build.lit(color, depth, 1.06), build.palette.sun, 0.12)
    dark = build.lit(mix(color, (126, 70, 70), 0.42), depth, 0.84)
    slots = (np.arange(count) + rng.uniform(-0.3, 0.3, count)) / count * PERIOD
    share = np.linspace(0, 1, 12)
    for x in rng.permutation(slots):
        high = height * rng.uniform(0.5, 1.0)
        reach = high * rng.uniform(4.5, 7.0)
        top = base - high
        ease = share**1.5
        foot = base + 0.10
        left = np.stack([x - reach * share, top + (foot - top) * ease], 1)
        right = np.stack([x + reach * share, top + (foot - top) * ease], 1)
        out.add(np.vstack([left, right[::-1]]), light)
        away = -build.side
        flank = left if away < 0 else right
        bend = np.sin(share * 4.0 + rng.uniform(0, 6)) * reach * 0.10 * share
        crest = np.stack([x + away * reach * 0.28 * share + bend, top + (foot - top) * share], 1)
        out.add(np.vstack([flank, crest[::-1]]), dark)
    haze = Haze(
        depth=depth,
        top=base - height * 0.5,
        bottom=base + 0.12,
        color=build.palette.haze,
        start=0.0,
        end=0.34 * (1 - depth),
    )
    return [out.layer(depth, PERIOD), haze]


def _ripples(build: Build, ground: float) -> Layer:
    """Wind ripples, stones, dry grass and, now and then, a cactus or a palm."""
    rng = build.rng
    out = ShapeBuilder()
    period = 5.4
    dark, light = build.lit(_SAND, 1.0, 0.86), build.lit(_SAND, 1.0, 1.1)
    for _ in range(46):
        y = rng.uniform(ground - 0.015, 1.03)
        wide = rng.uniform(0.05, 0.16) * (y - 0.6) * 2.2
        out.add(
            ellipse(rng.uniform(0, period), y, wide, wide * 0.045, 14),
            dark if rng.random() < 0.6 else light,
        )
    stones = build.brush(out, ((130, 96, 82), (176, 134, 108), (206, 166, 132)))
    for _ in range(7):
        rock(stones, rng.uniform(0, period), rng.uniform(0.86, 0.98), rng.uniform(0.010, 0.03))
    dry = build.brush(out, ((136, 110, 62), (178, 148, 84), (136, 110, 62)))
    for _ in range(12):
        y = rng.uniform(ground - 0.02, 0.98)
        tuft(dry, rng.uniform(0, period), y, 0.02 + 0.12 * max(0.0, y - 0.82), 6)
    if not build.roams:
        _cactus(build, out, 1.05, ground - 0.035, 0.17)
        palms = build.brush(out, ((70, 104, 56), (110, 142, 70), (150, 170, 90)))
        palm(palms, 3.4, ground - 0.04, 0.30, lean=0.15)
    return out.layer(0.97, period, build.wind)


def _cactus(build: Build, out: ShapeBuilder, x: float, base: float, height: float) -> None:
    green, shade = build.lit((74, 124, 84)), build.lit((46, 88, 68))

    def limb(cx: float, low: float, top: float, wide: float) -> None:
        share = np.linspace(np.pi, 2 * np.pi, 9)
        cap = np.stack([cx + np.cos(share) * wide, top + np.sin(share) * wide], 1)
        out.add(np.vstack([cap, [(cx + wide, low), (cx - wide, low)]]), green)
        half = cx - wide * build.side
        out.add(
            np.array([(half, top), (cx - wide * 0.2 * build.side, top), (cx, low), (half, low)]),
            shade,
        )

    limb(x, base, base - height, height * 0.09)
    for side, at, tall in ((-1.0, 0.45, 0.30), (1.0, 0.58, 0.26)):
        arm = x + side * height * 0.24
        y = base - height * at
        joint = sorted((x, arm))
        out.add(
            np.array(
                [
                    (joint[0], y - height * 0.06),
                    (joint[1], y - height * 0.06),
                    (joint[1], y + height * 0.06),
                    (joint[0], y + height * 0.06),
                ]
            ),
            shade,
        )
        limb(arm, y + height * 0.06, y - height * tall, height * 0.065)
