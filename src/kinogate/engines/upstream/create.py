"""Starts one task at the upstream, and never two: the journal first, then the call, then doubt.

A create call that may have arrived is not sent again. Its task is looked for in the upstream's
listing; where there is none, the call may be repeated only under a header that the upstream
promises to know it by; else the task fails and somebody must look.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from kinogate.domain.engine import CallState, UpstreamCall, UpstreamJournal
from kinogate.domain.errors import CallerError, ErrorCode, UpstreamError
from kinogate.domain.order import Order
from kinogate.engines.upstream.client import Client, NoAnswer, NotSent
from kinogate.engines.upstream.credentials import Credential, CredentialPool, Place
from kinogate.engines.upstream.deliver import Deliverer
from kinogate.engines.upstream.leave import Leaver
from kinogate.engines.upstream.pace import Pace
from kinogate.engines.upstream.reconcile import Reconciler
from kinogate.engines.upstream.wire import Ask, Wire

log = structlog.get_logger(__name__)

MOST_CALLS = 2
"""Create calls of one task that may have started something: the first, and one after a restart."""

_MOST_ATTEMPTS = 20
_MOST_FAULTS = 3  # of one credential without a word on when it will be better
_SHORT_REST_S = 2
_REPEATS, _REPEAT_PAUSE_S = 3, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A task that is at the upstream, and its place at the credential that made it."""

    call: UpstreamCall
    place: Place

    @property
    def credential(self) -> Credential:
        """The only one that its id is valid with."""
        return self.place.credential


class _Lost(Exception):
    """The create call may have arrived; `error` is how the run ends unless its task is found."""

    def __init__(self, call: UpstreamCall, error: UpstreamError) -> None:
        super().__init__(error.message)
        self.call = call
        self.error = error


class Creator:
    """Makes create calls to one upstream.

    Args:
        engine: The engine's name, under which the journal keeps its calls.
        wire: The upstream's API.
        pool: The credentials.
        client: Sends the calls.
        deliverer: Gives the inputs.
        journal: Written before each call.
        reconciler: Looks for a lost task.
        leaver: Cancels a task whose id came too late.
        pace: Waiting times.
        idempotency_header: Makes a repeated create call safe, or None.
    """

    def __init__(
        self,
        engine: str,
        *,
        wire: Wire,
        pool: CredentialPool,
        client: Client,
        deliverer: Deliverer,
        journal: UpstreamJournal,
        reconciler: Reconciler,
        leaver: Leaver,
        pace: Pace,
        idempotency_header: str | None,
    ) -> None:
        self._engine = engine
        self._wire = wire
        self._pool = pool
        self._client = client
        self._deliverer = deliverer
        self._journal = journal
        self._reconciler = reconciler
        self._leaver = leaver
        self._pace = pace
        self._header = idempotency_header
        self._adopting: set[str] = set()

    async def obtain(self, order: Order, folder: Path) -> Ticket:
        """The order's task at the upstream: the one that it has, or a new one.

        Args:
            order: With local paths.
            folder: Where packed copies of inputs may lie until the order is done.

        Raises:
            CallerError: The upstream, or the packing of an input, found the request wrong.
            UpstreamError: SUBMIT_AMBIGUOUS, charged, when a task may exist and cannot be found.
                Else UPSTREAM_REFUSED or UPSTREAM_FAILED, not charged.
            InternalError: UNAVAILABLE: the inputs cannot be given.
        """
        calls = await self._journal.calls(order.task_id, self._engine)
        begun = [call for call in calls if call.state is not CallState.REFUSED]
        for call in begun[-1:]:
            place = self._pool.join(call.credential)
            if place is None:
                await self._orphan(call)
                continue
            try:
                ticket = await self._take_up(order, folder, call, place)
            except BaseException:
                place.leave()
                raise
            if ticket is not None:
                return ticket
            place.leave()
        return await self._create(order, folder)

    async def again(self, order: Order, folder: Path) -> Ticket:
        """A new task after the upstream has forgotten one, once.

        Raises:
            UpstreamError: UPSTREAM_FAILED, not charged, when it has forgotten two.
        """
        calls = await self._journal.calls(order.task_id, self._engine)
        if sum(call.state is not CallState.REFUSED for call in calls) >= MOST_CALLS:
            raise UpstreamError(
                ErrorCode.UPSTREAM_FAILED, "The upstream was restarted and lost the task, twice."
            )
        log.warning("upstream has lost the task", task_id=order.task_id, engine=self._engine)
        return await self._create(order, folder)

    async def _orphan(self, call: UpstreamCall) -> None:
        """A call whose credential is no longer configured: nobody may ask for its task."""
        if not self._wire.forgets:
            raise ambiguous("The credential that the task was submitted with is gone.")
        # An instance of a server of our own that is no more: its tasks died with it.
        is_sent = call.state is not CallState.INTENT
        await self._journal.mark(call, CallState.ENDED if is_sent else CallState.REFUSED)

    async def _take_up(
        self, order: Order, folder: Path, call: UpstreamCall, place: Place
    ) -> Ticket | None:
        """Go on with a call of an earlier run; None when it is certain that it started nothing."""
        if call.state is CallState.INTENT:
            log.warning("create call without answer", task_id=order.task_id, engine=self._engine)
            lost = _Lost(call, ambiguous("This server was stopped during the call."))
            found = await self._resolve(order, folder, lost, place)
            return None if found is None else Ticket(call=found, place=place)
        return Ticket(call=call, place=place)

    async def _create(self, order: Order, folder: Path) -> Ticket:
        """Try credentials until one has taken the order, or none is left that may."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._pace.throttled_s
        tried: set[str] = set()
        last: UpstreamError | None = None
        losses, faults = 0, Counter[str]()
        for _ in range(_MOST_ATTEMPTS):
            try:
                place = await self._pool.take(
                    order.model, without=frozenset(tried), wait_s=self._pace.deadline_s
                )
            except UpstreamError as error:
                wait = error.retry_after_s
                if wait is None or loop.time() + wait > give_up:
                    raise (last or error) from error
                await asyncio.sleep(wait)
                continue
            try:
                call = await self._attempt(order, folder, place)
            except UpstreamError as error:
                place.leave()
                if error.is_charged or error.code is ErrorCode.SUBMIT_AMBIGUOUS:
                    raise
                last, name = error, place.credential.name
                faults[name] += error.retry_after_s is None
                if not self._rest(place, error, order.model) or faults[name] == _MOST_FAULTS:
                    tried.add(name)
                continue
            except BaseException:
                place.leave()
                raise
            if call is not None:
                return Ticket(call=call, place=place)
            place.leave()
            losses += 1
            if losses == MOST_CALLS:
                break
        raise last or _unreachable()

    def _rest(self, place: Place, error: UpstreamError, model: str) -> bool:
        """Give the credential a rest after an error; whether it may be asked again afterwards."""
        if error.code is ErrorCode.UPSTREAM_REFUSED:
            place.rest(self._pace.rest_s, error.message, model=model)
            return False
        if isinstance(error.__cause__, NotSent):
            place.rest(self._pace.trouble_s, error.message, model=None)
            return False
        wait = _SHORT_REST_S if error.retry_after_s is None else error.retry_after_s
        place.rest(wait, error.message, model=model)
        return error.retriable

    async def _attempt(self, order: Order, folder: Path, place: Place) -> UpstreamCall | None:
        """One create call through one credential; None when it got lost and started nothing."""
        media = await self._deliverer.give(order, place.credential, folder)
        ask = self._wire.create(order, media)
        await place.turn()
        # Shielded: between the intent and the answer there is no good moment to stop.
        work = self._leaver.keep(self._send(order, ask, place))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await self._leave_late(work, order, place)
            raise
        except _Lost as lost:
            return await self._resolve(order, folder, lost, place)

    async def _leave_late(
        self, work: asyncio.Task[UpstreamCall], order: Order, place: Place
    ) -> None:
        """Canceled during a create call: give its answer a moment, then let go of its task."""
        await asyncio.wait([work], timeout=self._pace.cancel_s / 2)
        if not work.done():
            work.cancel()
            await self._leaver.abandon(order.task_id, self._engine)
        elif work.cancelled() or isinstance(work.exception(), _Lost):
            await self._leaver.abandon(order.task_id, self._engine)
        elif work.exception() is None:
            await self._leaver.leave(work.result(), place.credential, order.model)

    async def _send(self, order: Order, ask: Ask, place: Place) -> UpstreamCall:
        """Write the intent, send, write the answer."""
        call = await self._journal.intend(order.task_id, self._engine, place.credential.name)
        try:
            return await self._post(ask, call, place.credential)
        except NotSent as exc:
            await self._journal.mark(call, CallState.REFUSED)
            raise _unreachable() from exc
        except NoAnswer as exc:
            raise _Lost(call, ambiguous(f"It {exc}.")) from exc
        except CallerError:
            await self._journal.mark(call, CallState.REFUSED)
            raise
        except UpstreamError as error:
            if error.code is ErrorCode.SUBMIT_AMBIGUOUS:
                raise _Lost(call, error) from error
            await self._journal.mark(call, CallState.REFUSED)
            raise

    async def _post(self, ask: Ask, call: UpstreamCall, credential: Credential) -> UpstreamCall:
        answer = await self._client.send(
            ask,
            credential,
            timeout_s=self._pace.create_s,
            is_create=True,
            headers=self._named(call),
        )
        return await self._adopt(call, self._wire.read_created(answer))

    def _named(self, call: UpstreamCall) -> Mapping[str, str]:
        """The header by which the upstream knows a call again."""
        if self._header is None:
            return {}
        return {self._header.lower(): f"kinogate-{call.task_id}-{call.engine}-{call.number}"}

    async def _adopt(self, call: UpstreamCall, upstream_id: str) -> UpstreamCall:
        """Keep the id, unless it is another task's already.

        Raises:
            UpstreamError: SUBMIT_AMBIGUOUS.
        """
        taken = await self._journal.known(self._engine, [upstream_id])
        if taken or upstream_id in self._adopting:
            raise ambiguous("The upstream answered with the id of another task.")
        self._adopting.add(upstream_id)
        try:
            return await self._journal.mark(call, CallState.CREATED, upstream_id)
        finally:
            self._adopting.discard(upstream_id)

    async def _resolve(
        self, order: Order, folder: Path, lost: _Lost, place: Place
    ) -> UpstreamCall | None:
        """Find out what became of a call whose answer is missing.

        Returns:
            The call as CREATED; or None, the call REFUSED, when it certainly started nothing.

        Raises:
            UpstreamError: SUBMIT_AMBIGUOUS, charged.
        """
        call = lost.call
        log.warning("create call got lost", task_id=call.task_id, reason=str(lost))
        try:
            found = await self._reconciler.look(order, call, place.credential)
            if found is None and self._header is not None:
                return await self._repeat(order, folder, call, place)
            if found is not None and found.upstream_id is not None:
                return await self._adopt(call, found.upstream_id)
        except asyncio.CancelledError:
            await self._leaver.abandon(order.task_id, self._engine)
            raise
        if found is None:
            raise lost.error from lost
        await self._journal.mark(call, CallState.REFUSED)
        return None

    async def _repeat(
        self, order: Order, folder: Path, call: UpstreamCall, place: Place
    ) -> UpstreamCall:
        """Send the call once more under its name, by which the upstream knows that it is the same.

        Raises:
            UpstreamError: SUBMIT_AMBIGUOUS, charged: whatever is answered but an id.
        """
        pause = _REPEAT_PAUSE_S
        for left in range(_REPEATS - 1, -1, -1):
            try:
                media = await self._deliverer.give(order, place.credential, folder)
                return await self._post(self._wire.create(order, media), call, place.credential)
            except (NotSent, NoAnswer):
                pass
            except (CallerError, UpstreamError) as error:
                # A refusal now says nothing about the first time.
                if not left or not isinstance(error, UpstreamError):
                    raise ambiguous(error.message) from error
            await asyncio.sleep(pause)
            pause *= 3
        raise ambiguous("It does not answer any more.")


def _unreachable() -> UpstreamError:
    return UpstreamError(
        ErrorCode.UPSTREAM_FAILED, "The upstream cannot be reached.", retriable=True
    )


def ambiguous(reason: str) -> UpstreamError:
    """The error for a task that may be at the upstream under an id that nobody knows."""
    return UpstreamError(
        ErrorCode.SUBMIT_AMBIGUOUS,
        f"Nobody knows whether the upstream has the task. {reason}",
        is_charged=True,
    )
