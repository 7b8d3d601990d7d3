"""The real server as a process of the tests' own, and strangers' clients beside it.

Nothing here knows a dialect; the tests do.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx2

from kinogate.media.probe import VideoFacts, probe_video
from kinogate.service.keys import mint_secret

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CLIENTS = ROOT / ".clients"
_START_S, _STOP_S = 60.0, 40.0

# What a reply may never contain, whoever reads it.
TRACES = ("Traceback", 'File "', "site-packages", "kinogate.", "sqlalchemy", "msgspec")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment() -> dict[str, str]:
    """Ours without what would steer the server or a client."""
    unwanted = ("KINOGATE", "DASHSCOPE", "OPENAI", "PROXY")
    return {
        name: value
        for name, value in os.environ.items()
        if not any(word in name.upper() for word in unwanted)
    }


class LiveServer:
    """`kinogate serve` in a process group of its own; may be killed and started again."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = mint_secret()
        self.log = data_dir.with_name(f"{data_dir.name}.log")
        self.environment = clean_environment() | {
            "KINOGATE_ADMIN_KEY": self.key,
            "KINOGATE_DATA_DIR": str(data_dir),
            "KINOGATE_SIMULATE": "true",
        }
        self.environment |= {f"KINOGATE_{name.upper()}": value for name, value in settings.items()}
        self.arguments: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> float:
        """Start and wait until ready; returns the seconds that took."""
        begun = time.monotonic()
        command = [sys.executable, "-m", "kinogate", "serve", "--port", str(self.port)]
        command += self.arguments
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        with httpx2.Client(trust_env=False) as client:
            while time.monotonic() < begun + _START_S and self._process.poll() is None:
                try:
                    if client.get(f"{self.url}/readyz").is_success:
                        return time.monotonic() - begun
                except httpx2.TransportError:
                    pass  # not listening yet
                time.sleep(0.02)
        raise AssertionError(f"the server did not get ready:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> int:
        """End it politely; returns the exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise

    def kill(self) -> None:
        """`kill -9` the server and every child it has, all at once."""
        process, self._process = self._process, None
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The log's lines about an event."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        entries = (json.loads(line) for line in lines if line.startswith("{"))
        return [entry for entry in entries if entry.get("event") == event]

    def cli(self, *arguments: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a `kinogate` command against this server's data directory."""
        environment = {key: val for key, val in self.environment.items() if "ADMIN_KEY" not in key}
        return run_cli(*arguments, environment=environment, timeout_s=timeout_s)

    def new_key(self, account: str) -> str:
        """A key of the account."""
        done = self.cli("keys", "create", "--name", "test", "--account", account, "--json")
        assert done.returncode == 0, done.stderr
        key: str = json.loads(done.stdout)["key"]
        return key

    def client(self, key: str | None = None) -> httpx2.Client:
        """An HTTP client that shows a key, the admin's by default."""
        headers = {"authorization": f"Bearer {key or self.key}"}
        return httpx2.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30.0)


def run_cli(
    *arguments: str, environment: Mapping[str, str] | None = None, timeout_s: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run `python -m kinogate` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "kinogate", *arguments],
        env=dict(environment if environment is not None else clean_environment()),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def run_sdk(
    sdk: str, scenario: str, server: LiveServer, *arguments: str, timeout_s: float = 100.0
) -> Any:
    """Run a scenario of `clients/` in a fresh interpreter that sees one SDK and nothing else.

    Args:
        sdk: Folder below `.clients`, such as `openai-3.51.0`.
        scenario: `FILE:FUNCTION` below `clients/`.
        server: Where the SDK is pointed at.
        arguments: Handed to the function.
        timeout_s: Until the interpreter is killed.

    Returns:
        What the function returned, through JSON.
    """
    install_sdks()
    file, _, function = scenario.partition(":")
    name, _, version = sdk.rpartition("-")
    path = os.pathsep.join([str(CLIENTS / sdk), str(HERE / "clients")])
    environment = clean_environment() | {
        "PYTHONPATH": path,
        "SDK_FOLDER": str(CLIENTS / sdk),
        "SDK_NAME": name,
        "SDK_VERSION": version,
        "SERVER_URL": server.url,
        "SERVER_KEY": server.key,
    }
    # -S: without it the test environment's own packages would be importable too.
    command = [sys.executable, "-S", "-P", "-m", "run", file, function, *arguments]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def install_sdks() -> None:
    """Install the vendors' SDKs unless they are there; the tool leaves complete ones alone."""
    command = [sys.executable, str(ROOT / "tools" / "clients.py")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)


def decoded(data: bytes, folder: Path) -> VideoFacts:
    """What a downloaded clip measures."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "clip.mp4"
    path.write_bytes(data)
    return probe_video(path)


def polls(seconds: float, every_s: float = 0.1) -> Iterator[None]:
    """Turns of a polling loop; fails the test when the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(every_s)
    raise AssertionError(f"nothing came of it in {seconds} s")


@contextmanager
def busy(server: LiveServer, slots: int = 2) -> Iterator[None]:
    """Every slot taken by a task that takes its time, so that what comes next stays queued."""
    body = {"model": "wan2.2-t2v-plus", "prompt": "A slow boat", "size": "832*480"}
    with server.client(server.new_key("busy")) as client:
        taken = [
            client.post(
                "/kinogate/v1/tasks", json=body, headers={"x-kinogate-simulate": "slow=120"}
            ).json()["id"]
            for _ in range(slots)
        ]
        try:
            for task_id in taken:
                for _ in polls(90):
                    if client.get(f"/kinogate/v1/tasks/{task_id}").json()["status"] == "running":
                        break
            yield
        finally:
            for task_id in taken:
                client.delete(f"/kinogate/v1/tasks/{task_id}")
