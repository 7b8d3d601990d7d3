"""The engine behind every upstream: submit, poll, download, and the promises of the port.

One class for all five wires. What it did is in the journal, so that a run that is taken up after
a crash asks for the task that it has instead of paying for another.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

import structlog

from kinogate.domain.abilities import Abilities
from kinogate.domain.engine import Finding, Health, ReportProgress, UpstreamJournal
from kinogate.domain.errors import ErrorCode, InternalError, UpstreamError
from kinogate.domain.media import ReceivedClip
from kinogate.domain.order import Mode, Order, Produced, Role
from kinogate.domain.ports import Clock
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan
from kinogate.engines.base import BaseEngine
from kinogate.engines.upstream.check import check_credentials
from kinogate.engines.upstream.client import Client
from kinogate.engines.upstream.create import Creator, Ticket
from kinogate.engines.upstream.credentials import Credential, CredentialPool
from kinogate.engines.upstream.deliver import Deliverer
from kinogate.engines.upstream.download import Downloader
from kinogate.engines.upstream.follow import Follower, Forgotten, Meter
from kinogate.engines.upstream.leave import IsWanted, Leaver
from kinogate.engines.upstream.pace import Pace
from kinogate.engines.upstream.reconcile import Reconciler
from kinogate.engines.upstream.wire import Sighting, Wire
from kinogate.media.inspector import Inspector
from kinogate.net import FetchPolicy

log = structlog.get_logger(__name__)


class Instances(Protocol):
    """A foreign server that we start ourselves, as the flow sees it."""

    async def start(self) -> None:
        """Start every instance; returns when one could take a task."""
        ...

    async def close(self) -> None:
        """End every instance; safe to call twice."""
        ...

    def by_index(self) -> dict[int, str]:
        """Base URLs of the healthy instances by their index, which stays over restarts."""
        ...

    def findings(self) -> tuple[Finding, ...]:
        """How each instance fares."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an upstream engine is made of.

    Attributes:
        name: As the operator calls it.
        wire: The upstream's API.
        pool: Its credentials.
        capacity: Tasks at a time, all of them together.
        client: Sends its calls.
        journal: Where create calls are written down.
        clock: Time.
        inspector: Works on media in child processes.
        policy: Where uploads may go; the downloader has its own.
        downloader: Brings results home.
        pace: Waiting times.
        models: Patterns of canonical names that the operator lets through; empty for all.
        is_wanted: Whether a task is still to be made, or None where nobody knows.
        idempotency_header: Makes a repeated create call safe, or None.
        probe_regions: Whether `check` may show a rejected key to other regions.
        instances: The foreign server behind it, or None for somebody else's.
        seat: Makes a credential of an instance's index and base URL.
        rng: Spreads polls; never decides anything else.
    """

    name: str
    wire: Wire
    pool: CredentialPool
    capacity: int
    client: Client
    journal: UpstreamJournal
    clock: Clock
    inspector: Inspector
    policy: FetchPolicy
    downloader: Downloader
    pace: Pace
    models: tuple[str, ...] = ()
    is_wanted: IsWanted | None = None
    idempotency_header: str | None = None
    probe_regions: bool = True
    instances: Instances | None = None
    seat: Callable[[int, str], Credential] | None = None
    rng: random.Random


class UpstreamEngine(BaseEngine):
    """Makes clips at an upstream; see `Parts`."""

    def __init__(self, parts: Parts) -> None:
        self.name = parts.name
        self.capacity = parts.capacity
        self._parts = parts
        self._wire = parts.wire
        header = parts.idempotency_header or parts.wire.idempotency_header
        self._leaver = Leaver(
            parts.wire,
            parts.client,
            parts.journal,
            is_wanted=parts.is_wanted,
            timeout_s=parts.pace.cancel_s,
        )
        self._creator = Creator(
            parts.name,
            wire=parts.wire,
            pool=parts.pool,
            client=parts.client,
            deliverer=Deliverer(
                parts.wire,
                parts.client,
                parts.inspector,
                pace=parts.pace,
                policy=parts.policy,
            ),
            journal=parts.journal,
            reconciler=Reconciler(parts.wire, parts.client, parts.journal, parts.clock, parts.pace),
            leaver=self._leaver,
            pace=parts.pace,
            idempotency_header=header,
        )
        self._follower = Follower(
            parts.wire,
            parts.client,
            parts.journal,
            self._leaver,
            clock=parts.clock,
            pace=parts.pace,
            rng=parts.rng,
        )

    async def start(self) -> None:
        """Start the foreign server, where there is one of ours; an upstream is asked nothing."""
        if self._parts.instances is not None:
            await self._parts.instances.start()
            self.seat_instances()

    async def close(self) -> None:
        """Let go of the upstream; tasks that it has go on, and are taken up at the next start."""
        await self._leaver.close()
        await self._parts.client.close()
        if self._parts.instances is not None:
            await self._parts.instances.close()

    def abilities(self, model: str) -> Abilities:
        """The wire's."""
        return self._wire.abilities(model)

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """The wire's, for the models that the operator lets through."""
        return self._wire.modes(spec) if self._offers(spec.name) else frozenset()

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        """The wire's reason, or that the operator does not let the model through."""
        if not self._offers(plan.model):
            return f"The engine {self.name} does not offer {plan.model}."
        return self._wire.refuses(plan, roles)

    async def check(self) -> Health:
        """Try each credential with a call that costs nothing."""
        parts = self._parts
        health = await check_credentials(
            parts.wire,
            parts.client,
            parts.pool.credentials,
            timeout_s=parts.pace.probe_s,
            probe_regions=parts.probe_regions,
        )
        if parts.instances is None:
            return health
        return replace(health, findings=(*parts.instances.findings(), *health.findings))

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        """Have the clip made, and bring it home; see `domain.engine.Engine.run`.

        A run of a task that has a create call in the journal goes on with that one.
        """
        if not out.parent.is_dir():  # before anything costs money
            raise InternalError(ErrorCode.UNAVAILABLE, "The server has no room for this file.")
        packed = out.with_name(f"{out.stem}-given")
        packed.mkdir(exist_ok=True)
        try:
            return await self._made(order, out, Meter(report), packed)
        except BaseException:
            out.unlink(missing_ok=True)
            raise
        finally:
            for path in packed.iterdir():
                path.unlink()
            packed.rmdir()

    async def _made(self, order: Order, out: Path, meter: Meter, folder: Path) -> Produced:
        ticket = await self._creator.obtain(order, folder)
        try:
            return await self._seen_through(order, out, meter, ticket)
        except Forgotten:
            pass
        ticket = await self._creator.again(order, folder)
        try:
            return await self._seen_through(order, out, meter, ticket)
        except Forgotten as exc:
            raise UpstreamError(
                ErrorCode.UPSTREAM_FAILED, "The upstream was restarted and lost the task, twice."
            ) from exc

    async def _seen_through(
        self, order: Order, out: Path, meter: Meter, ticket: Ticket
    ) -> Produced:
        """Follow one upstream task to its end, and keep what came of it."""
        call, place = ticket.call, ticket.place
        told = {"task_id": order.task_id, "engine": self.name, "upstream_id": call.upstream_id}
        log.info("upstream task followed", credential=place.credential.name, **told)
        try:
            try:
                sighting = await self._follower.follow(order, call, place, meter)
            except asyncio.CancelledError:
                await self._leaver.leave(call, place.credential, order.model)
                raise
            meter.show("download", 0.92)
            clip = await self._brought_home(order, ticket, sighting, out)
        finally:
            place.leave()
        meter.show("check", 1.0)
        return self._produced(order, ticket, sighting, clip, out)

    async def _brought_home(
        self, order: Order, ticket: Ticket, sighting: Sighting, out: Path
    ) -> ReceivedClip:
        """Download, with a few tries: the clip is made and paid for.

        A URL that is refused has expired: it is asked for anew, once.
        """
        pace, pause = self._parts.pace, self._parts.pace.download_pause_s
        was_refused = False
        for left in range(pace.download_tries - 1, -1, -1):
            try:
                return await self._parts.downloader.fetch(sighting, ticket.credential, out)
            except UpstreamError as error:
                is_hopeless = error.code is ErrorCode.RESULT_INVALID
                is_refused = not error.retriable
                if is_hopeless or not left or (is_refused and was_refused):
                    raise
                was_refused = was_refused or is_refused
                log.warning("download failed", task_id=order.task_id, reason=error.message)
            await asyncio.sleep(pause)
            pause *= 2
            fresh = await self._follower.look_again(order, ticket.call, ticket.credential)
            sighting = fresh or sighting
        raise AssertionError("the last try has returned or raised")

    def _produced(
        self, order: Order, ticket: Ticket, sighting: Sighting, clip: ReceivedClip, out: Path
    ) -> Produced:
        return Produced(
            path=str(out),
            width=clip.width,
            height=clip.height,
            fps=max(1, round(clip.fps)),
            frame_count=clip.frame_count,
            duration_s=clip.duration_s,
            has_audio=clip.has_audio,
            fingerprint=f"{self._wire.name}/{self._wire.spelled(order.model)}",
            actual_prompt=sighting.actual_prompt,
            upstream_id=ticket.call.upstream_id,
        )

    def _offers(self, model: str) -> bool:
        patterns = self._parts.models
        return not patterns or any(fnmatchcase(model, pattern) for pattern in patterns)

    def seat_instances(self) -> None:
        """Have a credential for each healthy instance; tasks of one that died are lost with it."""
        parts = self._parts
        if parts.instances is not None and parts.seat is not None:
            found = parts.instances.by_index().items()
            parts.pool.replace([parts.seat(index, address) for index, address in found])
