"""Which engines a task may go to, and in which order: pure, and the same for the same input.

The state of the engines (health, drain) is not looked at here; see `service/routing.py`. Obeys
design §4.18.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from kinogate.domain.order import Mode
from kinogate.domain.rates import Micro

PREVIEW = "preview"
"""Kind, and by default name, of the engine that every server has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a second of an engine's work costs the operator: model pattern and micro-dollars."""

    rows: tuple[tuple[str, Micro], ...] = ()

    def of(self, model: str) -> Micro | None:
        """The first row that matches the canonical name, or None when nothing is said."""
        return next((cost for pattern, cost in self.rows if fnmatchcase(model, pattern)), None)


NO_COSTS = Costs()
"""Nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSection:
    """One `[engines.NAME]` section.

    Attributes:
        name: As routes, replies and metrics call the engine.
        kind: What it is; see `engines.kinds`.
        options: The rest of the section, which the engine checks; may hold secrets.
        costs: What a second costs the operator.
    """

    name: str
    kind: str
    options: Mapping[str, object] = field(default_factory=dict)
    costs: Costs = NO_COSTS

    def is_same_engine(self, other: EngineSection) -> bool:
        """Whether the engine built from `other` would be this one; costs are not its affair."""
        return (self.kind, self.options) == (other.kind, other.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a route's order: one engine, or several that share it by weight, each above 0."""

    engines: tuple[tuple[str, int], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """As written."""
        return tuple(name for name, _ in self.engines)

    def drawn(self, salt: str) -> tuple[str, ...]:
        """The names, each the likelier in front the more it weighs; the same for the same salt."""
        return tuple(
            name for name, _ in sorted(self.engines, key=lambda item: _lot(salt, item[0]) / item[1])
        )


def _lot(salt: str, name: str) -> float:
    """A draw from the exponential distribution; the least of lot / weight wins in proportion."""
    digest = hashlib.sha256(f"{salt}\n{name}".encode()).digest()
    share = (int.from_bytes(digest[:7]) + 1) / (256**7 + 1)  # never 0
    return -math.log(share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One `[[routes]]` table.

    Attributes:
        model: Pattern on canonical names.
        accounts: Patterns on account ids; empty for all.
        modes: The kinds of work it is for; None for all.
        places: In order.
        max_micro: Engines that cost the operator more a second are passed over; None for no limit.
    """

    model: str = "*"
    accounts: tuple[str, ...] = ()
    modes: frozenset[Mode] | None = None
    places: tuple[Place, ...]
    max_micro: Micro | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every engine, as written."""
        return tuple(name for place in self.places for name in place.names)

    def takes(self, model: str, account_id: str, mode: Mode) -> bool:
        """Whether a task belongs to this route."""
        if self.modes is not None and mode not in self.modes:
            return False
        if self.accounts and not any(fnmatchcase(account_id, item) for item in self.accounts):
            return False
        return fnmatchcase(model, self.model)

    def drawn(self, salt: str) -> tuple[str, ...]:
        """Every engine in the order for one task; a name counts where it comes first."""
        return tuple(dict.fromkeys(name for place in self.places for name in place.drawn(salt)))

    def affords(self, cost: Micro | None) -> bool:
        """Whether an engine of this cost is within the ceiling; one without a figure is."""
        return self.max_micro is None or cost is None or cost <= self.max_micro


DEFAULT_ROUTES = (Route(places=(Place(engines=((PREVIEW, 1),)),)),)
"""Everything to the preview engine."""


def find_route(routes: Sequence[Route], model: str, account_id: str, mode: Mode) -> Route | None:
    """The first route that takes the task, or None."""
    return next((route for route in routes if route.takes(model, account_id, mode)), None)
