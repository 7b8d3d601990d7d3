"""What goes out of a real server: marks, stills, rewritten prompts, and refusals in own words."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from live import LiveServer, clean_environment, decoded, run_cli
from PIL import Image
from wires import NATIVE, OPENAI, WIRES, Wire, task_count

from kinogate.media.probe import frames
from kinogate.media.provenance import has_c2pa

EACH = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
REWRITTEN = "A white lighthouse on black rocks, waves breaking below it at dusk"

# Status and code of a refused create, and code of a failed task (None: the dialect has none there).
REFUSALS: dict[str, tuple[int, object, object]] = {
    "unified": (400, "content_policy_violation", None),
    "dashscope": (400, "DataInspectionFailed", "DataInspectionFailed"),
    "vtrix": (400, "001027099", "001027099"),
    "mulerouter": (451, 2051, 3004),
    "openai": (400, "moderation_blocked", "moderation_blocked"),
    "native": (451, "content_refused", "content_refused"),
}


class FakeModels(BaseHTTPRequestHandler):
    """A chat and a moderation endpoint that obey words in the prompt."""

    chats: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/moderations"):
            is_bad = "stormy" in str(body["input"])
            self._answer({"results": [{"flagged": is_bad, "categories": {"weather": is_bad}}]})
            return
        self.chats.append({"key": self.headers["authorization"], **body})
        if "unlucky" in str(body["messages"]):
            self.send_error(500)
        elif "slow" in str(body["messages"]):
            threading.Event().wait(3.0)
        else:
            self._answer({"choices": [{"message": {"role": "assistant", "content": REWRITTEN}}]})

    def _answer(self, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def chats() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of the fake models, and what they were asked."""
    asked: list[dict[str, Any]] = []
    handler = type("Handler", (FakeModels,), {"chats": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def strict(
    tmp_path_factory: pytest.TempPathFactory, chats: tuple[str, list[dict[str, Any]]]
) -> Iterator[LiveServer]:
    """A server with every policy set."""
    folder = tmp_path_factory.mktemp("strict")
    words = folder / "words.txt"
    words.write_text("# ours\nforbidden lighthouse\n", "utf-8")
    settings = {
        "labels": "full",
        "moderation_words_file": str(words),
        "moderation_base_url": chats[0],
        "prompt_base_url": chats[0],
        "prompt_model": "fake-model",
        "prompt_api_key": "sk-fake",
        "prompt_budget_s": "1.5",
    }
    with LiveServer(folder / "data", **settings) as server:
        yield server
        assert server.logged("unhandled") == []


@pytest.fixture(scope="module")
def client(strict: LiveServer) -> Iterator[httpx2.Client]:
    with strict.client(strict.new_key("outputs")) as found:
        yield found


def with_prompt(wire: Wire, prompt: str) -> Wire:
    body = json.loads(json.dumps(wire.body).replace(wire_prompt(wire), prompt))
    return replace(wire, body=body)


def wire_prompt(wire: Wire) -> str:
    return str(wire.body["input"]["prompt"] if "input" in wire.body else wire.body["prompt"])


def made(client: httpx2.Client, **members: object) -> dict[str, Any]:
    """A native task, succeeded."""
    wire = replace(NATIVE, body=NATIVE.body | members)
    found = wire.await_end(client, wire.start(client))
    assert found["status"] == "succeeded", found
    return found


def fetched(client: httpx2.Client, task: dict[str, Any]) -> bytes:
    return client.get(task["video"]["url"], headers={"authorization": ""}).content


def test_verify_tells_what_a_downloaded_clip_says(
    strict: LiveServer, client: httpx2.Client, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(fetched(client, made(client)))

    done = strict.cli("verify", str(path), "--json")

    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert found["labelled"] is True
    assert found["aigc"]["Label"] == "1"
    assert found["aigc"]["ContentProducer"] == "Kinogate"
    assert "not the output of a Wan model" in found["comment"]
    assert (found["width"], found["height"], found["duration"]) == (832, 480, 5.0)


def test_verify_refuses_what_is_no_clip(strict: LiveServer, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")

    assert strict.cli("verify", str(tmp_path / "a.mp4")).returncode == 2


def test_every_variant_downloads_and_decodes(client: httpx2.Client, tmp_path: Path) -> None:
    task_id = OPENAI.start(client)
    OPENAI.await_end(client, task_id)

    def variant(name: str) -> httpx2.Response:
        reply = client.get(f"/v1/videos/{task_id}/content", params={"variant": name})
        assert reply.status_code == 200, reply.text
        return reply

    video = variant("video")
    assert video.headers["content-type"] == "video/mp4"
    assert decoded(video.content, tmp_path).frame_count == 150
    for name, kind, size, count in (
        ("thumbnail", "webp", (320, 185), 1),
        ("spritesheet", "jpeg", (960, 368), 1),
        ("preview", "webp", (320, 185), 24),
    ):
        reply = variant(name)
        assert reply.headers["content-type"] == f"image/{kind}"
        with Image.open(io.BytesIO(reply.content)) as picture:
            picture.load()
            assert (picture.format, picture.size) == (kind.upper(), size)
            assert getattr(picture, "n_frames", 1) <= count
            assert np.asarray(picture.convert("L")).std() > 3


def test_an_unknown_variant_is_refused(client: httpx2.Client) -> None:
    task_id = OPENAI.start(client)
    OPENAI.await_end(client, task_id)

    reply = client.get(f"/v1/videos/{task_id}/content", params={"variant": "gif"})

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "variant"


def test_the_native_task_links_to_every_still(client: httpx2.Client) -> None:
    video = made(client)["video"]

    for name in ("poster_url", "thumbnail_url", "preview_url", "spritesheet_url"):
        reply = client.get(video[name], headers={"authorization": ""})
        assert reply.status_code == 200
        with Image.open(io.BytesIO(reply.content)) as picture:
            picture.load()


@EACH
def test_a_listed_word_is_refused_at_submit(wire: Wire, client: httpx2.Client) -> None:
    before = task_count(client)
    reply = with_prompt(wire, "A forbidden  LIGHTHOUSE").submit(client)

    status, code, _ = REFUSALS[wire.name]
    assert (reply.status_code, wire.code_of(reply.json())) == (status, code)
    assert wire.is_error(reply.json(), status)
    assert "word list" in reply.text
    assert task_count(client) == before


@EACH
def test_what_the_endpoint_flags_ends_the_task_and_costs_nothing(
    wire: Wire, client: httpx2.Client
) -> None:
    wire = with_prompt(wire, "A stormy sea")
    task_id = wire.start(client)
    found = wire.await_end(client, task_id)

    code, message = wire.reason_of(found)
    assert code == REFUSALS[wire.name][2]
    assert "refused by the moderation endpoint: it was flagged as weather" in message
    bare = task_id.removeprefix("video_")
    assert float(client.get(f"/kinogate/v1/tasks/{bare}").json()["cost_usd"]) == 0.0


def test_the_built_in_list_is_replaced_by_the_operators(client: httpx2.Client) -> None:
    assert with_prompt(NATIVE, "bestiality").submit(client).status_code == 201


def test_an_unallowed_switch_of_the_filter_is_reported(client: httpx2.Client) -> None:
    wire = replace(NATIVE, body=NATIVE.body | {"safety_filter": False})
    reply = wire.submit(client)

    assert "safety_filter" in reply.headers["x-kinogate-warnings"]
    assert with_prompt(wire, "forbidden lighthouse").submit(client).status_code == 451


def test_the_chat_models_prompt_is_worked_from_and_kept(
    client: httpx2.Client, chats: tuple[str, list[dict[str, Any]]]
) -> None:
    task = made(client, prompt="A lighthouse kept")

    assert task["prompt"] == "A lighthouse kept"
    assert task["video"]["actual_prompt"] == REWRITTEN
    assert task["video"]["prompt_by"] == "fake-model"
    (asked,) = (chat for chat in chats[1] if "A lighthouse kept" in str(chat["messages"]))
    assert asked["model"] == "fake-model"
    assert asked["key"] == "Bearer sk-fake"


@pytest.mark.parametrize("prompt", ["An unlucky ship", "A slow ship"])
def test_a_chat_model_that_fails_or_is_late_fails_no_task(
    client: httpx2.Client, prompt: str
) -> None:
    video = made(client, prompt=prompt)["video"]

    assert video["prompt_by"] == "builtin"
    assert video["actual_prompt"].startswith(f"{prompt}, ")
    assert video["prompt_ms"] < 2_500


def test_a_prompt_that_is_not_to_be_extended_goes_nowhere(
    client: httpx2.Client, chats: tuple[str, list[dict[str, Any]]]
) -> None:
    video = made(client, prompt="A private pier", prompt_extend=False)["video"]

    assert (video["actual_prompt"], video["prompt_by"]) == ("A private pier", "none")
    assert not any("A private pier" in str(chat) for chat in chats[1])


def test_a_label_is_seen_for_the_first_two_seconds(
    client: httpx2.Client, live: LiveServer, tmp_path: Path
) -> None:
    wish = {"prompt": "A calm lake", "prompt_extend": False, "seed": 5}
    clips = []
    with live.client() as plain_client:
        for name, one in (("labelled", client), ("plain", plain_client)):
            path = tmp_path / f"{name}.mp4"
            path.write_bytes(fetched(one, made(one, **wish)))
            clips.append(list(frames(path, step=15)))

    changed = [
        np.abs(a.astype(int) - b)[-70:, -300:].max() > 60 for a, b in zip(*clips, strict=True)
    ]
    assert changed == [True] * 4 + [False] * 6


@pytest.mark.skipif(not has_c2pa(), reason="needs the extra c2pa")
def test_a_signed_result_verifies(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data", c2pa="dev") as server, server.client() as client:
        path = tmp_path / "a.mp4"
        path.write_bytes(fetched(client, made(client)))
        done = server.cli("verify", str(path), "--json")

    found = json.loads(done.stdout)["c2pa"]
    assert (found["state"], found["source_type"]) == ("Valid", "algorithmicMedia")
    assert found["problems"] == ["signingCredential.untrusted"]


@pytest.mark.parametrize(
    ("settings", "status", "named"),
    [
        ({"MODERATION_WORDS_FILE": "/nowhere/words.txt"}, 78, "moderation_words_file"),
        ({"MODERATION_HOOK": "no_such_module:judge"}, 78, "moderation_hook"),
        ({"MODERATION_HOOK": "judge"}, 78, "MODULE:FUNCTION"),
        ({"PROMPT_BASE_URL": "http://127.0.0.1:1/v1"}, 78, "prompt_model"),
        ({"LABELS": "loud"}, 78, "labels"),
        pytest.param(
            {"C2PA": "dev"},
            1,
            "kinogate[c2pa]",
            marks=pytest.mark.skipif(has_c2pa(), reason="the extra c2pa is installed"),
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_policy_that_cannot_be_kept_stops_the_server_at_start(
    settings: dict[str, str], status: int, named: str, tmp_path: Path
) -> None:
    given = {f"KINOGATE_{name}": value for name, value in settings.items()}
    environment = clean_environment() | given | {"KINOGATE_DATA_DIR": str(tmp_path / "data")}

    done = run_cli("serve", "--port", "0", environment=environment)

    assert done.returncode == status, done.stderr
    assert named in done.stderr
    assert "Traceback" not in done.stderr
