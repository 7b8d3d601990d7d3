"""What the server adds to an engine's time. `python bench/gateway.py [--tasks N] [--seconds S]`.

A real server in front of an engine that takes a known time, and one task after the other: from
the submit over HTTP until a poll, made every 10 ms, shows success, less the engine's time. Once
with an engine that makes the clip's stills in passing, as ours do, and once with one that leaves
them to the gateway, which must decode the clip for them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from device import caller, device_server, follow, submit


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3.0)
    asked = parser.parse_args()
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for stills, who in ((True, "engine"), (False, "gateway")):
        times = added_ms(asked.tasks, asked.seconds, stills=stills)
        ranks = statistics.quantiles(times, n=100, method="inclusive")
        print(
            f"{asked.tasks} tasks of {asked.seconds:g} s, stills by the {who}: "
            f"added p50 {ranks[49]:.0f} ms, p90 {ranks[89]:.0f} ms, p99 {ranks[98]:.0f} ms"
        )


def added_ms(tasks: int, seconds: float, *, stills: bool) -> list[float]:
    """What each task took beyond its engine's time."""
    times: list[float] = []
    with (
        tempfile.TemporaryDirectory() as name,
        device_server(Path(name), seconds=seconds, stills=stills) as server,
        caller(server) as client,
    ):
        follow(client, submit(client))  # the first one starts the decoders' children
        for _ in range(tasks):
            begun = time.perf_counter()
            follow(client, submit(client))
            times.append((time.perf_counter() - begun - seconds) * 1000)
    return times


if __name__ == "__main__":
    main()
