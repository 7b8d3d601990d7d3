"""Forms read as they arrive, however they are cut."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.http.forms import UploadForm

HEAD = "multipart/form-data; boundary=b"


def part(name: str, value: bytes, *, more: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + (
        value + b"\r\n"
    )


END = b"--b--\r\n"
FILE = bytes(range(256)) * 3 + b"\r\n--c\r\n-b\r\n--"
FORM = (
    part("policy", b"p")
    + part("key", "d/\u5c0f\u732b.png".encode())
    + part("file", FILE, more="; filename*=utf-8''%E5%B0%8F.png")
    + part("late", b"does not count")
    + END
)


def form_of(*chunks: bytes, content_type: str = HEAD, is_cut: bool = False) -> UploadForm:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    if is_cut:
        messages.append({"type": "http.disconnect"})
    else:
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    left = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(left)

    headers = [(b"content-type", content_type.encode())]
    return UploadForm(Request({"type": "http", "method": "POST", "headers": headers}, receive))


def read(form: UploadForm) -> tuple[dict[str, str] | None, bytes]:
    async def work() -> tuple[dict[str, str] | None, bytes]:
        fields = await form.open()
        if fields is None:
            return None, b""
        return dict(fields), b"".join([chunk async for chunk in form.chunks()])

    return asyncio.run(work())


def refused(form: UploadForm) -> None:
    with pytest.raises(CallerError) as caught:
        read(form)
    assert caught.value.code is ErrorCode.REQUEST_MALFORMED


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 100_000])
def test_fields_and_file_come_out_however_the_body_is_cut(step: int) -> None:
    pieces = [FORM[at : at + step] for at in range(0, len(FORM), step)]
    fields, data = read(form_of(*pieces))
    assert fields == {"policy": "p", "key": "d/\u5c0f\u732b.png"}
    assert data == FILE


def test_a_part_with_a_file_name_is_the_file_whatever_it_is_called() -> None:
    assert read(form_of(part("x", b"data", more='; filename="a"') + END)) == ({}, b"data")


def test_a_form_without_a_file_has_none() -> None:
    assert read(form_of(part("policy", b"p") + END)) == (None, b"")


@pytest.mark.parametrize("at", [1, 30, 60, 90, 250, len(FORM) - 120, len(FORM) - 8])
def test_a_form_that_breaks_off_is_refused(at: int) -> None:
    refused(form_of(FORM[:at]))
    refused(form_of(FORM[:at], is_cut=True))


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "text/plain; boundary=b", "", "a;;="],
)
def test_another_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(CallerError):
        form_of(FORM, content_type=content_type)


@pytest.mark.parametrize(
    "body",
    [
        part("a", b"x" * 70_000) + part("file", b"x") + END,
        b"".join(part(f"a{number}", b"") for number in range(60)) + part("file", b"x") + END,
        part("a", b"\xff\xfe") + part("file", b"x") + END,
        part("file", b"x") + part("tail", b"x" * 2_000_000) + END,
        b"--b\r\nContent-Disposition: form-data" + b"x" * 10_000 + b"\r\n\r\n" + END,
        b"no form at all",
        b"",
    ],
    ids=["long field", "many fields", "no text", "long tail", "long head", "no form", "nothing"],
)
def test_a_form_out_of_bounds_is_refused(body: bytes) -> None:
    size = 16_384
    refused(form_of(*(body[at : at + size] for at in range(0, len(body), size))))
