"""What is done, in a child process, to files that come from an upstream or go to one.

Runs inside `inspect_worker` only: an upstream's clip is a stranger's file like any other.
"""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
from PIL import Image

from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.domain.media import ReceivedClip

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_MOST_DECODED = 120
_QUALITIES = (95, 90, 82, 72, 60)
_CODECS = frozenset({"h264"})
"""Every vendor's page promises H.264 in MP4, and it is what players and the gateway's own passes take."""


def check_received(path: Path) -> ReceivedClip:
    """Read every packet of an upstream's clip and decode every key frame.

    The duration is the span of the frames' times, so a header that lies changes nothing.

    Raises:
        InternalError: `RESULT_INVALID`: no MP4, cut short, another codec than H.264, or a picture
            that cannot be decoded.
    """
    try:
        # The format is forced: left to guess, the library opens playlists, which reach out.
        with av.open(str(path), format="mov", options={"protocol_whitelist": "file"}) as container:
            stream = next(iter(container.streams.video), None)
            if stream is None or getattr(stream, "codec_context", None) is None:
                raise _invalid("The upstream's file has no picture that can be decoded.")
            if stream.codec_context.name not in _CODECS:
                raise _invalid("The upstream's file is not in H.264.")
            has_audio = bool(container.streams.audio)
            count, duration, rotation = _read(container, stream)
            width, height = stream.codec_context.width, stream.codec_context.height
    except (av.error.FFmpegError, OSError, ValueError, MemoryError) as exc:
        raise _invalid("The upstream's file is not a complete, playable MP4.") from exc
    if rotation % 180:
        width, height = height, width
    return ReceivedClip(
        width=width,
        height=height,
        fps=float(count / duration),
        frame_count=count,
        duration_s=float(duration),
        has_audio=has_audio,
        size_bytes=path.stat().st_size,
    )


def _read(container: InputContainer, stream: VideoStream) -> tuple[int, Fraction, int]:
    """Frames, the seconds they span, and the rotation in degrees of the first picture."""
    stream.codec_context.skip_frame = "NONKEY"
    announced, base = stream.frames, stream.time_base
    count, decoded, rotation = 0, 0, 0
    first: int | None = None
    end = 0
    for packet in container.demux(stream):
        if packet.pts is not None and packet.size:
            if packet.is_corrupt:
                raise _invalid("The upstream's file is cut short.")
            count += 1
            first = packet.pts if first is None else min(first, packet.pts)
            end = max(end, packet.pts + (packet.duration or 0))
        # A clip made of key frames alone would be decoded whole.
        for frame in packet.decode() if decoded < _MOST_DECODED else ():
            rotation = rotation if decoded else frame.rotation
            decoded += 1
    # A file cut short still announces all its frames at the front.
    if first is None or base is None or not decoded or count < announced or end <= first:
        raise _invalid("The upstream's file is not a complete, playable MP4.")
    return count, (end - first) * base, rotation


def shrink_image(path: Path, out: Path, max_bytes: int) -> int:
    """Write a checked image to `out` as a JPEG of at most `max_bytes`; its length in bytes.

    Quality goes before pixels: it falls to 60, and only then does the picture get smaller, by
    steps of a fifth. Calling again overwrites `out`.

    Raises:
        CallerError: `MEDIA_TOO_LARGE`: even a picture of 360 pixels does not fit.
    """
    with Image.open(path, formats=("PNG", "JPEG")) as opened:
        image = opened.convert("RGB")
    while min(image.size) >= 360:
        for quality in _QUALITIES:
            file = io.BytesIO()
            image.save(file, "JPEG", quality=quality, subsampling=0 if quality > 85 else 2)
            if file.tell() <= max_bytes:
                return out.write_bytes(file.getvalue())
        image = image.resize(
            (image.width * 4 // 5, image.height * 4 // 5), Image.Resampling.LANCZOS
        )
    raise CallerError(
        ErrorCode.MEDIA_TOO_LARGE, "The image is too large for the upstream, however it is packed."
    )


def _invalid(message: str) -> InternalError:
    return InternalError(ErrorCode.RESULT_INVALID, message)
