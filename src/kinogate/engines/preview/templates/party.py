"""Effects with a crowd of things in the air: carousel, graduation, money."""

from __future__ import annotations

import math

import numpy as np

from kinogate.engines.preview.canvas import Canvas, Color, mix
from kinogate.engines.preview.pacing import overshoot, ramp, rebound, smooth
from kinogate.engines.preview.templates.stage import Floats, Shot, Stage, oval, placed, pts

_HORSE = np.array(
    [
        (-0.50, -0.10), (-0.42, -0.22), (-0.20, -0.26), (0.05, -0.22), (0.22, -0.28), (0.32, -0.52),
        (0.40, -0.62), (0.43, -0.72), (0.48, -0.62), (0.62, -0.50), (0.66, -0.42), (0.58, -0.38),
        (0.46, -0.42), (0.40, -0.20), (0.34, 0.00), (0.46, 0.16), (0.62, 0.20), (0.62, 0.28),
        (0.42, 0.26), (0.26, 0.08), (0.00, 0.10), (-0.22, 0.06), (-0.34, 0.22), (-0.30, 0.44),
        (-0.40, 0.46), (-0.46, 0.20), (-0.44, 0.04), (-0.58, 0.06), (-0.66, 0.26), (-0.70, 0.04),
        (-0.60, -0.12),
    ]
)  # fmt: skip


def carousel(stage: Stage) -> Shot:
    """A merry-go-round: horses bob on their poles under a lit canopy while the world slides by."""
    figure, half = stage.figure, stage.half_width
    coats: tuple[Color, ...] = ((250, 244, 236), (238, 190, 196), (196, 218, 240), (250, 226, 170))

    def shot(t: float) -> Canvas:
        built = ramp(t, 0.0, 1.3)
        angle = 0.75 * (t - 0.8 * (1.0 - math.exp(-t / 0.8)))
        u, v = stage.drift(t)
        frame = stage.behind(_mirror(u + 0.55 * angle, half), v)
        stage.tint(frame, (70, 34, 60), 0.28 * built)
        horses = sorted(((math.cos(a), a) for a in _places(angle, 7)), key=lambda item: item[0])
        for depth, a in horses:
            if depth < 0.0:
                _draw_horse(stage, frame, half, a, t, coats, built)
        bob = 0.035 * built * math.sin(2.4 * t)
        swing = 0.05 * built * math.sin(0.75 * t)
        frame = stage.figure_over(frame, u - swing, v - bob)
        for depth, a in horses:
            if depth >= 0.0 and abs(math.sin(a)) * half * 1.15 > 0.55 * figure.width + 0.10:
                _draw_horse(stage, frame, half, a, t, coats, built)
        _draw_canopy(stage, frame, half, angle, t, built)
        return frame

    return shot


def _places(angle: float, count: int) -> list[float]:
    return [
        (angle + 2.0 * math.pi * k / count + math.pi) % (2.0 * math.pi) - math.pi
        for k in range(count)
    ]


def _mirror(u: Floats, half: float) -> Floats:
    """Fold an endless line back and forth into the frame's width."""
    folded = np.abs((u + half) % (4.0 * half) - 2.0 * half) - half
    return np.asarray(folded, dtype=np.float32)


def _draw_horse(
    stage: Stage, frame: Canvas, half: float, a: float, t: float, coats: tuple[Color, ...],
    built: float,
) -> None:  # fmt: skip
    depth = 0.5 + 0.5 * math.cos(a)
    x = math.sin(a) * half * 1.15
    size = (0.19 + 0.25 * depth) * built
    y = 0.20 + 0.10 * depth + 0.06 * math.sin(2.4 * t + 2.2 * a) + 0.7 * (1.0 - built)
    gold: Color = (226, 184, 92)
    dim = 0.55 + 0.45 * depth
    coat = mix((60, 34, 60), coats[round(abs(a) * 7) % len(coats)], dim)
    stage.line(
        frame, pts((x, -0.5), (x, 0.55)), mix((60, 34, 60), gold, dim), 0.012 + 0.008 * depth
    )
    facing = 1.0 if math.cos(a) > 0 else -1.0
    body = _HORSE * np.array([-facing, 1.0])
    stage.poly(frame, placed(body, x, y, size), coat)
    saddle = placed(oval(0.02, -0.20, 0.20, 0.10), x, y, size)
    stage.poly(frame, saddle, mix((60, 34, 60), (206, 52, 74), dim))
    crest = np.array([(0.24, -0.28), (0.30, -0.56), (0.42, -0.70), (0.26, -0.60), (0.14, -0.26)])
    stage.poly(
        frame, placed(crest * np.array([-facing, 1.0]), x, y, size), mix((60, 34, 60), gold, dim)
    )


def _draw_canopy(
    stage: Stage, frame: Canvas, half: float, angle: float, t: float, built: float
) -> None:
    top = -0.5 - 0.3 * (1.0 - built)
    count = 16
    for k in range(count):
        a0, a1 = (angle + 2.0 * math.pi * (k + e) / count for e in (0.0, 1.0))
        if math.cos((a0 + a1) / 2.0) < -0.15:
            continue
        x0, x1 = math.sin(a0) * half * 1.12, math.sin(a1) * half * 1.12
        y0, y1 = (top + 0.115 + 0.05 * math.cos(a) for a in (a0, a1))
        color: Color = (206, 52, 74) if k % 2 else (252, 240, 222)
        stage.poly(
            frame, pts((0.3 * x0, top - 0.02), (0.3 * x1, top - 0.02), (x1, y1), (x0, y0)), color
        )
        drop = [
            (x0 + (x1 - x0) * s, y0 + (y1 - y0) * s + 0.035 * math.sin(math.pi * s))
            for s in np.linspace(0, 1, 9)
        ]
        stage.poly(frame, pts(*drop), (238, 196, 96))
    floor = 0.5 + 0.25 * (1.0 - built)
    rim = oval(0.0, floor - 0.02, half * 1.15, 0.075)
    stage.poly(frame, rim, (126, 46, 62))
    lamps = []
    for k in range(36):
        a = angle + 2.0 * math.pi * k / 36.0
        if math.cos(a) < -0.1:
            continue
        bright = 0.55 + 0.45 * math.sin(6.0 * t + 2.1 * k)
        x = math.sin(a) * half * 1.12
        for y in (top + 0.135 + 0.05 * math.cos(a), floor - 0.03 + 0.06 * math.cos(a)):
            stage.dot(frame, x, y, 0.009, mix((255, 190, 90), (255, 252, 232), bright))
            glow: Color = (round(150 * bright), round(110 * bright), round(44 * bright))
            lamps.append((oval(x, y, 0.022, 0.022, corners=12), glow))
    stage.light(frame, lamps, blur=0.02, strength=1.6 * built)


def graduation(stage: Stage) -> Shot:
    """A mortarboard lands on the head, the tassel swings, and confetti comes down."""
    figure, dice = stage.figure, stage.dice
    lands_s = min(1.5, 0.3 * stage.duration_s)
    size = max(0.13, min(0.34, 0.95 * _head_width(stage)))
    confetti = dice.random((190, 7))
    colors: tuple[Color, ...] = (
        (236, 74, 84),
        (250, 196, 60),
        (70, 160, 226),
        (104, 190, 96),
        (176, 104, 210),
        (255, 255, 255),
    )

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        after = t - lands_s
        nod = 0.03 * rebound(after, 1.8, 0.5) * float(after > 0) + 0.012 * math.sin(
            3.1 * t
        ) * smooth(t - lands_s)
        head = np.exp(-(((v - figure.face_y) / 0.34) ** 2))
        frame = stage.figure_over(stage.behind(u, v), u - 0.4 * nod * head, v - nod * head)
        fall = overshoot(min(1.0, t / lands_s)) if t < lands_s else 1.0
        turn = 0.9 * (1.0 - fall) + 0.05 * math.sin(2.6 * t) * min(1.0, max(0.0, after))
        _draw_cap(
            stage,
            frame,
            figure.face_x + 0.4 * nod,
            figure.top + 0.10 * size + nod - 0.9 * (1.0 - fall),
            size,
            turn,
            t,
        )
        for i, (x0, y0, speed, phase, spin, kind, wide) in enumerate(confetti.tolist()):
            since = t - 0.6 * lands_s - 2.6 * phase
            if since <= 0.0:
                continue
            y = -0.6 - 0.2 * y0 + (((0.26 + 0.3 * speed) * since) % 1.4)
            x = (x0 - 0.5) * 2.1 * stage.half_width + 0.05 * math.sin(3.0 * since + 6.3 * phase)
            flip = math.cos((3.0 + 5.0 * spin) * since + 6.3 * phase)
            half_w, half_h = 0.006 + 0.006 * wide, (0.009 + 0.006 * kind) * max(0.15, abs(flip))
            strip = pts((-half_w, -half_h), (half_w, -half_h), (half_w, half_h), (-half_w, half_h))
            color = mix(colors[i % len(colors)], (0, 0, 0), 0.25 * float(flip < 0))
            stage.poly(frame, placed(strip, x, y, 1.0, 6.3 * phase + 2.0 * spin * since), color)
        return frame

    return shot


def _head_width(stage: Stage) -> float:
    """How wide the figure is a little below its top."""
    figure = stage.figure
    mask = figure.mask
    rows = int(mask.shape[0])
    row = min(rows - 1, round((figure.top + 0.5 + 0.16 * figure.height) * rows))
    return int(np.count_nonzero(mask[row] > 0.5)) / rows


def _draw_cap(
    stage: Stage, frame: Canvas, x: float, y: float, size: float, turn: float, t: float
) -> None:
    dark, light, gold = (28, 30, 44), (52, 56, 78), (240, 196, 72)
    skull = pts((-0.36, -0.12), (0.36, -0.12), (0.40, 0.18), (0.0, 0.26), (-0.40, 0.18))
    board = pts((-0.86, -0.16), (0.0, -0.42), (0.86, -0.16), (0.0, 0.08))
    stage.poly(frame, placed(skull, x, y, size, turn), dark)
    stage.poly(frame, placed(board + np.array([0.0, 0.035]), x, y, size, turn), dark)
    stage.poly(frame, placed(board, x, y, size, turn), light)
    swing = 0.22 * math.sin(3.4 * t)
    cord = pts((0.0, -0.17), (0.62, -0.13), (0.68 + 0.3 * swing, 0.10), (0.70 + swing, 0.30))
    stage.line(frame, placed(cord, x, y, size, turn), gold, 0.030 * size)
    tuft = pts(
        (0.66 + swing, 0.26),
        (0.74 + swing, 0.26),
        (0.79 + 1.2 * swing, 0.48),
        (0.63 + 1.2 * swing, 0.48),
    )
    stage.poly(frame, placed(tuft, x, y, size, turn), gold)
    stage.poly(frame, placed(oval(0.0, -0.17, 0.05, 0.03), x, y, size, turn), gold)


def money(stage: Stage) -> Shot:
    """Banknotes and coins rain down, behind and before a figure that bounces with joy."""
    figure, dice = stage.figure, stage.dice
    notes = dice.random((64, 7))

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        joy = smooth((t - 0.6) / 1.0)
        hop = 0.022 * joy * abs(math.sin(4.2 * t))
        frame = stage.behind(u, v)
        _rain(frame, t, 0.0, 0.55)
        up = (figure.bottom - v) / (1.0 + 1.2 * hop)
        frame = stage.figure_over(
            frame, u - 0.02 * joy * math.sin(4.2 * t) * np.clip(up, 0, 1), figure.bottom - up
        )
        _rain(frame, t, 0.55, 1.01)
        return frame

    def _rain(frame: Canvas, t: float, low: float, high: float) -> None:
        for i, row in enumerate(notes.tolist()):
            x0, y0, near, phase, spin, tilt, kind = row
            since = t - 3.0 * y0
            if not low <= near < high or since <= 0.0:
                continue
            scale = 0.55 + 0.75 * near
            drop = ((0.20 + 0.30 * near + 0.12 * spin) * since) % 1.45
            x = (x0 - 0.5) * 2.2 * stage.half_width + 0.08 * scale * math.sin(
                1.7 * since + 6.3 * phase
            )
            y = -0.68 + drop
            if low > 0.0 and abs(x - figure.face_x) < 1.3 * figure.face_size:
                continue  # before the figure, but never before its face
            if kind < 0.22:
                _draw_coin(stage, frame, x, y, 0.036 * scale, 5.0 * since + 6.3 * phase)
            else:
                turn = 6.3 * tilt + (spin - 0.5) * 1.8 * since
                flip = math.sin((1.6 + 2.2 * spin) * since + 6.3 * phase)
                _draw_note(stage, frame, x, y, scale, turn, flip, i)

    return shot


def _draw_note(
    stage: Stage, frame: Canvas, x: float, y: float, scale: float, turn: float, flip: float, i: int
) -> None:
    """A banknote of no country: a curl across, a frame, a medallion."""
    tall = 0.052 * math.copysign(max(0.16, abs(flip)), flip)
    side = np.linspace(-0.105, 0.105, 9)
    curl = 0.016 * np.sin(side * 26.0 + i)
    upper = np.stack([side, curl - tall], axis=1)
    lower = np.stack([side, curl + tall], axis=1)[::-1]
    outline = np.concatenate([upper, lower])
    green = mix((112, 172, 116), (74, 128, 86), 0.5 - 0.5 * flip)
    stage.poly(frame, placed(outline, x, y, scale, turn), mix(green, (250, 252, 240), 0.55))
    stage.poly(frame, placed(outline * 0.90, x, y, scale, turn), green)
    stage.poly(
        frame,
        placed(outline * np.array([0.80, 0.76]), x, y, scale, turn),
        mix(green, (250, 252, 240), 0.25),
    )
    stage.poly(
        frame,
        placed(oval(0.0, 0.0, 0.034, abs(tall) * 0.62, corners=20), x, y, scale, turn),
        mix(green, (20, 60, 40), 0.45),
    )
    stage.poly(
        frame,
        placed(oval(0.0, 0.0, 0.018, abs(tall) * 0.34, corners=16), x, y, scale, turn),
        (236, 222, 150),
    )


def _draw_coin(stage: Stage, frame: Canvas, x: float, y: float, r: float, phase: float) -> None:
    thin = max(0.12, abs(math.cos(phase)))
    stage.poly(frame, oval(x + 0.12 * r, y, r * thin, r, corners=24), (168, 118, 36))
    stage.poly(frame, oval(x, y, r * thin, r, corners=24), (248, 206, 84))
    stage.poly(frame, oval(x, y, 0.68 * r * thin, 0.68 * r, corners=20), (228, 176, 56))
    if abs(math.cos(phase)) > 0.9:
        stage.poly(
            frame, oval(x - 0.3 * r, y - 0.35 * r, 0.18 * r, 0.10 * r, -0.6), (255, 250, 220)
        )
