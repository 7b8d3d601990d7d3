"""Blobs as files below one folder: written aside, synced, and renamed into place.

The content type follows from the key's suffix, so there is no second file to keep in step.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from kinogate.blobs.base import BlobInfo, content_type_of, require_blob_key, require_content_type
from kinogate.domain.errors import ErrorCode, InternalError

_CHUNK_BYTES = 256 * 1024
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_ASIDE = ".tmp"  # no key can begin with a dot


class LocalBlobStore:
    """Fulfils `BlobStore` on a local folder.

    One store may be used by any number of tasks and by several processes at once.
    """

    def __init__(self, root: Path) -> None:
        """Use `root`, which is made if needed (only its owner may enter).

        Raises:
            InternalError: `UNAVAILABLE`: the folder cannot be made or written.
        """
        self._root = root
        self._numbers = itertools.count()
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            (root / _ASIDE).mkdir(exist_ok=True, mode=0o700)
        except OSError as exc:
            raise _no_room() from exc

    async def put_file(self, key: str, path: Path, content_type: str) -> BlobInfo:
        """See `BlobStore`."""

        def copy(out: BinaryIO) -> None:
            with path.open("rb") as source:
                shutil.copyfileobj(source, out, _CHUNK_BYTES)

        return await asyncio.to_thread(self._put, key, copy, content_type)

    async def put_bytes(self, key: str, data: bytes, content_type: str) -> BlobInfo:
        """See `BlobStore`."""

        def write(out: BinaryIO) -> None:
            out.write(data)

        return await asyncio.to_thread(self._put, key, write, content_type)

    async def stat(self, key: str) -> BlobInfo:
        """See `BlobStore`."""
        # One stat of a local file: cheaper than a thread.
        return self._info(key, self._path(key))

    async def exists(self, key: str) -> bool:
        """See `BlobStore`."""
        return self._path(key).is_file()

    async def read(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """See `BlobStore`."""
        path = self._path(key)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(key) from None
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise KeyError(key)
            stop = found.st_size if end is None else end
            while start < stop:
                data = await asyncio.to_thread(os.pread, fd, min(_CHUNK_BYTES, stop - start), start)
                if not data:
                    return
                start += len(data)
                yield data
        finally:
            os.close(fd)

    @asynccontextmanager
    async def local_path(self, key: str) -> AsyncIterator[Path]:
        """See `BlobStore`; the very file, so nothing is copied."""
        path = self._path(key)
        if not path.is_file():
            raise KeyError(key)
        yield path

    async def delete(self, key: str) -> None:
        """See `BlobStore`; empty folders stay, they are few."""
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self._path(key).unlink()

    async def list(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """See `BlobStore`."""
        walk = self._walk(prefix)
        while batch := await asyncio.to_thread(lambda: list(itertools.islice(walk, 256))):
            for info in batch:
                yield info

    def sweep(self, older_than_s: float) -> int:
        """Remove what interrupted puts left aside before the epoch second; give how many."""
        removed = 0
        for path in (self._root / _ASIDE).iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < older_than_s:
                    path.unlink()
                    removed += 1
        return removed

    def _path(self, key: str) -> Path:
        require_blob_key(key)
        return self._root / key

    def _info(self, key: str, path: Path) -> BlobInfo:
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(key) from None
        if not stat.S_ISREG(found.st_mode):
            raise KeyError(key)
        return BlobInfo(
            key=key,
            size_bytes=found.st_size,
            # A put makes a new inode, so even two puts within one tick of the clock differ.
            etag=f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}",
            modified_s=found.st_mtime,
            content_type=content_type_of(key),
        )

    def _put(self, key: str, fill: Callable[[BinaryIO], None], content_type: str) -> BlobInfo:
        path = self._path(key)
        require_content_type(key, content_type)
        aside = self._root / _ASIDE / f"{os.getpid()}-{next(self._numbers)}"
        try:
            with os.fdopen(os.open(aside, _NEW_FILE, 0o600), "wb") as out:
                fill(out)
                out.flush()
                os.fsync(out.fileno())
            made = _make_folders(self._root, path.parent)
            aside.replace(path)
            for folder in {path.parent, *made}:
                _sync_folder(folder)
            return self._info(key, path)
        except OSError as exc:
            raise _no_room() from exc
        finally:
            aside.unlink(missing_ok=True)

    def _walk(self, prefix: str) -> Iterator[BlobInfo]:
        for folder, subfolders, names in os.walk(self._root):
            here = Path(folder).relative_to(self._root).as_posix()
            base = "" if here == "." else f"{here}/"
            subfolders[:] = [
                name
                for name in subfolders
                if name != _ASIDE
                and (f"{base}{name}/".startswith(prefix) or prefix.startswith(f"{base}{name}/"))
            ]
            for name in names:
                key = base + name
                if key.startswith(prefix):
                    with suppress(KeyError):  # deleted since
                        yield self._info(key, self._root / key)


def _make_folders(root: Path, folder: Path) -> list[Path]:
    """Make `folder` below `root`, for the owner only; give the parents whose entries changed."""
    missing = list(itertools.takewhile(lambda place: not place.is_dir(), [folder, *folder.parents]))
    for place in reversed(missing):
        place.mkdir(exist_ok=True, mode=0o700)
    return [place.parent for place in missing if place != root]


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _no_room() -> InternalError:
    return InternalError(ErrorCode.UNAVAILABLE, "The server has no room for this file.")
