"""The handlers of uploads: certificates, DashScope's form, and our own files, whole or in pieces.

A file's bytes are passed on as they arrive. Like the handlers of `edge`, these may raise: the edge
answers in the dialect's shape.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from kinogate.dialects.base import Action, Call, Dialect, parse_task_id
from kinogate.domain.errors import CallerError, ErrorCode, field_invalid, field_missing
from kinogate.domain.ports import Principal
from kinogate.domain.upload import Upload
from kinogate.http.calls import respond, stream_body
from kinogate.http.forms import UploadForm
from kinogate.service.upload_parts import RANGE_FIELD, OffsetError, Piece
from kinogate.service.uploads import FILE_FIELD, LENGTH_FIELD, Uploads

Handler = Callable[[Dialect, Call, Principal, Request], Awaitable[Response]]

STREAMED = frozenset({Action.UPLOAD_FORM, Action.FILE_CREATE, Action.FILE_APPEND})
"""Actions whose handlers read the body themselves."""
KEYLESS = frozenset({Action.UPLOAD_FORM})
"""Actions whose body proves who sends it, so that no key is asked for."""

_OFFSET_HEADER = "upload-offset"
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


class UploadHandlers:
    """One method for each action."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    def table(self) -> Mapping[Action, Handler]:
        """The handlers, for the edge's table."""
        return {
            Action.UPLOAD_POLICY: self._certify,
            Action.UPLOAD_FORM: self._form,
            Action.FILE_CREATE: self._create,
            Action.FILE_APPEND: self._append,
            Action.FILE_GET: self._get,
        }

    async def _certify(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        asked = dialect.parse_upload_call(call)
        certificate = self._uploads.certify(principal, asked.model, asked.form_path)
        return respond(dialect.render_certificate(certificate, call), call)

    async def _form(
        self, dialect: Dialect, call: Call, principal: Principal, request: Request
    ) -> Response:
        form = UploadForm(request)
        fields = await form.open()
        if fields is None:
            raise field_missing(FILE_FIELD)
        ticket = self._uploads.admit(fields)
        await self._uploads.keep_form(ticket, form.chunks())
        return Response(status_code=200, headers={"x-request-id": call.request_id})

    async def _create(
        self, dialect: Dialect, call: Call, principal: Principal, request: Request
    ) -> Response:
        length = call.headers.get(LENGTH_FIELD.lower())
        if length is not None:
            upload = self._uploads.begin(principal, _length(length))
            reply = self._file(dialect, call, upload)
            reply.headers["location"] = f"{call.path.rstrip('/')}/{upload.id}"
            return reply
        kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
        chunks = stream_body(request)
        if kind == "multipart/form-data":
            form = UploadForm(request)
            if await form.open() is None:
                raise field_missing(FILE_FIELD)
            chunks = form.chunks()
        return self._file(dialect, call, await self._uploads.keep(principal, chunks))

    async def _append(
        self, dialect: Dialect, call: Call, principal: Principal, request: Request
    ) -> Response:
        try:
            piece = _piece(call)
            upload = await self._uploads.append(
                principal, _file_id(call), piece, stream_body(request)
            )
        except OffsetError as error:
            reply = respond(dialect.render_error(error, call), call)
            reply.headers[_OFFSET_HEADER] = str(error.offset)
            return reply
        return self._file(dialect, call, upload)

    async def _get(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        return self._file(dialect, call, await self._uploads.show(principal, _file_id(call)))

    @staticmethod
    def _file(dialect: Dialect, call: Call, upload: Upload) -> Response:
        reply = respond(dialect.render_file(upload, call), call)
        reply.headers[_OFFSET_HEADER] = str(upload.received_bytes)
        reply.headers[LENGTH_FIELD.lower()] = str(upload.size_bytes)
        return reply


def _file_id(call: Call) -> str:
    try:
        return parse_task_id(call.params["file_id"])  # the same kind of id
    except CallerError:
        raise CallerError(ErrorCode.ROUTE_UNKNOWN, "There is no such file.") from None


def _length(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise field_invalid(LENGTH_FIELD, "Must be a number of bytes.")
    return int(text)


def _piece(call: Call) -> Piece:
    text = call.headers.get(RANGE_FIELD.lower())
    if text is None:
        raise field_missing(RANGE_FIELD)
    found = _RANGE.fullmatch(text.strip())
    start, last, total = map(int, found.groups()) if found else (1, 0, 0)
    if not start <= last < total:
        raise field_invalid(
            RANGE_FIELD, "Must be bytes FIRST-LAST/TOTAL, such as bytes 0-1048575/5242880."
        )
    declared = call.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) != last - start + 1:
        raise field_invalid(RANGE_FIELD, "The body has another length than its range.")
    return Piece(start=start, end=last + 1, total=total)
