"""The child's side: `python -m kinogate.procs.child '{"module": …}'`.

Imports one worker module, runs the calls that come in on stdin one after another on the main
thread, and answers on what was stdout; whatever a library prints goes to stderr. Two threads
stand by: one reads (and ends the process when the parent is gone), one sends heartbeats. A module
that takes hints has a third.
"""

from __future__ import annotations

import importlib
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Mapping

import msgspec

from kinogate.domain.errors import ErrorCode, InternalError, KinogateError
from kinogate.procs.confine import allow_cpu, close_inherited, confine, follow_to_death
from kinogate.procs.protocol import (
    BEAT_S,
    LENGTH_BYTES,
    Beat,
    Call,
    Cancel,
    Hint,
    Method,
    Progress,
    Ready,
    Result,
    Spent,
    Start,
    ToChild,
    ToParent,
    body_length,
    failure_of,
    pack,
)

_REPORT_EVERY_S = 0.05


class CallCanceled(BaseException):
    """Raised by a report after the parent gave up the call.

    Not an `Exception`, so that an engine's own error handling cannot mistake it for a fault.
    """


class _Channel:
    """Both pipes and the flag of a canceled call, shared by the three threads."""

    def __init__(self, in_fd: int, out_fd: int) -> None:
        self.calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self.hints: queue.SimpleQueue[Hint] = queue.SimpleQueue()
        self._in = os.fdopen(in_fd, "rb")
        self._out_fd = out_fd
        self._lock = threading.Lock()
        self._canceled_id = 0

    def send(self, frame: ToParent) -> None:
        view = memoryview(pack(frame))
        with self._lock:
            try:
                while view:
                    view = view[os.write(self._out_fd, view) :]
            except OSError:
                os._exit(0)  # nobody listens any more

    def is_canceled(self, call_id: int) -> bool:
        return self._canceled_id == call_id

    def listen(self) -> None:
        """Read frames until the parent closes the pipe, then end the process at once."""
        decoder = msgspec.msgpack.Decoder(ToChild)
        try:
            while prefix := self._in.read(LENGTH_BYTES):
                frame = decoder.decode(self._in.read(body_length(prefix)))
                if isinstance(frame, Cancel):
                    self._canceled_id = frame.id
                elif isinstance(frame, Hint):
                    self.hints.put(frame)
                else:
                    self.calls.put(frame)
        finally:
            # Not sys.exit: the main thread may sit in a decoder that never returns.
            os._exit(0)

    def beat(self) -> None:
        while True:
            time.sleep(BEAT_S)
            self.send(Beat())


def main(argument: str) -> None:
    """Serve calls until the parent closes our stdin; never returns."""
    close_inherited()
    start = msgspec.json.decode(argument, type=Start)
    confine(start.limits)
    follow_to_death(start.parent_pid)  # after `confine`: a new user namespace forgets it
    channel = _Channel(*_take_pipes())
    threading.stack_size(256 * 1024)  # two small threads must not cost 16 MiB of address space
    for work in (channel.listen, channel.beat):
        threading.Thread(target=work, daemon=True).start()
    threading.stack_size(0)
    module = importlib.import_module(start.module)
    methods: Mapping[str, Method] = module.METHODS
    hint: Method | None = getattr(module, "HINT", None)
    if hint is not None:
        threading.Thread(target=_heed, args=(hint, channel), daemon=True).start()
    channel.send(Ready())
    while True:
        call = channel.calls.get()
        allow_cpu(start.limits.cpu_s)
        channel.send(_answer(call, methods, channel))


def _heed(method: Method, channel: _Channel) -> None:
    """Take hints, the newest only; nobody waits for them, so a fault is no more than a line."""
    while True:
        hint = channel.hints.get()
        while not channel.hints.empty():
            hint = channel.hints.get()
        try:
            method.run(msgspec.msgpack.decode(hint.args, type=method.args_type), _unheard)
        except Exception:  # noqa: BLE001 - the call that it was for will meet the same and tell
            traceback.print_exc(file=sys.stderr)


def _unheard(_stage: str, _share: float) -> None:
    """The report of a hint."""


def _take_pipes() -> tuple[int, int]:
    """Keep stdin and stdout for ourselves and point the well-known numbers elsewhere."""
    in_fd, out_fd = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return in_fd, out_fd


def _answer(call: Call, methods: Mapping[str, Method], channel: _Channel) -> ToParent:
    last_stage, last_s = "", 0.0

    def report(stage: str, share: float) -> None:
        nonlocal last_stage, last_s
        if channel.is_canceled(call.id):
            raise CallCanceled
        now_s = time.monotonic()
        if stage == last_stage and share < 1.0 and now_s - last_s < _REPORT_EVERY_S:
            return
        last_stage, last_s = stage, now_s
        channel.send(Progress(call.id, stage, share))

    try:
        method = methods[call.name]
        args = msgspec.msgpack.decode(call.args, type=method.args_type)
        value = msgspec.msgpack.encode(method.run(args, report))
        return Result(call.id, msgspec.Raw(value))
    except KinogateError as error:
        return failure_of(call.id, error)
    except Spent as spent:
        return msgspec.structs.replace(failure_of(call.id, spent.error), is_fatal=True)
    except CallCanceled:
        return failure_of(call.id, InternalError(ErrorCode.CANCELED, "The call was canceled."))
    except Exception:  # noqa: BLE001 - the border: whatever it was, the parent gets one plain word
        traceback.print_exc(file=sys.stderr)
        fault = InternalError(ErrorCode.ENGINE_FAILED, "The engine failed.")
        return msgspec.structs.replace(failure_of(call.id, fault), is_fatal=True)


if __name__ == "__main__":
    main(sys.argv[1])
