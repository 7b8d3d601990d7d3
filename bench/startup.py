"""Cold start to ready, and the memory of the idle tree. `python bench/startup.py [--runs N]`.

Each run starts `kinogate serve` in a fresh process: on a new data directory (migrations made) and
again on the same one. Memory is the proportional set size of the server and its children, read
from /proc five seconds after readiness.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path) -> tuple[subprocess.Popen[bytes], float]:
    """Start a server; the process and seconds until `/readyz` said 200."""
    port = free_port()
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "kinogate", "serve", "--port", str(port), "--data-dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as reply:
                if reply.status == 200:
                    return process, time.perf_counter() - begun
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.01)


def stop(process: subprocess.Popen[bytes]) -> float:
    """Seconds from SIGTERM to the end."""
    begun = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    return time.perf_counter() - begun


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            if parent == pid:
                found += tree(int(entry.name))
    return found


def pss_mib(pid: int) -> float:
    """Proportional set size, MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    fresh: list[float] = []
    again: list[float] = []
    memory: list[tuple[float, float, int]] = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name:
            process, seconds = start(Path(name))
            fresh.append(seconds)
            stop(process)
            process, seconds = start(Path(name))
            again.append(seconds)
            time.sleep(5)
            pids = tree(process.pid)
            memory.append((pss_mib(process.pid), sum(map(pss_mib, pids)), len(pids)))
            stop(process)
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, median of {runs}")
    print(f"cold start to ready, new data dir:      {statistics.median(fresh):.2f} s")
    print(f"cold start to ready, existing data dir: {statistics.median(again):.2f} s")
    server, whole, count = sorted(memory)[len(memory) // 2]
    print(f"idle memory (PSS): server {server:.0f} MiB, tree {whole:.0f} MiB in {count} processes")


if __name__ == "__main__":
    main()
