"""Giving freed memory back to the system; glibc alone keeps it for good."""

from __future__ import annotations

import asyncio
import ctypes
import os
from pathlib import Path

_EVERY_S = 3.0
_RETRY_AFTER = 5
_GROWTH_BYTES = 8 * 1024 * 1024
_STATM = Path("/proc/self/statm")


def give_back() -> bool:
    """Return the free pages of all heaps to the system; a few milliseconds.

    glibc raises its threshold for separate mappings with every large buffer that is freed: after
    one body of 14 MiB the following ones live in heaps, one for each thread, that hardly ever
    shrink (33 MiB kept for good after 10,000 hostile requests). Fixing the threshold would cost
    each of them its page faults again: 82 ms instead of 64 for a picture of 10 MiB.

    Returns:
        False where the C library has no such call.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):
        return False
    return True


async def give_back_after_bursts() -> None:
    """Give memory back whenever the process has grown; ends when it is canceled.

    What is still in use at that moment may be free a little later, so a process that stays above
    its lowest is tried again now and then.
    """
    lowest = known = _resident_bytes()
    waited = 0
    while True:
        await asyncio.sleep(_EVERY_S)
        now = _resident_bytes()
        lowest, waited = min(lowest, now), waited + 1
        is_due = waited >= _RETRY_AFTER and now > lowest + _GROWTH_BYTES
        if is_due or now > known + _GROWTH_BYTES:
            if not await asyncio.to_thread(give_back):
                return
            known, waited = _resident_bytes(), 0
            lowest = min(lowest, known)


def _resident_bytes() -> int:
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
