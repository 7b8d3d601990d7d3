"""The fetcher against servers on loopback that stand for the internet and for our own network.

A name is "public" here when the fake resolver says so: it answers a public address, and the
connection to that address is redirected to loopback by the allow-list of the test only where a
body is wanted. The honeypot must never be touched.
"""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kinogate.domain.errors import CallerError, ErrorCode, KinogateError, UpstreamError
from kinogate.net import Fetcher, FetchPolicy

Handler = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Site:
    """A listening server and the request heads that it has seen."""

    port: int
    heads: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def site(answer: bytes | Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            seen.heads.append(head)
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(head, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    seen = Site(port=server.sockets[0].getsockname()[1])
    async with server:
        yield seen


def reply(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Resolver:
    """Gives its answers in turn, the last one for ever, and counts the questions."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def fetch(
    url: str,
    into: Path,
    *,
    resolve: Resolver | None = None,
    max_bytes: int = 1000,
    tls: ssl.SSLContext | None = None,
    **policy: object,
) -> Awaitable[int]:
    fetcher = Fetcher(
        FetchPolicy(**policy),  # type: ignore[arg-type]  # the tests name real members
        resolve=resolve or Resolver(["127.0.0.1"]),
        ssl_context=tls,
    )
    return fetcher.fetch(url, into, max_bytes=max_bytes)


def allow(*entries: str) -> frozenset[str]:
    return frozenset(entries)


def outcome(coroutine: Awaitable[int]) -> KinogateError:
    async def run() -> int:
        return await coroutine

    with pytest.raises(KinogateError) as caught:
        asyncio.run(run())
    return caught.value


def test_a_body_is_written_and_counted(tmp_path: Path) -> None:
    into = tmp_path / "a"

    async def run() -> bytes:
        async with site(reply(b"hello")) as server:
            url = f"http://host.test:{server.port}/a%20b.png?q=1"
            assert await fetch(url, into, allow_hosts=allow("host.test")) == 5
            return server.heads[0]

    head = asyncio.run(run())
    assert into.read_bytes() == b"hello"
    assert head.startswith(b"GET /a%20b.png?q=1 HTTP/1.1\r\nHost: host.test:")
    assert b"accept-encoding: identity" in head.lower()
    assert b"cookie" not in head.lower()
    assert b"authorization" not in head.lower()


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["2606:4700::1111", "::1"],
        ["fe80::1%2"],
        ["::ffff:127.0.0.1"],
        ["junk"],
        [],
    ],
)
def test_a_name_with_any_private_answer_is_never_connected(
    answers: list[str], tmp_path: Path
) -> None:
    async def run() -> tuple[UpstreamError, Site]:
        async with site(reply(b"secret")) as honeypot:
            policy_ports = frozenset({honeypot.port})
            with pytest.raises(UpstreamError) as caught:
                await fetch(
                    f"http://evil.test:{honeypot.port}/",
                    tmp_path / "a",
                    resolve=Resolver(answers),
                    ports=policy_ports,
                )
            return caught.value, honeypot

    error, honeypot = asyncio.run(run())
    assert error.code is ErrorCode.MEDIA_UNREACHABLE
    assert honeypot.heads == []
    assert list(tmp_path.iterdir()) == []


def test_a_rebinding_name_is_resolved_once_per_connection(tmp_path: Path) -> None:
    resolver = Resolver(["192.0.2.1", "8.8.8.8"], ["127.0.0.1"])

    async def run() -> Site:
        async with site(reply(b"secret")) as honeypot:
            with pytest.raises(UpstreamError):
                await fetch(
                    f"http://evil.test:{honeypot.port}/",
                    tmp_path / "a",
                    resolve=resolver,
                    ports=frozenset({honeypot.port}),
                )
            return honeypot

    assert asyncio.run(run()).heads == []
    assert resolver.asked == ["evil.test"]


def test_blocked_and_unreachable_read_the_same(tmp_path: Path) -> None:
    async def nowhere(host: str, port: int) -> Sequence[str]:
        raise OSError("name unknown")

    async def refused() -> int:
        async with site(b"") as server:
            port = server.port
        return await fetch(f"http://a.test:{port}/", tmp_path / "a", allow_hosts=allow("a.test"))

    blocked = outcome(fetch("http://a.test/", tmp_path / "a", resolve=Resolver(["10.0.0.1"])))
    unknown = outcome(
        Fetcher(FetchPolicy(), resolve=nowhere).fetch("http://a.test/", tmp_path / "a", max_bytes=1)
    )
    closed = outcome(refused())
    for error in (blocked, unknown, closed):
        assert isinstance(error, UpstreamError)
        assert (error.code, error.message, error.retriable, error.field) == (
            ErrorCode.MEDIA_UNREACHABLE,
            "The URL could not be fetched.",
            True,
            None,
        )


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{pot}/",
        "http://[::1]:{pot}/",
        "//127.0.0.1:{pot}/",
        "http://2130706433:{pot}/",
        "http://inner.test:{pot}/",
        "file:///etc/passwd",
        "http://user:pass@start.test:{own}/",
        "http://[",
        "",
    ],
)
def test_every_hop_is_judged_anew(location: str, tmp_path: Path) -> None:
    async def run() -> tuple[KinogateError, Site]:
        async with site(reply(b"secret")) as honeypot:

            async def redirect(head: bytes, writer: asyncio.StreamWriter) -> None:
                where = location.format(pot=honeypot.port, own=start.port)
                writer.write(reply(status="302 Found", Location=where))

            async with site(redirect) as start:
                with pytest.raises(KinogateError) as caught:
                    await fetch(
                        f"http://start.test:{start.port}/",
                        tmp_path / "a",
                        allow_hosts=allow("start.test"),
                        ports=frozenset({honeypot.port}),
                    )
                return caught.value, honeypot

    error, honeypot = asyncio.run(run())
    assert (error.code, error.message) == (
        ErrorCode.MEDIA_UNREACHABLE,
        "The URL could not be fetched.",
    )
    assert honeypot.heads == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("hops", "is_followed"), [(3, True), (4, False)])
def test_three_redirects_are_followed(hops: int, is_followed: bool, tmp_path: Path) -> None:
    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        done = int(head.split(b"/", 2)[1].split()[0])
        writer.write(
            reply(b"end") if done == hops else reply(status="301 Moved", Location=f"/{done + 1}#f")
        )

    async def run() -> int:
        async with site(answer) as server:
            return await fetch(
                f"http://a.test:{server.port}/0",
                tmp_path / "a",
                allow_hosts=allow("a.test"),
            )

    if is_followed:
        assert asyncio.run(run()) == 3
    else:
        error = outcome(run())
        assert error.code is ErrorCode.MEDIA_UNREACHABLE


@pytest.mark.parametrize(
    ("size", "is_declared", "is_taken"),
    [
        (1000, True, True),
        (1001, True, False),
        (1000, False, True),
        (1001, False, False),
    ],
)
def test_the_size_cap_is_inclusive(
    size: int, is_declared: bool, is_taken: bool, tmp_path: Path
) -> None:
    body = b"x" * size
    answer = reply(body) if is_declared else b"HTTP/1.1 200 OK\r\n\r\n" + body

    async def run() -> int:
        async with site(answer) as server:
            return await fetch(
                f"http://a.test:{server.port}/",
                tmp_path / "a",
                allow_hosts=allow("a.test"),
            )

    if is_taken:
        assert asyncio.run(run()) == 1000
        return
    error = outcome(run())
    assert isinstance(error, CallerError)
    assert error.code is ErrorCode.MEDIA_TOO_LARGE
    assert "1000" in error.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "is_retriable"),
    [
        (reply(gzip.compress(b"x" * 500, mtime=0), Content_Encoding="gzip"), False),
        (reply(b"no", status="404 Not Found"), False),
        (reply(b"no", status="206 Partial Content"), False),
        (reply(b"no", status="503 Unavailable"), True),
        (reply(b"no", status="429 Slow Down"), True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nshort", True),
        (b"SSH-2.0-OpenSSH\r\n", True),
        (b"", True),
    ],
    ids=range(8),
)
def test_a_useless_answer_is_an_upstream_failure(
    answer: bytes, is_retriable: bool, tmp_path: Path
) -> None:
    async def run() -> int:
        async with site(answer) as server:
            return await fetch(
                f"http://a.test:{server.port}/",
                tmp_path / "a",
                allow_hosts=allow("a.test"),
            )

    error = outcome(run())
    assert isinstance(error, UpstreamError)
    assert (error.code, error.retriable) == (ErrorCode.MEDIA_UNREACHABLE, is_retriable)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_drip_ends_at_the_total_limit(where: str, tmp_path: Path) -> None:
    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + (b"X: " if where == "head" else b"\r\n"))
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def run() -> float:
        loop = asyncio.get_running_loop()
        async with site(drip) as server:
            begin = loop.time()
            with pytest.raises(UpstreamError):
                await fetch(
                    f"http://a.test:{server.port}/",
                    tmp_path / "a",
                    allow_hosts=allow("a.test"),
                    total_s=0.4,
                )
            return loop.time() - begin

    assert asyncio.run(run()) < 2.0
    assert list(tmp_path.iterdir()) == []


def test_a_resolver_that_never_answers_ends_at_the_connect_limit(
    tmp_path: Path,
) -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    fetcher = Fetcher(FetchPolicy(connect_s=0.2), resolve=never)
    error = outcome(fetcher.fetch("http://a.test/", tmp_path / "a", max_bytes=1))
    assert error.message == "The URL could not be fetched."


def test_a_cancelled_fetch_leaves_no_file(tmp_path: Path) -> None:
    async def hang(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nx")
        arrived.set()
        await asyncio.sleep(5)

    async def run() -> None:
        async with site(hang) as server:
            work = asyncio.ensure_future(
                fetch(
                    f"http://a.test:{server.port}/",
                    tmp_path / "a",
                    allow_hosts=allow("a.test"),
                )
            )
            await arrived.wait()
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work

    arrived = asyncio.Event()
    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


def test_proxy_settings_of_the_environment_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> tuple[int, Site]:
        async with site(reply(b"proxied")) as proxy, site(reply(b"direct!!")) as server:
            for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            written = await fetch(
                f"http://a.test:{server.port}/",
                tmp_path / "a",
                allow_hosts=allow("a.test"),
            )
            return written, proxy

    written, proxy = asyncio.run(run())
    assert written == 8
    assert proxy.heads == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for `name.test`, key and certificate in one file."""
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=name.test"
        " -addext subjectAltName=DNS:name.test -keyout key.pem -out cert.pem"
    )
    made = subprocess.run(
        command.split(),
        cwd=folder,
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("openssl could not make a certificate")
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "cert.pem").read_bytes())
    return both


@pytest.mark.parametrize(("name", "is_taken"), [("name.test", True), ("other.test", False)])
def test_the_certificate_is_checked_against_the_name(
    name: str, is_taken: bool, certificate: Path, tmp_path: Path
) -> None:
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate)
    theirs = ssl.create_default_context(cafile=str(certificate))

    async def run() -> int:
        async with site(reply(b"sealed"), tls=ours) as server:
            return await fetch(
                f"https://{name}:{server.port}/",
                tmp_path / "a",
                allow_hosts=allow(name),
                tls=theirs,
            )

    if is_taken:
        assert asyncio.run(run()) == 6
    else:
        assert outcome(run()).code is ErrorCode.MEDIA_UNREACHABLE
