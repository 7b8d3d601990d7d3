"""Multipart bodies with one large file, read as they arrive: the file never lies in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from types import MappingProxyType

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.http.calls import stream_body

FILE_NAMES = frozenset({"file"})
_MAX_FIELDS = 50
_MAX_FIELD_BYTES = 64 * 1024
"""All fields before the file together, their heads included."""
_MAX_TAIL_BYTES = 1024 * 1024
"""What may come after the file: nothing in it counts."""


class UploadForm:
    """One form: `open` reads the fields, then `chunks` gives the file.

    The file is the first part that is called `file` or has a file name. Parts after it are
    swallowed, as object stores do.
    """

    def __init__(self, request: Request) -> None:
        """Prepare to read.

        Raises:
            CallerError: REQUEST_MALFORMED, when there is no boundary.
        """
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise _malformed()
        self._stream = stream_body(request)
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError:
            raise _malformed() from None
        self._fields: dict[str, str] = {}
        self._small_bytes = self._tail_bytes = self._count = 0
        self._header_name = self._header_value = self._disposition = b""
        self._name, self._value = "", bytearray()
        self._file: list[bytes] = []
        self._has_file = self._is_file = self._is_complete = False

    async def open(self) -> MappingProxyType[str, str] | None:
        """The fields before the file; None when the form has no file.

        Raises:
            CallerError: REQUEST_MALFORMED.
        """
        while not self._has_file:
            if not await self._read_on():
                return None
        return MappingProxyType(dict(self._fields))

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The file's bytes; afterwards the whole body has been read.

        Raises:
            CallerError: REQUEST_MALFORMED, when the form breaks off.
        """
        while True:
            ready, self._file = self._file, []
            for data in ready:
                yield data
            if not await self._read_on():
                break
        for data in self._file:
            yield data

    async def _read_on(self) -> bool:
        """Feed the parser with what comes next; False at the end."""
        async for chunk in self._stream:
            if not chunk:
                continue
            if self._has_file and not self._is_file:
                self._tail_bytes += len(chunk)
            try:
                self._parser.write(chunk)
            except (FormParserError, UnicodeError):
                raise _malformed() from None
            is_small = self._small_bytes <= _MAX_FIELD_BYTES and self._count <= _MAX_FIELDS
            if not is_small or self._tail_bytes > _MAX_TAIL_BYTES:
                raise _malformed()
            return True
        if not self._is_complete:
            raise _malformed()
        return False

    # -- the parser's callbacks -------------------------------------------------------------------

    def _on_part_begin(self) -> None:
        self._disposition, self._name = b"", ""
        self._count += 1

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]
        self._small_bytes += end - start

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]
        self._small_bytes += end - start

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name, self._value = options.get(b"name", b"").decode(), bytearray()
        is_file = self._name in FILE_NAMES or b"filename" in options
        self._is_file = is_file and not self._has_file
        self._has_file = self._has_file or is_file

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._file.append(data[start:end])
        elif not self._has_file:
            self._value += data[start:end]
            self._small_bytes += end - start

    def _on_part_end(self) -> None:
        if not self._has_file:
            self._fields[self._name] = self._value.decode()
        self._is_file = False

    def _on_end(self) -> None:
        self._is_complete = True


def _malformed() -> CallerError:
    return CallerError(ErrorCode.REQUEST_MALFORMED, "The form body is malformed.")
