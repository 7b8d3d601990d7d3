"""A theatre stage under spotlights, seen from the stalls."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.canvas import Color, disc, fill, mix
from kinogate.engines.preview.foliage import ellipse, quad
from kinogate.engines.preview.layers import LIGHT_SCALE, Frame, Haze, Layer, ShapeBuilder, glow
from kinogate.engines.preview.places.base import Stage
from kinogate.engines.preview.sky import Sky


def build_stage(build: Build) -> Stage:
    """Curtains, a shining floor and coloured spotlights that sweep."""
    stage = Stage(
        steady=0.4,
        ground=0.845,
        person=0.44,
        horizon=1.0,
        has_sky=False,
        has_sun=False,
        air=(0.2, 0.5),
        dim=1.0,
    )
    build.palette = replace(
        build.palette, tint=(0.94, 0.86, 0.98), rim=(255, 206, 236), is_dark=True
    )
    night = replace(
        build.palette,
        sky=(
            (0.0, (22, 12, 44)),
            (0.5, (58, 24, 84)),
            (0.8, (112, 44, 110)),
            (1.0, (150, 70, 120)),
        ),
        glow=(70, 30, 60),
    )
    stage.back.append(Sky(night, (build.width, build.height), (0.0, 0.62), 0.76, build.rng))
    stage.back.append(_Beams(build.aspect))
    stage.back.append(_boards(build))
    stage.back.append(
        Haze(depth=0.97, top=0.755, bottom=1.02, color=(24, 10, 36), start=0.0, end=0.75)
    )
    stage.back.append(_Pool())
    stage.inside.append(_drapes(build))
    stage.front.append(_Crowd(build))
    return stage


class _Beams:
    """Spotlights that sweep to and fro."""

    _HUES: tuple[Color, ...] = ((170, 60, 130), (70, 90, 190), (180, 130, 60), (60, 150, 160))

    def __init__(self, aspect: float) -> None:
        self._aspect = aspect

    def draw(self, frame: Frame) -> None:
        """Add the beams to the light of the frame."""
        scale, x0, y0 = frame.view.at(0.8)
        unit = 16 / LIGHT_SCALE
        total = np.zeros_like(frame.light)
        for index, hue in enumerate(self._HUES):
            start = (index - 1.5) * 0.30 * self._aspect
            swing = 0.30 * math.sin(frame.t * (0.7 + 0.13 * index) + index * 1.7)
            end = start * 0.35 + swing
            ray = np.array(
                [
                    (start - 0.012, -0.08),
                    (start + 0.012, -0.08),
                    (end + 0.15, 0.90),
                    (end - 0.15, 0.90),
                ]
            )
            fixed = np.rint((ray * scale + np.array([x0, y0])) * unit).astype(np.int32)
            ink = np.zeros_like(total)
            power = (0.42 + 0.12 * math.sin(frame.t * 2.1 + index)) * min(
                1.0, 0.35 + self._aspect * 0.45
            )
            cv2.fillPoly(ink, [fixed], mix((0, 0, 0), hue, power), cv2.LINE_AA, 4)
            cv2.add(total, ink, dst=total)
        cv2.add(frame.light, cv2.blur(total, (9, 5)), dst=frame.light)
        frame.is_lit = True


class _Pool:
    """The round pool of light the dancer stands in."""

    def draw(self, frame: Frame) -> None:
        """Draw it on the boards."""
        scale, _, y0 = frame.view.at(1.0)
        sway = 0.006 * math.sin(frame.t * 0.9)
        x, y = frame.view.width / 2 + sway * scale, 0.855 * scale + y0
        for size, tone in ((0.36, (92, 48, 92)), (0.30, (116, 64, 104)), (0.23, (140, 84, 116))):
            fill(frame.canvas, ellipse(x, y, size * scale, size * 0.19 * scale, 48), tone)
        glow(frame, x, y - 0.02 * scale, 0.50 * scale, (60, 36, 48))


def _boards(build: Build) -> Layer:
    out = ShapeBuilder()
    wood = (122, 62, 74)
    out.add(quad(-4, 0.76, 4, 1.4), wood)
    for index in range(-14, 15):
        top, low = index * 0.13, index * 0.24
        line = np.array([(top, 0.76), (top + 0.003, 0.76), (low + 0.008, 1.06), (low, 1.06)])
        out.add(line, (96, 44, 62))
    out.add(quad(-4, 0.752, 4, 0.764), (176, 96, 104))
    return out.layer(0.97, None)


def _drapes(build: Build) -> Layer:
    """Red curtains at both sides and a valance above."""
    out = ShapeBuilder()
    edge = build.aspect / 2
    for side in (-1.0, 1.0):
        for index in range(-5, 6):
            a = side * (edge + 0.06 - index * 0.034)
            b = side * (edge + 0.06 - (index + 1) * 0.034)
            share = np.linspace(0, 1, 9)
            wave = 0.008 * np.sin(share * 5 + index)
            y = -0.1 + 0.96 * share
            strip = np.vstack([np.stack([a + wave, y], 1), np.stack([b + wave, y], 1)[::-1]])
            out.add(strip, (140, 24, 44) if index % 2 else (98, 14, 38), -0.008)
    count = max(4, round(build.aspect * 5))
    for index in range(count):
        x = -edge + (index + 0.5) * build.aspect / count
        half = build.aspect / count / 2 * 1.02
        share = np.linspace(-1, 1, 11)
        low = 0.055 + 0.035 * (1 - share**2)
        top = np.array([(x + half, -0.2), (x - half, -0.2)])
        swag = np.vstack([np.stack([x + share * half, low], 1), top])
        out.add(swag, (150, 28, 48) if index % 2 else (126, 20, 44), 0.0)
        trim = np.vstack(
            [
                np.stack([x + share * half, low], 1),
                np.stack([x + share * half, low - 0.008], 1)[::-1],
            ]
        )
        out.add(trim, (222, 170, 84))
    return out.layer(0.9, None, 0.6)


class _Crowd:
    """Heads of the audience along the lower edge, nodding."""

    def __init__(self, build: Build) -> None:
        rng = build.rng
        count = round(13 * build.aspect / 1.6)
        self._x = (np.arange(count) + rng.uniform(0.2, 0.8, count)) / count * (build.aspect + 0.3)
        self._x -= build.aspect / 2 + 0.15
        self._size = rng.uniform(0.026, 0.036, count)
        self._phase = rng.uniform(0, 6.28, count)

    def draw(self, frame: Frame) -> None:
        """Draw the silhouettes."""
        scale, x0, y0 = frame.view.at(1.2)
        for x, size, phase in zip(self._x, self._size, self._phase, strict=True):
            nod = 0.004 * math.sin(frame.t * 3.2 + phase)
            px = x / 1.1 * scale + x0
            py = (0.99 + nod) * scale + y0
            radius = size * scale
            disc(frame.canvas, px, py, radius, (20, 8, 28))
            body = ellipse(px, py + radius * 2.3, radius * 2.0, radius * 1.5, 18)
            fill(frame.canvas, body, (20, 8, 28))
