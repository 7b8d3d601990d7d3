"""`UpstreamJournal` in memory, for one process and its lifetime; the contract of `SqlJournal`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kinogate.db.journal import unknown_call
from kinogate.db.journal_statements import EARLIER
from kinogate.domain.engine import CallState, UpstreamCall
from kinogate.domain.ports import Clock


class MemoryJournal:
    """The upstream calls of all tasks in a dictionary; used on one event loop.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[tuple[str, str], list[UpstreamCall]] = {}

    async def calls(self, task_id: str, engine: str) -> Sequence[UpstreamCall]:
        """As the port says."""
        return list(self._calls.get((task_id, engine), []))

    async def intend(self, task_id: str, engine: str, credential: str) -> UpstreamCall:
        """As the port says."""
        calls = self._calls.setdefault((task_id, engine), [])
        call = UpstreamCall(
            task_id=task_id,
            engine=engine,
            number=len(calls) + 1,
            credential=credential,
            state=CallState.INTENT,
            created_ms=self._clock.now_ms(),
        )
        calls.append(call)
        return call

    async def mark(
        self, call: UpstreamCall, state: CallState, upstream_id: str | None = None
    ) -> UpstreamCall:
        """As the port says, and as `SqlJournal.mark`."""
        calls = self._calls.get((call.task_id, call.engine), [])
        if not 1 <= call.number <= len(calls):
            raise unknown_call()
        kept = calls[call.number - 1]
        if kept.state in EARLIER[state]:
            known_id = upstream_id if kept.upstream_id is None else kept.upstream_id
            kept = replace(kept, state=state, upstream_id=known_id)
            calls[call.number - 1] = kept
        return kept

    async def known(self, engine: str, upstream_ids: Sequence[str]) -> frozenset[str]:
        """As the port says."""
        ours = {
            call.upstream_id
            for (_, name), calls in self._calls.items()
            if name == engine
            for call in calls
        }
        return frozenset(upstream_id for upstream_id in upstream_ids if upstream_id in ours)
