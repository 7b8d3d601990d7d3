"""Human heads: hair, face, hats and beards, in units of one head height.

The head's centre is the origin, the chin at -0.5 and the crown at +0.5, the face towards +x.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.subjects.figure import Figure, blinks, chance, cycle

if TYPE_CHECKING:
    from kinogate.engines.preview.subjects.look import Look

HAIR_STYLES = (
    "short",
    "crop",
    "bob",
    "long",
    "bun",
    "ponytail",
    "pigtails",
    "curly",
    "bald",
)


def _sway(pen: Figure) -> float:
    return cycle(pen.pose.t, 0.9, chance(pen.pose.seed, 21))


def draw_back_hair(pen: Figure, style: str, hair: Color) -> None:
    """Add the hair that hangs behind neck and shoulders."""
    dark = pen.dark(hair, 0.25)
    sway = 0.07 * _sway(pen)
    if style == "long":
        pen.blob(
            [
                (0.10, 0.42),
                (-0.42, 0.30),
                (-0.58, -0.20),
                (-0.62 - sway, -0.75),
                (-0.55 - 1.6 * sway, -1.12),
                (-0.22 - sway, -1.05),
                (-0.02, -0.6),
                (0.16, -0.3),
            ],
            dark,
        )
    elif style == "bob":
        pen.blob(
            [
                (0.15, 0.42),
                (-0.40, 0.34),
                (-0.56, -0.10),
                (-0.55 - sway, -0.52),
                (-0.20 - sway, -0.58),
                (0.10, -0.4),
            ],
            dark,
        )
    elif style == "ponytail":
        pen.tube(
            [
                (-0.34, 0.22),
                (-0.66, 0.20 + 0.4 * sway),
                (-0.82 - sway, -0.20),
                (-0.74 - 2 * sway, -0.68),
            ],
            [0.10, 0.17, 0.16, 0.03],
            dark,
        )
    elif style == "pigtails":
        for x, share in ((-0.34, 1.0), (0.30, -0.6)):
            pen.tube(
                [(x, -0.05), (x * 1.55, -0.30), (x * 1.6 - sway * share, -0.68)],
                [0.07, 0.14, 0.05],
                dark,
            )


def draw_head(pen: Figure, look: Look, shut: bool) -> None:
    """Add the head itself: face, hair in front, beard and hat."""
    special = _SPECIAL.get(look.hat)
    if special is not None:
        special(pen, look, shut)
        return
    skin = look.skin
    pen.blob(
        [
            (0.05, 0.46),
            (0.33, 0.30),
            (0.39, 0.04),
            (0.36, -0.22),
            (0.22, -0.46),
            (0.06, -0.50),
            (-0.16, -0.36),
            (-0.36, -0.04),
            (-0.32, 0.30),
        ],
        skin,
    )
    if pen.pixels >= 7.0:
        pen.fill(
            [(0.36, -0.03), (0.425, -0.115), (0.425, -0.135), (0.35, -0.165)],
            mix(skin, pen.pose.shade, 0.06),
        )
    if look.beard:
        _beard(pen, look.hair)
    if pen.pixels >= 11.0:
        _face(pen, look, shut)
    _front_hair(pen, look)
    if look.hair_style in ("short", "crop", "bald", "bun", "ponytail", "pigtails"):
        pen.ellipse(-0.13, -0.06, 0.075, 0.11, mix(skin, pen.pose.shade, 0.10))
    if look.hat:
        _hat(pen, look)


def _face(pen: Figure, look: Look, shut: bool) -> None:
    ink = mix(pen.tone((38, 28, 34)), pen.pose.shade, 0.15)
    small = pen.pixels < 25.0
    if small:  # an anti-aliased dot is never smaller than a pixel: pale ones do not merge
        ink = mix(ink, look.skin, 0.45)
    closed = shut or blinks(pen.pose.t, pen.pose.seed)
    for x in (0.10, 0.295):
        if closed:
            pen.line([(x - 0.05, -0.01), (x, -0.035), (x + 0.05, -0.01)], ink, 0.03)
        else:
            pen.ellipse(x, -0.01, 0.012 if small else 0.036, 0.03 if small else 0.058, ink)
    if pen.pixels < 20.0:
        return
    soft = mix(look.skin, pen.tone((150, 60, 50)), 0.55)
    if not look.beard:
        pen.line([(0.11, -0.25), (0.20, -0.29), (0.285, -0.25)], soft, 0.035)
    if look.cheeks:
        blush = mix(look.skin, pen.tone((226, 110, 100)), 0.34)
        pen.ellipse(0.01, -0.15, 0.075, 0.05, blush)
    if pen.pixels < 34.0:
        return
    brow = mix(look.hair, look.skin, 0.2)
    pen.line([(0.04, 0.10), (0.10, 0.125), (0.155, 0.11)], brow, 0.035)
    pen.line([(0.25, 0.11), (0.30, 0.125), (0.345, 0.10)], brow, 0.035)


def _beard(pen: Figure, hair: Color) -> None:
    pen.blob(
        [
            (0.40, -0.16),
            (0.36, -0.42),
            (0.20, -0.66),
            (0.02, -0.60),
            (-0.18, -0.36),
            (-0.16, -0.08),
            (0.04, -0.18),
            (0.22, -0.22),
        ],
        hair,
    )


_CAP = [
    (0.34, 0.20),
    (0.33, 0.40),
    (0.10, 0.56),
    (-0.22, 0.53),
    (-0.43, 0.28),
    (-0.45, -0.04),
    (-0.36, -0.28),
    (-0.22, -0.24),
    (-0.17, 0.06),
    (0.00, 0.22),
    (0.20, 0.30),
]
"""Hair close to the skull, parted away from the face."""


def _front_hair(pen: Figure, look: Look) -> None:
    style, hair = look.hair_style, look.hair
    if style == "bald":
        pen.blob(
            [
                (-0.16, 0.12),
                (-0.30, 0.26),
                (-0.43, 0.10),
                (-0.42, -0.16),
                (-0.28, -0.32),
                (-0.19, -0.16),
            ],
            hair,
        )
        return
    if style == "curly":
        for x, y, r in (
            (0.22, 0.40, 0.18),
            (-0.02, 0.50, 0.22),
            (-0.28, 0.40, 0.23),
            (-0.44, 0.14, 0.22),
            (-0.46, -0.14, 0.20),
            (-0.36, -0.34, 0.15),
            (-0.20, 0.22, 0.22),
        ):
            pen.ellipse(x, y, r, r, hair)
        return
    pen.blob(_CAP, hair, samples=4)
    if style in ("long", "bob"):
        sway = 0.04 * _sway(pen)
        drop = -0.62 if style == "long" else -0.42
        pen.blob(
            [
                (-0.10, 0.30),
                (-0.44, 0.20),
                (-0.50, -0.20),
                (-0.46 - sway, drop),
                (-0.24 - sway, drop + 0.02),
                (-0.14, -0.1),
            ],
            hair,
        )
    elif style == "bun":
        pen.ellipse(-0.36, 0.48, 0.19, 0.18, hair)
        pen.ellipse(-0.34, 0.47, 0.10, 0.09, mix(hair, pen.pose.shade, 0.2))
    elif style in ("ponytail", "pigtails") and pen.pixels >= 12.0:
        pen.ellipse(-0.38, 0.22 if style == "ponytail" else -0.05, 0.06, 0.08, look.accent)
    elif style == "short":
        pen.blob(
            [
                (0.36, 0.22),
                (0.37, 0.42),
                (0.14, 0.60),
                (-0.10, 0.52),
                (0.05, 0.36),
                (0.22, 0.30),
            ],
            hair,
        )


def _hat(pen: Figure, look: Look) -> None:
    color = look.accent
    if look.hat == "cap":
        pen.blob(
            [
                (0.40, 0.20),
                (0.34, 0.46),
                (0.02, 0.62),
                (-0.34, 0.50),
                (-0.46, 0.18),
                (-0.1, 0.22),
            ],
            color,
        )
        pen.blob(
            [(0.30, 0.30), (0.62, 0.20), (0.70, 0.13), (0.40, 0.15), (0.2, 0.2)],
            pen.dark(color, 0.3),
        )
    else:
        pen.blob(
            [
                (0.41, 0.16),
                (0.37, 0.46),
                (0.04, 0.66),
                (-0.34, 0.52),
                (-0.47, 0.10),
                (0.0, 0.18),
            ],
            color,
        )
        pen.tube(
            [(-0.46, 0.12), (0.0, 0.16), (0.42, 0.16)],
            [0.09, 0.10, 0.09],
            pen.dark(color, 0.22),
        )
        pen.ellipse(-0.02, 0.70, 0.11, 0.11, pen.dark(color, -0.2))


def _helmet(pen: Figure, look: Look, shut: bool) -> None:
    """A space helmet; the visor mirrors the light."""
    suit, visor = look.top, pen.tone((48, 58, 92))
    pen.ellipse(0.0, 0.0, 0.52, 0.50, suit)
    pen.blob([(-0.46, 0.16), (-0.50, -0.12), (-0.30, -0.42), (-0.02, -0.49), (-0.22, -0.20),
              (-0.24, 0.10)], pen.dark(suit, 0.28))  # fmt: skip
    pen.ellipse(0.12, 0.02, 0.38, 0.33, mix(look.accent, pen.tone((250, 200, 110)), 0.5))
    pen.ellipse(0.13, 0.02, 0.33, 0.285, visor)
    drift = 0.03 * cycle(pen.pose.t, 0.2)
    if pen.pixels >= 12.0:
        gold = mix(visor, pen.tone((255, 206, 120)), 0.75)
        pen.blob([(-0.14 + drift, 0.10), (0.02 + drift, 0.23), (0.22 + drift, 0.24),
                  (0.04 + drift, 0.14), (-0.08 + drift, 0.0)], gold)  # fmt: skip
        pen.ellipse(0.32 + drift, -0.10, 0.045, 0.06, mix(visor, gold, 0.6))
    pen.ellipse(-0.34, -0.04, 0.09, 0.13, mix(look.accent, suit, 0.2))


def _robot(pen: Figure, look: Look, shut: bool) -> None:
    """A box with lit eyes, a mouth grille and an aerial."""
    metal, light = look.top, look.accent
    sway = 0.06 * cycle(pen.pose.t, 1.3)
    steel = pen.dark(metal, 0.4)
    pen.line([(0.0, 0.40), (0.02 + sway * 0.4, 0.58), (sway, 0.74)], steel, 0.035)
    pen.ellipse(sway, 0.77, 0.075, 0.075, light)
    for x in (-0.50, 0.50):
        pen.ellipse(x, 0.0, 0.09, 0.15, steel)
    pen.blob([(-0.46, 0.36), (0.0, 0.42), (0.46, 0.36), (0.48, 0.0), (0.44, -0.36), (0.0, -0.42),
              (-0.44, -0.36), (-0.48, 0.0)], metal)  # fmt: skip
    if pen.pixels < 8.0:
        return
    screen = pen.tone((36, 44, 62))
    pen.blob([(-0.28, 0.26), (0.08, 0.29), (0.40, 0.25), (0.42, 0.06), (0.38, -0.10), (0.06, -0.13),
              (-0.28, -0.10), (-0.32, 0.08)], screen)  # fmt: skip
    if shut or blinks(pen.pose.t, pen.pose.seed):
        for x in (-0.08, 0.22):
            pen.line([(x - 0.07, 0.08), (x + 0.07, 0.08)], light, 0.04)
    else:
        for x in (-0.08, 0.22):
            pen.ellipse(x, 0.08, 0.075, 0.09, light)
    if pen.pixels >= 16.0:
        pen.line([(-0.10, -0.25), (0.07, -0.28), (0.24, -0.25)], steel, 0.04)


def _monkey(pen: Figure, look: Look, shut: bool) -> None:
    """Round ears and a heart-shaped face."""
    fur, skin = look.top, look.skin
    for x, color in ((0.42, pen.dark(fur, 0.25)), (-0.42, fur)):
        pen.ellipse(x, 0.02, 0.17, 0.18, color)
        pen.ellipse(x, 0.02, 0.10, 0.11, skin)
    pen.ellipse(0.0, 0.06, 0.42, 0.42, fur)
    pen.ellipse(-0.06, 0.10, 0.19, 0.21, skin)
    pen.ellipse(0.24, 0.10, 0.16, 0.21, skin)
    pen.ellipse(0.10, -0.18, 0.32, 0.24, skin)
    if pen.pixels < 9.0:
        return
    ink = pen.tone((44, 30, 30))
    for x in (-0.02, 0.23):
        if shut or blinks(pen.pose.t, pen.pose.seed):
            pen.line([(x - 0.05, 0.10), (x + 0.05, 0.10)], ink, 0.03)
        else:
            pen.ellipse(x, 0.10, 0.045, 0.065, ink)
    pen.ellipse(0.10, -0.06, 0.022, 0.018, ink)
    pen.ellipse(0.16, -0.06, 0.022, 0.018, ink)
    pen.line([(-0.04, -0.20), (0.12, -0.30), (0.28, -0.20)], ink, 0.03)


_SPECIAL = MappingProxyType({"helmet": _helmet, "robot": _robot, "monkey": _monkey})
