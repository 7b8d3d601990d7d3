"""Signed downloads over HTTP: ranges, conditions, headers, refusals."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from kinogate.blobs.base import BlobInfo
from kinogate.blobs.memory import MemoryBlobStore
from kinogate.http.files import FileEndpoint
from kinogate.http.ranges import (
    Unsatisfiable,
    http_date,
    is_not_modified,
    is_range_current,
    parse_ranges,
)
from kinogate.service.links import LinkSigner

KEY = "results/default/3f2a.mp4"
BODY = bytes(range(256)) * 4
MODIFIED = 1_700_000_000.5


@dataclass
class FixedClock:
    """Always the same moment, until it is set."""

    ms: int = 1_000_000

    def now_ms(self) -> int:
        return self.ms


@dataclass
class Desk:
    """A file endpoint, somebody who asks it, and the link they hold."""

    client: TestClient
    link: str
    info: BlobInfo
    clock: FixedClock
    signer: LinkSigner
    blobs: MemoryBlobStore

    @property
    def etag(self) -> str:
        return f'"{self.info.etag}"'


@pytest.fixture
def desk() -> Desk:
    """One blob behind a link that is valid until second 2,000."""
    blobs = MemoryBlobStore(lambda: MODIFIED)
    info = asyncio.run(blobs.put_bytes(KEY, BODY, "video/mp4"))
    signer, clock = LinkSigner(bytes(32), "k1", "http://testserver"), FixedClock()
    endpoint = FileEndpoint(signer, blobs, clock)
    client = TestClient(Starlette(routes=[Route("/files/{key:path}", endpoint)]))
    link = signer.sign(KEY, filename="3f2a.mp4", expires_at=2_000)
    return Desk(client, link, info, clock, signer, blobs)


def test_the_whole_file_comes_with_safe_headers(desk: Desk) -> None:
    reply = desk.client.get(desk.link)
    assert (reply.status_code, reply.content) == (200, BODY)
    expected = {
        "content-type": "video/mp4",
        "content-length": str(len(BODY)),
        "accept-ranges": "bytes",
        "etag": desk.etag,
        "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT",
        "cache-control": "private",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-disposition": 'inline; filename="3f2a.mp4"',
        "access-control-allow-origin": "*",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    assert {name: reply.headers[name] for name in expected} == expected
    assert "access-control-allow-credentials" not in reply.headers
    assert "set-cookie" not in reply.headers


def test_head_has_the_headers_of_get_and_no_body(desk: Desk) -> None:
    get, head = desk.client.get(desk.link), desk.client.head(desk.link)
    assert (head.status_code, head.content) == (200, b"")
    assert dict(head.headers) == dict(get.headers)
    part = desk.client.head(desk.link, headers={"range": "bytes=0-9"})
    assert (part.status_code, part.headers["content-length"], part.content) == (206, "10", b"")


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-1", 0, 1),
        ("bytes=0-0", 0, 0),
        ("bytes=1000-", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=0-", 0, 1023),
        ("bytes=1020-9999", 1020, 1023),
        ("bytes=-9999", 0, 1023),
        ("BYTES = 5-6", 5, 6),
        ("bytes= 5-6 ,", 5, 6),
        ("bytes=5-6,2000-", 5, 6),
    ],
)
def test_one_range_is_partial_content(desk: Desk, wanted: str, first: int, last: int) -> None:
    reply = desk.client.get(desk.link, headers={"range": wanted})
    assert reply.status_code == 206
    assert reply.content == BODY[first : last + 1]
    assert reply.headers["content-range"] == f"bytes {first}-{last}/1024"
    assert reply.headers["content-length"] == str(last - first + 1)


def test_several_ranges_are_multipart(desk: Desk) -> None:
    reply = desk.client.get(desk.link, headers={"range": "bytes=0-1,-2"})
    kind, _, boundary = reply.headers["content-type"].partition("; boundary=")
    assert (reply.status_code, kind) == (206, "multipart/byteranges")
    assert reply.headers["content-length"] == str(len(reply.content))
    assert "content-range" not in reply.headers
    parts = reply.content.split(b"\r\n--" + boundary.encode())
    assert parts[1] == (
        b"\r\nContent-Type: video/mp4\r\nContent-Range: bytes 0-1/1024\r\n\r\n" + BODY[:2]
    )
    assert parts[2].endswith(b"Content-Range: bytes 1022-1023/1024\r\n\r\n" + BODY[-2:])
    assert parts[3] == b"--\r\n"


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(desk: Desk, wanted: str) -> None:
    reply = desk.client.get(desk.link, headers={"range": wanted})
    assert (reply.status_code, reply.content) == (416, b"")
    assert reply.headers["content-range"] == "bytes */1024"


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=5-2",
        "items=0-1",
        "bytes=abc",
        "bytes=",
        "bytes=-",
        "bytes=0x1-2",
        "bytes=1-2-3",
        "bytes=--5",
        "bytes=\u0661-2".encode().decode("latin-1"),
        "bytes=0-" + "9" * 5000,
        "bytes=" + ",".join(["0-1"] * 17),
        "bytes=0-1000,0-1000",
        "nonsense",
        "",
    ],
)
def test_a_range_that_means_nothing_is_ignored(desk: Desk, wanted: str) -> None:
    reply = desk.client.get(desk.link, headers=[(b"range", wanted.encode("latin-1"))])
    assert (reply.status_code, len(reply.content)) == (200, 1024)


def test_if_range_decides_between_the_part_and_the_whole(desk: Desk) -> None:
    def ask(condition: str) -> int:
        return desk.client.get(
            desk.link, headers={"range": "bytes=0-1", "if-range": condition}
        ).status_code

    assert ask(desk.etag) == 206
    assert ask("Tue, 14 Nov 2023 22:13:20 GMT") == 206
    assert ask('"stale"') == 200
    assert ask("W/" + desk.etag) == 200
    assert ask("Tue, 14 Nov 2023 22:13:21 GMT") == 200


def test_a_current_copy_is_304(desk: Desk) -> None:
    def ask(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return desk.client.get(desk.link, headers=named).status_code

    assert ask(if_none_match=desk.etag) == 304
    assert ask(if_none_match=f'"x", W/{desk.etag}') == 304
    assert ask(if_none_match="*") == 304
    assert ask(if_none_match='"x"') == 200
    assert ask(if_modified_since="Tue, 14 Nov 2023 22:13:20 GMT") == 304
    assert ask(if_modified_since="Tue, 14 Nov 2023 22:13:19 GMT") == 200
    assert ask(if_modified_since="soon") == 200
    assert ask(if_none_match='"x"', if_modified_since="Tue, 14 Nov 2033 00:00:00 GMT") == 200
    assert ask(if_none_match=desk.etag, range="bytes=0-1") == 304


def test_download_is_an_attachment(desk: Desk) -> None:
    reply = desk.client.get(desk.link + "&download=1")
    assert reply.headers["content-disposition"] == 'attachment; filename="3f2a.mp4"'


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('a"b\\c;.mp4', 'inline; filename="a_b_c_.mp4"'),
        ("x\r\nSet-Cookie: a=b", 'inline; filename="x__Set-Cookie_ a_b"'),
        ("\u732b.mp4", "inline; filename*=UTF-8''%E7%8C%AB.mp4"),
        ("../../etc/passwd", 'inline; filename=".._.._etc_passwd"'),
    ],
)
def test_a_file_name_cannot_break_out_of_its_header(desk: Desk, name: str, shown: str) -> None:
    reply = desk.client.get(desk.signer.sign(KEY, filename=name, expires_at=2_000))
    assert reply.headers["content-disposition"] == shown
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_changed_link_is_403_without_saying_more(desk: Desk, method: str) -> None:
    reply = desk.client.request(method, desk.link.replace("3f2a", "3f2b"))
    assert reply.status_code == 403
    assert reply.headers["content-type"] == "application/json"
    if method == "GET":
        assert reply.json()["error"]["code"] == "permission_denied"


def test_an_expired_link_is_403_with_its_own_code(desk: Desk) -> None:
    desk.clock.ms = 2_000_000
    reply = desk.client.get(desk.link)
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "result_expired")


def test_a_missing_blob_is_404(desk: Desk) -> None:
    asyncio.run(desk.blobs.delete(KEY))
    reply = desk.client.get(desk.link)
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "result_expired")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(desk: Desk, method: str) -> None:
    reply = desk.client.request(method, desk.link)
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")


def test_a_blob_without_a_known_suffix_is_plain_bytes(desk: Desk) -> None:
    asyncio.run(desk.blobs.put_bytes("inputs/a/0f", b"<script>", "text/html"))
    reply = desk.client.get(desk.signer.sign("inputs/a/0f", filename="0f", expires_at=2_000))
    assert reply.headers["content-type"] == "application/octet-stream"


def test_a_key_may_hold_the_word_files(desk: Desk) -> None:
    asyncio.run(desk.blobs.put_bytes("a/files/b.mp4", b"film", "video/mp4"))
    link = desk.signer.sign("a/files/b.mp4", filename="b.mp4", expires_at=2_000)
    assert desk.client.get(link).content == b"film"


def test_ranges_of_an_empty_file_are_unsatisfiable() -> None:
    with pytest.raises(Unsatisfiable):
        parse_ranges("bytes=0-", 0)


def test_conditions_without_headers_hold() -> None:
    assert is_range_current({}, '"a"', 0.0)
    assert not is_not_modified({}, '"a"', 0.0)
    assert http_date(0.9) == "Thu, 01 Jan 1970 00:00:00 GMT"
