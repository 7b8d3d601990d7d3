"""Effects that change what the figure is made of: dissolve, melt, icecream."""

from __future__ import annotations

import math

import cv2
import numpy as np

from kinogate.engines.preview.canvas import Canvas, Color, mix
from kinogate.engines.preview.pacing import overshoot, ramp, smooth
from kinogate.engines.preview.templates.stage import Shot, Stage, oval, pts


def dissolve(stage: Stage) -> Shot:
    """Turns to dust from one side to the other, and the wind takes it."""
    figure, grid, dice = stage.figure, stage.grid, stage.dice
    noise = cv2.resize(dice.random((14, 24)), grid.shape[::-1], interpolation=cv2.INTER_CUBIC)
    order = (grid.u - figure.left) / figure.width * 0.55 + (
        grid.v - figure.top
    ) / figure.height * 0.25
    order = np.clip(order * 0.9 + 0.25 * noise, 0.0, 1.0)
    count = 2600
    x = figure.left + figure.width * dice.random(count)
    y = figure.top + figure.height * dice.random(count)
    column = np.clip((x * stage.height + stage.width / 2).astype(int), 0, stage.width - 1)
    row = np.clip((y * stage.height + stage.height / 2).astype(int), 0, stage.height - 1)
    inside = stage.cover[row, column] > 128
    x, y, column, row = x[inside], y[inside], column[inside], row[inside]
    colors = stage.still[row, column].astype(int)
    release = grid.sample(
        order.astype(np.float32), x[None].astype(np.float32), y[None].astype(np.float32)
    )[0]
    spin, size = dice.random(len(x)), 0.0028 + 0.0045 * dice.random(len(x))
    ends_s = 0.8 * stage.duration_s

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        front = 1.15 * smooth(t / ends_s) if ends_s > 0 else 1.0
        kept = stage.scale_map(np.clip((order - front) * 14.0 + 0.5, 0.0, 1.0))
        frame = stage.figure_over(stage.behind(u, v), u, v, weight=kept)
        # How long each grain has been flying, from how far the front has passed it.
        flown = np.clip((front - release) * ends_s * 0.8, 0.0, None)
        alive = np.flatnonzero((flown > 0.0) & (flown < 2.3))
        for i in alive:
            f = float(flown[i])
            gust = 0.10 * f + 0.26 * f * f * (0.5 + float(spin[i]))
            px = float(x[i]) + gust + 0.03 * math.sin(5.0 * f + 9.0 * float(spin[i]))
            py = (
                float(y[i])
                - 0.16 * f * float(spin[i])
                + 0.04 * math.sin(4.0 * f + 20.0 * float(spin[i]))
            )
            grain = float(size[i]) * (1.0 - f / 2.4)
            r, g, b = (int(c) for c in colors[i])
            stage.dot(frame, px, py, grain, mix((r, g, b), (255, 236, 190), 0.3))
        return frame

    return shot


def melt(stage: Stage) -> Shot:
    """Runs down like wax into a puddle."""
    figure, grid, dice = stage.figure, stage.grid, stage.dice
    columns = np.linspace(-stage.half_width, stage.half_width, 60)
    runs = np.interp(grid.u, columns, np.convolve(dice.random(64), np.ones(5) / 5.0, mode="valid"))
    runs = (runs - runs.min()) / max(1e-6, float(runs.max() - runs.min()))
    ends_s = max(1.5, 0.85 * stage.duration_s)
    foot = min(0.47, figure.bottom)

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        gone = smooth(t / ends_s)
        tall = 1.0 - 0.70 * gone
        up = np.maximum(0.0, foot - v) / tall
        up = up + np.minimum(0.0, foot - v)
        # What is low has already run out sideways; drips hang below the rest.
        spread = 1.0 + 0.75 * gone * np.exp(-np.clip(up, 0.0, None) / 0.22)
        drip = 0.22 * gone * runs * np.clip(up / 0.6, 0.0, 1.0)
        wave = 0.010 * smooth(t) * np.sin(16.0 * up - 2.4 * t)
        side = (u - figure.x) / spread + wave
        puddle = figure.width * (0.2 + 0.62 * gone)
        frame = stage.behind(u, v)
        body = _mean_color(stage)
        if gone > 0.05:
            stage.poly(
                frame, oval(figure.x, foot, puddle, 0.055 * gone), mix(body, (0, 0, 0), 0.25)
            )
            stage.poly(frame, oval(figure.x, foot - 0.008, 0.96 * puddle, 0.045 * gone), body)
            stage.poly(frame, oval(figure.x - 0.3 * puddle, foot - 0.02, 0.2 * puddle, 0.008 * gone),
                       mix(body, (255, 255, 255), 0.6))  # fmt: skip
        return stage.figure_over(frame, figure.x + side, foot - up - drip)

    return shot


def _mean_color(stage: Stage) -> Color:
    low = stage.cover.copy()
    low[: stage.height // 2] = 0
    chosen = low if int(low.max()) else stage.cover
    r, g, b, _ = cv2.mean(stage.still, chosen)
    return round(r), round(g), round(b)


def icecream(stage: Stage) -> Shot:
    """Turns to soft serve from the top down, with sprinkles, a swirl and a cherry."""
    figure, dice = stage.figure, stage.dice
    ends_s = max(1.2, 0.55 * stage.duration_s)
    count = 110
    x = figure.left + figure.width * dice.random(count)
    y = figure.top + figure.height * dice.random(count)
    angle = dice.random(count) * math.pi
    colors: tuple[Color, ...] = (
        (232, 62, 92),
        (70, 160, 226),
        (250, 196, 60),
        (104, 190, 96),
        (255, 255, 255),
    )
    columns = np.clip((x * stage.height + stage.width / 2).astype(int), 0, stage.width - 1)
    rows = np.clip((y * stage.height + stage.height / 2).astype(int), 0, stage.height - 1)
    inside = stage.cover[rows, columns] > 200
    head_x = figure.face_x
    coat = _cream(stage)

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t, push=0.0)
        wobble = 0.008 * smooth(t) * np.sin(5.0 * t + 7.0 * v)
        front = figure.top - 0.10 + (figure.height + 0.28) * smooth(t / ends_s)
        drips = (
            0.05 * np.sin(21.0 * u)
            + 0.03 * np.sin(47.0 * u + 1.0)
            + 0.012 * np.sin(2.0 * t + 30.0 * u)
        )
        covered = np.clip((front + drips - v) * 40.0, 0.0, 1.0)
        frame = stage.figure_over(stage.behind(u, v), u + wobble, v)
        weight = stage.scale_map(covered)

        def tone(pixels: Canvas) -> Canvas:
            """Keep a quarter of the figure, so that face and folds show through the cream."""
            return np.asarray(cv2.addWeighted(coat, 0.74, pixels, 0.26, 12.0), dtype=np.uint8)

        frame = stage.figure_over(frame, u + wobble, v, weight=weight, tone=tone)
        for i in np.flatnonzero(inside & (y < front - 0.03)):
            turn, sx, sy = float(angle[i]), float(x[i]), float(y[i])
            dx, dy = 0.010 * math.cos(turn), 0.010 * math.sin(turn)
            stage.line(frame, pts((sx - dx, sy - dy), (sx + dx, sy + dy)), colors[i % 5], 0.0075)
        _draw_swirl(
            stage, frame, head_x, figure.top + 0.045, ramp(t, 0.2 * ends_s, 0.9 * ends_s), t
        )
        return frame

    return shot


def _cream(stage: Stage) -> Canvas:
    """Bands of strawberry and vanilla that wind around the figure."""
    figure, u, v = stage.figure, stage.grid.u, stage.grid.v
    bend = np.sqrt(np.clip(1.0 - ((u - figure.x) / (0.6 * figure.width)) ** 2, 0.0, 1.0))
    band = 0.5 + 0.5 * np.sin(34.0 * (v + 0.10 * bend) + 5.0 * (u - figure.x))
    shade = 0.80 + 0.20 * bend
    tone = np.stack(
        [(252 - 4 * band) * shade, (188 + 52 * band) * shade, (204 + 12 * band) * shade], axis=2
    )
    cells = np.clip(tone[1:-1, 1:-1], 0.0, 255.0).astype(np.uint8)
    full = cv2.resize(
        cells, (cells.shape[1] * 8, cells.shape[0] * 8), interpolation=cv2.INTER_CUBIC
    )
    return np.ascontiguousarray(full[: stage.height, : stage.width])


def _draw_swirl(stage: Stage, frame: Canvas, x: float, y: float, grown: float, t: float) -> None:
    """Soft serve on the head: rings that get smaller, then a cherry that lands."""
    reach = max(0.07, min(0.17, 0.34 * stage.figure.width))
    rings = 5
    for k in range(rings):
        share = min(1.0, max(0.0, grown * rings - k))
        if share <= 0.0:
            return
        r = reach * (1.0 - 0.17 * k) * share
        sway = 0.006 * k * math.sin(2.2 * t + 0.5 * k)
        ring_y = y - 0.042 * k
        stage.poly(frame, oval(x + sway, ring_y + 0.010, r, 0.36 * r), (226, 168, 180))
        color: Color = (255, 238, 222) if k % 2 else (252, 202, 214)
        stage.poly(frame, oval(x + sway, ring_y, r, 0.34 * r), color)
        stage.poly(
            frame, oval(x + sway - 0.4 * r, ring_y - 0.1 * r, 0.3 * r, 0.08 * r), (255, 252, 248)
        )
    land = overshoot(min(1.0, max(0.0, (grown - 0.86) / 0.14)))
    cherry_y = y - 0.042 * rings - 0.30 * (1.0 - land)
    if grown > 0.87:
        stage.line(frame, pts((x, cherry_y), (x + 0.02, cherry_y - 0.06)), (84, 120, 50), 0.005)
        stage.dot(frame, x, cherry_y, 0.030, (206, 34, 52))
        stage.dot(frame, x - 0.010, cherry_y - 0.010, 0.008, (255, 190, 196))
