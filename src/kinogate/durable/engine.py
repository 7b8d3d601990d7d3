"""The port `Durable` on DBOS, inside the API's process, on a thread and event loop of its own.

Only this file, `workflow.py`'s wrapper here and `recovery.py` know DBOS. It is configured to keep
everything in our database and to call nobody: no conductor, no telemetry.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import threading
import uuid
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from kinogate.db.open import Database
from kinogate.domain.errors import ErrorCode, InternalError, KinogateError
from kinogate.domain.ports import Clock, Stages
from kinogate.durable.heartbeat import LEASE_S
from kinogate.durable.lanes import checked_lanes
from kinogate.durable.lock import PATIENCE_S, ExecutorLock

if TYPE_CHECKING:
    from kinogate.durable.host import Host
    from kinogate.durable.run import RunStore

log = logging.getLogger(__name__)

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
OnEvent = Callable[[str, str], None]
"""Called with `started`, `resumed` or `ended`, and a task's id, on the durable engine's thread.

Must return at once and not raise.
"""


class DbosDurable:
    """Runs claimed tasks as DBOS workflows.

    One per process, as DBOS is; `start` and `close` once each. The stages run on the event loop
    that awaits `start`; everything else happens on the engine's own thread.

    Args:
        database: Where tasks are; on SQLite DBOS's tables live in the same file.
        store: The tasks.
        stages: What a run does.
        lanes: How many tasks of each lane run at once, at least 1; the tasks of other lanes go to
            the first.
        clock: Time.
        executor_id: Unique for this start of the process; made up when not given.
        on_event: For metrics.
        patience_s: How long `start` waits for another process of this SQLite file to end.
        lease_s: On Postgres, silence after which another process counts as dead. Longer than any
            stall of a healthy one: a false alarm runs an engine twice, though it never pays twice.
    """

    def __init__(
        self,
        database: Database,
        store: RunStore,
        stages: Stages,
        *,
        lanes: Mapping[str, int],
        clock: Clock,
        executor_id: str | None = None,
        on_event: OnEvent | None = None,
        patience_s: float = PATIENCE_S,
        lease_s: float = LEASE_S,
    ) -> None:
        self._database = database
        self._store = store
        self._stages = stages
        self._lanes = checked_lanes(lanes)
        self._clock = clock
        self._me = executor_id or f"{platform.node()}-{os.getpid()}-{uuid.uuid4()}"
        self._on_event = on_event
        self._patience_s = patience_s
        self._lease_s = lease_s
        self._lock: ExecutorLock | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._host: Host | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """As the port says; returns when unfinished work has been found and will go on.

        Raises:
            InternalError: UNAVAILABLE: another process executes this SQLite file's tasks.
        """
        path = self._database.path
        if path is not None:
            lock = ExecutorLock(
                path.with_name(path.name + ".executor"), patience_s=self._patience_s
            )
            await lock.acquire()
            self._lock = lock
        ready: Future[None] = Future()
        main = asyncio.get_running_loop()
        self._thread = threading.Thread(
            target=self._serve, args=(main, ready), name="kinogate-durable", daemon=True
        )
        self._thread.start()
        try:
            await asyncio.wait_for(asyncio.wrap_future(ready), START_TIMEOUT_S)
        except BaseException:
            self._release()
            raise
        self._unsubscribe = self._database.writer.on_submitted(
            lambda lanes: self._tell(lambda host: host.wake(lanes))
        )
        self.wake()

    def wake(self) -> None:
        """As the port says."""
        self._tell(lambda host: host.wake())

    def set_lanes(self, lanes: Mapping[str, int]) -> None:
        """As the port says; before `start`, it begins with these."""
        self._lanes = given = checked_lanes(lanes)
        self._tell(lambda host: host.set_lanes(given))

    async def cancel(self, task_id: str) -> None:
        """As the port says; returns when the stage has been told, before it has ended."""
        await self._there(lambda host: host.cancel(task_id))

    async def tidy(self, *, keep_s: float) -> None:
        """Delete the records of runs that ended over `keep_s` seconds ago.

        Done every minute anyway; what they say is in the tasks.
        """
        await self._there(lambda host: host.tidy(keep_s))

    async def sweep(self) -> None:
        """End or restart tasks that nothing works on, when two sweeps in a row find them so.

        Done every ten seconds anyway.
        """
        await self._there(lambda host: host.sweep())

    def is_healthy(self) -> bool:
        """As the port says."""
        thread, host = self._thread, self._host
        return thread is not None and thread.is_alive() and host is not None and host.is_healthy

    async def close(self, grace_s: float) -> None:
        """As the port says; returns within `grace_s` and some twenty seconds, usually at once."""
        self._unsubscribe()
        thread, loop, host = self._thread, self._loop, self._host
        if thread is None or loop is None or host is None:
            self._release()
            return
        if thread.is_alive():
            loop.call_soon_threadsafe(host.stop, grace_s)
        waiter = ThreadPoolExecutor(1, "kinogate-closing")
        await asyncio.get_running_loop().run_in_executor(
            waiter, thread.join, grace_s + STOP_TIMEOUT_S
        )
        waiter.shutdown(wait=False)
        if thread.is_alive():
            log.error("The durable engine did not stop in time; its work goes on at next start.")
        self._release()

    async def _there(self, act: Callable[[Host], Coroutine[Any, Any, None]]) -> None:
        """Act on the engine's own loop; nothing happens when it does not run."""
        host, loop = self._host, self._loop
        if host is not None and loop is not None and loop.is_running():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(act(host), loop))

    def _tell(self, act: Callable[[Host], None]) -> None:
        """Act on the engine's own loop, soon; nothing happens when it does not run."""
        loop, host = self._loop, self._host
        if loop is not None and host is not None:
            try:
                loop.call_soon_threadsafe(act, host)
            except RuntimeError:  # closed meanwhile
                return

    def _release(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def _serve(self, main: asyncio.AbstractEventLoop, ready: Future[None]) -> None:
        try:
            asyncio.run(self._live(main, ready))
        except Exception as exc:  # the thread's edge: whoever waits must hear of it
            if ready.done():
                log.exception("The durable engine stopped.")
            else:
                ready.set_exception(_as_ours(exc))
        finally:
            self._host = None

    async def _live(self, main: asyncio.AbstractEventLoop, ready: Future[None]) -> None:
        # DBOS takes a second to load; it does so here, while the API's loop goes on starting.
        from kinogate.durable.host import Host  # noqa: PLC0415

        host = Host(
            self._database,
            self._store,
            self._stages,
            lanes=self._lanes,
            clock=self._clock,
            me=self._me,
            main=main,
            on_event=self._on_event or _ignore,
            lease_s=self._lease_s,
        )
        async with host:
            self._loop, self._host = asyncio.get_running_loop(), host
            host.set_lanes(self._lanes)  # they may have changed while DBOS was loading
            ready.set_result(None)
            await host.run()


def _ignore(_event: str, _task_id: str) -> None:
    """Nobody listens."""


def _as_ours(exc: Exception) -> KinogateError:
    if isinstance(exc, KinogateError):
        return exc
    error = InternalError(ErrorCode.UNAVAILABLE, "The durable engine could not start.")
    error.__cause__ = exc
    return error
