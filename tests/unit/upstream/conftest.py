"""Clips for the tests of upstream engines, made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kinogate.media.encode import Mp4Writer


def write_clip(path: Path, *, frames: int = 24, fps: int = 24, sound: bool = False) -> bytes:
    """A moving grey ramp of 320x240, with silence beside it when `sound`."""
    rate = 48_000 if sound else None
    with Mp4Writer(path, width=320, height=240, fps=fps, audio_rate=rate, tags=()) as writer:
        for index in range(frames):
            ramp = (np.arange(320) + 5 * index).astype(np.uint8)
            writer.write(np.repeat(np.tile(ramp, (240, 1))[:, :, None], 3, axis=2))
            if sound:
                writer.write_audio(np.zeros((2, rate // fps if rate else 0), dtype=np.float32))
    return path.read_bytes()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One second of 320x240 at 24 frames a second, silent."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")
