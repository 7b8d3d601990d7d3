"""One child process as its parent sees it, from its first frame to its last word.

The pool in `host` decides who works when; here is what one child said and how it ended.
"""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.procs.protocol import (
    LENGTH_BYTES,
    Beat,
    Progress,
    Ready,
    Result,
    ToChild,
    ToParent,
    body_length,
    error_of,
    pack,
)

OnProgress = Callable[[str, float], None]

_LEAVE_S = 0.5
_FRAMES = msgspec.msgpack.Decoder(ToParent)


@dataclass(slots=True)
class Pending:
    """The call that a child is busy with.

    Attributes:
        id: Unique in the pool.
        answer: What the caller waits for.
        on_progress: Told of each progress frame, or None.
        stage: The last stage that was reported, "" before the first.
        heard_s: When that was, in the loop's time.
    """

    id: int
    answer: asyncio.Future[Result]
    on_progress: OnProgress | None
    stage: str
    heard_s: float


class ChildProcess:
    """One process and what is known of it.

    Attributes:
        process: The process itself; reaped by `listen`.
        ready: Done when its module is imported; an InternalError when that failed.
        pending: The call it is at, or None.
        listener: The task that runs `listen`.
        idle_timer: Runs while it is idle.
        calls: How many it was given.
        is_spent: Whether it may not get another one.
        was_killed: Whether it was us who ended it.
    """

    def __init__(self, process: Process) -> None:
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("The child was started without pipes.")
        self.process = process
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pending: Pending | None = None
        self.listener: asyncio.Task[None] | None = None
        self.idle_timer: asyncio.TimerHandle | None = None
        self.calls = 0
        self.is_spent = False
        self._stdin = stdin
        self._stdout = stdout
        self._body_length: int | None = None
        self.was_killed = False

    @property
    def is_living(self) -> bool:
        """Whether it could take a call, as far as we know."""
        return not self.is_spent and self.process.returncode is None

    def send(self, frame: ToChild) -> None:
        """Write a frame; one to a child that is gone is lost."""
        self._stdin.write(pack(frame))

    def dismiss(self) -> None:
        """Close its input; it leaves by itself when it sees that."""
        self.is_spent = True
        self._stdin.close()

    def kill(self) -> None:
        """End it now. Calling again changes nothing."""
        self.is_spent = True
        if self.process.returncode is None:
            self.was_killed = True
            self.process.kill()

    async def listen(self, silence_s: float) -> int:
        """Read until the child is gone, reap it and tell whoever waits.

        Args:
            silence_s: Without any frame after which it counts as hung and is killed.

        Returns:
            Its exit code; negative is the signal that ended it.
        """
        reason = ""
        silences = 0
        try:
            while True:
                try:
                    self._take(await self._read(silence_s / 2))
                    silences = 0
                except TimeoutError:
                    # Twice: after a long pause of our own loop the first timeout proves nothing.
                    silences += 1
                    if silences == 2:
                        reason = "The engine process fell silent."
                        self.kill()
                        break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the end of the pipe is how every child ends
        except (msgspec.DecodeError, ValueError):
            reason = "The engine process spoke nonsense."
        finally:
            code = await self._reap()
            self._fail(reason or self._cause(code))
        return code

    async def _read(self, silence_s: float) -> ToParent:
        """The next frame; after a TimeoutError reading goes on where it stopped."""
        async with asyncio.timeout(silence_s):
            if self._body_length is None:
                self._body_length = body_length(await self._stdout.readexactly(LENGTH_BYTES))
            body = await self._stdout.readexactly(self._body_length)
        self._body_length = None
        frame: ToParent = _FRAMES.decode(body)
        return frame

    def _take(self, frame: ToParent) -> None:
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

    def _report(self, pending: Pending, frame: Progress) -> None:
        pending.stage, pending.heard_s = frame.stage, asyncio.get_running_loop().time()
        if pending.on_progress is None:
            return
        try:
            pending.on_progress(frame.stage, frame.share)
        except Exception as exc:  # noqa: BLE001 - belongs to the caller of the call, not to us
            self.is_spent = True
            pending.answer.set_exception(exc)

    async def _reap(self) -> int:
        """Wait for the process to be gone; it closed its pipe, so it gets a moment to leave."""
        self.is_spent = True
        try:
            # A kill at this very moment would race the event loop for the exit code.
            return await asyncio.wait_for(self.process.wait(), _LEAVE_S)
        except TimeoutError:
            self.kill()
            return await self.process.wait()

    def _cause(self, code: int) -> str:
        """How it ended, in one sentence; what the operator does about it differs."""
        if code == -signal.SIGKILL and not self.was_killed:
            return "The engine process was killed from outside, probably because memory ran out."
        if code == -signal.SIGXCPU:
            return "The engine process used more processor time than it may."
        if code < 0 and not self.was_killed:
            return f"The engine process crashed ({signal_name(-code)})."
        return "The engine process ended unexpectedly."

    def _fail(self, message: str) -> None:
        """End whatever waits for this child."""
        if not self.ready.done():
            self.ready.set_exception(InternalError(ErrorCode.UNAVAILABLE, message))
        if not self.ready.cancelled():
            self.ready.exception()  # seen: nobody may be waiting for it any more
        if self.pending is not None and not self.pending.answer.done():
            self.pending.answer.set_exception(InternalError(ErrorCode.ENGINE_FAILED, message))


def signal_name(number: int) -> str:
    """`SIGSEGV` and the like; the number where it has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
