"""How many tasks of a lane run at once here: one count for new runs and for recovered ones."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence


class Slots:
    """A counted set of task ids; used on one event loop only.

    A task is granted a slot when it is claimed, before its run begins; a recovered run that has
    none waits for one, ahead of all claims.

    Args:
        count: At least 0; with 0 whoever waits must be moved away.
        on_free: Called whenever a slot has become free for a claim.
    """

    def __init__(self, count: int, on_free: Callable[[], None]) -> None:
        self._count = count
        self._on_free = on_free
        self._granted: set[str] = set()
        self._waiting: deque[tuple[str, asyncio.Future[None]]] = deque()

    @property
    def free(self) -> int:
        """How many tasks may be claimed now."""
        return 0 if self._waiting else max(self._count - len(self._granted), 0)

    @property
    def granted(self) -> frozenset[str]:
        """The tasks that hold a slot."""
        return frozenset(self._granted)

    def grant(self, task_ids: Sequence[str]) -> None:
        """Give a slot to each, as far as there are any left."""
        for task_id in task_ids:
            if len(self._granted) < self._count:
                self._granted.add(task_id)

    def release(self, task_id: str) -> None:
        """Take the task's slot back; unknown ids change nothing."""
        if task_id in self._granted:
            self._granted.discard(task_id)
            self._serve()

    def resize(self, count: int) -> None:
        """Change the count; tasks that hold a slot beyond a smaller one keep it to their end."""
        self._count = count
        self._serve()

    def move_waiting(self, other: Slots) -> None:
        """Let whoever waits here wait for a slot of `other`."""
        other._waiting.extend(self._waiting)
        self._waiting.clear()
        other._serve()

    async def acquire(self, task_id: str) -> None:
        """Wait for a slot, or keep the one that was granted; `release` follows in any case."""
        if task_id in self._granted:
            return
        if len(self._granted) < self._count:
            self._granted.add(task_id)
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((task_id, future))
        await future

    def _serve(self) -> None:
        while self._waiting and len(self._granted) < self._count:
            waiting_id, future = self._waiting.popleft()
            if not future.done():
                self._granted.add(waiting_id)
                future.set_result(None)
        if self.free:
            self._on_free()
