"""How busy a queue keeps its device. `python bench/utilisation.py [--tasks N] [--seconds S]`.

N tasks of S seconds each are handed in at once, for an engine that runs one at a time. The busy
share is N * S over the time from the first start to the last end as the tasks themselves tell,
so what is prepared before the first run and finished after the last one counts as idle.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from datetime import datetime
from pathlib import Path

from device import caller, device_server, follow, submit


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=3.0)
    asked = parser.parse_args()
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with (
        tempfile.TemporaryDirectory() as name,
        device_server(Path(name), seconds=asked.seconds) as server,
        caller(server) as client,
    ):
        follow(client, submit(client))
        ids = [submit(client) for _ in range(asked.tasks)]
        tasks = [follow(client, task_id, every_s=0.5) for task_id in ids]
    begun = min(_seconds(task["started_at"]) for task in tasks)
    ended = max(_seconds(task["finished_at"]) for task in tasks)
    busy = asked.tasks * asked.seconds
    print(
        f"{asked.tasks} tasks of {asked.seconds:g} s: {ended - begun:.1f} s from first start to "
        f"last end, busy {busy / (ended - begun):.1%}"
    )


def _seconds(text: object) -> float:
    return datetime.fromisoformat(str(text)).timestamp()


if __name__ == "__main__":
    main()
