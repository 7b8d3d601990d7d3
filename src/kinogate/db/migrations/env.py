"""Alembic's entry: runs on the connection, and inside the transaction, that the caller opened.

For a new revision: `alembic -c alembic.ini revision --autogenerate` is not needed; write the file
by hand beside the first, raise `HEAD`, and let the schema test compare.
"""

from __future__ import annotations

from typing import Any

from alembic import context

from kinogate.db.schema import metadata
from kinogate.db.statements import TABLES


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:  # Any: Alembic's mapping
    return kind != "table" or name in TABLES


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=_is_ours,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
