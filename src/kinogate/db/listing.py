"""The statements of a listing, whose shape follows the caller's filter."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    Text,
    and_,
    func,
    or_,
    select,
)

from kinogate.db.schema import tasks
from kinogate.db.statements import ACCOUNT, TASK, given
from kinogate.domain.ports import TaskFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A statement of a listing: which tests are there. Equal ones are compiled once.

    The values are parameters: `account_id`, `limit`, `offset`, and where they are tested `task_id`,
    `model`, `since_ms`, `until_ms`, `after_seq`.
    """

    has_task_id: bool
    has_model: bool
    has_since: bool
    has_until: bool
    has_after: bool
    statuses: tuple[str, ...] | None
    ascending: bool
    is_count: bool = False

    @staticmethod
    def of(where: TaskFilter, *, has_after: bool, ascending: bool) -> Listing:
        """The page for a filter."""
        statuses = where.statuses
        return Listing(
            has_task_id=where.task_id is not None,
            has_model=where.model is not None,
            has_since=where.since_ms is not None,
            has_until=where.until_ms is not None,
            has_after=has_after,
            statuses=None if statuses is None else tuple(sorted(s.value for s in statuses)),
            ascending=ascending,
        )

    def __call__(self) -> Select[tuple[str]] | Select[int]:
        """The statement: a page of tasks, or how many there are wherever the page begins."""
        if self.is_count:
            return select(func.count()).select_from(tasks).where(self._matches())
        after = given("after_seq", BigInteger)
        page = (
            select(*TASK)
            .where(self._matches())
            .order_by(tasks.c.seq.asc() if self.ascending else tasks.c.seq.desc())
            .limit(given("limit", Integer))
            .offset(given("offset", Integer))
        )
        if self.has_after:
            page = page.where(tasks.c.seq > after if self.ascending else tasks.c.seq < after)
        return page

    def _matches(self) -> ColumnElement[bool]:
        tests = [tasks.c.account_id == ACCOUNT, tasks.c.deleted_ms.is_(None)]
        model = given("model", Text)
        if self.has_task_id:
            tests.append(tasks.c.id == given("task_id", String))
        if self.statuses is not None:
            tests.append(tasks.c.status.in_(self.statuses))
        if self.has_model:
            tests.append(or_(tasks.c.model == model, tasks.c.canonical_model == model))
        if self.has_since:
            tests.append(tasks.c.created_ms >= given("since_ms", BigInteger))
        if self.has_until:
            tests.append(tasks.c.created_ms <= given("until_ms", BigInteger))
        return and_(*tests)
