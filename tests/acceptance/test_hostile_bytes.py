"""Bytes below what HTTP clients send: refused in a shape that can be read, and nothing comes of them."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx2
import pytest
from live import TRACES, LiveServer
from wires import MULEROUTER, NATIVE, WIRES, Wire, check_refusal, task_count

EACH = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)


@pytest.fixture(autouse=True)
def _nothing_is_stored(client: httpx2.Client) -> Iterator[None]:
    before = task_count(client)
    yield
    assert task_count(client) == before


def exchange(live: LiveServer, data: bytes, *, seconds: float = 15.0) -> tuple[int, bytes]:
    """Send raw bytes; returns the status (0 for none) and the body, once the server has closed."""
    with socket.create_connection(("127.0.0.1", live.port), timeout=seconds) as raw:
        # It may be refused before it was all sent; the answer is still to be read then.
        with suppress(BrokenPipeError, ConnectionResetError):
            raw.sendall(data)
        received = b""
        with suppress(ConnectionResetError, TimeoutError):
            while chunk := raw.recv(65_536):
                received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1]) if head.startswith(b"HTTP/1.") else 0
    return status, body


def request_head(wire: Wire, key: str, *lines: str) -> bytes:
    named = [f"{name}: {value}" for name, value in wire.headers.items()]
    every = [
        f"POST {wire.create} HTTP/1.1",
        "host: localhost",
        f"authorization: Bearer {key}",
        "content-type: application/json",
        "connection: close",
        *named,
        *lines,
    ]
    return ("\r\n".join(every) + "\r\n\r\n").encode("latin-1")


def check_raw(status: int, body: bytes, wire: Wire, statuses: tuple[int, ...]) -> None:
    assert status in statuses, (status, body[:300])
    found = json.loads(body)
    # A connection that is refused before its path is known gets a body that serves all.
    if wire is MULEROUTER or wire is NATIVE:
        # Refused before the path was known: the shape that every dialect's clients can read.
        assert {"status", "title", "detail", "code", "request_id"} <= set(found)
    else:
        assert wire.is_error(found, status)
    assert not any(trace in body.decode() for trace in TRACES)


@EACH
def test_a_huge_header_is_refused(wire: Wire, live: LiveServer, key: str) -> None:
    status, body = exchange(live, request_head(wire, key, "x-pad: " + "a" * 100_000))
    check_raw(status, body, wire, (431,))


def test_thousands_of_headers_are_refused(live: LiveServer, key: str) -> None:
    lines = [f"x-{number}: 1" for number in range(5_000)]
    status, body = exchange(live, request_head(NATIVE, key, *lines))
    check_raw(status, body, NATIVE, (431,))


def test_two_lengths_are_refused(live: LiveServer, key: str) -> None:
    data = json.dumps(NATIVE.body).encode()
    head = request_head(NATIVE, key, f"content-length: {len(data)}", "transfer-encoding: chunked")
    status, body = exchange(live, head + data)
    check_raw(status, body, NATIVE, (400,))


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "9" * 40, "5, 6"])
def test_a_length_that_is_no_length_is_refused(length: str, live: LiveServer, key: str) -> None:
    status, body = exchange(live, request_head(NATIVE, key, f"content-length: {length}") + b"{}")
    check_raw(status, body, NATIVE, (400, 413))


def test_an_unknown_transfer_coding_is_refused(live: LiveServer, key: str) -> None:
    status, body = exchange(live, request_head(NATIVE, key, "transfer-encoding: xchunked") + b"{}")
    check_raw(status, body, NATIVE, (400,))


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"X /v1/videos HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /v1/caf\xe9 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /v1/videos HTTP/1.1\r\nhost: x\r\n bad: fold\r\nx y: z\r\n\r\n",
    ],
)
def test_bytes_that_are_no_http_are_refused(data: bytes, live: LiveServer) -> None:
    status, body = exchange(live, data)
    check_raw(status, body, NATIVE, (400,))


def test_an_offer_to_upgrade_is_passed_over(live: LiveServer, key: str) -> None:
    """Java's own HTTP client offers HTTP/2 on every plain connection."""
    offer = ("connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABk")
    data = b'{"model": "wan9.9-t2v"}'
    head = request_head(NATIVE, key, *offer, f"content-length: {len(data)}")
    status, body = exchange(live, head.replace(b"connection: close\r\n", b"") + data, seconds=3)
    assert (status, json.loads(body)["code"]) == (404, "model_unknown")


@EACH
def test_a_body_that_says_to_be_too_large_is_refused_unread(
    wire: Wire, live: LiveServer, key: str
) -> None:
    begun = time.monotonic()
    status, body = exchange(live, request_head(wire, key, f"content-length: {65 << 20}"))
    assert status in (413, 400)
    assert wire.is_error(json.loads(body), status)
    assert time.monotonic() - begun < 5


def test_a_stream_without_end_is_refused_at_the_limit(client: httpx2.Client) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        yield b'{"prompt": "'
        while sent < 100 << 20:
            sent += 1 << 20
            yield b"a" * (1 << 20)

    try:
        reply = client.post("/kinogate/v1/tasks", content=chunks())
    except httpx2.TransportError:
        pass  # the server hung up in the middle, which is its right
    else:
        check_refusal(reply, NATIVE, (413,))
    assert sent < 100 << 20


def test_a_body_that_ends_early_makes_no_task(live: LiveServer, key: str) -> None:
    data = json.dumps(NATIVE.body).encode()
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as raw:
        raw.sendall(request_head(NATIVE, key, f"content-length: {len(data) + 10}") + data)
        raw.shutdown(socket.SHUT_WR)
        raw.recv(4_096)


def test_a_trickled_head_is_cut_off(live: LiveServer) -> None:
    """One byte a second would hold a connection for hours; others must not notice."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", live.port), timeout=40) as raw:
        raw.sendall(b"POST /v1/videos HTTP/1.1\r\nhost: x\r\nx-slow: ")
        raw.settimeout(1.0)
        received = b""
        while time.monotonic() < begun + 35:
            try:
                received = raw.recv(4_096)
                break
            except TimeoutError:
                raw.sendall(b"a")
    waited = time.monotonic() - begun
    assert received.startswith(b"HTTP/1.1 408 ")
    assert 15 < waited < 30
