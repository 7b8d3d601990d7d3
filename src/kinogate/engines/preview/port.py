"""The preview engine as the services see it: a pool of child processes behind `ports.Engine`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kinogate.domain.abilities import Abilities
from kinogate.domain.order import Mode, Order, Produced, Role
from kinogate.domain.ports import ReportProgress
from kinogate.domain.task import Plan
from kinogate.engines.preview.capabilities import NAME, unsupported
from kinogate.procs.host import ChildHost
from kinogate.procs.protocol import Limits

GIB = 1024**3
WORKER = "kinogate.engines.preview.worker"


class RenderCall(msgspec.Struct, frozen=True, kw_only=True):
    """What the child is asked to do; mirrors the worker's own type."""

    order: Order
    out: str


class PreviewEngine:
    """Renders in child processes, `slots` at a time; the first is kept warm."""

    name = NAME
    abilities = Abilities(makes_stills=True, is_algorithmic=True)

    def __init__(self, *, slots: int, timeout_s: float) -> None:
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

    def refuses_mode(self, mode: Mode) -> str | None:
        """Why this kind of work cannot be rendered, or None."""
        return unsupported(mode)

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
