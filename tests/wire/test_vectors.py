"""Every golden vector of every dialect against the real application.

A folder per dialect, JSON arrays in it; a new file is picked up by itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from matchers import differences

from factories import a_png
from harness import Harness
from kinogate.domain.errors import AccountError, ErrorCode
from kinogate.domain.task import Status, Task

HERE = Path(__file__).parent
VECTORS = [
    pytest.param(path.parent.name, vector, id=f"{path.parent.name}-{vector['name']}")
    for path in sorted(HERE.glob("*/*.json"))
    for vector in json.loads(path.read_text("utf-8"))
]
REFUSALS = {
    "no_balance": AccountError(ErrorCode.BALANCE_EMPTY, "The balance is empty."),
    "rate_limited": AccountError(ErrorCode.RATE_LIMITED, "Too many requests.", retry_after_s=2),
}
FIXTURES = {"png_640x640": a_png(640, 640)}


def prepare(server: Harness, state: str) -> Task | None:
    """Put the server into a vector's state; the task that its `{id}` means."""
    if state in REFUSALS:
        server.admission.error = REFUSALS[state]
    if state in set(Status):
        return server.put(Status(state))
    assert state in {"none", "no_auth", *REFUSALS}
    return None


def spelled_id(dialect: str, task: Task | None) -> str:
    if task is None:
        return ""
    return f"video_{task.id.replace('-', '')}" if dialect == "openai" else task.id


def with_id(value: Any, task_id: str) -> Any:
    if isinstance(value, str):
        return value.replace("{id}", task_id)
    if isinstance(value, dict):
        return {name: with_id(item, task_id) for name, item in value.items()}
    return [with_id(item, task_id) for item in value] if isinstance(value, list) else value


def send(server: Harness, request: dict[str, Any], *, is_known: bool) -> Any:
    headers = {name.lower(): value for name, value in request.get("headers", {}).items()}
    if is_known:
        headers = {**server.auth(), **headers}
    body: dict[str, Any] = {}
    if "json" in request:
        body["content"] = json.dumps(request["json"]).encode()
        headers.setdefault("content-type", "application/json")
    elif "body" in request:
        body["content"] = request["body"].encode()
        headers.setdefault("content-type", "application/json")
    elif "multipart" in request:
        body["files"] = [(part["name"], _part(part)) for part in request["multipart"]]
    return server.client.request(request["method"], request["path"], headers=headers, **body)


def _part(part: dict[str, str]) -> tuple[Any, ...]:
    if "fixture" in part:
        return part["filename"], FIXTURES[part["fixture"]], part["content_type"]
    return None, part["value"].encode()


@pytest.mark.parametrize(("dialect", "vector"), VECTORS)
def test_reply_is_the_golden_one(server: Harness, dialect: str, vector: dict[str, Any]) -> None:
    task_id = spelled_id(dialect, prepare(server, vector["state"]))
    request, expected = with_id(vector["request"], task_id), with_id(vector["response"], task_id)

    reply = send(server, request, is_known=vector["state"] != "no_auth")

    allowed = expected["status"] if isinstance(expected["status"], list) else [expected["status"]]
    assert reply.status_code in allowed, reply.text
    for name, value in expected.get("headers", {}).items():
        assert not differences(value, reply.headers.get(name), exact=True, at=name)
    if reply.status_code == 200:
        for name, value in expected.get("headers_if_200", {}).items():
            assert reply.headers[name].startswith(value)
    if "body_prefix_hex_at" in expected and reply.status_code == 200:
        wanted = bytes.fromhex(expected["body_prefix_hex_at"]["hex"])
        offset = expected["body_prefix_hex_at"]["offset"]
        assert reply.content[offset : offset + len(wanted)] == wanted
    if "json" in expected:
        assert "json" in reply.headers["content-type"]
        assert reply.headers["x-request-id"]
        exact = expected.get("exact", False)
        assert not differences(expected["json"], reply.json(), exact=exact)


def test_every_dialect_of_the_specification_has_vectors() -> None:
    assert {param.values[0] for param in VECTORS} >= {
        "unified",
        "dashscope",
        "vtrix",
        "mulerouter",
        "openai",
    }
