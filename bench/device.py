"""A server whose engine takes a known time: the example package `colour-bars` with `seconds`.

Used by `gateway.py` and `utilisation.py`; no bench by itself. The engine draws in a child process
and then waits until its time is up, as a device would that the processor waits for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from kinogate.cli.private_server import PrivateServer, private_server

PACKAGE = Path(__file__).resolve().parents[1] / "examples" / "plugin-engine"
BODY = {"model": "wan2.6-t2v", "prompt": "colour bars", "size": "1280*720", "duration": 5}
ENDED = ("succeeded", "failed", "canceled")


@contextmanager
def device_server(
    folder: Path, *, seconds: float, slots: int = 1, stills: bool = True
) -> Iterator[PrivateServer]:
    """A server all of whose tasks go to an engine that takes `seconds`, `slots` at a time.

    Args:
        folder: For everything that it needs.
        seconds: What a run takes, the stills included where the engine makes them.
        slots: Runs at a time.
        stills: Whether the engine makes them, as ours do, or the gateway.
    """
    site = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-index", "--no-build-isolation", "--no-deps", "--target", str(site)]
    subprocess.run([*command, str(PACKAGE)], check=True)
    os.environ["PYTHONPATH"] = str(site)
    config = folder / "kinogate.toml"
    config.write_text(
        f'[engines.device]\nkind = "colour-bars"\nseconds = {seconds}\nslots = {slots}\n'
        f"stills = {str(stills).lower()}\n"
        '[[routes]]\nmodel = "*"\nengines = ["device"]\n'
    )
    with private_server(folder / "data", config=config) as server:
        yield server


def caller(server: PrivateServer) -> httpx2.Client:
    """A client with the server's key."""
    headers = {"authorization": f"Bearer {server.key}"}
    return httpx2.Client(base_url=server.url, headers=headers, trust_env=False, timeout=30.0)


def submit(client: httpx2.Client, body: dict[str, object] | None = None) -> str:
    """Create a task; its id."""
    reply = client.post("/kinogate/v1/tasks", json=body or BODY)
    if not reply.is_success:
        raise SystemExit(reply.text)
    task_id: str = reply.json()["id"]
    return task_id


def follow(client: httpx2.Client, task_id: str, every_s: float = 0.01) -> dict[str, object]:
    """Poll a task until it has ended; its last state. Anything but success ends the bench."""
    while True:
        task: dict[str, object] = client.get(f"/kinogate/v1/tasks/{task_id}").json()
        if task["status"] in ENDED:
            break
        time.sleep(every_s)
    if task["status"] != "succeeded" or task["engine"] != "device":
        raise SystemExit(str(task))
    return task
