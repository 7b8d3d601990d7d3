"""Laying a given sound under a silent clip, for engines that take none (design §4.8).

The picture's packets are copied and not touched. Runs in a child process: the sound is a
stranger's, although it has been checked.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import av.error
import numpy as np

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.media.audio import decode_audio, fit_length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

    from kinogate.media.audio import Samples

RATE: Final = 48_000
_BITS_PER_S = 128_000
_AAC_FRAME = 1024
_MUX_OPTIONS = {
    # As in `encode`: without use_metadata_tags the AIGC key would be lost here.
    "movflags": "+faststart+use_metadata_tags",
    "movie_timescale": "48000",
}
_MUXERS_OWN = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder"})


def mux_sound(clip: Path, sound: Path, out: Path) -> None:
    """Write `out`: the picture of `clip`, and `sound` cut at its end or followed by silence.

    A sound that `clip` has already is left out. Tags are kept; what C2PA says would not be, so
    signing comes later. `out` appears only when it is complete.

    Args:
        clip: An MP4 of ours or of an engine.
        sound: A checked WAV or MP3.
        out: Another path than `clip`; replaced if it is there.

    Raises:
        CallerError: The sound cannot be decoded.
        InternalError: `RESULT_INVALID`, when the clip cannot be read or the file not written.
    """
    part = out.with_name(out.name + ".part")
    try:
        with av.open(str(clip), format="mp4") as source:
            picture = source.streams.video[0]
            length_s = float((picture.duration or 0) * (picture.time_base or Fraction(0)))
            samples = decode_audio(sound, max_s=max(length_s, 0.1), rate=RATE)
            samples = fit_length(samples, round(length_s * RATE), RATE)
            with av.open(str(part), "w", format="mp4", options=_MUX_OPTIONS) as target:
                _copy_with_sound(source, target, samples)
        part.replace(out)
    except (av.error.FFmpegError, OSError, ValueError, IndexError) as exc:
        raise InternalError(
            ErrorCode.RESULT_INVALID, "The sound could not be laid under the clip."
        ) from exc
    finally:
        part.unlink(missing_ok=True)


def _copy_with_sound(source: InputContainer, target: OutputContainer, samples: Samples) -> None:
    for key, value in source.metadata.items():
        if key not in _MUXERS_OWN:
            target.metadata[key] = value
    picture = source.streams.video[0]
    shown = target.add_stream_from_template(picture)
    heard = target.add_stream("aac", rate=RATE, layout="stereo", options={"aac_coder": "fast"})
    heard.bit_rate = _BITS_PER_S
    sound = _sound_packets(heard, samples)
    behind = next(sound, None)
    for packet in source.demux(picture):
        if packet.dts is None:  # the flush at the end
            continue
        now_s = packet.dts * packet.time_base
        while behind is not None and (behind.dts or 0) * behind.time_base <= now_s:
            target.mux(behind)
            behind = next(sound, None)
        packet.stream = shown
        target.mux(packet)
    while behind is not None:
        target.mux(behind)
        behind = next(sound, None)


def _sound_packets(stream: AudioStream, samples: Samples) -> Iterator[Packet[AudioStream]]:
    for start in range(0, samples.shape[1], _AAC_FRAME):
        block = np.ascontiguousarray(samples[:, start : start + _AAC_FRAME])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate = RATE
        frame.pts = start
        frame.time_base = Fraction(1, RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)
