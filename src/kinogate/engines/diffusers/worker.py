"""The worker module that `procs.child` runs for the diffusers engine; here torch is imported.

One child has one device. Its weights stay warm between calls; after a fault of the device the
process says that it is spent and is replaced.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from kinogate.domain.errors import ErrorCode, InternalError, KinogateError
from kinogate.domain.order import Produced
from kinogate.engines.diffusers import flops
from kinogate.engines.diffusers.faults import DeviceFault, OutOfMemory
from kinogate.engines.diffusers.folder import BadFolder, look_at
from kinogate.engines.diffusers.jobs import ForeseenJob, RenderJob, Settings, Warmed, WarmJob
from kinogate.engines.diffusers.load import Resident, best_device, load, unload
from kinogate.engines.diffusers.options import ModelSetup
from kinogate.engines.diffusers.parallel import Left, is_shared, join, met
from kinogate.engines.diffusers.pool import Key, Pool
from kinogate.engines.diffusers.resolve import notes
from kinogate.engines.diffusers.run import assist, run
from kinogate.engines.diffusers.rungs import Rung, is_device_fault, is_out_of_memory
from kinogate.engines.diffusers.seats import Seat
from kinogate.engines.diffusers.stages import Stage
from kinogate.engines.diffusers.texts import EmbeddingCache
from kinogate.procs.protocol import Method, Report, Spent

_GIB = 1024**3
_VALUE_BYTES = {"float32": 4}
_ROOM_BYTES = 10 * _GIB
"""Of a card's memory, what is left to a run when weights are kept warm without a budget."""


class _Loader:
    """`pool.Loader`: what a key means is told by whoever asks for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wanted: dict[Key, tuple[ModelSetup, Rung]] = {}
        self._seat: Seat | None = None
        self._cache = EmbeddingCache(Path(settings.cache) / "prompts")

    def key(self, setup: ModelSetup, preset: str, rung: Rung = Rung.WHOLE) -> Key:
        """What the weights are known by, and remember what was wanted."""
        key = _key(setup, preset, rung)
        self._wanted[key] = (setup, rung)
        return key

    def sit(self, seat: Seat | None) -> None:
        """Meet the group that this process belongs to, if it does."""
        if seat is not None:
            join(seat, torch.device(best_device(self._settings.device)))
            self._seat = seat

    def load(self, key: Key) -> Resident:
        settings = self._settings
        setup, rung = self._wanted[key]
        return load(
            setup,
            key.preset,
            device=settings.device,
            dtype=settings.dtype,
            is_hub=settings.is_hub,
            rung=rung,
            cache=self._cache,
            seat=self._seat,
        )

    def unload(self, key: Key, item: Resident) -> None:
        unload(item)

    def bytes(self, key: Key) -> int:
        """By the sizes that the folder gives; by the card's where there is no folder yet."""
        setup, _ = self._wanted[key]
        card, most = setup.card, None
        dims, vae = card.dims, card.vae
        try:
            facts = look_at(Path(setup.source), card)
        except BadFolder:
            pass  # `load` says what is wrong with it, or fetches it
        else:
            dims, vae, most = facts.dims, facts.vae, 2 * facts.weight_bytes
        estimate = flops.weight_bytes(
            dims,
            vae,
            experts=card.experts,
            value_bytes=_VALUE_BYTES.get(self._settings.dtype, 2),
            vae_value_bytes=4,
        )
        return estimate if most is None else min(estimate, most)


def _key(setup: ModelSetup, preset: str, rung: Rung) -> Key:
    """Weights that lie on the device serve clips on tiles as well."""
    held = rung if rung.is_offloaded else Rung.WHOLE
    return Key(model=f"{setup.card.name} {held.value} {setup.source}", preset=preset)


class _Worker:
    """What a child keeps between its calls."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._loader = _Loader(settings)
        self._pool: Pool[Resident] = Pool(self._loader, budget_bytes=_budget(settings))

    def warm(self, job: WarmJob) -> Warmed:
        self._loader.sit(job.seat)
        keys = [self._loader.key(setup, job.preset, job.rung) for setup in job.setups]
        with self._pool.using(keys[0]) as first:
            for key in keys[1:]:
                self._pool.prefetch(key, keep=keys)
            active = first.active
            return Warmed(
                device=first.device,
                models=tuple(key.model.partition(" ")[0] for key in self._pool.resident),
                bytes=self._pool.used_bytes,
                levers=active.levers,
                left_out=tuple(f"{item.lever}: {item.reason}" for item in active.left_out),
            )

    def render(self, job: RenderJob, report: Report) -> Produced:
        with self._at_work(job, report) as (resident, leaving):
            produced = run(
                resident,
                job.order,
                job.spec,
                Path(job.out),
                leaving.report,
                rung=job.rung,
                has_left=leaving.is_wanted,
                has_previews=job.has_previews,
            )
        return replace(produced, warnings=notes(job.order, job.spec, job.setup))

    def assist(self, job: RenderJob, report: Report) -> None:
        if job.seat is None or not is_shared(job.seat, is_guided=job.spec.is_guided):
            return
        with self._at_work(job, report) as (resident, leaving):
            assist(
                resident,
                job.order,
                job.spec,
                leaving.report,
                rung=job.rung,
                has_left=leaving.is_wanted,
            )

    def foresee(self, job: ForeseenJob) -> None:
        """Embed prompts of the next order, if the weights are here; on a thread of its own."""
        resident = self._pool.peek(_key(job.setup, job.preset, Rung.WHOLE))
        if resident is not None:
            resident.texts.foresee(resident.any, job.prompts)

    @contextmanager
    def _at_work(self, job: RenderJob, report: Report) -> Iterator[tuple[Resident, _Leaving]]:
        """The weights for a job, held as it says, and the way out of it."""
        report(Stage.LOAD, 0.0)
        self._loader.sit(job.seat)
        key = self._loader.key(job.setup, job.spec.preset, job.rung)
        is_together = job.seat is not None and is_shared(job.seat, is_guided=job.spec.is_guided)
        leaving = _Leaving(report, is_together=is_together)
        with self._pool.using(key) as resident:
            if resident.device != "cpu":
                resident.texts.wait_outside(resident.any, is_parked=job.rung is Rung.TILES)
            try:
                yield resident, leaving
            except Left:
                raise leaving.reason from None


class _Leaving:
    """Keeps a cancellation of one process until the whole group can leave, at the next step.

    A process that left in the middle of a step would let the others wait for it.
    """

    def __init__(self, report: Report, *, is_together: bool) -> None:
        self._report = report
        self._is_together = is_together
        self._reason: BaseException | None = None

    def report(self, stage: str, share: float) -> None:
        """As the call's own report, which it raises from outside of shared work only."""
        try:
            self._report(stage, share)
        except BaseException as exc:
            if not self._is_together or stage in {Stage.DECODE, Stage.FINISH}:
                raise
            self._reason = exc

    def is_wanted(self) -> bool:
        """Whether this process wants to leave."""
        return self._reason is not None

    @property
    def reason(self) -> BaseException:
        """Why it left: its own cancellation, or that of another process."""
        return self._reason or InternalError(ErrorCode.CANCELED, "The call was canceled.")


def _budget(settings: Settings) -> int:
    if settings.memory_bytes is not None:
        return settings.memory_bytes
    device = best_device(settings.device)
    if device.startswith("cuda"):
        total = torch.cuda.get_device_properties(device).total_memory
        return max(int(total) - _ROOM_BYTES, 0)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


_workers: dict[str, _Worker] = {}
"""One at most: a child is told the same settings in every call."""


def _worker(settings: Settings) -> _Worker:
    if settings.device not in _workers:
        _workers[settings.device] = _Worker(settings)
    return _workers[settings.device]


@contextmanager
def _faults_told() -> Iterator[None]:
    """Say a device's faults in our own words; the process is spent after each."""
    try:
        yield
    except KinogateError:
        raise
    except Exception as exc:
        if is_out_of_memory(exc):
            raise Spent(OutOfMemory()) from exc
        if is_device_fault(exc):
            raise Spent(DeviceFault()) from exc
        raise


def _warm(job: WarmJob, report: Report) -> Warmed:
    report(Stage.LOAD, 0.0)
    with _faults_told():
        return _worker(job.settings).warm(job)


def _render(job: RenderJob, report: Report) -> Produced:
    with _faults_told():
        return _worker(job.settings).render(job, report)


def _assist(job: RenderJob, report: Report) -> None:
    with _faults_told():
        _worker(job.settings).assist(job, report)


def _met(_: None, _report: Report) -> str:
    return met()


def _foresee(job: ForeseenJob, _report: Report) -> None:
    if job.settings.device in _workers:
        _worker(job.settings).foresee(job)


HINT = Method(ForeseenJob, _foresee)
METHODS: Mapping[str, Method] = {
    "warm": Method(WarmJob, _warm),
    "render": Method(RenderJob, _render),
    "assist": Method(RenderJob, _assist),
    "met": Method(None, _met),
}
