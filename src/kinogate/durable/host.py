"""DBOS itself, launched on the durable engine's loop, with dispatcher and recovery beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, StepOptions

from kinogate.db.open import Database
from kinogate.domain.errors import KinogateError
from kinogate.domain.ports import Clock, Stages
from kinogate.durable.dispatcher import Dispatcher
from kinogate.durable.heartbeat import Heartbeat
from kinogate.durable.lanes import Lanes
from kinogate.durable.recovery import Recovery
from kinogate.durable.run import RunStore, StageRunner
from kinogate.durable.workflow import (
    MAX_ATTEMPTS,
    WORKFLOW_NAME,
    WORKFLOW_VERSION,
    Runs,
    Step,
    Steps,
)

log = logging.getLogger(__name__)

SWEEP_S = 10.0
CLEAN_S = 60.0
KEEP_S = 60.0
LEAVE_S = 12.0
HEAR_AGAIN_S = 1.0
DBOS_THREADS = 32
DBOS_POOL = 10


class Host:
    """An async context: DBOS is launched inside and destroyed at the end.

    Lives on the durable engine's loop; arguments as for `DbosDurable`, and `main` is the loop
    that the stages run on.
    """

    def __init__(
        self,
        database: Database,
        store: RunStore,
        stages: Stages,
        *,
        lanes: Mapping[str, int],
        clock: Clock,
        me: str,
        main: asyncio.AbstractEventLoop,
        on_event: Callable[[str, str], None],
        lease_s: float,
    ) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._me = me
        self._on_event = on_event
        self._lanes = Lanes(lanes, self._freed)
        self._runs = Runs(
            StageRunner(store, stages),
            main,
            self._lanes,
            lane_of=self._lane_of,
            on_resumed=self._resumed,
            on_ended=partial(on_event, "ended"),
        )
        self._recovery = Recovery(store, clock, me, is_alone=not database.is_shared)
        self._heartbeat = Heartbeat(database, me, lease_s=lease_s) if database.is_shared else None
        self._dispatcher = Dispatcher(
            store,
            clock,
            me,
            lanes=self._lanes,
            start=self._start,
            elsewhere=self._lanes_elsewhere,
        )
        self._stopped = asyncio.Event()
        self._grace_s = 0.0
        self._workflow: Callable[[str], Coroutine[Any, Any, str]] | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether tasks are being claimed."""
        return self._dispatcher.is_healthy and not self._stopped.is_set()

    def wake(self, lanes: frozenset[str] = frozenset()) -> None:
        """Claim at once in these lanes, in all if none is named."""
        self._dispatcher.wake(lanes)

    def set_lanes(self, lanes: Mapping[str, int]) -> None:
        """Replace the lanes."""
        self._dispatcher.set_lanes(lanes)

    def stop(self, grace_s: float) -> None:
        """Claim no more; `run` returns after the running tasks, or `grace_s` seconds."""
        self._grace_s = grace_s
        self._stopped.set()
        self._dispatcher.stop()

    async def cancel(self, task_id: str) -> None:
        """Stop a task's stage, wherever it runs."""
        if not self._runs.cancel(task_id) and self._database.is_shared:
            # Another process runs it: its own watch on this row stops it within a second.
            await DBOS.cancel_workflow_async(task_id)

    async def tidy(self, keep_s: float) -> None:
        """Delete what ended over `keep_s` seconds ago."""
        await self._recovery.clean(keep_s)

    async def __aenter__(self) -> Self:
        self._quieten()
        DBOS(config=self._config())
        try:
            self._workflow = self._register()
            # Inside our running loop, so that recovered workflows come to it, too.
            DBOS.launch()
            await self._take_over()
        except BaseException:
            await self._destroy()
            raise
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._destroy()

    async def run(self) -> None:
        """Claim, sweep and beat until stopped, then let the running tasks end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._dispatcher.run())
            chores = [
                group.create_task(self._every(SWEEP_S, self.sweep)),
                group.create_task(self._every(CLEAN_S, partial(self._recovery.clean, KEEP_S))),
            ]
            if self._heartbeat is not None:
                chores.append(
                    group.create_task(self._every(self._heartbeat.pause_s, self._take_over))
                )
            if self._database.notices is not None:
                hear = partial(self._database.notices.hear, self.wake)
                chores.append(group.create_task(self._every(HEAR_AGAIN_S, hear)))
            await self._stopped.wait()
            try:
                async with asyncio.timeout(self._grace_s):
                    await self._runs.drained()
            except TimeoutError:
                log.info("%d tasks are left to the next start.", len(self._runs.active))
            for chore in chores:
                chore.cancel()
        try:
            async with asyncio.timeout(LEAVE_S):
                await self._runs.leave()
        except TimeoutError:
            log.warning("Some stages did not stop in time.")
        if self._heartbeat is not None:
            await self._heartbeat.leave()

    def _quieten(self) -> None:
        # DBOS would print to a handler of its own; the root's handlers decide where lines go.
        logger = logging.getLogger("dbos")
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
        logger.addFilter(_is_news)

    def _config(self) -> DBOSConfig:
        config = DBOSConfig(
            name="kinogate",
            system_database_url=self._database.url,
            executor_id=self._me,
            # DBOS's default, a hash of our source, would strand every run at an upgrade.
            application_version=WORKFLOW_VERSION,
            # Its default is pickle.
            serializer=DBOSPortableJSONSerializer(),
            max_executor_threads=DBOS_THREADS,
            sys_db_pool_size=DBOS_POOL,
            # We use none of its notifications: this is only how long its listener, which looks at
            # an empty table in memory, delays our end.
            notification_listener_polling_interval_sec=0.1,
            log_level="WARNING",
            enable_otlp=False,
        )
        if not self._database.is_shared:
            # The same file through the same gate, or its threads and our writer starve each other.
            config["system_database_engine"] = self._database.engine
        return config

    def _register(self) -> Callable[[str], Coroutine[Any, Any, str]]:
        is_shared = self._database.is_shared

        def keep(name: str, step: Step) -> Step:
            # Elsewhere cancellation comes through the database, which DBOS asks once a second
            # while a preemptible step runs; on SQLite there is no elsewhere.
            options = StepOptions(name=name, preemptible=is_shared)

            async def kept(*args: Any) -> str:  # Any: each step's own arguments
                return await DBOS.run_step_async(options, step, *args)

            return kept

        steps = Steps(self._runs, keep)
        runs = self._runs

        async def run_task(task_id: str) -> str:
            return await runs.run(task_id, steps)

        return DBOS.workflow(name=WORKFLOW_NAME, max_recovery_attempts=MAX_ATTEMPTS)(run_task)

    async def _start(self, task_id: str) -> bool:
        assert self._workflow is not None  # noqa: S101  # set before the dispatcher runs
        self._on_event("started", task_id)
        self._runs.expect(task_id)
        with SetWorkflowID(task_id):
            handle = await DBOS.start_workflow_async(self._workflow, task_id)
        # An id that DBOS knows gives a handle that polls, and runs nothing.
        is_begun = type(handle).__name__ == "WorkflowHandleAsyncTask"
        if not is_begun:
            self._runs.expect_not(task_id)
        return is_begun

    async def _take_over(self) -> None:
        alive = frozenset[str]()
        if self._heartbeat is not None:
            alive = frozenset(await self._heartbeat.beat(self._lanes.names))
        resumed = await self._recovery.take_over(alive)
        if self._heartbeat is None:
            # They come to this process, and to none else: keep their slots for them.
            for run in resumed:
                self._lanes.grant(run.lane, [run.task_id])

    async def _resumed(self, task_id: str) -> None:
        await self._store.own(task_id, self._me, self._clock.now_ms())
        self._on_event("resumed", task_id)

    def _freed(self, lane: str) -> None:
        self._dispatcher.wake([lane])

    def _lanes_elsewhere(self) -> frozenset[str]:
        return frozenset() if self._heartbeat is None else self._heartbeat.lanes_elsewhere

    async def _lane_of(self, task_id: str) -> str:
        try:
            return await self._store.lane(task_id) or self._lanes.first
        except KinogateError as exc:
            # A workflow must not raise; a slot of another lane does little harm.
            log.warning("The lane of task %s is not known: %s", task_id, exc)
            return self._lanes.first

    async def sweep(self) -> None:
        """End or restart tasks that nothing works on, when two sweeps in a row find them so."""
        for task_id in await self._recovery.sweep(self._runs.active):
            self._lanes.release(task_id)
        await self._dispatcher.relane()

    async def _every(self, pause_s: float, chore: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await asyncio.sleep(pause_s)
            try:
                await chore()
            except KinogateError as exc:
                log.warning("A chore waits for the database: %s", exc)
            except Exception:  # a chore must never end the engine
                log.exception("A chore failed.")

    async def _destroy(self) -> None:
        # On a thread outside DBOS's pool, which it shuts down; its threads may still need our
        # loop while they end.
        waiter = ThreadPoolExecutor(1, "kinogate-destroy")
        await asyncio.get_running_loop().run_in_executor(
            waiter, partial(DBOS.destroy, destroy_registry=True)
        )
        waiter.shutdown(wait=False)
        logging.getLogger("dbos").removeFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of DBOS says more than that we have stopped a run, which we know."""
    return not record.getMessage().startswith("Asyncio task cancelled")
