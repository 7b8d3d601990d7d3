"""Where orders are worked on: one device with its child process, or several that share each clip.

Imports no torch. The processes of a group that share a clip meet by a file; one that has met others
cannot meet anybody else, so when one of them is lost, all are replaced.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any

from kinogate.domain.engine import ReportProgress
from kinogate.domain.order import Produced
from kinogate.engines.diffusers.jobs import ForeseenJob, RenderJob, Settings, Warmed, WarmJob
from kinogate.engines.diffusers.options import DiffusersOptions, ModelSetup
from kinogate.engines.diffusers.pool import Key
from kinogate.engines.diffusers.rungs import Rung
from kinogate.engines.diffusers.seats import Seat
from kinogate.procs.host import ChildHost, Patience
from kinogate.procs.protocol import Limits

WORKER = "kinogate.engines.diffusers.worker"
BESIDE = "+"
"""Between the devices of a group, as in `cuda:0+cuda:1`."""

_LOAD_S = 1800.0  # two experts of 28 GB each from a slow disk, and compiling
_STALL_S = 600.0  # every block of a step reports, so this is the longest load or compilation
_ASK_S = 30.0
_PASSED_ON = ("CUDA_", "MKL_", "NCCL_", "NVIDIA_", "OMP_", "PYTORCH_", "TORCH", "TRITON_")
_HUB_ONLY = ("HF_", "HTTPS_PROXY", "SSL_CERT_FILE")
# An import of torch and diffusers takes 9 s on an idle machine, and holds up the heartbeat.
_PATIENCE = Patience(start_s=300.0, silence_s=120.0, recycle_after=5000)


def key_of(setup: ModelSetup, preset: str) -> Key:
    """What weights with a preset's levers pulled are known by."""
    return Key(model=f"{setup.card.name}@{setup.source}", preset=preset)


class Group:
    """One place for an order: a `line.Desk`.

    Attributes:
        last: The weights used last, or None.
    """

    def __init__(
        self, options: DiffusersOptions, devices: str, *, folder: Path, worker: str = WORKER
    ) -> None:
        """Prepare; nothing is started.

        Args:
            options: The section.
            devices: One device, or several with `+` between them.
            folder: Of the engine's own, for what is worth keeping.
            worker: The module that its children run.
        """
        self.last: Key | None = None
        self._options = options
        self._folder = folder
        self._worker = worker
        self._settings = [
            Settings(
                device=device,
                dtype=options.dtype,
                is_hub=options.is_hub,
                memory_bytes=options.memory_bytes,
                cache=str(folder),
            )
            for device in devices.split(BESIDE)
        ]
        self._hosts = [self._host() for _ in self._settings]
        self._meeting = ""

    @property
    def settings(self) -> Settings:
        """Those of the child that makes the file."""
        return self._settings[0]

    async def warm(
        self, setups: tuple[ModelSetup, ...], preset: str, rung: Rung = Rung.WHOLE
    ) -> Warmed:
        """Load what fits of `setups` in every child; what the first one says."""
        seats = await self._seats()
        found = await self._all(
            [
                host.call(
                    "warm",
                    WarmJob(settings=settings, setups=setups, preset=preset, rung=rung, seat=seat),
                    Warmed,
                    timeout_s=_LOAD_S,
                )
                for host, settings, seat in zip(self._hosts, self._settings, seats, strict=True)
            ]
        )
        self.last = key_of(setups[0], preset)
        warmed: Warmed = found[0]
        return warmed

    async def render(
        self, job: RenderJob, *, timeout_s: float, on_progress: ReportProgress
    ) -> Produced:
        """Make a clip; see `ChildHost.call` for what it raises."""
        seats = await self._seats()
        stall_s = min(_STALL_S, timeout_s)
        calls: list[Coroutine[Any, Any, Any]] = []
        for rank, (host, settings) in enumerate(zip(self._hosts, self._settings, strict=True)):
            mine = replace(job, settings=settings, seat=seats[rank])
            if rank == 0:
                calls.append(
                    host.call(
                        "render",
                        mine,
                        Produced,
                        timeout_s=timeout_s,
                        stall_s=stall_s,
                        on_progress=on_progress,
                    )
                )
            else:
                calls.append(
                    host.call("assist", mine, NoneType, timeout_s=timeout_s, stall_s=stall_s)
                )
        produced: Produced = (await self._all(calls))[0]
        return produced

    def foresee(self, setup: ModelSetup, preset: str, prompts: tuple[str, ...]) -> None:
        """Tell the child what the next order will want embedded."""
        job = ForeseenJob(settings=self.settings, setup=setup, preset=preset, prompts=prompts)
        self._hosts[0].hint(job)

    async def close(self) -> None:
        """End every child. Safe to call twice."""
        await asyncio.gather(*(host.close() for host in self._hosts))

    def _host(self) -> ChildHost:
        is_shared = len(self._settings) > 1
        return ChildHost(
            self._worker,
            slots=1,
            spares=self._options.spares,
            # No cap on addresses: a GPU's driver maps more of them than the machine has memory.
            # Processes that share a clip speak over the loopback, which the offline have not.
            limits=Limits(open_files=4096, is_offline=not (self._options.is_hub or is_shared)),
            env=_environment(self._folder, is_hub=self._options.is_hub, is_shared=is_shared),
            patience=_PATIENCE,
        )

    async def _seats(self) -> list[Seat | None]:
        """A seat for each child, None where there is one; all of them can meet, or have met."""
        size = len(self._hosts)
        if size == 1:
            return [None]
        met = set(
            await self._all([host.call("met", None, str, timeout_s=_ASK_S) for host in self._hosts])
        )
        if met != {self._meeting} or not self._meeting:
            if met != {""}:
                await self.close()
                self._hosts = [self._host() for _ in self._settings]
            self._folder.mkdir(parents=True, exist_ok=True)
            self._meeting = str(self._folder / f"meeting-{uuid.uuid4()}")
        return [
            Seat(sharing=self._options.sharing, rank=rank, size=size, meeting=self._meeting)
            for rank in range(size)
        ]

    async def _all(self, calls: list[Coroutine[Any, Any, Any]]) -> list[Any]:
        """The answers of calls that are made together; the first fault ends all of them."""
        if len(calls) == 1:
            return [await calls[0]]
        tasks = [asyncio.create_task(call) for call in calls]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in tasks:
                if task.done() and (fault := task.exception()) is not None:
                    raise fault
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return [task.result() for task in tasks]


def _environment(folder: Path, *, is_hub: bool, is_shared: bool) -> Mapping[str, str]:
    """What the child sees of our environment: the libraries' own settings, keys for the hub only."""
    names = _PASSED_ON + _HUB_ONLY if is_hub else _PASSED_ON
    passed = {name: value for name, value in os.environ.items() if name.startswith(names)}
    offline = {} if is_hub else {"HF_HUB_OFFLINE": "1"}
    kept = {
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "compiled"),
        "TOKENIZERS_PARALLELISM": "false",
        # Hints for people who write programs; what is wrong comes as an error.
        "DIFFUSERS_VERBOSITY": "error",
        "TRANSFORMERS_VERBOSITY": "error",
        # Clips of many sizes in one process leave gaps that nothing fits into otherwise.
        "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
    }
    if is_shared:
        kept |= {"GLOO_SOCKET_IFNAME": "lo", "NCCL_SOCKET_IFNAME": "lo"}
    return kept | passed | offline | {"HF_HUB_DISABLE_TELEMETRY": "1"}
