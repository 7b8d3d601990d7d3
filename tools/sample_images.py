"""Twelve pictures drawn by code, for contact sheets and tests of image-to-video.

They stand in for what people upload: portraits, an animal, places, products, a page of text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.canvas import (
    Canvas,
    Color,
    Points,
    disc,
    fill,
    fill_alpha,
    stroke,
)

Paint = Callable[[Canvas], None]


def sample(name: str, width: int = 1280, height: int = 720) -> Canvas:
    """Draw the picture `name` of `SAMPLES` at any size; the same call gives the same bytes."""
    canvas = np.zeros((height, width, 3), dtype=np.uint8)
    SAMPLES[name](canvas)
    return canvas


def _pts(*pairs: tuple[float, float]) -> Points:
    return np.array(pairs, dtype=np.float64)


class _Pen:
    """Draws in frame heights around the middle of the frame, so any aspect works."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.height, self.width = canvas.shape[:2]

    def at(self, points: Points) -> Points:
        middle = np.array([self.width / 2.0, self.height / 2.0])
        return np.asarray(points * self.height + middle, dtype=np.float64)

    def poly(self, color: Color, *pairs: tuple[float, float]) -> None:
        fill(self.canvas, self.at(_pts(*pairs)), color)

    def shade(self, color: Color, alpha: float, *pairs: tuple[float, float]) -> None:
        fill_alpha(self.canvas, self.at(_pts(*pairs)), color, alpha)

    def blob(
        self, color: Color, x: float, y: float, rx: float, ry: float, turn: float = 0.0,
        alpha: float = 1.0,
    ) -> None:  # fmt: skip
        angle = np.linspace(0.0, 2.0 * math.pi, 64, endpoint=False)
        px, py = rx * np.cos(angle), ry * np.sin(angle)
        cos, sin = math.cos(turn), math.sin(turn)
        points = np.stack([x + px * cos - py * sin, y + px * sin + py * cos], axis=1)
        if alpha >= 1.0:
            fill(self.canvas, self.at(points), color)
        else:
            fill_alpha(self.canvas, self.at(points), color, alpha)

    def line(self, color: Color, width: float, *pairs: tuple[float, float]) -> None:
        stroke(self.canvas, self.at(_pts(*pairs)), color, width * self.height)

    def curve(
        self, color: Color, width: float, x: float, y: float, rx: float, ry: float,
        start: float, end: float,
    ) -> None:  # fmt: skip
        angle = np.linspace(math.radians(start), math.radians(end), 40)
        points = np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)
        stroke(self.canvas, self.at(points), color, width * self.height)

    def box(self, color: Color, x: float, y: float, w: float, h: float) -> None:
        self.poly(color, (x, y), (x + w, y), (x + w, y + h), (x, y + h))


def _sky(canvas: Canvas, top: Color, bottom: Color, until: float = 1.0) -> None:
    height = canvas.shape[0]
    share = np.clip(np.arange(height, dtype=np.float32) / (height * until), 0.0, 1.0)[:, None]
    rows = np.array(top) * (1.0 - share) + np.array(bottom) * share
    canvas[:] = rows[:, None, :].astype(np.uint8)


def _bokeh(pen: _Pen, seed: int, colors: tuple[Color, ...], count: int = 26) -> None:
    rng = np.random.default_rng(seed)
    aspect = pen.width / pen.height
    for _ in range(count):
        x, y = rng.uniform(-aspect / 2, aspect / 2), rng.uniform(-0.5, 0.5)
        radius = rng.uniform(0.02, 0.08)
        color = colors[int(rng.integers(len(colors)))]
        pen.blob(color, x, y, radius, radius, alpha=rng.uniform(0.15, 0.4))
    soft = cv2.GaussianBlur(pen.canvas, (0, 0), pen.height / 80.0)
    np.copyto(pen.canvas, soft)


def _person(
    pen: _Pen, x: float, y: float, size: float, *, hair: Color, skin: Color, coat: Color,
    long_hair: bool, look: float = 0.0,
) -> None:  # fmt: skip
    """Head and shoulders; `look` -1–1 is where the face turns."""
    s = size
    dark: Color = (skin[0] * 82 // 100, skin[1] * 74 // 100, skin[2] * 72 // 100)
    shadow: Color = (coat[0] * 7 // 10, coat[1] * 7 // 10, coat[2] * 7 // 10)
    if long_hair:
        pen.blob(hair, x, y + 0.03 * s, 0.205 * s, 0.27 * s)
        pen.poly(hair, (x - 0.205 * s, y), (x + 0.205 * s, y), (x + 0.23 * s, y + 0.42 * s),
                 (x - 0.23 * s, y + 0.42 * s))  # fmt: skip
    pen.blob(coat, x, y + 0.62 * s, 0.40 * s, 0.30 * s)
    pen.box(coat, x - 0.40 * s, y + 0.62 * s, 0.80 * s, 0.6 * s)
    pen.poly(
        shadow,
        (x - 0.14 * s, y + 0.345 * s),
        (x, y + 0.56 * s),
        (x + 0.14 * s, y + 0.345 * s),
    )
    pen.poly(dark, (x - 0.07 * s, y + 0.1 * s), (x + 0.07 * s, y + 0.1 * s),
             (x + 0.09 * s, y + 0.38 * s), (x, y + 0.47 * s), (x - 0.09 * s, y + 0.38 * s))  # fmt: skip
    pen.blob(skin, x, y + 0.02 * s, 0.155 * s, 0.20 * s)
    pen.blob(skin, x, y + 0.12 * s, 0.115 * s, 0.125 * s)
    for side in (-1.0, 1.0):
        eye = x + side * 0.062 * s + look * 0.03 * s
        pen.blob((250, 248, 244), eye, y + 0.02 * s, 0.027 * s, 0.017 * s)
        pen.blob((62, 44, 36), eye + look * 0.008 * s, y + 0.02 * s, 0.0155 * s, 0.0165 * s)
        pen.blob((255, 255, 255), eye + 0.005 * s, y + 0.013 * s, 0.005 * s, 0.005 * s)
        pen.curve(hair, 0.009 * s, eye, y - 0.012 * s, 0.036 * s, 0.02 * s, 205, 335)
        pen.blob(
            (232, 132, 120),
            x + side * 0.095 * s,
            y + 0.10 * s,
            0.03 * s,
            0.02 * s,
            alpha=0.35,
        )
    nose = x + look * 0.035 * s
    pen.line(dark, 0.006 * s, (nose + 0.004 * s, y + 0.03 * s), (nose + 0.016 * s, y + 0.082 * s),
             (nose - 0.004 * s, y + 0.09 * s))  # fmt: skip
    pen.curve((176, 66, 66), 0.013 * s, nose, y + 0.128 * s, 0.047 * s, 0.028 * s, 20, 160)
    top = [(x + 0.185 * s * math.cos(a), y - 0.02 * s - 0.225 * s * math.sin(a))
           for a in np.linspace(-0.15, math.pi + 0.15, 40)]  # fmt: skip
    fringe = [(x - 0.15 * s, y - 0.02 * s), (x - 0.10 * s, y - 0.09 * s), (x - 0.01 * s, y - 0.13 * s),
              (x + 0.08 * s, y - 0.10 * s), (x + 0.15 * s, y - 0.01 * s)]  # fmt: skip
    pen.poly(hair, *top, *fringe)


def _portrait(canvas: Canvas) -> None:
    _sky(canvas, (44, 74, 92), (176, 150, 122))
    pen = _Pen(canvas)
    _bokeh(pen, 3, ((255, 214, 150), (250, 180, 120), (120, 180, 190), (255, 240, 210)))
    _person(pen, 0.0, -0.12, 1.0, hair=(52, 32, 28), skin=(238, 196, 170), coat=(186, 58, 62),
            long_hair=True)  # fmt: skip


def _couple(canvas: Canvas) -> None:
    _sky(canvas, (96, 92, 150), (206, 150, 172))
    pen = _Pen(canvas)
    _bokeh(pen, 5, ((255, 226, 190), (240, 190, 210), (150, 130, 200)))
    reach = min(0.24, 0.24 * pen.width / pen.height)
    _person(pen, -reach, -0.10, 0.86, hair=(36, 28, 30), skin=(222, 176, 146), coat=(44, 66, 98),
            long_hair=False, look=0.8)  # fmt: skip
    _person(pen, reach, -0.05, 0.82, hair=(122, 66, 38), skin=(244, 206, 184), coat=(240, 224, 204),
            long_hair=True, look=-0.8)  # fmt: skip


def _cat(canvas: Canvas) -> None:
    _sky(canvas, (214, 226, 220), (236, 222, 196))
    pen = _Pen(canvas)
    aspect = pen.width / pen.height
    pen.box((150, 104, 74), -aspect, 0.30, 2 * aspect, 0.4)
    pen.box((128, 86, 60), -aspect, 0.30, 2 * aspect, 0.012)
    pen.box((168, 198, 214), aspect * 0.18, -0.42, 0.42, 0.5)
    pen.box((246, 244, 236), aspect * 0.18 + 0.2, -0.42, 0.018, 0.5)
    fur, dark, light = (232, 148, 66), (190, 104, 40), (250, 232, 208)
    for a in np.linspace(0.0, 1.0, 30):
        pen.blob(fur, 0.2 + 0.2 * math.sin(a * 2.4), 0.36 - 0.36 * a * a, 0.035, 0.035)
    pen.blob(fur, 0.0, 0.22, 0.215, 0.26)
    pen.blob(light, 0.0, 0.25, 0.115, 0.20)
    for side in (-1.0, 1.0):
        pen.blob(fur, side * 0.10, 0.44, 0.07, 0.04)
        pen.poly(fur, (side * 0.06, -0.22), (side * 0.205, -0.385), (side * 0.21, -0.10))
        pen.poly(
            (240, 176, 156),
            (side * 0.10, -0.22),
            (side * 0.185, -0.325),
            (side * 0.19, -0.15),
        )
    pen.blob(fur, 0.0, -0.09, 0.225, 0.19)
    for offset in (-0.07, 0.0, 0.07):
        pen.poly(dark, (offset - 0.014, -0.275), (offset + 0.014, -0.275), (offset, -0.17))
    for side in (-1.0, 1.0):
        pen.blob((110, 168, 70), side * 0.092, -0.10, 0.045, 0.048)
        pen.blob((20, 22, 20), side * 0.092, -0.10, 0.018, 0.042)
        pen.blob((255, 255, 255), side * 0.092 + 0.013, -0.12, 0.010, 0.010)
        for k in (-1, 0, 1):
            pen.line(
                (255, 250, 240),
                0.004,
                (side * 0.09, 0.0),
                (side * 0.30, -0.02 + 0.035 * k),
            )
    pen.blob(light, -0.045, 0.01, 0.06, 0.045)
    pen.blob(light, 0.045, 0.01, 0.06, 0.045)
    pen.poly((222, 108, 108), (-0.022, -0.032), (0.022, -0.032), (0.0, -0.006))


def _landscape(canvas: Canvas) -> None:
    _sky(canvas, (78, 132, 196), (250, 206, 160), 0.62)
    pen = _Pen(canvas)
    a = pen.width / pen.height / 2.0
    pen.blob((255, 240, 200), -0.3 * a, -0.10, 0.055, 0.055)
    rng = np.random.default_rng(4)
    for base, height, color in ((0.05, 0.26, (136, 152, 186)), (0.12, 0.20, (92, 118, 146)),
                                (0.20, 0.13, (60, 98, 96))):  # fmt: skip
        xs = np.linspace(-a, a, 42)
        ridge = base - height * np.abs(np.interp(xs, np.linspace(-a, a, 11), rng.random(11)))
        pen.poly(color, (-a, 0.6), *zip(xs, ridge, strict=True), (a, 0.6))
    pen.poly((96, 152, 184), (-a, 0.21), (a, 0.21), (a, 0.37), (-a, 0.37))
    pen.shade(
        (255, 226, 180),
        0.5,
        (-0.45 * a, 0.21),
        (-0.15 * a, 0.21),
        (-0.05 * a, 0.37),
        (-0.5 * a, 0.37),
    )
    pen.poly((52, 92, 52), (-a, 0.36), (-0.2 * a, 0.31), (a, 0.38), (a, 0.6), (-a, 0.6))
    for x in np.linspace(-a, a, 13):
        tall = 0.10 + 0.14 * float(rng.random())
        foot = 0.37 + 0.09 * float(rng.random())
        for level in range(3):
            y, w = foot - tall * level * 0.28, 0.055 - 0.012 * level
            pen.poly((30, 64 + 7 * level, 46), (x - w, y), (x + w, y), (x, y - tall * 0.5))


def _bottle(canvas: Canvas) -> None:
    _sky(canvas, (238, 226, 216), (206, 186, 172))
    pen = _Pen(canvas)
    a = pen.width / pen.height / 2.0
    pen.poly((186, 160, 144), (-a, 0.30), (a, 0.30), (a, 0.5), (-a, 0.5))
    pen.blob((130, 104, 92), 0.05, 0.39, 0.25, 0.03, alpha=0.5)
    pen.box((36, 88, 84), -0.125, -0.14, 0.25, 0.53)
    pen.blob((36, 88, 84), 0.0, -0.14, 0.125, 0.07)
    pen.blob((30, 76, 72), 0.0, 0.39, 0.125, 0.022)
    pen.box((36, 88, 84), -0.045, -0.28, 0.09, 0.12)
    pen.box((214, 176, 96), -0.055, -0.38, 0.11, 0.13)
    pen.box((236, 204, 130), -0.040, -0.38, 0.022, 0.13)
    pen.box((245, 238, 224), -0.125, 0.0, 0.25, 0.22)
    pen.box((36, 88, 84), -0.08, 0.05, 0.16, 0.022)
    pen.box((180, 150, 90), -0.06, 0.10, 0.12, 0.008)
    pen.box((150, 140, 130), -0.045, 0.13, 0.09, 0.008)
    pen.shade(
        (220, 250, 244),
        0.35,
        (-0.10, -0.12),
        (-0.075, -0.13),
        (-0.075, 0.38),
        (-0.10, 0.38),
    )
    for side in (-1.0, 1.0):
        for k in range(5):
            pen.blob(
                (96, 138, 84),
                side * (0.36 + 0.05 * k),
                0.30 - 0.07 * k,
                0.028,
                0.07,
                side * 0.7,
            )


def _building(canvas: Canvas) -> None:
    _sky(canvas, (92, 150, 214), (206, 226, 240))
    pen = _Pen(canvas)
    a = pen.width / pen.height / 2.0
    for x, w, top, color in (
        (-0.7, 0.3, -0.1, (160, 166, 172)),
        (0.42, 0.34, -0.18, (176, 160, 150)),
    ):
        pen.box(color, x, top, w, 0.6)
    pen.box((226, 214, 196), -0.30, -0.40, 0.60, 0.80)
    pen.poly((196, 182, 164), (0.30, -0.40), (0.40, -0.34), (0.40, 0.40), (0.30, 0.40))
    pen.box((150, 72, 58), -0.33, -0.435, 0.66, 0.045)
    for row in range(6):
        for column in range(5):
            x, y = -0.26 + 0.11 * column, -0.35 + 0.115 * row
            pen.box((74, 104, 128), x, y, 0.072, 0.075)
            pen.box((142, 176, 196), x, y, 0.034, 0.075)
            pen.box((246, 240, 228), x - 0.004, y + 0.074, 0.08, 0.009)
    pen.box((108, 62, 44), -0.05, 0.34, 0.10, 0.10)
    pen.poly((118, 122, 124), (-a, 0.40), (a, 0.40), (a, 0.5), (-a, 0.5))
    pen.line((236, 226, 190), 0.006, (-a, 0.455), (a, 0.455))
    for x in (-0.62, 0.58):
        pen.box((96, 66, 46), x - 0.012, 0.20, 0.024, 0.22)
        pen.blob((72, 128, 70), x, 0.12, 0.10, 0.13)
        pen.blob((92, 148, 82), x - 0.03, 0.08, 0.06, 0.07)


def _food(canvas: Canvas) -> None:
    _sky(canvas, (120, 78, 54), (92, 58, 40))
    pen = _Pen(canvas)
    a = pen.width / pen.height / 2.0
    for k in range(7):
        pen.line((104, 66, 46), 0.006, (-a, -0.45 + 0.15 * k), (a, -0.43 + 0.15 * k))
    pen.blob((48, 30, 22), 0.02, 0.06, 0.43, 0.40, alpha=0.4)
    pen.blob((240, 236, 228), 0.0, 0.02, 0.41, 0.39)
    pen.blob((216, 208, 198), 0.0, 0.02, 0.32, 0.30)
    pen.blob((196, 118, 50), 0.0, 0.02, 0.305, 0.285)
    rng = np.random.default_rng(2)
    for _ in range(46):
        angle, r = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.26)
        x, y = r * math.cos(angle), 0.02 + 0.92 * r * math.sin(angle)
        pen.curve(
            (246, 216, 140),
            0.012,
            x,
            y,
            0.07,
            0.05,
            rng.uniform(0, 180),
            rng.uniform(190, 330),
        )
    pen.blob((255, 250, 240), -0.10, -0.05, 0.095, 0.085)
    pen.blob((250, 176, 50), -0.10, -0.05, 0.05, 0.046)
    for k in range(4):
        pen.blob((186, 76, 58), 0.12 + 0.03 * k, 0.06 + 0.03 * k, 0.075, 0.03, -0.6)
    for _ in range(26):
        x, y = rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2)
        pen.blob((84, 150, 66), x, y, 0.012, 0.007, rng.uniform(0, 3))
    for apart in (0.0, 0.035):
        pen.line((62, 38, 28), 0.014, (0.42, -0.38 + apart), (0.16, 0.30 + apart))


def _flower(canvas: Canvas) -> None:
    _sky(canvas, (84, 128, 92), (38, 70, 52))
    pen = _Pen(canvas)
    _bokeh(pen, 8, ((170, 210, 130), (120, 170, 100), (230, 240, 190)))
    pen.curve((58, 110, 54), 0.024, 0.30, 0.28, 0.30, 0.60, 120, 190)
    pen.blob((70, 130, 62), 0.12, 0.34, 0.13, 0.045, -0.6)
    for ring, (r, count, color) in enumerate(((0.20, 11, (226, 92, 128)), (0.14, 9, (242, 130, 158)),
                                              (0.085, 7, (250, 172, 190)))):  # fmt: skip
        for k in range(count):
            angle = 2 * math.pi * k / count + 0.3 * ring
            pen.blob(color, r * math.cos(angle), -0.06 + r * math.sin(angle), 0.115 - 0.02 * ring,
                     0.058 - 0.008 * ring, angle)  # fmt: skip
    pen.blob((246, 200, 74), 0.0, -0.06, 0.068, 0.068)
    for k in range(40):
        r = 0.0095 * math.sqrt(k)
        pen.blob(
            (196, 132, 40),
            r * math.cos(2.4 * k),
            -0.06 + r * math.sin(2.4 * k),
            0.005,
            0.005,
        )


def _car(canvas: Canvas) -> None:
    _sky(canvas, (250, 198, 130), (244, 226, 196), 0.6)
    pen = _Pen(canvas)
    a = pen.width / pen.height / 2.0
    pen.poly(
        (206, 140, 96),
        (-a, 0.08),
        (-0.5 * a, -0.02),
        (0.1 * a, 0.05),
        (0.6 * a, -0.04),
        (a, 0.06),
        (a, 0.3),
        (-a, 0.3),
    )
    pen.poly((84, 82, 88), (-a, 0.20), (a, 0.20), (a, 0.5), (-a, 0.5))
    for k in range(-4, 5):
        pen.poly(
            (240, 230, 200),
            (0.3 * k - 0.07, 0.39),
            (0.3 * k + 0.07, 0.39),
            (0.3 * k + 0.06, 0.405),
            (0.3 * k - 0.08, 0.405),
        )
    pen.blob((46, 44, 50), 0.0, 0.315, 0.44, 0.03, alpha=0.6)
    pen.poly((30, 118, 146), (-0.40, 0.12), (-0.37, 0.04), (-0.20, 0.02), (-0.10, -0.10), (0.14, -0.10),
             (0.26, 0.02), (0.38, 0.05), (0.41, 0.13), (0.41, 0.26), (-0.41, 0.26))  # fmt: skip
    pen.poly((202, 226, 232), (-0.16, 0.02), (-0.085, -0.075), (0.015, -0.075), (0.015, 0.02))
    pen.poly((182, 212, 222), (0.035, 0.02), (0.035, -0.075), (0.13, -0.075), (0.21, 0.02))
    pen.line((20, 92, 116), 0.005, (0.025, 0.03), (0.025, 0.22))
    pen.box((20, 92, 116), -0.41, 0.215, 0.82, 0.02)
    pen.blob((255, 240, 190), 0.40, 0.12, 0.018, 0.03)
    pen.blob((214, 60, 50), -0.40, 0.12, 0.014, 0.03)
    for x in (-0.245, 0.245):
        pen.blob((28, 28, 32), x, 0.26, 0.085, 0.085)
        pen.blob((176, 180, 186), x, 0.26, 0.05, 0.05)
        pen.blob((84, 88, 94), x, 0.26, 0.016, 0.016)


def _screenshot(canvas: Canvas) -> None:
    canvas[:] = (246, 247, 250)
    height, width = canvas.shape[:2]
    unit = height / 720.0
    cv2.rectangle(canvas, (0, 0), (width, round(58 * unit)), (38, 50, 84), -1)
    font = cv2.FONT_HERSHEY_DUPLEX

    def write(text: str, x: float, y: float, size: float, color: Color) -> None:
        place = (round(x * unit), round(y * unit))
        cv2.putText(
            canvas,
            text,
            place,
            font,
            size * unit,
            color,
            max(1, round(unit)),
            cv2.LINE_AA,
        )

    write("Quarterly report", 32, 38, 0.8, (255, 255, 255))
    for k, label in enumerate(("Overview", "Orders", "Customers", "Stock", "Settings")):
        write(label, 32, 120 + 52 * k, 0.62, (70, 80, 104))
    cv2.line(
        canvas,
        (round(200 * unit), round(58 * unit)),
        (round(200 * unit), height),
        (214, 218, 228),
        1,
    )
    write("Revenue grew by 12 % in the third quarter", 236, 122, 0.86, (28, 34, 52))
    for k in range(3):
        write(
            "All figures are made up for this picture and mean nothing.",
            236,
            164 + 30 * k,
            0.52,
            (96, 104, 124),
        )
    base = round(640 * unit)
    for k, share in enumerate((0.35, 0.5, 0.42, 0.66, 0.6, 0.8, 0.92)):
        x = round((250 + 90 * k) * unit)
        tall = round(330 * share * unit)
        cv2.rectangle(canvas, (x, base - tall), (x + round(56 * unit), base), (66, 120, 220), -1)
        write(f"Q{k % 4 + 1}", 262 + 90 * k, 672, 0.55, (96, 104, 124))
    cv2.line(canvas, (round(236 * unit), base), (round(900 * unit), base), (150, 158, 176), 2)


def _night(canvas: Canvas) -> None:
    _sky(canvas, (12, 16, 42), (84, 52, 98))
    pen = _Pen(canvas)
    a = pen.width / pen.height / 2.0
    rng = np.random.default_rng(11)
    for _ in range(90):
        pen.blob(
            (220, 224, 255),
            rng.uniform(-a, a),
            rng.uniform(-0.5, -0.05),
            0.0016,
            0.0016,
        )
    pen.blob((246, 238, 214), 0.55 * a, -0.32, 0.05, 0.05)
    for layer, (color, tall) in enumerate((((34, 32, 72), 0.42), ((20, 20, 48), 0.32))):
        x = -a
        while x < a:
            w = float(rng.uniform(0.08, 0.17))
            top = 0.28 - tall * float(rng.uniform(0.35, 1.0))
            pen.box(color, x, top, w, 0.6)
            for gx in np.arange(x + 0.014, x + w - 0.018, 0.026):
                for gy in np.arange(top + 0.02, 0.27, 0.034):
                    if rng.random() < 0.42:
                        lit = ((255, 214, 130), (255, 180, 96), (160, 210, 255))[
                            int(rng.integers(3))
                        ]
                        pen.box(lit, gx, gy, 0.012, 0.017)
            x += w + 0.012 * layer
    pen.poly((16, 18, 40), (-a, 0.28), (a, 0.28), (a, 0.5), (-a, 0.5))
    for _ in range(70):
        x, y = rng.uniform(-a, a), rng.uniform(0.30, 0.49)
        lit = ((255, 190, 110), (120, 170, 255), (255, 110, 140))[int(rng.integers(3))]
        pen.shade(lit, 0.4, (x, y), (x + 0.06, y), (x + 0.06, y + 0.005), (x, y + 0.005))


def _abstract(canvas: Canvas) -> None:
    _sky(canvas, (250, 240, 224), (240, 224, 212))
    pen = _Pen(canvas)
    a = pen.width / pen.height / 2.0
    rng = np.random.default_rng(21)
    colors: tuple[Color, ...] = (
        (222, 84, 62),
        (44, 98, 140),
        (242, 178, 64),
        (64, 140, 120),
        (40, 40, 60),
    )
    for k in range(22):
        x, y, r = rng.uniform(-a, a), rng.uniform(-0.5, 0.5), rng.uniform(0.03, 0.16)
        color = colors[k % 5]
        if k % 3 == 0:
            pen.blob(color, x, y, r, r, alpha=0.85)
        elif k % 3 == 1:
            angle = rng.uniform(0, 6.3)
            corners = [
                (x + r * math.cos(angle + q), y + r * math.sin(angle + q)) for q in (0.0, 2.1, 4.2)
            ]
            pen.shade(color, 0.85, *corners)
        else:
            pen.curve(color, 0.018, x, y, r, r, rng.uniform(0, 90), rng.uniform(150, 330))
    disc(canvas, pen.width * 0.5, pen.height * 0.5, pen.height * 0.14, (250, 246, 238))
    disc(canvas, pen.width * 0.5, pen.height * 0.5, pen.height * 0.11, (222, 84, 62))


SAMPLES: Mapping[str, Paint] = MappingProxyType(
    {
        "portrait": _portrait,
        "couple": _couple,
        "cat": _cat,
        "landscape": _landscape,
        "bottle": _bottle,
        "building": _building,
        "food": _food,
        "flower": _flower,
        "car": _car,
        "screenshot": _screenshot,
        "night city": _night,
        "abstract": _abstract,
    }
)
"""Every picture by name."""


def contact(columns: int = 4, width: int = 480, height: int = 270) -> npt.NDArray[np.uint8]:
    """All pictures on one sheet."""
    tiles = [sample(name, width, height) for name in SAMPLES]
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)
