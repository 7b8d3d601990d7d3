"""The real server with several engines: failover, reload, drain, from outside."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from live import LiveServer, decoded, free_port, polls

API = "/kinogate/v1"
CONFIG = """
[engines.away]
kind = "unified"
base_url = "http://127.0.0.1:{port}"
key = "env:AWAY_KEY"
price = 0.05

[engines.second]
kind = "preview"
slots = 1

[[routes]]
model = "wan2.6-*"
engines = ["away", "preview"]

[[routes]]
model = "wan2.5-*"
engines = ["second"]

[[routes]]
engines = ["preview"]
"""
pytestmark = pytest.mark.xdist_group("routing")


class Routed:
    """A server with a configuration file that a test may change; `away` leads to nobody."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "kinogate.toml"
        self.text = CONFIG.format(port=free_port())
        self.file.write_text(self.text, "utf-8")
        self.server = LiveServer(folder / "data")
        self.server.arguments = ("--config", str(self.file))
        self.server.environment["AWAY_KEY"] = "sk-hush-hush"

    def change(self, old: str, new: str) -> None:
        assert old in self.text
        self.text = self.text.replace(old, new)
        self.file.write_text(self.text, "utf-8")


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Routed]:
    routed = Routed(tmp_path_factory.mktemp("routed"))
    with routed.server:
        yield routed
        assert routed.server.logged("unhandled") == []
        assert "hush" not in routed.server.log.read_text("utf-8")


@pytest.fixture
def admin(routed: Routed) -> Iterator[httpx2.Client]:
    with routed.server.client() as client:
        yield client


def make(client: httpx2.Client, model: str = "wan2.6-t2v", **members: Any) -> httpx2.Response:
    """Make a clip; the last poll's reply."""
    body = {"model": model, "prompt": "a boat", "duration": 2, "size": "1280*720", **members}
    created = client.post(f"{API}/tasks", json=body)
    assert created.status_code == 201, created.text
    for _ in polls(60):
        reply = client.get(f"{API}/tasks/{created.json()['id']}")
        if reply.json()["status"] in ("succeeded", "failed"):
            return reply
    raise AssertionError


def states(client: httpx2.Client) -> dict[str, str]:
    engines = client.get(f"{API}/engines").json()["engines"]
    return {engine["name"]: engine["state"] for engine in engines}


def test_a_task_goes_to_the_next_engine_when_the_first_cannot_be_reached(
    routed: Routed, admin: httpx2.Client, tmp_path: Path
) -> None:
    reply = make(admin)
    task = reply.json()

    assert task["status"] == "succeeded", task
    assert task["engine"] == reply.headers["x-kinogate-engine"] == "preview"
    assert any("The engine away failed" in text for text in task["warnings"])
    clip = httpx2.get(task["video"]["url"], trust_env=False)
    assert dict(decoded(clip.content, tmp_path).tags)["kinogate_engine"] == "preview"
    figures = admin.get("/metrics").text
    assert 'kinogate_engine_runs_total{engine="preview",outcome="succeeded"}' in figures
    assert 'kinogate_engine_runs_total{engine="away",outcome=' in figures
    assert 'kinogate_engine_running{engine="preview"} 0.0' in figures


def test_routes_decide_by_model_and_dialects_do_not_notice(
    routed: Routed, admin: httpx2.Client
) -> None:
    body = {"model": "wan2.5-t2v-preview", "prompt": "a boat", "duration": 5, "size": "832*480"}
    task_id = admin.post("/v2/videos/generations", json=body).json()["task_id"]
    for _ in polls(60):
        reply = admin.get(f"/v2/videos/generations/{task_id}")
        if reply.headers.get("x-kinogate-engine"):
            break
    assert reply.headers["x-kinogate-engine"] == "second"


def test_new_routes_count_after_a_signal_and_a_wrong_file_changes_nothing(
    routed: Routed, admin: httpx2.Client
) -> None:
    routed.change('engines = ["away", "preview"]', 'engines = ["second"]')
    os.kill(routed.server.pid, signal.SIGHUP)
    for _ in polls(10):
        if routed.server.logged("configuration reloaded"):
            break
    assert make(admin).json()["engine"] == "second"

    routed.change('engines = ["second"]', 'engines = ["third"]')
    reply = admin.post(f"{API}/reload")
    assert reply.status_code == 400
    assert "there is no engine 'third'" in reply.json()["detail"]
    assert make(admin).json()["engine"] == "second"
    routed.change('engines = ["third"]', 'engines = ["second"]')


def test_engines_come_and_go_without_a_restart(routed: Routed, admin: httpx2.Client) -> None:
    routed.change("[engines.second]", '[engines.fresh]\nkind = "preview"\n\n[engines.second]')
    routed.change(
        'model = "wan2.5-*"\nengines = ["second"]', 'model = "wan2.5-*"\nengines = ["fresh"]'
    )
    changed = admin.post(f"{API}/reload").json()
    assert changed["engines_changed"] == ["fresh"]
    assert make(admin, "wan2.5-t2v-preview", duration=5, size="832*480").json()["engine"] == "fresh"

    routed.change('[engines.fresh]\nkind = "preview"\n\n', "")
    routed.change('engines = ["fresh"]', 'engines = ["second"]')
    assert admin.post(f"{API}/reload").json()["engines_changed"] == ["fresh"]
    assert set(states(admin)) == {"away", "second", "preview"}
    assert (
        make(admin, "wan2.5-t2v-preview", duration=5, size="832*480").json()["engine"] == "second"
    )


def test_a_drained_engine_ends_what_it_has_and_its_tasks_wait(
    routed: Routed, admin: httpx2.Client
) -> None:
    body = {"model": "wan2.5-t2v-preview", "prompt": "a boat", "duration": 5, "size": "832*480"}
    assert admin.post(f"{API}/engines/second/drain").json()["state"] == "draining"
    task_id = admin.post(f"{API}/tasks", json=body).json()["id"]
    for _ in polls(20):
        if admin.get(f"{API}/tasks/{task_id}").json()["status"] == "running":
            break
    assert states(admin)["second"] == "draining"
    assert admin.post(f"{API}/engines/second/resume").json()["state"] == "ready"
    for _ in polls(60):
        task = admin.get(f"{API}/tasks/{task_id}").json()
        if task["status"] == "succeeded":
            break
    assert task["engine"] == "second"


def test_engines_are_the_admins_affair(routed: Routed) -> None:
    with routed.server.client(routed.server.new_key("somebody")) as client:
        assert client.get(f"{API}/engines").status_code == 403
        assert client.post(f"{API}/reload").status_code == 403
        engines = client.get(f"{API}/models/wan2.5-i2v-preview").json()["engines"]
        assert engines == [{"name": "second", "modes": ["i2v"]}]
