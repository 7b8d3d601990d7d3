"""Sends what a wire asks for, once, and says plainly how sure it is that nothing arrived.

The base URLs are the operator's, so the fetch guard has no part here; what an upstream names is
fetched by `download.py`. No proxies, no redirects, no automatic retries, no cookies. Neither keys
nor URLs ever get into a message.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import httpx2
import msgspec

import kinogate
from kinogate.engines.upstream.credentials import Credential
from kinogate.engines.upstream.wire import Answer, Ask, Part

MAX_ANSWER_BYTES = 8 * 1024 * 1024
_CONNECT_S = 10.0
_CONNECTIONS = 256


class NotSent(Exception):
    """No byte of the request reached the upstream: nothing was created, nothing charged."""


class NoAnswer(Exception):
    """The request may have arrived, and there is no answer that can be read."""


class Client:
    """HTTP to one upstream; to be used on one event loop."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        """Prepare; no connection is opened.

        Args:
            ssl_context: Replaces the system's trust store, for tests and private CAs.
        """
        self._ssl = ssl_context
        self._kept: httpx2.AsyncClient | None = None
        self._fresh: httpx2.AsyncClient | None = None

    async def close(self) -> None:
        """Close every connection; safe to call twice."""
        clients, self._kept, self._fresh = (self._kept, self._fresh), None, None
        for client in clients:
            if client is not None:
                await client.aclose()

    async def send(
        self,
        ask: Ask,
        credential: Credential,
        *,
        timeout_s: float,
        is_create: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request once and read the whole answer.

        Args:
            ask: What the wire wants.
            credential: Where to, and the key.
            timeout_s: From the first packet to the last, in all.
            is_create: Sends over a connection of its own. One kept open may be closed by the
                other side at the very moment that it is used, and then nobody knows whether the
                request was read.
            headers: Beside those of `ask`.

        Raises:
            NotSent: No connection, or no TLS on it.
            NoAnswer: Anything later: a lost connection, a timeout, an answer beyond 8 MiB.
        """
        client, mark = self._client(is_fresh=is_create), _Mark()
        with ExitStack() as files:
            request = client.build_request(
                ask.method,
                credential.url(ask.path),
                params=list(ask.query) or None,
                headers=_headers(ask, credential, headers or {}),
                content=None if ask.json is None else msgspec.json.encode(ask.json),
                files=_fields(ask.parts, files) or None,
                timeout=_timeouts(timeout_s),
                extensions={"trace": mark.see},
            )
            try:
                async with asyncio.timeout(timeout_s):
                    return await _answered(client, request)
            except (httpx2.HTTPError, OSError) as exc:  # TimeoutError included
                if not mark.is_sent:
                    raise NotSent from exc
                is_late = isinstance(exc, TimeoutError | httpx2.TimeoutException)
                what = "did not answer in time" if is_late else "broke the connection"
                raise NoAnswer(what) from exc

    def _client(self, *, is_fresh: bool) -> httpx2.AsyncClient:
        if self._ssl is None:
            self._ssl = ssl.create_default_context()
        if is_fresh:
            self._fresh = self._fresh or _build(self._ssl, kept=0)
            return self._fresh
        self._kept = self._kept or _build(self._ssl, kept=20)
        return self._kept


def _build(context: ssl.SSLContext, *, kept: int) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        verify=context,
        trust_env=False,
        follow_redirects=False,
        timeout=None,
        limits=httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=kept),
    )


class _Mark:
    """Whether the first byte of a request has been handed to a connection."""

    def __init__(self) -> None:
        self.is_sent = False

    async def see(self, event: str, _info: Any) -> None:
        """Called by httpcore2 at each of its steps. Any: what it tells differs from step to step."""
        if event.endswith("send_request_headers.started"):
            self.is_sent = True


def _timeouts(total_s: float) -> httpx2.Timeout:
    """Connecting ends well before the total: canceled in a TLS handshake, a socket would leak."""
    share = min(_CONNECT_S, total_s / 3)
    return httpx2.Timeout(None, connect=share, pool=share)


async def _answered(client: httpx2.AsyncClient, request: httpx2.Request) -> Answer:
    reply = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for chunk in reply.aiter_bytes():
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise NoAnswer("answered too much")
    finally:
        await reply.aclose()
    names = {name.lower(): value for name, value in reply.headers.items()}
    return Answer(status=reply.status_code, headers=names, body=bytes(body))


def _headers(ask: Ask, credential: Credential, more: Mapping[str, str]) -> dict[str, str]:
    # Identity: a small compressed answer may inflate without end.
    headers = {
        "user-agent": f"kinogate/{kinogate.__version__}",
        "accept": "application/json",
        "accept-encoding": "identity",
    }
    if ask.json is not None:
        headers["content-type"] = "application/json"
    if ask.has_key and credential.key and "://" not in ask.path:
        headers["authorization"] = f"Bearer {credential.key}"
    return headers | {name.lower(): value for name, value in ask.headers} | dict(more)


def _fields(parts: tuple[Part, ...], files: ExitStack) -> list[tuple[str, Any]]:
    """The parts in httpx2's shape, in order; a part without a file name is a plain field.

    Any: httpx2 takes tuples of several lengths.
    """
    fields: list[tuple[str, Any]] = []
    for part in parts:
        if part.file is None:
            fields.append((part.name, (None, part.value or "", part.content_type)))
        else:
            content = files.enter_context(part.file.open("rb"))
            name = part.filename or part.file.name
            fields.append((part.name, (name, content, part.content_type)))
    return fields
