"""Giving a task to one engine after another, for as long as nothing can have been charged.

The order is the task's own and was fixed when it was prepared. The engine whose journal shows the
last create call that was not refused comes first, whatever its state: it alone can find that work.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from kinogate.domain.engine import CallState, UpstreamCall, UpstreamJournal
from kinogate.domain.errors import (
    CallerError,
    ErrorCode,
    InternalError,
    KinogateError,
    UpstreamError,
)
from kinogate.service.fleet import Fleet, Member
from kinogate.service.health import Stand

log = structlog.get_logger(__name__)

T = TypeVar("T")

_GO_ON = frozenset({ErrorCode.UNAVAILABLE, ErrorCode.ENGINE_FAILED, ErrorCode.TIMED_OUT})
_NOT_SOLD = frozenset({ErrorCode.MODEL_UNKNOWN, ErrorCode.FEATURE_UNSUPPORTED})
"""We have accepted the request; that this engine does not sell it is the routes' fault."""
START_PATIENCE_S = 120.0
"""How long a task waits for an engine that is starting before the next one is asked."""
COOL_PATIENCE_S = 300.0
"""How long a task waits when all its engines are cooling down. A drain, or a start that has to wait
for the last runs of what it replaces, is waited for as long as it lasts."""
_POLL_S = 0.25


def may_go_on(error: KinogateError) -> bool:
    """Whether another engine may be asked after this failure of an engine's run."""
    if isinstance(error, CallerError) or error.code is ErrorCode.CONTENT_REFUSED:
        return error.code in _NOT_SOLD
    if isinstance(error, UpstreamError):
        return not error.is_charged and error.code is not ErrorCode.SUBMIT_AMBIGUOUS
    return isinstance(error, InternalError) and error.code in _GO_ON


class Relay:
    """Walks a task's candidates."""

    def __init__(
        self,
        fleet: Fleet,
        *,
        journal: UpstreamJournal | None = None,
        poll_s: float = _POLL_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fleet = fleet
        self._journal = journal
        self._poll_s = poll_s
        self._now = now

    async def serve(
        self,
        task_id: str,
        candidates: Sequence[str],
        attempt: Callable[[Member], Awaitable[T]],
        *,
        is_wanted: Callable[[], Awaitable[bool]],
    ) -> tuple[T, tuple[str, ...]]:
        """The first attempt that goes well, and a sentence for each engine that failed before.

        Args:
            task_id: For the journal and the log.
            candidates: Names, in order.
            attempt: Runs one engine.
            is_wanted: Whether the task still goes on; asked before another engine is.

        Raises:
            KinogateError: Of the last engine that was asked; or UNAVAILABLE, when none could be.
        """
        left = list(candidates)
        notes: list[str] = []
        member = await self._resumed(task_id, left)
        while True:
            member = member or await self._next(left)
            if member.name in left:
                left.remove(member.name)
            try:
                async with member.seat():
                    return await attempt(member), tuple(notes)
            except KinogateError as error:
                if not left or not may_go_on(error) or not await is_wanted():
                    raise
                log.warning(
                    "engine failed, another one is asked",
                    task_id=task_id,
                    engine=member.name,
                    code=error.code,
                    reason=error.message,
                )
                notes.append(f"The engine {member.name} failed ({error.code}) before this one.")
            member = None

    async def _resumed(self, task_id: str, left: Sequence[str]) -> Member | None:
        """The engine that was asked last, if it may have begun the task, once it has started.

        Also a call that has ended: a crash between the end and the keeping of its clip must not
        pay for another. Where it ended badly the engine says so once more, at no cost.
        """
        if self._journal is None:
            return None
        last: UpstreamCall | None = None
        for name in dict.fromkeys((*left, *self._fleet.members)):
            for call in (await self._journal.calls(task_id, name))[-1:]:
                is_begun = call.state is not CallState.REFUSED
                if is_begun and (last is None or call.created_ms >= last.created_ms):
                    last = call
        if last is None:
            return None
        member = self._fleet.get(last.engine)
        if member is None:
            # Whoever asks elsewhere now may pay twice.
            raise UpstreamError(
                ErrorCode.SUBMIT_AMBIGUOUS,
                f"The engine {last.engine}, which has begun this task, is not set up any more.",
                is_charged=True,
            )
        await member.wait_started(COOL_PATIENCE_S)
        return member

    async def _next(self, left: Sequence[str]) -> Member:
        """The first of the engines that takes work; waits while none does."""
        since = self._now()
        while True:
            members = [member for name in left if (member := self._fleet.get(name))]
            if not members:
                raise InternalError(
                    ErrorCode.UNAVAILABLE, "The engine for this task is not set up any more."
                )
            waited_s = self._now() - since
            for member in members:
                if member.stand is Stand.READY:
                    return member
                if member.stand is Stand.STARTING and waited_s < START_PATIENCE_S:
                    break  # soon ready, and the one that was meant
            stands = {member.stand for member in members}
            if stands <= {Stand.READY, Stand.COOLING} and waited_s >= COOL_PATIENCE_S:
                reasons = [item.condition.reason for item in members if item.condition.reason]
                raise InternalError(
                    ErrorCode.UNAVAILABLE,
                    "No engine for this task is available now."
                    + (f" The last failure: {reasons[0]}" if reasons else ""),
                )
            await asyncio.sleep(self._poll_s)
