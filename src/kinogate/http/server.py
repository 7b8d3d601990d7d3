"""uvicorn with what it lacks: caps on the head, deadlines for receiving, a quiet stop.

Without these a header may have any length and a request may trickle in for ever (both seen on
uvicorn 0.54). A request that breaks them is answered once, in a shape that every dialect's clients
can read, and the connection is closed.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 16 * 1024
MAX_HEADERS = 100
HEAD_DEADLINE_S = 20.0
"""From connecting, or from a request's first byte, to the end of its head."""
BODY_GRACE_S = 20.0
BODY_MIN_RATE = 1024
"""After the grace a body must have come in at this many bytes a second, on average."""
LINGER_BYTES = 16 * 1024 * 1024
"""So much of a body is still swallowed after it was refused: most clients send all, then read."""
_CHECK_EVERY_S = 2.0
_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)


class GuardedProtocol(HttpToolsProtocol):
    """One connection."""

    _in_head = True
    _head_bytes = 0
    _body_bytes = 0
    _unwanted_bytes = 0
    _since = 0.0
    _is_idle = False
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch the clock."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._watch = self.loop.call_later(_CHECK_EVERY_S, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head before uvicorn parses it."""
        if self._is_idle:
            self._is_idle, self._since = False, self.loop.time()
        if self._in_head:
            self._head_bytes += len(data)
            data = _without_upgrade(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(431, "headers_too_large", "The request's head is too large.")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._body_bytes, self._unwanted_bytes = True, 0, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head ends; refuse one that is too large although it came in one piece."""
        self._in_head, self._head_bytes, self._since = False, 0, self.loop.time()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEAD_BYTES or len(self.headers) > MAX_HEADERS:
            self._refuse(431, "headers_too_large", "The request's head is too large.")
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Part of a body; hang up when it goes on and on after its refusal."""
        self._body_bytes += len(body)
        if self.transport.is_closing():
            return
        if self.cycle.response_complete:
            self._unwanted_bytes += len(body)
            if self._unwanted_bytes > LINGER_BYTES:
                self.transport.close()
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is in; the next byte begins another."""
        self._is_idle, self._in_head, self._head_bytes = True, True, 0
        if not self.transport.is_closing():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no HTTP."""
        self._refuse(400, "bad_request", msg)

    def _check(self) -> None:
        waited = self.loop.time() - self._since
        if self.transport.is_closing():
            return
        if not self._is_idle:
            is_late = waited > HEAD_DEADLINE_S
            if not self._in_head:
                needed = (waited - BODY_GRACE_S) * BODY_MIN_RATE
                is_late = waited > BODY_GRACE_S and self._body_bytes < needed
            if is_late:
                self._refuse(408, "request_timeout", "The request came in too slowly.")
                return
        self._watch = self.loop.call_later(_CHECK_EVERY_S, self._check)

    def _refuse(self, status: int, code: str, message: str) -> None:
        if self.transport.is_closing():
            return
        request_id = str(uuid.uuid4())
        reasons = {400: "Bad Request", 408: "Request Timeout"}
        reason = reasons.get(status, "Request Header Fields Too Large")
        kind = "invalid_request_error"
        body = json.dumps(
            {
                "code": code,
                "message": message,
                "data": None,
                "status": status,
                "title": reason,
                "detail": message,
                "request_id": request_id,
                "error": {"message": message, "type": kind, "param": None, "code": code},
            }
        ).encode()
        head = (
            f"HTTP/1.1 {status} {reason}\r\n"
            "content-type: application/json; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\nx-request-id: {request_id}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def _without_upgrade(data: bytes) -> bytes:
    """Hide an offer to upgrade: httptools skips the body of such a request.

    Java's own client offers HTTP/2 with every first request, also with a POST. A header split
    between two packets is missed; its request then fails as one without a body.
    """
    if not _UPGRADE.search(data[:MAX_HEAD_BYTES]):
        return data
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(b"\r\nx-upgrade:", head) + end + rest


class QuietServer(uvicorn.Server):
    """uvicorn without raising a signal again after it: our own clean-up comes then."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop serving on SIGINT and SIGTERM, and nothing more."""
        loop = asyncio.get_running_loop()
        caught = (signal.SIGINT, signal.SIGTERM)
        for number in caught:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in caught:
                loop.remove_signal_handler(number)
