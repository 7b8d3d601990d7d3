"""Acting: the pose of every cast part at a moment, with its shadow and its mirror image.

Who is cast where is decided in `casting`; the figures themselves are drawn by `subjects`.
"""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from kinogate.engines.preview.canvas import Canvas, disc, fill_alpha, mix
from kinogate.engines.preview.casting import Part
from kinogate.engines.preview.foliage import ellipse
from kinogate.engines.preview.layers import Frame, glow
from kinogate.engines.preview.palette import Palette
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.subjects import KINDS, Pose, draw_subject

_SWIMMERS = frozenset({"whale", "dolphin", "fish"})


class Actors:
    """Draws every part of a scene, back to front."""

    def __init__(
        self, parts: tuple[Part, ...], palette: Palette, stage: Stage, duration: float
    ) -> None:
        self._parts = parts
        self._palette = palette
        self._stage = stage
        self._duration = duration
        self._shade = palette.lit((24, 28, 52))

    def draw(self, frame: Frame) -> None:
        """Draw all subjects with their shadows."""
        for part in self._parts:
            self._draw_part(frame, part)

    def _draw_part(self, frame: Frame, part: Part) -> None:
        x, facing, clock = self._course(part, frame.t)
        y = self._height(part, frame.t)
        view = frame.view
        if part.is_followed:
            x += view.x + 0.8 * view.pan
        elif part.habitat in ("air", "space", "underwater"):
            x += 0.85 * view.x + 0.75 * view.pan
        elif part.habitat == "water":  # a boat keeps half up with the camera
            x += 0.55 * (view.x + view.pan)
        scale, x0, y0 = frame.view.at(1.0)
        px, py, high = x * scale + x0, y * scale + y0, part.height * scale
        if part.kind == "rocket" and part.action == "launch":
            self._exhaust(frame, px, py, high)
        elif part.habitat == "ground":
            self._shadow(frame, part, px, py, high)
        pose = Pose(
            x=px,
            ground_y=py,
            height=high,
            t=clock + part.phase,
            action=part.action,
            facing=facing,
            body=part.body,
            accent=part.accent,
            shade=mix(part.body, self._shade, 0.55),
            rim=self._palette.rim,
            seed=part.seed,
            light=self._palette.lit((255, 255, 255)),
        )
        if part.habitat == "water" and part.kind in _SWIMMERS and part.action == "swim":
            _wade(frame, part.kind, pose)
        elif part.habitat == "water":
            mirror = _Mirror(frame, part, px, py, high)
            draw_subject(frame.canvas, part.kind, pose)
            mirror.draw(frame)
        else:
            draw_subject(frame.canvas, part.kind, pose)
        if part.kind == "lantern":
            glow(frame, px, py - high * 0.5, high * 1.8, (120, 70, 24))

    def _course(self, part: Part, t: float) -> tuple[float, int, float]:
        """World x relative to the followed ground, facing, and the figure's own clock."""
        clock = t * part.speed / part.gait if part.gait > 0 else t
        if part.speed <= 0.0 or part.action == "launch":
            return part.x, part.facing, t
        if part.is_followed:
            sway = 0.5 * math.sin(t * 0.42 + part.seed % 7)
            share = t / self._duration - 0.5
            x = part.x + min(part.reach, 0.13) * (sway + part.facing * share)
            return x, part.facing, clock
        # Crossing the picture: over and back again, slow enough to be watched.
        width = 2 * part.reach
        if width <= 0.02:
            return part.x, part.facing, t
        start = min(max(part.x * part.facing + part.reach, 0.0), width) * 0.55
        run = start + part.speed * t
        lap, rest = divmod(run, width)
        forward = int(lap) % 2 == 0
        place = rest if forward else width - rest
        ease = place / width
        ease = ease * 0.6 + 0.4 * (ease * ease * (3 - 2 * ease))
        x = (ease * width - part.reach) * part.facing
        facing = part.facing if forward else -part.facing
        return x, facing, clock

    def _height(self, part: Part, t: float) -> float:
        phase = part.seed % 628 / 100
        if part.habitat == "water":
            return part.y + 0.006 * math.sin(t * 1.5 + phase) + 0.003 * math.sin(t * 2.7)
        if part.habitat in ("air", "space", "underwater"):
            pace = 0.35 if part.kind == "balloon" else 0.8
            lift = 0.012 * math.sin(t * pace + phase) + 0.008 * math.sin(t * 1.7 * pace)
            return part.y + lift * (2.0 if part.kind in ("butterfly", "dragon") else 1.0)
        if part.kind == "rocket" and part.action == "launch":
            share = min(1.0, max(0.0, t / self._duration - 0.12) / 0.88)
            climb: float = share**1.7
            return part.y - (part.y - part.height - 0.10) * climb
        return part.y

    def _shadow(self, frame: Frame, part: Part, x: float, y: float, high: float) -> None:
        kind = KINDS[part.kind]
        wide = high * min(kind.aspect, 2.4) * 0.46
        dark = mix(self._palette.lit((20, 26, 44)), (0, 0, 0), 0.3)
        for share, alpha in ((1.0, 0.16), (0.68, 0.22)):
            shape = ellipse(x, y, wide * share, max(1.5, high * 0.045 * share), 20)
            fill_alpha(frame.canvas, shape, dark, alpha)

    def _exhaust(self, frame: Frame, x: float, y: float, high: float) -> None:
        """Fire and rolling smoke under a rising rocket."""
        t = frame.t
        ground = frame.view.at(1.0)
        foot = self._stage.ground * ground[0] + ground[2]
        smoke = self._palette.lit((226, 222, 220))
        warm = mix(smoke, (255, 196, 120), 0.45)
        for index in range(26):
            age = (t * 0.55 + index * 0.6180339) % 1.0
            way = math.sin(index * 2.4)
            spread = high * (0.10 + 0.9 * age)
            px = x + way * spread * 0.9
            py = min(foot, y + high * 0.1 + (foot - y) * (0.35 + 0.65 * ((index * 0.37) % 1.0)))
            color = mix(warm, smoke, min(1.0, age * 1.6))
            disc(frame.canvas, px, py, high * (0.05 + 0.15 * age), color)
        glow(frame, x, y + high * 0.12, high * 0.9, (255, 170, 80))


def _wade(frame: Frame, kind: str, pose: Pose) -> None:
    """Draw a swimmer at the surface: its back in the air, the rest seen dimly through water."""
    line = max(0, min(frame.view.height, round(pose.ground_y)))
    sunk = frame.canvas[line : line + round(pose.height)]
    before = sunk.copy()
    draw_subject(frame.canvas, kind, replace(pose, ground_y=pose.ground_y + 0.5 * pose.height))
    cv2.addWeighted(before, 0.78, sunk, 0.22, 0.0, dst=sunk)
    edge = ellipse(pose.x, line, pose.height * KINDS[kind].aspect * 0.36, 0.02 * pose.height, 24)
    fill_alpha(frame.canvas, edge, (240, 248, 250), 0.35)


class _Mirror:
    """The wavering image of what floats at (x, y): whatever is drawn after this is made."""

    def __init__(self, frame: Frame, part: Part, x: float, y: float, high: float) -> None:
        height, width = frame.canvas.shape[:2]
        half = high * KINDS[part.kind].aspect * 0.7
        self._left, self._right = max(0, int(x - half)), min(width, int(x + half) + 1)
        self._line = int(y) - 1
        self._rows = max(0, min(int(high * 0.6), height - self._line, self._line))
        self._tall = min(self._line, int(self._rows * 1.7))
        self._high = high
        self._before = self._source(frame).copy()

    def _source(self, frame: Frame) -> Canvas:
        return frame.canvas[self._line - self._tall : self._line, self._left : self._right]

    def draw(self, frame: Frame) -> None:
        """Lay the image over the water below the line."""
        rows, columns = self._rows, self._right - self._left
        if rows < 6 or columns < 8:
            return
        source = self._source(frame)
        change = cv2.cvtColor(cv2.absdiff(source, self._before), cv2.COLOR_RGB2GRAY)
        mask = cv2.blur(cv2.threshold(change, 6, 255, cv2.THRESH_BINARY)[1], (3, 3))
        share = np.arange(rows, dtype=np.float32) / rows
        swing = np.sin(share * 22 - frame.t * 3.0) + 0.6 * np.sin(share * 47 + frame.t * 4.1)
        bend = (swing * (0.004 + 0.02 * share) * self._high).astype(np.float32)
        map_x = np.arange(columns, dtype=np.float32)[None, :] + bend[:, None]
        depth = np.maximum(0.0, self._tall - 1 - share * self._tall).astype(np.float32)
        map_y = np.repeat(depth[:, None], columns, 1)
        image = cv2.remap(source, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        shape = cv2.remap(mask, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        fade = 0.55 * (1 - share) ** 0.8
        weight = shape.astype(np.float32) * (fade / 255)[:, None]
        region = frame.canvas[self._line : self._line + rows, self._left : self._right]
        region[:] = cv2.blendLinear(image, region, weight, 1 - weight)
