"""Effects of the heart: hug, frenchkiss, coupleheart, singleheart, rose, crystalrose."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from kinogate.engines.preview.canvas import Canvas, Color, Points, mix
from kinogate.engines.preview.pacing import overshoot, ramp, smooth
from kinogate.engines.preview.templates.stage import Floats, Shot, Stage, heart, oval, placed, pts


class Lean(Protocol):
    """Two people at any stage of leaning in, over whatever is drawn between them and the ground."""

    def __call__(
        self, t: float, close: float, between: Callable[[Canvas], None] | None = None
    ) -> Canvas:
        """The frame at `t` seconds; `close` is 0.0 apart, 1.0 together."""
        ...


def hug(stage: Stage) -> Shot:
    """Two people lean in and hold each other, in warm light."""
    embrace = _lean_in(stage, closer=0.015)
    hearts = _Hearts(stage, count=12)

    def shot(t: float) -> Canvas:
        close = smooth((t - 0.1) / 2.2)
        frame = embrace(t, close)
        _warm(stage, frame, (255, 176, 96), 0.85 * close, t)
        hearts.draw(frame, t - 1.6, (255, 214, 170))
        return frame

    return shot


def frenchkiss(stage: Stage) -> Shot:
    """Two people lean in for a kiss, and hearts rise."""
    embrace = _lean_in(stage, closer=0.04)
    hearts = _Hearts(stage, count=34)

    def shot(t: float) -> Canvas:
        close = smooth((t - 0.1) / 2.4) + 0.05 * math.sin(1.9 * t) * smooth(t - 2.2)
        frame = embrace(t, close)
        _warm(stage, frame, (255, 110, 150), 0.8 * min(1.0, close), t)
        hearts.draw(frame, t - 0.6, (246, 64, 104))
        return frame

    return shot


def _lean_in(stage: Stage, *, closer: float) -> Lean:
    """Both halves of the figure tip towards the line between them.

    Args:
        stage: The picture.
        closer: How far beyond touching the heads come, in frame heights.
    """
    figure = stage.figure
    split, gap = _between_heads(stage)
    tip = max(0.03, min(0.14, 0.5 * gap + closer)) / max(0.3, 0.75 * figure.height)
    halves = ((-1.0, (figure.left + split) / 2.0), (1.0, (split + figure.right) / 2.0))

    def frame_at(t: float, close: float, between: Callable[[Canvas], None] | None = None) -> Canvas:
        u, v = stage.drift(t, push=0.05)
        frame = stage.behind(u, v)
        if between is not None:
            between(frame)
        for side, foot in halves:
            # Each tips as a whole around its foot; the later one overlaps, so nothing tears.
            turn = -side * close * tip + 0.008 * math.sin(1.6 * t + side) * min(1.0, t)
            du, dv = u - foot + side * close * 0.02, v - figure.bottom
            body_u = foot + du * math.cos(turn) + dv * math.sin(turn)
            body_v = figure.bottom + dv * math.cos(turn) - du * math.sin(turn)
            own = stage.scale_map(np.clip(side * (body_u - split) * 30.0 + 0.5, 0.0, 1.0))
            frame = stage.figure_over(frame, body_u, body_v, weight=own)
        return frame

    return frame_at


def _between_heads(stage: Stage) -> tuple[float, float]:
    """Where, near its middle, the figure's upper part is thinnest, and how wide the gap is."""
    figure, mask = stage.figure, stage.figure.mask
    rows, columns = mask.shape
    top = max(0, round((figure.top + 0.5) * rows))
    upper = mask[top : max(top + 1, round(top + 0.40 * figure.height * rows))].sum(axis=0)
    x = (np.arange(columns) + 0.5 - columns / 2.0) / rows
    far = np.abs(x - figure.x) / max(0.05, figure.width)
    # Of equally thin places, the one nearest the middle.
    thin = upper / max(1.0, float(upper.max())) + 0.4 * far + 10.0 * (far > 0.22)
    middle = int(np.argmin(thin))
    free = upper < 0.35 * float(upper.max())
    left, right = middle, middle
    while free[left] and left > 0 and middle - left < columns // 6:
        left -= 1
    while free[right] and right < columns - 1 and right - middle < columns // 6:
        right += 1
    return float(x[middle]), (right - left) / rows


class _Hearts:
    """Hearts that rise from the middle and fade out above."""

    def __init__(self, stage: Stage, count: int) -> None:
        self._stage = stage
        self._dice = stage.dice.random((count, 6))

    def draw(self, frame: Canvas, since: float, color: Color) -> None:
        stage, figure = self._stage, self._stage.figure
        for x0, y0, speed, phase, size, tone in self._dice.tolist():
            age = since - 2.2 * phase
            if age <= 0.0:
                continue
            life_s = 2.6 + 1.2 * speed
            way = (age % life_s) / life_s
            # To either side, so that no heart hides a face.
            aside = math.copysign(0.30 + 0.45 * x0, tone - 0.5)
            x = figure.x + aside * figure.width * (0.8 + 0.3 * way)
            x += 0.04 * math.sin(3.0 * age + 6.3 * phase)
            y = 0.16 + 0.2 * y0 - 0.78 * way
            grown = overshoot(min(1.0, way * 6.0)) * (0.016 + 0.030 * size * size)
            shape = heart(x, y, grown, 0.3 * math.sin(2.0 * age + 6.3 * tone), corners=36)
            stage.poly(frame, shape, mix(color, (255, 255, 255), 0.35 * tone), 0.9 * (1.0 - way**3))


def _warm(stage: Stage, frame: Canvas, color: Color, power: float, t: float) -> None:
    """A glow that fills the frame from the middle."""
    if power <= 0.0:
        return
    figure = stage.figure
    pulse = 0.88 + 0.12 * math.sin(2.2 * t)
    r, g, b = (round(c * 0.25 * power * pulse) for c in color)
    shapes = [(oval(figure.x, figure.y - 0.1, 0.62, 0.5), (r // 2, g // 2, b // 2)),
              (oval(figure.x, figure.top + 0.3, 0.34, 0.3), (r, g, b))]  # fmt: skip
    stage.light(frame, shapes, blur=0.16)


def singleheart(stage: Stage) -> Shot:
    """A spark draws a heart of light around one person."""
    figure = stage.figure
    outline, is_before = _place_heart(stage)
    drawn_s = min(2.4, 0.5 * stage.duration_s)
    hearts = _Hearts(stage, count=12)

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        sway = 0.012 * math.sin(2.0 * t) * smooth(t)
        up = np.clip((figure.bottom - v) / figure.height, 0.0, 1.0)
        frame = stage.behind(u, v)
        _dim(frame, smooth(t))

        def light_up(frame: Canvas) -> None:
            grown = smooth(t / drawn_s)
            _draw_light_heart(stage, frame, outline, grown, t, (255, 70, 120), drawn_s)

        if not is_before:
            light_up(frame)
        frame = stage.figure_over(frame, u - sway * up, v)
        if is_before:
            light_up(frame)
        hearts.draw(frame, t - drawn_s, (255, 120, 160))
        return frame

    return shot


def _place_heart(stage: Stage) -> tuple[Points, bool]:
    """The outline of a heart of light, and whether it hangs before the figure.

    It stands behind, around the head, unless the figure fills the frame and would hide it.
    """
    figure = stage.figure
    size = min(0.50, 0.8 * stage.half_width)
    if stage.half_width > 0.45 and figure.width < 2.6 * size:
        return heart(figure.x, -0.06, size, corners=120), False
    small = min(0.24, 0.62 * stage.half_width)
    y = min(0.46 - 1.1 * small, figure.face_y + figure.face_size + 0.75 * small)
    return heart(figure.x, y, small, corners=120), True


def coupleheart(stage: Stage) -> Shot:
    """Two sparks, one from each, draw the two halves of one heart."""
    outline, is_before = _place_heart(stage)
    drawn_s = min(2.6, 0.55 * stage.duration_s)
    hearts = _Hearts(stage, count=14)
    lean = _lean_in(stage, closer=0.0)

    def shot(t: float) -> Canvas:
        grown = smooth(t / drawn_s)

        def halves(frame: Canvas) -> None:
            _draw_light_heart(stage, frame, outline[60:], grown, t, (255, 70, 110), drawn_s)
            _draw_light_heart(stage, frame, outline[:61][::-1], grown, t, (80, 120, 255), drawn_s)

        def ground(frame: Canvas) -> None:
            _dim(frame, smooth(t))
            if not is_before:
                halves(frame)

        frame = lean(t, smooth(t / 2.4), ground)
        if is_before:
            halves(frame)
        hearts.draw(frame, t - drawn_s, (255, 150, 176))
        return frame

    return shot


def _dim(frame: Canvas, amount: float) -> None:
    """Darken, so that light can be seen against a bright picture."""
    cv2.convertScaleAbs(frame, dst=frame, alpha=1.0 - 0.35 * amount)


def _draw_light_heart(
    stage: Stage, frame: Canvas, outline: Points, grown: float, t: float, color: Color,
    drawn_s: float,
) -> None:  # fmt: skip
    """The part of an outline that the spark has passed, glowing, and the spark itself."""
    count = max(2, round(grown * len(outline)))
    path = outline[:count]
    beat = 1.0 + 0.35 * max(0.0, math.sin(5.0 * (t - drawn_s))) * float(t > drawn_s)
    stage.light(frame, [(path, color)], blur=0.035, strength=1.6 * beat, line=0.035)
    stage.light(frame, [(path, color)], blur=0.008, strength=1.3, line=0.016)
    stage.line(frame, path, mix(color, (255, 255, 255), 0.75), 0.007)
    if grown < 0.999:
        x, y = float(path[-1][0]), float(path[-1][1])
        stage.light(frame, [(oval(x, y, 0.035, 0.035), (255, 240, 220))], blur=0.03, strength=2.0)
        stage.dot(frame, x, y, 0.012, (255, 255, 250))


def rose(stage: Stage) -> Shot:
    """A red rose opens before the figure, and petals fall."""
    return _blooming(stage, crystal=False)


def crystalrose(stage: Stage) -> Shot:
    """A rose of crystal opens, glinting, and splinters of light fall."""
    return _blooming(stage, crystal=True)


def _blooming(stage: Stage, *, crystal: bool) -> Shot:
    figure = stage.figure
    petals = stage.dice.random((44, 6))
    size = min(0.19, max(0.12, 0.30 * figure.width))
    x, y = figure.x, min(0.31, figure.face_y + max(0.30, 2.1 * figure.face_size))
    ends_s = min(2.8, 0.6 * stage.duration_s)

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        up = np.clip((figure.bottom - v) / figure.height, 0.0, 1.0)
        sway = 0.014 * math.sin(1.8 * t) * smooth(t)
        frame = stage.figure_over(stage.behind(u, v), u - sway * up * up, v)
        glow: Color = (70, 120, 170) if crystal else (150, 40, 50)
        open_ = smooth((t - 0.15) / ends_s)
        stage.light(
            frame, [(oval(x, y, 1.7 * size, 1.7 * size), glow)], blur=0.12, strength=0.6 * open_
        )
        _draw_falling(stage, frame, petals, t - 0.8, crystal=crystal)
        _draw_rose(
            stage, frame, x, y + 0.5 * (1.0 - ramp(t, 0.0, 0.9)), size, open_, t, crystal=crystal
        )
        return frame

    return shot


def _draw_rose(
    stage: Stage, frame: Canvas, x: float, y: float, size: float, open_: float, t: float, *,
    crystal: bool,
) -> None:  # fmt: skip
    """Petals in rings, the outer ones first; each ring opens a little later than the one within."""
    stem: Color = (150, 200, 210) if crystal else (58, 116, 58)
    bow = [(x + 0.05 * s * s, y + 0.75 * s) for s in np.linspace(0.0, 1.0, 12)]
    stage.line(frame, pts(*bow), stem, 0.018)
    for side in (-1.0, 1.0):
        leaf = oval(side * 0.075, 0.21 + 0.03 * side, 0.085, 0.034, side * -0.5)
        stage.poly(frame, placed(leaf, x, y, min(1.0, 2.0 * open_)), stem, 0.8 if crystal else 1.0)
    deep, pale = ((116, 170, 214), (232, 248, 255)) if crystal else ((120, 8, 28), (236, 52, 74))
    rings = ((1.00, 7), (0.80, 6), (0.60, 5), (0.42, 4), (0.25, 3))
    for number, (reach, count) in enumerate(rings):
        grown = overshoot(min(1.0, max(0.0, open_ * 1.6 - 0.12 * (len(rings) - 1 - number))))
        if grown <= 0.02:
            continue
        for k in range(count):
            a = 2.0 * math.pi * (k + 0.5 * (number % 2)) / count + 0.10 * math.sin(0.8 * t)
            r = size * reach * grown * 0.62
            petal = oval(
                0.0,
                0.0,
                0.50 * size * reach,
                0.42 * size * reach,
                a,
                corners=24 if not crystal else 7,
            )
            petal = petal * (0.35 + 0.65 * grown) + np.array(
                [x + r * math.cos(a), y + 0.9 * r * math.sin(a)]
            )
            light = 0.25 + 0.45 * (0.5 - 0.5 * math.sin(a)) + 0.08 * number
            color = mix(deep, pale, min(1.0, light))
            stage.poly(frame, petal, color, 0.62 if crystal else 1.0)
            stage.line(frame, petal, mix(color, pale, 0.7) if crystal else mix(color, deep, 0.7),
                       0.0035 if crystal else 0.0025, closed=True)  # fmt: skip
    stage.poly(frame, oval(x, y, 0.09 * size, 0.08 * size), mix(deep, pale, 0.2))
    if crystal:
        for k in range(7):
            shine = max(0.0, math.sin(2.6 * t + 1.9 * k)) ** 6 * open_
            a = 2.4 * k
            _glint(
                stage,
                frame,
                x + 0.8 * size * math.cos(a),
                y + 0.7 * size * math.sin(a),
                0.07 * shine,
            )


def _glint(stage: Stage, frame: Canvas, x: float, y: float, size: float) -> None:
    """A four-pointed star."""
    if size < 0.004:
        return
    thin = 0.12
    star = pts(
        (0, -1), (thin, -thin), (1, 0), (thin, thin), (0, 1), (-thin, thin), (-1, 0), (-thin, -thin)
    )
    stage.poly(frame, placed(star, x, y, size), (255, 255, 255))


def _draw_falling(
    stage: Stage, frame: Canvas, petals: Floats, since: float, *, crystal: bool
) -> None:
    for x0, y0, speed, phase, size, tone in petals.tolist():
        age = since - 1.2 * phase
        if age <= 0.0:
            continue
        y = -0.62 + (0.6 * y0 + (0.10 + 0.14 * speed) * age) % 1.25
        x = (x0 - 0.5) * 2.1 * stage.half_width + 0.09 * math.sin(1.3 * age + 6.3 * phase)
        flip = max(0.2, abs(math.cos(1.9 * age + 6.3 * tone)))
        long = 0.012 + 0.016 * size
        if crystal:
            splinter = pts(
                (0.0, -long), (0.5 * long * flip, 0.0), (0.0, long), (-0.5 * long * flip, 0.0)
            )
            stage.poly(
                frame, placed(splinter, x, y, 1.0, 2.0 * age), (226, 246, 255), 0.5 + 0.4 * flip
            )
        else:
            shape = oval(0.0, 0.0, long, 0.72 * long * flip, corners=18)
            stage.poly(
                frame,
                placed(shape, x, y, 1.0, 1.4 * age + 6.3 * tone),
                mix((168, 16, 42), (240, 70, 92), tone),
            )
