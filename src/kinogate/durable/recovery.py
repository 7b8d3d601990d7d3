"""What a dead executor left: its workflows are taken up again, its unstarted tasks queued again.

DBOS without its paid conductor recovers nothing of another executor, and every start of ours is a
new executor, so this is done here: on SQLite at start, when the executor lock proves that all
others are dead; on Postgres by a heartbeat and a reaper.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from dbos import DBOS

from kinogate.domain.errors import ErrorCode
from kinogate.domain.ports import Clock, RunningTask
from kinogate.domain.task import Fault
from kinogate.durable.run import RunStore

log = logging.getLogger(__name__)

LIVE = ("PENDING", "ENQUEUED", "DELAYED")
DONE = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
CLEAN_LIMIT = 500
LOST = Fault(code=ErrorCode.INTERNAL, message="The task was lost by a server error.")


class Recovery:
    """Finds and takes up work that nobody works on; used on the durable engine's loop.

    Args:
        store: The tasks.
        clock: Time.
        me: This executor.
        is_alone: Whether no other executor can be alive.
    """

    def __init__(self, store: RunStore, clock: Clock, me: str, *, is_alone: bool) -> None:
        self._store = store
        self._clock = clock
        self._me = me
        self._is_alone = is_alone
        self._suspects: frozenset[str] = frozenset()

    async def take_over(self, alive: Collection[str]) -> Sequence[RunningTask]:
        """Take up everything of executors that are neither `alive` nor this one.

        Repeating it changes nothing. Several executors may do it at once: each workflow is put
        back by one compare-and-set, and goes on in whichever process fetches it first.

        Returns:
            The tasks of dead executors whose workflow will go on.
        """
        living = {self._me, *alive}
        # Tasks first: one that is started in between is then found among the workflows.
        orphans = [run for run in await self._store.running() if run.owner not in living]
        workflows = {
            status.workflow_id: status.executor_id or ""
            for status in await DBOS.list_workflows_async(
                status=list(LIVE), load_input=False, load_output=False
            )
        }
        unstarted: dict[str, list[str]] = {}
        for run in orphans:
            if run.task_id not in workflows:
                unstarted.setdefault(run.owner, []).append(run.task_id)
        for owner, task_ids in unstarted.items():
            await self._restart(owner, task_ids)
        dead = sorted(set(workflows.values()) - living)
        if dead:
            await asyncio.to_thread(DBOS._recover_pending_workflows, dead)  # noqa: SLF001
        return [run for run in orphans if run.task_id in workflows]

    async def sweep(self, active: Collection[str]) -> Sequence[str]:
        """End or restart tasks that nothing works on, as seen twice in a row.

        Args:
            active: The tasks whose workflow is under way in this process.

        Returns:
            Those tasks.
        """
        running = {run.task_id: run.owner for run in await self._store.running()}
        mine = {t for t, owner in running.items() if self._is_alone or owner == self._me}
        idle = frozenset(mine - set(active))
        lost = sorted(idle & self._suspects)
        self._suspects = idle
        if not lost:
            return []
        statuses = {
            status.workflow_id: status
            for status in await DBOS.list_workflows_async(
                workflow_ids=lost, load_input=False, load_output=False
            )
        }
        stuck: list[str] = []
        for task_id in lost:
            status = statuses.get(task_id)
            if status is not None and status.status in LIVE:
                # Waiting to be fetched, or under way in another process: not lost.
                if status.status != "PENDING" or status.executor_id != self._me:
                    continue
                await DBOS.cancel_workflow_async(task_id)
            stuck.append(task_id)
        for task_id in stuck:
            await self._restart(running[task_id], [task_id])
        return stuck

    async def clean(self, keep_s: float) -> None:
        """Delete workflows that ended over `keep_s` seconds ago: what they say is in `tasks`."""
        until_s = self._clock.now_ms() / 1000 - keep_s
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
