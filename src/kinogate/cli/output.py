"""What commands share: exit codes, tables for people, JSON for programs, clear failures."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kinogate.domain.errors import CallerError, ErrorCode, KinogateError


class Exit(IntEnum):
    """What a command's exit status means."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    TASK_FAILED = 3
    AUTH = 4
    RATE_LIMITED = 5
    TIMEOUT = 6
    BAD_CONFIG = 78
    INTERRUPTED = 130


err = Console(stderr=True)
_LOG_WIDTH = 160


def wants_json(flag: bool) -> bool:
    """JSON when asked for, and whenever standard output is not a terminal."""
    return flag or not sys.stdout.isatty()


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    typer.echo(msgspec.json.encode(value).decode())


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """A table on standard output."""
    table = Table(*columns, title=title or None, title_justify="left")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))  # a cell is data, never markup
    # Without a terminal there is no width to keep to, and cut cells say nothing in a log.
    Console(width=None if sys.stdout.isatty() else _LOG_WIDTH).print(table)


def exit_of(error: KinogateError) -> Exit:
    """The exit status that tells a script what kind of error this was."""
    if error.code in (ErrorCode.KEY_MISSING, ErrorCode.KEY_INVALID, ErrorCode.PERMISSION_DENIED):
        return Exit.AUTH
    if error.code in (ErrorCode.RATE_LIMITED, ErrorCode.QUOTA_EXCEEDED):
        return Exit.RATE_LIMITED
    if error.code is ErrorCode.TIMED_OUT:
        return Exit.TIMEOUT
    return Exit.USAGE if isinstance(error, CallerError) else Exit.FAILURE


@contextmanager
def fail_clearly() -> Iterator[None]:
    """Turn our own errors into one line and an exit status; others keep their trace."""
    try:
        yield
    except KinogateError as error:
        where = f"{error.field}: " if error.field else ""
        message = escape(where + error.message)
        err.print(f"[red]error:[/red] {message}", highlight=False, soft_wrap=True)
        raise SystemExit(exit_of(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(Exit.INTERRUPTED) from None


def bad_config(message: str) -> SystemExit:
    """Say what is wrong with the settings; exit status 78."""
    err.print(f"[red]configuration:[/red] {escape(message)}", highlight=False, soft_wrap=True)
    return SystemExit(Exit.BAD_CONFIG)


def text_of(value: object) -> str:
    """A JSON value as a table cell."""
    if value is None:
        return ""
    if isinstance(value, Mapping | list):
        return msgspec.json.encode(value).decode()
    return str(value)
