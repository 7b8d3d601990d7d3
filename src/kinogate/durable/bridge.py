"""Runs the stages on the API's event loop for workflows that live on another thread's loop.

Stages own child processes, whose pipes belong to one loop: the one that started them. So that a
blocked database write of the durable engine can never stall a reply, workflows have their own
loop; this module carries calls, results and cancellation across, in both directions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")
STOP_TIMEOUT_S = 10.0
"""How long a canceled caller waits for the stage to clean up."""


class StageStopped(Exception):
    """The stage's task was canceled on its own loop: by `stop`, or because that loop is ending."""


class StageCall(Generic[T]):
    """One stage, running on `loop`, awaited on the loop that made this object.

    Args:
        loop: Where the coroutine is made and runs.
        make: Makes the coroutine; called on `loop`.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, make: Callable[[], Coroutine[Any, Any, T]]
    ) -> None:
        self._loop = loop
        self._make = make
        self._here = asyncio.get_running_loop()
        self._done: asyncio.Future[T] = self._here.create_future()
        self._task: asyncio.Task[T] | None = None
        self._is_stopped = False

    async def result(self) -> T:
        """Start the stage and wait for it; to be called once.

        When the caller is canceled, so is the stage, and the caller goes on only after its end
        (or ten seconds).

        Raises:
            StageStopped: The stage was canceled, not the caller.
        """
        self._loop.call_soon_threadsafe(self._begin)
        try:
            return await asyncio.shield(self._done)
        except asyncio.CancelledError:
            if self._done.cancelled():
                raise StageStopped from None
            self.stop()
            await asyncio.wait([self._done], timeout=STOP_TIMEOUT_S)
            raise

    def stop(self) -> None:
        """Cancel the stage; may be called from any thread, any number of times."""
        self._loop.call_soon_threadsafe(self._cancel)

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._make())
        self._task.add_done_callback(self._report)
        if self._is_stopped:
            self._task.cancel()

    def _cancel(self) -> None:
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()

    def _report(self, task: asyncio.Task[T]) -> None:
        try:
            self._here.call_soon_threadsafe(self._settle, task)
        except RuntimeError:  # the caller's loop is closed: nobody waits any more
            if not task.cancelled():
                task.exception()

    def _settle(self, task: asyncio.Task[T]) -> None:
        if self._done.done():
            return
        if task.cancelled():
            self._done.cancel()
        elif (error := task.exception()) is not None:
            self._done.set_exception(error)
        else:
            self._done.set_result(task.result())
