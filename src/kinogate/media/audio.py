"""A caller's sound file as samples: decoded, resampled, and cut or padded to a clip's length.

Reads strangers' bytes, so it runs in a child process only. Lengths are counted from what decodes,
because headers lie: an MP3 cut to 2,000 bytes still announces 30 s (media notes §2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import av
import av.error
import numpy as np
import numpy.typing as npt

from kinogate.domain.errors import CallerError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

Samples = npt.NDArray[np.float32]
"""`[2, N]` float32, planar stereo, -1.0 to 1.0."""

RATE_RANGE: Final = (8_000, 192_000)
"""Samples a second of a file we read, ends included.

Resampling multiplies: one block of a file that claims 1 Hz would become gigabytes.
"""

MAX_CHANNELS: Final = 8

_FADE_S = 0.005


def decode_audio(path: Path, *, max_s: float, rate: int = 48_000) -> Samples:
    """Decode a WAV or MP3 file, at most its first `max_s` seconds.

    Args:
        path: A file of unknown origin; its name is never given to FFmpeg and its extension is not
            looked at.
        max_s: Seconds after which reading stops, above 0.
        rate: Samples a second to return.

    Returns:
        `[2, N]` float32 stereo, -1.0 to 1.0, N at least 1. A file that breaks off gives what was
        readable before that.

    Raises:
        CallerError: `MEDIA_FORMAT` for anything that is neither WAV (PCM) nor MP3 or cannot be
            decoded; `MEDIA_DURATION` when there is no sample in it.
    """
    limit = max(1, round(max_s * rate))
    with path.open("rb") as file:
        kind = _kind(file.read(12))
        file.seek(0)
        try:
            blocks = list(_blocks(file, kind, limit, rate))
        except (av.error.FFmpegError, OSError, ValueError) as exc:
            raise _unreadable() from exc
    if not blocks:
        raise CallerError(
            ErrorCode.MEDIA_DURATION, "The audio file has no sound in it.", field="audio_url"
        )
    samples = np.concatenate(blocks, axis=1)[:, :limit]
    # A float WAV may hold NaN, infinities and values beyond full scale; the AAC encoder refuses.
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)


def _kind(head: bytes) -> str:
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    # ID3v2 tag, or a frame header: eleven bits of sync, and not the reserved layer 0 of ADTS.
    if head[:3] == b"ID3":
        return "mp3"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06:
        return "mp3"
    raise _unreadable()


def _blocks(file: BinaryIO, kind: str, limit: int, rate: int) -> Iterator[Samples]:
    """Decode up to `limit` samples at `rate`; the format is forced, never guessed (SDP, HTTP)."""
    with av.open(file, "r", format=kind, metadata_errors="ignore") as container:
        if not container.streams.audio:
            raise _unreadable()
        stream = container.streams.audio[0]
        # PyAV leaves the context out when it knows no decoder, whatever its types say.
        name = getattr(stream.codec_context, "name", "")
        if not (name.startswith("pcm_") if kind == "wav" else name in ("mp3", "mp3float")):
            raise _unreadable()
        low, high = RATE_RANGE
        if not (low <= stream.rate <= high and 1 <= stream.channels <= MAX_CHANNELS):
            raise _unreadable()
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=rate)
        count = 0
        for frame in _decoded(container.decode(stream)):
            for block in resampler.resample(frame):
                count += block.samples
                yield np.asarray(block.to_ndarray(), dtype=np.float32)
            if count >= limit:
                return
        for block in resampler.resample(None):
            yield np.asarray(block.to_ndarray(), dtype=np.float32)


def _decoded(source: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """Pass frames on until the first that cannot be decoded; fail only if that is the first."""
    any_yet = False
    while True:
        try:
            frame = next(source, None)
        except av.error.InvalidDataError:
            if not any_yet:
                raise
            return
        if frame is None:
            return
        any_yet = True
        yield frame


def fit_length(samples: Samples, count: int, rate: int = 48_000) -> Samples:
    """Make `[2, N]` samples exactly `count` long: cut with a 5 ms fade, or end in silence.

    A new array; safe to call twice, as a second call with the same `count` changes nothing.
    """
    have = samples.shape[1]
    if have == count:
        return samples.copy()
    fitted = np.zeros((2, count), dtype=np.float32)
    kept = min(have, count)
    fitted[:, :kept] = samples[:, :kept]
    if have > count:
        fade = min(count, round(_FADE_S * rate))
        fitted[:, count - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return fitted


def _unreadable() -> CallerError:
    return CallerError(
        ErrorCode.MEDIA_FORMAT, "The audio must be a readable WAV or MP3 file.", field="audio_url"
    )
