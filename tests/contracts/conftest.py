"""Implementations of the ports: in memory, on SQLite, and on a real Postgres server."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from durable_rig import Rig

from kinogate.db.keys import SqlKeyStore
from kinogate.db.memory import MemoryKeyStore, MemoryTaskStore
from kinogate.db.open import Database, open_database
from kinogate.db.store import SqlTaskStore
from kinogate.domain.order import AudioMode, Mode, ShotType
from kinogate.domain.ports import NewTask
from kinogate.domain.resolution import Size, Tier
from kinogate.domain.task import Outcome, Plan, Status, Task

POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")
PLAN = Plan(
    model="wan2.6-t2v",
    mode=Mode.T2V,
    prompt="A cat in the rain",
    negative_prompt="",
    size=Size(width=1280, height=720),
    tier=Tier.P720,
    duration_s=5,
    fps=30,
    audio=AudioMode.AUTO,
    is_extendable=True,
    shot_type=ShotType.SINGLE,
    watermark=None,
    seed=7,
    house="unified",
)
OUTCOME = Outcome(
    blob_key="results/a.mp4",
    size_bytes=1234,
    width=1280,
    height=720,
    fps=30,
    frame_count=150,
    duration_s=5.0,
    has_audio=True,
    actual_prompt="A cat in heavy rain",
    fingerprint="preview/1",
)
HOLD = 500_000


@pytest.fixture
def anyio_backend() -> str:
    """Our code is asyncio's."""
    return "asyncio"


MakeTask = Callable[..., NewTask]


@pytest.fixture
def new_task() -> MakeTask:
    """A submit with ids that count upwards; keyword arguments replace members of the task."""
    numbers = itertools.count(1)

    def make(*, key: str | None = None, digest: bytes = b"digest", **changes: Any) -> NewTask:
        number = next(numbers)
        task = Task(
            id=f"00000000-0000-4000-8000-{number:012d}",
            account_id="acme",
            key_id="key-1",
            dialect="unified",
            model="wan2.6",
            status=Status.QUEUED,
            plan=PLAN,
            hold_micro=HOLD,
            created_ms=1000 + number,
            updated_ms=1000 + number,
        )
        return NewTask(task=replace(task, **changes), idempotency_key=key, digest=digest)

    return make


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A private server on a free loopback port; the address lacks the database's name."""
    if not (POSTGRES_BIN / "initdb").exists():
        pytest.skip("no Postgres 15 server binaries on this machine")
    home = Path(tempfile.mkdtemp(prefix="kinogate-pg-"))
    prefix: list[str] = []
    if os.geteuid() == 0:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("Postgres refuses to run as root and there is no postgres user")
        os.chown(home, user.pw_uid, user.pw_gid)
        prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = home / "data"

    def run(*command: str) -> None:
        subprocess.run(
            [*prefix, *command], check=True, cwd=home, stdout=subprocess.DEVNULL, timeout=60
        )

    try:
        run(f"{POSTGRES_BIN}/initdb", "-D", f"{data}", "-U", "kino", "-A", "trust", "-N")
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
        run(
            f"{POSTGRES_BIN}/pg_ctl", "-D", f"{data}", "-o", options, "-w", "-l", f"{home}/log",
            "start",
        )  # fmt: skip
        yield f"postgresql+psycopg://kino@127.0.0.1:{port}"
        run(f"{POSTGRES_BIN}/pg_ctl", "-D", f"{data}", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


_EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$
DECLARE
    names text;
BEGIN
    SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') INTO names FROM pg_tables
    WHERE schemaname IN ('public', 'dbos')
    AND tablename NOT IN ('alembic_version', 'dbos_migrations');
    IF names IS NOT NULL THEN
        EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY CASCADE';
    END IF;
END
$$;
"""


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """One database, emptied after each test: making a new one would take a second."""
    url = f"{postgres_server}/postgres"
    yield url
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(_EMPTY)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A fresh file."""
    return f"sqlite:///{tmp_path / 'kinogate.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An open, empty database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    database = open_database(url)
    yield database
    database.close()


Store = MemoryTaskStore | SqlTaskStore


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each task store in turn."""
    if request.param == "memory":
        yield MemoryTaskStore()
        return
    database = open_database(request.getfixturevalue(f"{request.param}_url"))
    yield SqlTaskStore(database)
    database.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def keys(request: pytest.FixtureRequest) -> Iterator[MemoryKeyStore | SqlKeyStore]:
    """Each key store in turn."""
    if request.param == "memory":
        yield MemoryKeyStore()
        return
    database = open_database(request.getfixturevalue(f"{request.param}_url"))
    yield SqlKeyStore(database)
    database.close()


@pytest.fixture(params=["inline", "sqlite", "postgres"])
def rig(request: pytest.FixtureRequest, new_task: MakeTask) -> Iterator[Rig]:
    """Each durable engine in turn, over fake stages."""
    if request.param == "inline":
        yield Rig(MemoryTaskStore(), None, new_task)
        return
    database = open_database(request.getfixturevalue(f"{request.param}_url"))
    yield Rig(SqlTaskStore(database), database, new_task)
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, new_task: MakeTask) -> Iterator[Rig]:
    """Those that survive their process."""
    database = open_database(request.getfixturevalue(f"{request.param}_url"))
    yield Rig(SqlTaskStore(database), database, new_task)
    database.close()
