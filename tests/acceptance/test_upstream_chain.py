"""One of our servers behind another: every upstream engine in the real server, end to end.

The account decides which engine serves: `via-unified` goes through `[engines.unified]`.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from live import LiveServer, decoded, polls
from wires import DASHSCOPE, MULEROUTER, NATIVE, OPENAI, UNIFIED, VTRIX, Json, Wire

from factories import a_png, a_wav
from kinogate.service.keys import mint_secret

BASES = {"dashscope": "/api/v1", "mulerouter": "", "openai": "/v1", "unified": "", "vtrix": ""}
# Each engine is asked through another dialect than its own.
ASKED = {
    "dashscope": UNIFIED,
    "mulerouter": DASHSCOPE,
    "openai": MULEROUTER,
    "unified": VTRIX,
    "vtrix": OPENAI,
}
LONG = {"model": "wan2.6-t2v", "prompt": "A slow boat", "size": "1920*1080", "duration": 15}


def config_of(upstream: LiveServer, keys: dict[str, str]) -> str:
    """Engines and routes in TOML: one engine of each kind, and one that cannot be reached."""
    lines = []
    for kind, base in BASES.items():
        lines += [
            f"[engines.{kind}]",
            f'kind = "{kind}"',
            f'base_url = "{upstream.url}{base}"',
            f'key = "{keys[kind]}"',
            "poll_s = 0.2",
            "[[routes]]",
            f'accounts = ["via-{kind}"]',
            f'engines = ["{kind}"]',
        ]
    lines += [
        "[engines.dead]",
        'kind = "openai"',
        'base_url = "http://127.0.0.1:9"',
        "[[routes]]",
        'accounts = ["via-dead"]',
        'engines = ["dead", "unified"]',
    ]
    return "\n".join(lines)


class Chain:
    """A front server, the server behind it, and what each account of that one is called."""

    def __init__(self, folder: Path, upstream: LiveServer) -> None:
        self.upstream = upstream
        names = {kind: f"{folder.name}-{kind}" for kind in BASES}
        self.keys = {kind: upstream.new_key(name) for kind, name in names.items()}
        self.front = LiveServer(folder / "data", drain_s="1")
        config = folder / "kinogate.toml"
        config.write_text(config_of(upstream, self.keys))
        self.front.arguments = ("--config", str(config))

    def client(self, kind: str) -> httpx2.Client:
        """A connection whose tasks go through the engine of this kind."""
        return self.front.client(self.front.new_key(f"via-{kind}"))

    def behind(self, kind: str) -> list[Json]:
        """The tasks that the engine has at the server behind, newest first."""
        with self.upstream.client(self.keys[kind]) as client:
            found: list[Json] = client.get("/kinogate/v1/tasks").json()["tasks"]
            return found


@pytest.fixture(scope="module")
def chain(live: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    one = Chain(tmp_path_factory.mktemp("chain"), live)
    with one.front:
        yield one
        assert one.front.logged("unhandled") == []
        log = one.front.log.read_text()
        assert not [key for key in one.keys.values() if key in log]
        assert "Signature=" not in log


def made(client: httpx2.Client, **body: Any) -> Json:
    """Make a clip through the native dialect and follow it to its end."""
    reply = client.post("/kinogate/v1/tasks", json=body)
    assert reply.is_success, reply.text
    return NATIVE.await_end(client, reply.json()["id"], 90)


def image() -> str:
    return f"data:image/png;base64,{base64.b64encode(a_png(640, 480)).decode()}"


@pytest.mark.parametrize("kind", BASES)
def test_a_call_in_one_dialect_is_served_through_another(
    chain: Chain, kind: str, tmp_path: Path
) -> None:
    wire: Wire = ASKED[kind]
    before = len(chain.behind(kind))
    with chain.client(kind) as client:
        task_id = wire.start(client)
        shown = wire.await_end(client, task_id, 90)
        assert wire.status_of(shown) == wire.words[2], shown
        task = NATIVE.look(client, task_id.removeprefix("video_"))
        facts = decoded(client.get(task["video"]["url"]).content, tmp_path)

    assert task["engine"] == kind
    assert (facts.width, facts.height, facts.codec) == (832, 480, "h264")
    assert facts.duration_s == pytest.approx(5.0, abs=0.1)
    behind = chain.behind(kind)
    assert len(behind) == before + 1
    assert behind[0]["status"] == "succeeded"


@pytest.mark.parametrize("kind", BASES)
def test_a_picture_reaches_the_server_behind(chain: Chain, kind: str, tmp_path: Path) -> None:
    with chain.client(kind) as client:
        task = made(
            client,
            model="wan2.2-i2v-flash",
            prompt="It moves",
            image=image(),
            resolution="480P",
        )
        assert task["status"] == "succeeded", task
        facts = decoded(client.get(task["video"]["url"]).content, tmp_path)

    assert (facts.width, facts.height) == (720, 544)  # 4:3 at 480P, floored to 16
    assert chain.behind(kind)[0]["mode"] == "i2v"


@pytest.mark.parametrize("kind", ["dashscope", "openai"])
def test_a_given_sound_reaches_the_server_behind(chain: Chain, kind: str, tmp_path: Path) -> None:
    sound = f"data:audio/wav;base64,{base64.b64encode(a_wav(4.0)).decode()}"
    with chain.client(kind) as client:
        task = made(
            client,
            model="wan2.5-t2v-preview",
            prompt="It sounds",
            size="832*480",
            audio_url=sound,
        )
        assert task["status"] == "succeeded", task
        facts = decoded(client.get(task["video"]["url"]).content, tmp_path)
    assert facts.has_audio


def test_an_engine_that_cannot_be_reached_is_passed_over(chain: Chain) -> None:
    with chain.client("dead") as client:
        task = made(client, model="wan2.2-t2v-plus", prompt="A boat", size="832*480")
    assert task["status"] == "succeeded", task
    assert task["engine"] == "unified"
    assert any("dead" in said for said in task["warnings"])


def test_a_cancel_reaches_the_server_behind(chain: Chain) -> None:
    before = len(chain.behind("openai"))
    with chain.client("openai") as client:
        task_id = client.post("/kinogate/v1/tasks", json=LONG).json()["id"]
        for _ in polls(30):
            if len(chain.behind("openai")) > before:
                break
        assert client.post(f"/kinogate/v1/tasks/{task_id}/cancel").is_success
        for _ in polls(10):  # a deleted task is canceled there and in no list any more
            if len(chain.behind("openai")) == before:
                break
        assert NATIVE.look(client, task_id)["status"] == "canceled"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_front_that_dies_goes_on_with_the_task_that_it_has_paid_for(
    live: LiveServer, tmp_path: Path, end: str
) -> None:
    one = Chain(tmp_path, live)
    body = {"model": "wan2.6-t2v", "prompt": "A slow boat", "size": "1280*720", "duration": 10}
    with one.front:
        with one.client("openai") as client:
            task_id = client.post("/kinogate/v1/tasks", json=body).json()["id"]
            for _ in polls(30, every_s=0.02):
                if one.behind("openai"):
                    break
            time.sleep(0.3)  # for the answer to be read and kept
        if end == "kill":
            one.front.kill()
        else:
            one.front.stop()
        assert one.behind("openai")[0]["status"] in ("queued", "running", "succeeded")
        one.front.start()
        with one.client("openai") as client:
            task = NATIVE.await_end(client, task_id, 120)
            facts = decoded(client.get(task["video"]["url"]).content, tmp_path / "clip")

    assert task["status"] == "succeeded", task
    assert (facts.width, facts.height) == (1280, 720)
    assert len(one.behind("openai")) == 1


def test_a_wrong_section_is_refused_at_start_by_place(tmp_path: Path) -> None:
    config = tmp_path / "kinogate.toml"
    config.write_text(f'[engines.x]\nkind = "unified"\nkey = "{mint_secret()}"\n')
    server = LiveServer(tmp_path / "data")
    done = server.cli("config", "check", "--config", str(config))
    assert done.returncode != 0
    assert "engines.x.base_url" in done.stdout + done.stderr
