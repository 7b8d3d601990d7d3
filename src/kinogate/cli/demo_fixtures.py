"""The demo's own media, made by the preview engine and served on loopback."""

from __future__ import annotations

import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from kinogate.engines.preview.render import scene_frames
from kinogate.engines.preview.shots import plan_shots
from kinogate.engines.preview.sound import soundtrack

_WIDTH, _HEIGHT, _FPS = 1280, 800, 30
_AUDIO_S, _RATE = 3, 48_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixtures:
    """Served media.

    Attributes:
        authority: host:port, for the fetch guard's allow-list.
        image_url: A picture of 1280x800.
        audio_url: Three seconds of WAV.
        image: The picture, `[800, 1280, 3]` uint8 RGB.
        audio_s: Seconds of the track.
    """

    authority: str
    image_url: str
    audio_url: str
    image: npt.NDArray[np.uint8]
    audio_s: int = _AUDIO_S


class _Silent(SimpleHTTPRequestHandler):
    """Serves a folder without a line for every request."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serve_fixtures(folder: Path) -> Iterator[Fixtures]:
    """Make the media and serve them until the context ends."""
    media = folder / "media"
    media.mkdir()
    image = _picture()
    Image.fromarray(image).save(media / "first-frame.png")
    _write_wav(media / "track.wav")
    handler = partial(_Silent, directory=str(media))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        authority = f"127.0.0.1:{server.server_address[1]}"
        try:
            yield Fixtures(
                authority=authority,
                image_url=f"http://{authority}/first-frame.png",
                audio_url=f"http://{authority}/track.wav",
                image=image,
            )
        finally:
            server.shutdown()
            thread.join()


def _picture() -> npt.NDArray[np.uint8]:
    shots = plan_shots("a cat on a meadow in the morning", "", 5, _FPS, _FPS, multi=False)
    return next(iter(scene_frames(shots, _WIDTH, _HEIGHT, _FPS))).copy()


def _write_wav(path: Path) -> None:
    samples = soundtrack("a dance in the morning", None, 5, float(_AUDIO_S), _RATE)
    # As loud as it goes: the check for sound wants every window well above silence.
    samples = samples / max(float(np.abs(samples).max()), 1e-6) * 0.8
    tone = np.sin(np.arange(_AUDIO_S * _RATE) * (2 * np.pi * 220 / _RATE)).astype(np.float32) * 0.1
    pcm = ((samples * 0.8 + tone) * 32_767).T.astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(pcm.tobytes())
