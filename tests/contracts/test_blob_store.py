"""What every blob store promises, run on each of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

import pytest

from kinogate.blobs.base import MAX_KEY_CHARS, BlobInfo, BlobStore, is_blob_key
from kinogate.blobs.local import LocalBlobStore
from kinogate.blobs.memory import MemoryBlobStore
from kinogate.domain.errors import ErrorCode, InternalError

T = TypeVar("T")

KEY = "results/default/3f2a.mp4"
MP4 = "video/mp4"


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """An empty store of each kind."""
    if request.param == "local":
        return LocalBlobStore(tmp_path / "blobs")
    ticks = iter(range(1_700_000_000, 1_800_000_000))
    return MemoryBlobStore(lambda: float(next(ticks)))


def run(work: Awaitable[T]) -> T:
    async def main() -> T:
        return await work

    return asyncio.run(main())


async def whole(store: BlobStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    async with aclosing(store.read(key, start, end)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def listed(store: BlobStore, prefix: str = "") -> set[str]:
    return {info.key async for info in store.list(prefix)}


def test_bytes_come_back(store: BlobStore) -> None:
    """A put is readable at once, with its size and type."""
    info = run(store.put_bytes(KEY, b"film", MP4))
    assert (info.key, info.size_bytes, info.content_type) == (KEY, 4, MP4)
    assert run(whole(store, KEY)) == b"film"
    assert run(store.stat(KEY)) == info
    assert run(store.exists(KEY))


def test_a_file_is_copied(store: BlobStore, tmp_path: Path) -> None:
    """The given file stays the caller's."""
    source = tmp_path / "out.mp4"
    source.write_bytes(b"x" * 1_000_000)
    run(store.put_file(KEY, source, MP4))
    source.write_bytes(b"changed")
    assert run(whole(store, KEY)) == b"x" * 1_000_000


def test_an_empty_blob_is_a_blob(store: BlobStore) -> None:
    """Zero bytes are not absence."""
    run(store.put_bytes(KEY, b"", MP4))
    assert run(whole(store, KEY)) == b""
    assert run(store.stat(KEY)).size_bytes == 0


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 3, b"abc"), (2, None, b"cdef"), (5, 99, b"f"), (6, None, b""), (3, 3, b"")],
)
def test_a_span_is_read(store: BlobStore, start: int, end: int | None, expected: bytes) -> None:
    """The end is exclusive and may lie beyond the blob."""
    run(store.put_bytes(KEY, b"abcdef", MP4))
    assert run(whole(store, KEY, start, end)) == expected


def test_a_second_put_replaces_and_changes_the_etag(store: BlobStore) -> None:
    """Readers with the old ETag must notice."""
    first = run(store.put_bytes(KEY, b"one", MP4))
    second = run(store.put_bytes(KEY, b"two", MP4))
    assert run(whole(store, KEY)) == b"two"
    assert first.etag != second.etag
    assert first.modified_s <= second.modified_s


def test_a_reader_keeps_its_bytes_while_the_blob_is_replaced(store: BlobStore) -> None:
    """A download that has begun ends with what it began with."""

    async def work() -> bytes:
        await store.put_bytes(KEY, b"a" * 900_000, MP4)
        async with aclosing(store.read(KEY)) as chunks:
            got = await anext(chunks)
            await store.put_bytes(KEY, b"b" * 900_000, MP4)
            await store.delete(KEY)
            async for chunk in chunks:
                got += chunk
        return got

    assert run(work()) == b"a" * 900_000


def test_chunks_are_bounded(store: BlobStore) -> None:
    """A big blob never sits in memory as a whole."""

    async def longest() -> int:
        await store.put_bytes(KEY, bytes(3_000_000), MP4)
        return max([len(chunk) async for chunk in store.read(KEY)])

    assert run(longest()) <= 1024 * 1024


def test_a_local_path_holds_the_bytes(store: BlobStore) -> None:
    """Engines read files."""

    async def work() -> tuple[bytes, str]:
        await store.put_bytes(KEY, b"film", MP4)
        async with store.local_path(KEY) as path:
            return path.read_bytes(), path.suffix

    assert run(work()) == (b"film", ".mp4")


def test_what_is_absent_raises_key_error(store: BlobStore) -> None:
    """Absence is told the same way by every reading call."""

    async def path() -> None:
        async with store.local_path(KEY):
            pass

    for work in (store.stat(KEY), whole(store, KEY), path()):
        with pytest.raises(KeyError):
            run(work)
    assert not run(store.exists(KEY))


def test_a_folder_is_not_a_blob(store: BlobStore) -> None:
    """The prefix of a key is no key."""
    run(store.put_bytes(KEY, b"film", MP4))
    assert not run(store.exists("results/default"))
    for work in (store.stat("results/default"), whole(store, "results/default")):
        with pytest.raises(KeyError):
            run(work)
    run(store.delete("results/default"))
    assert run(store.exists(KEY))


def test_deleting_twice_is_no_error(store: BlobStore) -> None:
    """Clean-up may run again."""
    run(store.put_bytes(KEY, b"film", MP4))
    run(store.delete(KEY))
    run(store.delete(KEY))
    assert not run(store.exists(KEY))


def test_a_prefix_lists_what_it_covers(store: BlobStore) -> None:
    """Retention walks by prefix; half a segment is a prefix, too."""
    for key in ("a/1.png", "a/2.png", "ab/3.png", "b/4.png"):
        run(store.put_bytes(key, b"x", "image/png"))
    assert run(listed(store)) == {"a/1.png", "a/2.png", "ab/3.png", "b/4.png"}
    assert run(listed(store, "a/")) == {"a/1.png", "a/2.png"}
    assert run(listed(store, "a")) == {"a/1.png", "a/2.png", "ab/3.png"}
    assert run(listed(store, "a/1")) == {"a/1.png"}
    assert run(listed(store, "c")) == set()


BAD_KEYS = [
    "",
    "/etc/passwd",
    "../x.mp4",
    "a/../b.mp4",
    "a/./b.mp4",
    "a//b.mp4",
    "a/",
    ".hidden",
    "a/.hidden",
    "a/b..mp4",
    "a\\b.mp4",
    "a/b\0.mp4",
    "a/b\n.mp4",
    "a/B.mp4",
    "a/é.mp4",
    "a/b.mp4\n",
    "-a/b.mp4",
    "~/b.mp4",
    "a b.mp4",
    "a/%2e%2e/b.mp4",
    "a.b/c.mp4",
    "x" * (MAX_KEY_CHARS + 1),
]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_malformed_key_touches_nothing(store: BlobStore, key: str) -> None:
    """Keys are ours, and are checked as if they were not."""
    assert not is_blob_key(key)
    for work in (store.put_bytes(key, b"x", MP4), store.stat(key), store.delete(key)):
        with pytest.raises(ValueError, match="Not a blob key"):
            run(work)
    assert run(listed(store)) == set()


@pytest.mark.parametrize("key", ["a", "a.mp4", "inputs/acct_1/0af", "results/a-b/3f2a-11.jpg"])
def test_ordinary_keys_are_keys(key: str) -> None:
    """Ids, account names and digests fit."""
    assert is_blob_key(key)


def test_a_type_that_is_not_the_suffix_one_is_refused(store: BlobStore) -> None:
    """A blob is served by its suffix, so the two may not differ."""
    with pytest.raises(ValueError, match="video/mp4"):
        run(store.put_bytes(KEY, b"x", "text/html"))
    assert not run(store.exists(KEY))
    assert run(store.put_bytes("raw", b"x", MP4)).content_type == "application/octet-stream"


def test_puts_at_once_leave_one_of_them(store: BlobStore) -> None:
    """Two workers that finish the same task harm nobody."""

    async def work() -> bytes:
        bodies = [bytes([65 + index]) * 300_000 for index in range(8)]
        await asyncio.gather(*(store.put_bytes(KEY, body, MP4) for body in bodies))
        return await whole(store, KEY)

    body = run(work())
    assert len(body) == 300_000
    assert len(set(body)) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.system(f"mount -t tmpfs -o size=1m tmpfs {place} 2>/dev/null") != 0:
        pytest.skip("mounting a small file system needs root")
    try:
        yield place
    finally:
        os.system(f"umount -l {place}")


def test_a_full_disk_is_an_error_and_leaves_nothing(small_disk: Path) -> None:
    """The old blob stays whole, and the space of the failed put is free again."""
    store = LocalBlobStore(small_disk / "blobs")
    run(store.put_bytes(KEY, b"old", MP4))
    with pytest.raises(InternalError) as caught:
        run(store.put_bytes(KEY, bytes(2_000_000), MP4))
    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert run(whole(store, KEY)) == b"old"
    files = [path for path in small_disk.rglob("*") if path.is_file()]
    assert len(files) == 1
    run(store.put_bytes("a.mp4", bytes(500_000), MP4))


def test_what_a_crash_left_aside_is_swept_by_age(tmp_path: Path) -> None:
    """Half-written files of a killed process do not stay for ever, nor are they listed."""
    store = LocalBlobStore(tmp_path)
    aside = tmp_path / ".tmp" / "77-0"
    aside.write_bytes(b"half")
    assert run(listed(store)) == set()
    assert store.sweep(aside.stat().st_mtime - 1) == 0
    assert store.sweep(aside.stat().st_mtime + 1) == 1
    assert not aside.exists()


def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    """Other users of the machine are strangers, too."""
    store = LocalBlobStore(tmp_path / "blobs")
    run(store.put_bytes(KEY, b"x", MP4))
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "blobs").rglob("*")}
    assert modes == {0}


def test_a_root_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    """The server then refuses to start with a plain sentence."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InternalError):
        LocalBlobStore(tmp_path / "file" / "blobs")


def test_infos_compare_by_value(store: BlobStore) -> None:
    """Two stats of an untouched blob agree, so a cache may rely on them."""

    async def work() -> tuple[BlobInfo, BlobInfo]:
        await store.put_bytes(KEY, b"x", MP4)
        return await store.stat(KEY), await store.stat(KEY)

    first, second = run(work())
    assert first == second
