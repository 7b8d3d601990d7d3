"""What rolls: car, bus, steam train, and a bicycle with its rider."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from kinogate.engines.preview.canvas import Color, mix
from kinogate.engines.preview.subjects.base import SubjectKind
from kinogate.engines.preview.subjects.body import draw_body
from kinogate.engines.preview.subjects.figure import Figure, chance, cycle
from kinogate.engines.preview.subjects.people import look_for
from kinogate.engines.preview.subjects.rig import Build
from kinogate.engines.preview.subjects.shapes import Point, two_bone
from kinogate.engines.preview.subjects.stances import Stance


def _moving(fig: Figure) -> bool:
    return fig.pose.action not in ("stand", "sit", "sleep", "read", "wave")


def _wheel(
    fig: Figure, x: float, radius: float, turn: float, *, spokes: int = 5, rim: Color | None = None
) -> None:
    """A tyre with a spoked hub; `turn` in turns, clockwise."""
    tyre = mix(fig.tone((40, 40, 46)), fig.pose.shade, 0.25)
    metal = rim or mix(fig.tone((206, 210, 216)), fig.pose.shade, 0.1)
    fig.ellipse(x, radius, radius, radius, tyre)
    fig.ellipse(x, radius, radius * 0.60, radius * 0.60, metal)
    if radius * fig.pixels < 5.0:
        return
    for spoke in range(spokes):
        angle = -math.tau * (turn + spoke / spokes)
        cos, sin = math.cos(angle), math.sin(angle)
        far, near, wide = radius * 0.56, radius * 0.18, radius * 0.10
        fig.fill(
            [
                (x + near * cos - wide * sin, radius + near * sin + wide * cos),
                (x + far * cos - wide * sin * 1.5, radius + far * sin + wide * cos * 1.5),
                (x + far * cos + wide * sin * 1.5, radius + far * sin - wide * cos * 1.5),
                (x + near * cos + wide * sin, radius + near * sin - wide * cos),
            ],
            mix(metal, tyre, 0.62),
            rimmed=False,
        )
    fig.ellipse(x, radius, radius * 0.16, radius * 0.16, tyre)


def _car(fig: Figure) -> None:
    """A rounded hatchback with a driver; rocks on its springs and its wheels turn."""
    pose = fig.pose
    t = pose.t
    moving = _moving(fig)
    shake = 0.010 * cycle(t, 3.1) + 0.006 * cycle(t, 1.3) if moving else 0.004 * cycle(t, 7.0)
    pen = fig.part(0.0, shake, angle=0.006 * cycle(t, 1.7) if moving else 0.0)
    dark, glass = fig.dark(pose.body, 0.36), mix(fig.tone((168, 208, 226)), pose.shade, 0.12)
    pen.blob(
        [
            (-1.06, 0.28), (-1.08, 0.52), (-0.98, 0.62), (-0.76, 0.84), (-0.48, 0.99),
            (0.10, 1.0), (0.36, 0.86), (0.58, 0.64), (0.92, 0.56), (1.08, 0.44), (1.10, 0.26),
            (0.90, 0.18), (-0.92, 0.18),
        ],
        pose.body,
        samples=4,
    )  # fmt: skip
    pen.fill([(-1.07, 0.34), (1.10, 0.34), (1.08, 0.24), (0.92, 0.17), (-0.95, 0.17),
              (-1.06, 0.24)], dark, rimmed=False)  # fmt: skip
    _cabin(pen, glass)
    if fig.pixels >= 30.0:
        seam = fig.dark(pose.body, 0.5)
        pen.line([(-0.10, 0.60), (-0.10, 0.26)], seam, 0.012, smooth=False)
        pen.line([(0.04, 0.52), (0.16, 0.52)], seam, 0.022, smooth=False)
        pen.line(
            [(-1.02, 0.47), (0.0, 0.455), (1.04, 0.44)], mix(pose.body, pose.accent, 0.55), 0.024
        )
    lamp = fig.glow((255, 240, 190)) if moving else fig.tone((236, 232, 214))
    pen.ellipse(1.02, 0.44, 0.075, 0.062, lamp)
    pen.fill([(-1.09, 0.52), (-0.99, 0.54), (-0.99, 0.42), (-1.08, 0.40)], fig.tone((216, 52, 48)))
    turn = t * 0.9 if moving else 0.0
    for x in (-0.64, 0.66):
        fig.ellipse(x, 0.235 + shake, 0.265, 0.265, fig.dark(dark, 0.5))
        _wheel(fig, x, 0.215, turn + chance(pose.seed, 150))


def _cabin(pen: Figure, glass: Color) -> None:
    skin, hair = pen.tone((224, 174, 140)), pen.tone((66, 46, 42))
    pen.fill([(-0.08, 0.92), (0.12, 0.92), (0.32, 0.80), (0.47, 0.62), (-0.08, 0.60)], glass)
    pen.fill([(-0.18, 0.92), (-0.44, 0.91), (-0.66, 0.80), (-0.84, 0.62), (-0.18, 0.60)], glass)
    if pen.pixels >= 24.0:
        nod = 0.006 * cycle(pen.pose.t, 2.1)
        pen.fill([(-0.06, 0.605), (0.20, 0.605), (0.14, 0.68), (0.0, 0.69)], pen.pose.accent,
                 rimmed=False)  # fmt: skip
        pen.ellipse(0.09, 0.765 + nod, 0.075, 0.085, skin)
        pen.blob([(0.14, 0.81 + nod), (0.09, 0.86 + nod), (0.01, 0.83 + nod), (0.01, 0.73 + nod),
                  (0.06, 0.79 + nod)], hair)  # fmt: skip
    shine = mix(glass, pen.tone((255, 255, 255)), 0.5)
    pen.fill([(-0.58, 0.82), (-0.50, 0.86), (-0.66, 0.62), (-0.74, 0.62)], shine, rimmed=False)
    pen.fill([(0.24, 0.84), (0.29, 0.81), (0.22, 0.62), (0.16, 0.62)], shine, alpha=0.5)


def _bus(fig: Figure) -> None:
    """A city bus full of people."""
    pose = fig.pose
    t = pose.t
    moving = _moving(fig)
    shake = 0.006 * cycle(t, 2.6) if moving else 0.003 * cycle(t, 7.0)
    pen = fig.part(0.0, shake)
    glass = mix(fig.tone((164, 206, 224)), pose.shade, 0.12)
    pen.blob(
        [
            (-1.30, 0.20),
            (-1.34, 0.55),
            (-1.31, 0.94),
            (-1.20, 1.0),
            (0.0, 1.005),
            (1.18, 1.0),
            (1.31, 0.90),
            (1.36, 0.52),
            (1.33, 0.19),
            (1.0, 0.13),
            (-1.0, 0.13),
        ],
        pose.body,
    )
    pen.fill([(-1.33, 0.40), (1.36, 0.40), (1.34, 0.20), (1.20, 0.14), (-1.20, 0.14),
              (-1.31, 0.20)], fig.dark(pose.body, 0.30), rimmed=False)  # fmt: skip
    pen.fill([(-1.335, 0.47), (1.355, 0.47), (1.35, 0.40), (-1.33, 0.40)], pose.accent,
             rimmed=False)  # fmt: skip
    for index in range(5):
        left = -1.22 + index * 0.40
        pen.fill([(left, 0.56), (left + 0.34, 0.56), (left + 0.34, 0.88), (left, 0.88)], glass,
                 rimmed=False)  # fmt: skip
        if fig.pixels >= 40.0 and chance(pose.seed, 160 + index) < 0.8:
            _passenger(pen, left + 0.15 + 0.05 * chance(pose.seed, 170 + index), index)
        shine = mix(glass, fig.tone((255, 255, 255)), 0.45)
        pen.fill([(left + 0.04, 0.88), (left + 0.09, 0.88), (left + 0.05, 0.56), (left, 0.56)],
                 shine, rimmed=False)  # fmt: skip
    door = fig.dark(pose.body, 0.45)
    pen.fill([(0.80, 0.19), (1.06, 0.19), (1.06, 0.90), (0.80, 0.90)], door, rimmed=False)
    for left in (0.82, 0.94):
        pen.fill([(left, 0.24), (left + 0.10, 0.24), (left + 0.10, 0.86), (left, 0.86)], glass,
                 rimmed=False)  # fmt: skip
    pen.fill([(1.12, 0.54), (1.345, 0.54), (1.30, 0.88), (1.12, 0.90)], glass, rimmed=False)
    pen.ellipse(1.30, 0.32, 0.045, 0.045, fig.glow((255, 240, 190)))
    pen.fill([(-1.335, 0.34), (-1.28, 0.34), (-1.28, 0.24), (-1.31, 0.24)], fig.tone((216, 52, 48)))
    turn = t * 0.8 if moving else 0.0
    for x in (-0.78, 0.58):
        fig.ellipse(x, 0.17, 0.20, 0.20, fig.dark(door, 0.4))
        _wheel(fig, x, 0.165, turn)


def _passenger(pen: Figure, x: float, index: int) -> None:
    skins = ((236, 190, 158), (178, 124, 88), (122, 82, 60), (244, 206, 178))
    hairs = ((52, 38, 36), (122, 78, 44), (36, 30, 34), (196, 190, 186))
    nod = 0.006 * cycle(pen.pose.t, 1.4, index * 0.21)
    who = int(chance(pen.pose.seed, 180 + index) * 4) % 4
    coat = pen.tone(((206, 92, 84), (84, 128, 168), (232, 186, 96), (116, 150, 110))[who])
    pen.fill([(x - 0.10, 0.56), (x + 0.10, 0.56), (x + 0.06, 0.64), (x - 0.06, 0.64)], coat,
             rimmed=False)  # fmt: skip
    pen.ellipse(x + 0.01, 0.715 + nod, 0.06, 0.07, pen.tone(skins[who]))
    pen.blob(
        [
            (x + 0.06, 0.75 + nod),
            (x, 0.795 + nod),
            (x - 0.06, 0.75 + nod),
            (x - 0.06, 0.68 + nod),
            (x - 0.02, 0.74 + nod),
        ],
        pen.tone(hairs[3 - who]),
    )


def _train(fig: Figure) -> None:
    """A steam engine with coaches; the rods turn and the smoke drifts back."""
    pose = fig.pose
    moving = _moving(fig)
    turn = pose.t * 0.9 if moving else 0.0
    engine = fig.part(1.62, 0.0)
    for index, x in enumerate((-1.72, -0.20)):
        _coach(fig.part(x, 0.0), turn, index)
    for x in (-0.97, 0.54):
        fig.fill([(x - 0.10, 0.18), (x + 0.10, 0.18), (x + 0.10, 0.23), (x - 0.10, 0.23)],
                 fig.tone((54, 52, 58)))  # fmt: skip
    _smoke(engine)
    _engine(engine, turn)


def _coach(pen: Figure, turn: float, index: int) -> None:
    pose = pen.pose
    shake = 0.006 * cycle(pose.t, 2.2, index * 0.3)
    body, glass = pose.accent, mix(pen.glow((255, 232, 170)), pose.shade, 0.10)
    lift = pen.part(0.0, shake)
    lift.fill([(-0.68, 0.16), (0.68, 0.16), (0.68, 0.70), (-0.68, 0.70)], body)
    lift.fill([(-0.68, 0.16), (0.68, 0.16), (0.68, 0.36), (-0.68, 0.36)], pen.dark(body, 0.30),
              rimmed=False)  # fmt: skip
    lift.blob([(-0.74, 0.69), (-0.66, 0.77), (0.0, 0.80), (0.66, 0.77), (0.74, 0.69)],
              pen.dark(pose.body, 0.35))  # fmt: skip
    for window in range(4):
        left = -0.58 + window * 0.31
        lift.fill([(left, 0.43), (left + 0.21, 0.43), (left + 0.21, 0.64), (left, 0.64)], glass,
                  rimmed=False)  # fmt: skip
        if pen.pixels >= 60.0 and chance(pose.seed, 190 + window + 7 * index) < 0.6:
            ink = mix(glass, pen.tone((60, 50, 60)), 0.7)
            lift.ellipse(left + 0.10, 0.53, 0.038, 0.045, ink)
            lift.fill([(left + 0.03, 0.43), (left + 0.17, 0.43), (left + 0.14, 0.48),
                       (left + 0.06, 0.48)], ink, rimmed=False)  # fmt: skip
    for x in (-0.46, -0.22, 0.22, 0.46):
        _wheel(pen.part(x, 0.0), 0.0, 0.105, turn * 1.6, spokes=4)


def _engine(pen: Figure, turn: float) -> None:
    pose = pen.pose
    shake = 0.006 * cycle(pose.t, 2.9)
    lift = pen.part(0.0, shake)
    dark, iron = pen.dark(pose.body, 0.34), pen.tone((54, 52, 58))
    brass = pen.tone((226, 178, 84))
    lift.fill([(-0.80, 0.22), (0.86, 0.22), (0.86, 0.30), (-0.80, 0.30)], iron)
    lift.fill([(0.84, 0.26), (1.02, 0.04), (0.80, 0.04), (0.74, 0.24)], mix(pose.accent, iron, 0.2))
    lift.fill([(-0.30, 0.30), (0.80, 0.30), (0.80, 0.66), (-0.30, 0.66)], pose.body)
    lift.ellipse(0.80, 0.48, 0.06, 0.18, dark)
    lift.fill([(-0.30, 0.30), (0.80, 0.30), (0.80, 0.40), (-0.30, 0.40)], dark, rimmed=False)
    for x in (-0.02, 0.28, 0.56):
        lift.fill([(x, 0.30), (x + 0.03, 0.30), (x + 0.03, 0.662), (x, 0.662)], brass, rimmed=False)
    lift.blob([(0.06, 0.64), (0.09, 0.76), (0.17, 0.80), (0.25, 0.76), (0.28, 0.64)], brass)
    lift.fill([(0.52, 0.64), (0.66, 0.64), (0.70, 0.92), (0.48, 0.92)], iron)
    lift.fill([(0.455, 0.90), (0.725, 0.90), (0.71, 0.95), (0.47, 0.95)], pose.accent)
    lift.fill([(-0.80, 0.24), (-0.28, 0.24), (-0.28, 0.86), (-0.80, 0.86)], pose.body)
    lift.fill([(-0.80, 0.24), (-0.28, 0.24), (-0.28, 0.42), (-0.80, 0.42)], dark, rimmed=False)
    lift.fill([(-0.88, 0.85), (-0.20, 0.85), (-0.26, 0.92), (-0.82, 0.92)], pose.accent)
    glass = mix(pen.glow((255, 232, 170)), pose.shade, 0.10)
    lift.fill([(-0.68, 0.52), (-0.40, 0.52), (-0.40, 0.78), (-0.68, 0.78)], glass, rimmed=False)
    lift.ellipse(0.90, 0.62, 0.055, 0.065, pen.glow((255, 244, 196)))
    _rods(pen, turn, iron)


def _rods(pen: Figure, turn: float, iron: Color) -> None:
    red = mix(pen.pose.accent, iron, 0.15)
    for x in (-0.54, -0.18, 0.18):
        _wheel(pen.part(x, 0.0), 0.0, 0.165, turn, spokes=6, rim=red)
    for x in (0.50, 0.72):
        _wheel(pen.part(x, 0.0), 0.0, 0.095, turn * 1.7, spokes=4, rim=red)
    angle = -math.tau * turn
    dx, dy = 0.085 * math.cos(angle), 0.165 + 0.085 * math.sin(angle)
    steel = pen.tone((206, 206, 212))
    pen.line([(-0.54 + dx, dy), (0.18 + dx, dy)], steel, 0.030, smooth=False)
    pen.line([(-0.18 + dx, dy), (0.52, 0.20)], steel, 0.024, smooth=False)
    pen.fill([(0.46, 0.15), (0.70, 0.15), (0.70, 0.26), (0.46, 0.26)], iron)


def _smoke(pen: Figure) -> None:
    t = pen.pose.t
    white = mix(pen.tone((240, 240, 244)), pen.pose.shade, 0.08)
    speed = 1.0 if _moving(pen) else 0.25
    for puff in range(8):
        life = (t * 0.42 + puff / 8.0) % 1.0
        size = 0.06 + 0.16 * life
        x = 0.58 - 1.75 * life * speed + 0.03 * math.sin(life * 11 + puff)
        y = 0.98 + 0.28 * math.sqrt(life) + (0.4 * life if speed < 0.5 else 0.0)
        pen.ellipse(x, y, size * 1.15, size, white, alpha=0.80 * (1.0 - life) ** 0.8)


_RIDER = Build(head=0.150, girth=0.95)


def _bicycle(fig: Figure) -> None:
    """A bicycle whose rider pedals."""
    pose = fig.pose
    t = pose.t
    moving = _moving(fig)
    turn = t * 0.85 + chance(pose.seed, 200) if moving else 0.12
    radius = 0.205
    rear, front = (-0.33, radius), (0.35, radius)
    crank: Point = (-0.02, 0.205)
    angle = -math.tau * turn
    pedals = [
        (crank[0] + 0.078 * math.cos(angle + side), crank[1] + 0.078 * math.sin(angle + side))
        for side in (0.0, math.pi)
    ]
    for x, _ in (rear, front):
        _thin_wheel(fig, x, radius, turn * 1.6)
    scale = 0.86
    hip = (-0.135, 0.545)
    legs = []
    for pedal in pedals:
        ankle = (pedal[0] - 0.02, pedal[1] + 0.038)
        knee, reached = two_bone(hip, ankle, _RIDER.thigh * scale, _RIDER.shin * scale, 1.0)
        thigh = math.atan2(knee[0] - hip[0], hip[1] - knee[1])
        shin = math.atan2(reached[0] - knee[0], knee[1] - reached[1])
        legs.append((thigh, thigh - shin))
    bob = 0.012 * cycle(t, 1.7) if moving else 0.006 * cycle(t, 0.3)
    stance = Stance(
        lean=0.42 + bob, head=-0.30, thigh=(legs[0][0], legs[1][0]), knee=(legs[0][1], legs[1][1]),
        foot=(-0.08, -0.08), arm=(0.66, 0.74), elbow=(0.34, 0.28), open=0.05,
    )  # fmt: skip
    _frame(fig, rear, front, crank, pedals[1])
    rider = _planted(fig, stance, hip, scale)
    look = look_for(fig, pose.seed, hair_style=("short", "ponytail")[pose.seed % 2], scarf=True)
    draw_body(rider, _RIDER, look, stance)
    steel = fig.tone((70, 70, 78))
    fig.line([crank, pedals[0]], steel, 0.020, smooth=False)
    x, y = pedals[0]
    fig.line([(x - 0.035, y), (x + 0.035, y)], steel, 0.018, smooth=False)


def _planted(fig: Figure, stance: Stance, hip: Point, scale: float) -> Figure:
    """A pen in which `draw_body`, which stands on its feet, has its hip at `hip`."""
    probe = Figure(fig.pose)
    look = look_for(probe, 0)
    joints = draw_body(probe, _RIDER, look, stance)
    return fig.part(hip[0] - joints.hip[0] * scale, hip[1] - joints.hip[1] * scale, scale=scale)


def _thin_wheel(fig: Figure, x: float, radius: float, turn: float) -> None:
    tyre, wire = fig.tone((50, 50, 56)), fig.tone((170, 174, 180))
    circle = [
        (x + radius * 0.95 * math.cos(a), radius + radius * 0.95 * math.sin(a))
        for a in (math.tau * i / 28 for i in range(29))
    ]
    if radius * fig.pixels >= 12.0:
        for spoke in range(7):
            angle = -math.tau * (turn + spoke / 7.0)
            end = (x + radius * 0.9 * math.cos(angle), radius + radius * 0.9 * math.sin(angle))
            fig.line([(x, radius), end], wire, 0.004, smooth=False)
    fig.line(circle, tyre, 0.022, smooth=False)
    fig.ellipse(x, radius, 0.022, 0.022, tyre)


def _frame(fig: Figure, rear: Point, front: Point, crank: Point, far_pedal: Point) -> None:
    color = fig.pose.accent
    steel = fig.tone((70, 70, 78))
    seat, head = (-0.155, 0.435), (0.225, 0.445)
    fig.line([crank, far_pedal], fig.dark(steel, 0.3), 0.018, smooth=False)
    for first, second in ((rear, crank), (rear, seat), (crank, seat), (seat, head), (crank, head)):
        fig.line([first, second], color, 0.022, smooth=False)
    fig.line([front, head, (0.205, 0.545)], color, 0.022, smooth=False)
    fig.line([(0.205, 0.545), (0.255, 0.575), (0.285, 0.555)], steel, 0.020)
    fig.line([seat, (-0.165, 0.475)], steel, 0.018, smooth=False)
    fig.tube([(-0.225, 0.485), (-0.105, 0.480)], [0.022, 0.014], steel)
    fig.ellipse(crank[0], crank[1], 0.040, 0.040, steel)


KINDS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        "car": SubjectKind(
            draw=_car, aspect=2.2, habitat="road", speed=1.22,
            default_colors=((222, 78, 66), (252, 232, 200)), natural_height=0.95,
            default_action="drive",
        ),
        "bus": SubjectKind(
            draw=_bus, aspect=2.7, habitat="road", speed=0.83,
            default_colors=((240, 178, 62), (60, 96, 140)), natural_height=1.75,
            default_action="drive",
        ),
        "train": SubjectKind(
            draw=_train, aspect=5.2, habitat="road", speed=0.93,
            default_colors=((50, 104, 92), (196, 66, 58)), natural_height=1.9,
            default_action="drive",
        ),
        "bicycle": SubjectKind(
            draw=_bicycle, aspect=1.1, habitat="road", speed=1.75,
            default_colors=((66, 134, 170), (228, 88, 72)), natural_height=1.08,
            default_action="drive",
        ),
    }
)  # fmt: skip
