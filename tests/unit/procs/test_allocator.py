"""Memory goes back after large buffers, also after threads held them."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import threading
from pathlib import Path
from kinogate.procs.allocator import give_back

def rss():
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in x)
    return int(line.split()[1])

kept = []

def burst():
    pieces = [b"x" * (60_000 + number) for number in range(600)]
    kept.append(pieces[-1])  # pins the end of this thread's heap

before = rss()
threads = [threading.Thread(target=burst) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
grown = rss() - before
assert give_back() and give_back()
print(grown, rss() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_what_a_burst_left_goes_back_to_the_system() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    grown, left = map(int, done.stdout.split())
    assert left < grown / 4


_STEADY = """
import resource
from kinogate.procs.allocator import give_back, keep_for_a_while

assert keep_for_a_while()

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def bodies():
    for _ in range(20):
        bytes(14 * 2**20)

bodies()
before = faults()
bodies()
steady = faults() - before
assert give_back()
bodies()
print(steady, faults() - before - steady)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_a_large_buffer_costs_its_pages_once_and_not_each_time() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STEADY], capture_output=True, text=True, check=True, timeout=60
    )
    steady, after_giving_back = map(int, done.stdout.split())
    assert steady < 500
    assert after_giving_back > 3_000


def test_what_lives_as_long_as_the_process_is_not_looked_through_again() -> None:
    program = (
        "import gc\n"
        "from kinogate.procs.allocator import spare_the_collector\n"
        "spare_the_collector()\n"
        "print(len(gc.get_objects()), gc.get_freeze_count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    watched, spared = map(int, done.stdout.split())
    assert watched < 100 < spared
