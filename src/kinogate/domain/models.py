"""A catalogue row together with what this server can do with it."""

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
