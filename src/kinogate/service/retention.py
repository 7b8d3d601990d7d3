"""Files whose time is over: results and uploads after their life, inputs a week after."""

from __future__ import annotations

import asyncio

import structlog

from kinogate.blobs.base import BlobStore
from kinogate.domain.errors import KinogateError
from kinogate.domain.ports import Clock
from kinogate.domain.upload import UPLOAD_TTL_S
from kinogate.service.upload_parts import Parts

log = structlog.get_logger(__name__)

_EVERY_S = 600.0
_SLACK_S = 3_600
"""A download that began with the last valid link may still be going on."""
INPUT_TTL_S = 7 * 86_400
"""Longer than any task waits; the same input sent again is stored again."""


class Retention:
    """Sweeps the blob store; a sweep that stops half-way is completed by the next."""

    def __init__(
        self, blobs: BlobStore, clock: Clock, result_ttl_s: int, parts: Parts | None = None
    ) -> None:
        """Prepare; `parts` are swept too when given."""
        self._blobs = blobs
        self._clock = clock
        self._ages = {
            "results/": result_ttl_s + _SLACK_S,
            "uploads/": UPLOAD_TTL_S + _SLACK_S,
            "inputs/": INPUT_TTL_S,
        }
        self._parts = parts

    async def sweep(self) -> int:
        """Delete what is too old; the number of deleted files.

        Raises:
            InternalError: UNAVAILABLE, when the store cannot be read.
        """
        now_s = self._clock.now_ms() / 1000
        deleted = 0
        for prefix, age_s in self._ages.items():
            old = [
                info.key
                async for info in self._blobs.list(prefix)
                if info.modified_s < now_s - age_s
            ]
            for key in old:
                await self._blobs.delete(key)
            deleted += len(old)
        if self._parts is not None:
            deleted += await asyncio.to_thread(self._parts.sweep)
        return deleted

    async def run(self) -> None:
        """Sweep now and then until cancelled; a failed sweep is logged and tried again."""
        while True:
            try:
                deleted = await self.sweep()
            except KinogateError as error:
                log.warning("sweep failed", error=error.message)
            else:
                if deleted:
                    log.info("swept", blobs=deleted)
            await asyncio.sleep(_EVERY_S)
