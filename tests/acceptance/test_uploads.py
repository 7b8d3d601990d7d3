"""Local files through the vendor's own SDKs, and our own uploads, to a finished clip."""

from __future__ import annotations

import io
import socket
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


@pytest.mark.parametrize("sdk", [NOW, BEFORE])
def test_the_asyncio_class_sends_two_files_of_one_name(
    sdk: str, live: LiveServer, tmp_path: Path
) -> None:
    paths = [tmp_path / folder / "frame 1.png" for folder in "ab"]
    for path, turn in zip(paths, (0, 2), strict=True):
        path.parent.mkdir()
        encoded = cv2.imencode(".png", np.rot90(picture(), turn))[1]
        path.write_bytes(encoded.tobytes())
    found = run_sdk(sdk, "dashscope_sdk:upload_aio", live, *(f"file://{path}" for path in paths))
    assert (found["status"], found["output"]["task_status"]) == (200, "PENDING"), found
    with live.client() as client:
        client.delete(f"/kinogate/v1/tasks/{found['output']['task_id']}")


# -- our own --------------------------------------------------------------------------------------

FILES = "/kinogate/v1/files"


def finished(client: httpx2.Client, body: dict[str, Any]) -> dict[str, Any]:
    """A task through the native API, to its end."""
    task = client.post("/kinogate/v1/tasks", json=body).raise_for_status().json()
    for _ in polls(90):
        task = client.get(f"/kinogate/v1/tasks/{task['id']}").raise_for_status().json()
        if task["status"] in ("succeeded", "failed"):
            break
    return dict(task)


def in_pieces(client: httpx2.Client, data: bytes, step: int) -> dict[str, Any]:
    """Send a file in pieces, each from where the server says."""
    size, reply = len(data), client.post(FILES, headers={"upload-length": str(len(data))})
    where = reply.raise_for_status().headers["location"]
    while (start := int(reply.headers["upload-offset"])) < size:
        piece = data[start : start + step]
        text = f"bytes {start}-{start + len(piece) - 1}/{size}"
        reply = client.put(where, content=piece, headers={"content-range": text})
        reply.raise_for_status()
    return dict(reply.json())


def test_files_of_ours_and_then_the_clip_itself_are_inputs(
    live: LiveServer, other_key: str, files: tuple[Path, Path], tmp_path: Path
) -> None:
    with live.client() as client:
        image = client.post(FILES, content=files[0].read_bytes()).raise_for_status().json()
        sound = in_pieces(client, files[1].read_bytes(), 100_000)
        body = {"model": MODEL, "prompt": "run", "resolution": "480P", "prompt_extend": False}
        task = finished(client, body | {"image": image["url"], "audio_url": sound["url"]})
        assert task["status"] == "succeeded", task
        check_clip(task["video"]["url"], tmp_path)

        onwards = {"model": "wan2.7-i2v", "first_clip": task["video"]["url"], "duration": 6}
        longer = finished(client, onwards | {"prompt": "on and on", "resolution": "720P"})
        assert longer["status"] == "succeeded", longer
        assert longer["video"]["duration"] == pytest.approx(6, abs=0.1)

        with live.client(other_key) as stranger:
            reply = stranger.post("/kinogate/v1/tasks", json=body | {"image": image["url"]})
        assert (reply.status_code, reply.json()["code"]) == (400, "media_url_invalid")


def test_a_file_that_is_gone_fails_the_task_and_costs_nothing(
    live: LiveServer, files: tuple[Path, Path]
) -> None:
    with live.client() as client:
        url = client.post(FILES, content=files[0].read_bytes()).json()["url"]
        name = url.partition("?")[0].rpartition("/")[2]
        (gone,) = (live.data_dir / "blobs" / "uploads").rglob(name)
        gone.unlink()
        task = finished(client, {"model": MODEL, "prompt": "run", "image": url})
    assert (task["status"], task["error"]["code"]) == ("failed", "media_unreachable")
    assert float(task["cost_usd"]) == 0.0


def test_a_broken_piece_goes_on_where_it_broke(live: LiveServer, files: tuple[Path, Path]) -> None:
    data = files[1].read_bytes()
    size, sent = len(data), 150_000
    with live.client() as client:
        begun = client.post(FILES, headers={"upload-length": str(size)}).raise_for_status()
        where = begun.headers["location"]
        head = (
            f"PUT {where} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {live.key}\r\n"
            f"Content-Length: {size}\r\nContent-Range: bytes 0-{size - 1}/{size}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", live.port), timeout=10) as line:
            line.sendall(head.encode() + data[:sent])
        for _ in polls(10):
            offset = int(client.head(where).headers["upload-offset"])
            if offset:
                break
        assert 0 < offset <= sent
        text = f"bytes {offset}-{size - 1}/{size}"
        for _ in polls(10):  # until the server, too, has noticed that the line is down
            reply = client.put(where, content=data[offset:], headers={"content-range": text})
            if reply.is_success:
                break
            assert "Another piece" in reply.json()["detail"]
        assert client.get(reply.json()["url"]).content == data


def test_pieces_and_uploads_outlive_kill_9(tmp_path: Path, files: tuple[Path, Path]) -> None:
    data = files[1].read_bytes()
    size, cut = len(data), len(data) // 2
    with LiveServer(tmp_path / "data") as server:
        with server.client() as client:
            image = client.post(FILES, content=files[0].read_bytes()).json()
            where = client.post(FILES, headers={"upload-length": str(size)}).headers["location"]
            text = f"bytes 0-{cut - 1}/{size}"
            client.put(where, content=data[:cut], headers={"content-range": text})
        server.kill()
        server.start()
        with server.client() as client:
            assert int(client.head(where).headers["upload-offset"]) == cut
            text = f"bytes {cut}-{size - 1}/{size}"
            sound = client.put(where, content=data[cut:], headers={"content-range": text}).json()
            assert client.get(sound["url"]).content == data
            assert client.get(image["url"]).content == files[0].read_bytes()
        assert not [*(server.data_dir / "uploads").rglob("*.*")]


# -- size -----------------------------------------------------------------------------------------

MIB = 1024 * 1024


def peak_mib(live: LiveServer) -> float:
    """Most memory of the API process since `forget_peak`."""
    status = Path(f"/proc/{live.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def forget_peak(live: LiveServer) -> float:
    Path(f"/proc/{live.pid}/clear_refs").write_text("5")
    return peak_mib(live)


def send_form(client: httpx2.Client, live: LiveServer, data: bytes) -> httpx2.Response:
    asked = client.get("/api/v1/uploads", params={"action": "getPolicy", "model": MODEL})
    given = asked.raise_for_status().json()["data"]
    fields = {
        "OSSAccessKeyId": given["oss_access_key_id"],
        "Signature": given["signature"],
        "policy": given["policy"],
        "key": f"{given['upload_dir']}/{NAME}.bin",
    }
    with httpx2.Client(trust_env=False, timeout=60) as stranger:  # no key: the form is the proof
        return stranger.post(given["upload_host"], data=fields, files={"file": ("x", data)})


def test_large_files_never_lie_in_memory(live: LiveServer) -> None:
    data = b"RIFF\xff\xff\xff\x00WAVE" + bytes(100 * MIB - 12)
    with live.client() as client:
        before = forget_peak(live)
        assert send_form(client, live, data).status_code == 200
        assert client.post(FILES, content=data).status_code == 201
        assert peak_mib(live) - before < 24


def test_a_file_above_the_limit_gets_its_answer(live: LiveServer) -> None:
    with live.client() as client:
        reply = send_form(client, live, bytes(101 * MIB))
        assert (reply.status_code, reply.json()["code"]) == (400, "InvalidFile.Size")
        reply = client.post(FILES, content=bytes(101 * MIB))
        assert (reply.status_code, reply.json()["code"]) == (400, "media_too_large")
