"""From a first picture to a last one: a designed transition, never a cut.

Where the two pictures resemble each other, they flow into one another along dense optical flow;
where they do not, the camera flies on through the first into the last behind a front of light.
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
from kinogate.engines.preview.depth import FloatMap, shrink
from kinogate.engines.preview.fit import fit_cover, surround
from kinogate.engines.preview.moves import Move, parse_moves
from kinogate.engines.preview.pacing import smooth
from kinogate.engines.preview.warp import Field, Grid

_MARGIN = 0.16
_FLOW_SIDE = 256


def keyframe_frames(
    first: Canvas,
    last: Canvas,
    prompt: str,
    seed: int,
    width: int,
    height: int,
    fps: int,
    frame_count: int,
) -> Iterator[Canvas]:
    """Make a clip from `first` to `last`.

    Args:
        first: `[h, w, 3]` uint8 RGB of any size.
        last: Likewise, of any other size.
        prompt: Names the way the camera travels and the weather on the way.
        seed: Decides the shape of the front; same arguments, same bytes.
        width: Pixels.
        height: Pixels.
        fps: Frames a second.
        frame_count: How many frames are yielded, exactly; with 1 it is the first picture.

    Yields:
        Fresh frames; the first equals `fit_cover(first, …)`, the final one `fit_cover(last, …)`.
    """
    opening, closing = fit_cover(first, width, height), fit_cover(last, width, height)
    if frame_count > 0:
        yield opening.copy()
    if frame_count < 2:
        return
    passage = _Passage(first, last, prompt, seed, width, height)
    weather = Atmosphere.from_prompt(prompt, "", seed, width, height, fps)
    for i in range(1, frame_count - 1):
        frame = passage.frame(i / (frame_count - 1))
        # What fell into the picture must be gone again when the last picture is reached.
        weather.draw(frame, min(i, frame_count - 1 - i))
        yield frame
    yield closing


class _Passage:
    """Everything between the two pictures, on request for any share 0–1 of the way."""

    def __init__(
        self,
        first: Canvas,
        last: Canvas,
        prompt: str,
        seed: int,
        width: int,
        height: int,
    ) -> None:
        rng = random.Random(f"{seed}/keyframes")
        self._grid = Grid(width, height)
        self._wide = (
            surround(first, width, height, _MARGIN),
            surround(last, width, height, _MARGIN),
        )
        opening, closing = (
            fit_cover(first, width, height),
            fit_cover(last, width, height),
        )
        self._flow, self._likeness = _flow(opening, closing, self._grid)
        self._order = _front(rng, self._grid)
        self._travel = sum(parse_moves(prompt, "", rng), Move())
        self._turn = rng.choice((-1.0, 1.0))

    def frame(self, share: float) -> Canvas:
        eased = 0.35 * share + 0.65 * smooth(share)
        front = smooth((eased - 0.06) / 0.88)
        going = self._pull(0, eased, front)
        coming = self._pull(1, eased, front)
        return self._join(going, coming, front)

    def _pull(self, side: int, eased: float, front: float) -> Canvas:
        """One picture at its place on the way: the first flies past, the last arrives."""
        grid, unlike = self._grid, 1.0 - self._likeness
        arch = math.sin(math.pi * eased)
        # The flow is what is left to go: forward for the first picture, back for the last.
        left = eased if side == 0 else eased - 1.0
        way = -1.0 if self._travel.zoom < 0.0 else 1.0
        zoom = way * 0.24 * unlike * left + (0.02 + 0.04 * self._likeness) * arch
        pan = 0.9 * self._travel.pan * unlike * left
        pan += 0.006 * self._turn * math.sin(2.0 * math.pi * eased)
        rise = 0.9 * self._travel.rise * unlike * left
        scale = np.float32(math.exp(-zoom))
        u, v = (grid.u - np.float32(pan)) * scale, (grid.v - np.float32(rise)) * scale
        flow_u, flow_v = self._flow[side]
        moved = np.float32((front if side == 0 else 1.0 - front) * self._likeness)
        wide = self._wide[side]
        margin = (wide.margin_x, wide.margin_y)
        return grid.pull(wide.pixels, u - flow_u * moved, v - flow_v * moved, margin=margin)

    def _join(self, going: Canvas, coming: Canvas, front: float) -> Canvas:
        """Dissolve along the front; the less alike the pictures, the narrower and brighter."""
        width_of_front = 0.45 + 0.9 * self._likeness
        reach = front * (1.0 + width_of_front)
        share = np.clip((reach - self._order) / width_of_front, 0.0, 1.0)
        share = share * share * (3.0 - 2.0 * share)
        size = (self._grid.width, self._grid.height)
        weight = cv2.resize(
            (share[1:-1, 1:-1] * 255.0 + 0.5).astype(np.uint8),
            size,
            interpolation=cv2.INTER_LINEAR,
        )
        frame = blend(going, coming, np.asarray(weight, dtype=np.uint8))
        glow = 4.0 * share * (1.0 - share) * (1.0 - self._likeness) * math.sin(math.pi * front)
        if float(glow.max()) > 0.1:
            tint = np.array([78.0, 62.0, 38.0], dtype=np.float32)
            light = (glow[1:-1, 1:-1, None] * tint).astype(np.uint8)
            cv2.add(
                frame,
                cv2.resize(light, size, interpolation=cv2.INTER_LINEAR),
                dst=frame,
            )
        return frame


def blend(first: Canvas, second: Canvas, weight: npt.NDArray[np.uint8]) -> Canvas:
    """`second` over `first`, by `[H, W]` weights 0–255."""
    over = cv2.merge([weight, weight, weight])
    kept = cv2.multiply(first, cv2.bitwise_not(over), scale=1.0 / 255.0)
    added = cv2.multiply(second, over, scale=1.0 / 255.0)
    return np.asarray(cv2.add(kept, added), dtype=np.uint8)


def _flow(
    first: Canvas, last: Canvas, grid: Grid
) -> tuple[tuple[tuple[Field, Field], tuple[Field, Field]], float]:
    """Flow towards the other picture for both, in frame heights, and how far to trust it, 0–1."""
    grey = [_grey(first), _grey(last)]
    height, width = grey[0].shape
    still = np.zeros((height, width, 2), dtype=np.float32)
    found: list[tuple[Field, Field]] = []
    gains: list[float] = []
    for here, there in ((0, 1), (1, 0)):
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        flow = cv2.GaussianBlur(search.calc(grey[here], grey[there], still.copy()), (0, 0), 4.0)
        gains.append(_trust(grey[here], grey[there], np.asarray(flow, dtype=np.float32)))
        limited = np.clip(flow / height, -0.3, 0.3).astype(np.float32)
        found.append(
            (
                grid.sample(np.ascontiguousarray(limited[..., 0]), grid.u, grid.v),
                grid.sample(np.ascontiguousarray(limited[..., 1]), grid.u, grid.v),
            )
        )
    return (found[0], found[1]), min(gains)


def _grey(frame: Canvas) -> npt.NDArray[np.uint8]:
    grey = cv2.cvtColor(shrink(frame, _FLOW_SIDE), cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, dtype=np.uint8)


def _trust(
    here: npt.NDArray[np.uint8],
    there: npt.NDArray[np.uint8],
    flow: npt.NDArray[np.float32],
) -> float:
    """1 when the flow turns one picture into the other, 0 when it is guesswork."""
    height, width = here.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = cv2.remap(
        there,
        x + flow[..., 0],
        y + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    after = float(np.abs(moved.astype(np.float32) - here).mean())
    return 1.0 - smooth((after - 7.0) / 14.0)


def _front(rng: random.Random, grid: Grid) -> FloatMap:
    """When each place changes over, 0–1: a slanted sweep with a cloudy edge."""
    noise = np.random.default_rng(rng.randrange(2**31)).random((7, 11)).astype(np.float32)
    rows, columns = grid.shape
    cloud = cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_CUBIC)
    angle = rng.uniform(-0.5, 0.5) + (math.pi if rng.random() < 0.5 else 0.0)
    sweep = grid.u * math.cos(angle) + grid.v * math.sin(angle)
    sweep = (sweep - sweep.min()) / float(sweep.max() - sweep.min())
    return np.asarray(np.clip(0.7 * sweep + 0.3 * cloud, 0.0, 1.0), dtype=np.float32)
