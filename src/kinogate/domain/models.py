"""A catalogue row together with what this server can do with it."""

from __future__ import annotations

from dataclasses import dataclass

from kinogate.domain.order import Mode
from kinogate.domain.spec import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One model as this server offers it.

    Attributes:
        spec: The row.
        engine: Name of the engine that would serve it, or None when none can.
        modes: The row's modes that the engine renders.
    """

    spec: ModelSpec
    engine: str | None
    modes: tuple[Mode, ...]
