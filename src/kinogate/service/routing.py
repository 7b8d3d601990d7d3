"""Which engines may serve a plan, and in which order; what the routes and prices are now.

`Router.choose` is pure as long as nothing is reloaded. The state of the engines only decides, at
submit, which of the candidates' lanes a task waits in; at run time `relay.py` looks at it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kinogate.domain.abilities import adapt
from kinogate.domain.catalogue import CATALOGUE, Catalogue
from kinogate.domain.engine import Engine
from kinogate.domain.order import Role
from kinogate.domain.price_list import PriceRow, repriced
from kinogate.domain.routes import DEFAULT_ROUTES, Place, Route, find_route
from kinogate.domain.task import Plan
from kinogate.service.fleet import Fleet, Member
from kinogate.service.health import Stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Where a plan may go.

    Attributes:
        candidates: Names of engines, the first to be asked first; empty when there is none.
        refusal: Why there is none: the sentence of the route's first engine; None when there is.
    """

    candidates: tuple[str, ...] = ()
    refusal: str | None = None


class Router:
    """Routes and price lists, which a reload replaces while tasks come in."""

    def __init__(
        self,
        fleet: Fleet,
        *,
        routes: Sequence[Route] = DEFAULT_ROUTES,
        prices: Sequence[PriceRow] = (),
        catalogue: Catalogue = CATALOGUE,
    ) -> None:
        self.fleet = fleet
        self._base = catalogue
        self._routes: tuple[Route, ...] = ()
        self._catalogue = catalogue
        self.replace(routes, prices)

    @classmethod
    def to(cls, engine: Engine, *, catalogue: Catalogue = CATALOGUE) -> Router:
        """Everything to one engine, which somebody else starts and closes."""
        route = Route(places=(Place(engines=((engine.name, 1),)),))
        return cls(Fleet.of(engine), routes=(route,), catalogue=catalogue)

    @property
    def catalogue(self) -> Catalogue:
        """The rows, with what callers pay for them now."""
        return self._catalogue

    @property
    def routes(self) -> tuple[Route, ...]:
        """In the order in which they are tried."""
        return self._routes

    def replace(self, routes: Sequence[Route], prices: Sequence[PriceRow]) -> None:
        """Take over new ones; tasks that have been accepted keep what they hold."""
        self._routes = tuple(routes)
        self._catalogue = repriced(self._base, prices)

    def choose(self, plan: Plan, roles: frozenset[Role], account_id: str, salt: str) -> Choice:
        """The engines of the first route that takes the plan, without those that refuse it.

        Args:
            plan: As decided from the model's row.
            roles: The inputs it has.
            account_id: Who asks.
            salt: Decides between engines that share a place: the task's id.
        """
        route = find_route(self._routes, plan.model, account_id, plan.mode)
        if route is None:
            return Choice(refusal=f"No engine of this server is set up for {plan.model}.")
        reasons: dict[str, str] = {}
        candidates: list[str] = []
        for name in route.drawn(salt):
            member = self.fleet.get(name)
            if member is None:
                continue
            reason = self._objection(route, member, plan, roles)
            if reason is None:
                candidates.append(name)
            else:
                reasons[name] = reason
        if candidates:
            return Choice(candidates=tuple(candidates))
        # The sentence shall not depend on how the lots fell.
        first = next((reasons[name] for name in route.names if name in reasons), None)
        return Choice(refusal=first or "The engines for this model are not there any more.")

    def by_readiness(self, candidates: Sequence[str]) -> tuple[str, ...]:
        """The same names, those that take no work now at the end."""

        def is_out(name: str) -> bool:
            member = self.fleet.get(name)
            return member is None or member.stand in (Stand.COOLING, Stand.DRAINING)

        return tuple(sorted(candidates, key=is_out))

    def adapted(self, plan: Plan, name: str) -> tuple[Plan, tuple[str, ...]]:
        """The plan as the engine `name` can keep it; see `abilities.adapt`."""
        member = self.fleet.get(name)
        if member is None:
            return plan, ()
        abilities = member.engine.abilities(plan.model)
        return adapt(plan, abilities, name, is_seed_given=plan.is_seed_given)

    def _objection(
        self, route: Route, member: Member, plan: Plan, roles: frozenset[Role]
    ) -> str | None:
        if reason := member.engine.refuses(plan, roles):
            return reason
        spec = self._catalogue.get(plan.model)
        # An effect makes a mode that its row does not list (i2v on a row between two frames); then
        # only `refuses` can tell.
        is_listed = spec is not None and plan.mode in spec.modes
        if spec is not None and is_listed and plan.mode not in member.engine.modes(spec):
            return f"The engine {member.name} does not make {plan.mode.value} with {plan.model}."
        if not route.affords(member.section.costs.of(plan.model)):
            return f"No engine for {plan.model} is within the price ceiling of this server."
        return None
