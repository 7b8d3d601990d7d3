"""What this server can do: a catalogue row with its engines, an engine with its state."""

from __future__ import annotations

from dataclasses import dataclass

from kinogate.domain.order import Mode
from kinogate.domain.rates import Micro
from kinogate.domain.resolution import Tier
from kinogate.domain.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One engine that can run a model.

    Attributes:
        engine: Its name.
        modes: The row's modes that its route sends to it and that it makes, sorted.
        cost_micro: What a second costs the operator, or None when that is not said or not to be
            shown.
    """

    engine: str
    modes: tuple[Mode, ...]
    cost_micro: Micro | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierPrice:
    """What a caller pays for a second at one tier, with sound and without."""

    tier: Tier
    audio_micro: Micro
    silent_micro: Micro


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One model as this server offers it to one account.

    Attributes:
        spec: The row.
        offers: Engines that can run it, in the order of the routes; empty when none can.
        prices: For each of the row's tiers.
    """

    spec: ModelSpec
    offers: tuple[Offer, ...] = ()
    prices: tuple[TierPrice, ...] = ()

    @property
    def engine(self) -> str | None:
        """Name of the engine that comes first, or None when none can run it."""
        return self.offers[0].engine if self.offers else None

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The row's modes that any engine makes, sorted."""
        return tuple(sorted({mode for offer in self.offers for mode in offer.modes}))


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """One engine as the operator sees it.

    Attributes:
        name: As the operator calls it.
        kind: What it is.
        state: `ready`, `starting`, `cooling` or `draining`.
        capacity: Runs that it takes at a time.
        running: Runs that it has now, or that wait for one to end.
        failures: In a row, by its own fault.
        cools_for_s: Seconds that its cool-down still lasts.
        reason: Its last failure's sentence, until a success; None when it is well.
    """

    name: str
    kind: str
    state: str
    capacity: int
    running: int
    failures: int
    cools_for_s: float
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """What reading the configuration again has changed.

    Attributes:
        engines: Names of the engines that were added, changed or removed.
        needs_restart: Names of the settings that differ in the file and count from the next start.
        remarks: What is allowed and perhaps not meant, a sentence each.
    """

    engines: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
