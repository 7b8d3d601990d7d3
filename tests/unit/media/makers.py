"""Small media for the tests, made on the spot: pictures, sounds, files that lie."""

from __future__ import annotations

import io
import struct
import wave
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from kinogate.media.encode import Mp4Writer

if TYPE_CHECKING:
    from pathlib import Path


def a_picture(width, height, shift=0):
    """Four colour fields with a fine grating over them, moved by `shift` pixels."""
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[: height // 2, : width // 2] = (200, 40, 50)
    picture[: height // 2, width // 2 :] = (40, 190, 70)
    picture[height // 2 :, : width // 2] = (50, 70, 210)
    picture[height // 2 :, width // 2 :] = (128, 128, 128)
    picture[:, (np.arange(width) + shift) % 16 < 2] += np.uint8(20)
    return picture


def a_tone(seconds, rate=48_000, hertz=440.0, level=0.3):
    time = np.arange(round(seconds * rate)) / rate
    return np.stack([level * np.sin(2 * np.pi * hertz * time)] * 2).astype(np.float32)


def write_video(path: Path, *, width=320, height=240, fps=24, count=24, sound=None, **more):
    rate = None if sound is None else 48_000
    options = {"audio_rate": rate, "tags": (), **more}
    with Mp4Writer(path, width=width, height=height, fps=fps, **options) as writer:
        for index in range(count):
            writer.write(a_picture(width, height, index))
            if sound is not None:
                start, end = 48_000 * index // fps, 48_000 * (index + 1) // fps
                writer.write_audio(sound[:, start:end])
    return path


def write_wav(path: Path, samples, rate=48_000):
    """16-bit PCM of `[channels, N]` float samples."""
    data = (np.clip(samples, -1, 1).T * 32767).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[0])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(data)
    return path


def write_float_wav(path: Path, samples, rate=48_000):
    """32-bit float WAV, which may hold anything a float can."""
    data = np.asarray(samples, dtype="<f4").T.tobytes()
    channels = samples.shape[0]
    head = struct.pack("<HHIIHH", 3, channels, rate, rate * channels * 4, channels * 4, 32)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head
    body += b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def write_mp3(path: Path, samples, rate=44_100):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate, layout="stereo")
        for start in range(0, samples.shape[1], 1152):
            block = np.ascontiguousarray(samples[:, start : start + 1152])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.sample_rate = rate
            frame.pts = start
            frame.time_base = Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    path.write_bytes(buffer.getvalue())
    return path
