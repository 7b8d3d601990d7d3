"""Decoders over strangers' files: is it what it must be, and what does it measure?

Runs inside a child process only (`inspect_worker`), under limits on memory, processor time and
file size, because a decoder may crash, spin or swell. Formats are forced, headers are not
believed, and the image that leaves here is freshly encoded: no metadata, no second life.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error
from PIL import Image, ImageCms

from kinogate.domain.errors import CallerError, ErrorCode, InternalError, KinogateError
from kinogate.domain.media import (
    AUDIO_KINDS,
    IMAGE_KINDS,
    AudioFacts,
    FootageFacts,
    ImageFacts,
    ImageRules,
    Kind,
    check_bytes,
    check_ratio,
    check_sides,
)
from kinogate.domain.spec import AudioFileRule, VideoRule
from kinogate.media.header import SNIFF_BYTES, SWAPPED, image_size, orientation, sniff

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.video.stream import VideoStream

# EXIF orientation to what sets it upright; from 5 on the sides change places.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MAX_ICC_BYTES = 4 * 1024 * 1024
_MAX_CHANNELS = 8  # our choice: 7.1
_SAMPLE_RATES = range(8_000, 192_001)
_MAX_BAD_PACKETS = 3  # a cut MP3 begins with frames that lack their bit reservoir
# Encoders put up to two frames of silence around an MP3; a file "of 30 seconds" must still pass.
_MP3_SLACK_S = 0.06
_MOST_DECODED = 120
_VIDEO_CODECS = frozenset({"h264", "hevc", "mpeg4", "vp9", "av1", "mjpeg", "prores"})


def inspect_image(path: Path, rules: ImageRules) -> ImageFacts:
    """Check one still image and write its normalised copy to `rules.out`.

    Accepted are JPEG, PNG, BMP and WEBP. Grey, palette, CMYK, 16-bit and profiled images become
    sRGB; the EXIF orientation is applied once. An alpha channel passes if every pixel is opaque.
    Of a multi-picture JPEG (as telephones write) the first picture is taken; animations are
    refused. Calling again overwrites `rules.out`.

    Raises:
        CallerError: `MEDIA_TOO_LARGE`, `MEDIA_FORMAT` or `MEDIA_DIMENSIONS`.
        InternalError: `UNAVAILABLE`: the copy could not be written.
    """
    size_bytes = path.stat().st_size
    check_bytes(size_bytes, rules.limits.max_bytes, "image")
    data = path.read_bytes()
    kind, told, turn = sniff(data), image_size(data), orientation(data)
    if kind not in IMAGE_KINDS:
        raise _bad_format("The image must be a JPEG, PNG, BMP or WEBP.")
    if told is not None:  # before Pillow, which has a limit and words of its own for bombs
        check_sides(*told, rules.limits)
    with (
        _hostile("The image is damaged and cannot be decoded."),
        warnings.catch_warnings(),
    ):
        # Sizes are judged by our own limits; Pillow's half-way warning would only be noise.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(data), formats=(kind.name,)) as image:
            # Before `load`: a 250 kB PNG may hold 90 megapixels.
            size = image.size
            check_sides(*size, rules.limits)
            if kind is not Kind.JPEG and getattr(image, "n_frames", 1) > 1:
                raise _bad_format("The image must be a still, not an animation.")
            image.draft("RGB", (rules.longest_side,) * 2)  # JPEG: halves the size as it reads
            image.load()
            rgb = _to_rgb(image, rules)
            if turn in _TURNS:
                rgb = rgb.transpose(_TURNS[turn])
    width, height = size[::-1] if turn in SWAPPED else size
    rgb.info.clear()  # or the PNG writer would carry the profile over
    try:
        rgb.save(rules.out, "PNG", compress_level=1)
    except OSError as exc:
        raise InternalError(ErrorCode.UNAVAILABLE, "The server has no room for this file.") from exc
    return ImageFacts(
        kind=kind,
        width=width,
        height=height,
        size_bytes=size_bytes,
        path=str(rules.out),
    )


def inspect_audio(path: Path, limits: AudioFileRule) -> AudioFacts:
    """Decode a WAV or MP3 to its end, or to just past the longest duration, and count samples.

    Raises:
        CallerError: `MEDIA_TOO_LARGE`, `MEDIA_FORMAT` or `MEDIA_DURATION`.
    """
    size_bytes = path.stat().st_size
    check_bytes(size_bytes, limits.max_bytes, "audio")
    kind = _sniff_file(path)
    if kind not in AUDIO_KINDS:
        raise _bad_format("The audio must be a WAV or MP3.")
    most_s = limits.max_s + (_MP3_SLACK_S if kind is Kind.MP3 else 0.0)
    with (
        _hostile("The audio is damaged and cannot be decoded."),
        # The format is forced: left to guess, the library opens playlists and session
        # descriptions, which reach for the network.
        av.open(str(path), format=kind.value, options={"protocol_whitelist": "file"}) as container,
    ):
        stream = next(iter(container.streams.audio), None)
        codec = "" if stream is None else stream.codec_context.name
        if stream is None or not codec.startswith(("pcm_", "mp3")):
            raise _bad_format("The audio must be a WAV with PCM samples, or an MP3.")
        rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
        if rate not in _SAMPLE_RATES or not 1 <= channels <= _MAX_CHANNELS:
            raise _bad_format(
                f"The audio must have 1 to {_MAX_CHANNELS} channels of 8 to 192 kHz; "
                f"it has {channels} of {rate} Hz."
            )
        samples = _count_samples(container, stream, int(most_s * rate))
    duration_s = samples / rate
    if not limits.min_s <= duration_s <= most_s:
        more = "more than " if duration_s > most_s else ""
        raise CallerError(
            ErrorCode.MEDIA_DURATION,
            f"The audio must last {limits.min_s} to {limits.max_s} seconds; "
            f"it lasts {more}{min(duration_s, float(limits.max_s)):.2f}.",
        )
    return AudioFacts(
        kind=kind,
        duration_s=duration_s,
        sample_rate=rate,
        channels=channels,
        size_bytes=size_bytes,
    )


def inspect_video(path: Path, limits: VideoRule) -> FootageFacts:
    """Read every packet of an MP4 or MOV and decode its key frames.

    The duration is the span of the packets' times, so a lying header changes nothing. Decoding
    key frames only proves the file usable at a fraction of the cost of decoding it all.

    Raises:
        CallerError: `MEDIA_TOO_LARGE`, `MEDIA_FORMAT`, `MEDIA_DIMENSIONS` or `MEDIA_DURATION`.
    """
    size_bytes = path.stat().st_size
    check_bytes(size_bytes, limits.max_bytes, "video")
    if _sniff_file(path) is not Kind.MP4:
        raise _bad_format("The video must be an MP4 or MOV.")
    with (
        _hostile("The video is damaged and cannot be decoded."),
        av.open(str(path), format="mov", options={"protocol_whitelist": "file"}) as container,
    ):
        stream = next(iter(container.streams.video), None)
        if stream is None or stream.codec_context.name not in _VIDEO_CODECS:
            raise _bad_format(
                "The video must have a picture in H.264, H.265 or another common codec."
            )
        has_audio = bool(container.streams.audio)
        width, height = stream.codec_context.width, stream.codec_context.height
        _check_footage_sides(width, height, limits)
        fps = float(stream.average_rate or 0)
        frame_count, duration_s, rotation = _read_packets(container, stream)
        # Once more: decoding replaces what the container claimed by what the pictures have.
        width, height = stream.codec_context.width, stream.codec_context.height
        _check_footage_sides(width, height, limits)
    if rotation % 180:
        width, height = height, width
    _check_footage_times(duration_s, fps, limits)
    return FootageFacts(
        width=width,
        height=height,
        fps=fps,
        duration_s=duration_s,
        frame_count=frame_count,
        has_audio=has_audio,
        size_bytes=size_bytes,
    )


def _sniff_file(path: Path) -> Kind | None:
    with path.open("rb") as file:
        return sniff(file.read(SNIFF_BYTES))


def _bad_format(message: str) -> CallerError:
    return CallerError(ErrorCode.MEDIA_FORMAT, message)


@contextmanager
def _hostile(message: str) -> Iterator[None]:
    """Turn whatever a decoder throws at a crafted file into one refusal.

    Pillow alone raises OSError, ValueError, SyntaxError, struct.error, KeyError, MemoryError and
    its own; no list of them would be complete.
    """
    try:
        yield
    except KinogateError:
        raise
    except MemoryError as exc:
        raise CallerError(
            ErrorCode.MEDIA_TOO_LARGE, "The file needs too much memory when it is decoded."
        ) from exc
    except Exception as exc:
        raise _bad_format(message) from exc


def _to_rgb(image: Image.Image, rules: ImageRules) -> Image.Image:
    """Any decoded image as 8-bit sRGB without alpha, no side above `rules.longest_side`.

    Scaled before it is converted: 64 megapixels would otherwise exist three times over.
    """
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):
        if "transparency" in image.info and not rules.flatten_alpha:
            raise _transparent()
        # Pillow would clip 16-bit grey to white; the high byte of each sample is what we want.
        high = 0 if image.mode.endswith("B") else 1
        image = Image.frombytes("L", image.size, image.tobytes()[high::2])
    elif image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255) and not rules.flatten_alpha:
            raise _transparent()
    elif image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGB")
    image.thumbnail((rules.longest_side,) * 2, Image.Resampling.LANCZOS)
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    return _to_srgb(image, profile)


def _transparent() -> CallerError:
    return _bad_format("The image must not have transparent pixels.")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Apply an embedded profile where it is usable and not sRGB already."""
    if image.mode not in ("RGB", "CMYK") or not profile or len(profile) > _MAX_ICC_BYTES:
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image.convert("RGB")
        turned = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image.convert("RGB")  # a broken or foreign profile: viewers ignore it too
    return image.convert("RGB") if turned is None else turned


def _count_samples(container: InputContainer, stream: AudioStream, most: int) -> int:
    """Samples a channel, counting no further than just past `most`."""
    samples = bad_packets = 0
    for packet in container.demux(stream):
        try:
            samples += sum(frame.samples for frame in packet.decode())
        except av.error.InvalidDataError:
            bad_packets += 1
            if bad_packets > _MAX_BAD_PACKETS:
                raise
        if samples > most:
            break
    return samples


def _read_packets(container: InputContainer, stream: VideoStream) -> tuple[int, float, int]:
    """Packets, seconds they span, and rotation in degrees from the first decoded picture."""
    stream.codec_context.skip_frame = "NONKEY"
    stream.codec_context.thread_count = 1
    count, decoded, rotation = 0, 0, 0
    first: int | None = None
    end = 0
    for packet in container.demux(stream):
        if packet.pts is not None and packet.size:
            count += 1
            first = packet.pts if first is None else min(first, packet.pts)
            end = max(end, packet.pts + (packet.duration or 0))
        # Footage made of key frames alone would be decoded whole.
        for frame in packet.decode() if decoded < _MOST_DECODED else ():
            rotation = rotation if decoded else frame.rotation
            decoded += 1
    if first is None or not decoded or stream.time_base is None:
        raise _bad_format("The video has no picture that can be decoded.")
    return count, float((end - first) * stream.time_base), rotation


def _check_footage_sides(width: int, height: int, limits: VideoRule) -> None:
    low, high = limits.min_side or 1, limits.max_side or 8192
    if min(width, height) < low or max(width, height) > high:
        raise CallerError(
            ErrorCode.MEDIA_DIMENSIONS,
            f"Both sides of the video must be {low} to {high} pixels; it is {width}x{height}.",
        )
    check_ratio(width, height, limits.max_ratio, "video")


def _check_footage_times(duration_s: float, fps: float, limits: VideoRule) -> None:
    low, high = limits.min_s or 0, limits.max_s
    # Half a frame either way: containers round the times of their packets.
    slack_s = 0.5 / fps if fps else 0.02
    if duration_s < low - slack_s or (high is not None and duration_s > high + slack_s):
        allowed = f"at least {low}" if high is None else f"{low} to {high}"
        raise CallerError(
            ErrorCode.MEDIA_DURATION,
            f"The video must last {allowed} seconds; it lasts {duration_s:.2f}.",
        )
    if limits.min_fps is not None and fps < limits.min_fps - 0.05:
        raise CallerError(
            ErrorCode.MEDIA_FORMAT,
            f"The video must have at least {limits.min_fps} frames a second; it has {fps:.2f}.",
        )
