"""Finds the task of a create call whose answer was lost, in what the upstream lists.

A match has the call's model, prompt and seed as far as they are shown, its time, and an id that no
other call of ours has. One match is taken; two would be a guess.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from kinogate.domain.engine import UpstreamCall, UpstreamJournal
from kinogate.domain.errors import UpstreamError
from kinogate.domain.order import Order
from kinogate.domain.ports import Clock
from kinogate.engines.upstream.client import Client, NoAnswer, NotSent
from kinogate.engines.upstream.credentials import Credential
from kinogate.engines.upstream.pace import Pace
from kinogate.engines.upstream.wire import Listed, Wire

log = structlog.get_logger(__name__)

_SKEW_MS = 60_000
"""How far the upstream's clock may be off ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search has shown for certain: the id, or (`upstream_id` None) that there is no task."""

    upstream_id: str | None


class Reconciler:
    """Searches the listings of one upstream."""

    def __init__(
        self, wire: Wire, client: Client, journal: UpstreamJournal, clock: Clock, pace: Pace
    ) -> None:
        self._wire = wire
        self._client = client
        self._journal = journal
        self._clock = clock
        self._pace = pace

    async def look(self, order: Order, call: UpstreamCall, credential: Credential) -> Found | None:
        """Search until the task is found, or old enough to be certain that there is none.

        A request may be worked on long after we gave up on its answer, and a listing may lag
        behind: absence counts only after `settle_s`, from a listing that worked.

        Returns:
            None when nothing is certain: no listing, none that worked, or several matches.
        """
        loop = asyncio.get_running_loop()
        age_s = max(0, self._clock.now_ms() - call.created_ms) / 1000
        certain_at = loop.time() + max(0.0, self._pace.settle_s - age_s)
        give_up_at = max(certain_at, loop.time() + self._pace.settle_s) + self._pace.settle_s
        while True:
            began = loop.time()
            matches = await self._matches(order, call, credential)
            if matches is not None and len(matches) == 1:
                log.info("lost task found", task_id=call.task_id, upstream_id=matches[0])
                return Found(upstream_id=matches[0])
            if matches is not None and len(matches) > 1:
                log.warning("several tasks may be the lost one", task_id=call.task_id)
                return None
            if matches is not None and began >= certain_at:
                return Found(upstream_id=None)
            if self._listing(call) is None or loop.time() >= give_up_at:
                return None
            await asyncio.sleep(self._pace.look_s)

    def _listing(self, call: UpstreamCall) -> tuple[int, int] | None:
        """The times to list between, or None where the upstream lists nothing."""
        since_ms = call.created_ms - _SKEW_MS
        until_ms = call.created_ms + round(self._pace.create_s * 1000) + 2 * _SKEW_MS
        # No vendor says what it makes of times to come.
        until_ms = max(since_ms, min(until_ms, self._clock.now_ms() + _SKEW_MS))
        return (since_ms, until_ms) if self._wire.listing(since_ms, until_ms) else None

    async def _matches(
        self, order: Order, call: UpstreamCall, credential: Credential
    ) -> Sequence[str] | None:
        """Ids that may be the call's; None when the listing did not work."""
        span = self._listing(call)
        ask = None if span is None else self._wire.listing(*span)
        if span is None or ask is None:
            return None
        try:
            answer = await self._client.send(ask, credential, timeout_s=self._pace.call_s)
            listed = self._wire.read_listing(answer, span[0])
        except (NotSent, NoAnswer, UpstreamError) as exc:
            log.info("listing failed", task_id=call.task_id, reason=str(exc))
            return None
        alike = [item for item in listed if self._is_alike(item, order, span)]
        taken = await self._journal.known(call.engine, [item.upstream_id for item in alike])
        fresh = [item for item in alike if item.upstream_id not in taken]
        return [
            item.upstream_id
            for item in fresh
            if item.prompt is not None or await self._says_so(item, order, credential)
        ]

    def _is_alike(self, item: Listed, order: Order, span: tuple[int, int]) -> bool:
        since_ms, until_ms = span
        return (
            (item.created_ms is None or since_ms <= item.created_ms <= until_ms)
            and (item.model is None or item.model == self._wire.spelled(order.model))
            and (item.seed is None or item.seed == order.seed)
            and (item.prompt is None or _is_same(item.prompt, order.prompt))
        )

    async def _says_so(self, item: Listed, order: Order, credential: Credential) -> bool:
        """Whether a task whose listing shows no prompt may be ours, by a look at it itself.

        Another program may use the same account at the same time.
        """
        ask = self._wire.poll(item.upstream_id, order.model)
        try:
            answer = await self._client.send(ask, credential, timeout_s=self._pace.call_s)
            prompt = self._wire.read_poll(answer).prompt
        except (NotSent, NoAnswer, UpstreamError):
            return True  # nothing speaks against it
        return prompt is None or _is_same(prompt, order.prompt)


def _is_same(shown: str, sent: str) -> bool:
    """Whether an upstream shows the prompt that was sent; it may have cut it."""
    return shown == sent or (bool(shown) and sent.startswith(shown))
