"""Opening a database: addresses, pragmas, migrations."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from kinogate.db.listing import Listing
from kinogate.db.migrations import HEAD, revision
from kinogate.db.open import open_database
from kinogate.db.schema import metadata
from kinogate.db.statements import TABLES
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.ports import TaskFilter


def url_of(path: Path) -> str:
    return f"sqlite:///{path / 'kinogate.db'}"


@pytest.mark.parametrize("url", ["", "kinogate.db", "mysql://localhost/x", "sqlite://"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address must begin"):
        open_database(url)


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    open_database(url_of(tmp_path / "a" / "b")).close()
    assert (tmp_path / "a" / "b" / "kinogate.db").exists()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "kinogate.db").write_bytes(b"no database at all " * 100)
    with pytest.raises(InternalError) as caught:
        open_database(url_of(tmp_path))
    assert caught.value.code is ErrorCode.UNAVAILABLE


def test_commits_survive_the_loss_of_power(tmp_path: Path) -> None:
    database = open_database(url_of(tmp_path))
    with database.engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    database.close()
    assert pragmas == ["wal", 2, 1, 30_000]


def test_the_migrations_make_exactly_the_schema(tmp_path: Path) -> None:
    database = open_database(url_of(tmp_path))
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
        tables = set(sa.inspect(connection).get_table_names())
    database.close()
    assert differences == []
    assert tables == TABLES | {"alembic_version"}


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    open_database(url_of(tmp_path)).close()
    with sqlite3.connect(tmp_path / "kinogate.db") as raw:
        raw.execute("INSERT INTO meta VALUES ('a', 'b')")
    raw.close()
    database = open_database(url_of(tmp_path))
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT value FROM meta").scalar() == "b"
        assert revision(connection) == HEAD
    database.close()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    open_database(url_of(tmp_path)).close()
    with sqlite3.connect(tmp_path / "kinogate.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(InternalError, match="newer version"):
        open_database(url_of(tmp_path))


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    failures: list[Exception] = []

    def open_and_close() -> None:
        try:
            open_database(url_of(tmp_path)).close()
        except Exception as exc:  # noqa: BLE001  # the thread must tell
            failures.append(exc)

    threads = [threading.Thread(target=open_and_close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_listings_of_one_shape_are_compiled_once(tmp_path: Path) -> None:
    database = open_database(url_of(tmp_path))
    shapes = [
        Listing.of(TaskFilter(model=name), has_after=False, ascending=True) for name in ("a", "b")
    ]
    first, second = [database.statements.get(shape) for shape in shapes]
    database.close()
    assert first is second


def test_closing_twice_is_safe(tmp_path: Path) -> None:
    database = open_database(url_of(tmp_path))
    database.close()
    database.close()
