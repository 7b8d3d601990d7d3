"""The parent's side: a small pool of child processes behind one awaitable `call`.

A child that crashes, hangs, falls silent or is given up is killed and replaced; the caller sees a
`KinogateError` and nothing else. Belongs to one event loop. What a child may use is `Limits`, and
of our environment it sees only the names listed here: no key of ours ever reaches a decoder.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import structlog

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.procs.process import ChildProcess, OnProgress, Pending
from kinogate.procs.protocol import Call, Cancel, Hint, Limits, Result, Start

T = TypeVar("T")

_log = structlog.get_logger()
_PASSED_ON = (
    "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SYSTEMROOT", "TMPDIR", "TZ"
)  # fmt: skip
_MOST_UNUSED_DEATHS = 3
"""After which idle children are no longer replaced: something ends each of them at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the host waits for what, seconds.

    Attributes:
        start_s: For a child to import its module.
        grace_s: Between asking a call to stop and killing its child.
        silence_s: Without any frame before a child counts as hung.
        idle_s: Before an idle child beyond the first and the spares is closed.
        recycle_after: Calls after which a child is replaced; decoders leak.
    """

    start_s: float = 60.0
    grace_s: float = 1.5
    silence_s: float = 20.0
    idle_s: float = 60.0
    recycle_after: int = 500


class _Overrun(Exception):
    """A call took too long; the text says in what way."""

    def __init__(self, text: str, *, is_stalled: bool = False) -> None:
        super().__init__(text)
        self.is_stalled = is_stalled


class ChildHost:
    """Runs the methods of one worker module in up to `slots` child processes.

    Use it from one event loop. Calls beyond `slots` wait their turn in order.
    """

    def __init__(
        self,
        module: str,
        *,
        slots: int,
        limits: Limits,
        spares: int = 0,
        env: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Prepare a pool; nothing runs before `start` or the first call.

        Args:
            module: Importable name of a module with `METHODS: Mapping[str, Method]`.
            slots: Most calls at a time, at least 1.
            limits: What each child may use.
            spares: Children kept started and imported beyond those at work, so that the call
                after a kill need not wait for an import; a pool at rest keeps one more.
            env: Added to the few variables that a child gets.
            patience: Waiting times.
        """
        self._module = module
        self._limits = limits
        self._spares = spares
        self._env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        # glibc reserves 64 MiB of addresses for each thread's arena; limits would be eaten by it.
        self._env |= {"MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1"} | dict(env or {})
        self._patience = patience or Patience()
        self._slots = asyncio.Semaphore(slots)
        self._busy = 0
        self._unused_deaths = 0  # in a row, of children that died idle
        self._ids = itertools.count(1)
        self._children: set[ChildProcess] = set()
        self._idle: list[ChildProcess] = []  # the one used last stands last
        self._coming: list[asyncio.Task[ChildProcess]] = []  # starting, and nobody waits for it
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    @property
    def idle_count(self) -> int:
        """Children that would take a call at once."""
        return sum(child.is_living for child in self._idle)

    async def start(self) -> None:
        """Have one child warm; returns when it is, the spares follow. Again changes nothing.

        Raises:
            InternalError: `UNAVAILABLE`: the worker module does not start.
        """
        if not self._children:
            self._rest(await self._take())
            self._refill()

    async def call(
        self,
        name: str,
        args: object,
        result_type: type[T],
        *,
        timeout_s: float,
        stall_s: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> T:
        """Run method `name` in a child and return what it returned.

        Cancelling the awaiting task asks the method to stop at its next report, kills the child
        after the grace, and only then lets the cancellation through: nothing is at work any more.

        Args:
            name: A key of the module's `METHODS`.
            args: Anything msgspec encodes to the method's argument type.
            result_type: What the result is decoded into.
            timeout_s: Seconds from start to result, waiting for a slot excluded.
            stall_s: Seconds without a report after which the child is killed; None for any.
            on_progress: Called on the event loop, at most 20 times a second.

        Raises:
            KinogateError: As the method raised it.
            InternalError: `ENGINE_FAILED` when the child died or raised anything else,
                `TIMED_OUT`, or `UNAVAILABLE` after `close` and when no child starts.
        """
        await self._slots.acquire()
        self._busy += 1
        try:
            child = await self._take()
        except BaseException:
            self._free_slot()
            raise
        loop = asyncio.get_running_loop()
        pending = Pending(next(self._ids), loop.create_future(), on_progress, "", loop.time())
        child.pending, child.calls = pending, child.calls + 1
        self._refill()
        try:
            child.send(Call(pending.id, name, msgspec.Raw(msgspec.msgpack.encode(args))))
            result = await _answer(pending, timeout_s, stall_s)
        except (_Overrun, asyncio.CancelledError) as exc:
            if isinstance(exc, _Overrun) and exc.is_stalled:
                child.kill()  # it has not listened for long; asking it would only take longer
            # A task of its own: a second cancellation must not leave the child at work.
            await asyncio.shield(self._spawn_task(self._stop(child, pending)))
            if isinstance(exc, _Overrun):
                raise InternalError(ErrorCode.TIMED_OUT, str(exc)) from exc
            raise
        except BaseException:
            self._give_back(child)
            raise
        self._give_back(child)
        try:
            return msgspec.msgpack.decode(result.value, type=result_type)
        except msgspec.ValidationError as exc:
            raise InternalError(ErrorCode.ENGINE_FAILED, "The engine answered nonsense.") from exc

    def hint(self, args: object) -> None:
        """Tell the children that have worked what may be wanted soon.

        A module with `HINT: Method` runs it on a thread of its own, beside the call that it is at;
        what it raises goes to its log. A hint that comes before the last one was begun replaces it.

        Args:
            args: Anything msgspec encodes to the hint's argument type.
        """
        frame = Hint(msgspec.Raw(msgspec.msgpack.encode(args)))
        for child in self._children:
            if child.calls and child.is_living:
                child.send(frame)

    async def close(self) -> None:
        """End every child and everything that waits for one. Safe to call twice."""
        self._is_closed = True
        for child in self._children:
            child.dismiss()
            if child.idle_timer is not None:
                child.idle_timer.cancel()
        listeners = self._listeners()
        if listeners:
            await asyncio.wait(listeners, timeout=self._patience.grace_s)
        # Whoever was being started has seen by now that we are closed, or sees it here.
        while self._tasks or self._children:
            for child in self._children:
                child.kill()
            await asyncio.wait([*self._tasks, *self._listeners()])

    def _listeners(self) -> list[asyncio.Task[None]]:
        return [child.listener for child in self._children if child.listener is not None]

    async def _take(self) -> ChildProcess:
        """The child used last, so that the others may grow old; or the next one that starts."""
        while self._idle:
            child = self._idle.pop()
            if child.idle_timer is not None:
                child.idle_timer.cancel()
            if child.is_living:
                return child
        if not self._coming:
            self._hire()
        coming = self._coming.pop(0)
        try:
            return await asyncio.shield(coming)
        except asyncio.CancelledError:
            # It is wanted no more here, but it is on its way: the next call may have it.
            if coming.done():
                self._welcome(coming)
            else:
                self._coming.insert(0, coming)
            raise

    def _hire(self) -> None:
        """Start one more child."""
        coming = self._spawn_task(self._spawn())
        self._coming.append(coming)
        coming.add_done_callback(self._arrived)

    def _arrived(self, coming: asyncio.Task[ChildProcess]) -> None:
        if coming in self._coming:
            self._coming.remove(coming)
            self._welcome(coming)

    def _welcome(self, coming: asyncio.Task[ChildProcess]) -> None:
        """Let a child rest that was started for nobody; first in line to grow old."""
        fault = None if coming.cancelled() else coming.exception()
        if fault is None and not coming.cancelled():
            self._rest(coming.result(), is_new=True)
        elif not self._is_closed:
            _log.warning("child_does_not_start", module=self._module, reason=str(fault))

    def _surplus(self) -> int:
        """How many children more than wanted are idle or on their way; negative when too few."""
        wanted = self._spares + (self._busy == 0)
        return self.idle_count + len(self._coming) - wanted

    def _refill(self) -> None:
        if not self._is_closed:
            for _ in range(-self._surplus()):
                self._hire()

    async def _spawn(self) -> ChildProcess:
        if self._is_closed:
            raise InternalError(ErrorCode.UNAVAILABLE, "The engine is shut down.")
        start = Start(self._module, os.getpid(), self._limits)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the working directory must not be able to replace a module
            "-m",
            "kinogate.procs.child",
            msgspec.json.encode(start).decode(),
            stdin=PIPE,
            stdout=PIPE,
            stderr=None,
            env=self._env,
        )
        child = ChildProcess(process)
        self._children.add(child)
        child.listener = asyncio.create_task(self._attend(child))
        if self._is_closed:
            child.kill()
        try:
            async with asyncio.timeout(self._patience.start_s):
                await asyncio.shield(child.ready)
        except TimeoutError as exc:
            child.kill()
            raise InternalError(ErrorCode.UNAVAILABLE, "The engine does not start.") from exc
        except BaseException:
            child.kill()
            raise
        if child.is_spent:
            raise InternalError(ErrorCode.UNAVAILABLE, "The engine does not start.")
        return child

    async def _attend(self, child: ChildProcess) -> None:
        """Listen to a child to its end, then see that another takes its place."""
        try:
            code = await child.listen(self._patience.silence_s)
        finally:
            self._children.discard(child)
            if child in self._idle:
                self._idle.remove(child)
        if self._is_closed:
            return
        _log.info("child_ended", module=self._module, exit_code=code, calls=child.calls)
        self._unused_deaths += child.calls == 0 and not child.was_killed
        # One that never started would only fail again; the next call will try.
        if child.ready.exception() is None and self._unused_deaths < _MOST_UNUSED_DEATHS:
            self._refill()

    async def _stop(self, child: ChildProcess, pending: Pending) -> None:
        """End a call that nobody waits for, the child with it if it does not listen."""
        if child.process.returncode is None:
            child.send(Cancel(pending.id))
            await asyncio.wait([pending.answer], timeout=self._patience.grace_s)
        if not pending.answer.done():
            child.kill()
            await asyncio.wait([pending.answer])
        pending.answer.exception()  # seen: nobody waits for it
        self._give_back(child)

    def _give_back(self, child: ChildProcess) -> None:
        child.pending = None
        self._unused_deaths = 0
        self._free_slot()
        if child.is_spent or child.calls >= self._patience.recycle_after:
            child.kill()
        else:
            self._rest(child)
        self._refill()

    def _free_slot(self) -> None:
        self._busy -= 1
        self._slots.release()

    def _rest(self, child: ChildProcess, *, is_new: bool = False) -> None:
        """Put a child in line; one that has worked may hold what the next call needs."""
        self._idle.insert(0 if is_new else len(self._idle), child)
        loop = asyncio.get_running_loop()
        child.idle_timer = loop.call_later(self._patience.idle_s, self._retire, child)

    def _retire(self, child: ChildProcess) -> None:
        """Close a child that has been idle for long, unless it is one of those kept."""
        if child in self._idle and self._surplus() > 0:
            self._idle.remove(child)
            child.kill()

    def _spawn_task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _answer(pending: Pending, timeout_s: float, stall_s: float | None) -> Result:
    """Wait for the answer of a call.

    Raises:
        _Overrun: It took longer than `timeout_s`, or no report came for `stall_s`.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while not pending.answer.done():
        now = loop.time()
        stalls_at = deadline if stall_s is None else pending.heard_s + stall_s
        if now >= deadline:
            raise _Overrun(f"The engine did not finish within {timeout_s:g} seconds.")
        if now >= stalls_at:
            where = f"in the stage {pending.stage}" if pending.stage else "since its start"
            text = f"The engine made no progress for {stall_s:g} seconds {where}."
            raise _Overrun(text, is_stalled=True)
        await asyncio.wait([pending.answer], timeout=min(deadline, stalls_at) - now)
    return pending.answer.result()
