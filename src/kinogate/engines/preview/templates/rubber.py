"""Effects that treat the figure as rubber: squish, rotation, poke, inflate."""

from __future__ import annotations

import math

import numpy as np

from kinogate.engines.preview.canvas import Canvas, Color
from kinogate.engines.preview.pacing import ramp, rebound, smooth
from kinogate.engines.preview.templates.stage import Shot, Stage, oval, placed, pts


def squish(stage: Stage) -> Shot:
    """Pressed flat from above, let go, and wobbling like jelly."""
    figure = stage.figure
    cycle_s = min(2.6, max(1.2, stage.duration_s / 2.0))
    press_s = 0.32 * cycle_s

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        within = t % cycle_s
        if within < press_s:
            pressed, wobble = smooth(within / press_s), 0.0
        else:
            swing = rebound(within - press_s, 2.3, 0.45)
            pressed, wobble = swing, swing
            fade = 1.0 - ramp(within, 0.8 * cycle_s, cycle_s)
            pressed, wobble = pressed * fade, wobble * fade
        tall = 1.0 - 0.42 * pressed if pressed > 0.0 else 1.0 - 0.24 * pressed
        wide = tall**-0.75
        up = (figure.bottom - v) / tall
        # The middle bulges more than head and foot: jelly, not a scaled picture.
        belly = 1.0 + (wide - 1.0) * (
            0.45 + 1.1 * np.sin(np.pi * np.clip(up / figure.height, 0, 1))
        )
        side = (u - figure.x) / belly
        side = side + 0.03 * wobble * np.sin(9.0 * up + 11.0 * t) * np.clip(up * 2.0, 0.0, 1.0)
        return stage.figure_over(stage.behind(u, v), figure.x + side, figure.bottom - up)

    return shot


def rotation(stage: Stage) -> Shot:
    """Turns like on a turntable, with a lit plate below."""
    figure = stage.figure
    turn_s = 3.6
    foot = min(0.44, figure.bottom)
    reach = min(0.9 * stage.half_width, max(0.2, 0.62 * figure.width))

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        # Speed grows from nothing; the angle is its integral.
        angle = 2.0 * math.pi / turn_s * (t - 0.7 * (1.0 - math.exp(-t / 0.7)))
        frame = stage.behind(u, v)
        plate = ramp(t, 0.0, 0.8)
        _draw_plate(stage, frame, figure.x, foot, reach * plate, angle)
        cos, sin = math.cos(angle), math.sin(angle)
        thin = math.copysign(max(0.13, abs(cos)), cos)
        lift = 1.0 + 0.08 * plate
        side = (u - figure.x) / (thin * (1.0 / lift))
        # The edge that comes towards us is taller.
        near = 1.0 + 0.30 * sin * np.clip(side, -0.6, 0.6)
        height = (v - figure.y) * lift * near
        gain = 1.0 - 0.42 * (1.0 - abs(cos)) * plate
        return stage.figure_over(frame, figure.x + side, figure.y + height, gain=gain)

    return shot


def _draw_plate(
    stage: Stage, frame: Canvas, x: float, y: float, reach: float, angle: float
) -> None:
    if reach < 0.02:
        return
    stage.poly(frame, oval(x, y + 0.035, reach, 0.22 * reach), (40, 44, 54))
    stage.poly(frame, oval(x, y, reach, 0.22 * reach), (92, 98, 112))
    stage.poly(frame, oval(x, y, 0.92 * reach, 0.20 * reach), (120, 128, 144))
    for k in range(16):
        a = angle + 2.0 * math.pi * k / 16.0
        lamp: Color = (255, 232, 160) if k % 2 else (255, 250, 236)
        stage.dot(
            frame, x + 0.96 * reach * math.cos(a), y + 0.21 * reach * math.sin(a), 0.008, lamp
        )


def poke(stage: Stage) -> Shot:
    """A finger pokes it here and there: a dent, and the dent springs back."""
    figure = stage.figure
    cycle_s = 1.5
    spots = [
        (figure.x + side * 0.30 * figure.width, figure.top + share * min(figure.height, 0.9), side)
        for side, share in ((1.0, 0.34), (-1.0, 0.5), (1.0, 0.62), (-1.0, 0.3))
    ]
    size = 0.30 * min(figure.width, figure.height)

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        number, within = int(t // cycle_s), (t % cycle_s) / cycle_s
        x, y, side = spots[number % len(spots)]
        depth = smooth((within - 0.16) / 0.24)
        if within > 0.46:
            depth = rebound((within - 0.46) * cycle_s, 3.0, 0.22)
        push = 0.62 * size * depth
        bump = np.exp(-(((u - x) / size) ** 2) - ((v - y) / (0.85 * size)) ** 2)
        shaken = np.exp(-(((u - figure.x) / figure.width) ** 2))
        body_u = u + side * push * (bump + 0.10 * shaken)
        body_v = v + 0.35 * push * bump * np.sign(v - y) * np.abs((v - y) / size)
        frame = stage.figure_over(stage.behind(u, v), body_u, body_v)
        tip = x + side * (0.42 * size - push) + side * 0.9 * (1.0 - smooth(within / 0.24))
        if within > 0.46:
            tip = x + side * (0.1 + 1.5 * smooth((within - 0.46) / 0.4))
        _draw_finger(stage, frame, tip, y, side)
        return frame

    return shot


def _draw_finger(stage: Stage, frame: Canvas, x: float, y: float, side: float) -> None:
    """A pointing hand whose fingertip touches `x`, coming from the given side."""
    skin, shade, nail = (240, 198, 170), (206, 154, 128), (252, 226, 214)

    def place(*pairs: tuple[float, float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return pts(*[(x + side * px, y + py) for px, py in pairs])

    stage.poly(frame, place((0.03, 0.034), (0.26, 0.042), (0.26, -0.042), (0.03, -0.034)), skin)
    stage.dot(frame, x + side * 0.034, y, 0.034, skin)
    stage.poly(frame, oval(x + side * 0.028, y - 0.014, 0.020, 0.012), nail)
    stage.poly(frame, oval(x + side * 0.34, y + 0.055, 0.13, 0.115), skin)
    for k in range(3):
        stage.poly(frame, oval(x + side * 0.27, y + 0.06 + 0.042 * k, 0.055, 0.026), skin)
        stage.line(frame, place((0.22, 0.082 + 0.042 * k), (0.32, 0.082 + 0.042 * k)), shade, 0.004)
    stage.poly(frame, place((0.40, -0.06), (0.40, 0.16), (1.4, 0.20), (1.4, -0.06)), skin)
    stage.poly(frame, place((0.52, -0.09), (0.52, 0.19), (1.6, 0.23), (1.6, -0.10)), (70, 104, 168))
    stage.poly(
        frame, place((0.50, -0.09), (0.50, 0.19), (0.54, 0.19), (0.54, -0.09)), (236, 238, 244)
    )


def inflate(stage: Stage) -> Shot:
    """Swells like a balloon, gets a string, and floats."""
    figure = stage.figure
    full_s = min(2.2, 0.45 * stage.duration_s)
    radius = 0.5 * max(figure.width, figure.height)

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        air = smooth(t / full_s)
        puff = air + 0.05 * math.sin(9.0 * t) * air * (1.0 - ramp(t, full_s, full_s + 1.0))
        float_up = ramp(t, 0.75 * full_s, 0.75 * full_s + 2.2)
        x = figure.x + 0.05 * float_up * math.sin(1.1 * t)
        y = figure.y - float_up * (0.10 + 0.03 * math.sin(1.7 * t))
        turn = 0.12 * float_up * math.sin(0.9 * t + 0.6)
        shrink = 1.0 - 0.30 * float_up
        du, dv = (u - x) / shrink, (v - y) / shrink
        du, dv = (
            du * math.cos(turn) + dv * math.sin(turn),
            dv * math.cos(turn) - du * math.sin(turn),
        )
        away = np.hypot(du, dv) / radius
        # A lens: the middle swells, the rim is drawn in, as a skin full of air.
        swell = 1.0 + puff * (0.85 * np.exp(-((away / 0.8) ** 2)) - 0.16)
        frame = stage.behind(u, v)
        if float_up > 0.0:
            knot_y = y + shrink * (figure.height / 2.0) * 0.94
            sway = [
                (x + 0.02 * k * math.sin(2.2 * t + 0.6 * k), knot_y + 0.09 * k) for k in range(10)
            ]
            stage.line(frame, pts(*sway), (250, 250, 250), 0.005)
        body_u, body_v = du / swell, figure.y + dv / swell
        # Whoever is cut off by the frame gets a round belly instead of a flat end.
        end = 0.497 - 0.16 * ramp(t, 0.0, full_s) * (body_u / (0.5 * figure.width)) ** 2
        weight = stage.scale_map(np.clip((end - body_v) * 50.0, 0.0, 1.0))
        frame = stage.figure_over(frame, figure.x + body_u, body_v, weight=weight)
        gloss = placed(oval(-0.32, -0.5, 0.16, 0.09, -0.6), x, y, shrink * radius * 0.8, turn)
        stage.poly(frame, gloss, (255, 255, 255), 0.30 * air)
        return frame

    return shot
