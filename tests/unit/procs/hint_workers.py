"""A worker module that takes hints, and tells which it has taken."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from kinogate.procs.protocol import Method, Report

taken: list[int] = []
begun = threading.Event()
go_on = threading.Event()


def heed(number: int, report: Report) -> None:
    report("heeding", 0.0)
    if number < 0:
        raise ValueError("a hint that goes wrong")
    begun.set()
    if not taken:
        go_on.wait(10)
    taken.append(number)


def wait_for_hint(args: None, report: Report) -> bool:
    """Works while a hint is heeded beside it."""
    return begun.wait(10)


def told(count: int, report: Report) -> list[int]:
    """What was taken, once there are so many."""
    go_on.set()
    while len(taken) < count:
        report("waiting", 0.0)
        go_on.wait(0.01)
    return taken


HINT = Method(int, heed)
METHODS: Mapping[str, Method] = {
    "wait_for_hint": Method(None, wait_for_hint),
    "told": Method(int, told),
}
