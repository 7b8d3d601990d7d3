"""`kinogate keys`: works on the database itself, with the server stopped or running."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from kinogate.cli.output import Exit, err, print_json, print_table, wants_json
from kinogate.cli.serve import settings_of
from kinogate.domain.ports import Key
from kinogate.machine import SystemClock, make_private
from kinogate.service.keys import DEFAULT_ACCOUNT, Keyring, MintedKey
from kinogate.settings import Settings

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="The server's data directory.")]
Config = Annotated[Path | None, typer.Option(help="The server's TOML file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    account: Annotated[str, typer.Option(help="Account that owns it.")] = DEFAULT_ACCOUNT,
    admin: Annotated[bool, typer.Option("--admin", help="May administer the server.")] = False,
    as_json: Json = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make a key; its secret is shown now and never again."""
    settings = settings_of(config, data_dir=data_dir)

    async def make(keyring: Keyring) -> MintedKey:
        return await keyring.create(name, account_id=account, is_admin=admin)

    try:
        minted = asyncio.run(_with_keyring(settings, make))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--account") from error
    if wants_json(as_json):
        print_json(_row(minted.key) | {"key": minted.secret})
    else:
        typer.echo(minted.secret)
        err.print(f"id {minted.key.id}, account {minted.key.account_id}; shown once.")


@app.command("ls")
def ls(
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    as_json: Json = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """List keys, oldest first."""
    settings = settings_of(config, data_dir=data_dir)

    async def read(keyring: Keyring) -> list[Key]:
        return list(await keyring.list(account))

    rows = [_row(key) for key in asyncio.run(_with_keyring(settings, read))]
    if wants_json(as_json):
        print_json(rows)
    else:
        columns = ("id", "account", "name", "admin", "revoked")
        print_table(columns, [[str(row[column]) for column in columns] for row in rows])


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, key_….")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Revoke a key; a running server refuses it within a second."""
    settings = settings_of(config, data_dir=data_dir)

    async def end(keyring: Keyring) -> bool:
        return await keyring.revoke(key_id)

    if not asyncio.run(_with_keyring(settings, end)):
        err.print(f"[red]error:[/red] there is no live key {key_id!r}.")
        raise typer.Exit(Exit.FAILURE)
    err.print(f"{key_id} is revoked.")


async def _with_keyring(settings: Settings, use: Callable[[Keyring], Awaitable[T]]) -> T:
    from kinogate.db.keys import SqlKeyStore  # noqa: PLC0415 - --help stays quick
    from kinogate.db.open import open_database  # noqa: PLC0415

    make_private(settings.data_dir)
    database = open_database(settings.database)
    try:
        return await use(Keyring(SqlKeyStore(database), SystemClock()))
    finally:
        database.close()


def _row(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "account": key.account_id,
        "name": key.name,
        "admin": key.is_admin,
        "created_ms": key.created_ms,
        "revoked": key.revoked_ms is not None,
    }
