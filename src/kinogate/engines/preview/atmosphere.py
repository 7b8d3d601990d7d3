"""Weather and light over a picture, only when the prompt asks for them.

Everything fades in from nothing, so the first frame stays the given picture. Particles know their
place from the time alone: no state is carried from frame to frame.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.canvas import Canvas, Color, disc
from kinogate.engines.preview.pacing import smooth


class Air(StrEnum):
    """What can hang or fall in the air."""

    RAIN = "rain"
    SNOW = "snow"
    PETALS = "petals"
    LEAVES = "leaves"
    SPARKS = "sparks"
    FIREFLIES = "fireflies"
    BUBBLES = "bubbles"
    FOG = "fog"
    LIGHT = "light"


_WORDS: tuple[tuple[Air, str], ...] = (
    (Air.RAIN, r"\brain(?:s|y|ing|fall|drops?)?\b|\bdrizzl|\bdownpour|\bstorm|下雨|雨[中天水滴]|大雨|细雨|暴雨|雨"),
    (Air.SNOW, r"\bsnow(?:s|y|ing|fall|flakes?|ing)?\b|\bblizzard|雪"),
    (Air.PETALS, r"\bpetals?\b|\bcherry blossoms?|\bsakura\b|\bblossoms? (?:fall|drift)|花瓣|樱花|落花"),
    (Air.LEAVES, r"\b(?:fall(?:ing|en)?|autumn|drifting) lea(?:f|ves)\b|落叶|飘叶|枫叶飘"),
    (Air.SPARKS, r"\bsparks?\b|\bembers?\b|\bcampfire|\bbonfire|\bflames?\b|\bfire\b|火花|火星|火焰|篝火"),
    (Air.FIREFLIES, r"\bfirefl(?:y|ies)\b|\bfairy dust|\bglitter|\bsparkl|\bmagic(?:al)?\b|\bparticles?\b|萤火|光点|粒子|魔法|闪烁"),
    (Air.BUBBLES, r"\bbubbles?\b|\bunderwater\b|气泡|泡泡|水下"),
    (Air.FOG, r"\bfog(?:gy)?\b|\bmist(?:y)?\b|\bhaz[ey]|\bsmok[ey]|\bsteam(?:s|ing)?\b|雾|烟|蒸汽|热气"),
    (Air.LIGHT, r"\bsun(?:light|shine|beams?|rays?|set|rise)?\b|\bgod ?rays?|\blight (?:rays?|beams?|shafts?)|\bgolden hour|\bwarm light|阳光|光束|光线|夕阳|晨光|日落|日出"),
)  # fmt: skip
_PATTERNS = tuple((air, re.compile(words, re.IGNORECASE)) for air, words in _WORDS)
_DENIED = re.compile(
    r"\b(?:no|not|without|never|don't|stop(?:s|ped)?)\s+(?:any\s+|the\s+)?$|(?:没有|无|不要|不|别|停止)$",
    re.IGNORECASE,
)


def parse_air(prompt: str, negative_prompt: str) -> tuple[Air, ...]:
    """What the prompt wants in the air; at most three things, in the order of `Air`."""
    wanted: list[Air] = []
    for air, pattern in _PATTERNS:
        said = any(not _DENIED.search(prompt[: hit.start()]) for hit in pattern.finditer(prompt))
        if said and not pattern.search(negative_prompt):
            wanted.append(air)
    return tuple(wanted[:3])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flight:
    """How one kind of particle looks and moves. Lengths in frame heights, times in seconds."""

    count: int
    size: tuple[float, float]
    fall: tuple[float, float]
    drift: float
    flutter: float
    colors: tuple[Color, ...]


_FLIGHTS: dict[Air, _Flight] = {
    Air.SNOW: _Flight(count=170, size=(0.0018, 0.0068), fall=(0.07, 0.2), drift=0.03, flutter=0.03,
                      colors=((255, 255, 255), (240, 246, 255))),
    Air.PETALS: _Flight(count=46, size=(0.008, 0.018), fall=(0.09, 0.19), drift=0.10, flutter=0.06,
                        colors=((255, 196, 210), (250, 170, 192), (255, 224, 230))),
    Air.LEAVES: _Flight(count=30, size=(0.011, 0.022), fall=(0.12, 0.22), drift=0.12, flutter=0.08,
                        colors=((214, 120, 40), (190, 72, 36), (226, 172, 58))),
    Air.SPARKS: _Flight(count=70, size=(0.0014, 0.0036), fall=(-0.42, -0.16), drift=0.05,
                        flutter=0.03, colors=((255, 190, 84), (255, 140, 50), (255, 226, 150))),
    Air.FIREFLIES: _Flight(count=46, size=(0.0022, 0.0048), fall=(-0.035, 0.02), drift=0.02,
                           flutter=0.05, colors=((255, 240, 160), (255, 250, 214))),
    Air.BUBBLES: _Flight(count=38, size=(0.006, 0.018), fall=(-0.22, -0.09), drift=0.0,
                         flutter=0.025, colors=((224, 244, 255),)),
}  # fmt: skip


class Atmosphere:
    """The air of one clip: draws itself over any frame."""

    def __init__(self, airs: tuple[Air, ...], seed: int, width: int, height: int, fps: int) -> None:
        """Deal out the particles; the same arguments give the same air."""
        self._airs = airs
        self._fps = fps
        self._width, self._height = width, height
        self._rng_dots = {
            air: np.random.default_rng([seed, number]).random((_count(air), 7))
            for number, air in enumerate(Air)
            if air in airs
        }
        self._fog = _fog_tile(seed)

    @classmethod
    def from_prompt(
        cls,
        prompt: str,
        negative_prompt: str,
        seed: int,
        width: int,
        height: int,
        fps: int,
    ) -> Atmosphere:
        """The air that a prompt asks for; often nothing at all."""
        return cls(parse_air(prompt, negative_prompt), seed, width, height, fps)

    def draw(self, frame: Canvas, index: int) -> None:
        """Draw the air at frame `index` in place; at index 0 there is none."""
        t = index / self._fps
        presence = smooth(t / 1.6)
        if presence <= 0.0:
            return
        for air in self._airs:
            if air is Air.RAIN:
                self._draw_rain(frame, t, presence)
            elif air is Air.FOG:
                self._draw_fog(frame, t, presence)
            elif air is Air.LIGHT:
                self._draw_light(frame, t, presence)
            else:
                self._draw_flight(frame, air, t, presence)

    def _draw_rain(self, frame: Canvas, t: float, presence: float) -> None:
        dots = self._rng_dots[Air.RAIN]
        count = int(len(dots) * presence)
        if count == 0:
            return
        width, height = self._width, self._height
        near = 0.4 + 0.6 * dots[:count, 2]
        length = 0.075 * near * height
        x = ((dots[:count, 0] * 1.2 + 0.16 * t * near) % 1.2 - 0.1) * width
        y = ((dots[:count, 1] * 1.3 + 1.9 * t * near) % 1.3 - 0.15) * height
        head = np.stack([x, y], axis=1)
        tail = head - np.stack([length * 0.09 * width / height, length], axis=1)
        lines = np.rint(np.stack([tail, head], axis=1) * 16.0).astype(np.int32)
        veil = frame.copy()
        cv2.polylines(
            veil,
            list(lines),
            False,
            (214, 224, 236),
            max(1, height // 720),
            cv2.LINE_AA,
            4,
        )
        cv2.addWeighted(veil, 0.5, frame, 0.5 - 0.05 * presence, 0.0, dst=frame)

    def _draw_fog(self, frame: Canvas, t: float, presence: float) -> None:
        tile = self._fog
        rows, columns = tile.shape
        # Read 54 by 96 out of the endless tile, moving right to left by fractions of a cell.
        shift = np.array([[1, 0, (2.4 * t) % columns], [0, 1, 0]], dtype=np.float32)
        view = cv2.warpAffine(
            tile, shift, (96, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_WRAP,
        )  # fmt: skip
        low = np.linspace(0.35, 1.0, rows, dtype=np.float32)[:, None]
        amount = (view * low * np.float32(150.0 * presence)).astype(np.uint8)
        veil = cv2.resize(amount, (self._width, self._height), interpolation=cv2.INTER_LINEAR)
        _blend_towards(frame, np.asarray(veil, dtype=np.uint8), 232)

    def _draw_light(self, frame: Canvas, t: float, presence: float) -> None:
        """Soft shafts from the upper left corner, added as light."""
        x = np.linspace(0.0, 1.0, 128, dtype=np.float32)[None, :] * (self._width / self._height)
        y = np.linspace(0.0, 1.0, 72, dtype=np.float32)[:, None]
        angle = np.arctan2(y + 0.25, x + 0.12)
        away = np.exp(-np.hypot(x, y) * 1.15)
        shafts = 0.5 + 0.28 * np.sin(17.0 * angle + 0.5 * t) + 0.22 * np.sin(31.0 * angle - 0.8 * t)
        amount = away * (0.25 + 0.75 * np.clip(shafts, 0.0, 1.0)) * np.float32(0.34 * presence)
        glow = amount[..., None] * np.array([255.0, 226.0, 170.0], dtype=np.float32)
        full = cv2.resize(
            glow.astype(np.uint8),
            (self._width, self._height),
            interpolation=cv2.INTER_LINEAR,
        )
        cv2.add(frame, full, dst=frame)

    def _draw_flight(self, frame: Canvas, air: Air, t: float, presence: float) -> None:
        flight, dots = _FLIGHTS[air], self._rng_dots[air]
        width, height = self._width, self._height
        aspect = width / height
        fall = flight.fall[0] + (flight.fall[1] - flight.fall[0]) * dots[:, 2]
        phase = dots[:, 3] * 2.0 * math.pi
        wobble = flight.flutter * np.sin(t * (0.8 + 1.4 * dots[:, 4]) + phase)
        x = (
            ((dots[:, 0] * (aspect + 0.2) + flight.drift * t + wobble) % (aspect + 0.2)) - 0.1
        ) * height
        y = ((dots[:, 1] * 1.2 + fall * t) % 1.2 - 0.1) * height
        size = (flight.size[0] + (flight.size[1] - flight.size[0]) * dots[:, 5] ** 2) * height
        count = max(1, round(len(dots) * presence))
        for i in range(count):
            color = flight.colors[i % len(flight.colors)]
            place = (float(x[i]), float(y[i]), float(size[i]))
            angle = float(phase[i] + t * (0.7 + 2.0 * dots[i, 6]))
            if air in (Air.PETALS, Air.LEAVES):
                _draw_petal(frame, *place, angle, color)
            elif air is Air.BUBBLES:
                _draw_bubble(frame, *place, color)
            elif air is Air.FIREFLIES:
                _draw_spark(frame, *place, color, 0.5 + 0.5 * math.sin(angle * 1.6))
            elif air is Air.SPARKS:
                _draw_spark(frame, *place, color, 0.55 + 0.45 * math.sin(angle * 4.0))
            else:
                disc(frame, *place, color)


def _count(air: Air) -> int:
    return 190 if air is Air.RAIN else _FLIGHTS[air].count if air in _FLIGHTS else 1


def _fog_tile(seed: int) -> npt.NDArray[np.float32]:
    """`[54, 192]` float32 0–1 noise that repeats from right to left."""
    rng = np.random.default_rng([seed, 99])
    tile = np.zeros((54, 192), dtype=np.float32)
    for columns, share in ((6, 0.55), (12, 0.3), (24, 0.15)):
        coarse = rng.random((max(3, columns // 2), columns)).astype(np.float32)
        looped = np.concatenate([coarse, coarse, coarse], axis=1)
        fine = cv2.resize(looped, (576, 54), interpolation=cv2.INTER_CUBIC)
        tile += share * fine[:, 192:384]
    low, high = float(tile.min()), float(tile.max())
    even = np.clip((tile - low) / (high - low) * 1.3 - 0.2, 0.0, 1.0)
    return np.asarray(even, dtype=np.float32)


def _blend_towards(frame: Canvas, veil: npt.NDArray[np.uint8], level: int) -> None:
    """Move each pixel towards grey `level` by `veil` / 255."""
    wide = cv2.merge([veil, veil, veil])
    kept = cv2.multiply(frame, cv2.bitwise_not(wide), scale=1.0 / 255.0)
    cv2.scaleAdd(wide, level / 255.0, kept, dst=frame)


def _draw_petal(frame: Canvas, x: float, y: float, size: float, angle: float, color: Color) -> None:
    """A leaf-shaped ellipse that turns in space: its short axis breathes with the angle."""
    axes = (
        round(size * 16.0),
        round(size * (0.18 + 0.42 * abs(math.cos(angle))) * 16.0),
    )
    center = (round(x * 16.0), round(y * 16.0))
    turn = math.degrees(angle * 0.6)
    cv2.ellipse(frame, center, axes, turn, 0.0, 360.0, color, -1, cv2.LINE_AA, 4)


def _draw_bubble(frame: Canvas, x: float, y: float, size: float, color: Color) -> None:
    center = (round(x * 16.0), round(y * 16.0))
    thick = max(1, round(size * 0.14))
    cv2.circle(frame, center, round(size * 16.0), color, thick, cv2.LINE_AA, 4)
    disc(frame, x - 0.35 * size, y - 0.35 * size, 0.2 * size, (255, 255, 255))


def _draw_spark(frame: Canvas, x: float, y: float, size: float, color: Color, power: float) -> None:
    """A bright core in a soft halo, added as light to what is behind."""
    reach = max(2, round(size * 4.5))
    x0, y0 = round(x) - reach, round(y) - reach
    x1, y1 = x0 + 2 * reach + 1, y0 + 2 * reach + 1
    height, width = frame.shape[:2]
    if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
        return
    axis = (np.arange(2 * reach + 1, dtype=np.float32) - reach) / max(1.0, size)
    square = axis * axis
    spread = np.exp(-0.5 * square)
    halo = np.outer(spread, spread) + 0.35 * np.outer(np.sqrt(spread), np.sqrt(spread)) * 0.6
    rim = np.clip(1.0 - np.sqrt(square[:, None] + square[None, :]) / 4.5, 0.0, 1.0)
    light = (halo * rim * np.float32(power))[..., None] * np.array(color, dtype=np.float32)
    region = frame[y0:y1, x0:x1]
    region[:] = np.clip(region + light, 0.0, 255.0).astype(np.uint8)
