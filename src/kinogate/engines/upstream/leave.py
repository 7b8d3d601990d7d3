"""What becomes of the upstream's task when nobody here waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from kinogate.domain.engine import CallState, UpstreamCall, UpstreamJournal
from kinogate.domain.errors import UpstreamError
from kinogate.engines.upstream.client import Client, NoAnswer, NotSent
from kinogate.engines.upstream.credentials import Credential
from kinogate.engines.upstream.wire import Ask, Phase, Wire

log = structlog.get_logger(__name__)

IsWanted = Callable[[str], Awaitable[bool]]
_OVER = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELED, Phase.GONE})
_OK = range(200, 300)


async def unwanted(_task_id: str) -> bool:
    """What is assumed of a canceled run where nobody can say: its task is not wanted."""
    return False


class Leaver:
    """Cancels at the upstream, where it can be done and is meant.

    Args:
        wire: The upstream's API.
        client: Sends the calls.
        journal: Where a call is marked as ended once that is known.
        is_wanted: Whether a task is still to be made. When this server shuts down its runs are
            canceled too, but their tasks go on: the next start takes them up from the journal.
        timeout_s: For everything, seconds.
    """

    def __init__(
        self,
        wire: Wire,
        client: Client,
        journal: UpstreamJournal,
        *,
        is_wanted: IsWanted | None,
        timeout_s: float,
    ) -> None:
        self._wire = wire
        self._client = client
        self._journal = journal
        self._is_wanted = is_wanted or unwanted
        self._timeout_s = timeout_s
        self._tasks: set[asyncio.Task[Any]] = set()

    def keep(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something that a canceled caller must not take with it; `close` waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen: its waiter may have been canceled

    async def close(self) -> None:
        """Wait for what is under way, which ends by itself soon; safe to call twice."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=self._timeout_s)
        for task in list(self._tasks):
            task.cancel()

    async def leave(self, call: UpstreamCall, credential: Credential, model: str) -> None:
        """Stop the upstream's task, unless ours is still wanted; raises nothing.

        A second cancellation of the caller is let through at once; the work here goes on.
        """
        await asyncio.shield(self.keep(self._leave(call, credential, model)))

    async def abandon(self, task_id: str, engine: str) -> None:
        """Say that a create call was under way, and nobody will know what it has started."""
        if not await self._is_wanted(task_id):
            log.warning(
                "upstream task may go on: canceled before its id was known",
                task_id=task_id,
                engine=engine,
            )

    async def _leave(self, call: UpstreamCall, credential: Credential, model: str) -> None:
        if await self._is_wanted(call.task_id):
            log.info("upstream task goes on", task_id=call.task_id, engine=call.engine)
        else:
            await self.stop(call, credential, model)

    async def stop(self, call: UpstreamCall, credential: Credential, model: str) -> None:
        """Stop the upstream's task, wanted or not; raises nothing but cancellation."""
        told = {"task_id": call.task_id, "engine": call.engine, "upstream_id": call.upstream_id}
        ask = self._wire.cancel(call.upstream_id or "")
        if ask is None:
            log.warning("upstream task goes on: it cannot be canceled there", **told)
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                is_over = await self._canceled(ask, call, credential, model)
        except (TimeoutError, NotSent, NoAnswer, UpstreamError) as exc:
            log.warning("upstream task may go on: canceling failed", reason=str(exc), **told)
            return
        if is_over:
            await self._journal.mark(call, CallState.ENDED)
            log.info("upstream task canceled", **told)
        else:
            log.warning("upstream task may go on: canceling was not confirmed", **told)

    async def _canceled(
        self, ask: Ask, call: UpstreamCall, credential: Credential, model: str
    ) -> bool:
        """Whether the upstream's task has ended: asked to, and looked at once more."""
        answer = await self._client.send(ask, credential, timeout_s=self._timeout_s)
        if answer.status not in _OK:
            return False
        look = self._wire.poll(call.upstream_id or "", model)
        seen = await self._client.send(look, credential, timeout_s=self._timeout_s)
        return self._wire.read_poll(seen).phase in _OVER
