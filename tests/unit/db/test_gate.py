"""The write gate lets one writer in at a time, and never stays shut."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinogate.db.gate import GatedConnection, WriteGate

HOLD = """
import sys, time
from pathlib import Path
from kinogate.db.gate import WriteGate
WriteGate(Path(sys.argv[1])).enter()
print("in", flush=True)
time.sleep(60)
"""


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[WriteGate]:
    gate = WriteGate(tmp_path / "db.gate")
    yield gate
    gate.close()


@pytest.fixture
def connections(tmp_path: Path, gate: WriteGate) -> Iterator[list[GatedConnection]]:
    opened: list[GatedConnection] = []
    for _ in range(2):
        connection = GatedConnection(
            tmp_path / "db", gate=gate, isolation_level="IMMEDIATE", check_same_thread=False
        )
        opened.append(connection)
    opened[0].execute("PRAGMA journal_mode=WAL").close()
    opened[0].execute("CREATE TABLE t (x INTEGER PRIMARY KEY)").close()
    yield opened
    for connection in opened:
        connection.close()


def is_free(gate: WriteGate) -> bool:
    """Whether somebody could enter now."""
    taken = gate._lock.acquire(blocking=False)
    if taken:
        gate._lock.release()
    return taken


@pytest.mark.parametrize("sql", ["INSERT INTO t VALUES (1)", "  begin immediate", "DELETE FROM t"])
def test_a_write_holds_the_gate_until_commit(
    connections: list[GatedConnection], gate: WriteGate, sql: str
) -> None:
    connections[0].execute(sql)
    assert not is_free(gate)
    connections[0].commit()
    assert is_free(gate)


def test_a_rollback_opens_the_gate(connections: list[GatedConnection], gate: WriteGate) -> None:
    connections[0].executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
    connections[0].rollback()
    assert is_free(gate)


def test_a_commit_in_sql_opens_the_gate(
    connections: list[GatedConnection], gate: WriteGate
) -> None:
    connections[0].execute("BEGIN IMMEDIATE")
    connections[0].execute("COMMIT")
    assert is_free(gate)


def test_closing_opens_the_gate(connections: list[GatedConnection], gate: WriteGate) -> None:
    connections[0].execute("INSERT INTO t VALUES (1)")
    connections[0].close()
    assert is_free(gate)


def test_a_read_passes_while_the_gate_is_shut(
    connections: list[GatedConnection], gate: WriteGate
) -> None:
    connections[0].execute("INSERT INTO t VALUES (1)")
    assert connections[1].execute("SELECT count(*) FROM t").fetchone() == (0,)
    assert not is_free(gate)


def test_a_failed_write_that_opened_nothing_opens_the_gate(
    connections: list[GatedConnection], gate: WriteGate
) -> None:
    with pytest.raises(sqlite3.OperationalError):
        connections[0].execute("INSERT INTO nowhere VALUES (1)")
    connections[0].rollback()
    assert is_free(gate)


def test_a_second_writer_waits_for_the_first(
    connections: list[GatedConnection], gate: WriteGate
) -> None:
    first, second = connections
    first.execute("INSERT INTO t VALUES (1)")
    done = threading.Event()

    def write() -> None:
        second.execute("INSERT INTO t VALUES (2)")
        second.commit()
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert not done.wait(0.05)
    first.commit()
    assert done.wait(5)
    thread.join()


def test_a_killed_process_leaves_the_gate_open(tmp_path: Path, gate: WriteGate) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "db.gate")], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"in\n"
    entered = threading.Event()

    def enter() -> None:
        gate.enter()
        entered.set()
        gate.leave()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.1)
    holder.kill()
    assert entered.wait(5)
    thread.join()
    holder.wait()
    holder.stdout.close()
