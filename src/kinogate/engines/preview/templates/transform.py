"""Effects that make something else of the picture: hanfu-1, solaron, magazine."""

from __future__ import annotations

import math

import cv2
import numpy as np

from kinogate.engines.preview.canvas import Canvas, Color, mix
from kinogate.engines.preview.keyframes import blend
from kinogate.engines.preview.pacing import overshoot, smooth
from kinogate.engines.preview.templates.stage import Floats, Shot, Stage, oval, placed, pts


def hanfu(stage: Stage) -> Shot:
    """A silk curtain passes; behind it the picture is ink on paper and the figure wears a robe."""
    figure, grid = stage.figure, stage.grid
    petals = stage.dice.random((30, 5))
    passes_s = min(2.6, 0.55 * stage.duration_s)
    half = stage.half_width
    ink = _ink(stage)
    collar_y = figure.face_y + 1.15 * figure.face_size

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        way = smooth((t - 0.1) / passes_s)
        front = -half - 0.75 + way * (2.0 * half + 1.5)
        before = stage.figure_over(stage.behind(u, v), u, v)
        if way <= 0.0:
            return before
        after = _pull_ink(stage, ink, u, v)
        sway = 0.008 * np.sin(1.6 * t + 2.0 * v)

        def silk(pixels: Canvas) -> Canvas:
            dressed = _robe(stage, pixels, u, v, collar_y)
            _draw_collar(stage, dressed, figure.face_x - 0.008 * math.sin(1.6 * t), collar_y)
            return dressed

        after = stage.figure_over(after, u + sway, v, tone=silk)
        wave = 0.06 * np.sin(7.0 * grid.v + 2.6 * t) + 0.03 * np.sin(15.0 * grid.v - 3.4 * t)
        frame = blend(
            before, after, stage.scale_map(np.clip((front + wave - grid.u) * 60.0, 0.0, 1.0))
        )
        _draw_curtain(stage, frame, front, wave, t)
        _draw_blossom(stage, frame, petals, t, smooth(t - 0.4 * passes_s))
        return frame

    return shot


def _ink(stage: Stage) -> Canvas:
    """The ground as an ink wash on paper, drawn once."""
    pixels = stage.ground.pixels
    small = cv2.resize(pixels, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (0, 0), small.shape[0] / 90.0)
    wash = grey.astype(np.float32)
    low, high = np.percentile(wash, (2.0, 98.0))
    share = np.clip((wash - low) / max(1.0, float(high - low)), 0.0, 1.0)[..., None] * 0.34 + 0.66
    rows, columns = grey.shape
    x, y = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    for base, tall, tone in ((0.48, 0.24, 0.20), (0.62, 0.18, 0.30), (0.78, 0.12, 0.24)):
        ridge = base - tall * np.abs(np.sin(5.0 * x + 9.0 * base) * np.sin(2.3 * x + 3.0 * base))
        depth = np.clip((y - ridge) / 0.012, 0.0, 1.0) * np.exp(
            -np.clip(y - ridge, 0.0, 1.0) / 0.16
        )
        share = share * (1.0 - tone * depth[..., None])
    paper = np.array([246.0, 238.0, 222.0], dtype=np.float32)
    tinted = np.clip(share * paper, 0.0, 255.0).astype(np.uint8)
    size = (pixels.shape[1], pixels.shape[0])
    return np.asarray(cv2.resize(tinted, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _pull_ink(stage: Stage, ink: Canvas, u: Floats, v: Floats) -> Canvas:
    margin = (stage.ground.margin_x, stage.ground.margin_y)
    return stage.grid.pull(ink, np.asarray(u, np.float32), np.asarray(v, np.float32), margin=margin)


def _robe(stage: Stage, pixels: Canvas, u: Floats, v: Floats, collar_y: float) -> Canvas:
    """Below the collar the figure's own light and shade, in patterned silk."""
    figure = stage.figure
    reach = 0.35 * figure.face_size
    edge = collar_y + 0.55 * np.abs(u - figure.face_x) * (np.abs(u - figure.face_x) < 2.2 * reach)
    below = stage.scale_map(np.clip((v - edge) * 40.0, 0.0, 1.0))
    flower = np.sin(58.0 * u) * np.sin(58.0 * v) > 0.78
    folds = 0.84 + 0.16 * np.sin(26.0 * (u - figure.face_x) + 5.0 * v)
    cloth = np.empty((*u.shape, 3), dtype=np.float32)
    cloth[:] = (44.0, 112.0, 128.0)
    cloth[flower] = (214.0, 190.0, 132.0)
    cloth *= folds[..., None]
    cells = np.clip(cloth[1:-1, 1:-1], 0.0, 255.0).astype(np.uint8)
    size = (cells.shape[1] * 8, cells.shape[0] * 8)
    full = cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR)[: stage.height, : stage.width]
    silk = cv2.addWeighted(np.ascontiguousarray(full), 0.88, pixels, 0.12, 0.0)
    return blend(pixels, np.asarray(silk, dtype=np.uint8), below)


def _draw_collar(stage: Stage, frame: Canvas, x: float, y: float) -> None:
    """The crossed collar, right over left from where we stand, and a sash."""
    s = 1.0 * stage.figure.face_size
    cream, edge = (244, 236, 214), (176, 58, 52)
    for side in (1.0, -1.0):
        # From beside the neck down across the chest; the second band lies over the first.
        band = [
            (0.62, -0.36),
            (0.40, -0.42),
            (0.22, 0.20),
            (-0.70, 1.70),
            (-0.36, 1.84),
            (0.46, 0.36),
        ]
        shape = pts(*band) * np.array([side, 1.0])
        stage.poly(frame, placed(shape, x, y, s), cream)
        stage.line(frame, placed(shape[[0, 5, 4]], x, y, s), edge, 0.06 * s)
    sash = pts((-1.5, 1.72), (1.5, 1.72), (1.5, 2.15), (-1.5, 2.15))
    if y + 2.2 * s < 0.55:
        stage.poly(frame, placed(sash, x, y, s), edge)


def _draw_curtain(stage: Stage, frame: Canvas, front: float, wave: Floats, t: float) -> None:
    """Red silk about three quarters of a frame height wide, its folds travelling with it."""
    grid = stage.grid
    place = grid.u - front - wave
    inside = np.clip((0.70 - place) * 9.0, 0.0, 1.0) * np.clip((place + 0.02) * 34.0, 0.0, 1.0)
    if float(inside.max()) <= 0.0:
        return
    fold = 0.5 + 0.5 * np.sin(30.0 * place + 3.0 * np.sin(3.0 * grid.v + 1.4 * t))
    shine = fold**3
    cloth = np.empty((*grid.shape, 3), dtype=np.float32)
    cloth[:] = (152.0, 22.0, 34.0)
    cloth += shine[..., None] * np.array([84.0, 44.0, 44.0], dtype=np.float32)
    cloth -= (1.0 - fold)[..., None] * np.array([56.0, 10.0, 12.0], dtype=np.float32)
    cells = np.clip(cloth[1:-1, 1:-1], 0.0, 255.0).astype(np.uint8)
    size = (cells.shape[1] * 8, cells.shape[0] * 8)
    full = cv2.resize(cells, size, interpolation=cv2.INTER_CUBIC)[: stage.height, : stage.width]
    weight = stage.scale_map(inside * 0.96)
    frame[:] = blend(frame, np.ascontiguousarray(full), weight)


def _draw_blossom(stage: Stage, frame: Canvas, petals: Floats, t: float, shown: float) -> None:
    for x0, y0, speed, phase, size in petals.tolist():
        if shown <= 0.0:
            return
        y = -0.6 + (y0 + (0.08 + 0.10 * speed) * t) % 1.2
        x = (x0 - 0.5) * 2.1 * stage.half_width + 0.10 * math.sin(1.1 * t + 6.3 * phase)
        long = (0.008 + 0.010 * size) * shown
        flat = max(0.25, abs(math.cos(1.6 * t + 6.3 * phase)))
        shape = placed(
            oval(0.0, 0.0, long, 0.7 * long * flat, corners=16), x, y, 1.0, 1.2 * t + 9.0 * phase
        )
        stage.poly(frame, shape, mix((248, 196, 206), (236, 140, 160), size))


def solaron(stage: Stage) -> Shot:
    """A sun rises behind the figure, flares, and sets it alight with gold."""
    figure = stage.figure
    embers = stage.dice.random((90, 5))
    x, y = figure.face_x, max(-0.22, figure.face_y)
    flares_s = min(2.6, 0.5 * stage.duration_s)

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        power = smooth((t - 0.1) / flares_s)
        burst = math.exp(-(((t - flares_s) / 0.35) ** 2))
        frame = stage.behind(u, v)
        stage.tint(frame, (58, 14, 6), 0.72 * power)
        _draw_sun(stage, frame, x, y, power, burst, t)

        def gilded(pixels: Canvas) -> Canvas:
            """Gold by brightness, kept half transparent."""
            grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
            gold = cv2.merge(
                [
                    cv2.convertScaleAbs(grey, alpha=1.25, beta=22),
                    cv2.convertScaleAbs(grey, alpha=0.86),
                    cv2.convertScaleAbs(grey, alpha=0.36),
                ]
            )
            return np.asarray(
                cv2.addWeighted(pixels, 1.0 - 0.5 * power, gold, 0.5 * power, 0.0), dtype=np.uint8
            )

        up = np.clip((figure.bottom - v) / figure.height, 0.0, 1.0)
        frame = stage.figure_over(
            frame, u - 0.008 * math.sin(2.0 * t) * power * up, v + 0.02 * power * up, tone=gilded
        )
        glow = round(70 * power + 110 * burst)
        stage.light(
            frame,
            [
                (
                    oval(x, y, 0.5 + 0.5 * burst, 0.4 + 0.4 * burst),
                    (glow, glow * 6 // 10, glow * 2 // 10),
                )
            ],
            blur=0.2,
        )
        for x0, y0, speed, phase, size in embers.tolist():
            rise = (y0 + (0.18 + 0.35 * speed) * t) % 1.2
            ex = (x0 - 0.5) * 2.0 * stage.half_width + 0.03 * math.sin(4.0 * t + 6.3 * phase)
            spark = (0.0012 + 0.0035 * size * size) * power
            stage.dot(frame, ex, 0.6 - rise, spark, mix((255, 120, 30), (255, 240, 170), size))
        return frame

    return shot


def _draw_sun(
    stage: Stage, frame: Canvas, x: float, y: float, power: float, burst: float, t: float
) -> None:
    size = (0.30 + 0.10 * burst) * power + 0.01
    rays = []
    for k in range(22):
        a = 2.0 * math.pi * k / 22.0 + 0.22 * t
        long = size * (1.7 + 0.7 * math.sin(2.3 * t + 1.7 * k) + 1.5 * burst)
        wide = 0.055 if k % 2 else 0.03
        tip = (x + long * math.cos(a), y + long * math.sin(a))
        left = (x + 0.8 * size * math.cos(a - wide * 2), y + 0.8 * size * math.sin(a - wide * 2))
        right = (x + 0.8 * size * math.cos(a + wide * 2), y + 0.8 * size * math.sin(a + wide * 2))
        rays.append((pts(left, tip, right), (255, 150, 40)))
    stage.light(frame, rays, blur=0.012, strength=power)
    stage.light(
        frame, [(oval(x, y, 1.5 * size, 1.5 * size), (190, 84, 16))], blur=0.12, strength=power
    )
    stage.poly(frame, oval(x, y, size, size, corners=80), (255, 196, 72), power)
    stage.poly(
        frame, oval(x, y, 0.86 * size, 0.86 * size, corners=80), (255, 232, 150), 0.8 * power
    )
    for k in range(3):
        a = 0.5 * t + 2.1 * k
        loop = np.linspace(-0.45, 0.45, 14)
        r = size * (1.02 + 0.22 * (1.0 - (loop / 0.45) ** 2) * (0.7 + 0.3 * math.sin(2.0 * t + k)))
        arc = np.stack([x + r * np.cos(a + loop), y + r * np.sin(a + loop)], axis=1)
        stage.line(frame, arc, (255, 150, 50), 0.010)


def magazine(stage: Stage) -> Shot:
    """Flashes go off, the picture becomes a cover, and the lines of type slide in."""
    figure, half = stage.figure, stage.half_width
    forms_s = min(2.0, 0.4 * stage.duration_s)
    flashes = (0.35 * forms_s, 0.65 * forms_s, forms_s)
    page_half = min(half * 0.92, 0.36)
    lean_x = max(-half + page_half, min(half - page_half, figure.face_x))

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t, push=0.0)
        formed = smooth(t / forms_s)
        tilt = 0.05 * formed * math.sin(0.9 * t)
        scale = 1.0 - 0.08 * formed
        du, dv = u / scale, v / scale
        page_u, page_v = (
            du * math.cos(tilt) + dv * math.sin(tilt),
            dv * math.cos(tilt) - du * math.sin(tilt),
        )
        # The page hangs in the middle; its picture is centred on the face.
        inner_u, inner_v = page_u + lean_x * formed, page_v
        desk = stage.behind(u * 0.7, v * 0.7)
        desk = np.asarray(
            cv2.GaussianBlur(
                cv2.resize(desk, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA),
                (0, 0),
                3.0,
            ),
            dtype=np.uint8,
        )
        desk = np.asarray(
            cv2.resize(desk, (stage.width, stage.height), interpolation=cv2.INTER_LINEAR),
            dtype=np.uint8,
        )
        stage.tint(desk, (30, 30, 38), 0.35 * formed)
        width = half + 0.1 - (half + 0.1 - page_half) * formed
        inside = np.clip((width - np.abs(page_u)) * 90.0, 0.0, 1.0) * np.clip(
            (0.5 - np.abs(page_v)) * 90.0 + (1.0 - formed) * 9.0, 0.0, 1.0
        )
        shade = np.clip((width + 0.03 - np.abs(page_u - 0.015)) * 14.0, 0.0, 1.0) * np.clip(
            (0.53 - np.abs(page_v - 0.012)) * 14.0, 0.0, 1.0
        )
        cv2.multiply(
            desk, cv2.merge([255 - stage.scale_map(shade * 0.6)] * 3), dst=desk, scale=1 / 255.0
        )
        page = stage.behind(inner_u, inner_v)
        _draw_type(stage, page, t - 0.7 * forms_s, tilt, scale, page_half, behind=True)
        page = stage.figure_over(page, inner_u, inner_v)
        _draw_type(stage, page, t - 0.7 * forms_s, tilt, scale, page_half, behind=False)
        frame = blend(desk, page, stage.scale_map(inside))
        # Three soft flashes in two seconds: seen as flashes, and no strobe.
        flash = max(
            math.exp(-(t - at) / 0.14) * smooth((t - at) / 0.07) if t > at else 0.0
            for at in flashes
        )
        stage.tint(frame, (255, 255, 255), 0.6 * flash)
        return frame

    return shot


def _draw_type(
    stage: Stage, page: Canvas, since: float, tilt: float, scale: float, half: float, *,
    behind: bool,
) -> None:  # fmt: skip
    """The name of the magazine behind the head, the rest before the figure."""
    white, accent = (255, 255, 255), (255, 214, 72)
    if behind:
        shown = overshoot(min(1.0, max(0.0, since / 0.6)))
        _write(
            stage,
            page,
            "MOTION",
            (-0.94 * half, -0.335 - 0.4 * (1.0 - shown)),
            1.86 * half,
            white,
            tilt,
            scale,
        )
        return
    lines = (
        ("THE MOVING ISSUE", -0.90, 0.16, 0.95, accent),
        ("One picture,", -0.90, 0.225, 0.72, white),
        ("many frames", -0.90, 0.285, 0.72, white),
        ("No. 24", 0.42, 0.36, 0.44, accent),
    )
    for k, (text, x, y, width, color) in enumerate(lines):
        shown = smooth((since - 0.5 - 0.18 * k) / 0.5)
        if shown > 0.0:
            slide = (1.0 - shown) * 0.6 * (-1.0 if x < 0 else 1.0)
            _write(stage, page, text, ((x + slide) * half, y), width * half, color, tilt, scale)
    bars = smooth((since - 1.2) / 0.4)
    if bars > 0.0:
        plate = pts((0.46, 0.385), (0.94, 0.385), (0.94, 0.47), (0.46, 0.47)) * np.array(
            [half, 1.0]
        )
        stage.poly(page, placed(plate, 0.0, 0.0, scale, tilt), white)
        for k in range(22):
            if (k * 7) % 5 < 3:
                x = (0.49 + 0.02 * k) * half
                bar = pts(
                    (x, 0.395),
                    (x + 0.010 * half, 0.395),
                    (x + 0.010 * half, 0.395 + 0.065 * bars),
                    (x, 0.395 + 0.065 * bars),
                )
                stage.poly(page, placed(bar, 0.0, 0.0, scale, tilt), (20, 20, 24))


def _write(
    stage: Stage, page: Canvas, text: str, place: tuple[float, float], width: float, color: Color,
    tilt: float, scale: float,
) -> None:  # fmt: skip
    """Set `text` so that it is `width` wide, its baseline starting at `place`."""
    font = cv2.FONT_HERSHEY_TRIPLEX
    (wide, tall), _ = cv2.getTextSize(text, font, 2.0, 4)
    plate = np.zeros((tall + 24, wide + 16), dtype=np.uint8)
    cv2.putText(plate, text, (8, tall + 8), font, 2.0, 255, 4, cv2.LINE_AA)
    zoom = width * stage.height / wide * scale
    corner = stage.at(placed(pts(place), 0.0, 0.0, scale, tilt))[0]
    cos, sin = math.cos(tilt) * zoom, math.sin(tilt) * zoom
    base_x, base_y = 8.0, tall + 8.0
    matrix = np.array(
        [
            [cos, -sin, corner[0] - cos * base_x + sin * base_y],
            [sin, cos, corner[1] - sin * base_x - cos * base_y],
        ]
    )
    weight = cv2.warpAffine(
        plate,
        matrix,
        (stage.width, stage.height),
        flags=cv2.INTER_LINEAR if zoom > 0.5 else cv2.INTER_AREA,
    )
    solid = np.empty_like(page)
    solid[:] = color
    page[:] = blend(page, solid, np.asarray(weight, dtype=np.uint8))
