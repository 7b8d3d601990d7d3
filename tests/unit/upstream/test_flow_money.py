"""Every row of the fault table through the real runner and database: how the task ends, and the
money: a hold is settled once or released whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from factories import a_plan, a_task
from kinogate.blobs.memory import MemoryBlobStore
from kinogate.db.journal import SqlJournal
from kinogate.db.open import Database, open_database
from kinogate.db.store import SqlTaskStore
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.order import AudioMode
from kinogate.domain.ports import NewTask
from kinogate.domain.resolution import Size, Tier
from kinogate.domain.task import Status, Task
from kinogate.durable.inline import InlineDurable
from kinogate.engines.upstream.credentials import Credential
from kinogate.media.finisher import Finisher
from kinogate.net import Fetcher, FetchPolicy
from kinogate.service.aftercare import Aftercare
from kinogate.service.prepare import Preparer
from kinogate.service.relay import Relay
from kinogate.service.routing import Router
from kinogate.service.run import Runner
from upstream_bench import NAME, Bench, OpenInspector, StillClock, a_script, bench
from upstream_faults import CREATE_FAULTS, POLL_FAULTS, RESULT_FAULTS, Fault
from upstream_script import ToyWire

HOLD = 1_000_000
PLAN = a_plan(
    size=Size(width=320, height=240),
    tier=Tier.P480,
    duration_s=1,
    fps=24,
    audio=AudioMode.OFF,
    is_extendable=False,
)


class House:
    """A database of one row's own, and a finisher that all rows share."""

    def __init__(self, folder: Path, database: Database, finisher: Finisher) -> None:
        self.folder = folder
        self.clock = StillClock()
        self.store = SqlTaskStore(database)
        self.journal = SqlJournal(database, self.clock)
        self.finisher = finisher

    def runner(self, one: Bench) -> Runner:
        blobs = MemoryBlobStore(lambda: 5.0)
        router = Router.to(one.engine)
        return Runner(
            store=self.store,
            blobs=blobs,
            preparer=Preparer(
                blobs=blobs,
                fetcher=Fetcher(FetchPolicy()),
                inspector=OpenInspector(),  # type: ignore[arg-type]
                catalogue=CATALOGUE,
            ),
            router=router,
            clock=self.clock,
            scratch=self.folder / "scratch",
            result_ttl_s=3_600,
            aftercare=Aftercare(finisher=self.finisher),
            relay=Relay(router.fleet, journal=self.journal),
        )

    async def play(self, fault: Fault, clip: bytes) -> str:
        """Run a row to its end and say how it differs from the table; "" when it does not."""
        task = a_task(plan=PLAN, hold_micro=HOLD)
        more = {"journal": self.journal, **fault.options}
        async with bench(fault.script(clip), ToyWire(**fault.wire), **more) as one:
            if fault.base_url is not None:
                url = fault.base_url.replace("{authority}", one.stage.url.partition("//")[2])
                one.pool.replace([Credential(name="one", base_url=url)])
            await self.store.submit(NewTask(task=task, lane=NAME))
            await fault.prepare(self.journal, task.id)
            durable = InlineDurable(self.store, self.runner(one), lanes={NAME: 1}, clock=self.clock)
            await durable.start()
            try:
                ended = await self._ended(task)
            finally:
                await durable.close(1.0)
        return self._difference(fault, ended, await self.store.movements(task.id))

    async def _ended(self, task: Task) -> Task:
        while True:
            found = await self.store.load(task.id)
            if found is not None and found.status.is_final:
                return found
            await asyncio.sleep(0.02)

    def _difference(self, fault: Fault, task: Task, money: dict[str, int]) -> str:
        code = task.fault.code if task.fault else None
        if code is not fault.code:
            return f"ended as {code}: {task.fault}"
        settled, released = money.get("settle", 0), money.get("release", 0)
        is_right = (
            (task.status is Status.FAILED, settled, task.cost_micro) == (True, 0, 0)
            if fault.code is not None
            else task.status is Status.SUCCEEDED and 0 < task.cost_micro == settled
        )
        is_right = is_right and settled + released == money["hold"] == HOLD
        return "" if is_right else f"{task.status} at {task.cost_micro}: {money}"


@asynccontextmanager
async def house(folder: Path, finisher: Finisher) -> AsyncIterator[House]:
    folder.mkdir(exist_ok=True)
    database = open_database(f"sqlite:///{folder / 'test.db'}")
    try:
        yield House(folder, database, finisher)
    finally:
        database.close()


@asynccontextmanager
async def finishing() -> AsyncIterator[Finisher]:
    finisher = Finisher(slots=2)
    try:
        yield finisher
    finally:
        await finisher.close()


@pytest.mark.parametrize(
    "faults",
    [CREATE_FAULTS, POLL_FAULTS, RESULT_FAULTS],
    ids=["create", "poll", "result"],
)
def test_every_row_ends_with_the_money_where_it_belongs(
    faults: tuple[Fault, ...], clip: bytes, tmp_path: Path
) -> None:
    async def run() -> dict[str, str]:
        async with finishing() as finisher:
            gate = asyncio.Semaphore(4)

            async def play(fault: Fault) -> str:
                async with gate, house(tmp_path / str(faults.index(fault)), finisher) as one:
                    return await one.play(fault, clip)

            ends = await asyncio.gather(*(play(fault) for fault in faults))
            return dict(zip((fault.name for fault in faults), ends, strict=True))

    differences = asyncio.run(run())
    assert {name: said for name, said in differences.items() if said} == {}


def test_a_task_taken_up_after_its_end_is_paid_once(clip: bytes, tmp_path: Path) -> None:
    """The server dies between the clip's arrival and the keeping of it."""

    async def run() -> None:
        async with finishing() as finisher, house(tmp_path, finisher) as one:
            task = a_task(plan=PLAN, hold_micro=HOLD)
            async with bench(a_script(clip), journal=one.journal) as stage:
                await one.store.submit(NewTask(task=task, lane=NAME))
                await one.store.claim("me", 1, one.clock.now_ms(), lane=NAME)
                runner = one.runner(stage)
                order = await runner.prepare(task.id)
                await runner.render(task.id, order)
                outcome = await one.runner(stage).render(task.id, order)
                await runner.finish(task.id, outcome)
                await runner.finish(task.id, outcome)
                assert len(stage.stage.creates) == 1
            money = await one.store.movements(task.id)
            assert money["settle"] + money["release"] == money["hold"]

    asyncio.run(run())
