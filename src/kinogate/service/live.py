"""What a running task has so far: the engine's live still, where its caller can look at it.

The engine keeps the file (`domain.engine.Engine`), and nothing here holds it up. A still that does
not arrive is logged and no more; one that a crash leaves goes with the other old results.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from kinogate.blobs.base import BlobStore, content_type_of, owner_segment
from kinogate.domain.errors import KinogateError
from kinogate.domain.task import Task
from kinogate.media.still_paths import still_paths
from kinogate.service.links import LinkSigner

log = structlog.get_logger(__name__)

EVERY_S = 1.0
MAX_BYTES = 1 << 20
"""A JPEG of 480 pixels has a twentieth of this; what is larger is no still."""

_LINK_STEP_S = 3600


def live_key(task: Task) -> str:
    """Where the task's live still lies in the blob store while there is one."""
    return f"results/{owner_segment(task.account_id)}/{task.id}-live.jpg"


def live_url(task: Task, signer: LinkSigner, now_ms: int) -> str:
    """A link to the live still, valid for one to two hours.

    It stays the same for up to an hour, so that a page that asks again and again has one picture
    to load anew, and not a new one each time.
    """
    key = live_key(task)
    expires = (now_ms // 1000 // _LINK_STEP_S + 2) * _LINK_STEP_S
    return signer.sign(key, filename=key.rpartition("/")[2], expires_at=expires)


class LiveShow:
    """Keeps one task's live still in the blob store; an async context manager.

    When the block ends, well or badly, the blob is deleted.
    """

    def __init__(self, blobs: BlobStore, task: Task, *, every_s: float = EVERY_S) -> None:
        """Prepare.

        Args:
            blobs: Where callers look.
            task: Whose clip is being made.
            every_s: Seconds from one look at the engine's file to the next.
        """
        self._blobs = blobs
        self._key = live_key(task)
        self._task_id = task.id
        self._every_s = every_s
        self._is_shown = False

    async def __aenter__(self) -> Self:
        """Nothing is shown yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Delete what is shown."""
        if not self._is_shown:
            return
        try:
            await self._blobs.delete(self._key)
        except KinogateError as failure:
            log.warning("live still is left", task_id=self._task_id, reason=failure.message)

    @asynccontextmanager
    async def following(self, clip: Path) -> AsyncIterator[None]:
        """Inside the block, show what an engine keeps beside the MP4 `clip` that it is making."""
        ended = asyncio.Event()
        watch = asyncio.create_task(self._watch(still_paths(clip).live, ended))
        try:
            yield
        finally:
            ended.set()
            # Not cancelled: a put that went on by itself would come after the deletion.
            await asyncio.wait([watch])
            if not watch.cancelled() and (failure := watch.exception()) is not None:
                log.warning("live still failed", task_id=self._task_id, reason=repr(failure))

    async def _watch(self, still: Path, ended: asyncio.Event) -> None:
        seen_ns = 0
        while not await _is_set_within(ended, self._every_s):
            found = await asyncio.to_thread(_newer, still, seen_ns)
            if found is None:
                continue
            seen_ns, data = found
            self._is_shown = True  # also when the put fails half-way
            try:
                await self._blobs.put_bytes(self._key, data, content_type_of(self._key))
            except KinogateError as failure:
                log.warning("live still not kept", task_id=self._task_id, reason=failure.message)


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def _newer(still: Path, seen_ns: int) -> tuple[int, bytes] | None:
    """When the file was written and what it holds, unless that was seen or is no still."""
    try:
        found = still.stat()
        if found.st_mtime_ns == seen_ns or not 0 < found.st_size <= MAX_BYTES:
            return None
        return found.st_mtime_ns, still.read_bytes()
    except FileNotFoundError:  # not yet, or not any more
        return None
