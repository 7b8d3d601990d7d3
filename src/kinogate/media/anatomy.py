"""What a clip from elsewhere is made of: every packet's time, one decoded frame, its sound.

`probe` measures what should be right already; this finds out what has to be made right
(`conform`). Runs in a child process: an upstream's file is a stranger's, too.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

import av
import av.error
import cv2
import numpy as np
import numpy.typing as npt

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.media.boxes import is_faststart, top_level_boxes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

Frame = npt.NDArray[np.uint8]
"""`[H, W, 3]` uint8, RGB, full range."""

MAX_SIDE: Final = 8192
"""Pixels; twice the largest side in the catalogue. A frame beyond would fill the child's memory."""

_UNEVEN = 0.1  # of a frame's time: players and muxers round, to a millisecond at worst
_NEARLY_WHOLE = 0.01  # frames a second
_FASTEST = 60  # frames a second that a varying rate becomes at most
_LATE_S = 0.25  # that a sound may last beyond its picture

_TURNS: Final = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}

MEDIA_ERRORS: Final = (av.error.FFmpegError, OSError, ValueError, IndexError, MemoryError)
"""What PyAV raises for a damaged file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """What was found.

    Attributes:
        width: Pixels of the upright picture with square pixels, even.
        height: The same.
        rate: Frames a second; for a varying rate the constant one that suits it.
        frame_count: Frames of the file.
        starts: Seconds from the first frame to each frame, rising.
        length_s: Seconds from the first frame to the end of the last.
        first_s: When the first frame is shown, on the clock that its sound shares.
        turn: Degrees counter-clockwise that make a decoded frame upright: 0, 90, 180 or 270.
        is_steady: Whether all frames last equally long.
        is_plain: Whether the picture can stay as it is coded: 8-bit 4:2:0, upright, square
            pixels, steady, and shown as a whole.
        is_tidy: Whether playing can start early, and nothing lies in the file beside one picture
            and at most one sound.
        has_audio: Whether there is a sound with anything in it.
        is_sound_plain: Whether that is AAC-LC of one or two channels and as long as the picture.
        channels: Of the sound, 0 without.
        tags: The file's metadata, key and value, in file order.
    """

    width: int
    height: int
    rate: Fraction
    frame_count: int
    starts: tuple[float, ...]
    length_s: float
    first_s: float
    turn: int
    is_steady: bool
    is_plain: bool
    is_tidy: bool
    has_audio: bool
    is_sound_plain: bool
    channels: int
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    starts: list[float]
    first_s: float
    length_s: float
    step: Fraction | None
    is_cut: bool
    sound_end_s: float | None


def examine(path: Path) -> Anatomy:
    """Look at `path`: read every packet, decode the first frame.

    Raises:
        InternalError: `RESULT_INVALID` for anything that is not a complete MP4 with an H.264
            picture and a sound, if any, that can be decoded.
    """
    with opened(path) as container:
        picture = container.streams.video[0]
        frame = next(container.decode(picture), None)
        if frame is None or max(frame.width, frame.height) > MAX_SIDE:
            raise invalid()
        sound = sound_of(container)
        container.seek(0)
        times = _read_times(container, picture, sound)
        is_steady, rate = _rate(times)
        turn = frame.rotation % 360
        shape = picture.sample_aspect_ratio or Fraction(1)
        width, height = _upright_size(frame.width, frame.height, shape, turn)
        end_s = times.sound_end_s
        return Anatomy(
            width=width,
            height=height,
            rate=rate,
            frame_count=len(times.starts),
            starts=tuple(times.starts),
            length_s=times.length_s,
            first_s=times.first_s,
            turn=turn,
            is_steady=is_steady,
            is_plain=is_steady
            and not times.is_cut
            and turn == 0
            and shape == 1
            and frame.format.name == "yuv420p",
            is_tidy=_is_whole(path) and len(container.streams) == (1 if end_s is None else 2),
            has_audio=end_s is not None,
            is_sound_plain=sound is not None
            and end_s is not None
            and sound.codec_context.name == "aac"
            and sound.profile == "LC"
            and sound.channels <= 2
            and end_s <= times.first_s + times.length_s + _LATE_S,
            channels=sound.channels if sound is not None and end_s is not None else 0,
            tags=tuple(container.metadata.items()),
        )


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """Open as MP4 with an H.264 picture, whatever FFmpeg would guess; its own errors become ours.

    Raises:
        InternalError: `RESULT_INVALID`.
    """
    try:
        with av.open(str(path), format="mp4", metadata_errors="ignore") as container:
            video = container.streams.video
            # PyAV leaves the context out when it knows no decoder, whatever its types say.
            context = getattr(video[0], "codec_context", None) if video else None
            if context is None or context.name != "h264":
                raise invalid()
            yield container
    except MEDIA_ERRORS as exc:
        raise invalid() from exc


def sound_of(container: InputContainer) -> AudioStream | None:
    """The first sound, or None.

    Raises:
        InternalError: `RESULT_INVALID` for a codec that nobody here knows.
    """
    if not container.streams.audio:
        return None
    sound = container.streams.audio[0]
    if getattr(sound, "codec_context", None) is None:
        raise invalid()
    return sound


def upright(frame: av.VideoFrame, found: Anatomy) -> Frame:
    """The frame as it is to be seen, of `found`'s size."""
    pixels = np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
    if found.turn in _TURNS:
        pixels = np.asarray(cv2.rotate(pixels, _TURNS[found.turn]), dtype=np.uint8)
    height, width = pixels.shape[:2]
    if (width, height) == (found.width, found.height):
        return pixels
    # One odd row or column is cut; what is more comes from pixels that are not square.
    if abs(width - found.width) <= 1 and abs(height - found.height) <= 1:
        return np.ascontiguousarray(pixels[: found.height, : found.width])
    scaled = cv2.resize(pixels, (found.width, found.height), interpolation=cv2.INTER_LANCZOS4)
    return np.asarray(scaled, dtype=np.uint8)


def _is_whole(path: Path) -> bool:
    """Whether playing can start early, and the media lie in one piece.

    Raises:
        InternalError: `RESULT_INVALID`, when a file in fragments breaks off: it announces no
            number of frames that could be missed.
    """
    boxes = top_level_boxes(path)
    is_fragmented = any(box.kind == "moof" for box in boxes)
    if is_fragmented and sum(box.size for box in boxes) < path.stat().st_size:
        raise invalid()
    return not is_fragmented and is_faststart(path)


def _upright_size(width: int, height: int, shape: Fraction, turn: int) -> tuple[int, int]:
    wide = round(width * shape) if shape > 0 else width
    across, down = (height, wide) if turn % 180 else (wide, height)
    if not 2 <= min(across, down) <= max(across, down) <= MAX_SIDE:
        raise invalid()
    return across // 2 * 2, down // 2 * 2


def _read_times(
    container: InputContainer, picture: VideoStream, sound: AudioStream | None
) -> _Times:
    shown: list[tuple[int, int]] = []
    is_cut, packets = False, 0
    sound_end_s: float | None = None
    for packet in container.demux(*(item for item in (picture, sound) if item is not None)):
        if packet.size == 0 or packet.pts is None:  # the flush at the end
            continue
        if packet.stream is picture:
            packets += 1
            is_cut = is_cut or packet.is_discard
            shown.append((packet.pts, packet.duration or 0))
        else:
            end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            sound_end_s = max(end_s, sound_end_s or 0.0)
    # A file cut short still announces all its frames at the front.
    if packets < max(1, picture.frames) or picture.time_base is None:
        raise invalid()
    shown.sort()
    base, (first, _), (last, lasting) = picture.time_base, shown[0], shown[-1]
    step = Fraction(last - first, len(shown) - 1) * base if len(shown) > 1 else None
    length = (last - first + lasting) * base
    if not lasting and step is not None:
        length += step
    if length <= 0:
        raise invalid()
    return _Times(
        starts=[float((pts - first) * base) for pts, _ in shown],
        first_s=float(first * base),
        length_s=float(length),
        step=step,
        is_cut=is_cut,
        sound_end_s=sound_end_s,
    )


def _rate(times: _Times) -> tuple[bool, Fraction]:
    """Whether the rate is steady, and which it is."""
    if times.step is None or times.step <= 0:
        return True, _snapped(1 / Fraction(times.length_s))
    starts, step = times.starts, float(times.step)
    off = max(abs(start - index * step) for index, start in enumerate(starts))
    if off <= _UNEVEN * step:
        return True, _snapped(1 / times.step)
    usual = median(after - before for before, after in pairwise(starts))
    whole = round(1 / usual) if usual > 0 else _FASTEST
    return False, Fraction(min(max(whole, 1), _FASTEST))


def _snapped(rate: Fraction) -> Fraction:
    """A whole rate where it is nearly that: times in milliseconds never add up exactly."""
    whole = round(rate)
    if whole >= 1 and abs(rate - whole) <= _NEARLY_WHOLE:
        return Fraction(whole)
    return rate.limit_denominator(1001)


def invalid() -> InternalError:
    """The error for a file that is not what an engine may deliver."""
    return InternalError(
        ErrorCode.RESULT_INVALID, "The engine's result is not a complete, playable H.264 MP4."
    )
