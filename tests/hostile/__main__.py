"""`python tests/hostile [--requests N] [--seed S]`: bad requests against a real server.

The corpus first, then as many of Hypothesis's mutations as make up the number. One summary at the
end; the exit status says whether the server stood it. Run it with the same seed to see it again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "acceptance")]

import corpus  # noqa: E402 - found only now
import heads  # noqa: E402
import surroundings  # noqa: E402
from drive import Driver  # noqa: E402
from live import LiveServer  # noqa: E402
from mutate import mutants  # noqa: E402

_SETTLE_S = 6.0
_SHOWN = 40


def _cases(requests: int, number: int, key: str) -> list[corpus.Case]:
    """The corpus, thinned where it alone is more than asked for, and mutations up to the number."""
    listed = [
        *corpus.fields(),
        *corpus.bodies(),
        *heads.heads(),
        *heads.sockets(key),
        *corpus.pictures_and_sounds(),
        *corpus.large(),
    ]
    random.Random(number).shuffle(listed)
    listed = listed[: max(requests * 2 // 3, 1)]
    return [*listed, *mutants(requests - len(listed), number)]


async def _settled(pid: int, before: float) -> float:
    """Resident memory once it is back near `before`, or when a minute of quiet has not done it."""
    for _ in range(round(60 / _SETTLE_S)):
        await asyncio.sleep(_SETTLE_S)
        if surroundings.rss_mib(pid) <= before * 1.1:
            break
    return surroundings.rss_mib(pid)


async def _run(requests: int, number: int, folder: Path, only: str) -> list[str]:
    outside = tuple(folder / name for name in ("cwd", "home", "tmp"))
    for path in outside:
        path.mkdir()
    trap = surroundings.Trap()
    host = surroundings.MediaHost(trap)
    await trap.open()
    await host.open()
    server = LiveServer(
        folder / "data", fetch_allow_hosts=f"127.0.0.1:{host.port}", log_level="warning"
    )
    nowhere = f"http://127.0.0.1:{trap.port}"
    server.environment |= {
        "HOME": str(outside[1]),
        "TMPDIR": str(outside[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "ALL_PROXY": nowhere,
    }
    cases = _cases(requests, number, server.key)
    if only:
        cases = [case for case in cases if case.id.startswith(only)]
    places = {
        "trap": f"127.0.0.1:{trap.port}",
        "media": f"127.0.0.1:{host.port}",
        "own": server.url,
        "long": "a" * 70,
    }
    driver = Driver(server.port, server.key, places)
    os.chdir(outside[0])
    await asyncio.to_thread(server.start)
    fresh = surroundings.rss_mib(server.pid)
    begun = time.monotonic()
    try:
        # A quarter first: what a server takes once (pages, pools, caches) is no leak.
        await driver.run([*cases[::4], *(corpus.large() if not only else ())])
        await asyncio.sleep(_SETTLE_S)
        before = surroundings.rss_mib(server.pid)
        rest = [case for index, case in enumerate(cases) if index % 4]
        samples = []
        for start in range(0, len(rest), 1_000):
            await driver.run(rest[start : start + 1_000])
            samples.append(round(surroundings.rss_mib(server.pid)))
        took = time.monotonic() - begun - _SETTLE_S
        after = await _settled(server.pid, before)
        peak = surroundings.peak_mib(server.pid)
    finally:
        stopped = await asyncio.to_thread(server.stop)
        os.chdir(ROOT)
    tally = driver.tally
    found = list(tally.faults)
    found += [f"log: {line}" for line in surroundings.log_faults(server.log, server.key)]
    found += [f"the trap heard {heard!r}" for heard in trap.heard]
    found += [f"outside the data directory: {path}" for path in surroundings.strays(outside)]
    found += [f"an odd name: {path}" for path in surroundings.odd_names(server.data_dir)]
    if len(cases) > 500 and not abs(after - before) <= before / 10:
        found.append(f"memory went from {before:.0f} to {after:.0f} MiB")
    if stopped != 0:
        found.append(f"the server ended with {stopped}")
    await trap.close()
    await host.close()
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(tally.statuses.items()))
    print(f"{tally.sent} requests in {took:.0f} s, seed {number}; statuses {statuses}")
    print(f"{tally.accepted} tasks accepted, {tally.followed} followed to their end")
    stray = len(surroundings.strays(outside))
    print(f"bytes at the trap: {sum(map(len, trap.heard))}; files outside the data folder: {stray}")
    print(f"memory: {fresh:.0f} MiB fresh, {before:.0f} warm, {after:.0f} after, {peak:.0f} peak")
    print(f"memory after each thousand: {samples}")
    return found


def main() -> int:
    """Run, tell, and say by the exit status whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", default="", help="run only the cases whose id begins so")
    options = parser.parse_args()
    number = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"hostile: {options.requests} requests, seed {number}", flush=True)
    with tempfile.TemporaryDirectory(prefix="kinogate-hostile-") as name:
        found = asyncio.run(_run(options.requests, number, Path(name), options.only))
    for fault in found[:_SHOWN]:
        print(f"  FAULT {fault}")
    print(f"{len(found)} faults" if found else "no faults")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
