"""The operator's own prices in place of the catalogue's (design §4.14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from kinogate.domain.catalogue import Catalogue
from kinogate.domain.rates import RateCard, Rates
from kinogate.domain.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """What callers pay for the models of a pattern.

    Attributes:
        pattern: On canonical names.
        audio: A second with sound, or of a model that has none.
        silent: A second without, or None where silence costs the same (or half, in the dialects
            that say so).
    """

    pattern: str
    audio: Rates
    silent: Rates | None = None


def repriced(catalogue: Catalogue, rows: Sequence[PriceRow]) -> Catalogue:
    """The catalogue with the first row that matches in place of each model's rate card.

    What of a video input is billed stays as the catalogue has it.
    """
    if not rows:
        return catalogue
    return Catalogue(_repriced(spec, rows) for spec in catalogue.all())


def unpriced(catalogue: Catalogue, rows: Sequence[PriceRow]) -> tuple[ModelSpec, PriceRow] | None:
    """A model and its row that sells no tier as high as the model makes, or None."""
    for spec in catalogue.all():
        row = next((row for row in rows if fnmatchcase(spec.name, row.pattern)), None)
        if row is None:
            continue
        highest = max(spec.tiers, key=lambda tier: tier.lines)
        sold = (row.audio, row.silent or row.audio)
        if any(rates.at_or_above(highest) is None for rates in sold):
            return spec, row
    return None


def _repriced(spec: ModelSpec, rows: Sequence[PriceRow]) -> ModelSpec:
    row = next((row for row in rows if fnmatchcase(spec.name, row.pattern)), None)
    if row is None:
        return spec
    card = RateCard(
        audio=row.audio,
        silent=row.silent,
        input_max_s=spec.price.input_max_s,
        total_max_s=spec.price.total_max_s,
        source=f"the operator's price list, {row.pattern}",
    )
    return replace(spec, price=card)
