"""Our tables' history, applied by Alembic when a database is opened; DBOS's tables are its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from kinogate.domain.errors import ErrorCode, InternalError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD = "0002"
"""The newest revision; a database that has it is opened without loading Alembic (0.2 s)."""

_LOCK = 0x6B696E6F67617465
"""Key of the Postgres advisory lock under which one process migrates."""


def upgrade(engine: Engine) -> None:
    """Bring the tables to `HEAD`; does nothing when they are there.

    Raises:
        InternalError: UNAVAILABLE, when the database is newer than this program.
    """
    with engine.connect() as connection:
        if revision(connection) == HEAD:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("BEGIN IMMEDIATE"))
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        found = revision(connection)
        if found == HEAD:
            return
        if found is not None and found > HEAD:
            raise InternalError(
                ErrorCode.UNAVAILABLE,
                "The database was made by a newer version of this program.",
            )
        _migrate(connection)


def revision(connection: Connection) -> str | None:
    """The revision that the database is at, or None when it is new."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _migrate(connection: Connection) -> None:
    # Imported here: it is needed once per version, and costs every start its loading time.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
