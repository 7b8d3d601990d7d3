"""What swims or floats: fish, whale, dolphin, duck, sailing boat, ship."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.subjects.air import draw_flying_bird
from kinogate.engines.preview.subjects.base import SubjectKind
from kinogate.engines.preview.subjects.figure import Figure, blinks, chance, cycle
from kinogate.engines.preview.subjects.shapes import Point, between, tube


def _fish(fig: Figure) -> None:
    """A small school; each fish has its own beat and keeps its place loosely."""
    pose = fig.pose
    t, seed = pose.t, pose.seed
    school = (
        (-0.56, 0.74, 0.30), (0.50, 0.84, 0.26), (-0.66, 0.24, 0.34), (0.56, 0.20, 0.30),
        (0.02, 0.50, 0.52),
    )  # fmt: skip
    for index, (x, y, size) in enumerate(school):
        phase = chance(seed, 110 + index)
        dx = 0.05 * cycle(t, 0.21, phase)
        dy = 0.03 * cycle(t, 0.31, phase * 1.7)
        main = pose.body if index % 2 == 0 else mix(pose.body, pose.accent, 0.35)
        _one_fish(fig.part(x + dx, y + dy, scale=size), main, phase)


def _one_fish(pen: Figure, color: Color, phase: float) -> None:
    t = pen.pose.t
    fast = 2.4 if pen.pose.action in ("run", "dance", "jump") else 1.5

    def wave(share: float) -> float:
        return 0.085 * share * share * cycle(t, fast, phase - 0.45 * share)

    second, dark = pen.pose.accent, pen.dark(color, 0.30)
    spine: list[Point] = [
        (0.62 - 1.05 * share, wave(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    tail_x, tail_y = spine[-1]
    flick = 0.12 * cycle(t, fast, phase - 0.55)
    pen.blob([(tail_x + 0.10, tail_y), (tail_x - 0.18, tail_y + 0.22 + flick),
              (tail_x - 0.30, tail_y + 0.25 + flick), (tail_x - 0.19, tail_y + flick),
              (tail_x - 0.30, tail_y - 0.21 + flick), (tail_x - 0.18, tail_y - 0.20 + flick)],
             second, samples=4)  # fmt: skip
    pen.blob([(0.30, 0.22), (0.10, 0.46), (-0.20, 0.36 + wave(0.6)), (-0.22, 0.14 + wave(0.7)),
              (0.05, 0.16)], dark, samples=4)  # fmt: skip
    pen.blob([(0.05, -0.20), (-0.10, -0.40), (-0.22, -0.32), (-0.14, -0.14)], dark, samples=4)
    trunk = pen.tube(spine, [0.07, 0.235, 0.255, 0.150, 0.055], color)
    pen.fill(trunk.band(0.30, 1.0, 0.05, 0.95), mix(color, second, 0.55), rimmed=False)
    if pen.pixels >= 16.0:
        for share in (0.34, 0.56):
            pen.fill(trunk.band(-1.0, 0.97, share, share + 0.12), second, rimmed=False)
    flap = 0.10 * cycle(t, fast * 0.8, phase)
    pen.blob([(0.20, -0.05), (0.02, -0.13 - flap), (-0.04, -0.24 - flap), (0.12, -0.20)], dark)
    if pen.pixels >= 12.0:
        white = pen.tone((252, 250, 244))
        pen.ellipse(0.46, 0.07, 0.068, 0.072, white)
        pen.ellipse(0.475, 0.07, 0.036, 0.042, pen.tone((30, 30, 40)))
    if pen.pixels >= 30.0:
        pen.line([(0.66, -0.03), (0.60, -0.06), (0.54, -0.05)], dark, 0.02)


def _whale(fig: Figure) -> None:
    """A great whale: slow tail beat, pale grooved belly, a spout at the surface."""
    pose = fig.pose
    t = pose.t
    phase = chance(pose.seed, 120)
    beat = cycle(t, 0.38, phase)
    late = cycle(t, 0.38, phase - 0.18)
    pen = fig.part(0.20, 0.53 + 0.02 * late, angle=0.03 * cycle(t, 0.38, phase + 0.25))
    dark, far = fig.dark(pose.body, 0.32), fig.dark(pose.body, 0.5)
    flip = 0.10 * cycle(t, 0.38, phase + 0.1)
    pen.blob([(0.42, -0.16), (0.30, -0.36 - flip), (0.16, -0.44 - flip), (0.26, -0.18)], far)
    tail = (-1.14, 0.20 + 0.22 * late)
    _fluke(pen, tail, 0.25 + 0.7 * late, pose.body, dark)
    spine = [(0.98, -0.01), (0.74, 0.02), (0.36, 0.03), (-0.10, 0.02), (-0.52, 0.03 + 0.03 * beat),
             (-0.88, 0.09 + 0.10 * late), tail]  # fmt: skip
    trunk = tube(spine, [0.14, 0.275, 0.335, 0.315, 0.205, 0.095, 0.045], 5)
    pen.fill(trunk.outline(), pose.body)
    pen.fill(trunk.flank(0.16, 0.0, 0.97), pose.accent, rimmed=False)
    if fig.pixels >= 40.0:
        line = fig.dark(pose.accent, 0.25)
        for across in (0.46, 0.62, 0.78):
            groove = [trunk.at(s, across) for s in (0.04, 0.14, 0.26, 0.38, 0.48)]
            pen.line(groove, line, 0.007)
    pen.fill(trunk.flank(-0.55, 0.03, 0.95), mix(pose.body, fig.tone((255, 255, 255)), 0.10),
             rimmed=False)  # fmt: skip
    pen.blob([(0.30, -0.14), (0.22, -0.40 + flip), (0.02, -0.52 + flip), (0.00, -0.42 + flip),
              (0.12, -0.16)], dark)  # fmt: skip
    if fig.pixels >= 24.0:
        _whale_face(pen, dark)
    if pose.action in ("jump", "float", "wave", "stand"):
        _spout(pen)
    else:
        for index in range(4):
            life = (t * 0.35 + index * 0.25) % 1.0
            size = 0.020 + 0.011 * (index % 3)
            x = 1.02 + 0.05 * math.sin(life * 9 + index)
            foam = mix(pose.accent, fig.tone((255, 255, 255)), 0.5)
            pen.ellipse(x, 0.30 + 0.40 * life, size, size, foam, alpha=0.6 * (1.0 - life))


def _whale_face(pen: Figure, dark: Color) -> None:
    ink = pen.tone((24, 26, 38))
    pen.line([(1.10, -0.05), (0.92, -0.09), (0.74, -0.07), (0.62, 0.0)], dark, 0.014)
    if blinks(pen.pose.t, pen.pose.seed):
        pen.line([(0.63, 0.05), (0.70, 0.05)], ink, 0.014)
    else:
        pen.ellipse(0.665, 0.055, 0.030, 0.032, ink)
        if pen.pixels >= 60.0:
            pen.ellipse(0.675, 0.066, 0.010, 0.010, pen.tone((255, 255, 255)))


def _fluke(pen: Figure, root: Point, tilt: float, color: Color, dark: Color) -> None:
    end = pen.part(root[0], root[1], angle=-0.35 + 0.5 * tilt)
    end.blob([(0.06, 0.02), (-0.08, 0.14), (-0.26, 0.27), (-0.36, 0.30), (-0.30, 0.16),
              (-0.16, 0.02)], dark)  # fmt: skip
    end.blob([(0.08, 0.0), (-0.08, -0.03), (-0.28, -0.13), (-0.40, -0.13), (-0.30, 0.02),
              (-0.12, 0.06)], color)  # fmt: skip


def _spout(pen: Figure) -> None:
    water = pen.tone((214, 236, 248))
    life = (pen.pose.t * 0.5) % 1.0
    rise = math.sin(math.pi * min(1.0, life * 1.4)) if life < 0.72 else 0.0
    if rise <= 0.0:
        return
    for side in (-1.0, 1.0):
        pen.tube(
            [
                (0.52, 0.32),
                (0.52 + 0.05 * side, 0.34 + 0.22 * rise),
                (0.52 + 0.20 * side, 0.34 + 0.26 * rise),
                (0.52 + 0.28 * side, 0.30 + 0.14 * rise),
            ],
            [0.02, 0.032, 0.034, 0.022],
            water,
        )


def _dolphin(fig: Figure) -> None:
    """A dolphin: swims with a slow beat, or leaps in arcs."""
    pose = fig.pose
    t = pose.t
    phase = chance(pose.seed, 130)
    beat = cycle(t, 1.0, phase)
    late = cycle(t, 1.0, phase - 0.2)
    angle, lift, arch = 0.06 * beat, 0.03 * late, 0.0
    if pose.action in ("jump", "dance", "wave"):
        share = (t * 0.55 + phase) % 1.0
        angle = 0.95 * math.cos(math.pi * share)
        lift = 0.75 * math.sin(math.pi * share) - 0.1
        arch = 0.16 * math.sin(math.pi * share)
    pen = fig.part(0.13, 0.48 + lift, angle=angle)
    dark, far = fig.dark(pose.body, 0.32), fig.dark(pose.body, 0.5)
    tail = (-1.10, 0.06 + 0.20 * late - arch)
    pen.blob([(0.34, -0.16), (0.20, -0.44), (0.10, -0.46), (0.14, -0.20)], far)
    _dolphin_tail(pen, tail, late, pose.body, dark)
    spine = [
        (0.98, -0.07 - arch),
        (0.72, 0.01 - arch * 0.4),
        (0.36, 0.05),
        (-0.06, 0.06 + arch * 0.3),
        (-0.50, 0.04),
        (-0.84, 0.03 + 0.08 * late - arch * 0.5),
        tail,
    ]
    pen.blob([(0.14, 0.26), (-0.02, 0.40), (-0.20, 0.56), (-0.24, 0.46), (-0.22, 0.22)], dark)
    trunk = tube(spine, [0.055, 0.165, 0.255, 0.250, 0.160, 0.080, 0.040], 5)
    pen.fill(trunk.outline(), pose.body)
    pen.fill(trunk.flank(0.05, 0.04, 0.96), pose.accent, rimmed=False)
    pen.tube([(0.84, -0.06 - arch * 0.7), (1.16, -0.13 - arch)], [0.075, 0.040], pose.body)
    pen.tube([(0.92, -0.12 - arch * 0.8), (1.14, -0.17 - arch)], [0.025, 0.018], pose.accent)
    pen.blob([(0.32, -0.10), (0.20, -0.36), (0.04, -0.46), (0.06, -0.34), (0.16, -0.12)], dark)
    if fig.pixels >= 24.0:
        ink = fig.tone((24, 26, 38))
        if blinks(t, pose.seed):
            pen.line([(0.65, 0.04 - arch * 0.4), (0.72, 0.04 - arch * 0.4)], ink, 0.016)
        else:
            pen.ellipse(0.69, 0.04 - arch * 0.4, 0.030, 0.034, ink)


def _dolphin_tail(pen: Figure, root: Point, late: float, color: Color, dark: Color) -> None:
    end = pen.part(root[0], root[1], angle=0.4 * late)
    end.blob([(0.06, 0.0), (-0.14, 0.14), (-0.34, 0.22), (-0.26, 0.06), (-0.10, -0.02)], dark)
    end.blob([(0.08, 0.0), (-0.12, -0.05), (-0.36, -0.14), (-0.26, 0.03), (-0.10, 0.06)], color)


def _duck(fig: Figure) -> None:
    """A duck: floats by default, waddles on land, flies when asked."""
    pose = fig.pose
    if pose.action == "fly":
        draw_flying_bird(fig, hertz=3.2)
        return
    t = pose.t
    land = pose.action in ("walk", "run", "dance", "jump")
    waddle = cycle(t, 1.7)
    lift = 0.16 + 0.02 * abs(waddle) if land else -0.06 + 0.02 * cycle(t, 0.5)
    pen = fig.part(-0.06, lift, angle=0.07 * waddle if land else 0.025 * cycle(t, 0.4))
    bill, dark = fig.tone((244, 160, 48)), fig.dark(pose.body, 0.26)
    if land:
        for phase, color in ((0.5, fig.dark(bill, 0.3)), (0.0, bill)):
            step = cycle(t, 1.7, phase)
            up = max(0.0, cycle(t, 1.7, phase + 0.25)) * 0.06
            x = 0.04 + 0.10 * step
            fig.line([(-0.02, 0.22), (x - 0.06, 0.05 + up)], color, 0.045, smooth=False)
            fig.fill([(x - 0.10, 0.05 + up), (x - 0.04, 0.08 + up), (x + 0.10, 0.0 + up),
                      (x - 0.08, 0.0 + up)], color)  # fmt: skip
    pen.blob(
        [(-0.62, 0.42), (-0.48, 0.26), (-0.34, 0.10), (0.02, 0.06), (0.34, 0.14), (0.46, 0.32),
         (0.34, 0.46), (0.0, 0.44), (-0.34, 0.36)],
        pose.body,
    )  # fmt: skip
    pen.blob([(-0.40, 0.13), (0.0, 0.06), (0.34, 0.14), (0.42, 0.24), (0.0, 0.20)], dark)
    nod = 0.02 * cycle(t, 0.9)
    pen.tube([(0.30, 0.34), (0.38, 0.54), (0.36 + nod, 0.76)], [0.15, 0.105, 0.11],
             mix(pose.body, pose.accent, 0.0))  # fmt: skip
    pen.ellipse(0.38 + nod, 0.84, 0.165, 0.155, pose.accent)
    pen.tube([(0.305 + nod, 0.70), (0.42 + nod, 0.68)], [0.028, 0.028], pose.body)
    pen.blob([(0.50 + nod, 0.88), (0.66 + nod, 0.82), (0.74 + nod, 0.78), (0.62 + nod, 0.745),
              (0.48 + nod, 0.77)], bill)  # fmt: skip
    if fig.pixels >= 20.0:
        ink = fig.tone((26, 24, 32))
        if blinks(t, pose.seed):
            pen.line([(0.41 + nod, 0.89), (0.47 + nod, 0.89)], ink, 0.02)
        else:
            pen.ellipse(0.44 + nod, 0.89, 0.025, 0.03, ink)
    wing = 0.03 * cycle(t, 0.6)
    pen.blob([(0.18, 0.36), (-0.10, 0.42 + wing), (-0.46, 0.38 + wing), (-0.30, 0.22),
              (0.0, 0.17), (0.16, 0.24)], dark)  # fmt: skip
    if not land:
        _ripples(fig, 0.60)


def _ripples(fig: Figure, half: float) -> None:
    foam = mix(fig.pose.accent, fig.tone((236, 246, 252)), 0.8)
    t = fig.pose.t
    for index, (y, share) in enumerate(((0.0, 1.0), (-0.035, 0.72))):
        shift = 0.05 * half * cycle(t, 0.5, index * 0.3)
        wide = half * share
        fig.line([(-wide + shift, y), (-wide * 0.3 + shift, y + 0.012), (wide * 0.3 + shift, y),
                  (wide + shift, y + 0.006)], foam, 0.012)  # fmt: skip


def _boat(fig: Figure) -> None:
    """A sailing boat that rolls, with a full mainsail, a jib and a pennant."""
    pose = fig.pose
    t = pose.t
    phase = chance(pose.seed, 140)
    roll = 0.045 * cycle(t, 0.32, phase) - 0.02
    heave = 0.012 * cycle(t, 0.41, phase)
    pen = fig.part(0.0, heave, angle=roll)
    sail = pose.accent
    belly = 0.045 + 0.012 * cycle(t, 0.5, phase)
    flutter = 0.006 * cycle(t, 2.3, phase)
    wood, dark = fig.tone((112, 76, 54)), fig.dark(pose.body, 0.40)
    pen.line([(0.02, 0.16), (0.02, 0.98)], wood, 0.016, smooth=False)
    main = [(-0.006, 0.95), (-0.10 - belly, 0.70), (-0.23 - belly, 0.44), (-0.37, 0.245 + flutter),
            (-0.20, 0.225), (-0.006, 0.235)]  # fmt: skip
    _sail(pen, main, sail)
    pen.line([(0.015, 0.222), (-0.38, 0.228 + flutter)], wood, 0.014, smooth=False)
    jib = [(0.045, 0.86), (0.115 + belly * 0.5, 0.64), (0.21 + belly * 0.7, 0.40), (0.335, 0.20),
           (0.20, 0.225), (0.06, 0.235)]  # fmt: skip
    shadow = mix(sail, pose.shade, 0.16)
    _sail(pen, jib, shadow)
    pen.line([(0.02, 0.95), (0.41, 0.165)], fig.dark(wood, 0.3), 0.004, smooth=False)
    wave = [0.018 * cycle(t, 2.0, phase - 0.25 * step) for step in range(4)]
    pen.fill([(0.02, 0.995), (-0.05, 0.985 + wave[1]), (-0.13, 0.965 + wave[3]),
              (-0.05, 0.952 + wave[2]), (0.02, 0.945)], mix(pose.body, sail, 0.15))  # fmt: skip
    hull = [(-0.42, 0.165), (-0.40, 0.05), (-0.33, -0.015), (0.26, -0.015), (0.38, 0.06),
            (0.47, 0.175), (0.30, 0.155), (0.0, 0.145), (-0.25, 0.15)]  # fmt: skip
    pen.fill(hull, pose.body)
    pen.fill([(-0.405, 0.07), (-0.40, 0.05), (-0.33, -0.015), (0.26, -0.015), (0.365, 0.05),
              (0.2, 0.035), (-0.2, 0.04)], dark, rimmed=False)  # fmt: skip
    stripe = mix(pose.body, sail, 0.75)
    pen.fill([(-0.418, 0.145), (-0.25, 0.128), (0.0, 0.122), (0.30, 0.133), (0.452, 0.153),
              (0.44, 0.138), (0.30, 0.115), (0.0, 0.104), (-0.25, 0.110), (-0.416, 0.127)],
             stripe, rimmed=False)  # fmt: skip
    _crew(pen)
    _ripples(fig, 0.46)


def _sail(pen: Figure, outline: list[Point], color: Color) -> None:
    pen.fill(outline, color)
    if pen.pixels < 30.0:
        return
    fold = mix(color, pen.pose.shade, 0.18)
    inner = [
        outline[0],
        between(outline[0], outline[-1], 0.5),
        outline[-1],
        outline[-2],
        between(outline[-2], outline[2], 0.35),
        between(outline[-1], outline[1], 0.55),
    ]
    pen.fill(inner, fold, rimmed=False)
    if pen.pixels >= 70.0:
        for share in (0.35, 0.65):
            left = between(outline[0], outline[3], share)
            right = between(outline[0], outline[-1], share)
            pen.line([left, between(left, right, 0.5), right], fold, 0.004, smooth=False)


def _crew(pen: Figure) -> None:
    """Someone at the tiller."""
    x = -0.29
    coat = pen.dark(mix(pen.pose.accent, pen.tone((200, 70, 60)), 0.7), 0.2)
    nod = 0.004 * cycle(pen.pose.t, 0.7)
    pen.tube([(x, 0.15), (x + 0.01, 0.215 + nod)], [0.030, 0.024], coat)
    pen.ellipse(x + 0.014, 0.262 + nod, 0.022, 0.024, pen.tone((222, 172, 138)))
    pen.blob([(x + 0.03, 0.275 + nod), (x + 0.01, 0.290 + nod), (x - 0.012, 0.272 + nod),
              (x, 0.262 + nod)], pen.tone((60, 44, 42)))  # fmt: skip


def _ship(fig: Figure) -> None:
    """A liner: black hull, white decks, funnels with smoke."""
    pose = fig.pose
    t = pose.t
    pen = fig.part(0.0, 0.006 * cycle(t, 0.3), angle=0.008 * cycle(t, 0.22, 0.3))
    white = mix(fig.tone((246, 244, 238)), pose.shade, 0.04)
    glass = fig.tone((96, 132, 156))
    for index, x in enumerate((-0.34, 0.06, 0.42)):
        for puff in range(4):
            life = (t * 0.30 + puff * 0.25 + index * 0.13) % 1.0
            size = 0.035 + 0.075 * life
            pen.ellipse(x - 0.06 - 0.50 * life, 0.86 + 0.12 * life, size * 1.3, size,
                        mix(fig.tone((176, 176, 182)), pose.accent, 0.1),
                        alpha=0.5 * (1.0 - life))  # fmt: skip
        pen.fill([(x - 0.095, 0.54), (x + 0.065, 0.54), (x + 0.045, 0.86), (x - 0.105, 0.86)],
                 pose.accent)  # fmt: skip
        pen.fill([(x - 0.104, 0.78), (x + 0.050, 0.78), (x + 0.045, 0.86), (x - 0.105, 0.86)],
                 fig.tone((48, 48, 56)), rimmed=False)  # fmt: skip
        pen.fill([(x - 0.095, 0.54), (x - 0.055, 0.54), (x - 0.065, 0.78), (x - 0.104, 0.78)],
                 fig.dark(pose.accent, 0.35), rimmed=False)  # fmt: skip
    for low, high, left, right in ((0.30, 0.44, -0.92, 0.86), (0.43, 0.56, -0.66, 0.66)):
        pen.fill([(left, low), (right + 0.05, low), (right, high), (left, high)], white)
        pen.fill([(left, low), (right + 0.05, low), (right + 0.04, low + 0.03), (left, low + 0.03)],
                 fig.dark(white, 0.25), rimmed=False)  # fmt: skip
        if fig.pixels >= 24.0:
            count = int((right - left) / 0.115)
            for window in range(count):
                x = left + 0.06 + window * 0.115
                y = (low + high) / 2 + 0.014
                pen.fill([(x, y - 0.022), (x + 0.05, y - 0.022), (x + 0.05, y + 0.028),
                          (x, y + 0.028)], glass, rimmed=False)  # fmt: skip
    pen.line([(0.98, 0.30), (0.98, 0.72)], fig.tone((120, 110, 104)), 0.014, smooth=False)
    flag = 0.02 * cycle(t, 1.8)
    pen.fill([(-1.08, 0.56), (-1.22, 0.55 + flag), (-1.21, 0.47 + flag), (-1.08, 0.48)],
             pose.accent)  # fmt: skip
    pen.line([(-1.08, 0.32), (-1.08, 0.57)], fig.tone((120, 110, 104)), 0.012, smooth=False)
    hull = [(-1.18, 0.33), (-1.12, 0.05), (-1.04, -0.02), (0.98, -0.02), (1.10, 0.12), (1.26, 0.38),
            (0.95, 0.31), (0.2, 0.29), (-0.7, 0.29)]  # fmt: skip
    pen.fill(hull, pose.body)
    pen.fill([(-1.13, 0.10), (-1.12, 0.05), (-1.04, -0.02), (0.98, -0.02), (1.08, 0.09)],
             mix(fig.dark(pose.accent, 0.3), pose.body, 0.2), rimmed=False)  # fmt: skip
    if fig.pixels >= 40.0:
        for window in range(15):
            pen.ellipse(-0.95 + window * 0.13, 0.20, 0.016, 0.016, mix(glass, white, 0.4))
    _ripples(fig, 1.22)


KINDS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        "fish": SubjectKind(
            draw=_fish, aspect=1.7, habitat="underwater", speed=0.5,
            default_colors=((244, 132, 64), (252, 230, 190)), natural_height=0.6,
            default_action="swim",
        ),
        "whale": SubjectKind(
            draw=_whale, aspect=2.7, habitat="underwater", speed=0.35,
            default_colors=((58, 88, 128), (206, 222, 232)), natural_height=2.2,
            default_action="swim",
        ),
        "dolphin": SubjectKind(
            draw=_dolphin, aspect=2.7, habitat="underwater", speed=1.1,
            default_colors=((92, 134, 168), (222, 234, 240)), natural_height=0.6,
            default_action="swim",
        ),
        "duck": SubjectKind(
            draw=_duck, aspect=1.35, habitat="water", speed=0.5,
            default_colors=((150, 124, 98), (34, 106, 82)), natural_height=0.26,
            default_action="swim",
        ),
        "boat": SubjectKind(
            draw=_boat, aspect=0.95, habitat="water", speed=0.22,
            default_colors=((176, 62, 58), (252, 246, 232)), natural_height=2.6,
            default_action="sail",
        ),
        "ship": SubjectKind(
            draw=_ship, aspect=2.6, habitat="water", speed=0.2,
            default_colors=((44, 52, 76), (214, 82, 62)), natural_height=2.4,
            default_action="sail",
        ),
    }
)  # fmt: skip
