"""Writing an engine's progress to the task's row, seldom enough for the database."""

from __future__ import annotations

import asyncio
import time

import structlog

from kinogate.domain.ports import Clock, TaskStore

log = structlog.get_logger(__name__)

PREPARED_SHARE = 0.05
"""Of the whole, when the inputs are ready."""

_STEP = 0.01
_EVERY_S = 0.25


class ProgressWriter:
    """Writes the engine's progress to the row: at most four times a second, one write at a time."""

    def __init__(self, store: TaskStore, clock: Clock, task_id: str) -> None:
        self._store = store
        self._clock = clock
        self._task_id = task_id
        self._shown = PREPARED_SHARE
        self._last = 0.0
        self._write: asyncio.Task[None] | None = None

    def __call__(self, stage: str, share: float) -> None:
        """Take note of an engine's own share, 0.0–1.0; what falls is passed over."""
        share = PREPARED_SHARE + (0.99 - PREPARED_SHARE) * min(max(share, 0.0), 1.0)
        now = time.monotonic()
        is_busy = self._write is not None and not self._write.done()
        if is_busy or share < self._shown + _STEP or now < self._last + _EVERY_S:
            return
        self._shown, self._last = share, now
        self._write = asyncio.create_task(
            self._store.progress(self._task_id, share, self._clock.now_ms())
        )

    async def settle(self) -> None:
        """Wait for the last write; a lost progress write is no reason to fail a task."""
        if self._write is None:
            return
        results = await asyncio.gather(self._write, return_exceptions=True)
        if isinstance(results[0], Exception):
            log.warning("progress write failed", task_id=self._task_id, error=str(results[0]))
