"""Which models there are, and which engine would make them here."""

from __future__ import annotations

from kinogate.domain.catalogue import Catalogue, ModelSpec
from kinogate.domain.engine import Engine
from kinogate.domain.models import ModelCard
from kinogate.domain.overlays import Overlay, overlaid


class Models:
    """The use case "what can I ask for?"."""

    def __init__(self, catalogue: Catalogue, engine: Engine) -> None:
        self._catalogue = catalogue
        self._engine = engine

    def all(self, overlay: Overlay) -> tuple[ModelCard, ...]:
        """Every row of the catalogue, in its order, as a dialect's overlay has it."""
        return tuple(self._card(overlaid(spec, overlay)) for spec in self._catalogue.all())

    def find(self, spelling: str, overlay: Overlay) -> ModelCard:
        """One row, by any of its spellings, as a dialect's overlay has it.

        Raises:
            CallerError: MODEL_UNKNOWN.
        """
        return self._card(overlaid(self._catalogue.resolve(spelling), overlay))

    def _card(self, spec: ModelSpec) -> ModelCard:
        modes = tuple(sorted(self._engine.modes(spec)))
        return ModelCard(spec=spec, engine=self._engine.name if modes else None, modes=modes)
