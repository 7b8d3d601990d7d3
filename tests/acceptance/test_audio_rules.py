"""A given sound in the finished clip, decoded: which member wins in which dialect, and its end.

Seed 003 lets `audio: false` beat `audio_url`; seed 004 lets `audio_url` beat `audio`. The two are
tested side by side with the same bytes, because a server that treats them alike is wrong in one.
"""

from __future__ import annotations

import base64
import io
import wave
from fractions import Fraction
from pathlib import Path

import av
import httpx2
import numpy as np
import numpy.typing as npt
import pytest
from live import LiveServer, decoded
from wires import MULEROUTER, NATIVE, VTRIX, Json, Wire

from kinogate.media.probe import audio_windows_db

RATE = 48_000
GIVEN_S, CLIP_S, WINDOW_S = 3, 5, 0.1
Samples = npt.NDArray[np.float64]


def sweep() -> Samples:
    """Three seconds rising from 300 to 3,000 Hz: like itself at no other moment."""
    time = np.arange(GIVEN_S * RATE) / RATE
    return 0.3 * np.sin(2 * np.pi * (300 * time + 450 * time**2))


def as_wav(samples: Samples) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((samples * 32_767).astype("<i2").tobytes())
    return buffer.getvalue()


def as_mp3(samples: Samples) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono")
        for start in range(0, len(samples), 1152):
            block = samples[None, start : start + 1152].astype(np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


GIVEN = {"wav": as_wav, "mp3": as_mp3}


def inline(kind: str) -> str:
    return f"data:audio/{kind};base64,{base64.b64encode(GIVEN[kind](sweep())).decode()}"


def vtrix_call(kind: str, *, audio: bool) -> tuple[Wire, str, Json]:
    body = {
        "model": "wan2.5-t2v-preview",
        "input": {"prompt": "A violin on a bridge", "audio_url": inline(kind)},
        "parameters": {"size": "832*480", "duration": CLIP_S, "audio": audio},
    }
    return VTRIX, VTRIX.create, body


def mulerouter_call(kind: str, *, audio: bool) -> tuple[Wire, str, Json]:
    body = {
        "prompt": "A violin on a bridge",
        "audio_url": inline(kind),
        "size": "832*480",
        "duration": CLIP_S,
        "audio": audio,
    }
    return MULEROUTER, "/vendors/alibaba/v1/wan2.5-t2v-preview/generation", body


def made(live: LiveServer, call: tuple[Wire, str, Json], folder: Path) -> tuple[Path, Json]:
    """The clip that a call makes, and our own record of its task."""
    wire, path, body = call
    with live.client() as client:
        reply = client.post(path, json=body, headers=wire.headers)
        assert reply.is_success, reply.text
        task = NATIVE.await_end(client, wire.id_of(reply.json()))
    assert task["status"] == "succeeded", task
    data = httpx2.get(task["video"]["url"], trust_env=False).raise_for_status().content
    folder.mkdir(exist_ok=True)
    clip = folder / "clip.mp4"
    clip.write_bytes(data)
    facts = decoded(data, folder)
    assert (facts.width, facts.height, facts.duration_s) == (832, 480, CLIP_S)
    return clip, task


def heard(clip: Path) -> Samples:
    """The clip's sound, mono at 48 kHz."""
    resampler = av.AudioResampler("fltp", "mono", RATE)
    with av.open(str(clip)) as container:
        pieces = [
            piece.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for piece in resampler.resample(frame)
        ]
    return np.concatenate(pieces).astype(np.float64)


def likeness(given: Samples, clip: Samples) -> tuple[float, float]:
    """The best normalised cross-correlation within ±0.2 s, and the seconds it is late by."""
    reach = RATE // 5
    padded = np.pad(clip, (reach, reach))[: len(given) + 2 * reach]
    found = np.fft.irfft(
        np.fft.rfft(padded) * np.conj(np.fft.rfft(given, len(padded))), len(padded)
    )[: 2 * reach + 1]
    at = int(np.argmax(found))
    piece = padded[at : at + len(given)]
    norm = float(np.linalg.norm(piece) * np.linalg.norm(given)) or 1.0
    return float(found[at]) / norm, (at - reach) / RATE


def check_given_sound(clip: Path) -> None:
    """The given sound from the beginning, and nothing after its end."""
    value, late_s = likeness(sweep(), heard(clip))
    assert value >= 0.95
    assert abs(late_s) <= 0.05
    levels = audio_windows_db(clip, WINDOW_S)
    starts = np.arange(len(levels)) * WINDOW_S
    assert len(levels) == pytest.approx(CLIP_S / WINDOW_S, abs=1)
    assert float(np.min(levels[starts + WINDOW_S < GIVEN_S - WINDOW_S])) > -20
    assert float(np.max(levels[starts >= GIVEN_S + WINDOW_S])) < -60


def test_seed_003_is_silent_where_seed_004_has_the_sound(live: LiveServer, tmp_path: Path) -> None:
    """The same `audio: false` and the same file, in both dialects."""
    silent, silent_task = made(live, vtrix_call("wav", audio=False), tmp_path / "003")
    sound, sound_task = made(live, mulerouter_call("wav", audio=False), tmp_path / "004")

    assert silent_task["video"]["has_audio"] is False
    assert decoded(silent.read_bytes(), tmp_path / "silent").has_audio is False
    assert sound_task["video"]["has_audio"] is True
    check_given_sound(sound)
    # USD 0.05 a second at 480P; vtrix bills silence at half.
    assert float(sound_task["cost_usd"]) == pytest.approx(0.25)
    assert float(silent_task["cost_usd"]) == pytest.approx(0.125)


@pytest.mark.parametrize("kind", GIVEN)
def test_a_given_sound_is_heard_where_it_is_wanted(
    kind: str, live: LiveServer, tmp_path: Path
) -> None:
    clip, task = made(live, vtrix_call(kind, audio=True), tmp_path / kind)

    check_given_sound(clip)
    assert float(task["cost_usd"]) == pytest.approx(0.25)
