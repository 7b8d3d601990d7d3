"""A caller looks at a task that is being made, and at nothing once it has ended."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from live import LiveServer, decoded, polls
from PIL import Image

TASKS = "/kinogate/v1/tasks"
LONG = {
    "model": "wan2.6-t2v",
    "prompt": "A red kite over the dunes",
    "duration": 10,
    "resolution": "720P",
    "audio": False,
    "seed": 4,
}


def started(client: httpx2.Client, **members: object) -> str:
    reply = client.post(TASKS, json=LONG | members)
    assert reply.status_code == 201, reply.text
    assert reply.json()["live_url"] is None
    return str(reply.json()["id"])


def looked_at(client: httpx2.Client, task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{TASKS}/{task_id}").json()
    return found


def first_look(client: httpx2.Client, task_id: str) -> tuple[str, bytes]:
    """The link, and the first picture behind it, while the task is running."""
    for _ in polls(60):
        task = looked_at(client, task_id)
        assert task["status"] in ("queued", "running"), "It ended before there was anything to see."
        if task["live_url"] is None:
            continue
        reply = client.get(task["live_url"], headers={"authorization": ""})
        if reply.status_code == 200:
            assert reply.headers["content-type"] == "image/jpeg"
            return task["live_url"], reply.content
        assert reply.status_code == 404
    raise AssertionError


def is_gone(client: httpx2.Client, url: str) -> bool:
    return client.get(url, headers={"authorization": ""}).status_code == 404


def test_a_running_task_shows_what_it_has_and_a_finished_one_only_its_video(
    client: httpx2.Client, tmp_path: Path
) -> None:
    task_id = started(client)
    url, still = first_look(client, task_id)

    assert looked_at(client, task_id)["status"] == "running"
    with Image.open(io.BytesIO(still)) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("JPEG", (480, 270))
        assert np.asarray(picture.convert("L")).std() > 3

    task = {"status": "running"}
    for _ in polls(100):
        task = looked_at(client, task_id)
        if task["status"] != "running":
            break
    assert (task["status"], task["live_url"]) == ("succeeded", None)
    assert is_gone(client, url)
    facts = decoded(client.get(task["video"]["url"]).content, tmp_path)
    assert (facts.width, facts.height, facts.duration_s) == (1280, 720, 10.0)


def test_a_canceled_task_shows_nothing_any_more(client: httpx2.Client, live: LiveServer) -> None:
    task_id = started(client, duration=15, resolution="1080P")
    url, _ = first_look(client, task_id)

    assert client.post(f"{TASKS}/{task_id}/cancel").status_code == 200

    assert looked_at(client, task_id)["live_url"] is None
    for _ in polls(20):
        if is_gone(client, url):
            break
    assert not list((live.data_dir / "blobs").rglob(f"{task_id}-live.jpg"))
