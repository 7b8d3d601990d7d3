"""What grows: a tree and a cluster of flowers, swaying in the wind."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.subjects.base import SubjectKind
from kinogate.engines.preview.subjects.figure import Figure, chance, cycle
from kinogate.engines.preview.subjects.shapes import Point


def _crown(x: float, y: float, rx: float, ry: float, turn: float) -> list[Point]:
    bumps = 7
    points = []
    for index in range(bumps * 2):
        angle = turn + math.tau * index / (bumps * 2)
        reach = 1.0 if index % 2 else 0.86
        points.append((x + rx * reach * math.cos(angle), y + ry * reach * math.sin(angle)))
    return points


def _tree(fig: Figure) -> None:
    """A broad-leaved tree: trunk, boughs, three depths of leaves."""
    pose = fig.pose
    t, seed = pose.t, pose.seed
    wind = 0.012 * cycle(t, 0.31, chance(seed, 270)) + 0.006 * cycle(t, 0.83, chance(seed, 271))
    bark = mix(fig.tone((112, 80, 58)), pose.shade, 0.12)
    dark, light = fig.dark(pose.body, 0.42), mix(pose.body, pose.accent, 0.45)
    fig.fill([(-0.075, 0.0), (-0.040, 0.06), (-0.036, 0.40), (0.036, 0.40), (0.042, 0.06),
              (0.085, 0.0)], bark)  # fmt: skip
    fig.fill([(-0.075, 0.0), (-0.040, 0.06), (-0.036, 0.40), (-0.010, 0.40), (-0.012, 0.05)],
             fig.dark(bark, 0.45), rimmed=False)  # fmt: skip
    fig.tube([(0.0, 0.32), (-0.11, 0.44), (-0.19, 0.54)], [0.030, 0.022, 0.012], bark)
    fig.tube([(0.0, 0.30), (0.12, 0.42), (0.20, 0.54)], [0.028, 0.022, 0.012], bark)
    clumps = (
        (-0.20, 0.53, 0.20, 0.155, 0), (0.21, 0.54, 0.20, 0.155, 0), (0.0, 0.58, 0.26, 0.19, 0),
        (-0.13, 0.68, 0.205, 0.165, 1), (0.155, 0.675, 0.20, 0.16, 1), (0.02, 0.80, 0.20, 0.185, 1),
        (-0.09, 0.775, 0.125, 0.105, 2), (0.11, 0.83, 0.10, 0.09, 2), (0.15, 0.69, 0.09, 0.07, 2),
    )  # fmt: skip
    for index, (x, y, rx, ry, depth) in enumerate(clumps):
        color: Color = (dark, pose.body, light)[depth]
        sway = wind * (0.4 + y) * (1.0 + 0.5 * depth) + 0.004 * cycle(t, 0.7, index * 0.23)
        jitter = 0.03 * (chance(seed, 280 + index) - 0.5)
        fig.blob(_crown(x + sway + jitter, y + jitter * 0.5, rx, ry, index * 0.7 + wind * 3),
                 color, samples=3)  # fmt: skip


def _flower(fig: Figure) -> None:
    """A cluster of flowers, tall in the middle."""
    pose = fig.pose
    t, seed = pose.t, pose.seed
    leaf = fig.tone((88, 148, 84))
    stems = ((-0.40, 0.56), (0.38, 0.60), (-0.20, 0.76), (0.19, 0.70), (0.0, 0.90))
    for index, (x, y) in enumerate(stems):
        phase = chance(seed, 290 + index)
        sway = 0.035 * cycle(t, 0.42, phase) + 0.012 * cycle(t, 1.1, phase)
        head = (x + sway, y - 0.02 + 0.008 * cycle(t, 0.6, phase))
        green = mix(leaf, pose.shade, 0.12 + 0.10 * (index < 2))
        root = (x * 0.35, 0.0)
        middle = ((root[0] + x) / 2 + sway * 0.3, y * 0.5)
        fig.tube([root, middle, head], [0.016, 0.014, 0.012], green)
        side = 1.0 if index % 2 else -1.0
        fig.blob([middle, (middle[0] + side * 0.10, middle[1] + 0.10),
                  (middle[0] + side * 0.21, middle[1] + 0.09 + sway * 0.5),
                  (middle[0] + side * 0.12, middle[1] + 0.01)], green)  # fmt: skip
        _blossom(
            fig.part(*head, scale=0.115 + 0.02 * phase, angle=sway * 3 + phase),
            pose.body if index != 3 else mix(pose.body, pose.accent, 0.4),
            6 + index % 2,
        )
    for side in (-1.0, 1.0):
        wave = 0.01 * cycle(t, 0.5, side)
        fig.blob([(0.0, 0.0), (side * 0.10, 0.16), (side * 0.28, 0.26 + wave), (side * 0.20, 0.08),
                  (side * 0.06, 0.0)], mix(leaf, pose.shade, 0.25))  # fmt: skip


def _blossom(pen: Figure, color: Color, petals: int) -> None:
    for ring, (reach, shade) in enumerate(((0.62, 0.22), (0.56, 0.0))):
        for petal in range(petals):
            angle = math.tau * (petal + 0.5 * (1 - ring)) / petals
            pen.ellipse(reach * math.cos(angle), reach * math.sin(angle), 0.46, 0.27,
                        mix(color, pen.pose.shade, shade), angle=angle)  # fmt: skip
    pen.ellipse(0.0, 0.0, 0.32, 0.32, pen.pose.accent)
    pen.ellipse(-0.03, -0.03, 0.18, 0.18, mix(pen.pose.accent, pen.pose.shade, 0.25))


KINDS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        "tree": SubjectKind(
            draw=_tree, aspect=0.85, habitat="ground", speed=0.0,
            default_colors=((92, 156, 86), (190, 212, 110)), natural_height=3.4,
            default_action="stand",
        ),
        "flower": SubjectKind(
            draw=_flower, aspect=1.05, habitat="ground", speed=0.0,
            default_colors=((236, 108, 132), (252, 208, 92)), natural_height=0.5,
            default_action="stand",
        ),
    }
)  # fmt: skip
