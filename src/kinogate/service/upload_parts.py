"""Bytes on their way in: files in a folder of ours until they are whole.

Names here are made of ids and numbers of ours. The folder is local to one machine; what a crash
leaves in it is swept like an upload that nobody finished.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kinogate.blobs.base import owner_segment
from kinogate.domain.errors import CallerError, ErrorCode, InternalError, field_invalid
from kinogate.domain.ports import Clock, Ids

PART_TTL_S = 24 * 3_600
"""How long an unfinished upload waits for its next piece, seconds (our choice)."""
RANGE_FIELD = "Content-Range"
_WRITE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Which bytes of the whole a call brings: `start` up to but not including `end`."""

    start: int
    end: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file that comes in pieces.

    Attributes:
        id: Of the upload.
        size_bytes: Of the whole.
        received_bytes: From the front on.
        expires_s: Epoch seconds.
        path: Where it lies.
    """

    id: str
    size_bytes: int
    received_bytes: int
    expires_s: int
    path: Path


class OffsetError(CallerError):
    """A piece that does not begin where the last one ended.

    Attributes:
        offset: The first byte that is still missing.
    """

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(ErrorCode.FIELD_INVALID, message, field=RANGE_FIELD)
        self.offset = offset


class Parts:
    """The folder; safe for any number of calls and processes at once."""

    def __init__(self, folder: Path, clock: Clock, ids: Ids) -> None:
        """Use `folder`, which is made when the first bytes come."""
        self._folder = folder
        self._clock = clock
        self._ids = ids

    @asynccontextmanager
    async def receive(self, chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[Path]:
        """A file with all of `chunks`, for as long as the context lasts.

        Raises:
            CallerError: MEDIA_TOO_LARGE.
            InternalError: UNAVAILABLE, when it cannot be written.
        """
        path = self._folder / f"{self._ids.task_id()}.whole"
        try:
            with _storing():
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                with path.open("xb") as file:
                    await _write(file, chunks, max_bytes)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def begin(self, account_id: str, size_bytes: int) -> Part:
        """Expect a file of this size.

        Raises:
            InternalError: UNAVAILABLE.
        """
        folder = self._folder / owner_segment(account_id)
        path = folder / f"{self._ids.task_id()}-{size_bytes}.part"
        with _storing():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600, exist_ok=False)
            self._touch(path)
        return self._part(path)

    def find(self, account_id: str, upload_id: str) -> Part | None:
        """The unfinished upload with this id, a UUID; None when there is none of this account."""
        folder = self._folder / owner_segment(account_id)
        for path in folder.glob(f"{upload_id}-*.part"):
            with suppress(FileNotFoundError):  # finished since
                part = self._part(path)
                if part.expires_s > self._clock.now_ms() // 1000:
                    return part
        return None

    async def append(self, part: Part, piece: Piece, chunks: AsyncIterator[bytes]) -> Part:
        """Add the piece. What came before a break stays, so the caller can go on from there.

        Raises:
            CallerError: FIELD_INVALID: the piece does not fit, or another one is coming in.
            InternalError: UNAVAILABLE, when it cannot be written.
        """
        with _storing(), self._locked(part) as file:
            offset = file.seek(0, os.SEEK_END)
            _check_piece(piece, part, offset)
            try:
                await _write(file, chunks, piece.end - piece.start)
            except CallerError as error:
                if error.code is ErrorCode.MEDIA_TOO_LARGE:  # more bytes than it said: trust none
                    file.truncate(offset)
                    raise OffsetError(offset, "The body is longer than its range.") from None
                raise
            finally:
                self._touch(part.path)
            end = file.tell()
            if end < piece.end:
                raise OffsetError(end, f"The body is shorter than its range; {end} bytes are here.")
        return self._part(part.path)

    def sweep(self) -> int:
        """Remove what nobody has written to for a day; the number of files."""
        oldest = self._clock.now_ms() / 1000 - PART_TTL_S
        removed = 0
        for path in (*self._folder.glob("*.whole"), *self._folder.glob("*/*.part")):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
                    removed += 1
        return removed

    def _part(self, path: Path) -> Part:
        found = path.stat()
        upload_id, _, size = path.stem.rpartition("-")
        return Part(
            id=upload_id,
            size_bytes=int(size),
            received_bytes=found.st_size,
            expires_s=int(found.st_mtime) + PART_TTL_S,
            path=path,
        )

    def _touch(self, path: Path) -> None:
        now_s = self._clock.now_ms() / 1000
        with suppress(FileNotFoundError):
            os.utime(path, (now_s, now_s))

    @contextmanager
    def _locked(self, part: Part) -> Iterator[BinaryIO]:
        """The file, for one writer among all processes."""
        try:
            file = part.path.open("r+b")
        except FileNotFoundError:
            raise OffsetError(part.size_bytes, "The file is complete.") from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise field_invalid(RANGE_FIELD, "Another piece is coming in.") from None
            yield file


def _check_piece(piece: Piece, part: Part, offset: int) -> None:
    if piece.total != part.size_bytes:
        raise OffsetError(offset, f"The file was announced with {part.size_bytes} bytes.")
    if piece.start != offset:
        raise OffsetError(offset, f"The next piece must begin at byte {offset}.")


async def _write(file: BinaryIO, chunks: AsyncIterator[bytes], max_bytes: int) -> None:
    """Append all chunks, a MiB at a time; what came before a failure is written too."""
    waiting, room = bytearray(), max_bytes
    try:
        async for chunk in chunks:
            room -= len(chunk)
            if room < 0:
                raise CallerError(
                    ErrorCode.MEDIA_TOO_LARGE, f"The file may have at most {max_bytes} bytes."
                )
            waiting += chunk
            if len(waiting) >= _WRITE_BYTES:
                await asyncio.to_thread(file.write, bytes(waiting))
                waiting.clear()
    finally:
        file.write(waiting)
        file.flush()


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise InternalError(
            ErrorCode.UNAVAILABLE, "The server has no room for this file.", retry_after_s=30
        ) from exc
