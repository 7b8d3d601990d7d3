"""The DashScope dialect: `POST {prefix}/api/v1/services/aigc/.../video-synthesis` and its tasks.

Routes, envelopes and the call-level rules live here; bodies, replies and errors have a module
each. Obeys seed 002 and spec/dashscope.md. Parses and renders; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from kinogate.dialects import dashscope_errors as errors
from kinogate.dialects import dashscope_replies as replies
from kinogate.dialects.base import (
    Action,
    Call,
    Dialect,
    ListQuery,
    ListView,
    Reply,
    Route,
    TaskView,
    UploadCall,
    bearer,
    json_reply,
    parse_task_id,
    retry_after,
)
from kinogate.dialects.dashscope_bodies import read_body, with_uploads
from kinogate.dialects.members import Members, as_integer, read_object
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.errors import (
    CallerError,
    ErrorCode,
    KinogateError,
    field_invalid,
    field_missing,
)
from kinogate.domain.overlays import OVERLAYS
from kinogate.domain.ports import TaskFilter
from kinogate.domain.request import Field, HouseRules, Submission
from kinogate.domain.task import Status
from kinogate.domain.upload import UploadCertificate

DEFAULT_PREFIXES = ("", "/qwen", "/wan", "/alibailian", "/proxy/wan")
COMFY_PREFIX = "/proxy/wan"
"""The mount whose client (ComfyUI's nodes) sends neither the async header nor always a Bearer."""

SYNC_OK = "sync-ok"
"""Route option: a create without `X-DashScope-Async` is accepted."""
SECOND_PATH = "image2video"
"""Route option: the path of kf2v, s2v and animate."""
COMFY_KEY = "comfy-key"
"""Route option: the key may also stand in `X-API-KEY`."""

PAGE_SIZE_MAX = 100
"""Most tasks on one page of the list (our choice; the vendor states none)."""
PAGE_NO_MAX = 1_000_000
LIST_SPAN = timedelta(hours=24)
"""Longest span of a list call, and its span when only one end is given."""

_FORMS = ("multipart/", "application/x-www-form-urlencoded")
_YEARS = (2000, 2999)  # so that a day more or less stays a date


class DashScope(Dialect):
    """Alibaba Cloud Model Studio's own API, under any number of prefixes."""

    name = "dashscope"
    house = HouseRules(
        name="dashscope", overlay=OVERLAYS["dashscope"], watermark_text="AI-generated"
    )
    fields = errors.FIELDS
    errors = errors.ERRORS
    cancels_running = False

    def __init__(self, prefixes: Iterable[str] = DEFAULT_PREFIXES) -> None:
        """Build the route table.

        Args:
            prefixes: What stands before `/api/v1`; each "" or starting with a slash.
        """
        roots = tuple(prefixes)
        self.routes = tuple(route for root in roots for route in _routes(root))
        self.prefixes = tuple(f"{root}/api/v1" for root in roots)

    def credential(self, call: Call) -> str | None:
        """The Bearer token; under the ComfyUI mount else `X-API-KEY`."""
        key = bearer(call)
        if key is None and COMFY_KEY in call.options:
            key = call.headers.get("x-api-key", "").strip() or None
        return key

    def parse_create(self, call: Call) -> Submission:
        """Read a create call; both paths take every body, but not every model."""
        _check_headers(call)
        body = read_object(call.body)
        if SECOND_PATH in call.options:
            _check_second_path(body)
        return with_uploads(read_body(body), is_resolving=_is_resolving(call))

    def parse_list(self, call: Call) -> ListQuery:
        """Read a list call. Without a time the list is not narrowed to 24 h: we keep no clock."""
        page_no = _query_number(call, "page_no", 1, PAGE_NO_MAX)
        page_size = _query_number(call, "page_size", 10, PAGE_SIZE_MAX)
        since_ms, until_ms = _query_span(call)
        task_id = call.query_value("task_id")
        where = TaskFilter(
            task_id=None if task_id is None else _lenient_id(task_id),
            statuses=_query_statuses(call),
            model=call.query_value("model_name"),
            since_ms=since_ms,
            until_ms=until_ms,
        )
        offset = (page_no - 1) * page_size
        return ListQuery(where=where, limit=page_size, offset=offset, count=True)

    def parse_upload_call(self, call: Call) -> UploadCall:
        """The model that the files are for; the form comes in beside this path."""
        if (call.query_value("action") or "").lower() != "getpolicy":
            raise field_invalid("action", "Must be getPolicy.")
        model = call.query_value("model")
        if model is None:
            raise field_missing(Field.MODEL)
        return UploadCall(model=model, form_path=f"{call.path.rstrip('/')}/form")

    def render_certificate(self, certificate: UploadCertificate, call: Call) -> Reply:
        """`data` and not `output`, which is where the vendor's SDKs look here."""
        return _success(call, {"data": replies.certificate_data(certificate)})

    def render_created(self, view: TaskView, call: Call) -> Reply:
        """PENDING, whatever has happened since: a replay repeats the first answer."""
        output = {"task_status": replies.WORDS[Status.QUEUED], "task_id": view.task.id}
        return _success(call, {"output": output})

    def render_task(self, view: TaskView, call: Call) -> Reply:
        """The task; UNKNOWN once its file is gone, as the vendor does after 24 h."""
        if view.is_expired:
            return _success(call, {"output": replies.unknown_output(call.params["task_id"])})
        body: dict[str, object] = {"output": replies.task_output(view)}
        usage = replies.usage(view.task)
        if usage is not None:
            body["usage"] = usage
        return _success(call, body)

    def render_list(self, page: ListView, call: Call) -> Reply:
        """`data` as documented, and `tasks` for the vendor's client that reads only those."""
        size = page.query.limit
        total = page.total if page.total is not None else page.query.offset + len(page.views)
        return _success(
            call,
            {
                "total": total,
                "total_page": -(-total // size),
                "page_no": page.query.offset // size + 1,
                "page_size": size,
                "data": [replies.list_row(view.task) for view in page.views],
                "tasks": [replies.short_row(view.task) for view in page.views],
            },
        )

    def render_canceled(self, view: TaskView, call: Call) -> Reply:
        """Nothing but the request id."""
        return _success(call, {})

    def render_error(self, error: KinogateError, call: Call) -> Reply:
        """`{code, message, request_id}`; an unknown id on a query is no error here but UNKNOWN."""
        known = error
        if error.code is ErrorCode.TASK_UNKNOWN:
            if call.action is Action.GET:
                return _success(call, {"output": replies.unknown_output(call.params["task_id"])})
            if call.action is Action.CANCEL:  # indistinguishable from a task that has ended
                known = CallerError(ErrorCode.TASK_NOT_CANCELABLE, error.message)
        code, message = _words(known, call)
        headers = retry_after(error)
        if error.code is ErrorCode.QUOTA_EXCEEDED:  # the vendor's 2.0 client would send it again
            headers += (("x-should-retry", "false"),)
        return json_reply(
            self.errors[known.code].status,
            {"code": code, "message": message, "request_id": call.request_id},
            headers,
        )


def _routes(root: str) -> tuple[Route, ...]:
    at = f"{root}/api/v1"
    synthesis = f"{at}/services/aigc/{{}}/video-synthesis".format
    comfy = frozenset({COMFY_KEY}) if root == COMFY_PREFIX else frozenset[str]()
    create = comfy | {SYNC_OK} if comfy else comfy
    return (
        Route(
            method="POST",
            path=synthesis("video-generation"),
            action=Action.CREATE,
            options=create,
        ),
        Route(
            method="POST",
            path=synthesis("image2video"),
            action=Action.CREATE,
            options=create | {SECOND_PATH},
        ),
        Route(method="GET", path=f"{at}/tasks", action=Action.LIST, options=comfy),
        Route(method="GET", path=f"{at}/tasks/{{task_id}}", action=Action.GET, options=comfy),
        Route(
            method="POST",
            path=f"{at}/tasks/{{task_id}}/cancel",
            action=Action.CANCEL,
            options=comfy,
        ),
        Route(method="GET", path=f"{at}/uploads", action=Action.UPLOAD_POLICY, options=comfy),
        # Ours alone: the vendor names a host of its object store.
        Route(method="POST", path=f"{at}/uploads/form", action=Action.UPLOAD_FORM),
    )


def _success(call: Call, body: dict[str, object]) -> Reply:
    # `code` and `message` must stay out: the vendor's 2.0 client raises on a 200 that has them.
    return json_reply(200, {**body, "request_id": call.request_id})


def _words(error: KinogateError, call: Call) -> tuple[str, str]:
    is_json = call.form is None and call.action is not Action.UPLOAD_FORM
    if error.code is ErrorCode.REQUEST_MALFORMED and is_json:
        return errors.malformed(call.body, error.message)
    if error.code is ErrorCode.METHOD_NOT_ALLOWED:
        code = errors.ERRORS[error.code].code
        return code, f"Request method '{call.method}' is not supported."
    model = errors.model_in(call.body) if error.field is not None else ""
    return errors.wire_error(error.code, error.message, error.field, model)


def _check_headers(call: Call) -> None:
    mode = call.headers.get("x-dashscope-async", "").strip().lower()
    if mode != "enable" and SYNC_OK not in call.options:
        raise CallerError(
            ErrorCode.SYNC_UNSUPPORTED,
            "The header X-DashScope-Async: enable is required.",
        )
    # The vendor requires application/json. A missing or odd type with a JSON body is let through
    # (plain scripts send them); a form never holds what we could read.
    sent = call.headers.get("content-type", "").strip().lower()
    if call.form is not None or sent.startswith(_FORMS):
        raise CallerError(
            ErrorCode.CONTENT_TYPE_UNSUPPORTED,
            "The header Content-Type must be application/json.",
        )


def _is_resolving(call: Call) -> bool:
    return call.headers.get("x-dashscope-ossresourceresolve", "").strip().lower() == "enable"


def _check_second_path(body: Members) -> None:
    """Refuse a model that lives on the other path; an unknown one is the services' to refuse."""
    try:
        spec = CATALOGUE.resolve(body.required_text("model"))
    except CallerError as error:
        if error.code is ErrorCode.MODEL_UNKNOWN:
            return
        raise
    if not replies.takes_second_path(spec.name):
        raise CallerError(ErrorCode.FIELD_INVALID, errors.URL_ERROR_TEXT)


def _lenient_id(text: str) -> str:
    """The id to filter by; text that can be no id stays, and so finds nothing."""
    try:
        return parse_task_id(text)
    except CallerError:
        return text


def _query_number(call: Call, name: str, default: int, most: int) -> int:
    text = call.query_value(name)
    if text is None:
        return default
    number = as_integer(text)
    if number is None or not 1 <= number <= most:
        raise field_invalid(name, f"Must be an integer from 1 to {most}.")
    return number


def _query_statuses(call: Call) -> frozenset[Status] | None:
    word = call.query_value("status")
    if word is None:
        return None
    by_word = {spelled: status for status, spelled in replies.WORDS.items()}
    status = by_word.get(word.upper())
    if status is not None:
        return frozenset({status})
    if word.upper() in (replies.UNKNOWN, "SUSPENDED"):  # words of theirs that no task of ours has
        return frozenset()
    raise field_invalid("status", f"Must be one of {', '.join(by_word)}.")


def _query_span(call: Call) -> tuple[int | None, int | None]:
    """Both ends in epoch milliseconds, the last second included."""
    start = _query_time(call, "start_time")
    end = _query_time(call, "end_time")
    if start is None:
        if end is None:
            return None, None
        start = end - LIST_SPAN
    elif end is None:
        end = start + LIST_SPAN
    if not timedelta(0) <= end - start <= LIST_SPAN:
        raise field_invalid("end_time", "Must be at most 24 hours after start_time.")
    return _epoch_ms(start), _epoch_ms(end) + 999


def _query_time(call: Call, name: str) -> datetime | None:
    text = call.query_value(name)
    if text is None:
        return None
    try:
        if len(text) != 14 or not text.isascii() or not text.isdigit():
            raise ValueError
        moment = datetime.strptime(f"{text}+0800", "%Y%m%d%H%M%S%z")
        if not _YEARS[0] <= moment.year <= _YEARS[1]:
            raise ValueError
    except ValueError:
        raise field_invalid(name, "Must be a time as YYYYMMDDhhmmss, UTC+8.") from None
    return moment


def _epoch_ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
