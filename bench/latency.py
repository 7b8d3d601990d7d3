"""Submit and poll latency over HTTP. `python bench/latency.py [--connections N] [--seconds S]`.

A real server in a process of its own; asyncio clients on keep-alive connections with hand-made
requests, so that the client costs little. Tasks are simulated to wait in the queue, so that no
engine competes for the cores; each submit is one durable transaction (synchronous=FULL) with a
fresh idempotency key.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
import uuid
from pathlib import Path

from kinogate.cli.private_server import PrivateServer, private_server

BODY = (
    b'{"model":"wan2.2-t2v-plus","prompt":"A kitten running in the moonlight over the hills",'
    b'"negative_prompt":"blur","size":"832*480","duration":5,"seed":7,"prompt_extend":false}'
)


def submit_request(server: PrivateServer) -> bytes:
    """A create call of the unified dialect."""
    return (
        "POST /v2/videos/generations HTTP/1.1\r\nHost: bench\r\n"
        f"Authorization: Bearer {server.key}\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {uuid.uuid4()}\r\nX-Kinogate-Simulate: queue=600\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY


def poll_request(server: PrivateServer, task_id: str) -> bytes:
    """A query of the unified dialect."""
    return (
        f"GET /v2/videos/generations/{task_id} HTTP/1.1\r\nHost: bench\r\n"
        f"Authorization: Bearer {server.key}\r\n\r\n"
    ).encode()


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> bytes:
    """Send one request, read one reply; its body. Anything but 200 ends the bench."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(head.decode(errors="replace"))
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


async def hammer(server: PrivateServer, kind: str, connections: int, seconds: float) -> list[float]:
    """Milliseconds of every exchange."""
    port = int(server.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    created = await exchange(reader, writer, submit_request(server))
    task_id = created.decode().split('"')[3]
    writer.close()
    times: list[float] = []
    stop_at = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (begun := time.perf_counter()) < stop_at:
            request = submit_request(server) if kind == "submit" else poll_request(server, task_id)
            await exchange(reader, writer, request)
            times.append((time.perf_counter() - begun) * 1000)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return times


def cpu_s(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=4.0)
    asked = parser.parse_args()
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name, private_server(Path(name)) as server:
        for connections in (1, asked.connections):
            for kind in ("submit", "poll"):
                before = cpu_s(server.pid)
                times = asyncio.run(hammer(server, kind, connections, asked.seconds))
                used = (cpu_s(server.pid) - before) * 1000 / len(times)
                ranks = statistics.quantiles(times, n=100)
                print(
                    f"{kind:6} {connections:3} connections: {len(times) / asked.seconds:7.0f}/s, "
                    f"p50 {ranks[49]:.2f} ms, p99 {ranks[98]:.2f} ms, "
                    f"server CPU {used:.3f} ms each"
                )


if __name__ == "__main__":
    main()
