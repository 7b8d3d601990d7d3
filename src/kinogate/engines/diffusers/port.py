"""The diffusers engine as the server sees it: one child process for each device, weights warm in it.

Imports no torch. What an order needs is resolved here, so that a request which the weights cannot
serve never reaches a device.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import structlog

from kinogate.domain.abilities import Abilities
from kinogate.domain.engine import Estimate, Finding, Health, ReportProgress
from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.domain.order import Mode, Order, Produced, Role
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan
from kinogate.engines.base import BadOptions, BaseEngine, Surroundings
from kinogate.engines.diffusers import flops
from kinogate.engines.diffusers.cards import Card
from kinogate.engines.diffusers.faults import (
    STILL_OUT_OF_MEMORY,
    WEIGHTS_TOO_LARGE,
    was_out_of_memory,
)
from kinogate.engines.diffusers.folder import (
    BadFolder,
    check_safetensors,
    is_hub_id,
    look_at,
    with_sizes,
)
from kinogate.engines.diffusers.groups import WORKER, Group, key_of
from kinogate.engines.diffusers.jobs import RenderJob, Warmed
from kinogate.engines.diffusers.line import Line
from kinogate.engines.diffusers.options import DiffusersOptions, ModelSetup, read_options
from kinogate.engines.diffusers.resolve import (
    RunSpec,
    encoded_frames,
    plan_refusal,
    resolve,
)
from kinogate.engines.diffusers.rungs import Ladder, Rung

log = structlog.get_logger(__name__)

_KNOBS = frozenset({"steps", "guidance", "flow_shift", "preset", "loras"})
_PAIR_KNOBS = frozenset({"guidance_2", "boundary_ratio"})
_PRESENT = ("torch", "diffusers", "transformers", "accelerate", "peft", "safetensors")


class DiffusersEngine(BaseEngine):
    """Runs orders on open weights, one at a time on each device."""

    def __init__(
        self,
        options: DiffusersOptions,
        *,
        name: str,
        timeout_s: float,
        folder: Path,
        worker: str = WORKER,
    ) -> None:
        """Prepare; nothing is started and no file is looked at.

        Args:
            options: The section.
            name: As the operator calls the engine.
            timeout_s: Longest run of one task.
            folder: Of the engine's own, for what is worth keeping.
            worker: The module that its children run.
        """
        self.name = name
        self.capacity = len(options.devices) + options.ahead
        self._options = options
        self._timeout_s = timeout_s
        self._groups = [
            Group(options, devices, folder=folder, worker=worker) for devices in options.devices
        ]
        self._line = Line(self._groups, patience_s=options.patience_s)
        self._sizes: dict[tuple[str, str], Card] = {}
        self._rates = flops.Rates()
        self._ladder = Ladder()

    async def start(self) -> None:
        """Load the weights on every device; returns when the first order could begin.

        Raises:
            InternalError: UNAVAILABLE: the message says which file is wrong and how.
        """
        for setup in self._options.models:
            try:
                await asyncio.to_thread(self._look_at, setup)
            except BadFolder as exc:
                raise InternalError(ErrorCode.UNAVAILABLE, str(exc)) from exc
        await asyncio.gather(*(self._warm(group) for group in self._groups))

    async def close(self) -> None:
        """End every child."""
        await asyncio.gather(*(group.close() for group in self._groups))

    def abilities(self, model: str) -> Abilities:
        """By the weights that stand in for the model: the first that do, where several do."""
        setups = [setup for setup in self._options.models if setup.does_serve(model)]
        is_pair = any(setup.card.experts == 2 for setup in setups)
        is_native = bool(setups) and not self._options.is_row_fps
        return Abilities(
            shot_type=False,
            fps=setups[0].card.fps if is_native else None,
            auto_audio=False,
            takes_audio=False,
            makes_stills=True,
            knobs=_KNOBS | _PAIR_KNOBS if is_pair else _KNOBS,
        )

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """Those of the row's modes that some weights do."""
        setups = [setup for setup in self._options.models if setup.does_serve(spec.name)]
        return spec.modes & frozenset(mode for setup in setups for mode in setup.card.modes)

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        """Why no weights can do the plan, or None."""
        reasons = [
            plan_refusal(setup, plan, roles, self._options.preset)
            for setup in self._serving(plan.model, plan.mode)
        ]
        if not reasons:
            return f"The engine {self.name} has no weights for {plan.model} {plan.mode.value!r}."
        return None if None in reasons else reasons[0]

    def estimate(self, order: Order) -> Estimate:
        """By the committed formulas; seconds are known once a run of about this size has ended."""
        try:
            setup, spec = self._resolved(order)
        except CallerError:
            return Estimate()
        card = self._sizes.get(setup.key, setup.card)
        operations = _operations(card, spec)
        rate = self._rates.rate(card.name, flops.shape_class(card.vae, spec.shape))
        value_bytes = 4 if self._options.dtype == "float32" else 2
        return Estimate(
            seconds=None if rate is None else flops.seconds(operations, rate),
            memory_bytes=flops.weight_bytes(
                card.dims, card.vae, experts=card.experts, value_bytes=value_bytes
            )
            + flops.working_bytes(card.dims, card.vae, spec.shape, value_bytes=value_bytes),
            flops=float(operations),
        )

    async def check(self) -> Health:
        """Look at the packages, and at each model's folder and adapters; nothing is loaded."""
        findings = [_packages(), *await asyncio.to_thread(self._findings)]
        return Health(is_ready=all(finding.is_ok for finding in findings), findings=tuple(findings))

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        """Make one clip.

        When the device's memory does not suffice, the child is replaced and the order tried again
        on the rungs below: with tiles, then with weights outside the device. What did not fit is
        remembered, so that the next order of that size begins where it may.

        Raises:
            CallerError: The weights cannot do it, or an input cannot be decoded.
            InternalError: ENGINE_FAILED or TIMED_OUT; no file is left at `out`.
        """
        setup, spec = self._resolved(order)
        if self._line.is_full:
            self._foresee(setup, order, spec)
        group = await self._line.take(key_of(setup, spec.preset))
        job = RenderJob(
            settings=group.settings,
            setup=setup,
            order=order,
            spec=spec,
            out=str(out),
            has_previews=self._options.has_previews,
        )
        try:
            return await self._render(group, job, _Rising(report))
        except BaseException:
            out.unlink(missing_ok=True)
            raise
        finally:
            self._line.free(group)

    def _foresee(self, setup: ModelSetup, order: Order, spec: RunSpec) -> None:
        """Have the prompts of an order that must wait embedded beside the work that it waits for."""
        key = key_of(setup, spec.preset)
        warm = [group for group in self._groups if group.last == key]
        if warm:
            prompts = (order.prompt, spec.negative) if spec.is_guided else (order.prompt,)
            warm[0].foresee(setup, spec.preset, prompts)

    async def _render(self, group: Group, job: RenderJob, report: ReportProgress) -> Produced:
        sizes, spec = self._sizes.get(job.setup.key, job.setup.card), job.spec
        weights = (*job.setup.key, spec.preset)
        size = flops.tokens(sizes.vae, spec.shape)
        rung: Rung | None = self._ladder.start(weights, size)
        while rung is not None:
            begun_s = time.monotonic()
            try:
                produced = await group.render(
                    replace(job, rung=rung), timeout_s=self._timeout_s, on_progress=report
                )
            except InternalError as error:
                if not was_out_of_memory(error):
                    raise
                rung = self._ladder.failed(weights, size, rung)
                log.warning("out of device memory", engine=self.name, model=sizes.name, next=rung)
                continue
            shapes = flops.shape_class(sizes.vae, spec.shape)
            took_s = time.monotonic() - begun_s
            self._rates.learn(sizes.name, shapes, _operations(sizes, spec), took_s)
            return produced
        raise InternalError(ErrorCode.ENGINE_FAILED, STILL_OUT_OF_MEMORY)

    async def _warm(self, group: Group) -> None:
        first, preset = self._options.models[0], self._options.preset
        weights = (*first.key, preset)
        rung: Rung | None = Rung.WHOLE
        while rung is not None:
            try:
                warmed = await group.warm(self._options.models, preset, rung)
            except InternalError as error:
                if not was_out_of_memory(error):
                    raise
                # Not even the weights fit, so no clip of any size does on this rung.
                rung = self._ladder.failed(weights, 0, rung)
                log.warning(
                    "out of device memory", engine=self.name, model=first.card.name, next=rung
                )
                continue
            self._tell(warmed)
            return
        raise InternalError(ErrorCode.ENGINE_FAILED, WEIGHTS_TOO_LARGE)

    def _tell(self, warmed: Warmed) -> None:
        log.info(
            "weights loaded",
            engine=self.name,
            device=warmed.device,
            models=warmed.models,
            bytes=warmed.bytes,
            levers=warmed.levers,
            left_out=warmed.left_out,
        )

    def _serving(self, model: str, mode: Mode) -> list[ModelSetup]:
        return [
            setup
            for setup in self._options.models
            if setup.does_serve(model) and mode in setup.card.modes
        ]

    def _resolved(self, order: Order) -> tuple[ModelSetup, RunSpec]:
        """The first weights that can do the order, with its numbers."""
        refused: CallerError | None = None
        for setup in self._serving(order.model, order.mode):
            try:
                return setup, resolve(order, setup, self._options.preset)
            except CallerError as error:
                refused = refused or error
        raise refused or CallerError(
            ErrorCode.FEATURE_UNSUPPORTED,
            f"The engine {self.name} has no weights for {order.model} {order.mode.value!r}.",
        )

    def _look_at(self, setup: ModelSetup) -> None:
        """Check folder and adapters, and keep the true sizes.

        Raises:
            BadFolder: Something is wrong with them.
        """
        for file in setup.loras.values():
            check_safetensors(Path(file))
        if self._options.is_hub and is_hub_id(setup.source):
            return
        facts = look_at(Path(setup.source), setup.card)
        self._sizes[setup.key] = with_sizes(setup.card, facts)

    def _findings(self) -> Iterable[Finding]:
        found = []
        for setup in self._options.models:
            try:
                self._look_at(setup)
            except BadFolder as exc:
                found.append(Finding(what=setup.card.name, is_ok=False, text=str(exc)))
                continue
            is_here = setup.key in self._sizes
            text = f"{setup.source} fits." if is_here else "Is fetched from the hub when needed."
            found.append(Finding(what=setup.card.name, is_ok=True, text=text))
        return found


class _Rising:
    """A report that never falls, also when an order begins again further down the ladder."""

    def __init__(self, report: ReportProgress) -> None:
        self._report = report
        self._highest = 0.0

    def __call__(self, stage: str, share: float) -> None:
        self._highest = max(self._highest, share)
        self._report(stage, self._highest)


def _operations(card: Card, spec: RunSpec) -> int:
    return flops.video_flops(
        card.dims,
        card.vae,
        spec.shape,
        steps=spec.steps,
        is_guided=spec.is_guided,
        encoded_frames=encoded_frames(card, spec),
    )


def _packages() -> Finding:
    missing = [name for name in _PRESENT if find_spec(name) is None]
    text = f"Missing: {', '.join(missing)}." if missing else "All packages are installed."
    return Finding(what="extra wan", is_ok=not missing, text=text)


def build(surroundings: Surroundings) -> DiffusersEngine:
    """The engine of a section with `kind = "diffusers"`.

    Raises:
        BadOptions: An option is unknown or wrong, or the extra is not installed.
    """
    options = read_options(surroundings.options)
    packages = _packages()
    if not packages.is_ok:
        raise BadOptions(
            f"kind: the extra wan is not installed (pip install 'kinogate[wan]'). {packages.text}"
        )
    return DiffusersEngine(
        options,
        name=surroundings.name,
        timeout_s=surroundings.timeout_s,
        folder=surroundings.data_dir / surroundings.name,
    )
