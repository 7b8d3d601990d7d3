"""`kinogate config check`: what a configuration means, without its secrets, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr
from rich.markup import escape

from kinogate.cli.output import bad_config, err, print_json, print_table, wants_json
from kinogate.cli.serve import settings_of, setup_of

if TYPE_CHECKING:
    from kinogate.config import Setup
    from kinogate.domain.rates import Rates
    from kinogate.domain.routes import EngineSection, Route
    from kinogate.settings import Settings

app = typer.Typer(no_args_is_help=True)

HIDDEN = "***"
_SECRET = re.compile(r"key|token|secret|password|authorization|credential", re.IGNORECASE)
_POINTER = re.compile(r"(env|file):")
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*@")


@app.callback()
def root() -> None:
    """Check a configuration."""


@app.command("check")
def check(
    config: Annotated[Path | None, typer.Option(help="A TOML file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the effective configuration without secrets; exit status 78 when it is wrong."""
    from kinogate.config import BadConfig  # noqa: PLC0415 - --help stays quick
    from kinogate.policies import idle_fleet  # noqa: PLC0415

    settings, setup = settings_of(config), setup_of(config)
    try:
        idle_fleet(settings, setup.engines)
    except BadConfig as error:
        raise bad_config(str(error)) from error
    shown = effective(settings, setup)
    if wants_json(as_json):
        print_json(shown)
    else:
        print_table(("place", "value"), [list(pair) for pair in leaves(shown)])
    for remark in setup.remarks():
        err.print(f"[yellow]remark:[/yellow] {escape(remark)}", highlight=False, soft_wrap=True)


def effective(
    settings: Settings, setup: Setup
) -> dict[str, dict[str, object] | list[dict[str, object]]]:
    """Settings, engines, routes and prices as they count; secrets are masked."""
    return {
        "settings": {name: _setting(value) for name, value in settings},
        "engines": {section.name: _engine(section) for section in setup.engines},
        "routes": [_route(route) for route in setup.routes],
        "prices": {
            row.pattern: {
                "audio": _rates(row.audio),
                "silent": None if row.silent is None else _rates(row.silent),
            }
            for row in setup.prices
        },
    }


def leaves(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Every single value with its place: `routes[0].engines[0].intl`, `3`."""
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from leaves(item, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, f"{place}[{index}]")
    elif isinstance(value, list):
        yield place, ", ".join(map(str, value))
    elif value not in (None, {}):
        yield place, str(value)


def masked(value: object, name: str = "") -> object:
    """An option as it may be shown; `env:` and `file:` say where a secret is and hold none."""
    if isinstance(value, Mapping):
        return {key: masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, name) for item in value]
    if _SECRET.search(name) and value not in (None, "", True, False):
        is_pointer = isinstance(value, str) and _POINTER.match(value)
        return value if is_pointer else HIDDEN
    return _without_password(value) if isinstance(value, str) else value


def _setting(value: object) -> object:
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else ""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, str | Path):
        return _without_password(str(value))
    return value


def _without_password(text: str) -> str:
    return _PASSWORD.sub(rf"\1:{HIDDEN}@", text)


def _engine(section: EngineSection) -> dict[str, object]:
    from kinogate.domain.money import usd_text  # noqa: PLC0415

    shown: dict[str, object] = {"kind": section.kind}
    for name, value in section.options.items():
        shown[name] = masked(value, name)
    if section.costs.rows:
        shown["price"] = {pattern: usd_text(cost, 6) for pattern, cost in section.costs.rows}
    return shown


def _route(route: Route) -> dict[str, object]:
    from kinogate.domain.money import usd_text  # noqa: PLC0415

    return {
        "model": route.model,
        "accounts": list(route.accounts) or None,
        "modes": None if route.modes is None else sorted(mode.value for mode in route.modes),
        "engines": [
            place.names[0] if len(place.names) == 1 else dict(place.engines)
            for place in route.places
        ],
        "max_usd_per_s": None if route.max_micro is None else usd_text(route.max_micro, 6),
    }


def _rates(rates: Rates) -> dict[str, str]:
    from kinogate.domain.money import usd_text  # noqa: PLC0415
    from kinogate.domain.resolution import Tier  # noqa: PLC0415

    found = {tier.value: rates.at(tier) for tier in Tier}
    return {name: usd_text(price, 6) for name, price in found.items() if price is not None}
