"""The composition root: settings → adapters → services → ASGI. Knows everybody, decides nothing."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

import kinogate
from kinogate.blobs.local import LocalBlobStore
from kinogate.config import Setup, read_file, read_setup
from kinogate.db.journal import SqlJournal
from kinogate.db.keys import SqlKeyStore
from kinogate.db.open import Database, open_database
from kinogate.db.store import SqlTaskStore
from kinogate.dialects import build_dialects
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.errors import CallerError, ErrorCode, KinogateError
from kinogate.domain.models import Reloaded
from kinogate.domain.ports import Clock, Principal
from kinogate.domain.routes import PREVIEW
from kinogate.domain.task import Status
from kinogate.durable.engine import DbosDurable
from kinogate.http.asgi import build_asgi
from kinogate.http.edge import Edge, EdgeRules, EdgeServices
from kinogate.http.files import FileEndpoint
from kinogate.http.middleware import Cors
from kinogate.machine import SystemClock, SystemIds, make_private, signing_secret
from kinogate.media.finisher import Finisher
from kinogate.media.inspector import Inspector
from kinogate.net import Fetcher, FetchPolicy, check_url
from kinogate.policies import build_extender, build_moderation, build_signer, engine_maker
from kinogate.service.aftercare import Aftercare
from kinogate.service.briefing import Briefing
from kinogate.service.fleet import Fleet
from kinogate.service.intake import Intake
from kinogate.service.keys import Keyring, MintedKey
from kinogate.service.links import LinkSigner
from kinogate.service.models import Models
from kinogate.service.moderation import Moderation
from kinogate.service.operations import Operations
from kinogate.service.prepare import Preparer
from kinogate.service.query import Tasks
from kinogate.service.records import Records
from kinogate.service.relay import Relay
from kinogate.service.retention import Retention
from kinogate.service.routing import Router
from kinogate.service.run import Runner
from kinogate.service.submit import Submitter
from kinogate.service.upload_parts import Parts
from kinogate.service.upload_policy import PolicySigner
from kinogate.service.uploads import Uploads
from kinogate.settings import Settings, load_settings, reason_of
from kinogate.telemetry import Metrics

log = structlog.get_logger(__name__)

_LINK_S = 7_200
"""For how long an upstream may fetch an input; it may have a queue of its own."""
_LEFTOVER_S = 3_600
"""What an interrupted write left aside this long ago belongs to nobody."""


class OpenAdmission:
    """Lets every account submit; limits and balances come with the ledger."""

    def admit(self, principal: Principal, hold_micro: int, now_ms: int) -> None:
        """Let pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A composed server, ready to be served.

    Attributes:
        asgi: The application.
        keyring: Its keys.
        settings: What it was built from.
        reload: Reads engines, routes and prices again; raises a `CallerError` and changes nothing
            when they cannot be used.
    """

    asgi: Cors
    keyring: Keyring
    settings: Settings
    reload: Callable[[], Reloaded]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foundation:
    """What everything else stands on: the adapters that know no service."""

    folder: Path
    clock: SystemClock
    ids: SystemIds
    database: Database
    store: SqlTaskStore
    blobs: LocalBlobStore
    signer: LinkSigner
    parts: Parts
    uploads: Uploads
    fetch_policy: FetchPolicy
    inspector: Inspector
    finisher: Finisher
    journal: SqlJournal
    metrics: Metrics


@asynccontextmanager
async def open_server(settings: Settings, config: Path | None = None) -> AsyncIterator[Server]:
    """Everything that a serving process needs, started; closed again on leaving.

    Args:
        settings: The settings.
        config: The file whose engines, routes and prices count; it is read again when asked to.

    Raises:
        KinogateError: UNAVAILABLE, when the database or a child process cannot start, or the extra
            that C2PA needs is missing.
        BadConfig: The file's tables, or what the settings name, cannot be used.
    """
    setup = read_setup(read_file(config))
    folder = make_private(settings.data_dir)
    async with AsyncExitStack() as stack:
        base = _foundation(settings, folder, stack)
        fleet = _fleet(settings, base)
        fleet.build(setup.engines)
        stack.push_async_callback(fleet.close)
        router = Router(fleet, routes=setup.routes, prices=setup.prices)
        moderation = build_moderation(settings)
        signing = await asyncio.to_thread(build_signer, settings, folder)
        aftercare = Aftercare(finisher=base.finisher, moderation=moderation, signer=signing)
        runner = _runner(settings, base, router, moderation, aftercare)
        durable = DbosDurable(
            base.database,
            base.store,
            runner,
            lanes=fleet.lanes(),
            clock=base.clock,
            executor_id=f"x-{uuid.uuid4()}",
        )
        reload = _reloader(config, setup, router, durable)
        keyring = Keyring(SqlKeyStore(base.database), base.clock)
        services = EdgeServices(
            keyring=keyring,
            submitter=_submitter(base, router, moderation),
            tasks=Tasks(store=base.store, durable=durable, clock=base.clock),
            models=Models(router),
            signer=base.signer,
            files=FileEndpoint(base.signer, base.blobs, base.clock),
            uploads=base.uploads,
            operations=Operations(fleet, reload),
            clock=base.clock,
        )
        asgi = _asgi(settings, services, durable, base.metrics)
        stack.push_async_callback(durable.close, settings.drain_s)
        await asyncio.gather(fleet.start(), durable.start())
        for chore in _chores(settings, base, setup):
            stack.callback(asyncio.create_task(chore).cancel)
        yield Server(asgi=asgi, keyring=keyring, settings=settings, reload=reload)


def _foundation(settings: Settings, folder: Path, stack: AsyncExitStack) -> _Foundation:
    """Open what is to be closed again, last first, when the stack ends."""
    clock, ids = SystemClock(), SystemIds()
    database = open_database(settings.database)
    stack.callback(database.close)
    blobs = LocalBlobStore(settings.blob_dir)
    blobs.sweep(time.time() - _LEFTOVER_S)
    secret = signing_secret(folder)
    signer = LinkSigner(secret, "k1", settings.origin)
    parts = Parts(folder / "uploads", clock, ids)
    uploads = Uploads(
        blobs=blobs,
        policies=PolicySigner(secret),
        links=signer,
        parts=parts,
        catalogue=CATALOGUE,
        clock=clock,
        ids=ids,
        origin=settings.origin,
        max_bytes=settings.max_upload_bytes,
    )
    inspector, finisher = Inspector(slots=settings.slots), Finisher(slots=settings.slots)
    stack.push_async_callback(inspector.close)
    stack.push_async_callback(finisher.close)
    return _Foundation(
        folder=folder,
        clock=clock,
        ids=ids,
        database=database,
        store=SqlTaskStore(database),
        blobs=blobs,
        signer=signer,
        parts=parts,
        uploads=uploads,
        fetch_policy=FetchPolicy(allow_hosts=settings.fetch_allow_hosts),
        inspector=inspector,
        finisher=finisher,
        journal=SqlJournal(database, clock),
        metrics=Metrics(kinogate.__version__),
    )


def _fleet(settings: Settings, base: _Foundation) -> Fleet:
    maker = engine_maker(
        settings,
        journal=base.journal,
        clock=base.clock,
        inspector=base.inspector,
        fetch_policy=base.fetch_policy,
        is_wanted=_wanted_in(base.store),
    )
    return Fleet(maker, meter=base.metrics)


def _runner(
    settings: Settings,
    base: _Foundation,
    router: Router,
    moderation: Moderation,
    aftercare: Aftercare,
) -> Runner:
    return Runner(
        store=base.store,
        blobs=base.blobs,
        preparer=Preparer(
            blobs=base.blobs,
            fetcher=Fetcher(base.fetch_policy),
            inspector=base.inspector,
            catalogue=CATALOGUE,
        ),
        router=router,
        clock=base.clock,
        scratch=base.folder / "scratch",
        result_ttl_s=settings.result_ttl_s,
        briefing=Briefing(
            base.blobs,
            extender=build_extender(settings),
            moderation=moderation,
            finisher=base.finisher,
        ),
        aftercare=aftercare,
        labels=settings.label_policy,
        relay=Relay(router.fleet, journal=base.journal),
        link=links_for_upstreams(settings.origin, base.signer, base.clock),
    )


def _submitter(base: _Foundation, router: Router, moderation: Moderation) -> Submitter:
    return Submitter(
        store=base.store,
        intake=Intake(base.blobs, base.signer, base.fetch_policy, base.uploads),
        router=router,
        admission=OpenAdmission(),
        clock=base.clock,
        ids=base.ids,
        fetch_policy=base.fetch_policy,
        moderation=moderation,
    )


def _chores(
    settings: Settings, base: _Foundation, setup: Setup
) -> Iterator[Coroutine[Any, Any, None]]:
    """What goes on beside the requests until the server ends."""
    yield Retention(base.blobs, base.clock, settings.result_ttl_s, base.parts).run()
    age_s = settings.result_ttl_s + settings.record_ttl_s
    yield Records(base.store, base.clock, age_s=age_s).run()
    if any(section.kind != PREVIEW for section in setup.engines):
        yield _warmed(base.finisher)


async def _warmed(finisher: Finisher) -> None:
    """Preview finishes its clips itself; the first clip of others shall not wait for a child."""
    try:
        await finisher.start()
    except KinogateError as error:
        log.warning("finisher does not start", reason=error.message)


def _reloader(
    config: Path | None, first: Setup, router: Router, durable: DbosDurable
) -> Callable[[], Reloaded]:
    """What a reload does, from beginning to end without a pause: no task sees half of it."""

    def reload() -> Reloaded:
        try:
            setup = read_setup(read_file(config))
            load_settings(config)
            engines = router.fleet.replace(setup.engines)
        except (OSError, ValueError) as error:  # TOML, settings and our own are all ValueErrors
            reason = reason_of(error)
            log.warning("configuration not reloaded", reason=reason)
            raise CallerError(ErrorCode.FIELD_INVALID, reason, field="config") from error
        router.replace(setup.routes, setup.prices)
        durable.set_lanes(router.fleet.lanes())
        names = sorted({*first.settings, *setup.settings})
        reloaded = Reloaded(
            engines=engines,
            needs_restart=tuple(
                name for name in names if first.settings.get(name) != setup.settings.get(name)
            ),
            remarks=setup.remarks(),
        )
        log.info(
            "configuration reloaded",
            engines=reloaded.engines,
            needs_restart=reloaded.needs_restart,
            remarks=reloaded.remarks,
        )
        return reloaded

    return reload


def _asgi(
    settings: Settings, services: EdgeServices, durable: DbosDurable, metrics: Metrics
) -> Cors:
    rules = EdgeRules(
        max_body_bytes=settings.max_body_bytes,
        wait_timeout_s=settings.wait_timeout_s,
        simulate=settings.simulate,
        insecure=settings.insecure,
    )
    return build_asgi(
        edge=Edge(services, rules),
        dialects=build_dialects(dashscope_prefixes=settings.dashscope_prefixes),
        file_endpoint=services.files,
        metrics=metrics,
        is_ready=durable.is_healthy,
        cors_origins=settings.cors_origins,
    )


def _wanted_in(store: SqlTaskStore) -> Callable[[str], Awaitable[bool]]:
    """Whether a task still runs: what tells a caller's cancel from a shutdown of this server."""

    async def is_wanted(task_id: str) -> bool:
        task = await store.load(task_id)
        return task is not None and task.status is Status.RUNNING

    return is_wanted


def links_for_upstreams(
    origin: str, signer: LinkSigner, clock: Clock
) -> Callable[[str], str] | None:
    """What makes links that an upstream can fetch; None where nobody outside can reach us."""
    try:
        check_url(f"{origin}/", FetchPolicy(ports=frozenset(range(1, 65_536))))
    except CallerError:
        return None

    def link(key: str) -> str:
        expires_at = clock.now_ms() // 1000 + _LINK_S
        return signer.sign(key, filename=key.rpartition("/")[2], expires_at=expires_at)

    return link


async def first_key(server: Server) -> MintedKey | None:
    """The admin's key: the configured one installed, else one made if there is none at all.

    Returns:
        The key with its secret when it was made now or is configured; None when keys exist.

    Raises:
        ValueError: The configured key is not in our format.
    """
    configured = server.settings.admin_key.get_secret_value()
    if configured:
        return await server.keyring.create("admin", is_admin=True, secret=configured)
    if await server.keyring.list():
        return None
    return await server.keyring.create("admin", is_admin=True)
