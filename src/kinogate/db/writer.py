"""The one thread of a process that writes: everything waiting goes into one transaction.

A lone write is committed at once; under load up to 256 share a commit, which is what makes
durable submits cheap. Order of arrival is kept among submits.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from kinogate.db.admit import submit_batch
from kinogate.db.session import Session
from kinogate.domain.errors import ErrorCode, InternalError, KinogateError
from kinogate.domain.ports import Accepted, NewTask, OnSubmitted

T = TypeVar("T")
BATCH = 256
CLOSE_TIMEOUT_S = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    """One waiting write: a submit, or an operation."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]  # Any: each operation has its own result
    new: NewTask | None
    operation: Callable[[Session], Any] | None


_Result = tuple[_Item, Any, BaseException | None]


def unavailable(cause: BaseException | None = None) -> InternalError:
    """The error for a database that cannot be written or reached."""
    error = InternalError(ErrorCode.UNAVAILABLE, "The database is not available.")
    error.__cause__ = cause
    return error


class Writer:
    """Group commit over one connection.

    `submit` and `run` may be awaited on any event loop of any thread. They return after COMMIT;
    a canceled caller's write may still happen.

    Args:
        connect: Opens the connection; called again after a failure.
        failures: What the driver raises; answered by UNAVAILABLE, anything else by INTERNAL.
        notify: Called inside each transaction that queues tasks, with their lanes, to tell other
            processes.
    """

    def __init__(
        self,
        connect: Callable[[], Session],
        *,
        failures: tuple[type[Exception], ...],
        notify: Callable[[Session, frozenset[str]], None] | None = None,
    ) -> None:
        self._connect = connect
        self._failures = failures
        self._notify = notify
        self._session: Session | None = None
        self._items: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._listeners: tuple[OnSubmitted, ...] = ()
        self._lock = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="kinogate-writer", daemon=True)
        self._thread.start()

    def on_submitted(self, listener: OnSubmitted) -> Callable[[], None]:
        """Call `listener` on the writer's thread after each commit that queued tasks.

        Returns:
            A function that ends the subscription; may be called twice.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(kept for kept in self._listeners if kept != listener)

        return stop

    async def submit(self, new: NewTask) -> Accepted:
        """Insert a task, or find the one that the same idempotency key made.

        Raises:
            CallerError: IDEMPOTENCY_CONFLICT.
            InternalError: UNAVAILABLE or INTERNAL; nothing was written.
        """
        accepted: Accepted = await self._put(new, None)
        return accepted

    async def run(self, operation: Callable[[Session], T]) -> T:
        """Run `operation` inside a transaction; it may run twice, the first time in vain.

        Raises:
            InternalError: UNAVAILABLE or INTERNAL; nothing was written.
        """
        result: T = await self._put(None, operation)
        return result

    def close(self) -> None:
        """Write what waits, then end the thread; safe to call twice."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._items.put(None)
        self._thread.join(CLOSE_TIMEOUT_S)

    def _put(
        self, new: NewTask | None, operation: Callable[[Session], Any] | None
    ) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        item = _Item(loop, loop.create_future(), new, operation)
        with self._lock:
            if self._is_closed:
                raise unavailable()
            self._items.put(item)
        return item.future

    def _run(self) -> None:
        is_open = True
        while is_open:
            item = self._items.get()
            batch: list[_Item] = []
            while item is not None:
                batch.append(item)
                if len(batch) == BATCH:
                    break
                try:
                    item = self._items.get_nowait()
                except queue.Empty:
                    break
            is_open = item is not None
            if batch:
                self._serve(batch)
        self._drop_session()

    def _serve(self, batch: Sequence[_Item]) -> None:
        try:
            results = self._transact(batch)
        except Exception:  # one bad item must not fail its neighbours  # noqa: BLE001
            self._undo()
            results = [self._alone(item) for item in batch]
        _resolve(results)
        lanes = _queued_lanes(results)
        if lanes:
            for listener in self._listeners:
                listener(lanes)

    def _transact(self, batch: Sequence[_Item]) -> list[_Result]:
        session = self._session
        if session is None:
            session = self._session = self._connect()
        session.begin()
        submits = [item for item in batch if item.new is not None]
        results: list[_Result] = []
        if submits:
            news = [item.new for item in submits if item.new is not None]
            for item, answer in zip(submits, submit_batch(session, news), strict=True):
                if isinstance(answer, KinogateError):
                    results.append((item, None, answer))
                else:
                    results.append((item, answer, None))
            if self._notify is not None and (lanes := _queued_lanes(results)):
                self._notify(session, lanes)
        results.extend(
            (item, item.operation(session), None) for item in batch if item.operation is not None
        )
        session.commit()
        return results

    def _alone(self, item: _Item) -> _Result:
        try:
            return self._transact([item])[0]
        except KinogateError as exc:
            self._undo()
            return item, None, exc
        except Exception as exc:  # the writer's edge: every caller gets an answer
            self._drop_session()
            log.warning("A write failed: %s", exc, exc_info=exc)
            if isinstance(exc, self._failures):
                return item, None, unavailable(exc)
            error = InternalError(ErrorCode.INTERNAL, "The request could not be stored.")
            error.__cause__ = exc
            return item, None, error

    def _undo(self) -> None:
        if self._session is not None:
            try:
                self._session.rollback()
            except Exception:  # a lost connection cannot roll back  # noqa: BLE001
                self._drop_session()

    def _drop_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            try:
                session.close()
            except Exception as exc:  # a lost connection may not close  # noqa: BLE001
                log.debug("Closing a lost connection failed: %s", exc)


def _queued_lanes(results: Sequence[_Result]) -> frozenset[str]:
    """The lanes of the tasks that are new among the results."""
    return frozenset(
        item.new.lane
        for item, accepted, error in results
        if item.new is not None and error is None and not accepted.is_replay
    )


def _resolve(results: Sequence[_Result]) -> None:
    """Answer every waiting future by one call per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Result]] = {}
    for result in results:
        by_loop.setdefault(result[0].loop, []).append(result)
    for loop, mine in by_loop.items():
        try:
            loop.call_soon_threadsafe(_set_all, mine)
        except RuntimeError:  # the loop was closed while its caller waited
            log.debug("The event loop of %d writes is closed.", len(mine))


def _set_all(results: Sequence[_Result]) -> None:
    for item, value, error in results:
        if item.future.done():
            continue
        if error is None:
            item.future.set_result(value)
        else:
            item.future.set_exception(error)
