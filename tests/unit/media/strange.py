"""Clips as services may deliver them: each is right, and none is what we promise."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from .makers import a_picture

if TYPE_CHECKING:
    from pathlib import Path


def write_clip(
    path: Path,
    *,
    times=None,
    fps=24,
    count=24,
    width=160,
    height=120,
    codec="libx264",
    pix_fmt="yuv420p",
    movflags="faststart",
    turn=None,
    shape=None,
    sound=None,
    tags=(),
    options=None,
):
    """An MP4 of moving colour fields.

    Args:
        path: Where it goes.
        times: Milliseconds at which each frame is shown; else `count` frames at `fps`.
        fps: Frames a second, whole or a fraction.
        count: Frames.
        width: Pixels.
        height: Pixels.
        codec: FFmpeg's name.
        pix_fmt: FFmpeg's name.
        movflags: The muxer's; "" puts the index at the end.
        turn: Degrees counter-clockwise of the display matrix.
        shape: Sample aspect ratio.
        sound: Codec, layout, rate, seconds.
        tags: Metadata.
        options: The encoder's.
    """
    muxing = {"movflags": movflags} if movflags else {}
    with av.open(str(path), "w", format="mp4", options=muxing) as container:
        container.metadata.update(dict(tags))
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        base = Fraction(1, 1000) if times is not None else 1 / Fraction(fps)
        stream.codec_context.time_base = base
        if shape is not None:
            stream.codec_context.sample_aspect_ratio = shape
        if turn is not None:
            stream.set_display_rotation(turn)
        heard = _add_sound(container, sound)
        for index, pts in enumerate(times if times is not None else range(count)):
            frame = av.VideoFrame.from_ndarray(a_picture(width, height, index), format="rgb24")
            frame.pts, frame.time_base = pts, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if heard is not None:
            _write_sound(container, heard, sound)
    return path


def _add_sound(container, sound):
    if sound is None:
        return None
    codec, layout, rate, _ = sound
    return container.add_stream(codec, rate=rate, layout=layout)


def _write_sound(container, stream, sound):
    _, layout, rate, seconds = sound
    channels = len(av.AudioLayout(layout).channels)
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)
    frame = av.AudioFrame.from_ndarray(
        np.repeat(tone[None], channels, axis=0).astype(np.float32), format="fltp", layout=layout
    )
    frame.sample_rate = rate
    resampler = av.AudioResampler(
        stream.codec_context.format, layout, rate, frame_size=stream.codec_context.frame_size
    )
    for piece in (*resampler.resample(frame), *resampler.resample(None)):
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))
