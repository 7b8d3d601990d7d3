"""The second composition root: one clip without a server, over memory and a scratch folder."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from kinogate.app import OpenAdmission
from kinogate.blobs.local import LocalBlobStore
from kinogate.db.memory import MemoryTaskStore
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.ports import Principal
from kinogate.domain.request import HouseRules, Submission
from kinogate.domain.task import Task
from kinogate.durable.inline import InlineDurable
from kinogate.engines.preview.port import PreviewEngine
from kinogate.machine import SystemClock, SystemIds
from kinogate.media.inspector import Inspector
from kinogate.net import Fetcher, FetchPolicy
from kinogate.service.intake import Intake
from kinogate.service.links import LinkSigner
from kinogate.service.prepare import Preparer
from kinogate.service.query import Tasks
from kinogate.service.routing import Router
from kinogate.service.run import Runner
from kinogate.service.submit import Origin, Submitter

_ME = Principal(account_id="local", key_id="local", is_admin=True)
_TIMEOUT_S = 900.0
_DAY_S = 86_400
_STEP_S = 0.1


class Studio:
    """Makes clips one after another; nothing outlives it but what the caller copies away."""

    def __init__(self, submitter: Submitter, tasks: Tasks, blobs: LocalBlobStore) -> None:
        self._submitter = submitter
        self._tasks = tasks
        self._blobs = blobs

    async def make(
        self, submission: Submission, house: HouseRules, show: Callable[[Task], None]
    ) -> Task:
        """Submit and follow to the end.

        Raises:
            KinogateError: The request cannot be served.
        """
        accepted = await self._submitter.submit(_ME, submission, house, Origin(dialect=house.name))
        while True:
            task = await self._tasks.get(_ME, accepted.task.id)
            show(task)
            if task.status.is_final:
                return task
            await asyncio.sleep(_STEP_S)

    def result(self, task: Task) -> AbstractAsyncContextManager[Path]:
        """The finished MP4 as a local path, for as long as the context lasts.

        Raises:
            InternalError: RESULT_FAILED, when the task made no file.
        """
        if task.outcome is None:
            raise InternalError(ErrorCode.RESULT_FAILED, "The task made no video.")
        return self._blobs.local_path(task.outcome.blob_key)


@asynccontextmanager
async def open_studio(folder: Path) -> AsyncIterator[Studio]:
    """Everything that one clip needs, started; ended again on leaving.

    Args:
        folder: Scratch; its owner removes it.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        store = MemoryTaskStore()
        blobs = LocalBlobStore(folder / "blobs")
        # One's own intranet is no stranger, but a URL in a prompt file may be: guard as always.
        policy = FetchPolicy()
        inspector = Inspector(slots=1)
        stack.push_async_callback(inspector.close)
        engine = PreviewEngine(slots=1, timeout_s=_TIMEOUT_S)
        stack.push_async_callback(engine.close)
        router = Router.to(engine)
        runner = Runner(
            store=store,
            blobs=blobs,
            preparer=Preparer(
                blobs=blobs, fetcher=Fetcher(policy), inspector=inspector, catalogue=CATALOGUE
            ),
            router=router,
            clock=clock,
            scratch=folder / "scratch",
            result_ttl_s=_DAY_S,
        )
        durable = InlineDurable(store, runner, lanes={"preview": 1}, clock=clock, source=store)
        await durable.start()
        stack.push_async_callback(durable.close, 0.0)
        signer = LinkSigner(secrets.token_bytes(32), "local", "http://kinogate.invalid")
        submitter = Submitter(
            store=store,
            intake=Intake(blobs, signer, policy),
            router=router,
            admission=OpenAdmission(),
            clock=clock,
            ids=SystemIds(),
            fetch_policy=policy,
        )
        yield Studio(submitter, Tasks(store=store, durable=durable, clock=clock), blobs)
