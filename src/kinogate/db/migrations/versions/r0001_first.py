"""The first tables: accounts, keys, tasks, ledger, idempotency, executors, meta."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _people()
    _tasks()
    _money()
    op.create_table(
        "executors",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("beat_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Drop the tables, and everything in them."""
    for name in ("meta", "executors", "idempotency", "ledger", "tasks", "keys", "accounts"):
        op.drop_table(name)


def _people() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("held_micro", sa.BigInteger(), nullable=False),
        sa.Column("spent_micro", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.String(64), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(128), nullable=False, unique=True),
        sa.Column("is_admin", sa.SmallInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger()),
    )


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column("account_id", sa.String(64), sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("dialect", sa.String(32), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("canonical_model", sa.Text(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(128)),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("plan_json", sa.Text(), nullable=False),
        sa.Column("outcome_json", sa.Text()),
        sa.Column("fault_code", sa.String(64)),
        sa.Column("fault_message", sa.Text()),
        sa.Column("fault_field", sa.Text()),
        sa.Column("warnings_json", sa.Text(), nullable=False),
        sa.Column("remixed_from", sa.String(36)),
        sa.Column("engine", sa.Text()),
        sa.Column("hold_micro", sa.BigInteger(), nullable=False),
        sa.Column("cost_micro", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("started_ms", sa.BigInteger()),
        sa.Column("finished_ms", sa.BigInteger()),
        sa.Column("expires_ms", sa.BigInteger()),
        sa.Column("deleted_ms", sa.BigInteger()),
        sa.Column("not_before_ms", sa.BigInteger()),
        sqlite_autoincrement=True,
    )
    op.create_index("tasks_by_status", "tasks", ["status", "account_id", "seq"])
    op.create_index("tasks_by_account", "tasks", ["account_id", "seq"])
    is_listed = sa.text("deleted_ms IS NULL AND finished_ms IS NOT NULL")
    op.create_index(
        "tasks_by_end",
        "tasks",
        ["finished_ms"],
        sqlite_where=is_listed,
        postgresql_where=is_listed,
    )


def _money() -> None:
    op.create_table(
        "ledger",
        sa.Column("task_id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("account_id", sa.String(64), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "idempotency",
        sa.Column("account_id", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("task_id", sa.String(36), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
    )
