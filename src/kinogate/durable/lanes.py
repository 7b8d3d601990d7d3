"""The lanes of this process: each has slots of its own, so that none waits for another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from kinogate.durable.slots import Slots


def checked_lanes(lanes: Mapping[str, int]) -> dict[str, int]:
    """A copy of `lanes` (how many tasks of each run at once), in the same order.

    Raises:
        ValueError: No lane, or one with less than one slot.
    """
    if not lanes or min(lanes.values()) < 1:
        msg = "There must be a lane, and each must have at least one slot."
        raise ValueError(msg)
    return dict(lanes)


class Lanes:
    """Slots by lane; used on one event loop only.

    Args:
        counts: How many tasks of each lane run at once, each at least 1; not empty.
        on_free: Called with a lane's name whenever one of its slots is free for a claim.
    """

    def __init__(self, counts: Mapping[str, int], on_free: Callable[[str], None]) -> None:
        self._on_free = on_free
        self._names = tuple(counts)
        # Those of lanes that went away stay: their last tasks still hold slots.
        self._slots: dict[str, Slots] = {}
        self.resize(counts)

    @property
    def names(self) -> tuple[str, ...]:
        """The lanes in order."""
        return self._names

    @property
    def first(self) -> str:
        """Where the tasks of unknown lanes go."""
        return self._names[0]

    def resize(self, counts: Mapping[str, int]) -> None:
        """Replace the lanes; who waits in one that goes away waits in the first one from now on."""
        self._names = tuple(counts)
        for name, count in counts.items():
            if name in self._slots:
                self._slots[name].resize(count)
            else:
                self._slots[name] = Slots(count, partial(self._on_free, name))
        for name in self._slots.keys() - counts.keys():
            self._slots[name].resize(0)
            self._slots[name].move_waiting(self._slots[self.first])

    def free(self, lane: str) -> int:
        """How many tasks of the lane may be claimed now; 0 for an unknown lane."""
        return self._slots[lane].free if lane in self._names else 0

    def grant(self, lane: str, task_ids: Sequence[str]) -> None:
        """Give a slot of the lane to each, as far as there are any left; unknown lanes have none.

        A task that gets none here gets one when it holds it.
        """
        if lane in self._names:
            self._slots[lane].grant(task_ids)

    def release(self, task_id: str) -> None:
        """Take the task's slot back, in whichever lane; unknown ids change nothing."""
        for slots in self._slots.values():
            slots.release(task_id)

    @asynccontextmanager
    async def hold(
        self, task_id: str, lane_of: Callable[[str], Awaitable[str]]
    ) -> AsyncIterator[None]:
        """Hold the task's slot; if none was granted, wait for one of its lane.

        Args:
            task_id: The task.
            lane_of: Finds the lane of a task that has no slot yet; an unknown one is the first.
        """
        try:
            if not any(task_id in slots.granted for slots in self._slots.values()):
                lane = await lane_of(task_id)
                await self._slots[lane if lane in self._names else self.first].acquire(task_id)
            yield
        finally:
            self.release(task_id)
