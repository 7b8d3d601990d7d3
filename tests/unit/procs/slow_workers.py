"""A worker module that takes as long to import as one that computes on a device."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.procs.protocol import Method, Report, Spent

time.sleep(float(os.environ.get("SLOW_IMPORT_S", "0")))


def who(args: None, report: Report) -> int:
    return os.getpid()


def deaf(args: None, report: Report) -> None:
    report("denoise", 0.5)
    time.sleep(60)


def halt(args: None, report: Report) -> None:
    """Reports until it is told to stop."""
    while True:
        report("denoise", 0.5)
        time.sleep(0.01)


def spoil(args: None, report: Report) -> None:
    raise Spent(InternalError(ErrorCode.ENGINE_FAILED, "The device has lost its memory."))


METHODS: Mapping[str, Method] = {
    "who": Method(None, who),
    "deaf": Method(None, deaf),
    "halt": Method(None, halt),
    "spoil": Method(None, spoil),
}
