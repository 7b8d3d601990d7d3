"""Files going out: signed links, ranges, and headers that give a stranger's content no power.

The content type comes from our own key and never from a caller. `FileEndpoint` is an ASGI app for
signed links; `serve` answers an authenticated content route of a dialect in the same way.
"""

from __future__ import annotations

import secrets
from contextlib import aclosing
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from kinogate.blobs.base import BlobInfo, BlobStore
from kinogate.domain.errors import CallerError, ErrorCode, KinogateError
from kinogate.domain.ports import Clock
from kinogate.http.ranges import (
    Span,
    Unsatisfiable,
    http_date,
    is_not_modified,
    is_range_current,
    parse_ranges,
)
from kinogate.service.links import FILES_PATH, Grant, LinkSigner

_STATUS = {
    ErrorCode.PERMISSION_DENIED: 403,
    ErrorCode.RESULT_EXPIRED: 403,  # as object stores answer an expired link
    ErrorCode.METHOD_NOT_ALLOWED: 405,
}
_HEADERS = {
    "accept-ranges": "bytes",
    "access-control-allow-origin": "*",  # never with credentials: the link itself is the key
    "access-control-expose-headers": "accept-ranges, content-length, content-range, etag",
    "cache-control": "private",
    # Should a browser ever take the bytes for a page, that page may do nothing.
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class FileEndpoint:
    """Serves blobs by signed link; GET and HEAD. Mount it at `/files/`."""

    def __init__(self, signer: LinkSigner, blobs: BlobStore, clock: Clock) -> None:
        self._signer = signer
        self._blobs = blobs
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        request = Request(scope, receive)
        try:
            grant = self._grant(request)
        except KinogateError as error:
            response = _refusal(error, _STATUS[error.code])
        else:
            try:
                response = await self.serve(
                    request, grant.blob_key, filename=grant.filename, is_download=grant.is_download
                )
            except CallerError as error:
                response = _refusal(error, 404)
        await response(scope, receive, send)

    def _grant(self, request: Request) -> Grant:
        if request.method not in ("GET", "HEAD"):
            raise CallerError(
                ErrorCode.METHOD_NOT_ALLOWED, "Only GET and HEAD are allowed for this URL."
            )
        path = FILES_PATH + request.scope["path"].partition(FILES_PATH)[2]
        query = request.scope["query_string"].decode("latin-1")
        return self._signer.verify(path, query, self._clock.now_ms() // 1000)

    async def serve(
        self, request: Request, key: str, *, filename: str, is_download: bool = False
    ) -> Response:
        """Answer with the blob, whoever asks; the caller of this has checked that they may.

        Honours If-None-Match, If-Modified-Since, Range (single, suffix, open, several) and
        If-Range. HEAD gives the headers of GET.

        Raises:
            CallerError: `RESULT_EXPIRED`: there is no such blob any more.
        """
        try:
            info = await self._blobs.stat(key)
        except KeyError as exc:
            raise CallerError(ErrorCode.RESULT_EXPIRED, "The file is not there any more.") from exc
        etag = f'"{info.etag}"'
        headers = _HEADERS | {
            "content-disposition": _disposition(filename, is_download=is_download),
            "etag": etag,
            "last-modified": http_date(info.modified_s),
        }
        if is_not_modified(request.headers, etag, info.modified_s):
            return Response(status_code=304, headers=headers)
        wanted = request.headers.get("range")
        spans: list[Span] | None = None
        if wanted is not None and is_range_current(request.headers, etag, info.modified_s):
            try:
                spans = parse_ranges(wanted, info.size_bytes)
            except Unsatisfiable:
                headers["content-range"] = f"bytes */{info.size_bytes}"
                return Response(status_code=416, headers=headers)
        return _BlobResponse(self._blobs, info, spans, headers, is_head=request.method == "HEAD")


class _BlobResponse(StreamingResponse):
    """The whole blob, one span of it, or several as multipart/byteranges."""

    def __init__(
        self,
        blobs: BlobStore,
        info: BlobInfo,
        spans: list[Span] | None,
        headers: dict[str, str],
        *,
        is_head: bool,
    ) -> None:
        size, kind = info.size_bytes, info.content_type
        self._blobs = blobs
        self._key = info.key
        self._is_head = is_head
        # Alternating: bytes to send as they are, and spans to read.
        self._parts: list[bytes | Span] = list(spans or [(0, size)])
        if spans is not None and len(spans) == 1:
            headers["content-range"] = f"bytes {spans[0][0]}-{spans[0][1] - 1}/{size}"
        elif spans is not None:
            boundary = secrets.token_hex(16)
            self._parts = _multipart(spans, boundary, kind, size)
            kind = f"multipart/byteranges; boundary={boundary}"
        length = sum(
            len(part) if isinstance(part, bytes) else part[1] - part[0] for part in self._parts
        )
        super().__init__(
            (),
            status_code=200 if spans is None else 206,
            headers=headers | {"content-length": str(length), "content-type": kind},
        )

    async def stream_response(self, send: Send) -> None:
        """Replaces the loop of Starlette's: every file is closed at once, also on a disconnect."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        for part in () if self._is_head else self._parts:
            if isinstance(part, bytes):
                await send({"type": "http.response.body", "body": part, "more_body": True})
                continue
            async with aclosing(self._blobs.read(self._key, *part)) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _multipart(spans: list[Span], boundary: str, kind: str, size: int) -> list[bytes | Span]:
    parts: list[bytes | Span] = []
    for start, end in spans:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {kind}\r\n"
            f"Content-Range: bytes {start}-{end - 1}/{size}\r\n\r\n"
        )
        parts += [head.encode("ascii"), (start, end)]
    return [*parts, f"\r\n--{boundary}--\r\n".encode("ascii")]


def _disposition(filename: str, *, is_download: bool) -> str:
    kind = "attachment" if is_download else "inline"
    plain = "".join(char if char.isalnum() or char in "._- " else "_" for char in filename)
    if plain.isascii():
        return f'{kind}; filename="{plain}"'
    return f"{kind}; filename*=UTF-8''{quote(plain, safe='')}"


def _refusal(error: KinogateError, status: int) -> Response:
    headers = {
        "access-control-allow-origin": "*",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    if status == 405:
        headers["allow"] = "GET, HEAD"
    body = {"error": {"code": error.code.value, "message": error.message}}
    return JSONResponse(body, status_code=status, headers=headers)
