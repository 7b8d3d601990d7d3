"""Inputs brought to the run from wherever they lie."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kinogate.blobs.memory import MemoryBlobStore
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.errors import ErrorCode, UpstreamError
from kinogate.domain.order import Role
from kinogate.domain.task import StoredMedia
from kinogate.media.inspector import Inspector
from kinogate.net import Fetcher, FetchPolicy
from kinogate.service.prepare import Preparer

KEY = "results/default/3f2a.mp4"


async def bring(blobs: MemoryBlobStore, into: Path) -> None:
    preparer = Preparer(
        blobs=blobs,
        fetcher=Fetcher(FetchPolicy()),
        inspector=Inspector(),
        catalogue=CATALOGUE,
    )
    media = StoredMedia(role=Role.FIRST_FRAME, blob_key=KEY)
    await preparer._bring(media, into, max_bytes=100)


def test_an_own_file_is_copied_and_not_fetched(tmp_path: Path) -> None:
    async def work() -> None:
        blobs = MemoryBlobStore(lambda: 0.0)
        await blobs.put_bytes(KEY, b"film", "video/mp4")
        await bring(blobs, tmp_path / "a")

    asyncio.run(work())
    assert (tmp_path / "a").read_bytes() == b"film"


def test_an_own_file_that_is_gone_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError) as caught:
        asyncio.run(bring(MemoryBlobStore(lambda: 0.0), tmp_path / "a"))
    assert (caught.value.code, caught.value.retriable) == (ErrorCode.MEDIA_UNREACHABLE, False)
