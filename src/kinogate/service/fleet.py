"""The engines of this server: built from their sections, started, watched, replaced, closed.

An engine is `preview` or any other by name; what kind it is, only the maker knows that the
composition root brings along.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, Self

import structlog

from kinogate.domain.engine import Engine
from kinogate.domain.errors import (
    CallerError,
    ErrorCode,
    InternalError,
    KinogateError,
    UpstreamError,
)
from kinogate.domain.routes import NO_COSTS, PREVIEW, Costs, EngineSection
from kinogate.service.health import FIRST_PAUSE_S, LONGEST_PAUSE_S, Condition, Stand

log = structlog.get_logger(__name__)

MakeEngine = Callable[[EngineSection], Engine]
"""Builds an engine and starts nothing; raises what the composition root understands."""

_OURS = frozenset({ErrorCode.INTERNAL, ErrorCode.CANCELED})
"""Codes of an `InternalError` that do not speak against the engine."""


class RunMeter(Protocol):
    """Where runs are counted."""

    def run_began(self, engine: str) -> None:
        """A run has got its seat."""
        ...

    def run_ended(self, engine: str, outcome: str, seconds: float) -> None:
        """It has ended: `succeeded`, `canceled`, or an error's code."""
        ...


class Member:
    """One engine with its section, its condition and its seats.

    Attributes:
        section: What it was built from.
        engine: The engine.
        condition: How it has fared.
        running: Runs that have a seat now.
    """

    def __init__(
        self,
        section: EngineSection,
        engine: Engine,
        *,
        now: Callable[[], float],
        meter: RunMeter | None = None,
        is_started: bool = False,
    ) -> None:
        self.section = section
        self.engine = engine
        self.condition = Condition(now)
        self.running = 0
        self._now = now
        self._meter = meter
        self._seats = asyncio.Semaphore(max(1, engine.capacity))
        self._idle = asyncio.Event()
        self._idle.set()
        self._starting: asyncio.Task[None] | None = None
        self._started = asyncio.Event()
        if is_started:
            self._started.set()
        self._has_failed_to_start = False

    @property
    def name(self) -> str:
        """As the operator calls it."""
        return self.section.name

    @property
    def stand(self) -> Stand:
        """Whether it may be given work now."""
        stand = self.condition.stand
        if stand is Stand.DRAINING or self._started.is_set():
            return stand
        return Stand.COOLING if self._has_failed_to_start else Stand.STARTING

    async def start(self) -> None:
        """Start it once.

        Raises:
            KinogateError: It cannot start.
        """
        await self.engine.start()
        self._started.set()

    async def wait_started(self, patience_s: float) -> None:
        """Wait until a run could begin, or the time is over."""
        try:
            await asyncio.wait_for(self._started.wait(), patience_s)
        except TimeoutError:
            log.warning("engine has not started", engine=self.name, waited_s=patience_s)

    def start_in_background(self, *, after: Callable[[], Awaitable[None]] | None = None) -> None:
        """Start it, again and again until it works, with the pauses of its condition.

        Args:
            after: Awaited before: what it replaces must have let go of the device.
        """
        self._starting = asyncio.create_task(self._start_somehow(after))

    async def _start_somehow(self, after: Callable[[], Awaitable[None]] | None) -> None:
        if after is not None:
            await after()
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await self.start()
            except Exception as error:  # an engine of others may raise anything
                is_known = isinstance(error, KinogateError)
                reason = str(error) if is_known else f"It failed with {type(error).__name__}."
                log.warning(
                    "engine cannot start", engine=self.name, reason=reason, exc_info=not is_known
                )
                self._has_failed_to_start, self.condition.reason = True, reason
                await asyncio.sleep(pause_s)
                pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
            else:
                self.condition.reason = None
                log.info("engine is ready", engine=self.name)
                return

    async def close(self) -> None:
        """Stop trying to start it, and stop it."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        await self.engine.close()

    async def retire(self) -> None:
        """Close it after its last run."""
        await self._idle.wait()
        await self.close()

    @asynccontextmanager
    async def seat(self) -> AsyncIterator[None]:
        """Hold one of its seats for a run; how the run ends is taken down.

        Waits while all are taken.
        """
        is_trial = self.condition.begin()
        self.running += 1
        self._idle.clear()
        began: float | None = None
        outcome = "succeeded"
        try:
            async with self._seats:
                began = self._now()
                if self._meter is not None:
                    self._meter.run_began(self.name)
                yield
        except BaseException as error:
            outcome = self._take_down(error, is_trial=is_trial)
            raise
        else:
            self.condition.succeed()
        finally:
            self.running -= 1
            if not self.running:
                self._idle.set()
            if began is not None and self._meter is not None:
                self._meter.run_ended(self.name, outcome, self._now() - began)

    def _take_down(self, error: BaseException, *, is_trial: bool) -> str:
        """Judge a failed run; the word for it."""
        if isinstance(error, KinogateError) and is_engine_fault(error):
            self.condition.fail(error.message, is_trial=is_trial, retry_after_s=error.retry_after_s)
        elif isinstance(error, Exception) and not isinstance(error, KinogateError):
            self.condition.fail("It failed in a way of its own.", is_trial=is_trial)
        else:
            self.condition.abstain(is_trial=is_trial)
        if isinstance(error, KinogateError):
            return error.code.value
        return "internal" if isinstance(error, Exception) else "canceled"


def is_engine_fault(error: KinogateError) -> bool:
    """Whether a failure speaks against the engine and not against the request."""
    if isinstance(error, CallerError) or error.code is ErrorCode.CONTENT_REFUSED:
        return False
    if isinstance(error, InternalError):
        return error.code not in _OURS
    return isinstance(error, UpstreamError)


class Fleet:
    """Every engine by name. Belongs to one event loop."""

    def __init__(
        self,
        make: MakeEngine,
        *,
        meter: RunMeter | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._meter = meter
        self._now = now
        self._members: dict[str, Member] = {}
        self._retiring: dict[asyncio.Task[None], Member] = {}

    @classmethod
    def of(cls, *engines: Engine) -> Self:
        """A fleet of engines that somebody else starts and closes."""
        by_name = {engine.name: engine for engine in engines}
        fleet = cls(lambda section: by_name[section.name])
        for engine in engines:
            fleet.adopt(engine)
        return fleet

    def adopt(self, engine: Engine, costs: Costs = NO_COSTS) -> None:
        """Take in an engine that somebody else has built and started."""
        section = EngineSection(name=engine.name, kind=PREVIEW, costs=costs)
        self._members[engine.name] = Member(
            section, engine, now=self._now, meter=self._meter, is_started=True
        )

    @property
    def members(self) -> Mapping[str, Member]:
        """By name, in the order of the configuration."""
        return self._members

    def get(self, name: str) -> Member | None:
        """The engine of this name, or None."""
        return self._members.get(name)

    def lanes(self) -> dict[str, int]:
        """How many tasks of each engine's lane may be under way at a time.

        One more than have a seat: while a clip is finished or the next one's inputs are fetched,
        the device goes on. The preview engine finishes its clips itself and needs none.
        """
        return {
            name: max(1, member.engine.capacity) + (member.section.kind != PREVIEW)
            for name, member in self._members.items()
        }

    def build(self, sections: Iterable[EngineSection]) -> None:
        """Build every engine; nothing is started, so that a wrong section costs no time."""
        self._members = {section.name: self._build(section) for section in sections}

    async def start(self) -> None:
        """Start the preview engines, and the others in the background.

        Raises:
            KinogateError: A preview engine cannot start.
        """
        waited = []
        for member in self._members.values():
            if member.section.kind == PREVIEW:
                waited.append(member.start())
            else:
                member.start_in_background()
        await asyncio.gather(*waited)

    async def close(self) -> None:
        """Close every engine, also those that are still retiring."""
        retiring = dict(self._retiring)
        for task in retiring:
            task.cancel()
        await asyncio.gather(*retiring, return_exceptions=True)
        closing = [member.close() for member in (*self._members.values(), *retiring.values())]
        for result in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(result, BaseException):
                log.warning("engine did not close", reason=str(result))

    def replace(self, sections: Sequence[EngineSection]) -> tuple[str, ...]:
        """Take over new sections: unchanged engines stay warm, the others end after their runs.

        All are built before anything changes, so that a wrong one changes nothing.

        Returns:
            Names of the engines that were added, changed or removed.
        """
        old = self._members
        fresh: dict[str, Member] = {}
        for section in sections:
            known = old.get(section.name)
            is_same = known is not None and section.is_same_engine(known.section)
            fresh[section.name] = known if known and is_same else self._build(section)
        for section in sections:
            fresh[section.name].section = section  # its costs may have changed
        changed = [name for name, member in fresh.items() if old.get(name) is not member]
        removed = [name for name in old if name not in fresh]
        self._members = fresh
        for name in (*changed, *removed):
            leaving = self._retire(old[name]) if name in old else None
            if name not in fresh:
                continue
            member = fresh[name]
            if name in old:
                member.condition.is_draining = old[name].condition.is_draining
            member.start_in_background(after=None if leaving is None else _after(leaving))
        return (*changed, *removed)

    def _build(self, section: EngineSection) -> Member:
        return Member(section, self._make(section), now=self._now, meter=self._meter)

    def _retire(self, member: Member) -> asyncio.Task[None]:
        task = asyncio.create_task(member.retire())
        self._retiring[task] = member
        task.add_done_callback(lambda done: self._retiring.pop(done, None))
        return task


def _after(task: asyncio.Task[None]) -> Callable[[], Awaitable[None]]:
    async def ended() -> None:
        await asyncio.wait([task])

    return ended
