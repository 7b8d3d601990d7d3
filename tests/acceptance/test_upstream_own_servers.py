"""`[engines.NAME] command = [...]`: servers that we start ourselves, and tasks spread over them.

The foreign server is Kinogate itself, which speaks OpenAI's video API as SGLang does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from live import LiveServer, decoded, polls
from wires import NATIVE

from kinogate.service.keys import mint_secret

pytestmark = pytest.mark.xdist_group("own-servers")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server with two instances of another behind it, each with a folder of its own."""
    key = mint_secret()
    command = [sys.executable, "-m", "kinogate", "serve", "--port", "{port}"]
    command += ["--data-dir", str(tmp_path / "own-{index}")]
    config = tmp_path / "kinogate.toml"
    config.write_text(
        "\n".join(
            [
                "[engines.own]",
                'kind = "openai"',
                'profile = "vllm-omni"',
                f"command = {json.dumps(command)}",
                "instances = 2",
                'health = "/readyz"',
                "concurrency = 1",
                "poll_s = 0.2",
                f'key = "{key}"',
                'models = { "wan2.2-t2v-plus" = "wan2.2-t2v-plus" }',
                "[engines.own.env]",
                f'KINOGATE_ADMIN_KEY = "{key}"',
                "[[routes]]",
                'engines = ["own"]',
            ]
        )
    )
    with LiveServer(tmp_path / "data") as found:
        found.stop()
        found.arguments = ("--config", str(config))
        found.start()
        yield found


def started(client: httpx2.Client) -> list[str]:
    """Two tasks of five seconds each."""
    body = {"model": "wan2.2-t2v-plus", "prompt": "A boat", "size": "832*480"}
    return [client.post("/kinogate/v1/tasks", json=body).json()["id"] for _ in range(2)]


@pytest.mark.timeout(240)
def test_tasks_are_spread_and_outlive_the_death_of_an_instance(
    server: LiveServer, tmp_path: Path
) -> None:
    with server.client() as client:
        ids = started(client)
        for _ in polls(90):
            followed = server.logged("upstream task followed")
            if len(followed) == 2:
                break
        assert {entry["credential"] for entry in followed} == {"server-0", "server-1"}

        os.kill(pid_listening_in(tmp_path / "own-0"), signal.SIGKILL)
        for task_id in ids:
            task = NATIVE.await_end(client, task_id, 150)
            assert task["status"] == "succeeded", task
            assert task["engine"] == "own"
            facts = decoded(client.get(task["video"]["url"]).content, tmp_path / task_id)
            assert (facts.width, facts.height) == (832, 480)


def pid_listening_in(folder: Path) -> int:
    """The foreign server whose command line names this folder."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        words = path.read_bytes().decode(errors="replace").split("\0")
        if str(folder) in words and "serve" in words:
            return int(path.parent.name)
    raise AssertionError("the instance is not there")
