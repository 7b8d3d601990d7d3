"""Small media files, made at run time so that no crafted binary lives in the repository."""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction

import av
import numpy as np
from PIL import Image


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    """The image as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def png_chunk(name: bytes, data: bytes) -> bytes:
    """One PNG chunk with a right checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_header(width: int, height: int, rest: bytes = b"") -> bytes:
    """A PNG that declares a size and holds nothing but `rest`."""
    ihdr = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", ihdr) + rest + png_chunk(b"IEND", b"")


def sound(format_name: str, seconds: float, rate: int = 44100, channels: int = 2) -> bytes:
    """A quiet tone as WAV or MP3."""
    layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")
    tone = (np.sin(np.arange(round(seconds * rate)) * 0.05) * 3000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(
        np.repeat(tone, channels).reshape(1, -1), format="s16", layout=layout
    )
    frame.sample_rate = rate
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=format_name) as container:
        if format_name == "wav":
            stream = container.add_stream("pcm_s16le", rate=rate, layout=layout)
            pieces = [frame]
        else:
            stream = container.add_stream("libmp3lame", rate=rate, layout=layout)
            resampler = av.AudioResampler("s16p", layout, rate, frame_size=1152)
            pieces = [*resampler.resample(frame), *resampler.resample(None)]
        for piece in pieces:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def footage(
    seconds: float, width: int = 64, height: int = 48, fps: int = 10, group: int = 10
) -> bytes:
    """A silent MP4 with a key frame every `group` frames."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"g": str(group)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, fps)
        for index in range(round(seconds * fps)):
            picture = np.full((height, width, 3), index * 5 % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def short(value: object) -> str | None:
    """A test id for long bytes and texts; pytest would spell them out whole."""
    return repr(value[:20])[:40] if isinstance(value, bytes | str) else None
