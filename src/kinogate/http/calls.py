"""Between Starlette and dialects: requests become a `Call`, a `Reply` becomes a response."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncGenerator
from types import MappingProxyType
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from kinogate.dialects.base import Action, Call, FormField, Reply
from kinogate.domain.errors import CallerError, ErrorCode

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MAX_FIELDS = 200
_MAX_FILES = 8


def request_id_of(request: Request) -> str:
    """The caller's `X-Request-Id` when it is harmless, else a fresh one; the same on each call."""
    known: str | None = request.scope.get("kinogate.request_id")
    if known is None:
        given = request.headers.get("x-request-id", "")
        known = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        request.scope["kinogate.request_id"] = known
    return known


def head_of(
    request: Request, action: Action | None = None, options: frozenset[str] = frozenset()
) -> Call:
    """The call without its body."""
    return Call(
        method=request.method,
        path=request.url.path,
        action=action,
        params=MappingProxyType({key: str(value) for key, value in request.path_params.items()}),
        options=options,
        query=tuple(request.query_params.multi_items()),
        headers=MappingProxyType(dict(request.headers.items())),
        request_id=request_id_of(request),
    )


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body.

    Raises:
        CallerError: BODY_TOO_LARGE, or what `stream_body` raises.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    # Joined once at the end: a buffer that grows and is copied costs twice the memory, and most of
    # what a large body costs is fresh memory.
    chunks: list[bytes] = []
    size = 0
    async for chunk in stream_body(request):
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
    return b"".join(chunks)


async def stream_body(request: Request) -> AsyncGenerator[bytes, None]:
    """The body as it arrives.

    Raises:
        CallerError: CONTENT_TYPE_UNSUPPORTED for a compressed body, or REQUEST_MALFORMED when the
            client went away in the middle.
    """
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in ("", "identity"):
        raise CallerError(ErrorCode.CONTENT_TYPE_UNSUPPORTED, "The body must not be compressed.")
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise CallerError(ErrorCode.REQUEST_MALFORMED, "The body ended too early.") from None


def _too_large(max_bytes: int) -> CallerError:
    return CallerError(
        ErrorCode.BODY_TOO_LARGE,
        f"The body may have at most {max_bytes} bytes; send media as URLs instead.",
    )


async def read_form(request: Request, body: bytes) -> tuple[FormField, ...] | None:
    """The parts of a form body; None when the content type is not a form's.

    Raises:
        CallerError: REQUEST_MALFORMED.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        try:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
            )
        except ValueError:
            raise _bad_form() from None
        return tuple(FormField(name=name, value=value) for name, value in pairs)
    if kind != "multipart/form-data":
        return None
    return await _multipart(request, body)


async def _multipart(request: Request, body: bytes) -> tuple[FormField, ...]:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(
        request.headers,
        chunks(),
        max_files=_MAX_FILES,
        max_fields=_MAX_FIELDS,
        max_part_size=len(body) + 1,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError, UnicodeError):
        raise _bad_form() from None
    parts: list[FormField] = []
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                data = await value.read()
                parts.append(FormField(name=name, filename=value.filename or "", data=data))
            else:
                parts.append(FormField(name=name, value=value))
    finally:
        await form.close()
    return tuple(parts)


def _bad_form() -> CallerError:
    return CallerError(ErrorCode.REQUEST_MALFORMED, "The form body is malformed.")


def respond(reply: Reply, call: Call, extra: dict[str, str] | None = None) -> Response:
    """A reply as a response."""
    headers = {"x-request-id": call.request_id, "cache-control": "no-store", **(extra or {})}
    headers.update(reply.headers)
    return Response(
        reply.body, status_code=reply.status, headers=headers, media_type=reply.content_type
    )
