"""Local files through the vendor's own SDKs, and our own uploads, to a finished clip."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import av
import cv2
import httpx2
import numpy as np
import numpy.typing as npt
import pytest
from live import LiveServer, polls, run_sdk

from kinogate.engines.preview.fit import fit_cover
from kinogate.media.probe import audio_windows_db, first_frame, ssim

NOW, BEFORE = "dashscope-2.0.2", "dashscope-1.27.8"
MODEL = "wan2.5-i2v-preview"
RATE, TONE_S, CLIP_S = 44_100, 3.4, 5.0
NAME = "my picture \u5c0f\u732b (1)"

Sound = npt.NDArray[np.float64]


def picture() -> npt.NDArray[np.uint8]:
    """A colourful 800×600 scene with edges and gradients."""
    rows, columns = np.mgrid[0:600, 0:800]
    red = 60 + columns * 150 // 800
    green = 40 + rows * 160 // 600
    image = np.dstack([red, green, 200 - green]).astype(np.uint8)
    cv2.circle(image, (400, 280), 120, (230, 210, 60), -1)
    cv2.rectangle(image, (90, 380), (260, 560), (30, 60, 140), -1)
    return cv2.GaussianBlur(image, (0, 0), 1.0)


def tune() -> Sound:
    """Mono sound that is like itself at no other time: a rising tone with beats and noise."""
    time = np.arange(round(RATE * TONE_S)) / RATE
    sweep = np.sin(2 * np.pi * (220 * time + 130 * time**2))
    beats = 0.55 + 0.45 * np.sin(2 * np.pi * 2.3 * time)
    hiss = np.random.default_rng(5).normal(0, 0.02, time.size)
    return np.asarray(0.5 * sweep * beats + hiss, dtype=np.float64)


def wav_of(sound: Sound) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as track:
        track.setnchannels(1)
        track.setsampwidth(2)
        track.setframerate(RATE)
        track.writeframes((np.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes())
    return file.getvalue()


def heard(path: Path) -> Sound:
    """A clip's sound as mono at `RATE`."""
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        blocks = [
            block.to_ndarray()
            for frame in container.decode(container.streams.audio[0])
            for block in resampler.resample(frame)
        ]
    return np.concatenate(blocks, axis=1)[0].astype(np.float64)


def likeness(clip: Sound, original: Sound) -> float:
    """Best normalised cross-correlation of the first samples within ±50 ms."""
    reach = RATE // 20
    best = -1.0
    for lag in range(-reach, reach + 1, 7):
        a = clip[max(0, lag) : max(0, lag) + original.size - reach]
        b = original[max(0, -lag) : max(0, -lag) + a.size]
        size = min(a.size, b.size)
        a, b = a[:size], b[:size]
        best = max(best, float(a @ b / np.sqrt((a @ a) * (b @ b))))
    return best


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A PNG and a WAV whose names no path should be made of."""
    folder = tmp_path_factory.mktemp("uploads")
    image, sound = folder / f"{NAME}.png", folder / f"{NAME}.wav"
    encoded = cv2.imencode(".png", cv2.cvtColor(picture(), cv2.COLOR_RGB2BGR))[1]
    image.write_bytes(encoded.tobytes())
    sound.write_bytes(wav_of(tune()))
    return image, sound


def check_clip(url: str, folder: Path) -> None:
    """The clip opens with the picture and sounds as the tune, then is silent."""
    path = folder / "clip.mp4"
    path.write_bytes(httpx2.get(url, trust_env=False, timeout=30).raise_for_status().content)
    opening = first_frame(path)
    height, width = opening.shape[:2]
    assert ssim(opening, fit_cover(picture(), width, height)) >= 0.98
    assert likeness(heard(path), tune()) >= 0.95
    windows = audio_windows_db(path)
    assert len(windows) >= 10 * CLIP_S - 1
    after = windows[int(np.ceil(TONE_S * 10 + 0.5)) :]
    assert after.max() < -60.0, after


@pytest.mark.parametrize("sdk", [NOW, BEFORE])
def test_the_classic_api_sends_local_files(
    sdk: str, live: LiveServer, files: tuple[Path, Path], tmp_path: Path
) -> None:
    image, sound = files
    found = run_sdk(
        sdk, "dashscope_sdk:upload_classic", live, MODEL, f"file://{image}", f"file://{sound}"
    )
    assert found["output"].get("task_status") == "SUCCEEDED", found
    check_clip(found["output"]["video_url"], tmp_path)


def test_the_new_client_sends_local_files(
    live: LiveServer, files: tuple[Path, Path], tmp_path: Path
) -> None:
    image, sound = files
    found = run_sdk(
        NOW, "dashscope_sdk:upload_client", live, MODEL, f"file://{image}", f"file://{sound}"
    )
    assert found["status"] == "SUCCEEDED", found
    check_clip(found["video_url"], tmp_path)
