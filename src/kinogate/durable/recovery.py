"""What a dead executor left: its workflows are taken up again, its unstarted tasks queued again.

DBOS without its paid conductor recovers nothing of another executor, and every start of ours is a
new executor, so this is done here: on SQLite at start, when the executor lock proves that all
others are dead; on Postgres by a heartbeat and a reaper.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from dbos import DBOS

from kinogate.domain.errors import ErrorCode
from kinogate.domain.ports import Clock
from kinogate.domain.task import Fault
from kinogate.durable.run import RunStore

log = logging.getLogger(__name__)

LIVE = ("PENDING", "ENQUEUED", "DELAYED")
DONE = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
KEEP_S = 60
CLEAN_LIMIT = 500
LOST = Fault(code=ErrorCode.INTERNAL, message="The task was lost by a server error.")


class Recovery:
    """Finds and takes up work without an owner; used on the durable engine's loop.

    Args:
        store: The tasks.
        clock: Time.
        me: This executor.
        reserve: Keeps slots for runs that are about to be taken up.
    """

    def __init__(
        self,
        store: RunStore,
        clock: Clock,
        me: str,
        reserve: Callable[[Sequence[str]], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._me = me
        self._reserve = reserve
        self._suspects: frozenset[str] = frozenset()

    async def take_over(self, alive: Collection[str]) -> Sequence[str]:
        """Take up everything of executors that are not `alive` (this one is).

        Returns:
            The tasks whose workflow goes on here or was queued to go on.
        """
        workflows = {
            status.workflow_id: status.executor_id or ""
            for status in await DBOS.list_workflows_async(
                status=list(LIVE), load_input=False, load_output=False
            )
        }
        orphans: dict[str, list[str]] = {}
        for task_id, owner in await self._store.running():
            if owner != self._me and owner not in alive:
                orphans.setdefault(owner, []).append(task_id)
        resumed: list[str] = []
        for owner, task_ids in orphans.items():
            live = [task_id for task_id in task_ids if task_id in workflows]
            await self._store.adopt(owner, self._me, live, self._clock.now_ms())
            resumed += live
            await self._restart(owner, [t for t in task_ids if t not in workflows])
        self._reserve(resumed)
        dead = sorted(set(workflows.values()) - {self._me} - set(alive))
        if dead:
            # One compare-and-set per workflow: safe to call from several reapers at once.
            await asyncio.to_thread(DBOS._recover_pending_workflows, dead)  # noqa: SLF001
        return resumed

    async def sweep(self, active: Collection[str]) -> None:
        """End or restart tasks of this executor that nothing works on, seen twice in a row."""
        mine = {task_id for task_id, owner in await self._store.running() if owner == self._me}
        idle = frozenset(mine - set(active))
        lost = sorted(idle & self._suspects)
        self._suspects = idle
        if not lost:
            return
        statuses = await DBOS.list_workflows_async(
            workflow_ids=lost, load_input=False, load_output=False
        )
        waiting = {status.workflow_id for status in statuses if status.status == "ENQUEUED"}
        stuck = [status.workflow_id for status in statuses if status.status == "PENDING"]
        if stuck:
            await DBOS.cancel_workflows_async(stuck)
        await self._restart(self._me, [task_id for task_id in lost if task_id not in waiting])

    async def clean(self) -> None:
        """Delete workflows that ended over a minute ago: what they say is in `tasks`."""
        until_s = self._clock.now_ms() / 1000 - KEEP_S
        done = await DBOS.list_workflows_async(
            status=list(DONE),
            completed_before=datetime.fromtimestamp(until_s, UTC).isoformat(),
            limit=CLEAN_LIMIT,
            load_input=False,
            load_output=False,
        )
        if done:
            await DBOS.delete_workflows_async([status.workflow_id for status in done])

    async def _restart(self, owner: str, task_ids: Sequence[str]) -> None:
        """Queue again what never got a workflow; fail what had one that ended without a word."""
        if not task_ids:
            return
        ended = {
            status.workflow_id
            for status in await DBOS.list_workflows_async(
                workflow_ids=list(task_ids), load_input=False, load_output=False
            )
        }
        for task_id in sorted(ended):
            log.error("Task %s is failed: its workflow ended without ending it.", task_id)
            await self._store.fail(task_id, LOST, now_ms=self._clock.now_ms())
        again = [task_id for task_id in task_ids if task_id not in ended]
        await self._store.requeue(owner, again, self._clock.now_ms())
