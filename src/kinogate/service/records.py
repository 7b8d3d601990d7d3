"""Records whose time is over are hidden: a task outlives its file by a while (design §4.16)."""

from __future__ import annotations

import asyncio

import structlog

from kinogate.domain.errors import KinogateError
from kinogate.domain.ports import Clock, TaskStore

log = structlog.get_logger(__name__)

_EVERY_S = 3_600.0


class Records:
    """Forgets old tasks; the ledger keeps what they cost."""

    def __init__(self, store: TaskStore, clock: Clock, *, age_s: int) -> None:
        self._store = store
        self._clock = clock
        self._age_ms = age_s * 1000

    async def sweep(self) -> int:
        """Hide what ended too long ago; the number of tasks.

        Raises:
            InternalError: UNAVAILABLE, when the store cannot be written.
        """
        now_ms = self._clock.now_ms()
        return await self._store.forget(now_ms - self._age_ms, now_ms)

    async def run(self) -> None:
        """Sweep every hour until cancelled; a failed sweep is logged and tried again."""
        while True:
            try:
                forgotten = await self.sweep()
            except KinogateError as error:
                log.warning("records not swept", error=error.message)
            else:
                if forgotten:
                    log.info("records forgotten", tasks=forgotten)
            await asyncio.sleep(_EVERY_S)
