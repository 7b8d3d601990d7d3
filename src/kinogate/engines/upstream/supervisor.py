"""Foreign servers of our own: started, watched, started again, and ended with all they started.

Fast engines such as SGLang or vLLM-Omni pin libraries that exclude each other, so each runs in its
own environment, as one or several instances on loopback. This class keeps the instances alive and
says where they listen; what is asked of them is the flow's business. `procs/keeper.py` stands
between us and each program, so that nothing is left of it however we end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import httpx2
import structlog

from kinogate.domain.engine import Finding
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.engines.upstream.recipe import Recipe
from kinogate.procs import keeper

_log = structlog.get_logger()
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often the supervisor looks and how long it waits, seconds.

    Attributes:
        start_every_s: Between two looks at an instance that is starting.
        every_s: Between two looks at a healthy one.
        look_s: For the answer to one look.
        hung_s: Without a good answer after which a healthy instance is started anew; a server
            that loads an adapter or compiles may be deaf for a good while.
        back_off_s: Before the first restart; doubles with each that follows.
        most_back_off_s: The longest of those waits.
        settled_s: In good health after which the next restart counts as the first again.
        grace_s: Between SIGTERM and SIGKILL.
        log_bytes: Size at which an instance's log is put aside.
    """

    start_every_s: float = 0.5
    every_s: float = 5.0
    look_s: float = 5.0
    hung_s: float = 60.0
    back_off_s: float = 1.0
    most_back_off_s: float = 60.0
    settled_s: float = 60.0
    grace_s: float = 10.0
    log_bytes: int = 16 * 1024 * 1024


@dataclass(slots=True)
class _Instance:
    """One of the servers and what is known of it."""

    index: int
    log: Path
    port: int = 0
    is_healthy: bool = False
    state: str = "is not started"


class Supervisor:
    """Keeps the instances of one foreign server alive. Use it from one event loop."""

    def __init__(
        self,
        name: str,
        recipe: Recipe,
        *,
        log_dir: Path,
        on_change: Callable[[], None] | None = None,
        rhythm: Rhythm | None = None,
    ) -> None:
        """Prepare; nothing runs before `start`.

        Args:
            name: The engine's, for logs.
            recipe: How an instance is started.
            log_dir: Where `server-INDEX.log` is written; made if it is not there.
            on_change: Called on the event loop whenever `addresses` has changed.
            rhythm: Waiting times.
        """
        self._name = name
        self._recipe = recipe
        self._log_dir = log_dir.absolute()
        self._on_change = on_change
        self._rhythm = rhythm or Rhythm()
        self._instances = [
            _Instance(index, self._log_dir / f"server-{index}.log")
            for index in range(recipe.instances)
        ]
        self._minders: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._is_closed = False

    async def start(self) -> None:
        """Start all instances; returns when the first is healthy. Again changes nothing.

        Raises:
            InternalError: `UNAVAILABLE`: none is healthy after the recipe's `start_s`, but they
                are looked after until `close`; or it was closed meanwhile.
        """
        if not self._minders:
            self._is_closed = False
            self._log_dir.mkdir(parents=True, exist_ok=True)
            self._minders = [asyncio.create_task(self._mind(one)) for one in self._instances]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._recipe.start_s):
                while not self.addresses() and not self._is_closed:
                    self._changed.clear()
                    await self._changed.wait()
        if self._is_closed:
            raise InternalError(ErrorCode.UNAVAILABLE, f"The engine {self._name} is shut down.")
        if not self.addresses():
            one = self._instances[0]
            raise InternalError(
                ErrorCode.UNAVAILABLE, f"The server of {self._name} {one.state}; see {one.log}."
            )

    async def close(self) -> None:
        """End every instance with all it has started. Safe to call twice."""
        minders, self._minders = self._minders, []
        self._is_closed = True
        self._changed.set()
        for minder in minders:
            minder.cancel()
        for end in await asyncio.gather(*minders, return_exceptions=True):
            if not isinstance(end, asyncio.CancelledError):
                _log.error("server_minder_failed", engine=self._name, why=repr(end))

    def addresses(self) -> tuple[str, ...]:
        """`http://host:port` of each healthy instance, in order of index."""
        return tuple(self.by_index().values())

    def by_index(self) -> dict[int, str]:
        """The same by index, which stays when an instance is started anew on another port."""
        return {
            one.index: f"http://{_HOST}:{one.port}" for one in self._instances if one.is_healthy
        }

    def findings(self) -> tuple[Finding, ...]:
        """How each instance fares."""
        return tuple(
            Finding(
                what=f"server {one.index}",
                is_ok=one.is_healthy,
                text=f"It {one.state}; its output is in {one.log}.",
            )
            for one in self._instances
        )

    async def _mind(self, one: _Instance) -> None:
        """Give an instance one life after the other."""
        rhythm = self._rhythm
        pause_s = rhythm.back_off_s
        while True:
            healthy_s = 0.0
            try:
                async with self._launched(one) as process:
                    healthy_s = await self._live(one, process)
            except OSError as exc:
                one.state = f"cannot be started ({exc.strerror})"
            if healthy_s >= rhythm.settled_s:
                pause_s = rhythm.back_off_s
            _log.warning(
                "server_restarts", engine=self._name, index=one.index, why=one.state, pause=pause_s
            )
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, rhythm.most_back_off_s)

    async def _live(self, one: _Instance, process: Process) -> float:
        """From launch until something is wrong; returns for how many seconds it was healthy."""
        loop = asyncio.get_running_loop()
        begun: float | None = None
        try:
            await self._come_up(one, process)
            begun = loop.time()
            await self._watch(one, process)
        except _Failed as exc:
            self._say(one, str(exc), is_healthy=False)
        return 0.0 if begun is None else loop.time() - begun

    @contextlib.asynccontextmanager
    async def _launched(self, one: _Instance) -> AsyncIterator[Process]:
        one.port = _free_port({other.port for other in self._instances})
        told = {
            "command": self._recipe.words(one.index, one.port),
            "log": str(one.log),
            "log_bytes": self._rhythm.log_bytes,
            "grace_s": self._rhythm.grace_s,
            "parent_pid": os.getpid(),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", keeper.__file__, json.dumps(told),
            stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL,
            env=self._recipe.environment(one.index),
            cwd=self._recipe.cwd,
            start_new_session=True,  # Ctrl-C is for us; we end the servers in order
        )  # fmt: skip
        self._say(one, "is starting", is_healthy=False)
        try:
            yield process
        finally:
            if one.is_healthy:
                self._say(one, "is being ended", is_healthy=False)
            # A task of its own: a second cancellation must not leave the server running.
            await asyncio.shield(asyncio.create_task(self._end(process)))

    async def _end(self, process: Process) -> None:
        """Close the lifeline and wait for the keeper; it takes the grace and a little at most."""
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), self._rhythm.grace_s + keeper.LAST_S + 2.0)
        except TimeoutError:
            _log.error("server_keeper_hangs", engine=self._name, pid=process.pid)
        if process.returncode is None or process.returncode < 0:  # killed, or about to be
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _come_up(self, one: _Instance, process: Process) -> None:
        try:
            async with asyncio.timeout(self._recipe.start_s):
                while not await self._is_well(one):
                    await self._wait(process, self._rhythm.start_every_s)
        except TimeoutError as exc:
            raise _Failed(f"was not healthy within {self._recipe.start_s:g} seconds") from exc
        self._say(one, f"is healthy at port {one.port}", is_healthy=True)

    async def _watch(self, one: _Instance, process: Process) -> None:
        """Until the instance ends or counts as hung; always raises."""
        loop = asyncio.get_running_loop()
        well_at = loop.time()
        while True:
            await self._wait(process, self._rhythm.every_s)
            if await self._is_well(one):
                well_at = loop.time()
            elif loop.time() - well_at >= self._rhythm.hung_s:
                raise _Failed(f"gave no good answer for {self._rhythm.hung_s:g} seconds")

    async def _wait(self, process: Process, seconds: float) -> None:
        """Wait, but no longer than the process lives."""
        with contextlib.suppress(TimeoutError):
            code = await asyncio.wait_for(process.wait(), seconds)
            raise _Failed(_ending(code))

    async def _is_well(self, one: _Instance) -> bool:
        url = f"http://{_HOST}:{one.port}{self._recipe.health}"
        try:
            async with asyncio.timeout(self._rhythm.look_s):
                # A connection for each look: a kept one would hide that nobody listens any more.
                # It is plain HTTP; certificates need not even be read.
                async with (
                    httpx2.AsyncClient(trust_env=False, timeout=None, verify=False) as client,
                    client.stream("GET", url) as answer,
                ):
                    return answer.is_success
        except (httpx2.HTTPError, OSError):
            return False

    def _say(self, one: _Instance, state: str, *, is_healthy: bool) -> None:
        has_changed = one.is_healthy != is_healthy
        one.state, one.is_healthy = state, is_healthy
        if not has_changed:
            return
        self._changed.set()
        _log.info("server_changed", engine=self._name, index=one.index, state=state)
        if self._on_change is not None:
            self._on_change()


class _Failed(Exception):
    """An instance must be started anew; the text goes on after "The server"."""


def _ending(code: int) -> str:
    if code == keeper.CANNOT_START:
        return "cannot be started"
    if code > 128:
        return f"was ended by signal {code - 128}"
    return f"ended with exit code {code}"


def _free_port(taken: Collection[int]) -> int:
    """A port that nobody listens on; one that is lost in the meantime costs a restart."""
    while True:
        with socket.socket() as probe:
            probe.bind((_HOST, 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port
