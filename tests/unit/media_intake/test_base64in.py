"""Inline media in the spellings that clients really send, and in those that attack."""

from __future__ import annotations

import base64

import pytest

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.media.base64in import decode_data_uri, is_inline

from .files import short

DATA = bytes(range(256)) * 2
PLAIN = base64.b64encode(DATA).decode()


@pytest.mark.parametrize(
    ("text", "mime"),
    [
        (PLAIN, None),
        (f"data:image/png;base64,{PLAIN}", "image/png"),
        (f"DATA:Image/PNG;charset=utf-8;BASE64,{PLAIN}", "image/png"),
        (f"data:;base64,{PLAIN}", None),
        (base64.encodebytes(DATA).decode(), None),
        (f"  {PLAIN}\r\n", None),
        (base64.urlsafe_b64encode(DATA).decode(), None),
        (PLAIN.rstrip("="), None),
        (PLAIN.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"), None),
    ],
    ids=short,
)
def test_every_usual_spelling_decodes(text: str, mime: str | None) -> None:
    assert decode_data_uri(text, max_bytes=len(DATA)) == (DATA, mime)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "data:image/png;base64,",
        "data:image/png,hello",
        "data:image/png;base64",
        "data:" + "a" * 5000,
        "data:image/png;base64,A",
        "data:image/png;base64,AAA!",
        "data:image/png;base64,AA==AA==",
        "data:image/png;base64,\ud800AAA",
        "data:image/png;base64,AAAé",
        "AAAA\0AAAA",
        "%%%%",
    ],
    ids=short,
)
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(CallerError) as caught:
        decode_data_uri(text, max_bytes=1000)
    assert caught.value.code is ErrorCode.MEDIA_FORMAT


@pytest.mark.parametrize("size", [998, 999, 1000])
def test_the_limit_is_inclusive(size: int) -> None:
    assert len(decode_data_uri(base64.b64encode(bytes(size)).decode(), max_bytes=1000)[0]) == size


@pytest.mark.parametrize(
    "text",
    [base64.b64encode(bytes(1001)).decode(), "A" * 1_000_000, "!" * 99_999],
    ids=short,
)
def test_more_than_the_limit_is_too_large(text: str) -> None:
    with pytest.raises(CallerError) as caught:
        decode_data_uri(text, max_bytes=1000)
    assert caught.value.code is ErrorCode.MEDIA_TOO_LARGE
    assert "1000 bytes" in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data:image/png;base64,AAAA", True),
        ("DATA:,x", True),
        (PLAIN, True),
        ("/9j/4AAQSkZJRgABAQEASABIAAD", True),
        ("http://example.com/a.png", False),
        ("https://example.com/" + "a" * 99, False),
        ("not a url", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
    ids=short,
)
def test_inline_data_is_told_from_a_url(text: str, expected: bool) -> None:
    assert is_inline(text) is expected
