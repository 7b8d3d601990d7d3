"""The fetcher: resolve once, judge every address, connect to the one judged, stream to a file."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urljoin

import httpcore2

from kinogate.domain.errors import CallerError, ErrorCode, InternalError, UpstreamError
from kinogate.net.urls import FetchPolicy, Target, is_public_address, parse_url

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Name and port to the textual addresses of that name, in order of preference."""

UNREACHABLE_TEXT = "The URL could not be fetched."
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def _unreachable(message: str = UNREACHABLE_TEXT, *, retriable: bool = True) -> UpstreamError:
    return UpstreamError(ErrorCode.MEDIA_UNREACHABLE, message, retriable=retriable)


class SystemResolver:
    """The machine's own resolver, in threads of its own.

    A lookup cannot be cancelled and may hang for half a minute; in the loop's shared pool a few
    slow names would stop every file operation of the server.
    """

    def __init__(self, threads: int = 8) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of `host` in the system's order of preference.

        Raises:
            OSError: The name does not resolve.
        """
        loop = asyncio.get_running_loop()
        answers = await loop.run_in_executor(self._threads, _look_up, host, port)
        return list(dict.fromkeys(answers))


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


class _GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to addresses it has judged itself; names never reach the lower layer."""

    def __init__(self, resolve: Resolver, *, trusted: bool) -> None:
        self._resolve = resolve
        self._trusted = trusted
        self._tcp = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (timeout or 0.0)
        try:
            async with asyncio.timeout_at(deadline):
                addresses = list(await self._resolve(host, port))
        except OSError as exc:  # TimeoutError included
            raise httpcore2.ConnectError from exc
        # One private answer among public ones is an attack or a mistake; both end here.
        if not self._trusted and not all(map(is_public_address, addresses)):
            raise httpcore2.ConnectError
        for left in range(len(addresses), 0, -1):
            # A fair share each, so that a dead first address leaves time for the next.
            share = max(0.0, deadline - loop.time()) / left
            try:
                return await self._tcp.connect_tcp(
                    addresses[-left], port, share, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        raise httpcore2.ConnectError

    async def sleep(self, seconds: float) -> None:
        await self._tcp.sleep(seconds)


class Fetcher:
    """Downloads files that callers name by URL.

    Reads no proxy settings, keeps no cookies and no connections, and sends no header that names a
    caller. One instance serves any number of concurrent fetches on one event loop.
    """

    def __init__(
        self,
        policy: FetchPolicy,
        *,
        resolve: Resolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Build a fetcher.

        Args:
            policy: Limits and the operator's allow-list.
            resolve: Replaces the system resolver, for tests.
            ssl_context: Replaces the system's trust store, for tests and private CAs.
        """
        self._policy = policy
        self._resolve = resolve or SystemResolver()
        self._ssl = ssl_context or ssl.create_default_context()

    async def fetch(self, url: str, into: Path, *, max_bytes: int, key: str = "") -> int:
        """Write the body behind `url` to the new file `into` and return its length in bytes.

        On any failure, cancellation included, `into` does not exist afterwards. Calling again is
        safe. A blocked address and an unreachable one give the same error, so that nobody can
        map our network by asking.

        Args:
            url: As the caller wrote it.
            into: Must not exist yet.
            max_bytes: Largest accepted body, inclusive.
            key: Shown as a bearer token to the host and port of `url`, and to no other that it
                redirects to; "" for none.

        Raises:
            CallerError: `MEDIA_URL_INVALID` by the text of the URL, or `MEDIA_TOO_LARGE`.
            UpstreamError: `MEDIA_UNREACHABLE` for everything else; `retriable` is False only for
                answers that will not change, such as a 404.
            InternalError: `UNAVAILABLE`: the disk is full.
        """
        target = parse_url(url, self._policy)
        fd = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        finished = False
        try:
            async with asyncio.timeout(self._policy.total_s):
                written = await self._follow(target, url, fd, max_bytes, key)
            finished = True
        except (
            httpcore2.NetworkError,
            httpcore2.TimeoutException,
            httpcore2.ProtocolError,
            ssl.SSLError,
            TimeoutError,
        ) as exc:
            raise _unreachable() from exc
        finally:
            os.close(fd)
            if not finished:
                os.unlink(into)  # noqa: PTH108 - a path call would be no less blocking
        return written

    async def _follow(self, target: Target, url: str, fd: int, max_bytes: int, key: str) -> int:
        origin = (target.scheme, target.host, target.port)
        for _ in range(self._policy.max_redirects + 1):
            backend = _GuardedBackend(self._resolve, trusted=target.trusted)
            is_home = origin == (target.scheme, target.host, target.port)
            async with (
                httpcore2.AsyncConnectionPool(
                    ssl_context=self._ssl,
                    network_backend=backend,
                    max_keepalive_connections=0,
                ) as pool,
                pool.stream(
                    "GET",
                    httpcore2.URL(
                        scheme=target.scheme,
                        host=target.host,
                        port=target.port,
                        target=target.path,
                    ),
                    headers=[
                        ("Host", target.authority),
                        ("User-Agent", "kinogate"),
                        ("Accept", "*/*"),
                        # A small compressed answer may inflate without end.
                        ("Accept-Encoding", "identity"),
                        ("Connection", "close"),
                        *([("Authorization", f"Bearer {key}")] if key and is_home else []),
                    ],
                    extensions={"timeout": self._timeouts()},
                ) as response,
            ):
                if response.status not in _REDIRECTS:
                    return await _save(response, fd, max_bytes)
                location = _header(response, b"location")
            if not location:
                raise _unreachable()
            try:
                # The fragment of a redirect is the browser's business; ours is the document.
                url = urljoin(url, location).partition("#")[0]
                target = parse_url(url, self._policy)
            except (CallerError, ValueError) as exc:
                raise _unreachable() from exc
        raise _unreachable("The URL redirects too often.", retriable=False)

    def _timeouts(self) -> dict[str, float]:
        total = self._policy.total_s
        return {
            "connect": self._policy.connect_s,
            "read": total if self._policy.stall_s is None else self._policy.stall_s,
            "write": total,
            "pool": total,
        }


def _header(response: httpcore2.Response, name: bytes) -> str:
    for key, value in response.headers:
        if key.lower() == name:
            return value.decode("utf-8", "replace").strip()
    return ""


async def _save(response: httpcore2.Response, fd: int, max_bytes: int) -> int:
    """Stream the body into `fd`, stopping at the first byte too many."""
    if response.status != 200:
        raise _unreachable(
            f"The server of the URL answered {response.status}.",
            retriable=response.status == 429 or response.status >= 500,
        )
    if _header(response, b"content-encoding").lower() not in ("", "identity"):
        raise _unreachable("The server of the URL sent a compressed body.", retriable=False)
    too_large = CallerError(
        ErrorCode.MEDIA_TOO_LARGE,
        f"The file behind the URL must have at most {max_bytes} bytes.",
    )
    declared = _header(response, b"content-length")
    if declared.isdigit() and int(declared[:20]) > max_bytes:
        raise too_large
    written = 0
    body: AsyncIterator[bytes] = response.aiter_stream()
    async for chunk in body:
        written += len(chunk)
        if written > max_bytes:
            raise too_large
        # Written on the loop on purpose: chunks are at most 64 KiB and land in the page cache; a
        # thread hop for each would cost more than the copy.
        _write_all(fd, chunk)
    return written


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except OSError as exc:
        raise InternalError(ErrorCode.UNAVAILABLE, "The server has no room for this file.") from exc
