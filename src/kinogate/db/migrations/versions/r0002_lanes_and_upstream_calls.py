"""Lanes of tasks, and the journal of what we have asked of upstreams."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give every task a lane, the one that all tasks had so far; make the journal."""
    op.add_column("tasks", sa.Column("lane", sa.Text(), nullable=False, server_default="preview"))
    op.create_index("tasks_by_lane", "tasks", ["status", "lane", "account_id", "seq"])
    op.drop_index("tasks_by_status", "tasks")
    op.add_column("executors", sa.Column("lanes_json", sa.Text()))
    op.create_table(
        "upstream_calls",
        sa.Column("task_id", sa.String(36), primary_key=True),
        sa.Column("engine", sa.Text(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("upstream_id", sa.Text()),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("upstream_calls_by_id", "upstream_calls", ["engine", "upstream_id"])


def downgrade() -> None:
    """Forget both."""
    op.drop_table("upstream_calls")
    op.drop_column("executors", "lanes_json")
    op.create_index("tasks_by_status", "tasks", ["status", "account_id", "seq"])
    op.drop_index("tasks_by_lane", "tasks")
    op.drop_column("tasks", "lane")
