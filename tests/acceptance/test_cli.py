"""The command line as a person and a script use it: real processes, exit codes, files."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from live import LiveServer, clean_environment, polls, run_cli
from wires import NATIVE

import kinogate
from factories import a_png
from kinogate.media.probe import probe_video

UNKNOWN = "8a8e7a0c-9d0e-4a52-a0f5-64a1a49ab1e2"


def keys(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment() | {"KINOGATE_DATA_DIR": str(folder)}
    return run_cli("keys", *arguments, environment=environment)


def test_keys_are_made_listed_and_revoked_without_a_server(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    made = json.loads(keys(folder, "create", "--name", "ci", "--account", "acme", "--json").stdout)
    assert (made["account"], made["name"], made["admin"]) == ("acme", "ci", False)
    assert made["key"] not in keys(folder, "ls", "--json").stdout
    rows = json.loads(keys(folder, "ls", "--json").stdout)
    assert [(row["id"], row["revoked"]) for row in rows] == [(made["id"], False)]
    assert keys(folder, "revoke", made["id"]).returncode == 0
    assert json.loads(keys(folder, "ls", "--json").stdout)[0]["revoked"] is True
    again = keys(folder, "revoke", made["id"])
    assert again.returncode == 1
    assert made["id"] in again.stderr
    secrets = [path for path in folder.rglob("*") if path.is_file()]
    assert not any(made["key"].encode() in path.read_bytes() for path in secrets)


def test_a_new_key_works_at_once_and_a_revoked_one_for_a_second_at_most(live: LiveServer) -> None:
    made = json.loads(live.cli("keys", "create", "--name", "short", "--json").stdout)
    with live.client(made["key"]) as client:
        assert client.get("/kinogate/v1/me").json()["key"] == made["id"]
        assert live.cli("keys", "revoke", made["id"]).returncode == 0
        begun = time.monotonic()
        for _ in polls(5, every_s=0.05):
            if client.get("/kinogate/v1/me").status_code == 401:
                break
        assert time.monotonic() - begun < 1.5


def test_a_clip_is_generated_without_a_server(tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    done = run_cli(
        *("generate", "A lighthouse by the sea", "-o", str(out), "--model", "wan2.2-t2v-plus"),
        *("--size", "832*480", "--seed", "7", "--json"),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "succeeded"
    facts = probe_video(out)
    assert (facts.width, facts.height, facts.frame_count) == (832, 480, 150)


def test_a_picture_is_animated_through_a_server(live: LiveServer, tmp_path: Path) -> None:
    picture, out = tmp_path / "frame.png", tmp_path / "clip.mp4"
    picture.write_bytes(a_png(640, 400))
    done = run_cli(
        *("generate", "The camera moves in", "--image", str(picture), "-o", str(out)),
        *("--duration", "2", "--resolution", "720P", "--url", live.url, "--key", live.key),
    )
    assert done.returncode == 0, done.stderr
    assert probe_video(out).duration_s == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (("generate", "A cat", "--size", "833*480"), 2, "size"),
        (("generate", "A cat", "--model", "wan9.9"), 2, "model"),
        (("generate", "A cat", "--image", "/nowhere.png"), 2, "nowhere.png"),
        (("generate",), 2, "prompt"),
        (("nonsense",), 2, "nonsense"),
        (("tasks", "ls", "--url", "http://127.0.0.1:9"), 1, "127.0.0.1:9"),
        (("serve", "--host", "0.0.0.0", "--insecure"), 78, "loopback"),
        (("serve", "--config", "/nowhere.toml"), 78, "nowhere.toml"),
        (("serve", "--port", "99999"), 78, "port"),
    ],
)
def test_a_mistake_is_one_clear_line_and_an_exit_code(
    arguments: tuple[str, ...], status: int, word: str, tmp_path: Path
) -> None:
    environment = clean_environment() | {"KINOGATE_DATA_DIR": str(tmp_path / "data")}
    done = run_cli(*arguments, environment=environment)
    assert done.returncode == status, done.stderr
    assert word in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def desk(live: LiveServer) -> Any:
    """`kinogate` with a server and a key of its own account in the environment."""
    environment = clean_environment() | {
        "KINOGATE_URL": live.url,
        "KINOGATE_KEY": live.new_key("desk"),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_cli(*arguments, environment=environment)

    run.key = environment["KINOGATE_KEY"]  # type: ignore[attr-defined]
    return run


def test_tasks_are_listed_shown_watched_and_canceled(
    desk: Any, live: LiveServer, tmp_path: Path
) -> None:
    with live.client(desk.key) as client:
        good = NATIVE.start(client)
        bad = NATIVE.start(client, x_kinogate_simulate="fail")
        slow = NATIVE.start(client, x_kinogate_simulate="slow=60")
    canceled = desk("tasks", "cancel", slow)
    assert json.loads(canceled.stdout)["status"] == "canceled"
    out = tmp_path / "clip.mp4"
    watched = desk("tasks", "watch", good, "-o", str(out))
    assert watched.returncode == 0, watched.stderr
    assert probe_video(out).frame_count == 150
    assert desk("tasks", "watch", bad).returncode == 3
    assert json.loads(desk("tasks", "get", good, "--json").stdout)["status"] == "succeeded"
    listed = json.loads(desk("tasks", "ls").stdout)["tasks"]
    # Other tests of this module use the same account, in any order.
    assert {task["id"] for task in listed} >= {good, bad, slow}
    failed = json.loads(desk("tasks", "ls", "--status", "failed").stdout)["tasks"]
    assert bad in {task["id"] for task in failed}
    assert {task["status"] for task in failed} == {"failed"}


def test_exit_codes_tell_scripts_what_went_wrong(desk: Any, live: LiveServer) -> None:
    assert desk("tasks", "get", UNKNOWN).returncode == 2
    assert run_cli("tasks", "ls", "--url", live.url, "--key", "sk-wrong").returncode == 4
    with live.client(desk.key) as client:
        slow = NATIVE.start(client, x_kinogate_simulate="slow=60")
    late = desk("tasks", "watch", slow, "--timeout", "1")
    assert late.returncode == 6
    assert slow in late.stderr
    assert desk("tasks", "cancel", slow).returncode == 0


def test_the_version_is_printed() -> None:
    done = run_cli("--version")
    assert (done.returncode, done.stdout.strip()) == (0, kinogate.__version__)


def test_models_can_be_listed(desk: Any) -> None:
    done = desk("models")
    assert done.returncode == 0, done.stderr
    assert "wan2.6-i2v" in done.stdout


def test_a_busy_port_is_told_and_not_fought_over(live: LiveServer, tmp_path: Path) -> None:
    environment = clean_environment() | {"KINOGATE_DATA_DIR": str(tmp_path / "data")}
    done = run_cli("serve", "--port", str(live.port), environment=environment)
    assert done.returncode == 78
    assert str(live.port) in done.stderr
    assert httpx2.get(f"{live.url}/livez", trust_env=False).is_success


def test_a_served_page_needs_no_key(live: LiveServer) -> None:
    reply = httpx2.get(f"{live.url}/", trust_env=False)
    assert reply.headers["content-type"].startswith("text/html")
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]


def test_a_stopped_server_leaves_with_status_zero(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data", slots="1")
    server.start()
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 15
