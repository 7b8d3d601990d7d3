"""The guarded fetcher: the only way this server reads a URL that a stranger wrote.

Two borders. `check_url` judges what the text alone shows and touches nothing. `Fetcher` resolves
a name once, refuses it if any answer is not a public address, and connects to the very address it
judged, while Host, SNI and the certificate check stay on the name. Signed URLs of this server
never come here: the caller reads those from the blob store.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import socket
import ssl
import string
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin

import httpcore2

from kinogate.domain.errors import CallerError, ErrorCode, InternalError, UpstreamError

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Name and port to the textual addresses of that name, in order of preference."""

MAX_URL_CHARS = 4096
"""Our choice: presigned links with session tokens stay below 2,500."""

_UNREACHABLE = "The URL could not be fetched."
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PRINTABLE = string.ascii_letters + string.digits + string.punctuation

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)"
    r"(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)
_ENCODED_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")

# `ipaddress.is_global` answers True for multicast, 6to4, NAT64, 192.88.99.0/24 and more (seen on
# CPython 3.11), so the special-purpose registries are written out here.
_IPV4_BLOCKED = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT; holds Alibaba's metadata service 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host agent, public by number only
        "169.254.0.0/16",  # link-local; metadata services
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Everything outside 2000::/3 is refused unseen: loopback, ::/96, mapped, NAT64's local prefix,
# unique-local, link-local, site-local, multicast, 5f00::/16.
_IPV6_GLOBAL = ipaddress.IPv6Network("2000::/3")
_IPV6_BLOCKED = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",
    )
)
# On an IPv6-only host the resolver hands out IPv4 targets in this form, so it is judged by the
# IPv4 address inside.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPolicy:
    """What the fetcher may do.

    Attributes:
        allow_hosts: `host` or `host:port` entries, IPv6 in brackets. A listed host may be private
            and, without a port in the entry, may use any port.
        connect_s: Seconds for resolving and connecting, and again for the TLS handshake.
        total_s: Seconds for the whole fetch with its redirects, however slowly it drips.
        max_redirects: Hops followed after the first request.
        ports: Ports that any public host may use.
    """

    allow_hosts: frozenset[str] = frozenset()
    connect_s: float = 3.0
    total_s: float = 15.0
    max_redirects: int = 3
    ports: frozenset[int] = frozenset({80, 443, 8080, 8443})

    def trusts(self, host: str, port: int) -> bool:
        """Whether the operator let this host through; `host` in lower case, without brackets."""
        shown = f"[{host}]" if ":" in host else host
        return any(entry.lower() in (shown, f"{shown}:{port}") for entry in self.allow_hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A URL taken apart after every check that needs no lookup."""

    scheme: str
    host: str
    port: int
    path: str
    trusted: bool

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def is_public_address(text: str) -> bool:
    """Whether `text` is an address on the public internet that a stranger may name.

    Addresses that carry an IPv4 address inside (mapped, compatible, 6to4, Teredo) are never
    public; NAT64's well-known prefix is judged by the address inside.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        if address not in _NAT64:
            return address in _IPV6_GLOBAL and not any(address in net for net in _IPV6_BLOCKED)
        address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return not any(address in net for net in _IPV4_BLOCKED)


def check_url(url: str, policy: FetchPolicy) -> None:
    """Refuse a URL whose text alone shows that it must not or cannot be fetched.

    Looks nothing up and may be called any number of times. Refused are: other schemes than http
    and https, more than 4,096 characters, spaces and control characters (also percent-encoded),
    backslashes, fragments, credentials, ports off the policy, hosts outside ASCII (write the
    punycode form), names without a dot, every numeric spelling of an address other than
    dotted-decimal, and literal addresses that are not public.

    Raises:
        CallerError: `MEDIA_URL_INVALID`; the message never repeats the URL.
    """
    _parse(url, policy)


def _parse(url: str, policy: FetchPolicy) -> _Target:
    if len(url) > MAX_URL_CHARS:
        raise _invalid(f"The URL must have at most {MAX_URL_CHARS} characters.")
    if any(char <= " " or char == "\\" or "\x7f" <= char <= "\xa0" for char in url):
        raise _invalid("The URL must not hold spaces, control characters or backslashes.")
    found = _URL.fullmatch(url)
    if found is None or found["scheme"].lower() not in _DEFAULT_PORTS:
        raise _invalid("The URL must begin with http:// or https:// and name a host.")
    if found["fragment"] is not None:
        raise _invalid("The URL must not have a fragment.")
    if _ENCODED_CONTROL.search(url):
        raise _invalid("The URL must not hold encoded control characters.")
    scheme = found["scheme"].lower()
    host, port = _split_authority(found["authority"], scheme)
    trusted = policy.trusts(host, port)
    if not trusted:
        if port not in policy.ports:
            allowed = ", ".join(map(str, sorted(policy.ports)))
            raise _invalid(f"The port of the URL must be one of {allowed}.")
        _check_host(host)
    target = quote((found["path"] or "/") + (found["query"] or ""), safe=_PRINTABLE)
    return _Target(scheme=scheme, host=host, port=port, path=target, trusted=trusted)


def _split_authority(authority: str, scheme: str) -> tuple[str, int]:
    """Host in canonical form (lower case, no brackets, no final dot) and port."""
    if "@" in authority:
        raise _invalid("The URL must not hold credentials.")
    if not authority.isascii() or "%" in authority:
        raise _invalid("The host of the URL must be plain ASCII without escapes or zone ids.")
    host, colon, port_text = authority.lower(), "", ""
    if host.startswith("["):
        host, bracket, rest = host[1:].partition("]")
        colon, port_text = rest[:1], rest[1:]
        if not bracket or colon not in ("", ":"):
            raise _invalid("The host of the URL is not valid.")
        try:
            host = str(ipaddress.IPv6Address(host))
        except ValueError:
            raise _invalid("The host of the URL is not valid.") from None
    else:
        host, colon, port_text = host.partition(":")
        host = _canonical_name(host)
    if not colon or not port_text:
        return host, _DEFAULT_PORTS[scheme]
    if not port_text.isdigit() or len(port_text) > 5 or not 0 < int(port_text) < 65536:
        raise _invalid("The port of the URL is not valid.")
    return host, int(port_text)


def _canonical_name(host: str) -> str:
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _invalid("The host of the URL is not valid.")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        # Resolvers read 127.1, 2130706433, 0x7f000001 and 0177.0.0.1 as loopback. No honest
        # client writes an address so: only four plain decimal numbers are taken.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise _invalid("The host of the URL is not valid.") from None
    return host


def _check_host(host: str) -> None:
    """Refuse hosts that are private by their very text."""
    if ":" in host or _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        if not is_public_address(host):
            raise _invalid("The host of the URL must be a public address.")
    elif "." not in host or host.endswith((".localhost", ".local", ".internal", ".home.arpa")):
        raise _invalid("The host of the URL must be a public name.")


def _invalid(message: str) -> CallerError:
    return CallerError(ErrorCode.MEDIA_URL_INVALID, message)


def _unreachable(message: str = _UNREACHABLE, *, retriable: bool = True) -> UpstreamError:
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

    async def fetch(self, url: str, into: Path, *, max_bytes: int) -> int:
        """Write the body behind `url` to the new file `into` and return its length in bytes.

        On any failure, cancellation included, `into` does not exist afterwards. Calling again is
        safe. A blocked address and an unreachable one give the same error, so that nobody can
        map our network by asking.

        Args:
            url: As the caller wrote it.
            into: Must not exist yet.
            max_bytes: Largest accepted body, inclusive.

        Raises:
            CallerError: `MEDIA_URL_INVALID` by the text of the URL, or `MEDIA_TOO_LARGE`.
            UpstreamError: `MEDIA_UNREACHABLE` for everything else; `retriable` is False only for
                answers that will not change, such as a 404.
            InternalError: `UNAVAILABLE`: the disk is full.
        """
        target = _parse(url, self._policy)
        fd = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        finished = False
        try:
            async with asyncio.timeout(self._policy.total_s):
                written = await self._follow(target, url, fd, max_bytes)
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

    async def _follow(self, target: _Target, url: str, fd: int, max_bytes: int) -> int:
        for _ in range(self._policy.max_redirects + 1):
            backend = _GuardedBackend(self._resolve, trusted=target.trusted)
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
                target = _parse(url, self._policy)
            except (CallerError, ValueError) as exc:
                raise _unreachable() from exc
        raise _unreachable("The URL redirects too often.", retriable=False)

    def _timeouts(self) -> dict[str, float]:
        total = self._policy.total_s
        return {
            "connect": self._policy.connect_s,
            "read": total,
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
