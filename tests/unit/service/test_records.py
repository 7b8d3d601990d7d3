"""A task's record outlives its file, then goes."""

from __future__ import annotations

import asyncio

from factories import a_fault, a_task
from kinogate.db.memory import MemoryTaskStore
from kinogate.domain.ports import NewTask
from kinogate.service.records import Records

MONTH_S = 30 * 86_400


class Clock:
    def __init__(self) -> None:
        self.ms = 1_000_000_000_000

    def now_ms(self) -> int:
        return self.ms


def test_a_record_goes_after_its_age_and_not_before() -> None:
    async def run() -> None:
        clock, store = Clock(), MemoryTaskStore()
        task = a_task()
        await store.submit(NewTask(task=task))
        await store.fail(task.id, a_fault(), now_ms=clock.now_ms())
        records = Records(store, clock, age_s=MONTH_S)
        clock.ms += MONTH_S * 1000
        assert await records.sweep() == 0
        clock.ms += 1
        assert await records.sweep() == 1
        assert await store.load(task.id) is None

    asyncio.run(run())
