"""What stands round the server during a run: a trap, a bad media host, and eyes on its traces."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import media


@dataclass
class Trap:
    """Plays the metadata service and every proxy; nothing may ever reach it."""

    heard: list[bytes] = field(default_factory=list)
    port: int = 0
    _servers: list[asyncio.Server] = field(default_factory=list)

    async def open(self) -> None:
        """Listen on a port of its own, and on the ports that public hosts may use, where free."""
        self._servers.append(await asyncio.start_server(self._hear, "127.0.0.1", 0))
        self.port = self._servers[0].sockets[0].getsockname()[1]
        for port in (80, 443, 8080, 8443):
            with suppress(OSError):
                self._servers.append(await asyncio.start_server(self._hear, "127.0.0.1", port))

    async def close(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(b"connected: ")
        with suppress(ConnectionError, TimeoutError):
            self.heard.append(await asyncio.wait_for(reader.read(4_096), 5))
        writer.close()


class MediaHost:
    """A host that the fetch guard lets through and that deserves no trust."""

    def __init__(self, trap: Trap) -> None:
        self._trap = trap
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            target = self._redirects().get(path)
            if target is not None:
                await _send(writer, 302, b"", location=target)
            elif path == "/endless":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n")
                for _ in range(64):
                    writer.write(bytes(media.MIB))
                    await writer.drain()
            elif path == "/hang-up":
                pass
            elif path == "/garbage":
                writer.write(b"\0\1\2 not HTTP\r\n\r\n")
            elif path == "/huge-header":
                writer.write(b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 5_000_000 + b"\r\n\r\n")
            elif path == "/short":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n" + media.png())
            elif path == "/zipped":
                await _send(writer, 200, media.png(), content_encoding="gzip")
            elif path in ("/page", "/empty"):
                await _send(writer, 200, b"<html>" if path == "/page" else b"")
            else:
                await _send(writer, 500 if path == "/broken" else 404, b"no")
        with suppress(ConnectionError):
            writer.close()

    def _redirects(self) -> Mapping[str, str]:
        return {
            "/to-trap": f"http://127.0.0.1:{self._trap.port}/latest/meta-data/",
            "/to-metadata": "http://169.254.169.254/latest/meta-data/",
            "/to-file": "file:///etc/passwd",
            "/to-itself": "/to-itself",
            "/to-nothing": "",
            "/to-credentials": f"http://a:b@127.0.0.1:{self._trap.port}/",
        }


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes, **headers: str) -> None:
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()


def rss_mib(pid: int) -> float:
    """Resident memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else 0.0


def peak_mib(pid: int) -> float:
    """The most that a process was ever resident with."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def strays(folders: tuple[Path, ...]) -> list[str]:
    """Files where there must be none."""
    return [str(path) for folder in folders for path in folder.rglob("*") if not path.is_dir()]


def odd_names(data_dir: Path) -> list[str]:
    """Files in the data directory whose names look like a stranger's."""
    plain = re.compile(r"[A-Za-z0-9._-]+")
    return [
        str(path)
        for path in data_dir.rglob("*")
        if not plain.fullmatch(path.name) or "passwd" in path.name or path.is_symlink()
    ]


def log_faults(log: Path, key: str) -> list[str]:
    """Lines of the server's log that must not be there."""
    found = []
    for line in log.read_text("utf-8", "replace").splitlines():
        if not line.startswith("{"):
            found.append(f"not JSON: {line[:300]}")
            continue
        entry = json.loads(line)
        if entry.get("level") in ("error", "critical") or "Traceback" in line:
            found.append(line[:1_500])
        if key in line or len(line) > 8_192:
            found.append(f"leaks or floods: {line[:200]}")
    return found
