"""What floats or flies without wings of its own: balloon, airplane, rocket, kite, sky lanterns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from kinogate.engines.preview.canvas import mix
from kinogate.engines.preview.subjects.base import SubjectKind
from kinogate.engines.preview.subjects.figure import Figure, chance, cycle
from kinogate.engines.preview.subjects.shapes import Point, closed_curve


def _gore(share: float) -> list[Point]:
    """A meridian of the balloon at `share` -1.0 to 1.0 across, from the crown to the mouth."""
    points = []
    for step in range(13):
        u = step / 12.0
        if u < 0.62:
            angle = math.pi * 0.5 * (u / 0.62)
            wide, y = 0.335 * math.sin(angle), 0.665 + 0.335 * math.cos(angle)
        else:
            v = (u - 0.62) / 0.38
            wide, y = 0.335 - 0.275 * (v**1.55), 0.665 - 0.435 * v
        points.append((wide * share, y))
    return points


def _balloon(fig: Figure) -> None:
    """A striped hot-air balloon with a basket, two passengers and a burner that breathes."""
    pose = fig.pose
    t = pose.t
    phase = chance(pose.seed, 210)
    pen = fig.part(0.0, 0.012 * cycle(t, 0.23, phase), angle=0.030 * cycle(t, 0.17, phase))
    rope, wicker = fig.tone((92, 72, 58)), fig.tone((160, 112, 68))
    burn = max(0.0, cycle(t, 0.33, phase)) ** 0.5
    spin = 0.10 * cycle(t, 0.06, phase)
    edges = [math.sin(math.pi / 2 * max(-1.0, min(1.0, e + spin * (1 - e * e))))
             for e in (-1.0, -0.72, -0.43, -0.145, 0.145, 0.43, 0.72, 1.0)]  # fmt: skip
    for index in range(7):
        color = pose.body if index % 2 == 0 else pose.accent
        depth = (0.40, 0.22, 0.08, 0.0, 0.0, 0.04, 0.12)[index]
        left, right = _gore(edges[index]), _gore(edges[index + 1])
        pen.fill(left + right[::-1], mix(color, pose.shade, depth))
    pen.fill([(-0.060, 0.235), (0.060, 0.235), (0.072, 0.262), (-0.072, 0.262)],
             fig.dark(pose.body, 0.35))  # fmt: skip
    if fig.pixels >= 40.0:
        band = [
            (x * 1.0, y) for x, y in (_gore(-1.0)[8], _gore(1.0)[8], _gore(1.0)[9], _gore(-1.0)[9])
        ]
        pen.fill(band, mix(pose.accent, pose.body, 0.5), alpha=0.35)
        shine = closed_curve([(-0.13, 0.92), (-0.21, 0.80), (-0.235, 0.68), (-0.20, 0.70),
                              (-0.165, 0.82)])  # fmt: skip
        pen.fill(shine, fig.tone((255, 255, 255)), alpha=0.20)
    for x in (-0.055, 0.055):
        pen.line([(x * 1.1, 0.24), (x, 0.105)], rope, 0.006, smooth=False)
    if burn > 0.05:
        pen.blob([(-0.022, 0.165), (0.022, 0.165), (0.015, 0.20), (0.0, 0.205 + 0.065 * burn),
                  (-0.015, 0.20)], fig.glow((255, 186, 74)))  # fmt: skip
        pen.ellipse(0.0, 0.182, 0.011, 0.018, fig.glow((255, 244, 190)))
    if fig.pixels >= 60.0:
        for x, coat in ((-0.026, pose.accent), (0.028, fig.tone((84, 120, 160)))):
            pen.tube([(x, 0.08), (x, 0.120)], [0.017, 0.015], coat)
            pen.ellipse(x, 0.150, 0.014, 0.016, fig.tone((222, 172, 138)))
            pen.ellipse(x, 0.159, 0.014, 0.010, fig.tone((60, 44, 42)))
    pen.fill([(-0.066, 0.105), (0.066, 0.105), (0.054, 0.0), (-0.054, 0.0)], wicker)
    pen.fill([(-0.066, 0.105), (-0.025, 0.105), (-0.022, 0.0), (-0.054, 0.0)],
             fig.dark(wicker, 0.4), rimmed=False)  # fmt: skip
    pen.fill([(-0.071, 0.112), (0.071, 0.112), (0.071, 0.092), (-0.071, 0.092)],
             fig.dark(wicker, 0.5))  # fmt: skip


def _airplane(fig: Figure) -> None:
    """An airliner from the side; banks gently, its light blinks."""
    pose = fig.pose
    t = pose.t
    phase = chance(pose.seed, 220)
    pen = fig.part(
        0.0, 0.45 + 0.03 * cycle(t, 0.3, phase), angle=0.05 + 0.025 * cycle(t, 0.21, phase)
    )
    dark, glass = fig.dark(pose.body, 0.30), fig.tone((84, 118, 150))
    pen.fill([(0.20, 0.06), (-0.22, 0.34), (-0.36, 0.34), (-0.14, 0.04)], fig.dark(pose.body, 0.5))
    pen.fill([(-0.92, 0.06), (-1.26, 0.55), (-1.06, 0.55), (-0.62, 0.10)], pose.accent)
    pen.fill([(-1.10, 0.32), (-1.21, 0.48), (-1.02, 0.48), (-0.90, 0.32)],
             fig.dark(pose.accent, 0.35), rimmed=False)  # fmt: skip
    trunk = pen.tube(
        [(-1.24, 0.06), (-0.80, 0.02), (-0.2, 0.0), (0.5, 0.0), (1.0, -0.01), (1.24, -0.045)],
        [0.03, 0.125, 0.165, 0.165, 0.135, 0.055], pose.body,
    )  # fmt: skip
    pen.fill(trunk.band(-1.0, -0.35), dark, rimmed=False)
    pen.fill(trunk.band(-0.34, -0.12, 0.0, 1.0), pose.accent, rimmed=False)
    if fig.pixels >= 16.0:
        pen.fill([(1.00, 0.075), (1.15, 0.045), (1.19, 0.015), (1.00, 0.025)], glass, rimmed=False)
        for window in range(14):
            pen.ellipse(-0.72 + window * 0.118, 0.045, 0.020, 0.026, glass)
    pen.fill([(-1.02, 0.05), (-1.36, -0.04), (-1.24, -0.05), (-0.78, 0.03)], dark)
    engine = mix(pose.accent, pose.shade, 0.1)
    pen.tube([(-0.14, -0.20), (0.10, -0.205)], [0.050, 0.066], engine)
    pen.fill([(0.34, -0.05), (0.06, -0.09), (-0.56, -0.42), (-0.72, -0.43), (-0.30, -0.05)],
             mix(pose.body, pose.shade, 0.14))  # fmt: skip
    pen.fill([(-0.56, -0.42), (-0.72, -0.43), (-0.30, -0.05), (-0.16, -0.05)], dark, rimmed=False)
    if (t * 1.1 + phase) % 1.0 < 0.25:
        pen.ellipse(-0.66, -0.42, 0.03, 0.03, fig.glow((255, 90, 80)))
    pen.line([(-1.3, 0.06), (-1.36 - 0.06 * (1 + cycle(t, 3.0)), 0.058)], dark, 0.008)


def _rocket(fig: Figure) -> None:
    """A rocket on a flickering flame."""
    pose = fig.pose
    t = pose.t
    idle = pose.action in ("stand", "sit", "sleep")
    flick = 0.03 * cycle(t, 7.3) + 0.02 * cycle(t, 4.1)
    shake = 0.004 * cycle(t, 9.0)
    pen = fig.part(shake, 0.0)
    glow, core = fig.glow((255, 150, 52)), fig.glow((255, 232, 150))
    base = 0.30
    reach = 0.10 if idle else 0.29
    for puff in range(6):
        life = (t * 1.3 + puff / 6.0) % 1.0
        side = 1.0 if puff % 2 else -1.0
        pen.ellipse(side * (0.03 + 0.09 * life), base - 0.06 - 0.24 * life, 0.03 + 0.05 * life,
                    0.03 + 0.05 * life, fig.tone((236, 236, 240)),
                    alpha=0.45 * (1.0 - life))  # fmt: skip
    pen.blob([(-0.065, base), (0.065, base), (0.060, base - reach * 0.4),
              (0.012, base - reach - flick), (-0.012, base - reach - flick),
              (-0.060, base - reach * 0.4)], glow)  # fmt: skip
    pen.blob([(-0.032, base), (0.032, base), (0.028, base - reach * 0.3),
              (0.0, base - reach * 0.62 + flick), (-0.028, base - reach * 0.3)], core)  # fmt: skip
    fin = pose.accent
    pen.blob([(-0.09, 0.50), (-0.19, 0.36), (-0.205, 0.24), (-0.14, 0.28), (-0.07, 0.32)],
             fig.dark(fin, 0.3))  # fmt: skip
    pen.blob([(0.09, 0.50), (0.19, 0.36), (0.205, 0.24), (0.14, 0.28), (0.07, 0.32)], fin)
    hull = [(0.0, 1.0), (0.085, 0.86), (0.118, 0.68), (0.105, 0.46), (0.07, 0.31), (-0.07, 0.31),
            (-0.105, 0.46), (-0.118, 0.68), (-0.085, 0.86)]  # fmt: skip
    pen.blob(hull, pose.body)
    pen.blob(
        [
            (-0.035, 0.92),
            (-0.085, 0.84),
            (-0.112, 0.68),
            (-0.10, 0.46),
            (-0.066, 0.325),
            (-0.03, 0.325),
            (-0.055, 0.50),
            (-0.062, 0.70),
        ],
        fig.dark(pose.body, 0.28),
    )
    pen.blob([(0.0, 1.005), (0.055, 0.915), (0.072, 0.86), (0.0, 0.875), (-0.072, 0.86),
              (-0.055, 0.915)], fin)  # fmt: skip
    pen.ellipse(0.01, 0.70, 0.058, 0.058, fin)
    pen.ellipse(0.01, 0.70, 0.042, 0.042, fig.tone((140, 200, 226)))
    pen.ellipse(0.022, 0.714, 0.014, 0.014, fig.tone((240, 250, 255)))
    pen.fill([(-0.100, 0.44), (0.102, 0.44), (0.095, 0.40), (-0.093, 0.40)], fin, rimmed=False)
    pen.fill([(-0.014, 0.46), (0.014, 0.46), (0.018, 0.26), (-0.018, 0.26)], fig.dark(fin, 0.2))


def _kite(fig: Figure) -> None:
    """A diamond kite with a tail of bows and a string that leads away."""
    pose = fig.pose
    t = pose.t
    phase = chance(pose.seed, 230)
    tilt = -0.35 + 0.16 * cycle(t, 0.37, phase) + 0.05 * cycle(t, 1.3, phase)
    pen = fig.part(0.04 * cycle(t, 0.29, phase), 0.70 + 0.03 * cycle(t, 0.53, phase), angle=tilt)
    tail: list[Point] = []
    for step in range(10):
        share = step / 9.0
        sway = 0.11 * share**0.7 * cycle(t, 0.8, phase - share * 0.9)
        tail.append((sway - 0.18 * share, -0.28 - 0.44 * share))
    pen.line(tail, fig.tone((120, 104, 96)), 0.010)
    for index, step in enumerate((2, 4, 6, 8)):
        x, y = tail[step]
        color = pose.accent if index % 2 else pose.body
        flap = 0.012 * cycle(t, 2.4, step * 0.17)
        pen.fill([(x, y), (x - 0.055, y + 0.030 + flap), (x - 0.050, y - 0.022 + flap)], color)
        pen.fill([(x, y), (x + 0.055, y + 0.022 - flap), (x + 0.050, y - 0.030 - flap)], color)
    pen.line([(0.0, 0.02), (0.10, -0.30), (0.34, -0.70)], fig.tone((150, 140, 134)), 0.004)
    top, low, left, right = (0.0, 0.30), (0.0, -0.29), (-0.235, 0.06), (0.235, 0.06)
    hub = (0.0, 0.06)
    for corner, color in (
        ((top, left, hub), fig.dark(pose.body, 0.18)), ((top, right, hub), pose.accent),
        ((low, left, hub), fig.dark(pose.accent, 0.22)), ((low, right, hub), pose.body),
    ):  # fmt: skip
        pen.fill(corner, color)
    wood = fig.tone((128, 96, 74))
    pen.line([top, low], wood, 0.010, smooth=False)
    pen.line([left, right], wood, 0.010, smooth=False)


def _lantern(fig: Figure) -> None:
    """Sky lanterns drifting up, each flame flickering on its own."""
    pose = fig.pose
    t, seed = pose.t, pose.seed
    spots = ((0.44, 0.70, 0.15), (-0.12, 0.80, 0.13), (-0.60, 0.52, 0.17), (0.66, 0.22, 0.22),
             (-0.52, 0.08, 0.23), (0.06, 0.20, 0.42))  # fmt: skip
    for index, (x, y, size) in enumerate(spots):
        phase = chance(seed, 240 + index)
        dx = 0.03 * cycle(t, 0.15, phase)
        dy = 0.025 * cycle(t, 0.11, phase * 1.3)
        pen = fig.part(x + dx, y + dy, scale=size, angle=0.06 * cycle(t, 0.19, phase))
        _one_lantern(pen, phase)


def _one_lantern(pen: Figure, phase: float) -> None:
    pose = pen.pose
    flick = 0.5 + 0.28 * cycle(pose.t, 2.7, phase) + 0.22 * cycle(pose.t, 4.3, phase * 2)
    glow = pose.accent
    for radius, alpha in ((0.95, 0.10), (0.72, 0.13)):
        reach = radius * (0.94 + 0.10 * flick)
        pen.ellipse(0.0, 0.42, reach, reach, glow, alpha=alpha)
    pen.blob([(-0.24, 0.0), (-0.33, 0.30), (-0.40, 0.66), (-0.30, 0.92), (0.0, 0.99), (0.30, 0.92),
              (0.40, 0.66), (0.33, 0.30), (0.24, 0.0)], pose.body)  # fmt: skip
    pen.blob([(-0.20, 0.03), (-0.25, 0.26), (-0.22, 0.54), (0.0, 0.66 + 0.06 * flick), (0.22, 0.54),
              (0.25, 0.26), (0.20, 0.03)], mix(pose.body, glow, 0.65))  # fmt: skip
    pen.blob([(-0.13, 0.03), (-0.15, 0.18), (0.0, 0.36 + 0.08 * flick), (0.15, 0.18), (0.13, 0.03)],
             mix(glow, (255, 255, 240), 0.55))  # fmt: skip
    if pen.pixels >= 24.0:
        rib = mix(pose.body, pose.shade, 0.3)
        for side in (-1.0, 1.0):
            pen.line([(side * 0.10, 0.0), (side * 0.15, 0.5), (side * 0.10, 1.0)], rib, 0.012)
    pen.fill([(-0.25, -0.02), (0.25, -0.02), (0.245, 0.04), (-0.245, 0.04)],
             mix(pose.body, pose.shade, 0.5))  # fmt: skip


KINDS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        "balloon": SubjectKind(
            draw=_balloon, aspect=0.68, habitat="air", speed=0.06,
            default_colors=((226, 84, 70), (254, 226, 150)), natural_height=3.6,
            default_action="float",
        ),
        "airplane": SubjectKind(
            draw=_airplane, aspect=2.7, habitat="air", speed=1.4,
            default_colors=((240, 242, 246), (58, 104, 176)), natural_height=1.0,
            default_action="fly",
        ),
        "rocket": SubjectKind(
            draw=_rocket, aspect=0.42, habitat="space", speed=0.6,
            default_colors=((240, 240, 244), (220, 72, 64)), natural_height=2.4,
            default_action="fly",
        ),
        "kite": SubjectKind(
            draw=_kite, aspect=0.7, habitat="air", speed=0.15,
            default_colors=((228, 76, 92), (250, 200, 84)), natural_height=1.0,
            default_action="fly",
        ),
        "lantern": SubjectKind(
            draw=_lantern, aspect=1.7, habitat="air", speed=0.08,
            default_colors=((240, 128, 60), (255, 206, 110)), natural_height=1.6,
            default_action="float",
        ),
    }
)  # fmt: skip
