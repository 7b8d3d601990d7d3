"""What the port asks of its child processes, as values that travel between them. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from kinogate.domain.order import Order
from kinogate.engines.diffusers.options import ModelSetup
from kinogate.engines.diffusers.resolve import RunSpec
from kinogate.engines.diffusers.rungs import Rung
from kinogate.engines.diffusers.seats import Seat


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a child works; the same in every call of its life.

    Attributes:
        device: Where it computes, as the operator has it.
        dtype: Of transformers and text encoder.
        is_hub: Whether weights may be fetched.
        memory_bytes: What resident weights may take; None for what the device has.
        cache: A folder of the engine's own for what is worth keeping.
    """

    device: str
    dtype: str
    is_hub: bool = False
    memory_bytes: int | None = None
    cache: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmJob:
    """Load what fits of `setups`, the first one whatever it takes, held as `rung` says."""

    settings: Settings
    setups: tuple[ModelSetup, ...]
    preset: str
    rung: Rung = Rung.WHOLE
    seat: Seat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """Make one clip.

    Attributes:
        settings: The child's.
        setup: The weights.
        order: With local paths.
        spec: What `resolve` made of it.
        out: Where the MP4 goes.
        rung: How the pipeline is to be held.
        seat: The child's place where several make the clip together; None where it is alone.
        has_previews: Whether the clip is looked at while it is still noise.
    """

    settings: Settings
    setup: ModelSetup
    order: Order
    spec: RunSpec
    out: str
    rung: Rung = Rung.WHOLE
    seat: Seat | None = None
    has_previews: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeseenJob:
    """A hint: these prompts will be wanted soon, for these weights."""

    settings: Settings
    setup: ModelSetup
    preset: str
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmed:
    """What is resident after a `WarmJob`.

    Attributes:
        device: The device that it is on.
        models: Names of the cards.
        bytes: What their weights take.
        levers: Those that hold on the first one.
        left_out: Those that do not, each with the reason.
    """

    device: str
    models: tuple[str, ...]
    bytes: int
    levers: tuple[str, ...]
    left_out: tuple[str, ...]
