"""A database made by an earlier version opens, is brought up to date, and its tasks go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from durable_rig import Rig

from kinogate.db import migrations
from kinogate.db.codec import row_of
from kinogate.db.open import open_database
from kinogate.db.store import SqlTaskStore
from kinogate.domain.ports import NewTask
from kinogate.domain.task import Status, Task

pytestmark = pytest.mark.anyio

HOLD = 500_000


@pytest.fixture(params=["sqlite", "postgres"])
def old_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of revision 0001 without any rows."""
    if request.param == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        url = f"sqlite:///{folder / 'old.db'}"
        make_old(url)
        yield url
        return
    server: str = request.getfixturevalue("postgres_server")
    admin = f"{server}/postgres".replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("CREATE DATABASE old")
    make_old(f"{server}/old")
    yield f"{server}/old"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("DROP DATABASE old WITH (FORCE)")


def make_old(url: str, bring: Callable[[Config, str], None] = command.upgrade) -> None:
    """Bring a database to revision 0001, from below or from above."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        bring(config, "0001")
        assert migrations.revision(connection) == "0001"
    engine.dispose()


def put(connection: sa.Connection, task: Task, **changes: object) -> None:
    """Insert a task, its hold and its account's as the first version did."""
    row = {**row_of(task), **changes}
    columns = ", ".join(row)
    connection.execute(sa.text(f"INSERT INTO tasks ({columns}) VALUES (:{', :'.join(row)})"), row)
    connection.execute(
        sa.text("INSERT INTO ledger VALUES (:id, 'hold', 'acme', :hold_micro, 1)"), row
    )
    connection.execute(
        sa.text("UPDATE accounts SET held_micro = held_micro + :hold_micro WHERE id = 'acme'"), row
    )


@pytest.fixture
def old_tasks(old_url: str, new_task: Callable[..., NewTask]) -> list[Task]:
    """Two queued tasks, one that a dead process ran, and one that failed."""
    tasks = [new_task().task for _ in range(4)]
    engine = sa.create_engine(old_url)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO accounts VALUES ('acme', 'acme', 0, 0, 1)"))
        put(connection, tasks[0])
        put(connection, tasks[1], not_before_ms=2)
        put(connection, tasks[2], status="running", owner="dead", started_ms=5)
        put(connection, tasks[3], status="failed", finished_ms=6, fault_code="engine_failed")
        connection.execute(sa.text("INSERT INTO executors VALUES ('dead', 1)"))
    engine.dispose()
    return tasks


async def test_tasks_of_an_earlier_version_are_in_the_one_lane_that_it_had(
    old_url: str, old_tasks: list[Task]
) -> None:
    database = open_database(old_url)
    store = SqlTaskStore(database)
    assert [await store.lane(task.id) for task in old_tasks] == ["preview"] * 4
    assert [run.owner for run in await store.running()] == ["dead"]
    with database.engine.connect() as connection:
        assert migrations.revision(connection) == migrations.HEAD
        indexes = {index["name"] for index in sa.inspect(connection).get_indexes("tasks")}
    assert indexes >= {"tasks_by_lane", "tasks_by_account", "tasks_by_end"}
    assert "tasks_by_status" not in indexes
    database.close()


async def test_tasks_of_an_earlier_version_are_run(
    old_url: str, old_tasks: list[Task], new_task: Callable[..., NewTask]
) -> None:
    database = open_database(old_url)
    rig = Rig(SqlTaskStore(database), database, new_task)
    async with rig.started():
        new = await rig.submit()
        assert await rig.ended(*old_tasks[:3], new) == [Status.SUCCEEDED] * 4
    assert await rig.status(old_tasks[3]) is Status.FAILED
    assert await rig.store.sums("acme") == (HOLD, 4)  # the failed one's was never released here
    database.close()


async def test_a_downgrade_gives_the_earlier_tables_back(
    old_url: str, old_tasks: list[Task]
) -> None:
    before = shape_of(old_url)
    open_database(old_url).close()
    assert shape_of(old_url) != before
    make_old(old_url, command.downgrade)
    assert shape_of(old_url) == before
    database = open_database(old_url)
    assert [await SqlTaskStore(database).load(task.id) for task in old_tasks[:2]] == old_tasks[:2]
    database.close()


def shape_of(url: str) -> dict[str, tuple[set[str], set[str | None]]]:
    """Columns and indexes by table."""
    engine = sa.create_engine(url)
    inspector = sa.inspect(engine)
    shape = {
        table: (
            {column["name"] for column in inspector.get_columns(table)},
            {index["name"] for index in inspector.get_indexes(table)},
        )
        for table in inspector.get_table_names()
    }
    engine.dispose()
    return shape
