"""Domain values to and from the texts and rows that are stored.

The JSON is msgspec's own rendering of the dataclasses; fractions are written `"n/d"`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import msgspec

from kinogate.domain.errors import ErrorCode
from kinogate.domain.task import Fault, Outcome, Plan, Status, Task

PER_MILLE = 1000
TASK_COLUMNS = [
    "seq",
    "id",
    "account_id",
    "key_id",
    "dialect",
    "model",
    "status",
    "progress",
    "plan_json",
    "outcome_json",
    "fault_code",
    "fault_message",
    "fault_field",
    "warnings_json",
    "remixed_from",
    "engine",
    "hold_micro",
    "cost_micro",
    "created_ms",
    "updated_ms",
    "started_ms",
    "finished_ms",
    "expires_ms",
]
"""The order in which `task_of` expects a row."""

# What a driver takes and gives.
Value = str | int | bytes | None
Row = Sequence[Any]  # Any: the driver's values, typed again by `task_of`


def enc_hook(value: object) -> object:
    """What msgspec writes for a type that it does not know."""
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    msg = f"{type(value).__name__} cannot be stored"
    raise NotImplementedError(msg)


def dec_hook(kind: type, value: object) -> object:
    """The reverse of `enc_hook`."""
    if kind is Fraction and isinstance(value, str):
        return Fraction(value)
    msg = f"{kind.__name__} cannot be read"
    raise NotImplementedError(msg)


_encoder = msgspec.json.Encoder(enc_hook=enc_hook)
_plan = msgspec.json.Decoder(Plan, dec_hook=dec_hook)
_outcome = msgspec.json.Decoder(Outcome, dec_hook=dec_hook)
_warnings = msgspec.json.Decoder(tuple[str, ...])


def to_json(value: Plan | Outcome | tuple[str, ...]) -> str:
    """The text that is stored for `value`."""
    return _encoder.encode(value).decode()


def to_per_mille(share: float) -> int:
    """Progress as stored while a task runs: 0-999, since 1000 means succeeded."""
    return min(max(int(share * PER_MILLE), 0), PER_MILLE - 1)


def row_of(task: Task) -> Mapping[str, Value]:
    """The columns of a fresh task; `seq` is the database's to give."""
    return {
        "id": task.id,
        "account_id": task.account_id,
        "key_id": task.key_id,
        "dialect": task.dialect,
        "model": task.model,
        "canonical_model": task.plan.model,
        "status": task.status.value,
        "progress": int(task.progress * PER_MILLE),
        "plan_json": to_json(task.plan),
        "warnings_json": to_json(task.warnings),
        "remixed_from": task.remixed_from,
        "engine": task.engine,
        "hold_micro": task.hold_micro,
        "cost_micro": task.cost_micro,
        "created_ms": task.created_ms,
        "updated_ms": task.updated_ms,
    }


def task_of(row: Row) -> Task:
    """The task in a row of `TASK_COLUMNS`."""
    (
        _,
        task_id,
        account_id,
        key_id,
        dialect,
        model,
        status,
        progress,
        plan,
        outcome,
        fault_code,
        fault_message,
        fault_field,
        warnings,
        remixed_from,
        engine,
        hold_micro,
        cost_micro,
        created_ms,
        updated_ms,
        started_ms,
        finished_ms,
        expires_ms,
    ) = row
    fault = None
    if fault_code is not None:
        fault = Fault(code=ErrorCode(fault_code), message=fault_message, field=fault_field)
    return Task(
        id=task_id,
        account_id=account_id,
        key_id=key_id,
        dialect=dialect,
        model=model,
        status=Status(status),
        progress=progress / PER_MILLE,
        plan=_plan.decode(plan),
        outcome=None if outcome is None else _outcome.decode(outcome),
        fault=fault,
        warnings=() if warnings == "[]" else _warnings.decode(warnings),
        remixed_from=remixed_from,
        engine=engine,
        hold_micro=hold_micro,
        cost_micro=cost_micro,
        created_ms=created_ms,
        updated_ms=updated_ms,
        started_ms=started_ms,
        finished_ms=finished_ms,
        expires_ms=expires_ms,
    )
