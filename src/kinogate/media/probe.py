"""What a finished MP4 really is, measured by opening it; there is no ffprobe here.

Used on results, our own and those of upstreams, and by the demo and the tests. A stranger's image
or sound is another matter (`inspect`).
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import av.error
import cv2
import numpy as np
import numpy.typing as npt

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.media.boxes import is_faststart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from av.container import InputContainer

_SILENCE_DB = -180.0  # what digital zero is given as


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """What an MP4 measures.

    Attributes:
        width: Pixels.
        height: Pixels.
        fps: Average frames a second, exact.
        frame_count: Coded frames, counted and not taken from the header.
        duration_s: Seconds of the whole file.
        codec: Such as "h264".
        profile: Such as "High", or "" when the codec has none.
        pix_fmt: Such as "yuv420p".
        color_matrix: H.273 number; 6 is SMPTE 170M, 2 unspecified.
        color_range: 1 is limited (tv), 2 full, 0 unspecified.
        color_primaries: H.273 number.
        color_transfer: H.273 number.
        has_audio: Whether there is an audio stream.
        audio_codec: Such as "aac", or "".
        audio_rate: Samples a second, or 0.
        audio_channels: Channels, or 0.
        audio_duration_s: Seconds of the audio stream, or 0.0.
        tags: The container's metadata, key and value, in file order.
        faststart: Whether playing can start before the whole file is there.
    """

    width: int
    height: int
    fps: Fraction
    frame_count: int
    duration_s: float
    codec: str
    profile: str
    pix_fmt: str
    color_matrix: int
    color_range: int
    color_primaries: int
    color_transfer: int
    has_audio: bool
    audio_codec: str
    audio_rate: int
    audio_channels: int
    audio_duration_s: float
    tags: tuple[tuple[str, str], ...]
    faststart: bool


def probe_video(path: Path) -> VideoFacts:
    """Measure `path`: read every packet, decode the first frame.

    Raises:
        InternalError: `RESULT_INVALID` for anything that is not a complete, decodable MP4 with a
            picture.
    """
    with _opened(path) as container:
        _require_decoders(container)
        video = container.streams.video[0]
        context = video.codec_context
        if next(container.decode(video), None) is None or video.average_rate is None:
            raise _invalid()
        container.seek(0)
        packets = sum(packet.size > 0 for packet in container.demux(video))
        # A file cut short still announces all its frames at the front.
        if packets < max(1, video.frames) or container.duration is None:
            raise _invalid()
        audio = container.streams.audio[0] if container.streams.audio else None
        return VideoFacts(
            width=context.width,
            height=context.height,
            fps=Fraction(video.average_rate),
            frame_count=packets,
            duration_s=container.duration / av.time_base,
            codec=context.name,
            profile=context.profile or "",
            pix_fmt=context.pix_fmt or "",
            color_matrix=int(context.colorspace),
            color_range=int(context.color_range),
            color_primaries=int(context.color_primaries),
            color_transfer=int(context.color_trc),
            has_audio=audio is not None,
            audio_codec=audio.codec_context.name if audio else "",
            audio_rate=audio.rate if audio else 0,
            audio_channels=audio.channels if audio else 0,
            audio_duration_s=(
                float((audio.duration or 0) * (audio.time_base or Fraction(0))) if audio else 0.0
            ),
            tags=tuple(container.metadata.items()),
            faststart=is_faststart(path),
        )


def first_frame(path: Path) -> npt.NDArray[np.uint8]:
    """Decode the first frame as `[H, W, 3]` uint8 RGB.

    Raises:
        InternalError: `RESULT_INVALID` when there is none.
    """
    frame = next(frames(path), None)
    if frame is None:
        raise _invalid()
    return frame


def frames(path: Path, step: int = 1) -> Iterator[npt.NDArray[np.uint8]]:
    """Decode every `step`-th frame, the first included, as `[H, W, 3]` uint8 RGB, one at a time.

    Raises:
        InternalError: `RESULT_INVALID` when the file cannot be decoded to its end.
    """
    for _, frame in numbered_frames(path, lambda index: index % step == 0):
        yield frame


def numbered_frames(
    path: Path, wants: Callable[[int], bool]
) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Decode every frame and yield those that are wanted, with their numbers from 0.

    Turning a frame into RGB costs as much as decoding it, so the others are spared that.

    Raises:
        InternalError: `RESULT_INVALID` when the file cannot be decoded to its end.
    """
    with _opened(path) as container:
        _require_decoders(container)
        for index, frame in enumerate(container.decode(container.streams.video[0])):
            if wants(index):
                yield index, to_rgb(frame)


def to_rgb(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """Convert a decoded frame to `[H, W, 3]` uint8 RGB, full range, by the matrix it names.

    A frame that names none is taken as BT.601, which is swscale's own guess.
    """
    return np.ascontiguousarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)


def audio_windows_db(path: Path, window_s: float = 0.1) -> npt.NDArray[np.float64]:
    """Loudness over time: RMS of consecutive windows in dBFS, all channels together.

    Args:
        path: An MP4.
        window_s: Seconds of each window, above 0; a last shorter one is left out.

    Returns:
        `[N]` float64, digital silence is -180; empty for a file without sound.

    Raises:
        InternalError: `RESULT_INVALID` when the file cannot be decoded to its end.
    """
    with _opened(path) as container:
        _require_decoders(container)
        if not container.streams.audio:
            return np.empty(0, dtype=np.float64)
        stream = container.streams.audio[0]
        blocks = [frame.to_ndarray() for frame in container.decode(stream)]
        rate = stream.rate
    if not blocks:
        return np.empty(0, dtype=np.float64)
    samples = np.concatenate(blocks, axis=1)
    width = max(1, round(window_s * rate))
    count = samples.shape[1] // width
    power = np.square(samples[:, : count * width], dtype=np.float64)
    mean = power.reshape(samples.shape[0], count, width).mean(axis=(0, 2))
    floor = math.pow(10.0, _SILENCE_DB / 10.0)
    return np.asarray(10.0 * np.log10(np.maximum(mean, floor)), dtype=np.float64)


def ssim(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
    """Structural similarity of two equal-sized RGB pictures on grey, 11×11 Gaussian; 1 is equal.

    Raises:
        ValueError: The pictures differ in size.
    """
    if a.shape != b.shape:
        raise ValueError(f"Pictures of {a.shape} and {b.shape} cannot be compared.")
    x = cv2.cvtColor(a, cv2.COLOR_RGB2GRAY).astype(np.float64)
    y = cv2.cvtColor(b, cv2.COLOR_RGB2GRAY).astype(np.float64)

    def blur(picture: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(picture, (11, 11), 1.5), dtype=np.float64)

    mean_x, mean_y = blur(x), blur(y)
    var_x = blur(x * x) - mean_x * mean_x
    var_y = blur(y * y) - mean_y * mean_y
    both = blur(x * y) - mean_x * mean_y
    # The usual constants, (0.01·255)² and (0.03·255)².
    c1, c2 = 6.5025, 58.5225
    top = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    bottom = (mean_x * mean_x + mean_y * mean_y + c1) * (var_x + var_y + c2)
    return float(np.mean(top / bottom))


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """Open as MP4 and nothing else: FFmpeg left to guess would also open playlists and SDP."""
    try:
        with av.open(str(path), format="mp4") as container:
            yield container
    except (av.error.FFmpegError, OSError, ValueError) as exc:
        raise _invalid() from exc


def _require_decoders(container: InputContainer) -> None:
    """Refuse a file without a picture, or with a picture or sound of an unknown codec."""
    known = [
        # PyAV leaves the context out when it knows no decoder, whatever its types say.
        getattr(stream, "codec_context", None) is not None
        for stream in (*container.streams.video[:1], *container.streams.audio[:1])
    ]
    if not container.streams.video or not all(known):
        raise _invalid()


def _invalid() -> InternalError:
    return InternalError(
        ErrorCode.RESULT_INVALID, "The engine's result is not a complete, playable MP4."
    )
