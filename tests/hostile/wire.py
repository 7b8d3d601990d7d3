"""A client that sends any bytes: HTTP/1.1 by hand, because honest libraries mend what is broken."""

from __future__ import annotations

import asyncio
import ssl  # noqa: F401 - asyncio loads it on first use; not in the middle of a measurement
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from corpus import Case

_REPLY_S = 60.0
_MOST_BODY = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back; `status` 0 when the connection was closed without a word."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


SILENCE = Reply(status=0)


def request_bytes(case: Case, key: str, *extra: tuple[str, str]) -> bytes:
    """The request as it goes over the wire; headers are sent as UTF-8."""
    headers = [("host", "localhost"), *extra, *case.headers]
    names = {name for name, _ in case.headers}
    if case.with_key:
        headers.append(("authorization", f"Bearer {key}"))
    if "content-type" not in names and case.body:
        headers.append(("content-type", "application/json"))
    if case.body or case.method in ("POST", "PUT", "PATCH"):
        headers.append(("content-length", str(len(case.body))))
    lines = [f"{case.method} {case.path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers)]
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + case.body


class Connection:
    """One keep-alive connection, opened again whenever it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, data: bytes, *, is_head: bool = False) -> Reply:
        """Send a request and read its reply; tries once more when an idle connection was closed."""
        is_fresh = self._streams is None
        reply = await self._once(data, is_head=is_head)
        if reply is SILENCE and not is_fresh:
            reply = await self._once(data, is_head=is_head)
        return reply

    async def alone(self, data: bytes, *, half_close: bool = True) -> Reply:
        """Send bytes on a connection of their own and say that nothing more comes."""
        await self.close()
        return await self._once(data, half_close=half_close, keep=False)

    async def _once(
        self, data: bytes, *, is_head: bool = False, half_close: bool = False, keep: bool = True
    ) -> Reply:
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(
                    "127.0.0.1", self._port, limit=_MOST_BODY
                )
            reader, writer = self._streams
            with suppress(ConnectionError):  # refused in the middle; the answer is still to be read
                writer.write(data)
                await writer.drain()
                if half_close:
                    writer.write_eof()
            reply = await asyncio.wait_for(_read(reader, is_head=is_head), _REPLY_S)
        except (ConnectionError, EOFError, asyncio.IncompleteReadError):
            reply = SILENCE
        if not keep or reply is SILENCE or reply.headers.get("connection", "") == "close":
            await self.close()
        return reply

    async def close(self) -> None:
        """Hang up."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with suppress(ConnectionError):
                await streams[1].wait_closed()


async def _read(reader: asyncio.StreamReader, *, is_head: bool) -> Reply:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    status = int(first.split(" ")[1])
    if status == 100:
        return await _read(reader, is_head=is_head)
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.lower(): text.strip() for name, _, text in pairs}
    if is_head or status in (204, 304):
        return Reply(status=status, headers=headers)
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    elif headers.get("transfer-encoding") == "chunked":
        body = await _chunks(reader)
    else:
        body = await reader.read(_MOST_BODY)
    return Reply(status=status, headers=headers, body=body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
    return body
