"""What a caller may ask of an engine beyond the canonical members: numbers of the sampler, LoRAs.

Only some engines have them; what an engine does not know is reported (`abilities.adapt`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

PRESETS = ("lossless", "balanced", "fast", "turbo")
"""From exact to quick; which levers each pulls is the engine's to say, in its fingerprint."""


class Expert(StrEnum):
    """Which of a two-expert model's transformers; a model with one has only BOTH."""

    HIGH = "high"  # the high-noise expert, which takes the first steps
    LOW = "low"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """One adapter on top of a model.

    Attributes:
        name: As the operator has named it in the engine's configuration; never a path.
        weight: Its strength, -4.0 to 4.0 inclusive; 1.0 as trained.
        expert: Where it goes.
    """

    name: str
    weight: float = 1.0
    expert: Expert = Expert.BOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """Wishes for one run; None leaves the choice to the model's card.

    Attributes:
        steps: Denoising steps, 1-200 inclusive.
        guidance: Classifier-free guidance of the high-noise expert, or of the only transformer,
            0.0-30.0 inclusive; 1.0 and below switches it off.
        guidance_2: The same for the low-noise expert.
        flow_shift: Shift of the flow-matching schedule, above 0.0 and up to 100.0.
        boundary_ratio: Share of the schedule at which the experts change, 0.0-1.0.
        preset: One of `PRESETS`.
        loras: In the order given; at most 8.
    """

    steps: int | None = None
    guidance: float | None = None
    guidance_2: float | None = None
    flow_shift: float | None = None
    boundary_ratio: float | None = None
    preset: str | None = None
    loras: tuple[Lora, ...] = ()

    def given(self) -> tuple[str, ...]:
        """Names of the members that ask for something."""
        names = ("steps", "guidance", "guidance_2", "flow_shift", "boundary_ratio", "preset")
        found = [name for name in names if getattr(self, name) is not None]
        return (*found, "loras") if self.loras else tuple(found)

    def only(self, names: frozenset[str]) -> Knobs:
        """Without the members that are not in `names`."""
        unknown = {name: None for name in self.given() if name not in names and name != "loras"}
        loras = self.loras if "loras" in names else ()
        return replace(self, **unknown, loras=loras)


NO_KNOBS = Knobs()
