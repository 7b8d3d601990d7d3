"""A blob store in memory, for tests and throw-away servers."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from kinogate.blobs.base import BlobInfo, content_type_of, require_blob_key, require_content_type

_CHUNK_BYTES = 256 * 1024


class MemoryBlobStore:
    """Fulfils `BlobStore`; forgets everything with the process."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """Start empty; `now_s` gives epoch seconds for `BlobInfo.modified_s`."""
        self._now_s = now_s
        self._blobs: dict[str, tuple[BlobInfo, bytes]] = {}

    async def put_file(self, key: str, path: Path, content_type: str) -> BlobInfo:
        """See `BlobStore`."""
        return await self.put_bytes(key, await asyncio.to_thread(path.read_bytes), content_type)

    async def put_bytes(self, key: str, data: bytes, content_type: str) -> BlobInfo:
        """See `BlobStore`."""
        require_blob_key(key)
        require_content_type(key, content_type)
        info = BlobInfo(
            key=key,
            size_bytes=len(data),
            etag=hashlib.sha256(data).hexdigest()[:32],
            modified_s=self._now_s(),
            content_type=content_type_of(key),
        )
        self._blobs[key] = info, data
        return info

    async def stat(self, key: str) -> BlobInfo:
        """See `BlobStore`."""
        require_blob_key(key)
        return self._blobs[key][0]

    async def exists(self, key: str) -> bool:
        """See `BlobStore`."""
        require_blob_key(key)
        return key in self._blobs

    async def read(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """See `BlobStore`."""
        require_blob_key(key)
        data = memoryview(self._blobs[key][1])[start:end]
        for at in range(0, len(data), _CHUNK_BYTES):
            yield bytes(data[at : at + _CHUNK_BYTES])

    @asynccontextmanager
    async def local_path(self, key: str) -> AsyncIterator[Path]:
        """See `BlobStore`."""
        require_blob_key(key)
        data = self._blobs[key][1]
        with tempfile.TemporaryDirectory(prefix="kinogate-") as folder:
            path = Path(folder) / key.rpartition("/")[2]
            await asyncio.to_thread(path.write_bytes, data)
            yield path

    async def delete(self, key: str) -> None:
        """See `BlobStore`."""
        require_blob_key(key)
        self._blobs.pop(key, None)

    async def list(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """See `BlobStore`."""
        for key, (info, _) in tuple(self._blobs.items()):
            if key.startswith(prefix):
                yield info
