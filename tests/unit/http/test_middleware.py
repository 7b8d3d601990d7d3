"""What stands round every reply, whoever made it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from kinogate.http.calls import request_id_of
from kinogate.http.middleware import Cors


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """A page that knows nothing of request ids."""
    await Response(b"hello")(scope, receive, send)


async def dialect(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"x-request-id": request_id_of(Request(scope))}
    await Response(b"{}", headers=headers)(scope, receive, send)


def headers_of(app: Any, method: str = "GET", **sent: str) -> list[tuple[str, str]]:
    found: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        found.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "query_string": b"",
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()
        ],
    }
    asyncio.run(Cors(app, frozenset({"*"}))(scope, receive, send))
    return [(name.decode(), value.decode()) for name, value in found[0]["headers"]]


@pytest.mark.parametrize("app", [plain, dialect])
def test_every_reply_has_one_request_id(app: Any) -> None:
    ids = [value for name, value in headers_of(app) if name == "x-request-id"]
    assert len(ids) == 1
    assert len(ids[0]) == 36


@pytest.mark.parametrize("app", [plain, dialect])
def test_a_harmless_id_of_the_callers_comes_back(app: Any) -> None:
    found = headers_of(app, x_request_id="mine-1")
    assert ("x-request-id", "mine-1") in found


def test_a_preflight_has_a_request_id() -> None:
    found = dict(headers_of(plain, "OPTIONS", origin="a", access_control_request_method="POST"))
    assert len(found["x-request-id"]) == 36
