"""The tables. The migrations make them; this module says what they are for the statements.

Times are epoch milliseconds, money is micro-dollars, `progress` is per mille. Texts named `*_json`
hold the domain's dataclasses as JSON.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()

# SQLite gives a row id, and with it AUTOINCREMENT, only to a column of type INTEGER.
SEQUENCE = BigInteger().with_variant(Integer, "sqlite")

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("held_micro", BigInteger, nullable=False),
    Column("spent_micro", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("account_id", String(64), ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", String(128), nullable=False, unique=True),
    Column("is_admin", SmallInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

tasks = Table(
    "tasks",
    metadata,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("account_id", String(64), ForeignKey("accounts.id"), nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("dialect", String(32), nullable=False),
    Column("model", Text, nullable=False),
    Column("canonical_model", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("owner", String(128)),
    Column("progress", Integer, nullable=False),
    Column("plan_json", Text, nullable=False),
    Column("outcome_json", Text),
    Column("fault_code", String(64)),
    Column("fault_message", Text),
    Column("fault_field", Text),
    Column("warnings_json", Text, nullable=False),
    Column("remixed_from", String(36)),
    Column("engine", Text),
    Column("hold_micro", BigInteger, nullable=False),
    Column("cost_micro", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger),
    Column("finished_ms", BigInteger),
    Column("expires_ms", BigInteger),
    Column("deleted_ms", BigInteger),
    Column("not_before_ms", BigInteger),
    # The default is for rows older than lanes, and for an older program beside this one.
    Column("lane", Text, nullable=False, server_default="preview"),
    Index("tasks_by_lane", "status", "lane", "account_id", "seq"),
    Index("tasks_by_account", "account_id", "seq"),
    # Partial, so that a submit does not pay for it.
    Index(
        "tasks_by_end",
        "finished_ms",
        sqlite_where=text("deleted_ms IS NULL AND finished_ms IS NOT NULL"),
        postgresql_where=text("deleted_ms IS NULL AND finished_ms IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

ledger = Table(
    "ledger",
    metadata,
    Column("task_id", String(36), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("account_id", String(64), nullable=False),
    Column("amount_micro", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("task_id", String(36), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

upstream_calls = Table(
    "upstream_calls",
    metadata,
    Column("task_id", String(36), primary_key=True),
    Column("engine", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("credential", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("upstream_id", Text),
    Column("created_ms", BigInteger, nullable=False),
    Index("upstream_calls_by_id", "engine", "upstream_id"),
)

executors = Table(
    "executors",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("beat_ms", BigInteger, nullable=False),
    # A JSON list of names; none from a program that knew no lanes.
    Column("lanes_json", Text),
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
