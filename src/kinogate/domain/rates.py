"""What a second of video costs, as data; the arithmetic on it is in `money.py`.

Figures are micro-dollars (USD x 10^-6) of the vendor's international list, catalogue section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from kinogate.domain.resolution import Tier

Micro: TypeAlias = int
"""Whole micro-dollars: 100_000 is $0.10."""

CNY_PER_USD = (733_924, 100_000)
"""7.33924: the quotient of the vendor's international CNY and USD lists (catalogue section 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Price of one second at each tier; None where the tier is not sold."""

    p480: Micro | None = None
    p720: Micro | None = None
    p1080: Micro | None = None

    def at(self, tier: Tier) -> Micro | None:
        """The price at `tier` itself, or None."""
        return {Tier.P480: self.p480, Tier.P720: self.p720, Tier.P1080: self.p1080}[tier]

    def at_or_above(self, tier: Tier) -> Micro | None:
        """The price at `tier`, else at the nearest dearer tier sold, else None."""
        prices = (self.at(other) for other in Tier if other.lines >= tier.lines)
        return next((price for price in prices if price is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    """Prices of one model.

    Attributes:
        audio: With an audio track; None for models that have none.
        silent: Without one; None where the vendor has no lower price for silence.
        cny: The Mainland list in micro-CNY, with audio where the model has it. Used (÷ 7.33924)
            only where the international list sells nothing.
        std: animate only: micro-dollars a second in mode `wan-std`.
        pro: animate only: micro-dollars a second in mode `wan-pro`.
        input_max_s: Seconds of video input that are billed besides the output, at most; 0 where
            input is free.
        total_max_s: Ceiling of input and output seconds together, or None.
        source: Where the figures come from.
    """

    audio: Rates | None = None
    silent: Rates | None = None
    cny: Rates = field(default_factory=Rates)
    std: Micro | None = None
    pro: Micro | None = None
    input_max_s: int = 0
    total_max_s: int | None = None
    source: str = "catalogue section 3, international list"
