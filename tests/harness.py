"""A whole server over memory: the real edge, services and dialects, with the world's ends faked.

Nothing is rendered: tasks get into their states by writing to the store.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from starlette.testclient import TestClient

from factories import ACCOUNT, MP4_HEAD, START_MS, a_fault, a_plan, a_task, an_id, an_outcome
from kinogate.blobs.memory import MemoryBlobStore
from kinogate.db.memory import MemoryKeyStore, MemoryTaskStore
from kinogate.dialects import build_dialects
from kinogate.domain.abilities import Abilities
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.engine import ReportProgress
from kinogate.domain.errors import KinogateError
from kinogate.domain.models import Reloaded
from kinogate.domain.order import Order, Produced, Role
from kinogate.domain.ports import NewTask, Principal, TaskFilter
from kinogate.domain.task import Plan, Status, Task
from kinogate.engines.base import BaseEngine
from kinogate.http.asgi import build_asgi
from kinogate.http.edge import Edge, EdgeRules, EdgeServices
from kinogate.http.files import FileEndpoint
from kinogate.net import FetchPolicy
from kinogate.service.intake import Intake
from kinogate.service.keys import Keyring
from kinogate.service.links import LinkSigner
from kinogate.service.models import Models
from kinogate.service.operations import Operations
from kinogate.service.query import Tasks
from kinogate.service.routing import Router
from kinogate.service.submit import Submitter
from kinogate.service.upload_parts import Parts
from kinogate.service.upload_policy import PolicySigner
from kinogate.service.uploads import Uploads
from kinogate.telemetry import Metrics

PREFIXES = ("", "/qwen", "/wan", "/alibailian", "/proxy/wan")
MAX_BODY_BYTES = 2 * 1024 * 1024
MAX_UPLOAD_BYTES = 3 * 1024 * 1024
SECRET = b"s" * 32
ORIGIN = "https://kinogate.example.com"

T = TypeVar("T")


class StillClock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms


class CountedIds:
    """Ids and seeds that count upwards."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1_000_000)

    def task_id(self) -> str:
        return an_id(next(self._numbers))

    def seed(self) -> int:
        return 424_242


class IdleEngine(BaseEngine):
    """Accepts everything and renders nothing."""

    name = "idle"

    def __init__(self) -> None:
        self.refusal: str | None = None
        self.able = Abilities()

    def abilities(self, model: str) -> Abilities:
        return self.able

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        return self.refusal

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        raise AssertionError("no test of this harness renders")


class IdleDurable:
    """Runs nothing and remembers what was to be stopped."""

    def __init__(self) -> None:
        self.canceled: list[str] = []

    async def start(self) -> None:
        """Nothing to recover."""

    async def close(self, grace_s: float) -> None:
        """Nothing to wait for."""

    def wake(self) -> None:
        """Nobody sleeps."""

    def set_lanes(self, lanes: Mapping[str, int]) -> None:
        """Nothing waits."""

    async def cancel(self, task_id: str) -> None:
        self.canceled.append(task_id)

    def is_healthy(self) -> bool:
        return True


class SwitchedAdmission:
    """Lets pass, or raises what a test has put there."""

    def __init__(self) -> None:
        self.error: KinogateError | None = None

    def admit(self, principal: Principal, hold_micro: int, now_ms: int) -> None:
        if self.error is not None:
            raise self.error


def wait_for(work: Awaitable[T]) -> T:
    """Run a coroutine of the memory stores, which never really wait."""

    async def run() -> T:
        return await work

    coroutine: Coroutine[Any, Any, T] = run()
    return asyncio.run(coroutine)


class Harness:
    """The server, and handles on everything that a test may want to turn."""

    def __init__(self, engine: IdleEngine | None = None) -> None:
        self.clock, self.ids = StillClock(), CountedIds()
        self.store = MemoryTaskStore()
        self.blobs = MemoryBlobStore(lambda: self.clock.ms / 1000)
        self.engine, self.durable = engine or IdleEngine(), IdleDurable()
        self.router = Router.to(self.engine)
        self.on_reload: Callable[[], Reloaded] = Reloaded
        self.admission = SwitchedAdmission()
        self.signer = LinkSigner(SECRET, "k1", ORIGIN)
        self.keyring = Keyring(MemoryKeyStore(), self.clock)
        self.dialects = build_dialects(dashscope_prefixes=PREFIXES)
        self._policy = FetchPolicy()
        self._folder = tempfile.TemporaryDirectory(prefix="kinogate-")
        self.parts = Parts(Path(self._folder.name) / "uploads", self.clock, self.ids)
        self.uploads = Uploads(
            blobs=self.blobs,
            policies=PolicySigner(SECRET),
            links=self.signer,
            parts=self.parts,
            catalogue=CATALOGUE,
            clock=self.clock,
            ids=self.ids,
            origin=ORIGIN,
            max_bytes=MAX_UPLOAD_BYTES,
        )
        app = build_asgi(
            edge=Edge(
                self._services(),
                EdgeRules(
                    max_body_bytes=MAX_BODY_BYTES, wait_timeout_s=0, simulate=True, insecure=False
                ),
            ),
            dialects=self.dialects,
            file_endpoint=FileEndpoint(self.signer, self.blobs, self.clock),
            metrics=Metrics("test"),
            is_ready=lambda: True,
            cors_origins=frozenset({"*"}),
        )
        self.client = TestClient(
            app, base_url=ORIGIN, raise_server_exceptions=False, follow_redirects=False
        )
        self._secrets: dict[str, str] = {}

    def _services(self) -> EdgeServices:
        submitter = Submitter(
            store=self.store,
            intake=Intake(self.blobs, self.signer, self._policy, self.uploads),
            router=self.router,
            admission=self.admission,
            clock=self.clock,
            ids=self.ids,
            fetch_policy=self._policy,
        )
        return EdgeServices(
            keyring=self.keyring,
            submitter=submitter,
            tasks=Tasks(store=self.store, durable=self.durable, clock=self.clock),
            models=Models(self.router),
            signer=self.signer,
            files=FileEndpoint(self.signer, self.blobs, self.clock),
            uploads=self.uploads,
            operations=Operations(self.router.fleet, self._reload),
            clock=self.clock,
        )

    def _reload(self) -> Reloaded:
        return self.on_reload()

    def __enter__(self) -> Self:
        self.client.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.__exit__(kind, error, trace)
        self._folder.cleanup()

    def key(self, account: str = ACCOUNT) -> str:
        """A key of the account, made on first use."""
        if account not in self._secrets:
            minted = wait_for(self.keyring.create("test", account_id=account))
            self._secrets[account] = minted.secret
        return self._secrets[account]

    def admin_auth(self) -> dict[str, str]:
        """The header that shows an admin's key."""
        if "" not in self._secrets:
            minted = wait_for(self.keyring.create("admin", is_admin=True))
            self._secrets[""] = minted.secret
        return {"authorization": f"Bearer {self._secrets['']}"}

    def auth(self, account: str = ACCOUNT) -> dict[str, str]:
        """The header that shows the account's key."""
        return {"authorization": f"Bearer {self.key(account)}"}

    def task(self, task_id: str) -> Task:
        """The stored task, whoever owns it."""
        found = wait_for(self.store.load(task_id))
        assert found is not None
        return found

    def last_task(self, account: str = ACCOUNT) -> Task:
        """The task accepted last."""
        page = wait_for(self.store.list(account, TaskFilter(), limit=1))
        assert page.tasks
        return page.tasks[0]

    def put(self, status: Status, **changes: Any) -> Task:
        """Bring a task into a state the way the server would; `changes` are of the new task."""
        task = a_task(Status.QUEUED, **{"plan": a_plan(), **changes})
        wait_for(self.store.submit(NewTask(task=task)))
        if status is Status.CANCELED:
            wait_for(
                self.store.cancel(
                    task.account_id, task.id, now_ms=START_MS + 1_000, only_queued=False
                )
            )
        elif status is not Status.QUEUED:
            wait_for(self.store.claim("x-1", 100, START_MS + 3_000, lane="preview"))
            wait_for(self.store.progress(task.id, 0.4, START_MS + 5_000))
        if status is Status.SUCCEEDED:
            self._succeed(task)
        if status is Status.FAILED:
            wait_for(self.store.fail(task.id, a_fault(), now_ms=START_MS + 40_000))
        return self.task(task.id)

    def _succeed(self, task: Task) -> None:
        outcome = an_outcome(blob_key=f"results/{task.id}.mp4", poster_key=None)
        wait_for(self.blobs.put_bytes(outcome.blob_key, MP4_HEAD, "video/mp4"))
        wait_for(
            self.store.succeed(
                task.id,
                replace(outcome, size_bytes=len(MP4_HEAD)),
                engine="preview",
                cost_micro=500_000,
                now_ms=START_MS + 70_000,
                expires_ms=START_MS + 86_400_000,
            )
        )
