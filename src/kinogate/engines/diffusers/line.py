"""Orders that wait for a device, and which of them gets the next one that is free. No torch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from kinogate.engines.diffusers.pool import Key, Waiting, choose


class Desk(Protocol):
    """Somewhere that one order at a time is worked on.

    Attributes:
        last: The weights used last, or None.
    """

    last: Key | None


D = TypeVar("D", bound=Desk)


class Line(Generic[D]):
    """Hands desks to orders: sooner to those whose weights are there. For one event loop."""

    def __init__(
        self,
        desks: Sequence[D],
        *,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare.

        Args:
            desks: All of them free.
            patience_s: Longest time that an order is passed over for one whose weights are there.
            clock: Seconds.
        """
        self._free = list(desks)
        self._patience_s = patience_s
        self._clock = clock
        self._waiting: list[tuple[Waiting, asyncio.Future[D]]] = []

    async def take(self, key: Key) -> D:
        """Wait for a desk; give it back with `free`. A cancelled wait takes none."""
        if self._free:
            desk = next((one for one in self._free if one.last == key), self._free[0])
            self._free.remove(desk)
            desk.last = key
            return desk
        place: asyncio.Future[D] = asyncio.get_running_loop().create_future()
        entry = (Waiting(key=key, since_s=self._clock()), place)
        self._waiting.append(entry)
        try:
            return await place
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
            elif place.done() and not place.cancelled():
                self.free(place.result())
            raise

    def free(self, desk: D) -> None:
        """Give a desk back: it goes to whoever is to have it, or stays free."""
        chosen = choose(
            [waiting for waiting, _ in self._waiting],
            (),
            last=desk.last,
            now_s=self._clock(),
            patience_s=self._patience_s,
        )
        if chosen is None:
            self._free.append(desk)
            return
        waiting, place = self._waiting.pop(chosen)
        if place.done():  # cancelled a moment ago
            self.free(desk)
            return
        desk.last = waiting.key
        place.set_result(desk)

    @property
    def is_full(self) -> bool:
        """Whether an order that comes now would wait."""
        return not self._free
