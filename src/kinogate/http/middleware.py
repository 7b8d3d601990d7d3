"""Around every request, as plain ASGI: CORS, security headers, metrics."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kinogate.http.calls import request_id_of
from kinogate.telemetry import Metrics

_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_ALLOW_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_EXPOSE = (
    b"x-request-id, x-kinogate-engine, x-kinogate-ignored, x-kinogate-warnings, "
    b"idempotent-replayed, retry-after, content-range, accept-ranges, etag, "
    b"location, upload-offset, upload-length"
)


class Cors:
    """Preflight and origin headers for browser callers; never with credentials."""

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self._app = app
        self._any = "*" in origins
        self._origins = frozenset(origin.encode() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        allowed = self._allow(origin)
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            asked = headers.get(b"access-control-request-headers")
            await _preflight(send, allowed, asked, request_id_of(Request(scope)))
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = list(_SECURITY)
                if allowed is not None:
                    extra += [
                        (b"access-control-allow-origin", allowed),
                        (b"access-control-expose-headers", _EXPOSE),
                        (b"vary", b"origin"),
                    ]
                # Dialects set theirs; the page, health and files are asked about by it as well.
                extra.append((b"x-request-id", request_id_of(Request(scope)).encode()))
                present = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(pair for pair in extra if pair[0] not in present),
                ]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _allow(self, origin: bytes | None) -> bytes | None:
        if origin is None:
            return None
        if self._any:
            return b"*"
        return origin if origin in self._origins else None


async def _preflight(
    send: Send, allowed: bytes | None, asked: bytes | None, request_id: str
) -> None:
    headers: list[tuple[bytes, bytes]] = [
        (b"content-length", b"0"),
        (b"vary", b"origin"),
        (b"x-request-id", request_id.encode()),
    ]
    if allowed is not None:
        headers += [
            (b"access-control-allow-origin", allowed),
            (b"access-control-allow-methods", _ALLOW_METHODS),
            (b"access-control-allow-headers", asked or b"authorization, content-type"),
            (b"access-control-max-age", b"600"),
        ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


class Measure:
    """Counts and times requests; labels come from the route table and never from the caller."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        begun = time.perf_counter()

        async def watching(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watching)
        finally:
            dialect, action = scope.get("kinogate.route", ("none", "none"))
            self._metrics.request(dialect, action, status, time.perf_counter() - begun)
