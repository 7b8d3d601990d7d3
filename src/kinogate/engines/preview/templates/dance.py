"""Five dances of the figure in the middle, each with its own beat, moves and stage light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from kinogate.engines.preview.canvas import Canvas, Color
from kinogate.engines.preview.pacing import ramp, smooth
from kinogate.engines.preview.templates.stage import Floats, Shot, Stage, pts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """One dance. Amounts are shares of the figure's height, at full swing.

    Attributes:
        beats_hz: Beats a second.
        bounce: Knees: the whole body down and up, once a beat.
        sway: Hips from side to side, over two beats.
        bend: The upper body bows to the side, over four beats.
        twist: Shoulders turn against hips, over two beats.
        step: Steps to the side and back, over four beats.
        wave: A wave that runs from foot to head, over two beats.
        colors: Of the beams.
    """

    beats_hz: float
    bounce: float = 0.0
    sway: float = 0.0
    bend: float = 0.0
    twist: float = 0.0
    step: float = 0.0
    wave: float = 0.0
    colors: tuple[Color, ...]


_BEND = _Style(beats_hz=1.6, bend=0.26, bounce=0.035, sway=0.03,
               colors=((70, 34, 92), (24, 54, 96), (90, 30, 50)))  # fmt: skip
_BOUNCE = _Style(
    beats_hz=2.3, bounce=0.115, sway=0.045, colors=((96, 72, 20), (92, 40, 20), (90, 80, 50))
)
_SWAY = _Style(
    beats_hz=1.3,
    sway=0.15,
    wave=0.025,
    bounce=0.02,
    colors=((20, 70, 84), (24, 84, 60), (50, 60, 96)),
)
_TWIST = _Style(
    beats_hz=2.0,
    twist=0.55,
    bounce=0.045,
    sway=0.035,
    colors=((92, 28, 72), (84, 40, 92), (96, 60, 84)),
)
_STEP = _Style(
    beats_hz=1.8,
    step=0.20,
    bounce=0.06,
    bend=0.06,
    wave=0.02,
    colors=((24, 44, 100), (84, 84, 96), (30, 80, 100)),
)


def dance1(stage: Stage) -> Shot:
    """Bows from side to side."""
    return _dance(stage, _BEND)


def dance2(stage: Stage) -> Shot:
    """Bounces on the beat."""
    return _dance(stage, _BOUNCE)


def dance3(stage: Stage) -> Shot:
    """Sways in the hips, slow."""
    return _dance(stage, _SWAY)


def dance4(stage: Stage) -> Shot:
    """Twists shoulders against hips."""
    return _dance(stage, _TWIST)


def dance5(stage: Stage) -> Shot:
    """Steps to the side and back, with a hop."""
    return _dance(stage, _STEP)


def _dance(stage: Stage, style: _Style) -> Shot:
    figure = stage.figure
    foot, tall = figure.bottom, figure.height
    # In a narrow frame there is less room to the sides.
    room = tall * min(1.0, stage.half_width / (0.75 * tall))

    def shot(t: float) -> Canvas:
        u, v = stage.drift(t)
        swing = ramp(t, 0.0, 0.7)
        beat = 2.0 * math.pi * style.beats_hz * t
        frame = stage.behind(u, v)
        _beams(stage, frame, style, t, 0.85 * smooth(t / 1.2))
        body_u, body_v = _pose(style, u - figure.x, (foot - v) / tall, beat, swing)
        return stage.figure_over(frame, figure.x + body_u, foot - body_v * tall)

    def _pose(
        style: _Style, side: Floats, up: Floats, beat: float, swing: float
    ) -> tuple[Floats, Floats]:
        """Undo the pose: from the screen back to the standing figure; `up` is 0 foot – 1 head."""
        step = math.sin(beat / 4.0)
        hop = abs(math.sin(beat / 2.0))
        squat = style.bounce * (0.5 - 0.5 * math.cos(beat)) * swing
        up = (up - (0.35 * style.bounce + 0.25 * style.step) * hop * swing) / (1.0 - squat)
        held = np.clip(up, 0.0, 1.0)
        side = side / (1.0 + 0.5 * squat)
        side = side - room * swing * style.step * step
        hips = np.sin(np.pi * np.clip(held * 0.9, 0.0, 1.0))
        side = side - room * swing * style.sway * math.sin(beat / 2.0) * (hips - 0.35 * held)
        lean = style.bend * swing * math.sin(beat / 4.0 + 0.4)
        side = side - room * lean * held * held
        up = up + lean * side / tall * held * 1.3
        side = side - room * swing * style.wave * np.sin(beat / 2.0 - 5.0 * held)
        turn = style.twist * swing * math.sin(beat / 2.0)
        wide = 1.0 - abs(turn) * 0.45 * (0.4 + 0.6 * held)
        side = side / wide - 0.30 * room * turn * (held - 0.45) * held
        return side, up

    return shot


def _beams(stage: Stage, frame: Canvas, style: _Style, t: float, power: float) -> None:
    """Stage lights from above that swing with the beat."""
    half, shapes = stage.half_width, []
    cv2.convertScaleAbs(frame, dst=frame, alpha=1.0 - 0.34 * power)
    for k in range(4):
        x = (k - 1.5) * 0.55 * half
        swing = 0.34 * math.sin(math.pi * style.beats_hz * t * 0.5 + 1.7 * k)
        foot = x + swing * 1.4
        pulse = 0.6 + 0.4 * math.cos(2.0 * math.pi * style.beats_hz * t + k)
        r, g, b = style.colors[k % len(style.colors)]
        glow = (round(r * pulse * power), round(g * pulse * power), round(b * pulse * power))
        shapes.append(
            (
                pts((x - 0.02, -0.55), (x + 0.02, -0.55), (foot + 0.17, 0.55), (foot - 0.17, 0.55)),
                glow,
            )
        )
    stage.light(frame, shapes, blur=0.03, strength=1.5)
