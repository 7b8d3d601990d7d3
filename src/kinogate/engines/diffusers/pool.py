"""Which weights stay warm on a device, and which waiting order is taken next. Pure; no torch.

A device holds few models, and loading one takes longer than many a run. So the weights used last
stay within a budget of bytes, and orders for weights that are there already go first, though nobody
waits longer for it than a limit says.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a set of resident weights is known by.

    Attributes:
        model: Name of the weights, as configured.
        preset: The preset whose levers are pulled on them; levers change weights for good.
        loras: Adapters melted into them, in order; those of single runs do not count.
    """

    model: str
    preset: str
    loras: tuple[str, ...] = ()


class Loader(Protocol[T]):
    """Brings weights into memory and takes them out again."""

    def load(self, key: Key) -> T:
        """Load; whatever it raises reaches the pool's caller."""
        ...

    def unload(self, key: Key, item: T) -> None:
        """Free the memory; may not raise."""
        ...

    def bytes(self, key: Key) -> int:
        """What the weights take, known before they are loaded; an estimate will do."""
        ...


class Pool(Generic[T]):
    """Keeps weights warm within a budget, the ones used last. For one thread."""

    def __init__(
        self, loader: Loader[T], *, budget_bytes: int, pinned: Collection[Key] = ()
    ) -> None:
        """Prepare; nothing is loaded.

        Args:
            loader: The port.
            budget_bytes: Most bytes of weights at a time. A single set that is larger is loaded
                alone: whether it fits is the device's to say.
            pinned: Weights that are never put out once they are there.
        """
        self._loader = loader
        self._budget_bytes = budget_bytes
        self._pinned = frozenset(pinned)
        self._items: OrderedDict[Key, T] = OrderedDict()
        self._bytes: dict[Key, int] = {}
        self._users: Counter[Key] = Counter()

    @property
    def resident(self) -> tuple[Key, ...]:
        """What is there, used longest ago first."""
        return tuple(self._items)

    @property
    def used_bytes(self) -> int:
        """What it takes, all together."""
        return sum(self._bytes.values())

    @contextmanager
    def using(self, key: Key) -> Iterator[T]:
        """Have the weights for the length of the block, in which they are not put out.

        Raises:
            BaseException: Whatever the loader raises; what had to be put out for it stays out.
        """
        item = self._get(key)
        self._users[key] += 1
        try:
            yield item
        finally:
            self._users[key] -= 1

    def peek(self, key: Key) -> T | None:
        """The weights if they are there; from any thread, without counting as a use."""
        return self._items.get(key)

    def prefetch(self, key: Key, keep: Collection[Key] = ()) -> bool:
        """Load weights that will be wanted, if that puts out nothing that is of more use.

        Args:
            key: What will be wanted.
            keep: What may not be put out for it, besides the pinned and the ones in use.

        Returns:
            Whether they are there now.
        """
        if key not in self._items:
            size = self._loader.bytes(key)
            spare = self._idle(keep)
            if self.used_bytes - sum(self._bytes[idle] for idle in spare) + size > (
                self._budget_bytes
            ):
                return False
            self._make_room(size, keep)
            self._load(key, size)
        return True

    def forget(self, key: Key) -> None:
        """Put weights out whatever else holds; for those that a fault may have damaged."""
        if key in self._items:
            self._put_out(key)

    def clear(self) -> None:
        """Put everything out."""
        for key in self.resident:
            self._put_out(key)

    def _get(self, key: Key) -> T:
        if key not in self._items:
            size = self._loader.bytes(key)
            self._make_room(size)
            self._load(key, size)
        self._items.move_to_end(key)
        return self._items[key]

    def _load(self, key: Key, size: int) -> None:
        self._items[key] = self._loader.load(key)
        self._bytes[key] = size

    def _make_room(self, size: int, keep: Collection[Key] = ()) -> None:
        for key in self._idle(keep):
            if self.used_bytes + size <= self._budget_bytes:
                return
            self._put_out(key)

    def _idle(self, keep: Collection[Key] = ()) -> list[Key]:
        """What may be put out, used longest ago first."""
        held = self._pinned | set(keep)
        return [key for key in self._items if key not in held and not self._users[key]]

    def _put_out(self, key: Key) -> None:
        item = self._items.pop(key)
        del self._bytes[key]
        self._loader.unload(key, item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An order that waits for a device.

    Attributes:
        key: The weights that it needs.
        since_s: When it came, on the clock of `now_s`.
    """

    key: Key
    since_s: float


def choose(
    waiting: Sequence[Waiting],
    resident: Collection[Key],
    *,
    last: Key | None = None,
    now_s: float,
    patience_s: float,
) -> int | None:
    """Index of the order to take next, or None when nobody waits.

    The oldest order goes first once it has waited for `patience_s`. Until then one for the weights
    used last goes first, then one for weights that are there, then the oldest.

    Args:
        waiting: Oldest first.
        resident: Weights that are there.
        last: Weights used last.
        now_s: Seconds on any clock.
        patience_s: Longest time that an order may be passed over; 0 for plain first come, first
            served.
    """
    if not waiting:
        return None
    if now_s - waiting[0].since_s >= patience_s:
        return 0
    for wanted in ([last], resident):
        for index, order in enumerate(waiting):
            if order.key in wanted:
                return index
    return 0


def upcoming(waiting: Sequence[Waiting], resident: Collection[Key]) -> Key | None:
    """The weights to prefetch: those of the oldest order whose weights are not there yet."""
    return next((order.key for order in waiting if order.key not in resident), None)
