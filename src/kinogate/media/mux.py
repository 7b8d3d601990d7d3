"""Writing a clip anew without touching its picture: the packets are copied (design §4.8).

For clips that lack only tags, an index in front, or the right sound. Runs in a child process.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av
import numpy as np

from kinogate.media.anatomy import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

    from kinogate.media.audio import Samples

RATE: Final = 48_000
_BITS_PER_S = 128_000
_AAC_FRAME = 1024
_MUX_OPTIONS = {
    # As in `encode`: without use_metadata_tags the AIGC key would be lost here.
    "movflags": "+faststart+use_metadata_tags",
    "movie_timescale": "48000",
}


def copy_clip(
    source: InputContainer,
    out: Path,
    *,
    tags: Sequence[tuple[str, str]],
    sound: AudioStream | Samples | None,
) -> None:
    """Write `out`: the picture of `source` packet by packet, tags, and a sound.

    Args:
        source: An open MP4, from its start.
        out: The file to write; half a file is left there when this raises.
        tags: All the metadata that `out` gets.
        sound: A stream of `source` to be copied, `[2, N]` samples at `RATE` to be encoded, or None
            for no sound.

    Raises:
        av.error.FFmpegError: What it is, the caller says.
        InternalError: `RESULT_INVALID`, when the picture has packets without a time.
    """
    picture = source.streams.video[0]
    with av.open(str(out), "w", format="mp4", options=_MUX_OPTIONS) as target:
        for key, value in tags:
            target.metadata[key] = value
        shown = target.add_stream_from_template(picture)
        if sound is None:
            _write(target, _copied(source, {picture: shown}), iter(()))
        elif isinstance(sound, np.ndarray):
            heard = target.add_stream(
                "aac", rate=RATE, layout="stereo", options={"aac_coder": "fast"}
            )
            heard.bit_rate = _BITS_PER_S
            encoded = _sound_packets(heard, sound, _first_time(picture))
            _write(target, _copied(source, {picture: shown}), encoded)
        else:
            copied = {picture: shown, sound: target.add_stream_from_template(sound)}
            _write(target, _copied(source, copied), iter(()))


def _first_time(picture: VideoStream) -> Fraction:
    return (picture.start_time or 0) * (picture.time_base or Fraction(0))


def _copied(source: InputContainer, streams: dict[Stream, Stream]) -> Iterator[Packet[Stream]]:
    for packet in source.demux(*streams):
        if packet.size == 0:  # the flush at the end
            continue
        if packet.dts is None:
            raise invalid()
        packet.stream = streams[packet.stream]
        yield packet


def _write(
    target: OutputContainer,
    copied: Iterator[Packet[Stream]],
    encoded: Iterator[Packet[AudioStream]],
) -> None:
    """Mux both in step: a muxer that waits for one of its streams keeps the other in memory."""
    behind = next(encoded, None)
    for packet in copied:
        now_s = (packet.dts or 0) * packet.time_base
        while behind is not None and (behind.dts or 0) * behind.time_base <= now_s:
            target.mux(behind)
            behind = next(encoded, None)
        target.mux(packet)
    while behind is not None:
        target.mux(behind)
        behind = next(encoded, None)


def _sound_packets(
    stream: AudioStream, samples: Samples, first_s: Fraction
) -> Iterator[Packet[AudioStream]]:
    """Encode `samples`, whose first is heard at `first_s`."""
    begin = round(first_s * RATE)
    for start in range(0, samples.shape[1], _AAC_FRAME):
        block = np.ascontiguousarray(samples[:, start : start + _AAC_FRAME])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate = RATE
        frame.pts = begin + start
        frame.time_base = Fraction(1, RATE)
        yield from stream.encode(frame)
    yield from stream.encode(None)
