"""When freed memory goes back to the system, and what the collector need not look at."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import time
from pathlib import Path

_EVERY_S = 1.5
_QUIET_SHARE = 0.03  # of one core; an idle server takes a third of it
_QUIET_LOOKS = 2
_MOST_LOOKS = 40
_GROWTH_BYTES = 8 * 1024 * 1024
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1  # malloc.h
_KEPT_BYTES = 32 * 1024 * 1024
_STATM = Path("/proc/self/statm")


def give_back() -> bool:
    """Return the free pages of all heaps to the system; a few milliseconds.

    glibc raises its threshold for separate mappings with every large buffer that is freed: after
    one body of 14 MiB the following ones live in heaps, one for each thread, that hardly ever
    shrink (33 MiB kept for good after 10,000 hostile requests). A low threshold would cost each
    of them its page faults; `keep_for_a_while` sets a high one, and this gives back.

    Returns:
        False where the C library has no such call.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):
        return False
    return True


def keep_for_a_while() -> bool:
    """Let freed memory stay with the process until `give_back`.

    glibc maps every large buffer anew, and each of its pages costs a fault: 12,800 of them for a
    picture of 10 MiB, which was half of the processor time of taking it in. The first value is the
    highest that glibc takes, the second its own highest.

    Returns:
        False where the C library has no such call.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(
        set_option(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        and set_option(_M_TRIM_THRESHOLD, 4 * _KEPT_BYTES)
    )


def spare_the_collector() -> None:
    """Leave what is alive now out of every later garbage collection.

    Modules, tables and routes live as long as the process. A full collection that looks through
    them holds the event loop for tens of milliseconds (69 with 137,000 objects, on a busy machine).
    """
    gc.collect()
    gc.freeze()


async def give_back_after_bursts() -> None:
    """Keep memory during bursts and give it back after them; ends when it is canceled.

    A burst is over when the process has hardly worked for a while; one that never ends gives back
    now and then. What is still in use at that moment may be free a little later, so a process that
    stays above its lowest is tried again.
    """
    keep_for_a_while()
    spare_the_collector()
    lowest = known = _resident_bytes()
    looks = quiet = 0
    used_s = time.process_time()
    while True:
        await asyncio.sleep(_EVERY_S)
        now, before_s, used_s = _resident_bytes(), used_s, time.process_time()
        lowest, looks = min(lowest, now), looks + 1
        quiet = quiet + 1 if used_s - before_s < _QUIET_SHARE * _EVERY_S else 0
        is_over = quiet >= _QUIET_LOOKS and now > known + _GROWTH_BYTES
        if is_over or (looks >= _MOST_LOOKS and now > lowest + _GROWTH_BYTES):
            if not await asyncio.to_thread(give_back):
                return
            known, looks, quiet = _resident_bytes(), 0, 0
            lowest = min(lowest, known)


def _resident_bytes() -> int:
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
