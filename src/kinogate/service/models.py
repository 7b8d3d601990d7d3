"""Which models there are, which engines would make them here, and what callers pay."""

from __future__ import annotations

from kinogate.domain.catalogue import ModelSpec
from kinogate.domain.models import ModelCard, Offer, TierPrice
from kinogate.domain.money import rate
from kinogate.domain.order import Mode
from kinogate.domain.overlays import Overlay, overlaid
from kinogate.domain.ports import Principal
from kinogate.domain.routes import find_route
from kinogate.service.routing import Router


class Models:
    """The use case "what can I ask for?"; the answer is the caller's account's."""

    def __init__(self, router: Router) -> None:
        self._router = router

    def all(self, overlay: Overlay, principal: Principal) -> tuple[ModelCard, ...]:
        """Every row of the catalogue, in its order, as a dialect's overlay has it."""
        return tuple(
            self._card(overlaid(spec, overlay), overlay, principal)
            for spec in self._router.catalogue.all()
        )

    def find(self, spelling: str, overlay: Overlay, principal: Principal) -> ModelCard:
        """One row, by any of its spellings, as a dialect's overlay has it.

        Raises:
            CallerError: MODEL_UNKNOWN.
        """
        spec = overlaid(self._router.catalogue.resolve(spelling), overlay)
        return self._card(spec, overlay, principal)

    def _card(self, spec: ModelSpec, overlay: Overlay, principal: Principal) -> ModelCard:
        return ModelCard(
            spec=spec,
            offers=self._offers(spec, principal),
            prices=tuple(
                TierPrice(
                    tier=tier,
                    audio_micro=rate(spec, tier, True, overlay),
                    silent_micro=rate(spec, tier, False, overlay),
                )
                for tier in spec.tiers
            ),
        )

    def _offers(self, spec: ModelSpec, principal: Principal) -> tuple[Offer, ...]:
        """By mode, since each may have a route of its own; an engine stands where it comes first."""
        found: dict[str, list[Mode]] = {}
        for mode in sorted(spec.modes):
            route = find_route(self._router.routes, spec.name, principal.account_id, mode)
            for name in dict.fromkeys(route.names) if route is not None else ():
                member = self._router.fleet.get(name)
                if member is None or route is None:
                    continue
                is_dear = not route.affords(member.section.costs.of(spec.name))
                if not is_dear and mode in member.engine.modes(spec):
                    found.setdefault(name, []).append(mode)
        return tuple(
            Offer(
                engine=name,
                modes=tuple(modes),
                cost_micro=self._cost(name, spec) if principal.is_admin else None,
            )
            for name, modes in found.items()
        )

    def _cost(self, name: str, spec: ModelSpec) -> int | None:
        member = self._router.fleet.get(name)
        return None if member is None else member.section.costs.of(spec.name)
