"""Watches one task at the upstream until it has ended: one poller each, with back-off and jitter.

What a poll shows is believed only as far as it can be: trouble is no news, a share that falls is
not shown, a word that nobody knows means running, and only the deadline ends all waiting.
"""

from __future__ import annotations

import asyncio
import math
import random

import structlog

from kinogate.domain.engine import CallState, ReportProgress, UpstreamCall, UpstreamJournal
from kinogate.domain.errors import CallerError, ErrorCode, KinogateError, UpstreamError
from kinogate.domain.order import Order
from kinogate.domain.ports import Clock
from kinogate.engines.upstream.client import Client, NoAnswer, NotSent
from kinogate.engines.upstream.credentials import Credential, Place
from kinogate.engines.upstream.leave import Leaver
from kinogate.engines.upstream.pace import Pace
from kinogate.engines.upstream.wire import Answer, Phase, Sighting, Wire

log = structlog.get_logger(__name__)

_ASKED_MIN_S, _ASKED_MAX_S = 0.2, 120.0
_TROUBLE_CAP_S = 30.0
_USUAL_S = 60.0  # what a clip takes, as order of magnitude, for upstreams that tell no progress
_CREATED_SHARE, _MADE_SHARE = 0.03, 0.9
_LOST_LOOKS = 2


class Forgotten(Exception):
    """The upstream was started anew and has lost the task; nothing was charged."""


class Meter:
    """Reports shares that never fall, whatever it is told."""

    def __init__(self, report: ReportProgress) -> None:
        self._report = report
        self._share = 0.0

    def show(self, stage: str, share: float) -> None:
        """Report; a share outside 0.0–1.0 or below the last one is clamped."""
        if math.isfinite(share):
            self._share = max(self._share, min(share, 1.0))
        self._report(stage, self._share)


class Follower:
    """Polls the tasks of one upstream.

    Args:
        wire: The upstream's API.
        client: Sends the polls.
        journal: Where a call is marked as ended.
        leaver: Cancels what is too late.
        clock: For the deadline, which holds across restarts.
        pace: Waiting times.
        rng: Spreads the polls of tasks that began together.
    """

    def __init__(
        self,
        wire: Wire,
        client: Client,
        journal: UpstreamJournal,
        leaver: Leaver,
        *,
        clock: Clock,
        pace: Pace,
        rng: random.Random,
    ) -> None:
        self._wire = wire
        self._client = client
        self._journal = journal
        self._leaver = leaver
        self._clock = clock
        self._pace = pace
        self._rng = rng
        self._odd_words: set[str] = set()

    async def follow(
        self, order: Order, call: UpstreamCall, place: Place, meter: Meter
    ) -> Sighting:
        """Wait for the end and return the sighting of a success; the call is ENDED then.

        Raises:
            Forgotten: See there; the call is ENDED.
            CallerError: CONTENT_REFUSED, or FIELD_INVALID for what the caller asked for.
            UpstreamError: UPSTREAM_FAILED, not charged, when it failed or was canceled there;
                charged when it no longer knows the id. TIMED_OUT, charged, at the deadline.
        """
        deadline_ms = call.created_ms + round(self._pace.deadline_s * 1000)
        usual = pause = self._pace.poll_s or self._wire.poll_s
        meter.show("queue", _CREATED_SHARE)
        lost = 0
        while True:
            sighting, asked = await self._look(order, call, place.credential)
            if sighting is None:
                if self._wire.forgets and place.is_gone:
                    return await self._end(Sighting(phase=Phase.GONE), call)
                pause = min(max(pause, usual) * 2, max(_TROUBLE_CAP_S, usual))
            elif sighting.phase is Phase.GONE:
                # A fresh task may not have reached the server that is asked first.
                lost += 1
            else:
                lost = 0
                pause = min(pause, self._pace.poll_cap_s)
                self._show(sighting, call, meter)
            if sighting is not None and self._is_over(sighting, lost):
                return await self._end(sighting, call)
            wait = pause if asked is None else asked
            left = (deadline_ms - self._clock.now_ms()) / 1000
            if left <= 0:
                await self._leaver.stop(call, place.credential, order.model)
                raise UpstreamError(
                    ErrorCode.TIMED_OUT,
                    f"The upstream did not finish within {self._pace.deadline_s:g} seconds.",
                    is_charged=True,
                )
            await asyncio.sleep(min(self._spread(wait), left))
            if sighting is not None:
                pause = min(pause * self._pace.poll_growth, max(self._pace.poll_cap_s, usual))

    async def look_again(
        self, order: Order, call: UpstreamCall, credential: Credential
    ) -> Sighting | None:
        """One more look at a task that has succeeded, for a fresh URL; None when it shows none."""
        sighting, _ = await self._look(order, call, credential)
        return sighting if sighting and sighting.phase is Phase.SUCCEEDED else None

    async def _look(
        self, order: Order, call: UpstreamCall, credential: Credential
    ) -> tuple[Sighting | None, float | None]:
        """What a poll showed, None for trouble; and the pause that the upstream asks for."""
        ask = self._wire.poll(call.upstream_id or "", order.model)
        try:
            answer = await self._client.send(ask, credential, timeout_s=self._pace.call_s)
        except (NotSent, NoAnswer) as exc:
            self._trouble(call, str(exc) or "cannot be reached")
            return None, None
        try:
            return self._wire.read_poll(answer), _asked_pause(answer)
        except UpstreamError as error:
            self._trouble(call, error.message)
            wait = error.retry_after_s
            return None, _asked_pause(answer) if wait is None else min(wait, _ASKED_MAX_S)

    def _trouble(self, call: UpstreamCall, reason: str) -> None:
        log.info("poll failed", task_id=call.task_id, engine=call.engine, reason=reason)

    def _show(self, sighting: Sighting, call: UpstreamCall, meter: Meter) -> None:
        if (word := sighting.unknown_word) is not None and word not in self._odd_words:
            self._odd_words.add(word)
            log.warning("upstream status word is unknown", engine=call.engine, word=word)
        if sighting.phase is Phase.QUEUED:
            meter.show("queue", _CREATED_SHARE)
        elif sighting.phase is Phase.RUNNING:
            told = sighting.progress
            if told is None:
                # An estimate that comes ever closer to the end and never gets there.
                spent_s = max(0, self._clock.now_ms() - call.created_ms) / 1000
                told = 1.0 - math.exp(-spent_s / _USUAL_S)
            meter.show("render", _CREATED_SHARE + (_MADE_SHARE - _CREATED_SHARE) * min(told, 1.0))

    def _is_over(self, sighting: Sighting, lost: int) -> bool:
        if sighting.phase is Phase.GONE:
            return lost >= _LOST_LOOKS
        return sighting.phase not in (Phase.QUEUED, Phase.RUNNING)

    def _spread(self, wait: float) -> float:
        return wait * (1.0 + self._pace.jitter * self._rng.uniform(-1.0, 1.0))

    async def _end(self, sighting: Sighting, call: UpstreamCall) -> Sighting:
        await self._journal.mark(call, CallState.ENDED)
        if sighting.phase is Phase.SUCCEEDED:
            return sighting
        if sighting.phase is Phase.GONE and self._wire.forgets:
            raise Forgotten
        raise _fault_of(sighting)


def _asked_pause(answer: Answer) -> float | None:
    """Seconds that the upstream asks us to wait, 0.2 to 120; None where it does not say."""
    for name, unit in (("openai-poll-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait = float(answer.headers.get(name, "")) * unit
        except ValueError:  # absent, or a date
            continue
        if math.isfinite(wait) and wait >= 0:
            return min(max(wait, _ASKED_MIN_S), _ASKED_MAX_S)
    return None


def _fault_of(sighting: Sighting) -> KinogateError:
    """The error for a task that ended badly at the upstream."""
    code = sighting.code
    said = ": ".join(text for text in (code, sighting.message) if text) or "it gave no reason"
    said = said.rstrip(".")
    if sighting.phase is Phase.GONE:
        return UpstreamError(
            ErrorCode.UPSTREAM_FAILED,
            "The upstream no longer knows the task.",
            is_charged=True,
            upstream_code=code,
        )
    if sighting.phase is Phase.CANCELED:
        return UpstreamError(
            ErrorCode.UPSTREAM_FAILED,
            "The task was canceled at the upstream.",
            upstream_code=code,
        )
    if sighting.is_content_refusal:
        return CallerError(ErrorCode.CONTENT_REFUSED, f"The upstream refused the content: {said}.")
    if sighting.is_caller_fault:
        return CallerError(ErrorCode.FIELD_INVALID, f"The upstream refused the request: {said}.")
    return UpstreamError(
        ErrorCode.UPSTREAM_FAILED,
        f"The upstream failed: {said}.",
        retriable=True,
        upstream_code=code,
    )
