"""The real server with tiny weights: from a DashScope call to a decoded MP4."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import tiny

sys.path.append(str(Path(__file__).parents[1] / "acceptance"))

from live import LiveServer, decoded, polls, run_cli

Folders = Callable[[str], Path]

CONFIG = """
[engines.wan]
kind = "diffusers"
devices = "cpu"
dtype = "float32"

[[engines.wan.models]]
card = "wan2.2-ti2v-5b"
path = "{ti2v}"
serves = ["wan3.0-*"]
steps = 1
guidance = 1.0

[[routes]]
model = "wan3.0-*"
modes = ["t2v", "i2v"]
engines = ["wan"]
"""


@pytest.fixture(scope="module")
def config(folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("wan") / "kinogate.toml"
    file.write_text(CONFIG.format(ti2v=folders("ti2v")))
    return file


@pytest.fixture(scope="module")
def server(config: Path) -> Iterator[LiveServer]:
    live = LiveServer(config.parent / "data")
    live.arguments = ("--config", str(config))
    with live as running:
        yield running


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[httpx2.Client]:
    with server.client() as found:
        for _ in polls(60):
            if engine_named(found, "wan")["state"] == "ready":
                break
        yield found


def engine_named(client: httpx2.Client, name: str) -> dict[str, Any]:
    """What the operator sees of an engine."""
    engines = client.get("/kinogate/v1/engines").json()["engines"]
    return next(engine for engine in engines if engine["name"] == name)


def made(client: httpx2.Client, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Create a task the DashScope way and wait for its end."""
    created = client.post(
        "/api/v1/services/aigc/video-generation/video-synthesis",
        json=body,
        headers={"X-DashScope-Async": "enable"},
    )
    assert created.status_code == 200, created.text
    task_id = created.json()["output"]["task_id"]
    output: dict[str, Any] = {}
    for _ in polls(100):
        output = client.get(f"/api/v1/tasks/{task_id}").json()["output"]
        if output["task_status"] not in ("PENDING", "RUNNING"):
            break
    return task_id, output


def test_a_text_becomes_a_clip_of_open_weights_at_their_own_rate(
    client: httpx2.Client, tmp_path: Path
) -> None:
    body = {
        "model": "wan3.0-video",
        "input": {"prompt": "纸船漂过雨后的街道"},
        "parameters": {"resolution": "480P", "ratio": "16:9", "duration": 2, "seed": 11},
    }
    task_id, output = made(client, body)

    assert output["task_status"] == "SUCCEEDED", output
    facts = decoded(client.get(output["video_url"]).content, tmp_path)
    assert (facts.frame_count, float(facts.fps), facts.duration_s) == (48, 24.0, 2.0)
    native = client.get(f"/kinogate/v1/tasks/{task_id}").json()
    assert native["engine"] == "wan"
    notes = " ".join(native["warnings"])
    assert "fps is 24 on the engine wan instead of 30." in notes
    assert "The engine wan makes no sound; the clip is silent." in notes


def test_a_picture_becomes_a_clip_of_its_own_shape(client: httpx2.Client, tmp_path: Path) -> None:
    picture = tiny.a_picture(tmp_path / "a.png", width=400, height=500)
    data = base64.b64encode(picture.read_bytes()).decode()
    body = {
        "model": "wan3.0-video",
        "input": {
            "prompt": "wind",
            "media": [{"type": "first_frame", "url": f"data:image/png;base64,{data}"}],
        },
        "parameters": {"resolution": "480P", "duration": 2, "watermark": True},
    }
    task_id, output = made(client, body)

    assert output["task_status"] == "SUCCEEDED", output
    facts = decoded(client.get(output["video_url"]).content, tmp_path)
    assert (facts.width, facts.height, facts.frame_count) == (560, 704, 48)
    assert client.get(f"/kinogate/v1/tasks/{task_id}").json()["engine"] == "wan"


def test_what_the_weights_cannot_do_is_refused_in_the_callers_words(client: httpx2.Client) -> None:
    body = {
        "model": "wan3.0-video",
        "input": {"prompt": "a boat"},
        "parameters": {"resolution": "1080P", "duration": 2},
    }
    refused = client.post(
        "/api/v1/services/aigc/video-generation/video-synthesis",
        json=body,
        headers={"X-DashScope-Async": "enable"},
    )
    assert refused.status_code == 400
    assert "wan2.2-ti2v-5b makes clips of up to 720P" in refused.json()["message"]


def test_a_server_whose_weights_are_broken_starts_and_says_what_is_wrong(
    folders: Folders, tmp_path: Path
) -> None:
    broken = tiny.damaged("cut short", folders("t2v"), folders("t2v"), tmp_path / "weights")
    config = tmp_path / "kinogate.toml"
    config.write_text(
        f'[engines.wan]\nkind = "diffusers"\ncard = "wan2.1-t2v-1.3b"\npath = "{broken}"\n'
        'devices = "cpu"\n'
    )
    live = LiveServer(tmp_path / "data")
    live.arguments = ("--config", str(config))
    with live, live.client() as client:
        said = ""
        for _ in polls(60):
            if said := engine_named(client, "wan")["last_failure"]:
                break
    examined = run_cli("doctor", "--config", str(config), environment=live.environment)

    assert "diffusion_pytorch_model.safetensors: is not a whole safetensors file." in said
    assert examined.returncode == 1
    assert "not a whole safetensors" in " ".join(examined.stdout.split())
