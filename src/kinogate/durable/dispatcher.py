"""Claims queued tasks as slots become free, and starts a workflow for each: lane by lane."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from kinogate.domain.errors import KinogateError
from kinogate.domain.ports import Clock
from kinogate.durable.lanes import Lanes
from kinogate.durable.run import RunStore

log = logging.getLogger(__name__)

POLL_S = 1.0
"""How often to look when nobody wakes us: another process may have queued something."""

AT_ONCE = 4
"""Tasks that a lane starts together. Forty at once would fill the database's connections, and a
task of another lane would wait for them: 280 ms instead of 20 on Postgres."""

Start = Callable[[str], Awaitable[bool]]
"""Starts a claimed task's workflow; False when it does not run here."""

Claim = Callable[[str, int], Awaitable[Sequence[str]]]
"""Takes at most so many tasks of a lane."""


class Dispatcher:
    """A claiming loop for each lane; lives on the durable engine's loop.

    Args:
        store: The tasks.
        clock: Time.
        me: This executor.
        lanes: How many more may run.
        start: Starts a claimed task.
        elsewhere: The lanes that other executors serve.
    """

    def __init__(
        self,
        store: RunStore,
        clock: Clock,
        me: str,
        *,
        lanes: Lanes,
        start: Start,
        elsewhere: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._store = store
        self._clock = clock
        self._me = me
        self._lanes = lanes
        self._start = start
        self._elsewhere = elsewhere
        self._loops: dict[str, _LaneLoop] = {}
        self._group: asyncio.TaskGroup | None = None
        self._lost = asyncio.Event()
        self._is_stopped = False

    @property
    def is_healthy(self) -> bool:
        """Whether the last claim of every lane reached the database."""
        return all(loop.is_healthy for loop in self._loops.values())

    def wake(self, lanes: Collection[str] = ()) -> None:
        """Look into these lanes at once, into all if none is named; to be called on the loop."""
        for name in lanes or self._loops:
            if name in self._loops:
                self._loops[name].wake()
            elif name not in self._elsewhere():
                self._lost.set()  # queued for a lane that has just gone away

    def set_lanes(self, counts: Mapping[str, int]) -> None:
        """Replace the lanes; to be called on the loop."""
        self._lanes.resize(counts)
        for name in self._loops.keys() - counts.keys():
            self._loops.pop(name).stop()
        if self._group is not None:
            self._open_lanes(self._group)
        self._lost.set()

    async def relane(self) -> None:
        """Move queued tasks of lanes that nobody serves to the first one, and look there."""
        known = {*self._lanes.names, *self._elsewhere()}
        first = self._lanes.first
        moved = await self._store.relane(sorted(known), first, self._clock.now_ms())
        if moved:
            log.info("%d queued tasks of lanes that are gone wait in lane %s now.", moved, first)
            self.wake([first])

    def stop(self) -> None:
        """Claim no more."""
        self._is_stopped = True
        self._lost.set()
        for loop in self._loops.values():
            loop.stop()

    async def run(self) -> None:
        """Claim and start until stopped."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._open_lanes(group)
            self._lost.set()
            while not self._is_stopped:
                await self._lost.wait()
                self._lost.clear()
                await self._relane_quietly()

    def _open_lanes(self, group: asyncio.TaskGroup) -> None:
        for name in self._lanes.names:
            if name not in self._loops and not self._is_stopped:
                loop = _LaneLoop(name, self._lanes, self._claim, self._start)
                self._loops[name] = loop
                group.create_task(loop.run())

    async def _claim(self, lane: str, limit: int) -> Sequence[str]:
        return await self._store.claim(self._me, limit, self._clock.now_ms(), lane=lane)

    async def _relane_quietly(self) -> None:
        if self._is_stopped:
            return
        try:
            await self.relane()
        except KinogateError as exc:
            log.warning("Tasks cannot be moved to another lane: %s", exc)


class _LaneLoop:
    """The claiming loop of one lane."""

    def __init__(self, lane: str, lanes: Lanes, claim: Claim, start: Start) -> None:
        self._lane = lane
        self._lanes = lanes
        self._claim = claim
        self._start = start
        self._event = asyncio.Event()
        self._is_stopped = False
        self.is_healthy = True

    def wake(self) -> None:
        self._event.set()

    def stop(self) -> None:
        self._is_stopped = True
        self._event.set()

    async def run(self) -> None:
        while not self._is_stopped:
            self._event.clear()
            await self._fill()
            try:
                async with asyncio.timeout(POLL_S):
                    await self._event.wait()
            except TimeoutError:
                continue

    async def _fill(self) -> None:
        while (free := self._lanes.free(self._lane)) and not self._is_stopped:
            wanted = min(free, AT_ONCE)
            try:
                task_ids = await self._claim(self._lane, wanted)
            except KinogateError as exc:
                self.is_healthy = False
                log.warning("Tasks cannot be claimed: %s", exc)
                return
            self.is_healthy = True
            self._lanes.grant(self._lane, task_ids)
            await asyncio.gather(*[self._begin(task_id) for task_id in task_ids])
            if len(task_ids) < wanted:
                return

    async def _begin(self, task_id: str) -> None:
        try:
            if not await self._start(task_id):
                self._lanes.release(task_id)
        except Exception:  # the claiming loop must go on; the sweep sees the task
            log.exception("Task %s could not be started.", task_id)
            self._lanes.release(task_id)
