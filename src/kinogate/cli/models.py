"""`kinogate models`: the catalogue, without a server."""

from __future__ import annotations

from typing import Annotated

import typer

from kinogate.cli.output import print_json, print_table, wants_json


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every model of the catalogue and what the built-in engine makes of it."""
    from kinogate.domain.catalogue import CATALOGUE  # noqa: PLC0415 - --help stays quick
    from kinogate.engines.preview.capabilities import unsupported  # noqa: PLC0415

    rows = [
        {
            "model": spec.name,
            "modes": " ".join(sorted(mode.value for mode in spec.modes)),
            "resolutions": " ".join(tier.value for tier in spec.tiers),
            "seconds": spec.durations.describe(),
            "audio": spec.audio.value,
            "preview": " ".join(
                sorted(mode.value for mode in spec.modes if unsupported(mode) is None)
            ),
        }
        for spec in CATALOGUE.all()
    ]
    if wants_json(as_json):
        print_json(rows)
    else:
        print_table(tuple(rows[0]), [list(row.values()) for row in rows])
