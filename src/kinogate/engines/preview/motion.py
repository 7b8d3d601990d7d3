"""One picture, set in motion: a camera before a guessed depth, and the weather of the prompt.

Frame 0 is the fitted picture to the byte; everything else grows from zero. What to do comes from
`moves.py` and `atmosphere.py`, the depth from `depth.py`. Obeys design.md §4.6.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.atmosphere import Atmosphere
from kinogate.engines.preview.canvas import Canvas
from kinogate.engines.preview.depth import guess_depth, saliency, shrink, straightness
from kinogate.engines.preview.fit import fit_cover, surround
from kinogate.engines.preview.moves import Move, parse_moves
from kinogate.engines.preview.pacing import smooth, travel
from kinogate.engines.preview.warp import Field, Grid

_MARGIN = 0.18
_LEAN = 0.10
"""How much more the nearest point zooms and pans than the farthest. More leans straight lines."""


def image_frames(
    image: Canvas,
    prompt: str,
    negative_prompt: str,
    seed: int,
    width: int,
    height: int,
    fps: int,
    frame_count: int,
    *,
    shots: int = 1,
) -> Iterator[Canvas]:
    """Make a clip that starts with `image`.

    Args:
        image: `[h, w, 3]` uint8 RGB of any size, upright.
        prompt: Names camera moves and weather, in English or Chinese; the rest is passed over.
        negative_prompt: Moves and weather that must not be seen.
        seed: Decides what the prompt leaves open; same arguments, same bytes.
        width: Pixels.
        height: Pixels.
        fps: Frames a second.
        frame_count: How many frames are yielded, exactly.
        shots: 1 for one take; 2–4 for cuts to other framings of the same picture.

    Yields:
        Fresh `[height, width, 3]` frames; the first equals `fit_cover(image, width, height)`.
    """
    weather = Atmosphere.from_prompt(prompt, negative_prompt, seed, width, height, fps)
    views = _framings(image, width, height, shots, seed)
    bounds = [round(i * frame_count / len(views)) for i in range(len(views) + 1)]
    for number, view in enumerate(views):
        start, end = bounds[number], bounds[number + 1]
        rng = random.Random(f"{seed}/shot/{number}")
        moves = parse_moves(prompt, negative_prompt, rng)
        camera = Camera(view, width, height, fps, end - start, moves, rng)
        for i in range(end - start):
            frame = camera.frame(i)
            if start + i > 0:
                weather.draw(frame, start + i)
            yield frame


class Camera:
    """A camera before one picture: any frame of its take, on request."""

    def __init__(
        self,
        image: Canvas,
        width: int,
        height: int,
        fps: int,
        frame_count: int,
        moves: tuple[Move, ...],
        rng: random.Random,
    ) -> None:
        """Prepare the picture; costs some tens of milliseconds and one picture's memory."""
        self._still = fit_cover(image, width, height)
        self._wide = surround(image, width, height, _MARGIN)
        self._grid = Grid(width, height)
        depth = guess_depth(self._still) - np.float32(0.5)
        # What is made of straight lines shows every lean: keep such pictures nearly flat.
        self._depth = depth * np.float32(1.0 - 0.75 * straightness(self._still))
        self._fps = fps
        self._moves = moves
        self._curves = travel(frame_count, fps, len(moves))
        self._phase = [rng.uniform(0.0, 2.0 * math.pi) for _ in range(6)]
        self._spin = rng.choice((-1.0, 1.0))
        self._glow = _Glow(self._still, rng)
        self._sway_mask = _sway_mask(self._grid) if any(m.sway for m in moves) else None

    def frame(self, index: int) -> Canvas:
        """The frame at `index`; 0 is the fitted picture itself."""
        if index == 0:
            return self._still.copy()
        state = self._state(index)
        t = index / self._fps
        grid = self._grid
        magnify = math.exp(state.zoom)
        cos, sin = math.cos(state.roll), math.sin(state.roll)
        near: Field = grid.sample(self._depth, grid.u / magnify, grid.v / magnify)
        for _ in range(2):
            # Depth belongs to the picture, not to the screen: look it up where the pixel comes from.
            shift_u = state.pan * (1.0 + _LEAN * near) + state.orbit * near
            shift_v = state.rise * (1.0 + _LEAN * near)
            turned_u, turned_v = grid.u - shift_u, grid.v - shift_v
            scale = np.exp(-state.zoom * (1.0 + 2.0 * _LEAN * near))
            u = (turned_u * cos + turned_v * sin) * scale
            v = (turned_v * cos - turned_u * sin) * scale
            near = grid.sample(self._depth, u, v)
        u, v = self._stir(u, v, state, t)
        frame = grid.pull(
            self._wide.pixels, u, v, margin=(self._wide.margin_x, self._wide.margin_y)
        )
        self._glow.light(frame, t)
        return frame

    def _state(self, index: int) -> Move:
        """Where the camera is, with the small unrest that any real camera has."""
        state = Move()
        for move, curve in zip(self._moves, self._curves, strict=True):
            state = state + _share(move, float(curve[index]))
        t = index / self._fps
        fade = smooth(t / 1.2)
        a, b, c, d, *_ = self._phase
        # A circle never stops, so no two frames are alike even when nothing else moves.
        pan = 0.0022 * (math.cos(self._spin * 1.9 * t + a) - math.cos(a))
        rise = 0.0022 * (math.sin(self._spin * 1.9 * t + a) - math.sin(a))
        shake = max(move.shake for move in self._moves) * fade
        pan += 0.0032 * shake * (math.sin(5.3 * t + b) + 0.6 * math.sin(8.9 * t + c))
        rise += 0.0028 * shake * (math.sin(4.7 * t + c) + 0.6 * math.sin(9.7 * t + d))
        roll = 0.0016 * shake * math.sin(3.1 * t + d)
        return state + Move(pan=pan, rise=rise, roll=roll)

    def _stir(self, u: Field, v: Field, state: Move, t: float) -> tuple[Field, Field]:
        """Wind and waves: what moves within the picture itself."""
        sway = max(move.sway for move in self._moves) * smooth(t / 1.5)
        ripple = max(move.ripple for move in self._moves) * smooth(t / 1.5)
        if sway > 0.0 and self._sway_mask is not None:
            phase = 2.4 * t + self._phase[4]
            swing = np.sin(phase + 5.0 * u + 2.0 * v) + 0.5 * np.sin(1.7 * phase + 9.0 * u)
            u = u + np.float32(0.0045 * sway) * self._sway_mask * swing
        if ripple > 0.0:
            phase = 3.0 * t + self._phase[5]
            low = np.clip((v - 0.08) / 0.25, 0.0, 1.0)
            u = u + np.float32(0.0040 * ripple) * low * np.sin(phase + 46.0 * v)
            v = v + np.float32(0.0026 * ripple) * low * np.sin(1.3 * phase + 13.0 * u + 30.0 * v)
        return u.astype(np.float32), v.astype(np.float32)


class _Glow:
    """A light that wanders over pictures too flat for any camera move to be seen on them."""

    def __init__(self, still: Canvas, rng: random.Random) -> None:
        small = cv2.cvtColor(shrink(still, 64), cv2.COLOR_RGB2GRAY).astype(np.float32)
        texture = float(np.abs(np.diff(small, axis=1)).mean())
        self._strength = 0.0 if texture > 0.6 else 14.0
        self._phase = rng.uniform(0.0, 2.0 * math.pi)
        self._sign = -1.0 if float(small.mean()) > 128.0 else 1.0

    def light(self, frame: Canvas, t: float) -> None:
        if not self._strength:
            return
        height, width = frame.shape[:2]
        x = np.linspace(-1.0, 1.0, 32, dtype=np.float32)[None, :]
        y = np.linspace(-1.0, 1.0, 18, dtype=np.float32)[:, None]
        cx, cy = (
            0.8 * math.cos(0.7 * t + self._phase),
            0.6 * math.sin(0.9 * t + self._phase),
        )
        spot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 0.5)
        amount = (spot * np.float32(self._strength * (1.0 - math.exp(-2.0 * t)))).astype(np.float32)
        full = cv2.resize(amount, (width, height), interpolation=cv2.INTER_LINEAR)
        lit = frame.astype(np.float32) + (
            np.float32(self._sign) * full[..., None] + np.float32(0.5)
        )
        np.copyto(frame, np.clip(lit, 0.0, 255.0), casting="unsafe")


def _share(move: Move, share: float) -> Move:
    return Move(
        pan=move.pan * share,
        rise=move.rise * share,
        zoom=move.zoom * share,
        orbit=move.orbit * share,
        roll=move.roll * share,
    )


def _sway_mask(grid: Grid) -> Field:
    """Wind takes the upper part and leaves the ground where it is."""
    return np.asarray(np.clip(0.75 - 1.1 * grid.v, 0.0, 1.0), dtype=np.float32)


def _framings(image: Canvas, width: int, height: int, shots: int, seed: int) -> list[Canvas]:
    """The picture itself, then closer cuts around what stands out in it."""
    views = [image]
    if shots <= 1:
        return views
    rng = random.Random(f"{seed}/framings")
    small = shrink(image, 96)
    heat = saliency(small)
    for number in range(1, min(shots, 4)):
        closer = (1.9, 1.35, 2.4)[number - 1] * rng.uniform(0.95, 1.05)
        x, y = _peak(heat, number)
        views.append(_crop(image, x, y, closer, width / height))
        _cool(heat, x, y)
    return views


def _peak(heat: npt.NDArray[np.float32], number: int) -> tuple[float, float]:
    """The most striking place as shares of width and height; the second take looks at the whole."""
    if number == 2:
        return 0.5, 0.45
    rows, columns = heat.shape
    soft = cv2.GaussianBlur(heat, (0, 0), columns / 12.0)
    y, x = np.unravel_index(int(np.argmax(soft)), soft.shape)
    return float(x) / columns, float(y) / rows


def _cool(heat: npt.NDArray[np.float32], x: float, y: float) -> None:
    rows, columns = heat.shape
    cv2.circle(heat, (round(x * columns), round(y * rows)), columns // 5, 0.0, -1)


def _crop(image: Canvas, x: float, y: float, closer: float, aspect: float) -> Canvas:
    """Cut a window of `aspect`, `closer` times smaller than the picture covers, around a place."""
    height, width = image.shape[:2]
    window_w = min(width, height * aspect) / closer
    window_h = window_w / aspect
    left = min(max(0.0, x * width - window_w / 2.0), width - window_w)
    top = min(max(0.0, y * height - window_h / 2.0), height - window_h)
    x0, y0 = int(left), int(top)
    x1, y1 = max(x0 + 1, int(left + window_w)), max(y0 + 1, int(top + window_h))
    return image[y0:y1, x0:x1]
