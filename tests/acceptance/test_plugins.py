"""The example packages, built and installed as users would, in a real server."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from live import ROOT, LiveServer, decoded, polls

from factories import a_png

pytestmark = pytest.mark.xdist_group("plugins")

CONFIG = """
[engines.bars]
kind = "colour-bars"
seconds = 0.5

[[routes]]
model = "*"
engines = ["bars", "preview"]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip has put both packages, without asking any index."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-index", "--no-build-isolation", "--no-deps", "--target", str(target)]
    packages = [ROOT / "examples" / name for name in ("plugin-engine", "plugin-dialect")]
    # Only pip's own settings could lead it elsewhere; they are left out.
    environment = {key: val for key, val in os.environ.items() if not key.startswith("PIP_")}
    done = subprocess.run(
        [*command, *map(str, packages)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def server(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("plugins")
    config = folder / "kinogate.toml"
    config.write_text(CONFIG)
    with_plugins = LiveServer(folder / "data")
    with_plugins.environment["PYTHONPATH"] = str(site)
    with_plugins.arguments = ("--config", str(config))
    with with_plugins as running:
        yield running


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[httpx2.Client]:
    with server.client(server.new_key("plugins")) as found:
        yield found


def prediction(client: httpx2.Client, model: str = "wan-video/wan2.6-t2v", **asked: Any) -> Any:
    """Create one and follow it to its end."""
    body = {"model": model, "input": {"prompt": "a boat", "size": "1280*720", "duration": 5}}
    body["input"] |= asked  # type: ignore[operator]
    created = client.post("/v1/predictions", json=body)
    assert created.status_code == 201, created.text
    assert created.json()["status"] == "starting"
    found = created.json()
    for _ in polls(90):
        found = client.get(f"/v1/predictions/{found['id']}").json()
        if found["status"] not in ("starting", "processing"):
            break
    return found


def test_a_foreign_dialect_gets_a_clip_from_a_foreign_engine(
    client: httpx2.Client, tmp_path: Path
) -> None:
    made = prediction(client)

    assert (made["status"], made["error"], made["logs"]) == ("succeeded", None, "100%")
    facts = decoded(client.get(made["output"]).content, tmp_path)
    assert (facts.width, facts.height, facts.frame_count, float(facts.fps)) == (1280, 720, 150, 30)
    native = client.get(f"/kinogate/v1/tasks/{made['id']}").json()
    assert native["engine"] == "bars"


def test_what_the_foreign_engine_refuses_is_made_by_the_next_one(client: httpx2.Client) -> None:
    image = f"data:image/png;base64,{base64.b64encode(a_png()).decode()}"
    made = prediction(client, "wan2.2-i2v-flash", image=image, size=None, resolution="480P")

    assert made["status"] == "succeeded", made["error"]
    assert client.get(f"/kinogate/v1/tasks/{made['id']}").json()["engine"] == "preview"


def test_a_prediction_can_be_canceled(client: httpx2.Client) -> None:
    body = {"model": "wan2.6-t2v", "input": {"prompt": "a boat", "duration": 15}}
    made = client.post("/v1/predictions", json=body).json()
    canceled = client.post(f"/v1/predictions/{made['id']}/cancel")

    assert canceled.status_code == 200
    assert canceled.json()["status"] == "canceled"


def test_errors_are_in_the_foreign_dialects_words(client: httpx2.Client) -> None:
    wrong = client.post("/v1/predictions", json={"model": "no-such-model", "input": {}})
    assert (wrong.status_code, wrong.json()["title"]) == (422, "model_unknown")
    odd = client.post(
        "/v1/predictions",
        json={"model": "wan2.6-t2v", "input": {"prompt": "a", "duration": "long"}},
    )
    assert odd.json()["detail"] == "input.duration: Must be an integer."
    assert client.get("/v1/predictions/nothing").status_code == 404
    assert client.put("/v1/predictions").json()["title"] == "method_not_allowed"
