"""Calls to the operator's own endpoints, against a socket that answers by script."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from kinogate.domain.errors import ErrorCode, UpstreamError
from kinogate.net.endpoint import Endpoint


def ok(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def asked(answer: bytes | None, *, key: str = "", timeout_s: float = 2.0) -> tuple[Any, bytes]:
    """Post to a server that sends `answer` (None: nothing, ever); the reply and the request."""

    async def run() -> tuple[Any, bytes]:
        heard = bytearray()
        done = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.extend(await reader.readuntil(b"}"))
            if answer is None:
                await done.wait()
            else:
                writer.write(answer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            endpoint = Endpoint(f"http://127.0.0.1:{port}/v1/", key)
            reply = await endpoint.post("/chat", {"a": 1}, dict[str, int], timeout_s=timeout_s)
            return reply, bytes(heard)
        finally:
            done.set()
            server.close()

    return asyncio.run(run())


def test_the_body_goes_below_the_base_url_and_the_reply_is_read() -> None:
    reply, heard = asked(ok(b'{"b":2}'))

    assert reply == {"b": 2}
    assert heard.startswith(b"POST /v1/chat HTTP/1.1\r\n")
    assert heard.endswith(b'{"a":1}')
    assert b"authorization" not in heard.lower()


def test_a_key_is_sent_as_a_bearer_token() -> None:
    assert b"authorization: bearer sk-1" in asked(ok(b"{}"), key="sk-1")[1].lower()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ok(b"{}", "500 Oops"), "answered 500"),
        (ok(b"{}", "302 Found"), "answered 302"),
        (ok(b"<html>"), "nonsense"),
        (ok(b'{"b":"x"}'), "nonsense"),
        (ok(b" " * 1_100_000), "too much"),
        (b"", "could not be reached"),
        (b"junk\r\n\r\n", "could not be reached"),
    ],
    ids=["error", "redirect", "page", "type", "size", "hang-up", "junk"],
)
def test_whatever_goes_wrong_is_one_error_without_the_key(answer: bytes, words: str) -> None:
    with pytest.raises(UpstreamError, match=words) as caught:
        asked(answer, key="sk-secret")

    assert caught.value.code is ErrorCode.UPSTREAM_FAILED
    assert caught.value.retriable
    assert "sk-secret" not in str(caught.value)


def test_a_silent_endpoint_costs_no_more_than_its_budget() -> None:
    begun = time.monotonic()

    with pytest.raises(UpstreamError, match=r"within 0\.2 seconds"):
        asked(None, timeout_s=0.2)

    assert time.monotonic() - begun < 1.5


def test_a_port_nobody_listens_on_is_unreachable() -> None:
    with pytest.raises(UpstreamError, match="reached"):
        asyncio.run(Endpoint("http://127.0.0.1:1").post("/x", {}, dict[str, int], timeout_s=2.0))
