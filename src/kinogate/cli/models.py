"""`kinogate models`: what can run where at what price, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kinogate.cli.output import bad_config, print_json, print_table, wants_json
from kinogate.cli.serve import settings_of, setup_of

if TYPE_CHECKING:
    from kinogate.domain.models import ModelCard


def models(
    config: Annotated[
        Path | None, typer.Option(help="A TOML file with engines, routes and prices.")
    ] = None,
    account: Annotated[str, typer.Option(help="The account whose routes count.")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every model: its engines in the order in which they are asked, and what callers pay."""
    rows = [_row(card) for card in _cards(config, account)]
    if wants_json(as_json):
        print_json(rows)
        return
    columns = ("model", "seconds", "engines", "USD a second")
    print_table(
        columns,
        [
            [
                str(row["model"]),
                str(row["seconds"]),
                _engines_text(row["engines"]),
                _prices_text(row["prices"]),
            ]
            for row in rows
        ],
    )


def _cards(config: Path | None, account: str) -> tuple[ModelCard, ...]:
    from kinogate.config import BadConfig  # noqa: PLC0415 - --help stays quick
    from kinogate.domain.overlays import NATIVE  # noqa: PLC0415
    from kinogate.domain.ports import Principal  # noqa: PLC0415
    from kinogate.policies import idle_fleet  # noqa: PLC0415
    from kinogate.service.models import Models  # noqa: PLC0415
    from kinogate.service.routing import Router  # noqa: PLC0415

    settings, setup = settings_of(config), setup_of(config)
    try:
        fleet = idle_fleet(settings, setup.engines)
    except BadConfig as error:
        raise bad_config(str(error)) from error
    router = Router(fleet, routes=setup.routes, prices=setup.prices)
    me = Principal(account_id=account, key_id="cli", is_admin=True)
    return Models(router).all(NATIVE, me)


def _row(card: ModelCard) -> dict[str, object]:
    from kinogate.domain.money import usd_text  # noqa: PLC0415

    spec = card.spec
    return {
        "model": spec.name,
        "modes": " ".join(sorted(mode.value for mode in spec.modes)),
        "resolutions": " ".join(tier.value for tier in spec.tiers),
        "seconds": spec.durations.describe(),
        "audio": spec.audio.value,
        "engines": [
            {
                "name": offer.engine,
                "modes": [mode.value for mode in offer.modes],
                "cost_usd_per_s": None
                if offer.cost_micro is None
                else usd_text(offer.cost_micro, 6),
            }
            for offer in card.offers
        ],
        "prices": {
            price.tier.value: {
                "audio": usd_text(price.audio_micro, 4),
                "silent": usd_text(price.silent_micro, 4),
            }
            for price in card.prices
        },
    }


def _engines_text(engines: object) -> str:
    """`gpu: i2v t2v (0.02); preview: t2v`; the cost is the operator's own, a second."""
    if not isinstance(engines, list) or not engines:
        return "none"
    shown = []
    for engine in engines:
        cost = engine["cost_usd_per_s"]
        suffix = f" ({cost.rstrip('0').rstrip('.')})" if cost is not None else ""
        shown.append(f"{engine['name']}: {' '.join(engine['modes'])}{suffix}")
    return "; ".join(shown)


def _prices_text(prices: object) -> str:
    if not isinstance(prices, dict):
        return ""
    return " · ".join(
        f"{tier} {price['audio']}"
        + (f" (silent {price['silent']})" if price["silent"] != price["audio"] else "")
        for tier, price in prices.items()
    )
