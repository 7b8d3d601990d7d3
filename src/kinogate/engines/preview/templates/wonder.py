"""Effects from tales of the air and of the eye: dragon, pupil, flying."""

from __future__ import annotations

import math

import cv2
import numpy as np

from kinogate.engines.preview.canvas import Canvas, Color, mix
from kinogate.engines.preview.keyframes import blend
from kinogate.engines.preview.pacing import ramp, smooth
from kinogate.engines.preview.templates.stage import Shot, Stage, oval, placed, pts


def dragon(stage: Stage) -> Shot:
    """A golden dragon flies around the figure, now behind it and now before it."""
    figure = stage.figure
    reach = min(0.86 * stage.half_width, 0.34 + 0.5 * figure.width)
    segments = 54

    def place(phase: float) -> tuple[float, float, float]:
        """Where the dragon is at a phase: x, y, and how near, -1–1."""
        x = figure.x + reach * math.sin(phase)
        y = -0.06 + 0.20 * math.sin(2.0 * phase + 0.6) * 0.8 + 0.10 * math.cos(phase)
        return x, y, math.cos(phase)

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        frame = stage.behind(u, v)
        stage.tint(frame, (28, 18, 40), 0.35 * smooth(t))
        head = 1.45 * t - 2.5
        body = [(*place(head - 0.045 * k), k) for k in range(segments)][::-1]
        body = [part for part in body if head - 0.045 * part[3] > -2.45]
        _draw_dragon(stage, frame, [p for p in body if p[2] < 0.0], t, place(head - 0.09))
        up = np.clip((figure.bottom - v) / figure.height, 0.0, 1.0)
        frame = stage.figure_over(frame, u - 0.010 * math.sin(2.0 * t) * smooth(t) * up, v)
        _draw_dragon(stage, frame, [p for p in body if p[2] >= 0.0], t, place(head - 0.09))
        return frame

    return shot


def _draw_dragon(
    stage: Stage, frame: Canvas, body: list[tuple[float, float, float, int]], t: float,
    behind_head: tuple[float, float, float],
) -> None:  # fmt: skip
    red, gold, belly = (206, 44, 38), (250, 196, 72), (252, 226, 150)
    glow = [(oval(x, y, 0.05, 0.05, corners=10), (70, 34, 6)) for x, y, _, k in body if k % 6 == 0]
    if glow:
        stage.light(frame, glow, blur=0.05)
    for x, y, near, k in body:
        size = (0.046 - 0.00066 * k) * (0.86 + 0.24 * near)
        bob = 0.012 * math.sin(5.0 * t - 0.5 * k)
        if k % 3 == 0:
            spike = pts((-0.55, -0.7), (0.0, -1.75), (0.55, -0.7))
            stage.poly(frame, placed(spike, x, y + bob, size), gold)
        if k in (10, 11, 30, 31):
            leg = pts(
                (-0.3, 0.4),
                (0.3, 0.4),
                (0.55, 1.7),
                (0.9, 2.0),
                (0.2, 1.95),
                (-0.2, 2.1),
                (0.0, 1.6),
            )
            stage.poly(frame, placed(leg, x, y + bob, size), mix(red, (90, 10, 20), 0.3))
        stage.dot(frame, x, y + bob, size, mix(red, (120, 16, 26), 0.5 - 0.5 * near))
        stage.dot(
            frame, x, y + bob + 0.32 * size, 0.62 * size, mix(belly, gold, 0.5 + 0.5 * math.sin(k))
        )
    if body and body[-1][3] == 0:
        x, y, near, _ = body[-1]
        facing = 1.0 if x >= behind_head[0] else -1.0
        turn = math.atan2(y - behind_head[1], abs(x - behind_head[0]) + 1e-3) * facing
        _draw_dragon_head(
            stage,
            frame,
            x,
            y + 0.012 * math.sin(5.0 * t),
            0.075 * (0.86 + 0.24 * near),
            turn,
            facing,
            t,
        )


def _draw_dragon_head(
    stage: Stage,
    frame: Canvas,
    x: float,
    y: float,
    size: float,
    turn: float,
    facing: float,
    t: float,
) -> None:
    red, dark, gold = (222, 54, 44), (130, 16, 26), (252, 206, 84)

    def put(points: list[tuple[float, float]], color: Color) -> None:
        stage.poly(frame, placed(pts(*points) * np.array([facing, 1.0]), x, y, size, turn), color)

    flick = 0.18 * math.sin(7.0 * t)
    for k in range(5):
        put(
            [(-0.5, -0.5 + 0.25 * k), (-1.5, -0.8 + 0.42 * k + flick), (-0.5, -0.2 + 0.25 * k)],
            gold,
        )
    put([(-0.2, -0.6), (-0.9, -1.5), (-0.75, -1.9), (-0.35, -1.2), (0.1, -0.7)], (250, 236, 200))
    put([(0.1, 0.35), (1.3, 0.55 + 0.5 * flick), (1.2, 0.30 + 0.4 * flick), (0.2, 0.1)], dark)
    put([(-0.8, -0.5), (0.0, -0.85), (0.6, -0.55), (1.5, -0.40), (1.62, -0.05), (1.3, 0.15), (0.4, 0.2),
         (0.2, 0.6), (-0.6, 0.6)], red)  # fmt: skip
    for k in range(4):
        put(
            [(0.55 + 0.22 * k, 0.14), (0.65 + 0.22 * k, 0.36), (0.73 + 0.22 * k, 0.14)],
            (255, 252, 240),
        )
    put([(0.15, -0.55), (0.55, -0.48), (0.5, -0.2), (0.15, -0.25)], (255, 244, 170))
    put([(0.32, -0.50), (0.45, -0.46), (0.42, -0.24), (0.32, -0.26)], (20, 12, 10))
    put([(1.35, -0.38), (1.55, -0.30), (1.45, -0.18)], dark)
    wave = [
        (1.4 + 0.12 * k, -0.1 + 0.06 * k + 0.16 * math.sin(6.0 * t - 0.8 * k) * k / 4.0)
        for k in range(9)
    ]
    whisker = placed(pts(*wave) * np.array([facing, 1.0]), x, y, size, turn)
    stage.line(frame, whisker, gold, 0.006)


def pupil(stage: Stage) -> Shot:
    """Dives into the eye, through the iris, and finds the same picture within."""
    figure = stage.figure
    eye_x, eye_y = _find_eye(stage)
    dive_s = min(3.6, 0.72 * stage.duration_s)
    deepest = math.log(16.0)
    rays = stage.dice.random(180)

    def shot(t: float) -> Canvas:
        within = t / dive_s
        lap = within % 1.0
        depth = (
            deepest * (lap**1.7)
            if within >= 1.0
            else deepest * within * within * smooth(0.35 + within)
        )
        scale = np.float32(math.exp(-depth))
        u, v = stage.drift(t, push=0.0)
        pull = 1.0 - math.exp(-1.6 * depth)
        centre_u, centre_v = eye_x * pull, eye_y * pull
        turn = 0.10 * depth
        cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
        frame = stage.picture(
            centre_u + (u * cos - v * sin) * scale, centre_v + (v * cos + u * sin) * scale
        )
        size = max(0.006, 0.105 * figure.face_size) * math.exp(depth)
        x, y = (eye_x - centre_u) / float(scale), (eye_y - centre_v) / float(scale)
        seen = ramp(depth, 0.7, 1.5)
        if seen > 0.0:
            _draw_iris(stage, frame, x, y, size, seen, rays, t)
        inner = ramp(depth, 0.72 * deepest, deepest)
        if inner > 0.0:
            frame = _within(stage, frame, x, y, 0.55 * size, inner, u, v)
        return frame

    return shot


def _find_eye(stage: Stage) -> tuple[float, float]:
    """The darkest spot on one side of the face, at about the height where eyes are."""
    figure, height = stage.figure, stage.height
    size = max(0.05, figure.face_size)
    x0 = round((figure.face_x - 0.62 * size) * height + stage.width / 2)
    x1 = round((figure.face_x - 0.10 * size) * height + stage.width / 2)
    y0, y1 = (round((figure.face_y + s * size + 0.5) * height) for s in (-0.60, 0.60))
    x0, y0 = max(0, x0), max(0, y0)
    region = stage.still[y0 : max(y0 + 2, y1), x0 : max(x0 + 2, x1)]
    if region.size == 0:
        return figure.face_x, figure.face_y
    luma = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY).astype(np.float32)
    # An eye is a dark dot next to something brighter than skin; a brow has no white beside it.
    reach = max(3, round(0.18 * size * height))
    dark = cv2.GaussianBlur(luma, (0, 0), max(0.8, 0.045 * size * height))
    white = cv2.dilate(luma, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, reach)))
    rows, columns = dark.shape
    off_x = np.linspace(-0.62, -0.10, columns)[None, :] + 0.32
    off_y = np.linspace(-0.60, 0.60, rows)[:, None] + 0.12
    score = 1.6 * white - dark - 300.0 * (off_x**2 + 0.5 * off_y**2)
    row, column = np.unravel_index(int(np.argmax(score)), score.shape)
    return (x0 + float(column) - stage.width / 2) / height, (y0 + float(row)) / height - 0.5


def _draw_iris(
    stage: Stage, frame: Canvas, x: float, y: float, size: float, seen: float,
    rays: np.ndarray[tuple[int, ...], np.dtype[np.float64]], t: float,
) -> None:  # fmt: skip
    """A drawn iris over the magnified eye, where the picture has no more detail to show."""
    radius = 1.35 * size
    stage.poly(frame, oval(x, y, radius, radius, corners=90), (58, 34, 22), seen)
    if seen < 0.5:
        return
    for i, wild in enumerate(rays.tolist()):
        a = 2.0 * math.pi * i / len(rays) + 0.12 * math.sin(0.6 * t)
        inner, outer = (0.60 + 0.10 * wild) * size, (1.08 + 0.22 * wild) * size
        color = mix((126, 74, 30), (232, 176, 88), wild * (seen * 2.0 - 1.0))
        ray = pts(
            (x + inner * math.cos(a), y + inner * math.sin(a)),
            (x + outer * math.cos(a), y + outer * math.sin(a)),
        )
        stage.line(frame, ray, color, 0.016 * size)
    stage.line(
        frame, oval(x, y, radius, radius, corners=90), (34, 20, 14), 0.07 * size, closed=True
    )
    stage.poly(frame, oval(x, y, 0.60 * size, 0.60 * size, corners=70), (6, 5, 8))
    stage.poly(
        frame,
        oval(x - 0.5 * size, y - 0.55 * size, 0.17 * size, 0.12 * size, -0.6),
        (255, 255, 255),
        0.75 * seen,
    )


def _within(
    stage: Stage, frame: Canvas, x: float, y: float, radius: float, shown: float,
    u: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    v: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> Canvas:  # fmt: skip
    """The picture itself, small in the pupil and coming nearer."""
    # At the end it fills the frame exactly: the next dive starts where this one ends.
    whole = stage.half_width + 0.8
    reach = math.exp((1.0 - shown) * math.log(0.9 * radius) + shown * math.log(whole))
    shrink = np.float32(min(1.0, reach / (stage.half_width + 0.15)))
    picture = stage.picture(
        (u - np.float32(x * (1 - shown))) / shrink, (v - np.float32(y * (1 - shown))) / shrink
    )
    away = np.hypot(u - np.float32(x), v - np.float32(y))
    round_ = np.clip((reach - away) / np.float32(0.12 * reach), 0.0, 1.0) * smooth(shown * 1.6)
    return blend(frame, picture, stage.scale_map(round_))


def flying(stage: Stage) -> Shot:
    """Takes off: the ground drops away, and the figure soars above the clouds."""
    figure, grid = stage.figure, stage.grid
    clouds = stage.dice.random((22, 5))
    sky = np.linspace(0.0, 1.0, 64, dtype=np.float32)[:, None, None]
    blue = (np.array([62, 132, 214]) * (1.0 - sky) + np.array([206, 232, 250]) * sky).astype(
        np.uint8
    )
    heaven: Canvas = np.asarray(
        cv2.resize(
            np.repeat(blue, 8, axis=1), (stage.width, stage.height), interpolation=cv2.INTER_LINEAR
        ),
        dtype=np.uint8,
    )
    up_s = min(2.8, 0.5 * stage.duration_s)

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        climb = smooth(t / up_s)
        high = 1.5 * climb * climb
        ground = stage.behind(
            u / np.float32(1.0 - 0.15 * climb), np.clip(v - np.float32(high), -0.6, 0.6)
        )
        edge = np.clip((grid.v - np.float32(high) + 0.62) / 0.3, 0.0, 1.0)
        frame = blend(heaven.copy(), ground, stage.scale_map(edge))
        _draw_clouds(stage, frame, clouds, t, climb, near=False)
        scale = 1.0 - 0.34 * climb
        x = figure.x + 0.10 * climb * math.sin(0.9 * t)
        y = figure.y - 0.03 * climb + 0.035 * climb * math.sin(1.6 * t)
        tilt = 0.16 * climb * math.sin(0.9 * t + 0.8)
        du, dv = (u - x) / scale, (v - y) / scale
        du, dv = (
            du * math.cos(tilt) + dv * math.sin(tilt),
            dv * math.cos(tilt) - du * math.sin(tilt),
        )
        flutter = 0.012 * climb * np.sin(9.0 * t + 12.0 * dv) * np.clip(dv + 0.2, 0.0, 1.0)
        body_v = figure.y + dv
        # Below the frame's rim there is no more of the figure, only its mirror image.
        end = stage.scale_map(1.0 - climb * np.clip((body_v - 0.49) * 60.0, 0.0, 1.0))
        frame = stage.figure_over(frame, figure.x + du + flutter, body_v, weight=end)
        _draw_clouds(stage, frame, clouds, t, climb, near=True)
        return frame

    return shot


def _draw_clouds(
    stage: Stage, frame: Canvas, clouds: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    t: float, climb: float, *, near: bool,
) -> None:  # fmt: skip
    """Clouds that rush down on the way up, then drift by; the near ones hide the feet."""
    half = stage.half_width
    for i, (x0, y0, size, drift, puff) in enumerate(clouds.tolist()):
        if near != (i % 3 == 0):
            continue
        scale = (0.11 + 0.10 * size) * (1.5 if near else 1.0)
        y = (0.40 + 0.12 * y0) if near else (-0.32 + 0.75 * y0)
        # Far ones come down as we rise; the near ones are the cover we come out of.
        y = y + 0.7 * (1.0 - climb) if near else y - 1.3 * (1.0 - climb) ** 2 * (1.0 + size)
        x = (
            (x0 * 2.6 * half + (0.05 + 0.10 * drift) * (1.6 if near else 1.0) * t) % (2.6 * half)
        ) - 1.3 * half
        if climb <= 0.0 or y < -0.75:
            continue
        shade: Color = (255, 255, 255) if near else (240, 246, 252)
        lobes = (
            (-1.0, 0.18, 0.55),
            (-0.35, -0.10, 0.80),
            (0.40, 0.0, 0.70),
            (1.0, 0.2, 0.5),
            (0.1, 0.28, 0.9),
        )
        for lx, ly, lr in lobes:
            r = scale * lr * (0.85 + 0.3 * puff)
            stage.poly(
                frame,
                oval(x + lx * scale, y + ly * scale + 0.10 * scale, r, 0.62 * r),
                mix(shade, (170, 196, 224), 0.5),
            )
        for lx, ly, lr in lobes:
            r = scale * lr * (0.85 + 0.3 * puff)
            stage.poly(frame, oval(x + lx * scale, y + ly * scale, r, 0.62 * r), shade)
