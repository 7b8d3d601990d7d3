"""A caller's video as a stream of frames, for shots that play or go on from one.

Reads strangers' bytes in the engine's child process. One frame is in memory at a time; what a shot
does with the frames is the motion modules' business.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import av
import av.error
import cv2
import numpy as np

from kinogate.domain.errors import CallerError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer

    from kinogate.engines.preview.canvas import Canvas

MAX_SIDE: Final = 4096
"""Pixels; the largest side of a clip in the catalogue (wan2.7 `first_clip`)."""

# PyAV's own; OSError also comes from its seeking beyond the ends of a hostile file.
_MEDIA_ERRORS: Final = (av.error.FFmpegError, OSError, ValueError)

_TURNS: Final = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}


class VideoClip:
    """One MP4 or MOV file, read from its start as often as wanted.

    Attributes:
        fps: Average frames a second, above 0.
        frame_count_hint: Frames as the file announces them, None when it does not; may be wrong.
    """

    def __init__(self, path: Path, *, cover: tuple[int, int]) -> None:
        """Read the head of `path`.

        Args:
            path: A file of unknown origin on local disk.
            cover: Width and height of the clip to come; larger frames are shrunk as they are
                decoded, as far as they still cover it.

        Raises:
            CallerError: `MEDIA_FORMAT` when it is not a readable MP4 or MOV with a picture,
                `MEDIA_DIMENSIONS` when a side is longer than `MAX_SIDE`.
        """
        self._path = path
        self._cover = cover
        with _opened(path) as container:
            stream = container.streams.video[0]
            rate = stream.average_rate or stream.guessed_rate
            if rate is None or rate <= 0:
                raise _unreadable()
            self.fps = float(rate)
            self.frame_count_hint: int | None = stream.frames or None
            if max(stream.width, stream.height) > MAX_SIDE:
                raise CallerError(
                    ErrorCode.MEDIA_DIMENSIONS,
                    f"A video's sides may be {MAX_SIDE} pixels long at most.",
                )

    def frames(self) -> Iterator[Canvas]:
        """Decode from the start: upright `[H, W, 3]` uint8 RGB frames, each a new array.

        A file that breaks off ends early, after at least one frame.

        Raises:
            CallerError: `MEDIA_FORMAT` when not even the first frame can be decoded.
        """
        count = 0
        with _opened(self._path) as container:
            source = container.decode(container.streams.video[0])
            while True:
                try:
                    frame = next(source, None)
                except _MEDIA_ERRORS as exc:
                    if count == 0:
                        raise _unreadable() from exc
                    return
                if frame is None:
                    break
                count += 1
                yield self._upright(frame)
        if count == 0:
            raise _unreadable()

    def _upright(self, frame: av.VideoFrame) -> Canvas:
        turn = frame.rotation % 360
        width, height = self._cover if turn % 180 == 0 else self._cover[::-1]
        scale = min(1.0, max(width / frame.width, height / frame.height))
        picture = frame.to_ndarray(
            format="rgb24",
            width=max(2, round(frame.width * scale)),
            height=max(2, round(frame.height * scale)),
        )
        upright = cv2.rotate(picture, _TURNS[turn]) if turn in _TURNS else picture
        return np.ascontiguousarray(upright, dtype=np.uint8)


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """Open as MP4/MOV and nothing else, from a handle, so that no name reaches FFmpeg."""
    with path.open("rb") as file:
        try:
            with av.open(file, "r", format="mp4", metadata_errors="ignore") as container:
                # PyAV leaves the context out when it knows no decoder, whatever its types say.
                video = container.streams.video
                if not video or getattr(video[0], "codec_context", None) is None:
                    raise _unreadable()
                yield container
        except _MEDIA_ERRORS as exc:
            raise _unreadable() from exc


def _unreadable() -> CallerError:
    return CallerError(ErrorCode.MEDIA_FORMAT, "The video must be a readable MP4 or MOV file.")
