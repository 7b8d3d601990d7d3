"""The credentials of one upstream: which of them takes the next task, and which must rest.

A credential is a base URL and a key that belong together, with the limits that its owner has. All
times in here are the event loop's monotonic seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog

from kinogate.domain.errors import ErrorCode, UpstreamError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One way to an upstream.

    Attributes:
        name: As the operator calls it; the journal knows a call's credential by it.
        base_url: Without a trailing slash.
        key: Sent as a bearer token; "" where the upstream wants none.
        region: Where it is valid, or None where that is no matter.
        concurrency: Tasks at a time, at least 1.
        rps: Create calls a second, above 0, or None for no limit.
    """

    name: str
    base_url: str
    key: str = field(repr=False, default="")
    region: str | None = None
    concurrency: int = 4
    rps: float | None = None

    @property
    def authority(self) -> str:
        """`host:port` in lower case, IPv6 in brackets; all that is ever logged of the URL."""
        parts = urlsplit(self.base_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def url(self, path: str) -> str:
        """The whole URL of a path below the base URL; a whole URL stays as it is."""
        return path if "://" in path else self.base_url + path


@dataclass(slots=True, eq=False)
class _Seat:
    """What is known of a credential now."""

    credential: Credential
    running: int = 0
    # Until when and why, by model; None stands for all of them.
    rests: dict[str | None, tuple[float, str]] = field(default_factory=dict)
    next_create: float = 0.0  # when the bucket has its next token

    def rest(self, model: str) -> tuple[float, str]:
        """When the rest ends that keeps a model's tasks away, and its reason."""
        none = (0.0, "")
        return max(self.rests.get(None, none), self.rests.get(model, none))


class Place:
    """One task's place at a credential, from before its create call until its end."""

    def __init__(self, pool: CredentialPool, seat: _Seat) -> None:
        self._pool = pool
        self._seat = seat
        self._is_left = False

    @property
    def credential(self) -> Credential:
        """Whose place it is; its URL may change while the place is held."""
        return self._seat.credential

    @property
    def is_gone(self) -> bool:
        """Whether the credential is not configured any more, or its server not there."""
        return self._pool.is_gone(self._seat)

    def leave(self) -> None:
        """Give the place to whoever waits; safe to call twice."""
        if not self._is_left:
            self._is_left = True
            self._pool.give_back(self._seat)

    async def turn(self) -> None:
        """Wait until the credential may send its next create call."""
        rps = self.credential.rps
        if rps is None:
            return
        now = asyncio.get_running_loop().time()
        at = max(now, self._seat.next_create)
        # Taken before the wait: those who come meanwhile queue up behind.
        self._seat.next_create = at + 1.0 / rps
        await asyncio.sleep(at - now)

    def rest(self, seconds: float, reason: str, *, model: str | None) -> None:
        """Give the credential no new tasks for a while; those it has go on.

        Args:
            seconds: How long.
            reason: A sentence.
            model: Whose tasks, or None for all: a permission that lacks for one model must not
                keep the others away, and most rates are counted by model.
        """
        until = asyncio.get_running_loop().time() + seconds
        old = self._seat.rests.get(model, (0.0, ""))
        self._seat.rests[model] = max(old, (until, reason))
        log.warning(
            "credential rests",
            credential=self.credential.name,
            model=model,
            seconds=seconds,
            reason=reason,
        )


class CredentialPool:
    """Hands out places; to be used on one event loop.

    Args:
        credentials: At least one unless `replace` brings them later; names are unique.
    """

    def __init__(self, credentials: Iterable[Credential]) -> None:
        self._seats = {item.name: _Seat(item) for item in credentials}
        self._gone: dict[str, _Seat] = {}  # with tasks that may still be asked for
        self._changed = asyncio.Event()

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """In the operator's order."""
        return tuple(seat.credential for seat in self._seats.values())

    def replace(self, credentials: Iterable[Credential]) -> None:
        """Have other credentials from now on; one of the same name keeps its tasks and its rest."""
        old, self._seats = self._gone | self._seats, {}
        for item in credentials:
            seat = old.pop(item.name, None) or _Seat(item)
            seat.credential = item
            self._seats[item.name] = seat
        self._gone = {name: seat for name, seat in old.items() if seat.running}
        self._stir()

    def is_gone(self, seat: _Seat) -> bool:
        """Whether a seat belongs to no credential that `take` would give out."""
        return self._seats.get(seat.credential.name) is not seat

    def join(self, name: str) -> Place | None:
        """A place at the credential called `name`, full or not; None when there is no such.

        For a task that is at the upstream already.
        """
        seat = self._seats.get(name)
        return None if seat is None else self._sit(seat)

    async def take(
        self, model: str, *, without: frozenset[str] = frozenset(), wait_s: float
    ) -> Place:
        """A place at the least busy credential that is not resting.

        Args:
            model: What the task asks for.
            without: Names that have been tried.
            wait_s: Longest wait for a free place, seconds.

        Raises:
            UpstreamError: UPSTREAM_REFUSED when every credential rests or was tried,
                UPSTREAM_FAILED when no place became free in time; both retriable, not charged.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        while True:
            now = loop.time()
            usable = [seat for name, seat in self._seats.items() if name not in without]
            rests = [seat.rest(model) for seat in usable]
            awake = [seat for seat in usable if seat.rest(model)[0] <= now]
            free = [seat for seat in awake if seat.running < seat.credential.concurrency]
            if free:
                return self._sit(min(free, key=_load))
            if not awake:
                raise _all_rest(rests, now)
            if now >= deadline:
                raise UpstreamError(
                    ErrorCode.UPSTREAM_FAILED,
                    "Every credential of the upstream is busy.",
                    retriable=True,
                )
            wakes = [until for until, _ in rests if until > now]
            await self._wait(min([deadline, *wakes]) - now)

    def give_back(self, seat: _Seat) -> None:
        """A task has left its place."""
        seat.running -= 1
        self._stir()

    def _sit(self, seat: _Seat) -> Place:
        seat.running += 1
        return Place(self, seat)

    def _stir(self) -> None:
        """Wake everybody who waits; each looks for himself."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wait(self, seconds: float) -> None:
        changed = self._changed
        try:
            async with asyncio.timeout(seconds):
                await changed.wait()
        except TimeoutError:
            return


def _load(seat: _Seat) -> float:
    return seat.running / seat.credential.concurrency


def _all_rest(rests: list[tuple[float, str]], now: float) -> UpstreamError:
    """Why nobody can be asked; the earliest end of a rest is when it makes sense again."""
    if not rests:
        return UpstreamError(
            ErrorCode.UPSTREAM_REFUSED, "No credential of the upstream works.", retriable=True
        )
    until, reason = min(rests)
    return UpstreamError(
        ErrorCode.UPSTREAM_REFUSED,
        f"Every credential of the upstream rests: {reason}",
        retriable=True,
        retry_after_s=max(1, round(until - now)),
    )
