"""Claims queued tasks as slots become free, and starts a workflow for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from kinogate.domain.errors import KinogateError
from kinogate.domain.ports import Clock
from kinogate.durable.run import RunStore
from kinogate.durable.slots import Slots

log = logging.getLogger(__name__)

POLL_S = 1.0
"""How often to look when nobody wakes us: another process may have queued something."""


class Dispatcher:
    """The claiming loop; lives on the durable engine's loop.

    Args:
        store: The tasks.
        clock: Time.
        me: This executor.
        slots: How many more may run.
        start: Starts a claimed task's workflow; False when it does not run here.
    """

    def __init__(
        self,
        store: RunStore,
        clock: Clock,
        me: str,
        slots: Slots,
        start: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._me = me
        self._slots = slots
        self._start = start
        self._event = asyncio.Event()
        self._is_stopped = False
        self.is_healthy = True
        """Whether the last claim reached the database."""

    def wake(self) -> None:
        """Look at once; to be called on the loop."""
        self._event.set()

    def stop(self) -> None:
        """Claim no more."""
        self._is_stopped = True
        self._event.set()

    async def run(self) -> None:
        """Claim and start until stopped."""
        while not self._is_stopped:
            self._event.clear()
            await self._fill()
            try:
                async with asyncio.timeout(POLL_S):
                    await self._event.wait()
            except TimeoutError:
                continue

    async def _fill(self) -> None:
        while (free := self._slots.free) and not self._is_stopped:
            try:
                task_ids = await self._store.claim(self._me, free, self._clock.now_ms())
            except KinogateError as exc:
                self.is_healthy = False
                log.warning("Tasks cannot be claimed: %s", exc)
                return
            self.is_healthy = True
            self._slots.grant(task_ids)
            await asyncio.gather(*[self._begin(task_id) for task_id in task_ids])
            if len(task_ids) < free:
                return

    async def _begin(self, task_id: str) -> None:
        try:
            if not await self._start(task_id):
                self._slots.release(task_id)
        except Exception:  # the claiming loop must go on; the sweep sees the task
            log.exception("Task %s could not be started.", task_id)
            self._slots.release(task_id)
