"""The heads of animals with paws: cat, tiger, lion, dog, fox, bear, panda, rabbit.

In units of the skull, its centre at the origin and the muzzle towards +x. Grazers' heads
are in `grazer_heads`, tails and markings in `beast_tails`.
"""

from __future__ import annotations

import math
from dataclasses import replace

from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.subjects.figure import Figure, blinks, chance, cycle
from kinogate.engines.preview.subjects.gaits import Posture
from kinogate.engines.preview.subjects.quadruped import Coat
from kinogate.engines.preview.subjects.shapes import Point

_FACE = 14.0
"""Pixels of skull below which a face is left out."""


def eye(
    pen: Figure,
    coat: Coat,
    posture: Posture,
    at: Point,
    size: float,
    *,
    iris: Color | None = None,
) -> None:
    """One eye: shut in sleep and when blinking, with an iris and a spark where there is room."""
    x, y = at
    if posture.shut or blinks(pen.pose.t, pen.pose.seed):
        pen.line([(x - size, y), (x, y - size * 0.5), (x + size, y)], coat.ink, size * 0.5)
        return
    if iris is not None and pen.pixels >= 26.0:
        pen.ellipse(x, y, size, size * 1.15, iris)
        pen.ellipse(x + size * 0.15, y, size * 0.5, size * 1.0, coat.ink)
    else:
        pen.ellipse(x, y, size * 0.8, size, coat.ink)
    if pen.pixels >= 34.0:
        spark = mix(coat.ink, pen.tone((255, 255, 255)), 0.9)
        pen.ellipse(x + size * 0.3, y + size * 0.4, size * 0.28, size * 0.28, spark)


def _feline(
    pen: Figure, coat: Coat, posture: Posture, *, round_ears: bool, iris: Color, muzzle: float
) -> None:
    twitch = 0.05 * posture.ears
    for side, dark in ((1, True), (0, False)):
        x = 0.27 if side else -0.26
        fur = pen.dark(coat.fur, 0.25) if dark else coat.fur
        if round_ears:
            pen.ellipse(x + 0.02, 0.36, 0.15, 0.16, fur)
            pen.ellipse(x + 0.03, 0.35, 0.08, 0.09, coat.inner)
        else:
            tip = (x + (0.10 if side else -0.10) + twitch, 0.68 - 0.2 * abs(posture.ears) * 0.4)
            pen.fill([(x - 0.19, 0.16), tip, (x + 0.17, 0.22)], fur)
            if pen.pixels >= _FACE:
                inside = [(x - 0.10, 0.24), (tip[0], tip[1] - 0.13), (x + 0.09, 0.27)]
                pen.fill(inside, coat.inner, rimmed=False)
    face = [
        (-0.49, -0.08), (-0.40, 0.24), (-0.16, 0.38), (0.14, 0.38), (0.38, 0.24), (0.50, -0.06),
        (0.42, -0.28), (0.14, -0.42), (-0.16, -0.40), (-0.42, -0.28),
    ]  # fmt: skip
    pen.blob(face, coat.fur, samples=4)
    if pen.pixels < _FACE:
        return
    pen.ellipse(0.14, -0.22, 0.22 * muzzle, 0.16 * muzzle, mix(coat.fur, coat.belly, 0.85))
    eye(pen, coat, posture, (-0.10, 0.02), 0.085, iris=iris)
    eye(pen, coat, posture, (0.31, 0.02), 0.085, iris=iris)
    nose = mix(coat.inner, coat.nose, 0.35)
    pen.fill([(0.09, -0.12), (0.21, -0.12), (0.15, -0.20)], nose, rimmed=False)
    if pen.pixels < 24.0:
        return
    ink = mix(coat.nose, coat.fur, 0.25)
    pen.line([(0.03, -0.25), (0.09, -0.29), (0.15, -0.20), (0.21, -0.29), (0.27, -0.25)], ink, 0.02)
    if pen.pixels >= 30.0:
        pale = mix(coat.belly, pen.tone((255, 255, 255)), 0.5)
        for rise in (0.05, -0.04):
            pen.line([(-0.10, -0.20), (-0.62, -0.17 + rise)], pale, 0.008)
            pen.line([(0.36, -0.20), (0.74, -0.16 + rise)], pale, 0.008)


def cat_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """Round face, pointed ears, whiskers."""
    _feline(pen, coat, posture, round_ears=False, iris=pen.tone((206, 216, 92)), muzzle=0.9)
    if pen.pixels >= 30.0:
        for x in (-0.06, 0.10, 0.26):
            pen.line([(x, 0.34), (x * 0.8 + 0.02, 0.20)], coat.dark, 0.045, smooth=False)


def tiger_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """Round ears, pale cheeks, stripes on the brow."""
    if pen.pixels >= 10.0:
        pale = mix(coat.fur, pen.tone((255, 250, 240)), 0.8)
        pen.blob([(-0.56, -0.12), (-0.36, 0.02), (-0.20, -0.36), (-0.44, -0.40)], pale)
        pen.blob([(0.56, -0.10), (0.40, 0.02), (0.30, -0.36), (0.46, -0.38)], pale)
    _feline(pen, coat, posture, round_ears=True, iris=pen.tone((230, 190, 80)), muzzle=1.25)
    if pen.pixels >= 12.0:
        ink = coat.ink
        for y, half in ((0.32, 0.10), (0.24, 0.15), (0.16, 0.09)):
            pen.line([(0.11 - half, y), (0.11, y - 0.02), (0.11 + half, y)], ink, 0.045)
        for y in (0.08, -0.06, -0.18):
            pen.line([(-0.48, y), (-0.30, y - 0.03)], ink, 0.045)
            pen.line([(0.49, y), (0.42, y - 0.03)], ink, 0.04)


def lion_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """A great mane that ripples."""
    mane = coat.mark
    t, seed = pen.pose.t, pen.pose.seed
    for radius, color in ((0.86, pen.dark(mane, 0.30)), (0.72, mane)):
        points: list[Point] = []
        for tuft in range(15):
            for half in (0, 1):
                angle = math.tau * (tuft + half * 0.5) / 15
                reach = radius * (1.0 if half else 0.86)
                reach += 0.03 * cycle(t, 0.8, chance(seed, 61) + tuft * 0.19)
                points.append((-0.06 + reach * math.cos(angle), -0.06 + reach * math.sin(angle)))
        pen.blob(points, color, samples=3)
    face = replace(coat, belly=mix(coat.fur, pen.tone((255, 246, 226)), 0.7))
    _feline(pen, face, posture, round_ears=True, iris=pen.tone((226, 180, 84)), muzzle=1.3)


def dog_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """A muzzle in profile and a floppy ear that swings."""
    flop = 0.10 * posture.wag + 0.25 * min(0.0, posture.ears)
    pen.blob(
        [
            (-0.40, 0.05), (-0.26, 0.34), (0.02, 0.40), (0.22, 0.26), (0.32, 0.10), (0.62, 0.05),
            (0.70, -0.06), (0.64, -0.22), (0.36, -0.32), (0.02, -0.36), (-0.30, -0.26),
        ],
        coat.fur,
        samples=4,
    )  # fmt: skip
    if pen.pixels >= 10.0:
        pale = mix(coat.fur, coat.belly, 0.85)
        pen.blob(
            [
                (0.26, 0.06),
                (0.62, 0.04),
                (0.69, -0.06),
                (0.63, -0.21),
                (0.34, -0.31),
                (0.12, -0.24),
            ],
            pale,
        )
        pen.ellipse(0.66, 0.02, 0.085, 0.07, coat.nose)
    if pen.pixels >= _FACE:
        eye(pen, coat, posture, (0.17, 0.13), 0.065)
        pen.line([(0.62, -0.12), (0.46, -0.18), (0.30, -0.16)], coat.nose, 0.025)
        if pen.pose.action in ("run", "walk", "jump", "dance", "stand"):
            tongue = pen.tone((230, 110, 116))
            drop = -0.36 + 0.03 * cycle(pen.pose.t, 2.6)
            pen.blob([(0.42, -0.19), (0.53, -0.18), (0.52, drop), (0.43, drop + 0.01)], tongue)
    ear = pen.dark(mix(coat.fur, coat.nose, 0.25), 0.2)
    pen.blob(
        [
            (-0.20, 0.34), (0.04, 0.30), (0.00, 0.06), (-0.10 - flop, -0.26),
            (-0.27 - flop, -0.28 - 0.3 * flop), (-0.36 - 0.4 * flop, -0.02),
        ],
        ear,
    )  # fmt: skip


def fox_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """Sharp muzzle, tall dark-tipped ears, white cheeks."""
    white = mix(coat.fur, coat.belly, 0.95)
    for x, color in ((0.14, pen.dark(coat.fur, 0.25)), (-0.22, coat.fur)):
        tip = (x - 0.02, 0.74)
        pen.fill([(x - 0.17, 0.20), tip, (x + 0.18, 0.24)], color)
        pen.fill([(x - 0.075, 0.50), tip, (x + 0.07, 0.51)], coat.ink, rimmed=False)
    pen.blob(
        [
            (-0.46, -0.06), (-0.36, 0.24), (-0.06, 0.36), (0.20, 0.24), (0.36, 0.06),
            (0.72, -0.10), (0.72, -0.17), (0.36, -0.28), (0.0, -0.36), (-0.36, -0.30),
        ],
        coat.fur,
        samples=4,
    )  # fmt: skip
    if pen.pixels >= 9.0:
        pen.blob(
            [
                (0.70, -0.15),
                (0.34, -0.06),
                (0.10, -0.06),
                (-0.24, -0.16),
                (-0.40, -0.36),
                (-0.04, -0.40),
                (0.36, -0.29),
            ],
            white,
        )
        pen.ellipse(0.70, -0.11, 0.065, 0.055, coat.ink)
    if pen.pixels >= _FACE:
        eye(pen, coat, posture, (0.16, 0.07), 0.062)


def bear_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """Round ears and a short pale muzzle."""
    for x, color in ((0.24, pen.dark(coat.fur, 0.25)), (-0.24, coat.fur)):
        pen.ellipse(x, 0.36, 0.15, 0.15, color)
        pen.ellipse(x + 0.02, 0.35, 0.075, 0.075, mix(color, coat.nose, 0.4))
    pen.ellipse(0.0, 0.0, 0.48, 0.44, coat.fur)
    if pen.pixels >= 8.0:
        pen.ellipse(0.28, -0.14, 0.26, 0.20, mix(coat.fur, coat.belly, 0.7))
        pen.ellipse(0.40, -0.06, 0.10, 0.07, coat.ink)
    if pen.pixels >= _FACE:
        eye(pen, coat, posture, (-0.02, 0.08), 0.055)
        eye(pen, coat, posture, (0.32, 0.10), 0.05)
        pen.line([(0.20, -0.22), (0.32, -0.25), (0.42, -0.21)], coat.nose, 0.025)


def panda_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """White face, black ears and eye patches."""
    black = coat.mark
    for x in (0.27, -0.27):
        pen.ellipse(x, 0.36, 0.16, 0.16, black)
    pen.ellipse(0.0, 0.0, 0.50, 0.45, coat.fur)
    if pen.pixels >= 8.0:
        pen.ellipse(-0.08, 0.05, 0.12, 0.15, black, angle=-0.5)
        pen.ellipse(0.31, 0.06, 0.11, 0.14, black, angle=0.5)
        pen.ellipse(0.18, -0.10, 0.09, 0.06, black)
    if pen.pixels >= _FACE and not (posture.shut or blinks(pen.pose.t, pen.pose.seed)):
        for x in (-0.06, 0.30):
            pen.ellipse(x, 0.07, 0.04, 0.05, coat.fur)
            pen.ellipse(x + 0.01, 0.065, 0.025, 0.032, coat.ink)
    if pen.pixels >= _FACE:
        pen.line([(0.08, -0.22), (0.18, -0.17), (0.29, -0.22)], black, 0.025)


def rabbit_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """Long upright ears that lag behind the hops."""
    lag = 0.14 * posture.wag + 0.5 * min(0.0, posture.ears)
    for x, color in ((0.08, pen.dark(coat.fur, 0.25)), (-0.16, coat.fur)):
        ear = [(x, 0.25), (x - 0.06 + lag * 0.4, 0.75), (x - 0.10 + lag, 1.22)]
        pen.tube(ear, [0.12, 0.155, 0.06], color)
        pen.tube([ear[0], ear[1], (ear[2][0], 1.10)], [0.05, 0.085, 0.03], coat.inner)
    pen.blob(
        [
            (-0.42, 0.0),
            (-0.24, 0.33),
            (0.10, 0.36),
            (0.38, 0.16),
            (0.48, -0.08),
            (0.34, -0.30),
            (0.0, -0.36),
            (-0.32, -0.28),
        ],
        coat.fur,
    )
    if pen.pixels >= 10.0:
        pen.ellipse(0.32, -0.16, 0.16, 0.13, mix(coat.fur, coat.belly, 0.8))
        pen.ellipse(0.46, -0.03, 0.045, 0.035, mix(coat.inner, coat.nose, 0.3))
    if pen.pixels >= 10.0:
        eye(pen, coat, posture, (0.16, 0.08), 0.07)
