"""`kinogate doctor`: whether this machine, this configuration and its engines would work."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kinogate.cli.output import Exit, print_json, print_table, wants_json
from kinogate.cli.serve import settings_of, setup_of

if TYPE_CHECKING:
    from kinogate.config import Setup
    from kinogate.domain.routes import EngineSection
    from kinogate.settings import Settings

_CHECK_S = 10.0
_CHILD_S = 30.0
_GIB = 1024**3
_LEAST_DISK, _GOOD_DISK = _GIB // 2, 5 * _GIB
_SOUND_SQLITE = (3, 51, 3)
"""Older ones may damage a database in WAL mode when two connections write and checkpoint at once
(sqlite.org/wal.html, "the WAL-reset bug"); our fair gate lets one write at a time."""
_BORN_S = 1_767_225_600  # 2026-01-01: this version cannot be older
_EXTRAS = {
    "postgres": ("psycopg",),
    "c2pa": ("c2pa", "cryptography"),
    "wan": ("torch", "diffusers", "transformers"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the report; `state` is ok, warn or FAIL."""

    what: str
    state: str
    text: str


def doctor(
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="The server's data directory.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check machine, configuration and every engine; costs nothing and makes no clip.

    Exit status 1: something fails. 78: the configuration cannot be read.
    """
    settings, setup = settings_of(config, data_dir=data_dir), setup_of(config)
    rows = asyncio.run(examine(settings, setup))
    if wants_json(as_json):
        print_json([{"what": row.what, "state": row.state, "text": row.text} for row in rows])
    else:
        print_table(("what", "state", "finding"), [[r.what, r.state, r.text] for r in rows])
    if any(row.state == "FAIL" for row in rows):
        raise typer.Exit(Exit.FAILURE)


async def examine(settings: Settings, setup: Setup) -> list[Row]:
    """Every finding, in the order in which a person would look."""
    rows = [
        python_row(sys.version_info[:3]),
        database_row(settings.database, sqlite3.sqlite_version),
        *folder_rows(settings.data_dir.expanduser()),
        clock_row(time.time()),
        await _child_row(),
        *(extra_row(name, settings) for name in _EXTRAS),
        *(Row(what="configuration", state="warn", text=text) for text in setup.remarks()),
    ]
    looks = [_engine_rows(settings, section) for section in setup.engines]
    for found in await asyncio.gather(*looks):
        rows += found
    return rows


def python_row(version: tuple[int, ...]) -> Row:
    """Whether the interpreter is new enough."""
    text = ".".join(map(str, version))
    if version < (3, 11):
        return Row(what="python", state="FAIL", text=f"{text}; needs 3.11 or newer.")
    return Row(what="python", state="ok", text=text)


def database_row(url: str, version: str) -> Row:
    """Whether the database's library is sound; for Postgres, whether its driver is there."""
    if url.startswith("postgresql"):
        if importlib.util.find_spec("psycopg") is None:
            return Row(what="database", state="FAIL", text="Postgres needs the extra postgres.")
        return Row(what="database", state="ok", text="Postgres, with its driver.")
    parts = tuple(int(part) for part in version.split("."))
    if parts < _SOUND_SQLITE:
        return Row(
            what="database",
            state="warn",
            text=f"SQLite {version}; before 3.51.3 it has a rare bug that damages databases in "
            "WAL mode. Keep backups, and let no other program write to the file.",
        )
    return Row(what="database", state="ok", text=f"SQLite {version}.")


def folder_rows(folder: Path) -> list[Row]:
    """Rights and room of the data directory, or of where it would be made."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    if not os.access(there, os.W_OK | os.X_OK):
        return [Row(what="data dir", state="FAIL", text=f"{there} cannot be written.")]
    rows = [_rights_row(folder), _room_row(there)]
    if folder.exists():
        rows.append(_skew_row(folder))
    return rows


def _rights_row(folder: Path) -> Row:
    if not folder.exists():
        return Row(what="data dir", state="ok", text=f"{folder} will be made.")
    mode = folder.stat().st_mode & 0o777
    if mode & 0o077:
        return Row(
            what="data dir",
            state="warn",
            text=f"{folder} is open to others ({mode:o}); it holds keys and prompts: chmod 700.",
        )
    return Row(what="data dir", state="ok", text=f"{folder} is writable and private.")


def _room_row(folder: Path) -> Row:
    free = shutil.disk_usage(folder).free
    text = f"{free / _GIB:.1f} GiB free."
    if free < _LEAST_DISK:
        return Row(what="disk", state="FAIL", text=text)
    return Row(what="disk", state="ok" if free >= _GOOD_DISK else "warn", text=text)


def _skew_row(folder: Path) -> Row:
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
        skew = abs(Path(file.name).stat().st_mtime - time.time())
    if skew > 2:
        text = f"The data dir's clock differs by {skew:.0f} s: is it a network mount?"
        return Row(what="data dir clock", state="warn", text=text)
    return Row(what="data dir clock", state="ok", text="Agrees with this machine's.")


def clock_row(now_s: float) -> Row:
    """Whether the clock can be right: signed links and holds depend on it."""
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s))
    if now_s < _BORN_S:
        return Row(what="clock", state="FAIL", text=f"{shown} is before this version was made.")
    return Row(what="clock", state="ok", text=shown)


async def _child_row() -> Row:
    from kinogate.domain.errors import KinogateError  # noqa: PLC0415 - --help stays quick
    from kinogate.media.inspector import Inspector  # noqa: PLC0415

    inspector = Inspector(slots=1)
    began = time.monotonic()
    try:
        async with asyncio.timeout(_CHILD_S):
            await inspector.start()
    except (KinogateError, TimeoutError) as error:
        text = str(error) or "It did not get ready in time."
        return Row(what="child process", state="FAIL", text=text)
    finally:
        await inspector.close()
    text = f"Ready after {time.monotonic() - began:.1f} s."
    return Row(what="child process", state="ok", text=text)


def extra_row(name: str, settings: Settings) -> Row:
    """Whether an extra is installed; missing is wrong only where a setting needs it."""
    missing = [module for module in _EXTRAS[name] if importlib.util.find_spec(module) is None]
    if not missing:
        return Row(what=f"extra {name}", state="ok", text="Installed.")
    is_needed = (name == "c2pa" and settings.c2pa != "off") or (
        name == "postgres" and settings.database.startswith("postgresql")
    )
    state = "FAIL" if is_needed else "ok"
    return Row(what=f"extra {name}", state=state, text=f"Not installed ({', '.join(missing)}).")


async def _engine_rows(settings: Settings, section: EngineSection) -> list[Row]:
    """What the engine's own check finds; one that cannot even be built is a finding, too."""
    from kinogate.config import BadConfig  # noqa: PLC0415 - --help stays quick
    from kinogate.domain.errors import KinogateError  # noqa: PLC0415
    from kinogate.policies import idle_fleet  # noqa: PLC0415

    at = f"engine {section.name}"
    try:
        fleet = idle_fleet(settings, [section])
    except BadConfig as error:
        return [Row(what=at, state="FAIL", text=str(error))]
    engine = fleet.members[section.name].engine
    try:
        async with asyncio.timeout(_CHECK_S):
            health = await engine.check()
    except TimeoutError:
        return [Row(what=at, state="FAIL", text="Its check took longer than 10 seconds.")]
    except KinogateError as error:
        return [Row(what=at, state="FAIL", text=error.message)]
    finally:
        await engine.close()
    rows = [
        Row(what=f"{at}: {item.what}", state="ok" if item.is_ok else "FAIL", text=item.text)
        for item in health.findings
    ]
    if not health.is_ready and all(item.is_ok for item in health.findings):
        rows.append(Row(what=at, state="FAIL", text=f"The {section.kind} engine is not ready."))
    return rows or [Row(what=at, state="ok", text=f"The {section.kind} engine is ready.")]
