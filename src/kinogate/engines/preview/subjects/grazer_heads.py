"""The heads of animals that graze: horse, deer, cow, sheep, elephant, camel.

In units of the skull, its centre at the origin and the muzzle towards +x.
"""

from __future__ import annotations

from kinogate.engines.preview.canvas import mix
from kinogate.engines.preview.subjects.beast_heads import eye
from kinogate.engines.preview.subjects.figure import Figure, chance, cycle
from kinogate.engines.preview.subjects.gaits import Posture
from kinogate.engines.preview.subjects.quadruped import Coat


def horse_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """A long head held down from the poll, ears pricked; the mane flows behind."""
    ear = 0.06 * posture.ears
    pen.fill([(-0.10, 0.22), (-0.02 + ear, 0.56), (0.12, 0.24)], pen.dark(coat.fur, 0.2))
    pen.blob(
        [
            (-0.28, 0.10), (-0.14, 0.30), (0.10, 0.30), (0.34, 0.08), (0.62, -0.30),
            (0.80, -0.56), (0.78, -0.72), (0.60, -0.76), (0.40, -0.58), (0.18, -0.36),
            (-0.12, -0.28),
        ],
        coat.fur,
        samples=4,
    )  # fmt: skip
    pen.fill([(-0.20, 0.22), (-0.18 + ear, 0.58), (0.02, 0.28)], coat.fur)
    if pen.pixels >= 10.0:
        pen.blob(
            [(0.62, -0.36), (0.79, -0.57), (0.77, -0.72), (0.60, -0.75), (0.50, -0.56)],
            mix(coat.fur, coat.nose, 0.45),
        )
    if pen.pixels >= 10.0:
        eye(pen, coat, posture, (0.16, 0.06), 0.06)
        pen.ellipse(0.71, -0.57, 0.035, 0.025, coat.ink)
    _mane(pen, coat)


def _mane(pen: Figure, coat: Coat) -> None:
    t, seed = pen.pose.t, pen.pose.seed
    wave = 0.07 * cycle(t, 1.3, chance(seed, 62))
    other = 0.07 * cycle(t, 1.3, chance(seed, 62) + 0.3)
    pen.blob(
        [
            (0.24, 0.20), (0.06, 0.40), (-0.24, 0.34), (-0.52, 0.04), (-0.86 - wave, -0.46),
            (-1.20 - other, -1.05), (-1.22 - other, -1.36), (-0.92 - wave, -1.16),
            (-0.62 - other, -0.84), (-0.42 - wave, -0.36), (-0.20, -0.02), (0.02, 0.18),
        ],
        coat.mark,
        samples=4,
    )  # fmt: skip


def deer_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """A slender head with branching antlers."""
    bone = pen.tone((150, 116, 84))
    for x, color, lean in ((0.04, pen.dark(bone, 0.3), 0.25), (-0.08, bone, 0.0)):
        main = [(x, 0.26), (x - 0.24 + lean, 0.66), (x - 0.22 + lean, 1.08), (x + 0.0 + lean, 1.42)]
        beam = pen.tube(main, [0.06, 0.055, 0.045, 0.02], color)
        for share, reach in ((0.30, 0.34), (0.55, 0.32), (0.78, 0.22)):
            start = beam.at(share)
            pen.tube(
                [
                    start,
                    (start[0] + reach * 0.7, start[1] + 0.10),
                    (start[0] + reach * 0.85, start[1] + 0.32),
                ],
                [0.045, 0.04, 0.015],
                color,
            )
    flick = 0.1 * posture.ears
    pen.blob(
        [(-0.12, 0.16), (-0.34, 0.34 + flick), (-0.60, 0.40 + flick), (-0.44, 0.16)],
        pen.dark(coat.fur, 0.2),
    )
    pen.blob(
        [
            (-0.30, 0.0), (-0.14, 0.28), (0.12, 0.26), (0.40, 0.04), (0.72, -0.22),
            (0.76, -0.36), (0.62, -0.44), (0.24, -0.34), (-0.16, -0.28),
        ],
        coat.fur,
        samples=4,
    )  # fmt: skip
    if pen.pixels >= 8.0:
        pen.ellipse(0.71, -0.29, 0.085, 0.07, coat.ink)
        eye(pen, coat, posture, (0.14, 0.06), 0.065)


def cow_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """Horns, drooping ears and a broad pink muzzle."""
    horn = pen.tone((232, 220, 190))
    pen.tube([(0.10, 0.28), (0.26, 0.44), (0.22, 0.64)], [0.07, 0.055, 0.02], pen.dark(horn, 0.3))
    pen.tube([(-0.14, 0.28), (-0.28, 0.46), (-0.20, 0.66)], [0.07, 0.055, 0.02], horn)
    droop = 0.08 * posture.wag
    pen.blob(
        [(-0.20, 0.20), (-0.44, 0.22 + droop), (-0.62, 0.06 + droop), (-0.40, 0.02)], coat.mark
    )
    pen.blob(
        [
            (-0.30, 0.10), (-0.18, 0.34), (0.12, 0.34), (0.32, 0.14), (0.54, -0.18),
            (0.58, -0.40), (0.36, -0.54), (0.08, -0.44), (-0.18, -0.22),
        ],
        coat.fur,
        samples=4,
    )  # fmt: skip
    if pen.pixels >= 8.0:
        pen.ellipse(0.41, -0.36, 0.22, 0.17, pen.tone((236, 176, 166)), angle=-0.5)
        pen.ellipse(0.48, -0.32, 0.035, 0.045, coat.nose)
        pen.ellipse(0.34, -0.40, 0.035, 0.045, coat.nose)
        eye(pen, coat, posture, (0.12, 0.10), 0.06)


def sheep_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """A dark face with a woolly cap."""
    face = coat.mark
    droop = 0.06 * posture.wag
    pen.blob(
        [(-0.16, 0.10), (-0.46, 0.06 + droop), (-0.54, -0.12 + droop), (-0.20, -0.06)],
        pen.dark(face, 0.3),
    )
    pen.blob(
        [
            (-0.24, 0.14),
            (0.0, 0.34),
            (0.26, 0.22),
            (0.48, -0.14),
            (0.44, -0.38),
            (0.22, -0.46),
            (-0.04, -0.30),
        ],
        face,
    )
    for x, y, r in ((-0.16, 0.30, 0.19), (0.06, 0.38, 0.18), (-0.28, 0.12, 0.16)):
        pen.ellipse(x, y, r, r, coat.fur)
    if pen.pixels >= 10.0:
        white = mix(face, pen.tone((255, 255, 255)), 0.85)
        pen.ellipse(0.17, 0.05, 0.07, 0.08, white)
        eye(pen, coat, posture, (0.19, 0.04), 0.045)


def elephant_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """A great ear that fans and a trunk that swings."""
    t, seed = pen.pose.t, pen.pose.seed
    swing = 0.10 * cycle(t, 0.45, chance(seed, 63))
    fan = 0.05 * cycle(t, 0.7, chance(seed, 64))
    tusk = pen.tone((244, 236, 214))
    up = pen.pose.action in ("dance", "jump", "wave")
    if posture.rest:
        path = [
            (0.22, 0.02),
            (0.48, -0.20),
            (0.66, -0.42),
            (0.90, -0.50),
            (1.14, -0.44 + 0.2 * swing),
        ]
    elif up:
        path = [
            (0.22, 0.0),
            (0.52, -0.10),
            (0.78, 0.12 + swing),
            (0.80, 0.50),
            (0.98, 0.72 + swing),
        ]
    else:
        path = [
            (0.22, 0.02),
            (0.46, -0.20),
            (0.54 + 0.3 * swing, -0.62),
            (0.52 + swing, -0.98),
            (0.72 + 1.4 * swing, -1.16),
        ]
    made = pen.tube(path, [0.25, 0.19, 0.135, 0.10, 0.075], coat.fur, shade=coat.dark, edge=-0.4)
    if pen.pixels >= 30.0:
        for share in (0.45, 0.55, 0.65, 0.75):
            pen.line([made.at(share, -0.9), made.at(share, 0.2)], coat.dark, 0.015, smooth=False)
    pen.ellipse(0.04, 0.05, 0.42, 0.40, coat.fur)
    pen.tube([(0.26, -0.22), (0.46, -0.36), (0.66, -0.30)], [0.055, 0.045, 0.015], tusk)
    ear = [
        (-0.02, 0.34), (-0.34, 0.42), (-0.64 - fan, 0.20), (-0.62 - fan, -0.16),
        (-0.40 - fan, -0.46), (-0.18, -0.30), (0.00, -0.06),
    ]  # fmt: skip
    pen.blob(ear, pen.dark(coat.fur, 0.22))
    pen.blob([(x * 0.74 - 0.07, y * 0.74) for x, y in ear], mix(coat.fur, coat.belly, 0.5))
    if pen.pixels >= 10.0:
        eye(pen, coat, posture, (0.20, 0.12), 0.045)


def camel_head(pen: Figure, coat: Coat, posture: Posture) -> None:
    """A long lip, heavy lids and small ears."""
    pen.ellipse(-0.20, 0.26, 0.08, 0.14, pen.dark(coat.fur, 0.2), angle=0.4)
    pen.blob(
        [
            (-0.32, 0.04),
            (-0.16, 0.28),
            (0.10, 0.28),
            (0.44, 0.12),
            (0.74, 0.0),
            (0.82, -0.16),
            (0.66, -0.30),
            (0.30, -0.28),
            (-0.14, -0.26),
        ],
        coat.fur,
    )
    if pen.pixels >= 10.0:
        pen.blob(
            [(0.60, -0.02), (0.80, -0.08), (0.80, -0.20), (0.64, -0.29), (0.52, -0.20)],
            mix(coat.fur, coat.nose, 0.25),
        )
        eye(pen, coat, posture, (0.14, 0.10), 0.06)
