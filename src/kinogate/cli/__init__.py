"""The command line: `kinogate serve | demo | generate | tasks | keys | models | doctor | …`.

Heavy modules are imported inside the commands, so that `--help` and `keys` stay quick.
"""

from __future__ import annotations

from typing import Annotated

import typer

import kinogate
from kinogate.cli import config, demo, doctor, generate, keys, models, serve, tasks, verify
from kinogate.cli.output import fail_clearly

app = typer.Typer(
    name="kinogate",
    help="One server for every Wan video API: send any dialect, run any engine.",
    epilog="Start here: kinogate serve · kinogate generate 'A kitten running in the moonlight'",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("generate")(generate.generate)
app.command("models")(models.models)
app.command("doctor")(doctor.doctor)
app.command("verify")(verify.verify)
app.add_typer(tasks.app, name="tasks", help="List, show, watch and cancel tasks of a server.")
app.add_typer(config.app, name="config", help="Check a configuration.")
app.add_typer(keys.app, name="keys", help="Make, list and revoke API keys.")


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(kinogate.__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and leave."
        ),
    ] = False,
) -> None:
    """One server for every Wan video API: send any dialect, run any engine."""


def main() -> None:
    """The console script."""
    with fail_clearly():
        app()
