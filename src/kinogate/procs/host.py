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
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import structlog

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.procs.protocol import (
    LENGTH_BYTES,
    Beat,
    Call,
    Cancel,
    Limits,
    Progress,
    Ready,
    Result,
    Start,
    ToParent,
    body_length,
    error_of,
    pack,
)

T = TypeVar("T")
OnProgress = Callable[[str, float], None]

_log = structlog.get_logger()
_PASSED_ON = (
    "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SYSTEMROOT", "TMPDIR", "TZ"
)  # fmt: skip
_LEAVE_S = 0.5
_FRAMES = msgspec.msgpack.Decoder(ToParent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the host waits for what, seconds.

    Attributes:
        start_s: For a child to import its module.
        grace_s: Between asking a call to stop and killing its child.
        silence_s: Without any frame before a child counts as hung.
        idle_s: Before an idle child beyond the first is closed.
        recycle_after: Calls after which a child is replaced; decoders leak.
    """

    start_s: float = 60.0
    grace_s: float = 1.5
    silence_s: float = 20.0
    idle_s: float = 60.0
    recycle_after: int = 500


@dataclass(slots=True)
class _Pending:
    """The call that a child is busy with."""

    id: int
    answer: asyncio.Future[Result]
    on_progress: OnProgress | None


class _Child:
    """One process, from its first frame to its last."""

    def __init__(self, process: Process) -> None:
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("The child was started without pipes.")
        self.process = process
        self.stdin = stdin
        self.stdout = stdout
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pending: _Pending | None = None
        self.listener: asyncio.Task[None] | None = None
        self.idle_timer: asyncio.TimerHandle | None = None
        self.calls = 0
        self.is_spent = False
        self._body_length: int | None = None

    def send(self, frame: Call | Cancel) -> None:
        self.stdin.write(pack(frame))

    async def read(self, silence_s: float) -> ToParent:
        """The next frame; after a TimeoutError reading goes on where it stopped."""
        async with asyncio.timeout(silence_s):
            if self._body_length is None:
                self._body_length = body_length(await self.stdout.readexactly(LENGTH_BYTES))
            body = await self.stdout.readexactly(self._body_length)
        self._body_length = None
        frame: ToParent = _FRAMES.decode(body)
        return frame

    def kill(self) -> None:
        self.is_spent = True
        if self.process.returncode is None:
            self.process.kill()

    def take(self, frame: ToParent) -> None:
        """Hand a frame to whoever waits for it; frames of a call given up fall to the floor."""
        if isinstance(frame, Ready) and not self.ready.done():
            self.ready.set_result(None)
        pending = self.pending
        if isinstance(frame, Ready | Beat) or pending is None or frame.id != pending.id:
            return
        if pending.answer.done():
            return
        if isinstance(frame, Progress):
            self._report(pending, frame)
        elif isinstance(frame, Result):
            pending.answer.set_result(frame)
        else:
            self.is_spent = self.is_spent or frame.is_fatal
            pending.answer.set_exception(error_of(frame))

    def _report(self, pending: _Pending, frame: Progress) -> None:
        if pending.on_progress is None:
            return
        try:
            pending.on_progress(frame.stage, frame.share)
        except Exception as exc:  # noqa: BLE001 - belongs to the caller of the call, not to us
            self.is_spent = True
            pending.answer.set_exception(exc)

    def fail(self, message: str) -> None:
        """End whatever waits for this child."""
        self.is_spent = True
        if not self.ready.done():
            self.ready.set_exception(InternalError(ErrorCode.UNAVAILABLE, message))
        if self.pending is not None and not self.pending.answer.done():
            self.pending.answer.set_exception(InternalError(ErrorCode.ENGINE_FAILED, message))


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
        env: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Prepare a pool; nothing runs before `start` or the first call.

        Args:
            module: Importable name of a module with `METHODS: Mapping[str, Method]`.
            slots: Most children at a time, at least 1.
            limits: What each child may use.
            env: Added to the few variables that a child gets.
            patience: Waiting times.
        """
        self._module = module
        self._limits = limits
        self._env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        # glibc reserves 64 MiB of addresses for each thread's arena; limits would be eaten by it.
        self._env |= {"MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1"} | dict(env or {})
        self._patience = patience or Patience()
        self._slots = asyncio.Semaphore(slots)
        self._ids = itertools.count(1)
        self._children: set[_Child] = set()
        self._idle: list[_Child] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def start(self) -> None:
        """Have one child warm; returns when it is. Calling again changes nothing.

        Raises:
            InternalError: `UNAVAILABLE`: the worker module does not start.
        """
        if not self._children:
            self._rest(await self._spawn())

    async def call(
        self,
        name: str,
        args: object,
        result_type: type[T],
        *,
        timeout_s: float,
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
            on_progress: Called on the event loop, at most 20 times a second.

        Raises:
            KinogateError: As the method raised it.
            InternalError: `ENGINE_FAILED` when the child died or raised anything else,
                `TIMED_OUT`, or `UNAVAILABLE` after `close` and when no child starts.
        """
        await self._slots.acquire()
        try:
            child = await self._take()
        except BaseException:
            self._slots.release()
            raise
        call_id = next(self._ids)
        loop = asyncio.get_running_loop()
        pending = _Pending(call_id, loop.create_future(), on_progress)
        child.pending, child.calls = pending, child.calls + 1
        try:
            child.send(Call(call_id, name, msgspec.Raw(msgspec.msgpack.encode(args))))
            async with asyncio.timeout(timeout_s):
                result = await asyncio.shield(pending.answer)
        except (TimeoutError, asyncio.CancelledError) as exc:
            # A task of its own: a second cancellation must not leave the child at work.
            await asyncio.shield(self._spawn_task(self._stop(child, pending)))
            if isinstance(exc, TimeoutError):
                raise InternalError(
                    ErrorCode.TIMED_OUT, f"The engine did not finish within {timeout_s:g} seconds."
                ) from exc
            raise
        except BaseException:
            self._give_back(child)
            raise
        self._give_back(child)
        try:
            return msgspec.msgpack.decode(result.value, type=result_type)
        except msgspec.ValidationError as exc:
            raise InternalError(ErrorCode.ENGINE_FAILED, "The engine answered nonsense.") from exc

    async def close(self) -> None:
        """End every child and everything that waits for one. Safe to call twice."""
        self._is_closed = True
        for child in self._children:
            child.stdin.close()  # the child leaves when it sees the end of its input
            if child.idle_timer is not None:
                child.idle_timer.cancel()
        listeners = [child.listener for child in self._children if child.listener is not None]
        if listeners:
            _, late = await asyncio.wait(listeners, timeout=self._patience.grace_s)
            for child in list(self._children):
                child.kill()
            if late:
                await asyncio.wait(late)
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _take(self) -> _Child:
        """The child used last, so that the others may grow old; or a new one."""
        while self._idle:
            child = self._idle.pop()
            if child.idle_timer is not None:
                child.idle_timer.cancel()
            if not child.is_spent and child.process.returncode is None:
                return child
        return await self._spawn()

    async def _spawn(self) -> _Child:
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
        child = _Child(process)
        self._children.add(child)
        child.listener = asyncio.create_task(self._listen(child))
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

    async def _listen(self, child: _Child) -> None:
        """Read until the child is gone, then reap it and tell whoever waits."""
        reason = "The engine process ended unexpectedly."
        silences = 0
        try:
            while True:
                try:
                    child.take(await child.read(self._patience.silence_s / 2))
                    silences = 0
                except TimeoutError:
                    # Twice: after a long pause of our own loop the first timeout proves nothing.
                    silences += 1
                    if silences == 2:
                        reason = "The engine process fell silent."
                        child.kill()
                        break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the end of the pipe is how every child ends
        except (msgspec.DecodeError, ValueError):
            reason = "The engine process spoke nonsense."
        finally:
            code = await self._reap(child)
            if child in self._idle:
                self._idle.remove(child)
            was_ready = child.ready.done() and not child.ready.cancelled()
            child.fail(reason)
            child.ready.exception()  # seen: nobody may be waiting for it any more
        if not self._is_closed:
            _log.info("child_ended", module=self._module, exit_code=code, calls=child.calls)
            if was_ready and not self._living():
                _ = self._spawn_task(self._warm_up())

    async def _reap(self, child: _Child) -> int:
        """Wait for the process to be gone; it closed its pipe, so it gets a moment to leave."""
        child.is_spent = True
        try:
            # A kill at this very moment would race the event loop for the exit code.
            return await asyncio.wait_for(child.process.wait(), _LEAVE_S)
        except TimeoutError:
            child.kill()
            return await child.process.wait()
        finally:
            self._children.discard(child)

    def _living(self) -> list[_Child]:
        return [child for child in self._children if not child.is_spent]

    async def _stop(self, child: _Child, pending: _Pending) -> None:
        """End a call that nobody waits for, the child with it if it does not listen."""
        if child.process.returncode is None:
            child.send(Cancel(pending.id))
            await asyncio.wait([pending.answer], timeout=self._patience.grace_s)
        if not pending.answer.done():
            child.kill()
            await asyncio.wait([pending.answer])
        pending.answer.exception()  # seen: nobody waits for it
        self._give_back(child)

    def _give_back(self, child: _Child) -> None:
        child.pending = None
        self._slots.release()
        if child.is_spent or child.calls >= self._patience.recycle_after:
            child.kill()
        else:
            self._rest(child)

    def _rest(self, child: _Child) -> None:
        self._idle.append(child)
        loop = asyncio.get_running_loop()
        child.idle_timer = loop.call_later(self._patience.idle_s, self._retire, child)

    def _retire(self, child: _Child) -> None:
        """Close a child that has been idle for long, unless it is the last one."""
        if child in self._idle and len(self._living()) > 1:
            self._idle.remove(child)
            child.kill()

    async def _warm_up(self) -> None:
        """Replace the last child, so that the next call finds one."""
        try:
            self._rest(await self._spawn())
        except InternalError as exc:
            _log.warning("child_does_not_start", module=self._module, reason=exc.message)

    def _spawn_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
