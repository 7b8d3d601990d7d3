"""An engine that draws colour bars: the side that the server sees.

It decodes and draws nothing here. The work is done in child processes by `worker`, so that the
server stays small and a crash costs one clip.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kinogate.domain.abilities import Abilities
from kinogate.domain.engine import Estimate, ReportProgress
from kinogate.domain.order import Mode, Order, Produced, Role
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan
from kinogate.engines.base import BadOptions, BaseEngine, Surroundings
from kinogate.procs.host import ChildHost
from kinogate.procs.protocol import Limits

# What is not honoured here is told to the caller, or added to the clip by the gateway.
_ABILITIES = Abilities(
    prompt_extend=False,
    shot_type=False,
    auto_audio=False,
    takes_audio=False,
    makes_stills=True,
    draws_mark=False,
    is_algorithmic=True,
)


class ColourBars(BaseEngine):
    """Draws bars that wander; the seed decides on their colours, the prompt on nothing."""

    def __init__(
        self,
        *,
        name: str,
        slots: int,
        timeout_s: float,
        seconds: float = 0.0,
        stills: bool = True,
    ) -> None:
        self.name = name
        self.capacity = slots
        self._seconds = seconds
        self._abilities = replace(_ABILITIES, makes_stills=stills)
        self._timeout_s = timeout_s
        limits = Limits(address_space_bytes=2 * 1024**3, file_bytes=1024**3, nice=5)
        self._host = ChildHost("kinogate_colour_bars.worker", slots=slots, limits=limits)

    async def start(self) -> None:
        """Have the first child warm."""
        await self._host.start()

    async def close(self) -> None:
        """End every child."""
        await self._host.close()

    def abilities(self, model: str) -> Abilities:
        """The same for every model."""
        return self._abilities

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """Text to video, whatever the model."""
        return spec.modes & {Mode.T2V}

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        """Everything that starts from an input."""
        if plan.mode is Mode.T2V:
            return None
        return f"The engine {self.name} draws colour bars only and uses no inputs."

    def estimate(self, order: Order) -> Estimate:
        """As long as it was told to take, and the drawing at least."""
        pixels = order.width * order.height * order.frame_count
        return Estimate(seconds=max(self._seconds, pixels / 100e6))

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        """Draw one clip; no file is left at `out` when that fails or is canceled."""
        args = {
            "order": order,
            "out": str(out),
            "seconds": self._seconds,
            "stills": self._abilities.makes_stills,
        }
        try:
            return await self._host.call(
                "draw", args, Produced, timeout_s=self._timeout_s, on_progress=report
            )
        except BaseException:
            out.unlink(missing_ok=True)
            raise


def build(surroundings: Surroundings) -> ColourBars:
    """The engine of a section with `kind = "colour-bars"`.

    Its options are `slots`, clips at a time; `seconds`, which one takes at least; and `stills`,
    whether it makes poster and previews itself or leaves them to the gateway.

    Raises:
        BadOptions: Another option, or a wrong value.
    """
    options = dict(surroundings.options)
    slots = options.pop("slots", surroundings.slots)
    seconds = options.pop("seconds", 0.0)
    stills = options.pop("stills", True)
    if options:
        raise BadOptions(f"{next(iter(options))}: colour-bars has no such option.")
    if not isinstance(slots, int) or not 1 <= slots <= 64:
        raise BadOptions("slots: must be a whole number from 1 to 64.")
    if not isinstance(seconds, int | float) or not 0 <= seconds <= 3600:
        raise BadOptions("seconds: must be from 0 to 3600.")
    if not isinstance(stills, bool):
        raise BadOptions("stills: must be true or false.")
    return ColourBars(
        name=surroundings.name,
        slots=slots,
        timeout_s=surroundings.timeout_s,
        seconds=float(seconds),
        stills=stills,
    )
