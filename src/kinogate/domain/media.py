"""What a checked file is, and the checks on numbers that need no decoder.

The limits themselves are rows of the catalogue (`domain/spec.py`); decoding is `media/inspect.py`
in a child process. One MiB is 1,048,576 bytes and every limit is inclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.spec import ImageRule

MIB = 1024 * 1024


class Kind(StrEnum):
    """What the first bytes of a file say that it is."""

    JPEG = "jpeg"
    PNG = "png"
    BMP = "bmp"
    WEBP = "webp"
    GIF = "gif"
    WAV = "wav"
    MP3 = "mp3"
    MP4 = "mp4"  # QuickTime included


IMAGE_KINDS = frozenset({Kind.JPEG, Kind.PNG, Kind.BMP, Kind.WEBP})
"""The image formats that every Wan API takes."""

AUDIO_KINDS = frozenset({Kind.WAV, Kind.MP3})
"""The audio formats that every Wan API takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRules:
    """How one image is checked and where its normalised copy goes.

    Attributes:
        limits: Sides, ratio and bytes.
        out: Path of the new PNG.
        longest_side: A larger image is scaled down in the copy, pixels. No clip is larger than
            1920, so nothing is lost and no engine has to hold 64 megapixels.
        flatten_alpha: Lay transparent pixels on white instead of refusing them.
    """

    limits: ImageRule
    out: str
    longest_side: int = 4096
    flatten_alpha: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """A checked image.

    Attributes:
        kind: Format of the original.
        width: Pixels of the original, upright.
        height: Pixels of the original, upright.
        size_bytes: Bytes of the original.
        path: The copy: upright 8-bit RGB PNG without metadata, scaled to `longest_side` at most.
    """

    kind: Kind
    width: int
    height: int
    size_bytes: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFacts:
    """A checked audio file; `duration_s` comes from decoded samples, never from a header."""

    kind: Kind
    duration_s: float
    sample_rate: int
    channels: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FootageFacts:
    """A checked input video; sides are upright pixels, `duration_s` comes from its packets."""

    width: int
    height: int
    fps: float
    duration_s: float
    frame_count: int
    has_audio: bool
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedClip:
    """What an upstream has made, after decoding; sides are upright pixels, frames are counted."""

    width: int
    height: int
    fps: float
    frame_count: int
    duration_s: float
    has_audio: bool
    size_bytes: int


def check_bytes(size_bytes: int, max_bytes: int, what: str) -> None:
    """Refuse a file above its limit.

    Raises:
        CallerError: `MEDIA_TOO_LARGE`.
    """
    if size_bytes > max_bytes:
        raise CallerError(
            ErrorCode.MEDIA_TOO_LARGE,
            f"The {what} must have at most {_bytes(max_bytes)}; it has {size_bytes} bytes.",
        )


def check_sides(width: int, height: int, limits: ImageRule) -> None:
    """Refuse an image whose sides or ratio are out of range; which side is which is no matter.

    Raises:
        CallerError: `MEDIA_DIMENSIONS`.
    """
    low, high = limits.min_side, limits.max_side
    if not (low <= min(width, height) and max(width, height) <= high):
        raise CallerError(
            ErrorCode.MEDIA_DIMENSIONS,
            f"Both sides of the image must be {low} to {high} pixels; it is {width}x{height}.",
        )
    check_ratio(width, height, limits.max_ratio, "image")


def check_ratio(width: int, height: int, max_ratio: int | None, what: str) -> None:
    """Refuse a picture longer than `max_ratio` times its short side.

    Raises:
        CallerError: `MEDIA_DIMENSIONS`.
    """
    if max_ratio is not None and max(width, height) > max_ratio * min(width, height):
        raise CallerError(
            ErrorCode.MEDIA_DIMENSIONS,
            f"The long side of the {what} must be at most {max_ratio} times the short side; "
            f"it is {width}x{height}.",
        )


def _bytes(count: int) -> str:
    return f"{count // MIB} MiB" if count % MIB == 0 else f"{count} bytes"
