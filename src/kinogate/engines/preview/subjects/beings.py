"""Figures that are not quite people: astronaut, robot, monkey, dragon."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from kinogate.engines.preview.canvas import mix
from kinogate.engines.preview.subjects.base import SubjectKind
from kinogate.engines.preview.subjects.body import draw_body
from kinogate.engines.preview.subjects.figure import Figure, blinks, chance, cycle
from kinogate.engines.preview.subjects.people import look_for
from kinogate.engines.preview.subjects.rig import Build
from kinogate.engines.preview.subjects.shapes import Point, tube
from kinogate.engines.preview.subjects.stances import stance_for

_SUIT = Build(
    head=0.27, neck=-0.018, torso=0.262, shoulders=0.098, hips=0.056, thigh=0.182, shin=0.172,
    ankle=0.052, upper_arm=0.135, forearm=0.115, girth=1.42,
)  # fmt: skip


def _astronaut(fig: Figure) -> None:
    """A spacesuit with a gold visor; floats unless told to walk."""
    pose = fig.pose
    t, seed = pose.t, pose.seed
    stance = stance_for(pose.action, "float", t if pose.action != "walk" else t * 0.7, seed)
    if pose.action == "walk":
        stance = replace(stance, lift=0.06 * abs(cycle(t, 0.66)))
    suit = pose.body
    look = look_for(
        fig,
        seed,
        skin=mix(suit, fig.tone((110, 116, 130)), 0.45),
        top=suit,
        bottom=suit,
        shoes=mix(suit, fig.tone((110, 116, 130)), 0.6),
        hat="helmet",
        accent=pose.accent,
        backpack=True,
    )
    draw_body(fig, _SUIT, look, stance)


_METAL = Build(
    head=0.22, neck=0.03, torso=0.27, shoulders=0.120, hips=0.070, thigh=0.190, shin=0.180,
    ankle=0.055, upper_arm=0.140, forearm=0.130, girth=1.0,
)  # fmt: skip


def _robot(fig: Figure) -> None:
    """A friendly robot: boxes, ball joints, lit eyes, an aerial."""
    pose = fig.pose
    stance = stance_for(pose.action, "stand", pose.t, pose.seed)
    look = look_for(
        fig,
        pose.seed,
        outfit="metal",
        hat="robot",
        skin=fig.dark(pose.body, 0.25),
        bottom=fig.dark(pose.body, 0.30),
        shoes=fig.dark(pose.body, 0.55),
    )
    draw_body(fig, _METAL, look, replace(stance, open=max(0.45, stance.open)))


_APE = Build(
    head=0.30, neck=0.0, torso=0.300, shoulders=0.072, hips=0.055, thigh=0.172, shin=0.160,
    ankle=0.036, upper_arm=0.190, forearm=0.175, girth=1.02, stoop=0.16,
)  # fmt: skip


def _monkey(fig: Figure) -> None:
    """A monkey with long arms and a curling tail."""
    pose = fig.pose
    t = pose.t
    action = "walk" if pose.action == "run" else pose.action
    stance = stance_for(action, "stand", t * 1.15, pose.seed)
    sway = cycle(t, 0.7, chance(pose.seed, 250))
    tail: list[Point] = [
        (-0.04, 0.33), (-0.22, 0.24), (-0.36, 0.36), (-0.38 + 0.02 * sway, 0.56),
        (-0.30 + 0.03 * sway, 0.66), (-0.22 + 0.03 * sway, 0.60), (-0.25, 0.53 + 0.02 * sway),
    ]  # fmt: skip
    if abs(stance.turn) < 0.5:
        drop = -0.12 if stance.prop else 0.0
        fig.tube(
            [(x, y + drop) for x, y in tail],
            [0.026, 0.024, 0.023, 0.022, 0.02, 0.019, 0.016],
            fig.dark(pose.body, 0.2),
        )
    look = look_for(fig, pose.seed, outfit="fur", hat="monkey", top=pose.body, bottom=pose.body,
                    shoes=pose.accent, skin=pose.accent)  # fmt: skip
    draw_body(fig, _APE, look, stance)


def _dragon(fig: Figure) -> None:
    """A long dragon of the clouds, travelling in waves."""
    pose = fig.pose
    t = pose.t
    phase = chance(pose.seed, 260)
    pen = fig.part(0.0, 0.46)

    def spine(share: float) -> Point:
        swell = 0.10 + 0.20 * min(1.0, share * 1.6)
        y = swell * math.sin(math.tau * (share * 1.45 - t * 0.45 + phase))
        return 0.92 - 2.15 * share, y + 0.16 * (1.0 - share) ** 3

    count = 15
    keys = [spine(i / (count - 1)) for i in range(count)]
    radii = [0.085 + 0.045 * math.sin(math.pi * min(1.0, s * 1.25)) for s in
             (i / (count - 1) for i in range(count))]  # fmt: skip
    radii = [r * (1.0 - (i / (count - 1)) ** 3 * 0.86) for i, r in enumerate(radii)]
    trunk = tube(keys, radii, 4)
    dark = fig.dark(pose.body, 0.35)
    for share, side in ((0.24, 0.5), (0.60, 0.2)):
        _claw(pen.part(*trunk.at(share + 0.03, 0.6)), t, side, far=True)
    for index in range(22):
        share = 0.05 + index * 0.043
        high = 1.75 - 0.2 * share
        pen.fill([trunk.at(share - 0.016, -0.85), trunk.at(share + 0.022, -high),
                  trunk.at(share + 0.026, -0.85)], pose.accent)  # fmt: skip
    pen.fill(trunk.outline(), pose.body)
    pen.fill(trunk.band(0.30, 1.0, 0.02, 0.96), mix(pose.accent, pose.body, 0.2), rimmed=False)
    if fig.pixels >= 40.0:
        for index in range(26):
            share = 0.06 + index * 0.034
            pen.line([trunk.at(share, 0.32), trunk.at(share + 0.012, 0.95)], dark, 0.008,
                     smooth=False)  # fmt: skip
            pen.line([trunk.at(share, -0.6), trunk.at(share + 0.014, -0.25),
                      trunk.at(share, 0.05)], dark, 0.007)  # fmt: skip
    x, y = trunk.at(1.0)
    for turn in (-0.5, 0.0, 0.5):
        wave = 0.05 * cycle(t, 1.1, turn)
        pen.blob([(x + 0.06, y + 0.015), (x - 0.10, y + 0.12 * turn + 0.04 + wave),
                  (x - 0.24, y + 0.30 * turn + wave), (x - 0.10, y + 0.10 * turn - 0.03 + wave)],
                 pose.accent)  # fmt: skip
    for share, side in ((0.24, 0.0), (0.60, 0.7)):
        _claw(pen.part(*trunk.at(share, 0.5)), t, side, far=False)
    _dragon_head(pen.part(keys[0][0] + 0.04, keys[0][1] + 0.02, scale=0.46,
                          angle=0.12 * cycle(t, 0.45, phase + 0.2)))  # fmt: skip


def _claw(pen: Figure, t: float, phase: float, *, far: bool) -> None:
    color = pen.dark(pen.pose.body, 0.45 if far else 0.12)
    swing = 0.06 * cycle(t, 0.9, phase)
    foot = (0.10 + swing, -0.22)
    pen.tube([(0.0, 0.0), (-0.07 + swing * 0.4, -0.11), foot], [0.055, 0.042, 0.026], color)
    nail = pen.tone((248, 236, 206))
    for turn in (-0.2, 0.25, 0.7):
        pen.tube(
            [foot, (foot[0] + 0.055 * math.cos(turn), foot[1] - 0.045 * math.sin(turn) - 0.01)],
            [0.016, 0.004],
            nail,
        )


def _dragon_head(pen: Figure) -> None:
    pose = pen.pose
    t = pose.t
    dark, horn = pen.dark(pose.body, 0.3), pen.tone((246, 226, 178))
    for index in range(7):
        angle = 1.6 + index * 0.42
        wave = 0.06 * cycle(t, 1.2, index * 0.17)
        reach = 0.62 + 0.08 * (index % 2)
        pen.blob([(-0.10 + 0.20 * math.cos(angle - 0.3), 0.20 * math.sin(angle - 0.3)),
                  (-0.12 + reach * math.cos(angle + wave), reach * math.sin(angle + wave)),
                  (-0.10 + 0.22 * math.cos(angle + 0.35), 0.22 * math.sin(angle + 0.35))],
                 pose.accent)  # fmt: skip
    for x in (0.06, -0.08):
        pen.tube([(x, 0.22), (x - 0.12, 0.50), (x - 0.34, 0.66), (x - 0.44, 0.84)],
                 [0.055, 0.05, 0.04, 0.012], horn if x < 0 else pen.dark(horn, 0.3))  # fmt: skip
    jaw = 0.05 + 0.05 * cycle(t, 0.5)
    pen.blob([(-0.10, -0.20), (0.30, -0.24 - jaw), (0.62, -0.24 - jaw), (0.60, -0.32 - jaw),
              (0.25, -0.38 - jaw), (-0.12, -0.36)], dark)  # fmt: skip
    pen.blob(
        [
            (-0.36, 0.0),
            (-0.20, 0.28),
            (0.08, 0.32),
            (0.24, 0.16),
            (0.50, 0.10),
            (0.66, 0.16),
            (0.78, 0.04),
            (0.74, -0.14),
            (0.50, -0.20),
            (0.16, -0.18),
            (-0.20, -0.30),
        ],
        pose.body,
    )
    pen.ellipse(0.68, 0.06, 0.04, 0.03, dark)
    for side in (0.0, 1.0):
        wave = 0.08 * cycle(t, 0.9, side * 0.3)
        pen.tube([(0.66, 0.02), (0.88, 0.16 - 0.3 * side + wave), (0.72, 0.42 - 0.9 * side + wave),
                  (0.40, 0.52 - 1.05 * side + 2 * wave)], [0.022, 0.02, 0.016, 0.006],
                 pose.accent)  # fmt: skip
    if pen.pixels < 10.0:
        return
    ink = pen.tone((30, 24, 30))
    if blinks(t, pose.seed):
        pen.line([(0.04, 0.14), (0.18, 0.13)], ink, 0.03)
    else:
        pen.ellipse(0.11, 0.13, 0.085, 0.075, pen.tone((255, 250, 236)))
        pen.ellipse(0.13, 0.125, 0.042, 0.055, ink)
    pen.line([(0.0, 0.22), (0.12, 0.245), (0.22, 0.20)], dark, 0.04)
    if pen.pixels >= 24.0:
        for x in (0.36, 0.50, 0.62):
            pen.fill([(x, -0.17), (x + 0.06, -0.17), (x + 0.03, -0.26)], horn, rimmed=False)


KINDS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        "astronaut": SubjectKind(
            draw=_astronaut, aspect=0.72, habitat="space", speed=0.3,
            default_colors=((238, 240, 244), (236, 142, 64)), natural_height=1.05,
            default_action="float",
        ),
        "robot": SubjectKind(
            draw=_robot, aspect=0.48, habitat="ground", speed=0.6,
            default_colors=((126, 168, 186), (246, 190, 84)), natural_height=0.95,
            default_action="walk",
        ),
        "monkey": SubjectKind(
            draw=_monkey, aspect=0.75, habitat="ground", speed=0.55,
            default_colors=((138, 92, 58), (238, 200, 160)), natural_height=0.55,
            default_action="walk",
        ),
        "dragon": SubjectKind(
            draw=_dragon, aspect=2.7, habitat="air", speed=0.55,
            default_colors=((44, 148, 116), (246, 186, 74)), natural_height=2.2,
            default_action="fly",
        ),
    }
)  # fmt: skip
