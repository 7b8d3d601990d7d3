"""Effects that build armour out of plates: mech1 and mech2."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kinogate.engines.preview.canvas import Canvas, Color, mix
from kinogate.engines.preview.pacing import ramp, smooth
from kinogate.engines.preview.templates.stage import Shot, Stage, oval, placed, pts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Armour:
    """How a suit of plates looks: its metal, its light, and the number of corners of a plate."""

    metal: Color
    bright: Color
    light: Color
    corners: int


def mech1(stage: Stage) -> Shot:
    """Silver six-cornered plates fly in and close around the figure; a blue core lights up."""
    return _assemble(
        stage,
        _Armour(metal=(108, 122, 140), bright=(226, 236, 246), light=(90, 190, 255), corners=6),
    )


def mech2(stage: Stage) -> Shot:
    """Red and gold plates fly in and close around the figure; a golden core lights up."""
    return _assemble(
        stage, _Armour(metal=(140, 26, 30), bright=(250, 196, 92), light=(255, 190, 80), corners=4)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plate:
    x: float
    y: float
    size: float
    starts: float
    from_x: float
    from_y: float
    spin: float
    shade: float


def _assemble(stage: Stage, armour: _Armour) -> Shot:
    figure = stage.figure
    plates = _plates(stage, armour)
    ends_s = min(3.6, 0.7 * stage.duration_s)
    core = (figure.face_x, min(0.40, figure.face_y + 2.35 * figure.face_size))

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        frame = stage.behind(u, v)
        stage.tint(frame, (12, 16, 26), 0.45 * smooth(t))
        breath = 0.006 * math.sin(2.0 * t) * smooth(t)
        frame = stage.figure_over(frame, u, v + breath)
        done = t / ends_s
        for plate in plates:
            _draw_plate(stage, frame, plate, armour, (done - 0.75 * plate.starts) / 0.25, t, breath)
        _draw_visor(stage, frame, armour, ramp(done, 0.72, 0.95), t)
        lit = ramp(done, 0.85, 1.05)
        if lit > 0.0:
            r, g, b = armour.light
            pulse = lit * (0.75 + 0.25 * math.sin(4.0 * t))
            stage.light(
                frame, [(oval(*core, 0.06, 0.06), (r, g, b))], blur=0.05, strength=1.7 * pulse
            )
            stage.poly(
                frame,
                oval(*core, 0.042, 0.042, corners=armour.corners),
                mix(armour.light, (255, 255, 255), 0.75),
            )
            stage.line(
                frame,
                oval(*core, 0.055, 0.055, corners=armour.corners),
                armour.bright,
                0.008,
                closed=True,
            )
        return frame

    return shot


def _plates(stage: Stage, armour: _Armour) -> list[_Plate]:
    """A mesh of plates over the figure except its face, the lower ones first."""
    figure, dice, mask = stage.figure, stage.dice, stage.figure.mask
    rows, columns = mask.shape
    size = max(0.030, min(0.050, 0.075 * figure.width))
    step_x, step_y = (1.74, 1.51) if armour.corners == 6 else (1.9, 0.95)
    found: list[_Plate] = []
    for j, y in enumerate(np.arange(figure.top, figure.bottom + size, step_y * size)):
        for x in np.arange(
            figure.left + (j % 2) * step_x * size / 2.0, figure.right + size, step_x * size
        ):
            row = min(rows - 1, max(0, round((y + 0.5) * rows)))
            column = min(columns - 1, max(0, round(x * rows + columns / 2.0)))
            away = math.hypot(
                (x - figure.face_x) / 0.9, (y - figure.face_y - 0.1 * figure.face_size) / 1.15
            )
            if mask[row, column] < 0.4 or away < 0.88 * figure.face_size:
                continue
            a, b, c, d = dice.random(4)
            order = (figure.bottom - y) / figure.height
            found.append(
                _Plate(x=float(x), y=float(y), size=size, starts=float(np.clip(0.8 * order + 0.2 * a, 0.0, 1.0)),
                       from_x=float((1.2 if x > figure.face_x else -1.2) * (0.6 + b) * stage.half_width),
                       from_y=float((c - 0.5) * 1.4), spin=float((d - 0.5) * 9.0), shade=float(b))
            )  # fmt: skip
    return found


def _draw_plate(
    stage: Stage, frame: Canvas, plate: _Plate, armour: _Armour, way: float, t: float, breath: float
) -> None:
    if way <= 0.0:
        return
    home = smooth(way) if way < 1.0 else 1.0
    x = plate.from_x + (plate.x - plate.from_x) * home
    y = plate.from_y + (plate.y - breath - plate.from_y) * home
    size = plate.size * (1.7 - 0.66 * home)
    turn = plate.spin * (1.0 - home) + (math.pi / 6.0 if armour.corners == 6 else 0.0)
    side = (plate.x - stage.figure.face_x) / max(0.1, 0.5 * stage.figure.width)
    light = 0.55 - 0.40 * side + 0.25 * (plate.shade - 0.5)
    flash = max(0.0, 1.0 - abs(way - 1.05) / 0.35)
    sweep = max(0.0, 1.0 - abs((plate.x + plate.y - 0.9 * ((0.7 * t) % 3.0) + 1.0) / 0.10))
    color = mix(armour.metal, armour.bright, min(1.0, max(0.0, light) * 0.75 + 0.5 * sweep))
    if armour.corners == 4 and plate.shade > 0.72:
        color = mix(armour.bright, (255, 255, 255), 0.3 * max(0.0, light))
    shape = oval(x, y, size, size, turn, corners=armour.corners)
    stage.poly(frame, shape, mix(color, (0, 0, 0), 0.55))
    inner = (shape - np.array([x, y])) * 0.90 + np.array([x, y - 0.03 * size])
    stage.poly(frame, inner, mix(color, armour.light, 0.7 * flash))
    crown = (shape - np.array([x, y])) * 0.55 + np.array([x, y - 0.06 * size])
    stage.poly(frame, crown, mix(mix(color, (255, 255, 255), 0.14), armour.light, 0.7 * flash))


def _draw_visor(stage: Stage, frame: Canvas, armour: _Armour, closed: float, t: float) -> None:
    """A band of light at the temples and lines down the cheeks; the face stays free."""
    if closed <= 0.0:
        return
    figure = stage.figure
    s = figure.face_size
    for side in (-1.0, 1.0):
        guard = pts(
            (0.98, -0.75), (1.16, -0.35), (1.12, 0.55), (0.70, 1.12), (0.52, 0.98), (0.86, 0.45)
        )
        shape = placed(
            guard * np.array([side, 1.0]),
            figure.face_x + side * 0.6 * (1.0 - closed),
            figure.face_y,
            s,
        )
        stage.poly(frame, shape, mix(armour.metal, armour.bright, 0.45 - 0.25 * side))
        stage.line(frame, shape, mix(armour.metal, (0, 0, 0), 0.5), 0.03 * s, closed=True)
        strip = placed(
            pts((0.88, -0.45), (0.85, 0.30)) * np.array([side, 1.0]),
            figure.face_x + side * 0.6 * (1.0 - closed),
            figure.face_y,
            s,
        )
        stage.line(
            frame,
            strip,
            mix(armour.light, (255, 255, 255), 0.4 + 0.3 * math.sin(3.0 * t)),
            0.05 * s,
        )
