"""Clips put together from several sources: references in order, a clip that goes on, a speaker.

Clips are read as streams, one frame at a time: memory does not grow with their length. Decoding
them is the caller's business.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.engines.preview.atmosphere import Atmosphere
from kinogate.engines.preview.canvas import Canvas
from kinogate.engines.preview.figure import find_figure
from kinogate.engines.preview.fit import fit_cover, surround
from kinogate.engines.preview.keyframes import keyframe_frames
from kinogate.engines.preview.motion import Camera
from kinogate.engines.preview.moves import parse_moves
from kinogate.engines.preview.pacing import smooth
from kinogate.engines.preview.warp import Field, Grid


class Clip(Protocol):
    """A video to play from; every implementation can be read more than once, from its start."""

    @property
    def fps(self) -> float:
        """Frames a second of `frames`, above 0."""
        ...

    @property
    def frame_count_hint(self) -> int | None:
        """How many frames there are, if known without reading them."""
        ...

    def frames(self) -> Iterator[Canvas]:
        """The frames as `[h, w, 3]` uint8 RGB, upright, one at a time."""
        ...


def reference_frames(
    references: Sequence[Canvas | Clip],
    first_frame: Canvas | None,
    prompt: str,
    seed: int,
    width: int,
    height: int,
    fps: int,
    frame_count: int,
) -> Iterator[Canvas]:
    """Give each reference a shot of its own, in order and of like length.

    Args:
        references: Pictures and clips; a clip plays in its shot and then goes on from its end.
        first_frame: When given, the clip opens with a shot of it, exact in frame 0.
        prompt: Names camera moves and weather.
        seed: Decides the rest; same arguments, same bytes.
        width: Pixels.
        height: Pixels.
        fps: Frames a second.
        frame_count: How many frames are yielded, exactly.

    Yields:
        Fresh `[height, width, 3]` frames.

    Raises:
        ValueError: There is neither a reference nor a first frame.
    """
    if not references and first_frame is None:
        msg = "no reference and no first frame to start from"
        raise ValueError(msg)
    weather = Atmosphere.from_prompt(prompt, "", seed, width, height, fps)
    opening = [] if first_frame is None else [first_frame]
    shots: list[Canvas | Clip] = [*opening, *references][: max(1, frame_count)]
    for number, shot in enumerate(shots):
        start = number * frame_count // len(shots)
        end = (number + 1) * frame_count // len(shots)
        if isinstance(shot, np.ndarray):
            picture = shot if number == 0 and opening else present(shot, width, height)
            rng = random.Random(f"{seed}/reference/{number}")
            moves = parse_moves(prompt, "", rng)
            camera = Camera(picture, width, height, fps, end - start, moves, rng)
            taken: Iterator[Canvas] = (camera.frame(i) for i in range(end - start))
        else:
            taken = continue_frames(shot, None, "", seed + number, width, height, fps, end - start)
        for i, frame in enumerate(taken):
            if start + i > 0:
                weather.draw(frame, start + i)
            yield frame


def present(image: Canvas, width: int, height: int) -> Canvas:
    """Show a picture whole where cropping it would cost too much: over its own blurred likeness."""
    image_height, image_width = image.shape[:2]
    mismatch = (image_width / image_height) / (width / height)
    if 0.6 < mismatch < 1.67:
        return image
    backdrop = fit_cover(image, width, height)
    small = cv2.resize(backdrop, (width // 8 or 1, height // 8 or 1), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), max(1.0, height / 160.0))
    stage = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    stage = cv2.convertScaleAbs(stage, alpha=0.72)
    scale = 0.92 * min(width / image_width, height / image_height)
    shown = fit_cover(
        image, max(1, round(image_width * scale)), max(1, round(image_height * scale))
    )
    top, left = (height - shown.shape[0]) // 2, (width - shown.shape[1]) // 2
    stage[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return np.asarray(stage, dtype=np.uint8)


def continue_frames(
    clip: Clip,
    last_frame: Canvas | None,
    prompt: str,
    seed: int,
    width: int,
    height: int,
    fps: int,
    frame_count: int,
) -> Iterator[Canvas]:
    """Play `clip`, then go on from its last frame.

    Args:
        clip: Fitted and resampled to `fps`; cut when it is longer than there is time.
        last_frame: When given, the final frame is `fit_cover(last_frame, …)` exactly, and at
            least a quarter of the time is kept for getting there.
        prompt: Names camera moves for what comes after the clip.
        seed: Decides the rest; same arguments, same bytes.
        width: Pixels.
        height: Pixels.
        fps: Frames a second.
        frame_count: How many frames are yielded, exactly.

    Yields:
        Fresh `[height, width, 3]` frames.

    Raises:
        ValueError: The clip has no frames.
    """
    tail = max(2, frame_count // 4) if last_frame is not None else 0
    played, frame = 0, None
    for frame in resample(clip, width, height, fps):
        if played >= frame_count - tail:
            break
        yield frame.copy()
        played += 1
    if frame is None:
        msg = "the clip has no frames"
        raise ValueError(msg)
    rest = frame_count - played
    if rest <= 0:
        return
    # One frame more than needed: the first is the clip's last one, which has been seen already.
    if last_frame is not None:
        onwards = keyframe_frames(frame, last_frame, prompt, seed, width, height, fps, rest + 1)
    else:
        rng = random.Random(f"{seed}/continue")
        moves = parse_moves(prompt, "", rng)
        camera = Camera(frame, width, height, fps, rest + 1, moves, rng)
        onwards = (camera.frame(i) for i in range(rest + 1))
    next(onwards)
    yield from onwards


def resample(clip: Clip, width: int, height: int, fps: int) -> Iterator[Canvas]:
    """The clip's frames, fitted, as often as `fps` asks: the newest one at each instant.

    Yields:
        Frames of the asked size; the same array may come several times in a row.
    """
    shown = 0
    for number, raw in enumerate(clip.frames()):
        until = math.floor((number + 1) * fps / clip.fps + 1e-6)
        if until <= shown:
            continue
        fitted = fit_cover(raw, width, height)
        for _ in range(until - shown):
            yield fitted
        shown = until


def portrait_frames(
    image: Canvas,
    loudness: npt.NDArray[np.floating],
    seed: int,
    width: int,
    height: int,
    fps: int,
    frame_count: int,
) -> Iterator[Canvas]:
    """Let a portrait breathe, sway, nod and speak along with a sound.

    Args:
        image: `[h, w, 3]` uint8 RGB of any size.
        loudness: `[n]` one value per frame, 0.0–1.0; silence after its end.
        seed: Decides the way of swaying; same arguments, same bytes.
        width: Pixels.
        height: Pixels.
        fps: Frames a second.
        frame_count: How many frames are yielded, exactly.

    Yields:
        Fresh frames; the first equals `fit_cover(image, …)`.
    """
    still = fit_cover(image, width, height)
    if frame_count > 0:
        yield still.copy()
    speaker = _Speaker(image, still, seed)
    voice, nod = 0.0, 0.0
    for i in range(1, frame_count):
        level = float(np.clip(loudness[i], 0.0, 1.0)) if i < len(loudness) else 0.0
        # The jaw follows at once, the head with some inertia.
        voice += (level - voice) * min(1.0, 14.0 / fps)
        nod += (level - nod) * min(1.0, 3.5 / fps)
        yield speaker.frame(i / fps, voice, nod)


class _Speaker:
    def __init__(self, image: Canvas, still: Canvas, seed: int) -> None:
        height, width = still.shape[:2]
        rng = random.Random(f"{seed}/portrait")
        self._grid = Grid(width, height)
        self._wide = surround(image, width, height, 0.08)
        self._figure = find_figure(still)
        self._phase = [rng.uniform(0.0, 2.0 * math.pi) for _ in range(4)]
        grid, figure = self._grid, self._figure
        size = max(0.07, figure.face_size)
        away = np.hypot(grid.u - figure.face_x, (grid.v - figure.face_y) * 0.85)
        self._head: Field = np.asarray(np.exp(-((away / (2.1 * size)) ** 2)), dtype=np.float32)
        chin = (grid.v - figure.face_y - 0.78 * size) / (0.42 * size)
        jaw = np.exp(-(chin**2) - ((grid.u - figure.face_x) / (0.60 * size)) ** 2)
        self._jaw: Field = np.asarray(jaw, dtype=np.float32)
        chest = np.exp(-(((grid.v - figure.face_y - 3.2 * size) / (1.8 * size)) ** 2))
        chest = chest * np.exp(-(((grid.u - figure.face_x) / (3.2 * size)) ** 2))
        self._chest: Field = np.asarray(chest, dtype=np.float32)
        self._size = size

    def frame(self, t: float, voice: float, nod: float) -> Canvas:
        grid, size, figure = self._grid, self._size, self._figure
        fade = smooth(t / 1.0)
        a, b, c, d = self._phase
        sway = fade * size * (0.075 * math.sin(0.9 * t + a) + 0.03 * math.sin(2.1 * t + b))
        bob = fade * size * (0.03 * math.sin(1.3 * t + c) + 0.11 * nod + 0.02 * math.cos(2.6 * t))
        tilt = fade * (0.025 * math.sin(0.7 * t + d) + 0.03 * nod * math.sin(1.9 * t + a))
        breath = fade * 0.035 * size * math.sin(2.0 * math.pi * 0.27 * t)
        zoom = 1.0 + 0.02 * (1.0 - math.exp(-t / 8.0)) * fade
        u, v = grid.u / np.float32(zoom), grid.v / np.float32(zoom)
        du = u - np.float32(figure.face_x)
        dv = v - np.float32(figure.face_y + 1.2 * size)
        u = u - self._head * (np.float32(sway) - dv * np.float32(tilt))
        v = v - self._head * (np.float32(bob) + du * np.float32(tilt))
        v = v - self._jaw * np.float32(0.16 * size * voice * fade)
        v = v + self._chest * np.float32(breath)
        margin = (self._wide.margin_x, self._wide.margin_y)
        return grid.pull(self._wide.pixels, u, v, margin=margin)
