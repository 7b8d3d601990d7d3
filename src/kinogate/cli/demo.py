"""`kinogate demo`: a private server, one call through every dialect, every MP4 checked."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from kinogate.cli.output import Exit, err, print_json, print_table


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the MP4s.")] = Path("out"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Start a private server, send every dialect's own example, check what comes back."""
    # Imported here: the checks need the media libraries, which no other command loads.
    from kinogate.cli.demo_calls import CALLS  # noqa: PLC0415
    from kinogate.cli.demo_fixtures import serve_fixtures  # noqa: PLC0415
    from kinogate.cli.demo_run import run_call  # noqa: PLC0415
    from kinogate.cli.private_server import private_server  # noqa: PLC0415

    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="kinogate-demo-") as folder,
        serve_fixtures(Path(folder)) as fixtures,
        private_server(Path(folder) / "data", allow_hosts=fixtures.authority) as server,
    ):
        err.print(f"Private server at {server.url}; {len(CALLS)} calls, two at a time.")
        started = [call.start(server, fixtures) for call in CALLS]
        rows = [run_call(pending, server, fixtures, out) for pending in started]
    if as_json:
        print_json([row.as_dict() for row in rows])
    else:
        print_table(
            ("dialect", "example", "size", "frames", "fps", "seconds", "sound", "first", "ok"),
            [row.cells() for row in rows],
        )
    for row in rows:
        for fault in row.faults:
            err.print(f"[red]{row.dialect} {row.example}:[/red] {fault}", highlight=False)
    if any(row.faults for row in rows):
        raise typer.Exit(Exit.FAILURE)
    err.print(f"All {len(rows)} are right; the MP4s are in {out}/.")
