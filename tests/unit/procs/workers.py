"""A worker module whose methods do everything that an engine may do wrong."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kinogate.domain.errors import CallerError, ErrorCode, UpstreamError
from kinogate.procs.protocol import Method, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A word to play with."""

    text: str
    times: int = 1


def echo(args: Text, report: Report) -> str:
    print("a library prints")
    os.write(1, b"and so does C\n")
    return args.text * args.times


def who(args: None, report: Report) -> int:
    return os.getpid()


def steps(args: int, report: Report) -> int:
    for step in range(args):
        report("drawing", step / args)
        time.sleep(0.06)
    report("done", 1.0)
    return args


def linger(args: str, report: Report) -> None:
    """Reports for ever; writes a file when it is stopped."""
    try:
        while True:
            try:
                report("waiting", 0.0)
                time.sleep(0.01)
            except Exception:  # noqa: BLE001 - an engine that swallows faults
                continue
    finally:
        Path(args).write_text("stopped")


def deaf(args: None, report: Report) -> None:
    report("deaf", 0.0)
    time.sleep(60)


def hold_the_lock(args: None, report: Report) -> None:
    ctypes.PyDLL(None).sleep(60)


def die(args: int, report: Report) -> None:
    os.kill(os.getpid(), args)


def leave(args: int, report: Report) -> None:
    os._exit(args)


def crash(args: None, report: Report) -> None:
    raise ZeroDivisionError("secret detail")


def refuse(args: None, report: Report) -> None:
    raise CallerError(ErrorCode.MEDIA_FORMAT, "No.", field="first_frame")


def outage(args: None, report: Report) -> None:
    raise UpstreamError(
        ErrorCode.UPSTREAM_FAILED, "Gone.", retriable=True, upstream_code="E7", retry_after_s=9
    )


def swell(args: int, report: Report) -> int:
    return len(bytearray(args))


def spin(args: None, report: Report) -> None:
    while True:
        pass


def fill(args: str, report: Report) -> None:
    Path(args).write_bytes(bytes(4_000_000))


def nonsense(args: None, report: Report) -> str:
    return "not a number"


def dial(args: int, report: Report) -> str:
    try:
        socket.create_connection(("127.0.0.1", args), timeout=2).close()
    except OSError:
        return "cut off"
    return "connected"


def surroundings(args: None, report: Report) -> dict[str, str]:
    return dict(os.environ) | {
        "core": str(resource.getrlimit(resource.RLIMIT_CORE)[0]),
        "nice": str(os.nice(0)),
        "sigint": str(signal.getsignal(signal.SIGINT) is signal.SIG_IGN),
        "stdin": sys.stdin.read(),
        "fds": ",".join(entry.name for entry in Path("/proc/self/fd").iterdir()),
    }


METHODS: Mapping[str, Method] = {
    "echo": Method(Text, echo),
    "who": Method(None, who),
    "steps": Method(int, steps),
    "linger": Method(str, linger),
    "deaf": Method(None, deaf),
    "hold_the_lock": Method(None, hold_the_lock),
    "die": Method(int, die),
    "leave": Method(int, leave),
    "crash": Method(None, crash),
    "refuse": Method(None, refuse),
    "outage": Method(None, outage),
    "swell": Method(int, swell),
    "spin": Method(None, spin),
    "fill": Method(str, fill),
    "nonsense": Method(None, nonsense),
    "dial": Method(int, dial),
    "surroundings": Method(None, surroundings),
}
