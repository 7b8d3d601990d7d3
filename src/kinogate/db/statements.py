"""Every statement that is run against our tables, each a function with a name.

A function builds SQLAlchemy Core for both databases; `Session` compiles it once for its dialect
and then hands the text straight to the driver, which is three times as fast as Core's own
execution. Parameters are named after columns unless said otherwise. DBOS's tables are not ours
and never appear here.
"""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Insert,
    Integer,
    Select,
    String,
    Text,
    Update,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.types import TypeEngine

from kinogate.db import schema
from kinogate.db.codec import PER_MILLE, TASK_COLUMNS
from kinogate.db.schema import accounts, idempotency, keys, ledger, tasks
from kinogate.db.session import GIVEN
from kinogate.domain.task import Status

T = TypeVar("T")


def given(name: str, kind: type[TypeEngine[T]] | TypeEngine[T]) -> BindParameter[T]:
    """A parameter that the caller of `Session` must give; one left out is an error."""
    return bindparam(name, GIVEN, type_=kind)


_ID = given("id", String)
ACCOUNT = given("account_id", String)
_NOW = given("now_ms", BigInteger)
TASK = tuple(tasks.c[name] for name in TASK_COLUMNS)
"""The columns of a task, in the order that `task_of` reads."""

_QUEUED, _RUNNING = Status.QUEUED.value, Status.RUNNING.value
_INSERTED_TASK = [
    "id",
    "account_id",
    "key_id",
    "dialect",
    "model",
    "canonical_model",
    "status",
    "progress",
    "plan_json",
    "warnings_json",
    "remixed_from",
    "engine",
    "hold_micro",
    "cost_micro",
    "created_ms",
    "updated_ms",
    "not_before_ms",
    "lane",
]


# Accounts and keys


def lock_account() -> Select[tuple[str]]:
    """The account's id; on Postgres its row stays locked until the end of the transaction."""
    return select(accounts.c.id).where(accounts.c.id == _ID).with_for_update()


def insert_account() -> Insert:
    """A new account with nothing held or spent."""
    return accounts.insert().values(
        id=_ID,
        name=given("name", Text),
        held_micro=0,
        spent_micro=0,
        created_ms=given("created_ms", BigInteger),
    )


def move_money() -> Update:
    """Change an account's sums by `held` and `spent` micro-dollars."""
    return (
        accounts.update()
        .where(accounts.c.id == _ID)
        .values(
            held_micro=accounts.c.held_micro + given("held", BigInteger),
            spent_micro=accounts.c.spent_micro + given("spent", BigInteger),
        )
    )


def account_sums() -> Select[tuple[int, int]]:
    """Held and spent micro-dollars of an account."""
    return select(accounts.c.held_micro, accounts.c.spent_micro).where(accounts.c.id == _ID)


def insert_key() -> Insert:
    """A new key."""
    return keys.insert().values({column.name: given(column.name, column.type) for column in keys.c})


def same_key() -> Select[tuple[str]]:
    """A key with this id or this hash."""
    return select(keys.c.id).where(or_(keys.c.id == _ID, keys.c.hash == given("hash", String)))


def key_by_hash() -> Select[tuple[str]]:
    """The key with this hash."""
    return select(*keys.c).where(keys.c.hash == given("hash", String))


def all_keys() -> Select[tuple[str]]:
    """Every key, oldest first."""
    return select(*keys.c).order_by(keys.c.created_ms, keys.c.id)


def keys_of_account() -> Select[tuple[str]]:
    """An account's keys, oldest first."""
    return all_keys().where(keys.c.account_id == ACCOUNT)


def revoke_key() -> Update:
    """Mark a live key revoked."""
    return (
        keys.update().where(keys.c.id == _ID, keys.c.revoked_ms.is_(None)).values(revoked_ms=_NOW)
    )


# Submit


def replay_of() -> Select[tuple[bytes, str]]:
    """Digest and task id that an account stored under `key`."""
    return select(idempotency.c.digest, idempotency.c.task_id).where(
        idempotency.c.account_id == ACCOUNT, idempotency.c.key == given("key", String)
    )


def insert_idempotency() -> Insert:
    """Remember a caller's key."""
    return idempotency.insert().values(
        {column.name: given(column.name, column.type) for column in idempotency.c}
    )


def insert_task() -> Insert:
    """A fresh task."""
    return (
        tasks.insert()
        .inline()
        .values({name: given(name, tasks.c[name].type) for name in _INSERTED_TASK})
    )


def insert_ledger() -> Insert:
    """One movement of money; the primary key lets each kind happen once per task."""
    return ledger.insert().values(
        {column.name: given(column.name, column.type) for column in ledger.c}
    )


# Reads


def task_by_id() -> Select[tuple[str]]:
    """The task, unless deleted."""
    return select(*TASK).where(tasks.c.id == _ID, tasks.c.deleted_ms.is_(None))


def task_of_account() -> Select[tuple[str]]:
    """The task, unless deleted or another account's."""
    return task_by_id().where(tasks.c.account_id == ACCOUNT)


def task_by_id_even_deleted() -> Select[tuple[str]]:
    """The task, deleted or not; what an idempotent replay shows."""
    return select(*TASK).where(tasks.c.id == _ID)


def place_of() -> Select[tuple[int]]:
    """Where an account's task stands in the order of creation, deleted or not."""
    return select(tasks.c.seq).where(tasks.c.id == _ID, tasks.c.account_id == ACCOUNT)


# The run


def raise_progress() -> Update:
    """Store `share` (per mille) when it is more than what is stored."""
    share = given("share", Integer)
    return (
        tasks.update()
        .where(tasks.c.id == _ID, tasks.c.status == _RUNNING, tasks.c.progress < share)
        .values(progress=share, updated_ms=_NOW)
    )


def succeed_task() -> Update:
    """End a running task well."""
    return (
        tasks.update()
        .where(tasks.c.id == _ID, tasks.c.status == _RUNNING)
        .values(
            status=Status.SUCCEEDED.value,
            owner=None,
            progress=PER_MILLE,
            outcome_json=given("outcome_json", Text),
            engine=given("engine", Text),
            cost_micro=given("cost_micro", BigInteger),
            expires_ms=given("expires_ms", BigInteger),
            finished_ms=_NOW,
            updated_ms=_NOW,
        )
        .returning(tasks.c.account_id, tasks.c.hold_micro)
    )


def fail_task() -> Update:
    """End an unfinished task badly."""
    return (
        tasks.update()
        .where(tasks.c.id == _ID, tasks.c.status.in_((_QUEUED, _RUNNING)))
        .values(
            status=Status.FAILED.value,
            owner=None,
            engine=func.coalesce(given("engine", Text), tasks.c.engine),
            fault_code=given("fault_code", String),
            fault_message=given("fault_message", Text),
            fault_field=given("fault_field", Text),
            finished_ms=_NOW,
            updated_ms=_NOW,
        )
        .returning(tasks.c.account_id, tasks.c.hold_micro)
    )


def cancel_task() -> Update:
    """Cancel a task that still has the status `seen`."""
    return (
        tasks.update()
        .where(tasks.c.id == _ID, tasks.c.status == given("seen", String))
        .values(status=Status.CANCELED.value, owner=None, finished_ms=_NOW, updated_ms=_NOW)
        .returning(tasks.c.account_id, tasks.c.hold_micro)
    )


def lock_task() -> Select[tuple[str]]:
    """As `task_by_id`; on Postgres the row stays locked until the end of the transaction."""
    return task_by_id().with_for_update()


def hide_task() -> Update:
    """Mark a task deleted."""
    return tasks.update().where(tasks.c.id == _ID).values(deleted_ms=_NOW, updated_ms=_NOW)


def forget_tasks() -> Update:
    """Mark deleted what ended before `before_ms`."""
    return (
        tasks.update()
        .where(
            tasks.c.deleted_ms.is_(None),
            tasks.c.finished_ms.is_not(None),
            tasks.c.finished_ms < given("before_ms", BigInteger),
        )
        .values(deleted_ms=_NOW)
    )


# Recovery


def running_tasks() -> Select[tuple[str, str, str]]:
    """Id, owner and lane of every running task."""
    return select(tasks.c.id, tasks.c.owner, tasks.c.lane).where(tasks.c.status == _RUNNING)


def lane_of_task() -> Select[tuple[str]]:
    """A task's lane."""
    return select(tasks.c.lane).where(tasks.c.id == _ID)


def requeue_task() -> Update:
    """Put a running task of `holder` back into the queue; it keeps its place and its progress."""
    return (
        tasks.update()
        .where(
            tasks.c.id == _ID,
            tasks.c.status == _RUNNING,
            tasks.c.owner == given("holder", String),
        )
        .values(status=_QUEUED, owner=None, updated_ms=_NOW)
    )


def own_task() -> Update:
    """Make `owner` the owner of a running task."""
    return (
        tasks.update()
        .where(tasks.c.id == _ID, tasks.c.status == _RUNNING)
        .values(owner=given("owner", String), updated_ms=_NOW)
    )


def ledger_of_task() -> Select[tuple[str, int]]:
    """Kind and amount of a task's movements."""
    return select(ledger.c.kind, ledger.c.amount_micro).where(ledger.c.task_id == _ID)


TABLES = frozenset(schema.metadata.tables)
"""The tables that are ours; migrations leave all others alone."""
