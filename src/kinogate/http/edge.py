"""The generic handlers: one for each action, for every dialect alike.

Call in, reply out: authenticate, parse, ask a service, render. Whatever goes wrong is answered in
the dialect's own shape; this is one of the two places that catch `Exception`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from kinogate.dialects.base import Action, Call, Dialect, ListView, Route, TaskView
from kinogate.domain.errors import (
    CallerError,
    ErrorCode,
    InternalError,
    KinogateError,
    field_invalid,
)
from kinogate.domain.ports import Accepted, Clock, Principal
from kinogate.domain.request import Field
from kinogate.domain.task import Status, Task
from kinogate.http.admin import AdminHandlers
from kinogate.http.calls import head_of, read_body, read_form, respond
from kinogate.http.files import FileEndpoint
from kinogate.http.uploads import KEYLESS, STREAMED, Handler, UploadHandlers
from kinogate.service.keys import Keyring
from kinogate.service.links import LinkSigner
from kinogate.service.live import live_url
from kinogate.service.models import Models
from kinogate.service.operations import Operations
from kinogate.service.query import Tasks
from kinogate.service.simulation import HEADER, parse_simulation, refuse_at_submit
from kinogate.service.submit import Origin, Submitter
from kinogate.service.uploads import Uploads

log = structlog.get_logger(__name__)

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_STREAM_STEP_S = 0.5
_KEEP_ALIVE_STEPS = 30
_NOBODY = Principal(account_id="", key_id="", is_admin=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeServices:
    """What the handlers speak to."""

    keyring: Keyring
    submitter: Submitter
    tasks: Tasks
    models: Models
    signer: LinkSigner
    files: FileEndpoint
    uploads: Uploads
    operations: Operations
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeRules:
    """Settings of the edge; seconds and bytes."""

    max_body_bytes: int
    wait_timeout_s: int
    simulate: bool
    insecure: bool


class Edge:
    """Turns requests into replies."""

    def __init__(self, services: EdgeServices, rules: EdgeRules) -> None:
        self._services = services
        self._rules = rules
        self._handlers: dict[Action, Handler] = {
            Action.CREATE: self._create,
            Action.CREATE_WAIT: self._create_wait,
            Action.GET: self._get,
            Action.LIST: self._list,
            Action.CANCEL: self._cancel,
            Action.DELETE: self._delete,
            Action.CONTENT: self._content,
            Action.REMIX: self._remix,
            Action.STREAM: self._stream,
            Action.MODELS: self._models,
            Action.MODEL: self._model,
            Action.ME: self._me,
            Action.UNSUPPORTED: self._unsupported,
            **UploadHandlers(services.uploads).table(),
            **AdminHandlers(services.operations).table(),
        }

    async def handle(self, dialect: Dialect, route: Route, request: Request) -> Response:
        """Answer one matched request; never raises."""
        call = head_of(request, route.action, route.options)
        try:
            principal = await self._principal(dialect, call)
            if route.action not in STREAMED and request.method in ("POST", "PUT", "PATCH"):
                body = await read_body(request, self._rules.max_body_bytes)
                form = await read_form(request, body)
                call = replace(call, body=b"" if form is not None else body, form=form)
            return await self._handlers[route.action](dialect, call, principal, request)
        except KinogateError as error:
            return self.refuse(dialect, call, error)
        except Exception:
            log.exception("unhandled", request_id=call.request_id, path=call.path)
            unforeseen = InternalError(ErrorCode.INTERNAL, "Something went wrong on our side.")
            return self.refuse(dialect, call, unforeseen)

    def refuse(self, dialect: Dialect, call: Call, error: KinogateError) -> Response:
        """An error in the dialect's shape."""
        return respond(dialect.render_error(error, call), call)

    async def _principal(self, dialect: Dialect, call: Call) -> Principal:
        if call.action in KEYLESS:
            return _NOBODY
        secret = dialect.credential(call)
        if secret is None and self._rules.insecure:
            return Principal(account_id="default", key_id="insecure", is_admin=True)
        return await self._services.keyring.verify(secret)

    # -- creating ---------------------------------------------------------------------------------

    async def _submit(self, dialect: Dialect, call: Call, principal: Principal) -> _Submitted:
        submission = dialect.parse_create(call)
        origin = self._origin(dialect, call)
        accepted = await self._services.submitter.submit(
            principal, submission, dialect.house, origin
        )
        return _Submitted(accepted=accepted, ignored=submission.ignored)

    async def _create(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        done = await self._submit(dialect, call, principal)
        reply = dialect.render_created(TaskView(task=done.accepted.task), call)
        return respond(reply, call, done.headers())

    async def _create_wait(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        done = await self._submit(dialect, call, principal)
        task = await self._services.tasks.wait(
            principal, done.accepted.task.id, self._rules.wait_timeout_s
        )
        view = self._view(task)
        reply = (
            dialect.render_task(view, call)
            if task.status.is_final
            else dialect.render_timeout(view, call)
        )
        return respond(reply, call, done.headers())

    async def _remix(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        source = await self._services.tasks.get(principal, dialect.parse_ref(call))
        accepted = await self._services.submitter.remix(
            principal, source, dialect.parse_remix(call), self._origin(dialect, call)
        )
        reply = dialect.render_created(TaskView(task=accepted.task), call)
        return respond(reply, call, _Submitted(accepted=accepted).headers())

    def _origin(self, dialect: Dialect, call: Call) -> Origin:
        key = call.headers.get("idempotency-key")
        if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
            raise field_invalid(Field.IDEMPOTENCY_KEY, "Must be 1 to 255 visible ASCII characters.")
        simulate = None
        if self._rules.simulate and HEADER.lower() in call.headers:
            simulate = parse_simulation(call.headers[HEADER.lower()])
            refuse_at_submit(simulate)
        return Origin(
            dialect=dialect.name,
            idempotency_key=key,
            digest=digest_of(dialect, call) if key is not None else b"",
            simulate=simulate,
        )

    # -- reading ----------------------------------------------------------------------------------

    def _view(self, task: Task) -> TaskView:
        outcome = task.outcome
        if task.status is Status.RUNNING:
            now_ms = self._services.clock.now_ms()
            return TaskView(task=task, live_url=live_url(task, self._services.signer, now_ms))
        if task.status is not Status.SUCCEEDED or outcome is None or task.expires_ms is None:
            return TaskView(task=task)
        if self._services.clock.now_ms() >= task.expires_ms:
            return TaskView(task=task, is_expired=True)
        expires = -(-task.expires_ms // 1000)  # up: no link that we hand out is dead already

        def link(key: str | None) -> str | None:
            if key is None:
                return None
            name = key.rpartition("/")[2]
            return self._services.signer.sign(key, filename=name, expires_at=expires)

        return TaskView(
            task=task,
            video_url=link(outcome.blob_key),
            poster_url=link(outcome.poster_key),
            thumbnail_url=link(outcome.thumbnail_key),
            preview_url=link(outcome.preview_key),
            spritesheet_url=link(outcome.spritesheet_key),
        )

    async def _get(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        task = await self._services.tasks.get(principal, dialect.parse_ref(call))
        return respond(dialect.render_task(self._view(task), call), call, task_headers(task))

    async def _list(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        for name, value in call.query:
            if "\x00" in value:  # Postgres takes no such text
                raise field_invalid(name, "Must not hold a NUL character.")
        query = dialect.parse_list(call)
        page = await self._services.tasks.list(
            principal,
            query.where,
            limit=query.limit,
            after=query.after,
            offset=query.offset,
            ascending=query.ascending,
            count=query.count,
        )
        view = ListView(
            query=query,
            views=tuple(self._view(task) for task in page.tasks),
            has_more=page.has_more,
            total=page.total,
        )
        return respond(dialect.render_list(view, call), call)

    async def _content(
        self, dialect: Dialect, call: Call, principal: Principal, request: Request
    ) -> Response:
        task = await self._services.tasks.get(principal, dialect.parse_ref(call))
        key = _content_key(task, call, is_expired=self._view(task).is_expired)
        response = await self._services.files.serve(request, key, filename=key.rpartition("/")[2])
        response.headers["x-request-id"] = call.request_id
        return response

    async def _stream(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        task = await self._services.tasks.get(principal, dialect.parse_ref(call))
        return StreamingResponse(
            self._events(dialect, call, principal, task),
            media_type="text/event-stream",
            headers={"x-request-id": call.request_id, "cache-control": "no-store"},
        )

    async def _events(
        self, dialect: Dialect, call: Call, principal: Principal, task: Task
    ) -> AsyncIterator[bytes]:
        shown, quiet = "", 0
        while True:
            name, data = dialect.render_event(self._view(task), call)
            mark = f"{task.status}{task.progress}"
            if mark != shown:
                shown, quiet = mark, 0
                yield b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
            elif quiet % _KEEP_ALIVE_STEPS == 0:
                yield b": still here\n\n"
            if task.status.is_final:
                return
            quiet += 1
            await asyncio.sleep(_STREAM_STEP_S)
            try:
                task = await self._services.tasks.get(principal, task.id)
            except KinogateError as error:  # deleted meanwhile: a stream ends in words all the same
                yield b"event: error\ndata: " + dialect.render_error(error, call).body + b"\n\n"
                return

    # -- ending -----------------------------------------------------------------------------------

    async def _cancel(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        task = await self._services.tasks.cancel(
            principal, dialect.parse_ref(call), only_queued=not dialect.cancels_running
        )
        return respond(dialect.render_canceled(self._view(task), call), call)

    async def _delete(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        task = await self._services.tasks.delete(principal, dialect.parse_ref(call))
        return respond(dialect.render_deleted(TaskView(task=task), call), call)

    # -- about us ---------------------------------------------------------------------------------

    async def _models(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        cards = self._services.models.all(dialect.house.overlay, principal)
        return respond(dialect.render_models(cards, call), call)

    async def _model(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        card = self._services.models.find(call.params["model"], dialect.house.overlay, principal)
        return respond(dialect.render_model(card, call), call)

    async def _me(self, dialect: Dialect, call: Call, principal: Principal, _: Request) -> Response:
        return respond(dialect.render_me(principal, call), call)

    async def _unsupported(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        raise CallerError(
            ErrorCode.FEATURE_UNSUPPORTED, "This operation is not supported by this server."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Submitted:
    """An accepted submit, and what the reply's headers say about it."""

    accepted: Accepted
    ignored: tuple[str, ...] = ()

    def headers(self) -> dict[str, str]:
        found = {}
        if self.ignored:
            found["x-kinogate-ignored"] = header_text(", ".join(self.ignored))
        if self.accepted.task.warnings:
            found["x-kinogate-warnings"] = header_text(" ".join(self.accepted.task.warnings))
        if self.accepted.is_replay:
            found["idempotent-replayed"] = "true"
        return found


def task_headers(task: Task) -> dict[str, str]:
    """What a query says about a task beside the dialect's body."""
    found = {}
    if task.engine:
        found["x-kinogate-engine"] = task.engine
    if task.notes:
        found["x-kinogate-warnings"] = header_text(" ".join(task.notes))
    return found


def header_text(text: str) -> str:
    """Text that may stand in a header: ASCII, one line, at most 1,000 characters."""
    safe = text.encode("ascii", "backslashreplace").decode()
    return re.sub(r"[\x00-\x1f\x7f]", " ", safe)[:1000]


def digest_of(dialect: Dialect, call: Call) -> bytes:
    """SHA-256 of what a create call means on the wire.

    Forms count by their fields: clients draw a new multipart boundary for each attempt.
    """
    found = hashlib.sha256(f"{dialect.name}\n{call.path.rstrip('/')}\n".encode())
    if call.form is None:
        found.update(call.body)
    else:
        for part in call.form:
            found.update(msgspec.msgpack.encode((part.name, part.value, part.data)))
    return found.digest()


def _content_key(task: Task, call: Call, *, is_expired: bool) -> str:
    if not task.status.is_final:
        raise CallerError(ErrorCode.RESULT_NOT_READY, "The video is not ready yet.")
    if task.outcome is None:
        raise CallerError(ErrorCode.RESULT_FAILED, "The task made no video.")
    if is_expired:
        raise CallerError(ErrorCode.RESULT_EXPIRED, "The video has expired.")
    outcome = task.outcome
    variants = {
        "video": outcome.blob_key,
        "thumbnail": outcome.thumbnail_key or outcome.poster_key,
        "spritesheet": outcome.spritesheet_key,
        "preview": outcome.preview_key,
    }
    variant = call.query_value("variant") or "video"
    if variant not in variants:
        raise field_invalid("variant", "Must be video, thumbnail, spritesheet or preview.")
    key = variants[variant]
    if key is None:
        raise field_invalid("variant", f"This video has no {variant}.")
    return key
