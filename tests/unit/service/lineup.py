"""Engines that do what a test has told them, and a runner over memory that asks them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from factories import a_plan, a_task
from kinogate.blobs.memory import MemoryBlobStore
from kinogate.db.memory import MemoryTaskStore
from kinogate.domain.abilities import Abilities
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.engine import CallState, ReportProgress, UpstreamCall
from kinogate.domain.order import AudioMode, Mode, Order, Produced, Role
from kinogate.domain.ports import NewTask
from kinogate.domain.routes import Costs, EngineSection, Place, Route
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Outcome, Plan, Task
from kinogate.engines.base import BaseEngine
from kinogate.net import Fetcher, FetchPolicy
from kinogate.service.briefing import Briefing
from kinogate.service.fleet import Fleet
from kinogate.service.prepare import Preparer
from kinogate.service.relay import Relay
from kinogate.service.routing import Router
from kinogate.service.run import Runner


class Player(BaseEngine):
    """Writes a few bytes, or raises what `fails` holds, once for each item; remembers its orders."""

    def __init__(
        self,
        name: str,
        *,
        able: Abilities | None = None,
        refusal: str | None = None,
        fails: Iterable[BaseException | None] = (),
        modes: frozenset[Mode] | None = None,
        says: str | None = None,
        capacity: int = 2,
    ) -> None:
        self.name = name
        self.capacity = capacity
        self.able = able or Abilities(makes_stills=True)
        self.refusal = refusal
        self.fails = list(fails)
        self.orders: list[Order] = []
        self.starts = self.closes = 0
        self.hold: asyncio.Event | None = None
        self._modes = modes
        self._says = says

    async def start(self) -> None:
        self.starts += 1

    async def close(self) -> None:
        self.closes += 1

    def abilities(self, model: str) -> Abilities:
        return self.able

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        return spec.modes if self._modes is None else self._modes

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        return self.refusal

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        self.orders.append(order)
        if self.hold is not None:
            await self.hold.wait()
        error = self.fails.pop(0) if self.fails else None
        if error is not None:
            raise error
        report("draw", 1.0)
        out.write_bytes(f"mp4 by {self.name}".encode())
        return Produced(
            path=str(out),
            width=order.width,
            height=order.height,
            fps=order.fps,
            frame_count=order.frame_count,
            duration_s=order.duration_s,
            has_audio=order.audio is not AudioMode.OFF,
            fingerprint=f"{self.name}/1",
            actual_prompt=self._says,
            upstream_id=f"{self.name}-1",
        )


class Ticker:
    """A monotonic clock that moves a second at each look."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        self.s += 1.0
        return self.s


class StillClock:
    def now_ms(self) -> int:
        return 5_000


class Pages:
    """A journal that says what a test has written into it."""

    def __init__(self) -> None:
        self.written: dict[str, CallState] = {}

    async def calls(self, task_id: str, engine: str) -> Sequence[UpstreamCall]:
        if engine not in self.written:
            return ()
        return (
            UpstreamCall(
                task_id=task_id,
                engine=engine,
                number=1,
                credential="default",
                state=self.written[engine],
                created_ms=1,
            ),
        )

    async def intend(self, task_id: str, engine: str, credential: str) -> UpstreamCall:
        raise NotImplementedError

    async def mark(
        self, call: UpstreamCall, state: CallState, upstream_id: str | None = None
    ) -> UpstreamCall:
        raise NotImplementedError

    async def known(self, engine: str, upstream_ids: Sequence[str]) -> frozenset[str]:
        raise NotImplementedError


def fleet_of(
    *players: Player, now: Callable[[], float] | None = None, kind: str = "preview"
) -> Fleet:
    """A fleet that has built the players and started nothing."""
    by_name = {player.name: player for player in players}
    make = lambda section: by_name[section.name]  # noqa: E731
    fleet = Fleet(make) if now is None else Fleet(make, now=now)
    fleet.build([EngineSection(name=name, kind=kind) for name in by_name])
    return fleet


def route_to(*names: str, **changes: object) -> Route:
    """A route that asks the engines one after another."""
    places = tuple(Place(engines=((name, 1),)) for name in names)
    return Route(**{"places": places, **changes})  # type: ignore[arg-type]


def priced(name: str, micro: int) -> EngineSection:
    """A section of an engine that costs so much a second."""
    return EngineSection(name=name, kind="preview", costs=Costs(rows=(("*", micro),)))


class Stage:
    """A runner over memory for the players, asked in the order given."""

    def __init__(
        self,
        folder: Path,
        *players: Player,
        inspector: Any = None,
        link: Callable[[str], str] | None = None,
    ) -> None:
        self.store = MemoryTaskStore()
        self.blobs = MemoryBlobStore(lambda: 5.0)
        self.pages = Pages()
        self.fleet = Fleet.of(*players)
        self.router = Router(self.fleet, routes=(route_to(*(player.name for player in players)),))
        self.scratch = folder / "scratch"
        self.runner = Runner(
            store=self.store,
            blobs=self.blobs,
            preparer=Preparer(
                blobs=self.blobs,
                fetcher=Fetcher(FetchPolicy()),
                inspector=inspector,  # none is needed for plans without inputs
                catalogue=CATALOGUE,
            ),
            router=self.router,
            clock=StillClock(),
            scratch=self.scratch,
            result_ttl_s=3_600,
            briefing=Briefing(self.blobs),
            relay=Relay(self.fleet, journal=self.pages, poll_s=0.001),
            link=link,
        )

    async def begin(self, plan: Plan | None = None, warnings: tuple[str, ...] = ()) -> Task:
        task = a_task(plan=plan or a_plan(), hold_micro=1_000_000, warnings=warnings)
        await self.store.submit(NewTask(task=task))
        await self.store.claim("me", 1, 4_000, lane="preview")
        return task

    async def play(self, plan: Plan | None = None, warnings: tuple[str, ...] = ()) -> Outcome:
        """Run a plan through; the outcome."""
        task = await self.begin(plan, warnings)
        order = await self.runner.prepare(task.id)
        await self.runner.finish(task.id, await self.runner.render(task.id, order))
        done = await self.store.load(task.id)
        assert done is not None
        assert done.outcome is not None
        assert done.engine == done.outcome.engine
        return done.outcome
