"""What the services need from the world, as protocols. `app.py` introduces the adapters.

Every implementation of a port runs the same contract suite in `tests/contracts/`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kinogate.domain.errors import ErrorCode
from kinogate.domain.task import Fault, Outcome, Status, Task


class Clock(Protocol):
    """Where time comes from."""

    def now_ms(self) -> int:
        """Epoch milliseconds, UTC."""
        ...


class Ids(Protocol):
    """Where ids and seeds come from."""

    def task_id(self) -> str:
        """A fresh UUIDv4, 36 characters."""
        ...

    def seed(self) -> int:
        """A fresh seed, 0–2147483647."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who calls: a verified key and the account that owns it."""

    account_id: str
    key_id: str
    is_admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key as it is stored; the secret itself is shown once and never kept."""

    id: str
    account_id: str
    name: str
    hash: str
    is_admin: bool
    created_ms: int
    revoked_ms: int | None = None


class KeyStore(Protocol):
    """Accounts and their keys."""

    async def add(self, key: Key) -> None:
        """Store a key, making its account if needed; the same id or hash again changes nothing."""
        ...

    async def by_hash(self, key_hash: str) -> Key | None:
        """The key with this hash, revoked or not."""
        ...

    async def list(self, account_id: str | None = None) -> Sequence[Key]:
        """Keys, oldest first."""
        ...

    async def revoke(self, key_id: str, now_ms: int) -> bool:
        """Mark revoked; False when there is no such live key."""
        ...


DEFAULT_LANE = "preview"
"""The lane of a task that was routed nowhere else; there was no other before lanes were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """Everything that one submit writes in one transaction.

    Attributes:
        task: The row, status QUEUED.
        idempotency_key: The caller's key, or None.
        digest: SHA-256 of dialect, path and body; with the same key another digest is a conflict.
        not_before_ms: The task stays queued, and takes no slot, until then; None for at once.
        lane: Name of the engine it was routed to: it waits for a slot of that lane only.
    """

    task: Task
    idempotency_key: str | None = None
    digest: bytes = b""
    not_before_ms: int | None = None
    lane: str = DEFAULT_LANE


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The answer to a submit: the task that now exists, and whether it existed before."""

    task: Task
    is_replay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which of an account's tasks to list; times are epoch milliseconds, both ends inclusive."""

    task_id: str | None = None
    statuses: frozenset[Status] | None = None
    model: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """One page of a listing. `total` is None unless it was asked for."""

    tasks: tuple[Task, ...]
    has_more: bool
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTask:
    """Who runs a task: the executor that owns it (empty for none), and the lane it came from."""

    task_id: str
    owner: str
    lane: str


class TaskStore(Protocol):
    """The tasks table, the ledger and the idempotency keys.

    Writes return only after COMMIT. A change of state is a compare-and-set: of several callers
    that want to end the same task exactly one gets True, and the money moves once, in the same
    transaction. Deleted tasks are invisible to every read.
    """

    async def submit(self, new: NewTask) -> Accepted:
        """Insert the task, its hold and its idempotency key together.

        Raises:
            CallerError: IDEMPOTENCY_CONFLICT, when the key was used for another digest.
        """
        ...

    async def get(self, account_id: str, task_id: str) -> Task | None:
        """The account's task, or None for a foreign, deleted or unknown id alike."""
        ...

    async def load(self, task_id: str) -> Task | None:
        """The task whoever owns it; for the run, never for a caller."""
        ...

    async def list(
        self,
        account_id: str,
        where: TaskFilter,
        *,
        limit: int,
        after: str | None = None,
        offset: int = 0,
        ascending: bool = False,
        count: bool = False,
    ) -> TaskPage:
        """Tasks by creation, newest first unless `ascending`; `after` is a task id (keyset).

        An unknown `after` gives an empty page.
        """
        ...

    async def claim(self, owner: str, limit: int, now_ms: int, *, lane: str) -> Sequence[str]:
        """Take up to `limit` queued tasks of a lane; they are RUNNING and owned afterwards.

        The next is always the oldest of the account with the fewest running in this lane. A task
        whose `not_before_ms` is still to come is passed over and keeps its place.
        """
        ...

    async def relane(self, known: Sequence[str], to: str, now_ms: int) -> int:
        """Move the queued tasks whose lane is not `known` into the lane `to`; their number.

        They keep their place among the account's tasks. Calling again moves nothing.
        """
        ...

    async def progress(self, task_id: str, share: float, now_ms: int) -> None:
        """Raise the stored progress of a running task; a lower share changes nothing."""
        ...

    async def succeed(
        self,
        task_id: str,
        outcome: Outcome,
        *,
        engine: str,
        cost_micro: int,
        now_ms: int,
        expires_ms: int,
    ) -> bool:
        """End a running task well: settle `cost_micro`, release the rest of the hold."""
        ...

    async def fail(
        self, task_id: str, fault: Fault, *, now_ms: int, engine: str | None = None
    ) -> bool:
        """End an unfinished task badly: release the hold."""
        ...

    async def cancel(
        self, account_id: str, task_id: str, *, now_ms: int, only_queued: bool
    ) -> Status | None:
        """Cancel and release the hold.

        Returns:
            The status before the call, or None when the account has no such task. The task is
            canceled by this call when that status was QUEUED, or RUNNING and not `only_queued`.
        """
        ...

    async def delete(self, account_id: str, task_id: str, now_ms: int) -> Task | None:
        """Hide the task from every read; an unfinished one is canceled in the same transaction.

        Returns:
            The task as it was before, or None.
        """
        ...

    async def forget(self, before_ms: int, now_ms: int) -> int:
        """Hide every account's tasks that ended before `before_ms`; their number.

        The ledger keeps its entries. Calling again hides nothing twice.
        """
        ...


class Admission(Protocol):
    """Whether an account may submit now: balance, rate, quota."""

    def admit(self, principal: Principal, hold_micro: int, now_ms: int) -> None:
        """Let pass or raise.

        Raises:
            AccountError: BALANCE_EMPTY, RATE_LIMITED or QUOTA_EXCEEDED.
        """
        ...


class Stages(Protocol):
    """The three stages of a run, which the durable engine calls in this order.

    Each takes and returns text (JSON) that is kept between stages, so that a crash repeats only
    the stage it hit. Each may be called again after a crash with the same arguments.
    """

    async def prepare(self, task_id: str) -> str:
        """Fetch and check inputs, extend the prompt, fix the size: the order, as JSON."""
        ...

    async def render(self, task_id: str, order: str) -> str:
        """Run the engine and store the file: the outcome, as JSON."""
        ...

    async def finish(self, task_id: str, outcome: str) -> None:
        """Settle."""
        ...

    async def fail(self, task_id: str, code: ErrorCode, message: str, field: str | None) -> None:
        """Release."""
        ...


class Durable(Protocol):
    """Owns execution: starts claimed tasks, survives crashes, stops canceled ones."""

    async def start(self) -> None:
        """Recover what a dead process left, then begin to claim."""
        ...

    async def close(self, grace_s: float) -> None:
        """Claim no more, wait up to `grace_s` seconds, leave the rest to the next start."""
        ...

    def wake(self) -> None:
        """Say that a task was queued; may be called from any thread, any number of times."""
        ...

    def set_lanes(self, lanes: Mapping[str, int]) -> None:
        """Replace the lanes: how many tasks of each run at once; from any thread, at any time.

        Nothing that runs is stopped: a lane that shrinks lets its runs end. The queued tasks of a
        lane that goes away move to the first one.

        Raises:
            ValueError: No lane, or one with less than one slot; nothing has changed.
        """
        ...

    async def cancel(self, task_id: str) -> None:
        """Stop a running task's work; unknown and finished ids change nothing."""
        ...

    def is_healthy(self) -> bool:
        """Whether tasks are being claimed."""
        ...


OnSubmitted = Callable[[frozenset[str]], None]
"""Called after a commit that queued tasks, with their lanes."""
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
