"""From an order to its frames: which of the drawing modules makes them, and from which inputs.

Reads the pictures, clips and sounds that an order names; draws nothing itself and writes no file.
Obeys the table of design §4.24.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.domain.order import Mode, Order, Role, ShotType
from kinogate.engines.preview.clips import VideoClip
from kinogate.engines.preview.keyframes import keyframe_frames
from kinogate.engines.preview.motion import image_frames
from kinogate.engines.preview.render import scene_frames
from kinogate.engines.preview.sequence import continue_frames, portrait_frames, reference_frames
from kinogate.engines.preview.shots import plan_shots
from kinogate.engines.preview.templates import template_frames
from kinogate.media.audio import decode_audio

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from kinogate.domain.order import InputFile
    from kinogate.engines.preview.canvas import Canvas
    from kinogate.engines.preview.shots import Shot
    from kinogate.media.audio import Samples

AUDIO_RATE: Final = 48_000
_QUIET_DB, _LOUD_DB = -45.0, -12.0  # what counts as a closed and as an open mouth
_SECONDS_A_SHOT: Final = 2.5


def order_frames(order: Order, voice: Samples | None) -> Generator[Canvas]:
    """The frames of `order`, one at a time; close the generator to let go of its inputs early.

    Args:
        order: A resolved order.
        voice: The order's given sound, `[2, N]` at 48 kHz, for a portrait that speaks; or None.

    Yields:
        `order.frame_count` arrays `[H, W, 3]` uint8 RGB. The caller may change an array, and must
        be done with it before the next step, which may draw over it.

    Raises:
        CallerError: An input cannot be read.
        InternalError: `ENGINE_FAILED` when an input is missing that the mode needs.
    """
    yield from _chosen(order, voice)


def _chosen(order: Order, voice: Samples | None) -> Iterator[Canvas]:
    if order.template is not None:
        # A last frame, where there is one, is passed over: so the vendor's page on effects says.
        first = _image(order, Role.FIRST_FRAME)
        return template_frames(order.template, first, order.seed, *_shape(order))
    if order.mode is Mode.S2V:
        return portrait_frames(
            _image(order, Role.FIRST_FRAME),
            loudness(voice, order.fps, order.frame_count),
            order.seed,
            *_shape(order),
        )
    return _MAKERS[order.mode](order)


def order_shots(order: Order) -> tuple[Shot, ...]:
    """The plan of a text-to-video order, for who must know what will be seen (the sound)."""
    return plan_shots(
        order.prompt,
        order.negative_prompt,
        order.seed,
        order.frame_count,
        order.fps,
        multi=order.shot_type is ShotType.MULTI,
    )


def given_sound(order: Order) -> Samples | None:
    """The order's sound file as `[2, N]` at 48 kHz, no longer than the clip; None when it has none.

    Raises:
        CallerError: It cannot be read.
    """
    item = order.input(Role.AUDIO)
    if item is None:
        return None
    return decode_audio(Path(item.path), max_s=order.duration_s, rate=AUDIO_RATE)


def loudness(samples: Samples | None, fps: int, frame_count: int) -> npt.NDArray[np.float32]:
    """How loud each frame's sound is, `[frame_count]` float32, 0.0 silent to 1.0 loud."""
    levels = np.zeros(frame_count, dtype=np.float32)
    if samples is None:
        return levels
    for index in range(frame_count):
        start, end = (AUDIO_RATE * (index + step) // fps for step in (0, 1))
        part = samples[:, start:end]
        if part.size:
            power = float(np.mean(np.square(part, dtype=np.float64)))
            level_db = 10.0 * np.log10(max(power, 1e-12))
            levels[index] = np.clip((level_db - _QUIET_DB) / (_LOUD_DB - _QUIET_DB), 0.0, 1.0)
    return levels


def _shape(order: Order) -> tuple[int, int, int, int]:
    return order.width, order.height, order.fps, order.frame_count


def _scenes(order: Order) -> Iterator[Canvas]:
    return scene_frames(order_shots(order), order.width, order.height, order.fps)


def _from_image(order: Order) -> Iterator[Canvas]:
    shots = 1
    if order.shot_type is ShotType.MULTI:
        shots = min(4, max(2, round(order.duration_s / _SECONDS_A_SHOT)))
    return image_frames(
        _image(order, Role.FIRST_FRAME),
        order.prompt,
        order.negative_prompt,
        order.seed,
        *_shape(order),
        shots=shots,
    )


def _between_images(order: Order) -> Iterator[Canvas]:
    if order.input(Role.LAST_FRAME) is None:
        # The documented minimum is the first frame alone; then it is a plain image to video.
        return _from_image(order)
    first, last = _image(order, Role.FIRST_FRAME), _image(order, Role.LAST_FRAME)
    return keyframe_frames(first, last, order.prompt, order.seed, *_shape(order))


def _from_references(order: Order) -> Iterator[Canvas]:
    references: list[Canvas | VideoClip] = []
    for item in order.inputs:
        if item.role is Role.REFERENCE_IMAGE:
            references.append(_read_image(item))
        elif item.role is Role.REFERENCE_VIDEO:
            references.append(_clip(order, item))
    first = order.input(Role.FIRST_FRAME)
    if first is None and not references:
        raise _lacking(Role.REFERENCE_IMAGE)
    opening = _read_image(first) if first is not None else None
    return reference_frames(references, opening, order.prompt, order.seed, *_shape(order))


def _from_clip(order: Order) -> Iterator[Canvas]:
    item = order.input(Role.FIRST_CLIP)
    if item is None:
        raise _lacking(Role.FIRST_CLIP)
    last = order.input(Role.LAST_FRAME)
    ending = _read_image(last) if last is not None else None
    return continue_frames(_clip(order, item), ending, order.prompt, order.seed, *_shape(order))


_MAKERS: Final[Mapping[Mode, Callable[[Order], Iterator[Canvas]]]] = {
    Mode.T2V: _scenes,
    Mode.I2V: _from_image,
    Mode.KF2V: _between_images,
    Mode.R2V: _from_references,
    Mode.CLIP: _from_clip,
}


def _image(order: Order, role: Role) -> Canvas:
    item = order.input(role)
    if item is None:
        raise _lacking(role)
    return _read_image(item)


def _read_image(item: InputFile) -> Canvas:
    pixels = cv2.imread(item.path, cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise CallerError(ErrorCode.MEDIA_FORMAT, "The image cannot be read.")
    return np.ascontiguousarray(pixels, dtype=np.uint8)


def _clip(order: Order, item: InputFile) -> VideoClip:
    return VideoClip(Path(item.path), cover=(order.width, order.height))


def _lacking(role: Role) -> InternalError:
    return InternalError(ErrorCode.ENGINE_FAILED, f"The order lacks its {role.value!r} input.")
