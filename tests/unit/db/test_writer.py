"""Group commit: one transaction for all that wait, and one bad item fails alone."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from kinogate.db import statements as st
from kinogate.db.open import Database, open_database
from kinogate.db.session import Session
from kinogate.domain.errors import CallerError, ErrorCode, InternalError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'kinogate.db'}")
    yield database
    database.close()


def add_account(session: Session, name: str = "a") -> int:
    return session.count(st.insert_account, {"id": name, "name": name, "created_ms": 1})


async def accounts(database: Database) -> int:
    with database.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM accounts").scalar_one())


async def test_an_operation_returns_its_result_after_the_commit(database: Database) -> None:
    assert await database.writer.run(add_account) == 1
    assert await accounts(database) == 1


async def test_one_bad_operation_among_many_fails_alone(database: Database) -> None:
    names = [str(n) for n in range(20)] + ["7"]
    answers = await asyncio.gather(
        *[database.writer.run(partial(add_account, name=name)) for name in names],
        return_exceptions=True,
    )
    assert [type(answer).__name__ for answer in answers if answer != 1] == ["InternalError"]
    assert await accounts(database) == 20


async def test_an_error_of_ours_comes_through_and_undoes_its_writes(database: Database) -> None:
    def refuse(session: Session) -> None:
        add_account(session, "a")
        raise CallerError(ErrorCode.FIELD_INVALID, "No.")

    with pytest.raises(CallerError, match="No"):
        await database.writer.run(refuse)
    assert await accounts(database) == 0


async def test_a_bug_is_an_internal_error(database: Database) -> None:
    def bug(_session: Session) -> None:
        raise ZeroDivisionError

    with pytest.raises(InternalError) as caught:
        await database.writer.run(bug)
    assert caught.value.code is ErrorCode.INTERNAL


async def test_a_driver_error_is_unavailable_and_the_next_write_works(database: Database) -> None:
    def full(_session: Session) -> None:
        msg = "database or disk is full"
        raise sqlite3.OperationalError(msg)

    with pytest.raises(InternalError) as caught:
        await database.writer.run(full)
    assert caught.value.code is ErrorCode.UNAVAILABLE
    await database.writer.run(add_account)
    assert await accounts(database) == 1


async def test_a_missing_parameter_is_an_error_and_not_null(database: Database) -> None:
    with pytest.raises(InternalError):
        await database.writer.run(lambda s: s.count(st.insert_account, {"id": "a", "name": "a"}))


async def test_it_writes_for_other_threads_loops_too(database: Database) -> None:
    def elsewhere() -> None:
        asyncio.run(database.writer.run(partial(add_account, name="b")))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await database.writer.run(add_account)
    await asyncio.to_thread(thread.join)
    assert await accounts(database) == 2


async def test_what_waits_is_written_before_the_writer_closes(database: Database) -> None:
    waiting = [
        asyncio.ensure_future(database.writer.run(partial(add_account, name=str(n))))
        for n in range(50)
    ]
    await asyncio.sleep(0)
    database.writer.close()
    await asyncio.gather(*waiting)
    assert await accounts(database) == 50


async def test_a_closed_writer_is_unavailable(database: Database) -> None:
    database.close()
    with pytest.raises(InternalError) as caught:
        await database.writer.run(add_account)
    assert caught.value.code is ErrorCode.UNAVAILABLE


async def test_a_canceled_caller_does_not_harm_its_neighbours(database: Database) -> None:
    first = asyncio.ensure_future(database.writer.run(add_account))
    second = asyncio.ensure_future(database.writer.run(partial(add_account, name="b")))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()
