"""The tables of the configuration file that are no settings: engines, routes, prices.

What stands in them is checked here as far as it can be without building an engine; an engine's own
options are its own affair. Every message names the place. Settings are in `settings.py`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.money import micro_of
from kinogate.domain.order import Mode
from kinogate.domain.price_list import PriceRow, unpriced
from kinogate.domain.rates import Micro, Rates
from kinogate.domain.resolution import Tier
from kinogate.domain.routes import (
    DEFAULT_ROUTES,
    PREVIEW,
    Costs,
    EngineSection,
    Place,
    Route,
)

TABLES = ("engines", "routes", "prices")
"""Top-level tables of the file that are read here; every other name is a setting's."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_ROUTE_MEMBERS = ("model", "accounts", "modes", "engines", "max_usd_per_s")
_MAX_WEIGHT = 1000


class BadConfig(ValueError):
    """The configuration cannot be used; the message names the place and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What the tables say.

    Attributes:
        engines: In the order of the file; `preview` comes last unless it is named.
        routes: In the order of the file.
        prices: In the order of the file.
        settings: The file's settings as they stand there, for telling that one has changed.
    """

    engines: tuple[EngineSection, ...] = (EngineSection(name=PREVIEW, kind=PREVIEW),)
    routes: tuple[Route, ...] = DEFAULT_ROUTES
    prices: tuple[PriceRow, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)

    def remarks(self) -> tuple[str, ...]:
        """What is allowed and perhaps not meant, a sentence each."""
        routed = {name for route in self.routes for name in route.names}
        found = [
            f"[engines.{section.name}]: no route names this engine, so it gets no work."
            for section in self.engines
            if section.name not in routed and section.name != PREVIEW
        ]
        costs = {section.name: section.costs for section in self.engines}
        found += [
            f"routes[{index}]: the engine {name} has no price, so max_usd_per_s never passes it "
            "over."
            for index, route in enumerate(self.routes)
            for name in route.names
            if route.max_micro is not None
            and not costs[name].rows
            and not any(item.name == name and item.kind == PREVIEW for item in self.engines)
        ]
        return tuple(found)


def read_file(path: Path | None) -> dict[str, object]:
    """The whole file; empty without one.

    Raises:
        OSError: It cannot be read.
        tomllib.TOMLDecodeError: It is not TOML.
        BadConfig: It is not UTF-8.
    """
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except UnicodeDecodeError as exc:
        raise BadConfig(f"{path}: is not UTF-8.") from exc


def read_setup(tables: Mapping[str, object]) -> Setup:
    """Engines, routes and prices out of a file that `read_file` has read.

    Raises:
        BadConfig: With the place.
    """
    engines = _engines(tables.get("engines"))
    names = [section.name for section in engines]
    return Setup(
        engines=engines,
        routes=_routes(tables.get("routes"), names),
        prices=_prices(tables.get("prices")),
        settings={name: value for name, value in tables.items() if name not in TABLES},
    )


def _engines(value: object) -> tuple[EngineSection, ...]:
    sections = [
        _engine(name, _table(section, f"engines.{name}"))
        for name, section in _table({} if value is None else value, "engines").items()
    ]
    if all(section.name != PREVIEW for section in sections):
        sections.append(EngineSection(name=PREVIEW, kind=PREVIEW))
    return tuple(sections)


def _engine(name: str, section: Mapping[str, object]) -> EngineSection:
    at = f"engines.{name}"
    if not _NAME.fullmatch(name):
        raise BadConfig(
            f"{at}: a name has 1 to 32 letters, digits, '.', '_' and '-', and begins with one of "
            "the first two."
        )
    kind = section.get("kind")
    if not isinstance(kind, str) or not kind:
        raise BadConfig(f"{at}.kind: must say what the engine is, such as {PREVIEW!r}.")
    options = {key: item for key, item in section.items() if key not in ("kind", "price")}
    return EngineSection(
        name=name, kind=kind, options=options, costs=_costs(section.get("price"), f"{at}.price")
    )


def _costs(value: object, at: str) -> Costs:
    if value is None:
        return Costs()
    if not isinstance(value, Mapping):
        return Costs(rows=(("*", _micro(value, at)),))
    return Costs(rows=tuple((name, _micro(item, f"{at}.{name}")) for name, item in value.items()))


def _routes(value: object, engines: list[str]) -> tuple[Route, ...]:
    if value is None:
        return DEFAULT_ROUTES
    if not isinstance(value, list):
        raise BadConfig("routes: must be written as [[routes]] tables.")
    return tuple(
        _route(_table(item, f"routes[{index}]"), f"routes[{index}]", engines)
        for index, item in enumerate(value)
    )


def _route(table: Mapping[str, object], at: str, engines: list[str]) -> Route:
    _no_others(table, _ROUTE_MEMBERS, at)
    model = table.get("model", "*")
    if not isinstance(model, str) or not model:
        raise BadConfig(f"{at}.model: must be a pattern on model names, such as 'wan2.6-*'.")
    places = table.get("engines")
    if not isinstance(places, list) or not places:
        raise BadConfig(f"{at}.engines: must list at least one engine.")
    limit = table.get("max_usd_per_s")
    return Route(
        model=model,
        accounts=_texts(table.get("accounts"), f"{at}.accounts"),
        modes=_modes(table.get("modes"), f"{at}.modes"),
        places=tuple(
            _place(item, f"{at}.engines[{index}]", engines) for index, item in enumerate(places)
        ),
        max_micro=None if limit is None else _micro(limit, f"{at}.max_usd_per_s"),
    )


def _place(value: object, at: str, engines: list[str]) -> Place:
    if isinstance(value, str):
        weights: Mapping[str, object] = {value: 1}
    elif isinstance(value, Mapping) and value:
        weights = value
    else:
        raise BadConfig(f"{at}: must be an engine's name, or a table of names and weights.")
    drawn: list[tuple[str, int]] = []
    for name, weight in weights.items():
        if name not in engines:
            raise BadConfig(f"{at}: there is no engine {name!r}; known are {', '.join(engines)}.")
        if (
            isinstance(weight, bool)
            or not isinstance(weight, int)
            or not 1 <= weight <= _MAX_WEIGHT
        ):
            raise BadConfig(f"{at}.{name}: a weight is a whole number from 1 to {_MAX_WEIGHT}.")
        drawn.append((name, weight))
    return Place(engines=tuple(drawn))


def _modes(value: object, at: str) -> frozenset[Mode] | None:
    if value is None:
        return None
    known = {mode.value: mode for mode in Mode}
    words = _texts(value, at)
    if unknown := [word for word in words if word not in known]:
        raise BadConfig(f"{at}: there is no mode {unknown[0]!r}; known are {', '.join(known)}.")
    return frozenset(known[word] for word in words)


def _prices(value: object) -> tuple[PriceRow, ...]:
    rows = tuple(
        _price(pattern, item)
        for pattern, item in _table({} if value is None else value, "prices").items()
    )
    if missing := unpriced(CATALOGUE, rows):
        spec, row = missing
        highest = max(spec.tiers, key=lambda tier: tier.lines)
        raise BadConfig(
            f"prices.{row.pattern!r}: has no price for {highest.value}, which {spec.name} makes."
        )
    return rows


def _price(pattern: str, value: object) -> PriceRow:
    at = f"prices.{pattern!r}"
    if isinstance(value, Mapping) and ("audio" in value or "silent" in value):
        _no_others(value, ("audio", "silent"), at)
        if "audio" not in value:
            raise BadConfig(f"{at}.audio: must be there beside silent.")
        silent = value.get("silent")
        return PriceRow(
            pattern=pattern,
            audio=_rates(value["audio"], f"{at}.audio"),
            silent=None if silent is None else _rates(silent, f"{at}.silent"),
        )
    return PriceRow(pattern=pattern, audio=_rates(value, at))


def _rates(value: object, at: str) -> Rates:
    if not isinstance(value, Mapping):
        price = _micro(value, at)
        return Rates(p480=price, p720=price, p1080=price)
    _no_others(value, [tier.value for tier in Tier], at)
    found = {name: _micro(item, f"{at}.{name}") for name, item in value.items()}
    return Rates(
        p480=found.get(Tier.P480.value),
        p720=found.get(Tier.P720.value),
        p1080=found.get(Tier.P1080.value),
    )


def _micro(value: object, at: str) -> Micro:
    """US dollars as a TOML number or a text (`0.10`, `"0.10"`)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadConfig(f"{at}: must be US dollars, such as 0.10.")
    try:
        return micro_of(Decimal(str(value)))
    except (ArithmeticError, ValueError) as exc:
        raise BadConfig(f"{at}: must be US dollars in whole micro-dollars, such as 0.10.") from exc


def _texts(value: object, at: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
        raise BadConfig(f"{at}: must be a list of texts.")
    return tuple(value)


def _table(value: object, at: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise BadConfig(f"{at}: must be a table.")
    return value


def _no_others(table: Mapping[str, object], known: Iterable[str], at: str) -> None:
    names = tuple(known)
    if unknown := [name for name in table if name not in names]:
        raise BadConfig(
            f"{at}.{unknown[0]}: there is no such member; known are {', '.join(names)}."
        )
