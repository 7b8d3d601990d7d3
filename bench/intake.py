"""What a large inline picture costs the API process. `python bench/intake.py [--repeats N]`.

Two figures for each: the steps of intake alone in this process (read the body, find the picture,
decode, look at its header, keep it), and a real server, whose processor time and memory are read
from outside while it takes the same bodies. A bomb is a small PNG of 9400 by 9400 pixels.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx2

from kinogate.blobs.local import LocalBlobStore
from kinogate.cli.private_server import PrivateServer, private_server
from kinogate.dialects.base import Action, Call
from kinogate.dialects.vtrix import Vtrix
from kinogate.domain.catalogue import CATALOGUE, MIB
from kinogate.domain.resolution import Tier
from kinogate.net import FetchPolicy
from kinogate.service.intake import Intake
from kinogate.service.links import LinkSigner

MODEL = "wan2.5-i2v-preview"
_BOMB_SIDE = 9_400
_SETTLE_S = 0.15
_GIVEN_BACK_S = 8.0  # after a burst; see `procs/allocator.py`


def _chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def _png(width: int, height: int, pixels: bytes) -> bytes:
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    parts = (_chunk(b"IHDR", head), _chunk(b"IDAT", pixels), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def picture(size_bytes: int) -> bytes:
    """A PNG of 640 by 480 of exactly so many bytes; what fills it up follows its end."""
    data = _png(640, 480, zlib.compress(b"\0" * (640 * 3 + 1) * 480))
    return data + os.urandom(size_bytes - len(data))


def bomb() -> bytes:
    """A small PNG of 88 million pixels."""
    packer = zlib.compressobj(9)
    row = b"\0" * (_BOMB_SIDE * 3 + 1)
    pixels = b"".join([*(packer.compress(row) for _ in range(_BOMB_SIDE)), packer.flush()])
    return _png(_BOMB_SIDE, _BOMB_SIDE, pixels)


def body_of(image: bytes) -> bytes:
    """A create body of the vtrix dialect."""
    text = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    body = {"model": MODEL, "input": {"prompt": "A boat", "img_url": text}}
    return json.dumps(body).encode()


def cpu_ms(pid: int) -> float:
    """Milliseconds of processor that a process has used so far, all of its threads."""
    # The kernel's clock of another process (CPUCLOCK_SCHED), to the nanosecond; /proc counts ticks.
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e6


def page_faults(pid: int) -> int:
    """Pages that a process had to be given so far."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[7])


def rss_mib(pid: int, name: str = "VmRSS") -> float:
    """Resident memory, now or (`VmHWM`) at its highest."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"no {name} for process {pid}")


def reset_peak(pid: int) -> None:
    """Let `VmHWM` begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def percentile(times: list[float], share: float) -> float:
    """The value below which that share lies."""
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def show(what: str, times: list[float]) -> None:
    """One line of milliseconds."""
    median, most = statistics.median(times), percentile(times, 0.99)
    print(f"{what:44} median {median:6.1f} ms   p99 {most:6.1f} ms   n={len(times)}")


def timed(action: Callable[[], object], repeats: int) -> list[float]:
    """Milliseconds of this process's processor time for each call."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        action()
        times.append((time.process_time() - begun) * 1000)
    return times


def in_process(repeats: int, folder: Path) -> None:
    """The steps of intake, in this process."""
    spec = CATALOGUE.resolve(MODEL)
    dialect = Vtrix()
    blobs = LocalBlobStore(folder)
    signer = LinkSigner(b"k" * 32, "k1", "http://127.0.0.1")
    intake = Intake(blobs, signer, FetchPolicy())
    bodies = [body_of(picture(10 * MIB)) for _ in range(4)]
    turn = iter(range(10**9))
    loop = asyncio.new_event_loop()

    def take() -> None:
        body = bodies[next(turn) % len(bodies)]
        call = Call(method="POST", path="/", action=Action.CREATE, body=body)
        media = dialect.parse_create(call).request.media
        loop.run_until_complete(intake.take(media, "bench", spec, Tier.P480))

    show("10 MiB picture, steps in this process", timed(take, repeats))
    loop.close()


def send(server: PrivateServer, client: httpx2.Client, body: bytes) -> httpx2.Response:
    """One create call whose task ends at once."""
    return client.post(
        f"{server.url}/model/v1/generation",
        content=body,
        headers={
            "authorization": f"Bearer {server.key}",
            "content-type": "application/json",
            "x-kinogate-simulate": "fail",
        },
    )


def on_server(repeats: int, folder: Path) -> None:
    """A real server: processor time for each accepted picture, and what a bomb adds."""
    large, explosive = body_of(picture(10 * MIB)), body_of(bomb())
    with private_server(folder) as server, httpx2.Client(trust_env=False, timeout=60) as client:
        for body, wanted in ((large, 200), (explosive, 400)):
            reply = send(server, client, body)
            if reply.status_code // 100 != wanted // 100:
                raise SystemExit(f"{reply.status_code}: {reply.text[:300]}")
        for name, body in (("2 KiB", body_of(picture(2048))), ("10 MiB", large)):
            send(server, client, body)
            time.sleep(_SETTLE_S)
            begun, faults, taken = cpu_ms(server.pid), page_faults(server.pid), []
            for _ in range(repeats):
                before = cpu_ms(server.pid)
                send(server, client, body)
                taken.append(cpu_ms(server.pid) - before)
                time.sleep(_SETTLE_S)  # its task ends in this time, and is not intake
            each = (cpu_ms(server.pid) - begun) / repeats
            fresh = (page_faults(server.pid) - faults) / repeats
            show(f"{name} picture, real server, until the reply", taken)
            print(f"{'  and with running the task':44} mean   {each:6.1f} ms   {fresh:.0f} pages")
        time.sleep(_GIVEN_BACK_S)
        before = rss_mib(server.pid)
        reset_peak(server.pid)
        for _ in range(20):
            send(server, client, explosive)
        peak, after = rss_mib(server.pid, "VmHWM"), rss_mib(server.pid)
        print(
            f"9400x9400 PNG of {len(explosive) >> 10} KiB, 20 times: {before:.0f} MiB before, "
            f"+{peak - before:.1f} at most, {after - before:+.1f} after"
        )


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as name:
        in_process(repeats, Path(name) / "blobs")
        on_server(repeats, Path(name) / "data")


if __name__ == "__main__":
    main()
