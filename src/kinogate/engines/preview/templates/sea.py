"""Effects under the sea: mermaid and jellyfish."""

from __future__ import annotations

import math

import cv2
import numpy as np

from kinogate.engines.preview.canvas import Canvas, Color, mix
from kinogate.engines.preview.pacing import ramp
from kinogate.engines.preview.templates.stage import Shot, Stage, oval, placed, pts

_DEEP: Color = (8, 52, 92)


def mermaid(stage: Stage) -> Shot:
    """Under water: the figure swims on a fish's tail among bubbles and moving light."""
    figure = stage.figure
    bubbles = stage.dice.random((46, 5))
    waist = figure.top + 0.80 * figure.height
    body = max(0.10, min(0.24, 0.36 * figure.width))

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        dive = ramp(t, 0.0, 1.6)
        ripple = 0.006 * dive
        frame = stage.behind(
            u + ripple * np.sin(18.0 * v + 2.2 * t), v + ripple * np.sin(14.0 * u + 1.7 * t)
        )
        _sink(stage, frame, t, dive)
        scale = 1.0 - 0.46 * dive
        x = figure.x + 0.05 * dive * math.sin(0.8 * t)
        y = figure.y - 0.15 * dive + 0.03 * dive * math.sin(1.5 * t)
        tilt = 0.12 * dive * math.sin(0.8 * t + 0.9)
        du, dv = (u - x) / scale, (v - y) / scale
        du, dv = (
            du * math.cos(tilt) + dv * math.sin(tilt),
            dv * math.cos(tilt) - du * math.sin(tilt),
        )
        wave = dive * 0.05 * np.sin(2.4 * t - 3.4 * dv) * np.clip(dv + 0.1, 0.0, 1.0)
        body_u, body_v = figure.x + du - wave, figure.y + dv
        # Below the waist the figure narrows into the tail.
        low = np.clip((body_v - waist + 0.16) / 0.16, 0.0, 1.0) * dive
        narrow = np.abs(body_u - figure.x) < body * 1.15 + (1.0 - low)
        keep = np.clip((waist + 0.05 - body_v) / 0.04, 0.0, 1.0) * narrow
        weight = stage.scale_map(1.0 - dive * (1.0 - keep))
        if dive > 0.02:
            _draw_tail(stage, frame, t, dive, x, y + scale * (waist - figure.y), scale * body, tilt)
        frame = stage.figure_over(frame, body_u, body_v, weight=weight)
        for x0, y0, speed, phase, size in bubbles.tolist():
            up = (y0 + (0.10 + 0.16 * speed) * t) % 1.2
            bx = (x0 - 0.5) * 2.1 * stage.half_width + 0.02 * math.sin(3.0 * t + 6.3 * phase)
            r = (0.006 + 0.016 * size * size) * min(1.0, dive * 1.5)
            stage.line(
                frame, oval(bx, 0.6 - up, r, r, corners=18), (206, 238, 250), 0.0022, closed=True
            )
            stage.dot(frame, bx - 0.4 * r, 0.6 - up - 0.4 * r, 0.22 * r, (255, 255, 255))
        return frame

    return shot


def _sink(stage: Stage, frame: Canvas, t: float, depth: float) -> None:
    """Blue water with shafts and caustic light."""
    stage.tint(frame, _DEEP, 0.62 * depth)
    x = np.linspace(-1.0, 1.0, 160, dtype=np.float32)[None, :] * np.float32(stage.half_width)
    y = np.linspace(-0.5, 0.5, 90, dtype=np.float32)[:, None]
    shafts = np.sin(9.0 * (x + 0.4 * y) + 0.8 * t) * np.sin(5.0 * (x + 0.4 * y) - 0.5 * t)
    web = np.abs(
        np.sin(13.0 * x + 3.0 * np.sin(6.0 * y + t)) + np.sin(15.0 * y + 3.0 * np.sin(7.0 * x - t))
    )
    light = (
        np.clip(shafts, 0.0, 1.0) * np.clip(0.55 - y, 0.0, 1.0) * 90.0
        + np.clip(0.22 - web, 0.0, 1.0) * 210.0
    )
    small = (light * np.float32(depth))[..., None] * np.array([0.45, 0.85, 0.95], dtype=np.float32)
    full = cv2.resize(
        np.clip(small, 0, 255).astype(np.uint8),
        (stage.width, stage.height),
        interpolation=cv2.INTER_LINEAR,
    )
    cv2.add(frame, full, dst=frame)


def _draw_tail(
    stage: Stage,
    frame: Canvas,
    t: float,
    grown: float,
    x: float,
    y: float,
    body: float,
    tilt: float,
) -> None:
    """A tail that swings more the farther it is from the waist, with scales and a fin."""
    length = 2.9 * body * grown + 0.02
    steps = np.linspace(0.0, 1.0, 26)
    swing = 0.55 * body * np.sin(2.4 * t - 3.2 * steps) * steps + tilt * length * steps * -0.6
    spine = np.stack([x + swing + 0.9 * body * steps**2, y + length * steps], axis=1)
    half = body * (1.0 - steps) ** 0.8 * 0.98 + 0.10 * body
    left = np.stack([spine[:, 0] - half, spine[:, 1]], axis=1)
    right = np.stack([spine[:, 0] + half, spine[:, 1]], axis=1)[::-1]
    end, before = spine[-1], spine[-3]
    turn = math.atan2(float(end[1] - before[1]), float(end[0] - before[0]))
    flap = 0.35 * math.sin(2.4 * t - 3.6)
    for side in (-1.0, 1.0):
        fin = pts((0.0, 0.0), (0.55, 0.30), (1.15, 0.85), (1.05, 0.30), (0.70, 0.0)) * np.array(
            [1.0, side]
        )
        shape = placed(
            fin, float(end[0]), float(end[1]) - 0.04, 1.35 * body * grown, turn + 0.5 * side * flap
        )
        stage.poly(frame, shape, (36, 170, 168))
        stage.line(frame, shape, (150, 236, 214), 0.003, closed=True)
    stage.poly(frame, np.concatenate([left, right]), (24, 140, 150))
    for row in range(1, 24, 2):
        count = 5
        for k in range(count):
            share = (k + 0.5 * ((row // 2) % 2)) / count * 2.0 - 0.9
            if abs(share) > 0.95:
                continue
            cx = float(spine[row][0]) + share * float(half[row])
            r = float(half[row]) / count * 1.05
            color = mix(
                (30, 176, 172), (150, 240, 206), 0.5 + 0.5 * math.sin(1.7 * row + 2.0 * k + 2.0 * t)
            )
            stage.poly(frame, oval(cx, float(spine[row][1]), r, 1.15 * r, corners=14), color)
    belt = np.concatenate([oval(x, y, 1.12 * body, 0.20 * body)])
    stage.poly(frame, belt, (250, 214, 120))


def jellyfish(stage: Stage) -> Shot:
    """Glowing jellyfish float up around the figure in the dark of the sea."""
    figure = stage.figure
    rows = stage.dice.random((9, 6))
    colors: tuple[Color, ...] = ((255, 130, 214), (120, 214, 255), (190, 150, 255), (130, 255, 220))

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        dusk = ramp(t, 0.0, 1.4)
        sway = 0.012 * dusk * np.sin(1.4 * t + 3.0 * v)
        frame = stage.behind(u + sway, v)
        stage.tint(frame, (10, 14, 58), 0.66 * dusk)
        for i, row in enumerate(rows.tolist()):
            if i % 3 != 0:
                _draw_jellyfish(stage, frame, row, colors[i % 4], t, dusk, i)
        up = np.clip((figure.bottom - v) / figure.height, 0.0, 1.0)

        def moonlit(pixels: Canvas) -> Canvas:
            night = (pixels * np.array([0.62, 0.70, 1.0], dtype=np.float32)).astype(np.uint8)
            return np.asarray(cv2.addWeighted(pixels, 1.0 - dusk, night, dusk, 0.0), dtype=np.uint8)

        frame = stage.figure_over(frame, u + sway * up, v, tone=moonlit)
        for i, row in enumerate(rows.tolist()):
            if i % 3 == 0:
                _draw_jellyfish(stage, frame, row, colors[i % 4], t, dusk, i)
        return frame

    return shot


def _draw_jellyfish(
    stage: Stage, frame: Canvas, row: list[float], color: Color, t: float, dusk: float, i: int
) -> None:
    x0, y0, speed, phase, scale, lean = row
    half, figure = stage.half_width, stage.figure
    size = (0.05 + 0.055 * scale) * dusk
    beat = 2.6 * t * (0.8 + 0.4 * speed) + 6.3 * phase
    squeeze = 0.5 + 0.5 * math.sin(beat)
    rise = (y0 + (0.055 + 0.05 * speed) * t + 0.012 * math.sin(beat)) % 1.5
    x = (((i * 0.618 + x0 * 0.3) % 1.0) - 0.5) * 1.9 * half + 0.05 * math.sin(0.7 * t + 6.3 * lean)
    if i % 3 == 0:  # before the figure, but at its sides
        x = figure.x + math.copysign(max(abs(x - figure.x), 0.42 * figure.width), x - figure.x)
    y = 0.72 - rise
    if size < 0.01 or abs(y) > 0.75:
        return
    wide, tall = size * (1.0 + 0.22 * (1.0 - squeeze)), size * (0.72 + 0.20 * squeeze)
    a = np.linspace(math.pi, 2.0 * math.pi, 22)
    dome = np.stack([x + wide * np.cos(a), y + tall * np.sin(a)], axis=1)
    hem = np.stack(
        [
            np.linspace(x + wide, x - wide, 13),
            y + 0.10 * size * np.abs(np.sin(np.linspace(0, 6 * math.pi, 13))),
        ],
        axis=1,
    )
    bell = np.concatenate([dome, hem])
    dim: Color = (color[0] * 5 // 10, color[1] * 5 // 10, color[2] * 5 // 10)
    stage.light(frame, [(bell, dim)], blur=0.05, strength=1.5)
    for k in range(7):
        steps = np.linspace(0.0, 1.0, 12)
        tx = (
            x
            + (k - 3) * 0.26 * wide
            + 0.14 * size * np.sin(beat * 0.8 - 4.0 * steps + k) * steps * 2.0
        )
        ty = y + steps * size * (1.7 + 0.5 * math.sin(1.7 * k))
        stage.line(frame, np.stack([tx, ty], axis=1), mix(color, (40, 40, 110), 0.25), 0.05 * size)
    stage.poly(frame, bell, color, 0.55)
    stage.poly(
        frame,
        oval(x, y - 0.25 * tall, 0.62 * wide, 0.42 * tall),
        mix(color, (255, 255, 255), 0.6),
        0.5,
    )
    stage.line(frame, dome, mix(color, (255, 255, 255), 0.55), 0.05 * size)
