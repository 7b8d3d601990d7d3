"""What every dialect is made of: calls in, replies out, the route table and the error table.

A dialect is pure: bytes in, values out; values in, bytes out. No I/O, no clock, no framework. The
HTTP edge gives it a `Call` and turns its `Reply` into a response.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import msgspec

from kinogate.domain.errors import CallerError, ErrorCode, KinogateError
from kinogate.domain.models import EngineStatus, ModelCard, Reloaded
from kinogate.domain.ports import Principal, TaskFilter
from kinogate.domain.request import HouseRules, Submission
from kinogate.domain.task import Status, Task
from kinogate.domain.upload import Upload, UploadCertificate

JSON_TYPE = "application/json; charset=utf-8"


class Action(StrEnum):
    """What a route does; the HTTP edge has one generic handler for each."""

    CREATE = "create"
    CREATE_WAIT = "create_wait"  # answers when the task has ended, or at the edge's time limit
    GET = "get"
    LIST = "list"
    CANCEL = "cancel"
    DELETE = "delete"
    CONTENT = "content"
    REMIX = "remix"
    STREAM = "stream"  # server-sent events until the task has ended
    MODELS = "models"
    MODEL = "model"
    ME = "me"
    UPLOAD_POLICY = "upload_policy"  # leave to send files by form
    UPLOAD_FORM = "upload_form"  # the form itself; carries its own proof and no key
    FILE_CREATE = "file_create"  # a file as the body or in a form, or announced
    FILE_APPEND = "file_append"  # a piece of an announced file
    FILE_GET = "file_get"
    ENGINES = "engines"  # this and the following three are for admins
    ENGINE_DRAIN = "engine_drain"
    ENGINE_RESUME = "engine_resume"
    RELOAD = "reload"  # read the configuration file again
    UNSUPPORTED = "unsupported"  # a known path of the real service that we answer honestly


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path of a dialect.

    Attributes:
        method: Upper-case HTTP method. HEAD and OPTIONS are the edge's business.
        path: `/v2/videos/generations/{task_id}`; a trailing slash is accepted by the edge.
        action: What it does.
        options: Whatever the dialect wants to find again in `Call.options`.
    """

    method: str
    path: str
    action: Action
    options: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One part of a multipart body: text in `value`, or a file in `data`."""

    name: str
    value: str | None = None
    filename: str | None = None
    data: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An HTTP request as a dialect sees it.

    Attributes:
        method: Upper-case.
        path: As called, without the query.
        action: Of the matched route; None when no route matched.
        params: Path parameters of the matched route, percent-decoded.
        options: Of the matched route.
        query: Query members in order.
        headers: Lower-case names; the last of repeated headers.
        body: The raw body; empty when `form` is set.
        form: Parts of a multipart or urlencoded body, or None.
        request_id: Id of this exchange, for replies that carry it.
    """

    method: str
    path: str
    action: Action | None = None
    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    options: frozenset[str] = frozenset()
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""
    form: tuple[FormField, ...] | None = None
    request_id: str = ""

    def query_value(self, name: str) -> str | None:
        """The last value of a query member, or None when it is absent or empty."""
        values = [value for key, value in self.query if key == name]
        return values[-1] or None if values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP reply; `headers` are beside content type and request id, which the edge sets."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = JSON_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task with what only the edge can add.

    Attributes:
        task: The task.
        video_url: Signed now, absolute; None unless succeeded and not expired.
        poster_url: As `video_url`, for the still (JPEG).
        thumbnail_url: As `video_url`, for the small still (WebP).
        preview_url: As `video_url`, for the animated preview (WebP).
        spritesheet_url: As `video_url`, for the sheet of 24 tiles (JPEG).
        live_url: Signed now, absolute, for a still of the clip so far (JPEG), which may not be
            there yet; None unless running.
        is_expired: The task succeeded and its file is gone.
    """

    task: Task
    video_url: str | None = None
    poster_url: str | None = None
    thumbnail_url: str | None = None
    preview_url: str | None = None
    spritesheet_url: str | None = None
    live_url: str | None = None
    is_expired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A parsed list call; either `after` (keyset) or `offset` (pages) is used, never both."""

    where: TaskFilter
    limit: int
    after: str | None = None
    offset: int = 0
    ascending: bool = False
    count: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """One page, with the query that asked for it."""

    query: ListQuery
    views: tuple[TaskView, ...]
    has_more: bool
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadCall:
    """A parsed UPLOAD_POLICY call: the model in the caller's spelling, where forms come in."""

    model: str
    form_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReply:
    """A row of a dialect's error table; what `code` means is the dialect's business."""

    status: int
    code: str


class Dialect:
    """Base of every dialect: the contract, with defaults where dialects agree.

    A subclass sets the class attributes, and overrides the methods that its routes need; the edge
    never calls the others.

    Attributes:
        name: Short lower-case name, stored with tasks.
        house: What services do this dialect's way.
        routes: Its route table.
        prefixes: Path prefixes under which even a 404 or 405 is answered in this shape.
        fields: Canonical member to wire spelling, for error messages.
        errors: A reply for every `ErrorCode`.
        cancels_running: Whether a cancel call also stops a running task.
    """

    name: str
    house: HouseRules
    routes: tuple[Route, ...]
    prefixes: tuple[str, ...]
    fields: Mapping[str, str]
    errors: Mapping[ErrorCode, ErrorReply]
    cancels_running: bool = True

    def credential(self, call: Call) -> str | None:
        """The key that the caller shows, or None."""
        return bearer(call)

    def parse_create(self, call: Call) -> Submission:
        """Read a create call.

        Raises:
            CallerError: What the body alone shows to be wrong.
        """
        raise NotImplementedError

    def parse_remix(self, call: Call) -> str:
        """The new prompt of a remix call."""
        raise NotImplementedError

    def parse_ref(self, call: Call) -> str:
        """The id of the task that the path names, as a 36-character UUID.

        Raises:
            CallerError: TASK_UNKNOWN, when it cannot be one of ours.
        """
        return parse_task_id(call.params["task_id"])

    def parse_list(self, call: Call) -> ListQuery:
        """Read a list call."""
        raise NotImplementedError

    def render_created(self, view: TaskView, call: Call) -> Reply:
        """Answer a create call."""
        raise NotImplementedError

    def render_task(self, view: TaskView, call: Call) -> Reply:
        """Answer a query."""
        raise NotImplementedError

    def render_list(self, page: ListView, call: Call) -> Reply:
        """Answer a list call."""
        raise NotImplementedError

    def render_canceled(self, view: TaskView, call: Call) -> Reply:
        """Answer a cancel call that did cancel."""
        raise NotImplementedError

    def render_deleted(self, view: TaskView, call: Call) -> Reply:
        """Answer a delete call."""
        raise NotImplementedError

    def render_timeout(self, view: TaskView, call: Call) -> Reply:
        """Answer a CREATE_WAIT call whose task is still going on."""
        raise NotImplementedError

    def render_event(self, view: TaskView, call: Call) -> tuple[str, bytes]:
        """One server-sent event of a STREAM: its name and its JSON data."""
        raise NotImplementedError

    def render_models(self, cards: Sequence[ModelCard], call: Call) -> Reply:
        """Answer a MODELS call."""
        raise NotImplementedError

    def render_model(self, card: ModelCard, call: Call) -> Reply:
        """Answer a MODEL call."""
        raise NotImplementedError

    def render_me(self, principal: Principal, call: Call) -> Reply:
        """Answer a ME call."""
        raise NotImplementedError

    def render_engines(self, engines: Sequence[EngineStatus], call: Call) -> Reply:
        """Answer an ENGINES call."""
        raise NotImplementedError

    def render_engine(self, engine: EngineStatus, call: Call) -> Reply:
        """Answer an ENGINE_… call."""
        raise NotImplementedError

    def render_reloaded(self, reloaded: Reloaded, call: Call) -> Reply:
        """Answer a RELOAD call."""
        raise NotImplementedError

    def parse_upload_call(self, call: Call) -> UploadCall:
        """Read an UPLOAD_POLICY call."""
        raise NotImplementedError

    def render_certificate(self, certificate: UploadCertificate, call: Call) -> Reply:
        """Answer an UPLOAD_POLICY call."""
        raise NotImplementedError

    def render_file(self, upload: Upload, call: Call) -> Reply:
        """Answer a FILE_… call."""
        raise NotImplementedError

    def render_error(self, error: KinogateError, call: Call) -> Reply:
        """Answer with an error; works for every code and also when no route matched."""
        raise NotImplementedError

    def spell(self, error: KinogateError) -> str | None:
        """The wire name of the member at fault, or None."""
        if error.field is None:
            return None
        return self.fields.get(error.field, error.field)

    def explain(self, error: KinogateError) -> str:
        """The error's sentence, with the member at fault in this dialect's spelling before it."""
        spelled = self.spell(error)
        return f"{spelled}: {error.message}" if spelled else error.message

    def explain_fault(self, task: Task) -> str:
        """Why a task did not succeed, in this dialect's spelling; "" when it did or goes on."""
        if task.status is Status.CANCELED:
            return "The task was canceled."
        if task.fault is None:
            return ""
        fault = task.fault
        return self.explain(KinogateError(fault.code, fault.message, field=fault.field))


def json_reply(
    status: int,
    body: Mapping[str, object],
    headers: tuple[tuple[str, str], ...] = (),
    content_type: str = JSON_TYPE,
) -> Reply:
    """A reply with a JSON object."""
    return Reply(
        status=status,
        body=msgspec.json.encode(body),
        headers=headers,
        content_type=content_type,
    )


def json_body(call: Call) -> bytes:
    """The body of a call that must be JSON; a missing or odd content type is let through.

    Raises:
        CallerError: CONTENT_TYPE_UNSUPPORTED for a form (what `curl -d` sends unless told else).
    """
    if call.form is not None:
        raise CallerError(
            ErrorCode.CONTENT_TYPE_UNSUPPORTED,
            "The header Content-Type must be application/json.",
        )
    return call.body


def bearer(call: Call) -> str | None:
    """The token of an `Authorization: Bearer` header; None when absent or of another scheme."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token else None


def parse_task_id(text: str) -> str:
    """Any dialect's spelling of a task id to the 36-character form.

    Accepts 36 characters, 32 hex digits, and either after `video_`.

    Raises:
        CallerError: TASK_UNKNOWN for anything else: it cannot be the id of a task.
    """
    bare = text.removeprefix("video_")
    try:
        parsed = uuid.UUID(bare)
    except ValueError:
        raise unknown_task() from None
    if bare.lower() not in (str(parsed), parsed.hex):
        raise unknown_task()
    return str(parsed)


def unknown_task() -> CallerError:
    """The one error for foreign, deleted, expired and never existing tasks."""
    return CallerError(ErrorCode.TASK_UNKNOWN, "There is no such task.", field="task_id")


def retry_after(error: KinogateError) -> tuple[tuple[str, str], ...]:
    """A `Retry-After` header when the error says when, else nothing."""
    if error.retry_after_s is None:
        return ()
    return (("retry-after", str(error.retry_after_s)),)
