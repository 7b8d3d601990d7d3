"""A server of one's own: a child process on a free port, with a key, ended by its process id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from kinogate.cli.serve import listen
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.service.keys import mint_secret

_START_S = 60.0
_STOP_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateServer:
    """Where it is and how to get in."""

    url: str
    key: str
    pid: int


@contextmanager
def private_server(
    data_dir: Path, *, allow_hosts: str = "", config: Path | None = None
) -> Iterator[PrivateServer]:
    """Run `kinogate serve` until the context ends.

    Args:
        data_dir: Its data directory.
        allow_hosts: Hosts that it may fetch from though they are private, with commas.
        config: Its configuration file, or None.

    Raises:
        InternalError: UNAVAILABLE, when it does not get ready in time.
    """
    probe = listen("127.0.0.1", 0)
    port = probe.getsockname()[1]
    probe.close()
    key = mint_secret()
    environment = {name: value for name, value in os.environ.items() if "KINOGATE" not in name}
    environment |= {
        "KINOGATE_ADMIN_KEY": key,
        "KINOGATE_FETCH_ALLOW_HOSTS": allow_hosts,
        "KINOGATE_SIMULATE": "true",
        "KINOGATE_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "kinogate", "serve", "--port", str(port)]
    if config is not None:
        command += ["--config", str(config)]
    process = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
        [*command, "--data-dir", str(data_dir)], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _await_ready(url, process)
        yield PrivateServer(url=url, key=key, pid=process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    with httpx2.Client(trust_env=False) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get(f"{url}/readyz").is_success:
                    return
            except httpx2.TransportError:
                pass  # not listening yet
            time.sleep(0.05)
    raise InternalError(ErrorCode.UNAVAILABLE, "The private server did not get ready.")
