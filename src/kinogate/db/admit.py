"""What a batch of submits writes, and who of it is new, a replay or a conflict.

Runs inside the writer's transaction; see `writer.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kinogate.db import statements as st
from kinogate.db.codec import row_of, task_of
from kinogate.db.session import Session, Values
from kinogate.domain.errors import CallerError, ErrorCode, KinogateError
from kinogate.domain.ports import Accepted, NewTask
from kinogate.domain.request import Field


def conflict() -> CallerError:
    """The error for a caller's key that was used with another body."""
    return CallerError(
        ErrorCode.IDEMPOTENCY_CONFLICT,
        "This idempotency key was used before with a different request.",
        field=Field.IDEMPOTENCY_KEY.value,
    )


def submit_batch(session: Session, items: Sequence[NewTask]) -> list[Accepted | KinogateError]:
    """Decide about each submit in order of arrival, and write all new ones with few statements.

    Accounts are locked first and in order of id, so that on Postgres two processes neither
    deadlock nor both find an idempotency key unused.
    """
    _lock_accounts(session, items)
    known = _known_keys(session, items)
    answers: list[Accepted | KinogateError] = []
    fresh: list[NewTask] = []
    by_id: dict[str, Accepted] = {}
    for item in items:
        name = (item.task.account_id, item.idempotency_key or "")
        seen = known.get(name) if item.idempotency_key is not None else None
        if seen is None:
            accepted = Accepted(task=item.task)
            by_id[item.task.id] = accepted
            fresh.append(item)
            answers.append(accepted)
            if item.idempotency_key is not None:
                known[name] = (item.digest, item.task.id)
        elif seen[0] != item.digest:
            answers.append(conflict())
        elif seen[1] in by_id:
            answers.append(Accepted(task=by_id[seen[1]].task, is_replay=True))
        else:
            row = session.rows(st.task_by_id_even_deleted, {"id": seen[1]})[0]
            answers.append(Accepted(task=task_of(row), is_replay=True))
    _write(session, fresh)
    return answers


def _lock_accounts(session: Session, items: Sequence[NewTask]) -> None:
    created = {item.task.account_id: item.task.created_ms for item in items}
    names = sorted(created)
    found = session.each(st.lock_account, [{"id": name} for name in names])
    session.many(
        st.insert_account,
        [
            {"id": name, "name": name, "created_ms": created[name]}
            for name, rows in zip(names, found, strict=True)
            if not rows
        ],
    )


def _known_keys(
    session: Session, items: Sequence[NewTask]
) -> dict[tuple[str, str], tuple[bytes, str]]:
    names = list(
        {
            (item.task.account_id, item.idempotency_key): None
            for item in items
            if item.idempotency_key is not None
        }
    )
    found = session.each(
        st.replay_of, [{"account_id": account, "key": key} for account, key in names]
    )
    return {
        name: (bytes(rows[0][0]), rows[0][1])
        for name, rows in zip(names, found, strict=True)
        if rows
    }


def _write(session: Session, fresh: Sequence[NewTask]) -> None:
    rows: list[Values] = []
    holds: list[Values] = []
    names: list[Values] = []
    held: dict[str, int] = {}
    for item in fresh:
        task = item.task
        rows.append({**row_of(task), "not_before_ms": item.not_before_ms, "lane": item.lane})
        holds.append(movement(task.id, "hold", task.account_id, task.hold_micro, task.created_ms))
        held[task.account_id] = held.get(task.account_id, 0) + task.hold_micro
        if item.idempotency_key is not None:
            names.append(
                {
                    "account_id": task.account_id,
                    "key": item.idempotency_key,
                    "digest": item.digest,
                    "task_id": task.id,
                    "created_ms": task.created_ms,
                }
            )
    session.many(st.insert_task, rows)
    session.many(st.insert_ledger, holds)
    session.many(st.insert_idempotency, names)
    session.many(
        st.move_money,
        [{"id": account, "held": sum_, "spent": 0} for account, sum_ in sorted(held.items())],
    )


def movement(task_id: str, kind: str, account_id: str, amount_micro: int, now_ms: int) -> Values:
    """A row of the ledger."""
    return {
        "task_id": task_id,
        "kind": kind,
        "account_id": account_id,
        "amount_micro": amount_micro,
        "created_ms": now_ms,
    }
