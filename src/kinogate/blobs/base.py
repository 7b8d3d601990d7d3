"""The blob store's protocol and the rules for keys.

A key is made by us from ids, never by a caller, and is checked all the same: it becomes a path.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Protocol

MAX_KEY_CHARS = 200

CONTENT_TYPES = MappingProxyType(
    {
        ".mp4": "video/mp4",
        ".mov": "video/quicktime",
        ".png": "image/png",
        ".jpg": "image/jpeg",
        ".bmp": "image/bmp",
        ".webp": "image/webp",
        ".wav": "audio/wav",
        ".mp3": "audio/mpeg",
        ".json": "application/json",
    }
)
"""Suffixes of keys and what is served under them."""

_PLAIN_OWNER = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_KEY = re.compile(r"(?:[a-z0-9][a-z0-9_-]*/)*[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9]+)?")


def is_blob_key(key: str) -> bool:
    """Whether `key` is well formed.

    Segments of lower-case letters, digits, `-` and `_`, joined by `/`, the last one with at most
    one suffix: `results/2b1c….mp4`. No empty, hidden or dotted segment can be written.
    """
    return len(key) <= MAX_KEY_CHARS and _KEY.fullmatch(key) is not None


def owner_segment(account_id: str) -> str:
    """The segment of keys that belong to an account: always well formed, different for each.

    Plain account names stand as they are; any other name (capitals, spaces, other scripts) becomes
    `x-` and a digest of it, and so does a name that begins like that itself.
    """
    if _PLAIN_OWNER.fullmatch(account_id) and not account_id.startswith("x-"):
        return account_id
    return f"x-{hashlib.sha256(account_id.encode()).hexdigest()[:32]}"


def require_blob_key(key: str) -> None:
    """Refuse a malformed key.

    Raises:
        ValueError: A bug of ours; callers of the API have no way to name a key.
    """
    if not is_blob_key(key):
        raise ValueError(f"Not a blob key: {key!r}.")


def content_type_of(key: str) -> str:
    """What is served under `key`: by its suffix alone, so no store has to keep it."""
    return CONTENT_TYPES.get(PurePosixPath(key).suffix, "application/octet-stream")


def require_content_type(key: str, content_type: str) -> None:
    """Refuse a put whose type is not the one of the key's suffix; a key without one takes all.

    Raises:
        ValueError: A bug of ours: the blob would be served as something else.
    """
    known = CONTENT_TYPES.get(PurePosixPath(key).suffix)
    if known not in (None, content_type):
        raise ValueError(f"A key with this suffix holds {known}, not {content_type}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobInfo:
    """What is known of a blob.

    Attributes:
        key: Its key.
        size_bytes: Its length.
        etag: Changes whenever the bytes may have changed; without quotes.
        modified_s: Epoch seconds of the last put.
        content_type: By the key's suffix; `application/octet-stream` without one.
    """

    key: str
    size_bytes: int
    etag: str
    modified_s: float
    content_type: str


class BlobStore(Protocol):
    """Bytes under keys.

    Every implementation promises:

    - a put is atomic: readers see the old bytes or the new ones, and after a crash one of both;
    - a put that fails leaves nothing behind and raises `InternalError` `UNAVAILABLE`;
    - a key that `is_blob_key` refuses raises ValueError and touches nothing, and so does a put
      whose content type is not that of the key's suffix;
    - what is absent raises KeyError on reading, and is no error on deleting.
    """

    async def put_file(self, key: str, path: Path, content_type: str) -> BlobInfo:
        """Store a copy of the file at `path`; an earlier blob under the key is replaced."""
        ...

    async def put_bytes(self, key: str, data: bytes, content_type: str) -> BlobInfo:
        """Store `data`; an earlier blob under the key is replaced."""
        ...

    async def stat(self, key: str) -> BlobInfo:
        """What is known of the blob."""
        ...

    async def exists(self, key: str) -> bool:
        """Whether there is a blob under the key."""
        ...

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` up to but not including `end`, in chunks of at most 1 MiB.

        A blob deleted or replaced while it is read is read to its old end.
        """
        ...

    def local_path(self, key: str) -> AbstractAsyncContextManager[Path]:
        """A file with the blob's bytes for as long as the context lasts; not to be written to."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the blob if it is there."""
        ...

    def list(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """Every blob whose key starts with `prefix`, in no promised order."""
        ...
