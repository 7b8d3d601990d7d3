"""The preview engine as the services see it: a pool of child processes behind `ports.Engine`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kinogate.domain.abilities import Abilities
from kinogate.domain.engine import ReportProgress
from kinogate.domain.order import Mode, Order, Produced, Role
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan
from kinogate.engines.base import BadOptions, BaseEngine, Surroundings
from kinogate.engines.preview.capabilities import NAME, unsupported
from kinogate.procs.host import ChildHost
from kinogate.procs.protocol import Limits

GIB = 1024**3
WORKER = "kinogate.engines.preview.worker"


class RenderCall(msgspec.Struct, frozen=True, kw_only=True):
    """What the child is asked to do; mirrors the worker's own type."""

    order: Order
    out: str


_ABILITIES = Abilities(makes_stills=True, is_algorithmic=True)


class PreviewEngine(BaseEngine):
    """Renders in child processes, `slots` at a time; the first is kept warm."""

    def __init__(self, *, slots: int, timeout_s: float, name: str = NAME) -> None:
        self.name = name
        self.capacity = slots
        # A 15 s 1080p render peaks at 1.0 GiB of addresses; the child also decodes callers' clips.
        limits = Limits(
            address_space_bytes=3 * GIB, file_bytes=GIB, cpu_s=int(4 * timeout_s), nice=5
        )
        self._host = ChildHost(WORKER, slots=slots, limits=limits)
        self._timeout_s = timeout_s

    async def start(self) -> None:
        """Warm the first child up."""
        await self._host.start()

    async def close(self) -> None:
        """End every child."""
        await self._host.close()

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        """Why the plan cannot be rendered, or None."""
        return unsupported(plan.mode, plan.function, roles=roles, template=plan.template)

    def abilities(self, model: str) -> Abilities:
        """The same for every model."""
        return _ABILITIES

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """Those of the row's modes that are rendered."""
        return frozenset(mode for mode in spec.modes if unsupported(mode) is None)

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        """Render one order.

        Raises:
            InternalError: ENGINE_FAILED or TIMED_OUT; no file is left at `out`.
        """
        try:
            return await self._host.call(
                "render",
                RenderCall(order=order, out=str(out)),
                Produced,
                timeout_s=self._timeout_s,
                on_progress=report,
            )
        except BaseException:
            out.unlink(missing_ok=True)
            raise


def build(surroundings: Surroundings) -> PreviewEngine:
    """The engine of a section with `kind = "preview"`; its one option is `slots`.

    Raises:
        BadOptions: Another option, or `slots` is not a whole number from 1 to 64.
    """
    options = dict(surroundings.options)
    slots = options.pop("slots", surroundings.slots)
    if options:
        raise BadOptions(f"{next(iter(options))}: the preview engine has no such option.")
    if not isinstance(slots, int) or not 1 <= slots <= 64:
        raise BadOptions("slots: must be a whole number from 1 to 64.")
    return PreviewEngine(slots=slots, timeout_s=surroundings.timeout_s, name=surroundings.name)
