"""The OpenAI Videos dialect: `/v1/videos`, multipart or JSON, `video` objects.

Obeys spec/dialects.md §D, observed with the vendor's own SDKs. Parses and renders; decides
nothing. The file itself is served by the edge (`Action.CONTENT`).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from kinogate.dialects.base import (
    Action,
    Call,
    Dialect,
    ErrorReply,
    ListQuery,
    ListView,
    Reply,
    Route,
    TaskView,
    json_reply,
    parse_task_id,
    retry_after,
)
from kinogate.dialects.members import Members, as_integer, read_object
from kinogate.dialects.openai_bodies import read_body
from kinogate.dialects.openai_form import fold_form
from kinogate.domain.errors import CallerError, ErrorCode, KinogateError, field_invalid
from kinogate.domain.money import usd
from kinogate.domain.order import Role
from kinogate.domain.overlays import OVERLAYS
from kinogate.domain.ports import TaskFilter
from kinogate.domain.request import Field, HouseRules, Submission
from kinogate.domain.resolution import SIZES_BY_TIER, Size
from kinogate.domain.task import Status, Task

LIMIT_DEFAULT = 20
LIMIT_MAX = 100
POLL_AFTER_MS = 1000
"""What `openai-poll-after-ms` tells the SDK, which reads it once, on its first poll."""

_NO_RETRY = (("x-should-retry", "false"),)

_STATUS_WORDS = MappingProxyType(
    {
        Status.QUEUED: "queued",
        Status.RUNNING: "in_progress",
        Status.SUCCEEDED: "completed",
        Status.FAILED: "failed",
        # The SDK's poll would take any fifth word for an end without looking at `error`.
        Status.CANCELED: "failed",
    }
)

_INVALID = ErrorReply(status=400, code="invalid_value")
_UNSUPPORTED = ErrorReply(status=400, code="unsupported_feature")
_NO_KEY = ErrorReply(status=401, code="invalid_api_key")
_UPSTREAM = ErrorReply(status=502, code="upstream_error")
_SERVER = ErrorReply(status=500, code="server_error")

_ERRORS = MappingProxyType(
    {
        ErrorCode.REQUEST_MALFORMED: ErrorReply(status=400, code="invalid_request"),
        ErrorCode.BODY_TOO_LARGE: ErrorReply(status=413, code="request_too_large"),
        ErrorCode.CONTENT_TYPE_UNSUPPORTED: ErrorReply(status=415, code="invalid_request"),
        ErrorCode.ROUTE_UNKNOWN: ErrorReply(status=404, code="not_found"),
        ErrorCode.METHOD_NOT_ALLOWED: ErrorReply(status=405, code="method_not_allowed"),
        ErrorCode.SYNC_UNSUPPORTED: _UNSUPPORTED,
        ErrorCode.FIELD_MISSING: _INVALID,
        ErrorCode.FIELD_INVALID: _INVALID,
        ErrorCode.MODEL_UNKNOWN: ErrorReply(status=400, code="model_not_found"),
        ErrorCode.FEATURE_UNSUPPORTED: _UNSUPPORTED,
        ErrorCode.IDEMPOTENCY_CONFLICT: ErrorReply(status=409, code="idempotency_conflict"),
        ErrorCode.MEDIA_URL_INVALID: _INVALID,
        ErrorCode.MEDIA_UNREACHABLE: _INVALID,
        ErrorCode.MEDIA_FORMAT: _INVALID,
        ErrorCode.MEDIA_TOO_LARGE: _INVALID,
        ErrorCode.MEDIA_DIMENSIONS: _INVALID,
        ErrorCode.MEDIA_DURATION: _INVALID,
        ErrorCode.CONTENT_REFUSED: ErrorReply(status=400, code="moderation_blocked"),
        ErrorCode.TASK_UNKNOWN: ErrorReply(status=404, code="not_found"),
        ErrorCode.TASK_NOT_CANCELABLE: ErrorReply(status=409, code="not_cancelable"),
        # Never 409: the SDK would ask again at once, twice.
        ErrorCode.RESULT_NOT_READY: ErrorReply(status=404, code="video_not_ready"),
        ErrorCode.RESULT_FAILED: ErrorReply(status=400, code="video_failed"),
        ErrorCode.RESULT_EXPIRED: ErrorReply(status=404, code="video_expired"),
        ErrorCode.KEY_MISSING: _NO_KEY,
        ErrorCode.KEY_INVALID: _NO_KEY,
        ErrorCode.PERMISSION_DENIED: ErrorReply(status=403, code="model_not_allowed"),
        ErrorCode.BALANCE_EMPTY: ErrorReply(status=402, code="insufficient_quota"),
        ErrorCode.RATE_LIMITED: ErrorReply(status=429, code="rate_limit_exceeded"),
        ErrorCode.QUOTA_EXCEEDED: ErrorReply(status=429, code="rate_limit_exceeded"),
        ErrorCode.UPSTREAM_FAILED: _UPSTREAM,
        ErrorCode.UPSTREAM_REFUSED: _UPSTREAM,
        ErrorCode.SUBMIT_AMBIGUOUS: _UPSTREAM,
        ErrorCode.RESULT_INVALID: _UPSTREAM,
        ErrorCode.ENGINE_FAILED: _SERVER,
        ErrorCode.TIMED_OUT: _SERVER,
        ErrorCode.CANCELED: ErrorReply(status=400, code="canceled"),
        ErrorCode.UNAVAILABLE: ErrorReply(status=503, code="server_error"),
        ErrorCode.INTERNAL: _SERVER,
    }
)

_TYPES = MappingProxyType(
    {402: "insufficient_quota", 403: "permission_error", 429: "rate_limit_error"}
)

_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        Field.DURATION: "seconds",
        Field.MEDIA: "input_reference",
        Field.TASK_ID: "video_id",
        Field.IDEMPOTENCY_KEY: "Idempotency-Key",
        Role.FIRST_FRAME: "input_reference",
        Role.LAST_FRAME: "last_frame",
        Role.AUDIO: "audio_url",
    }
)


class OpenAI(Dialect):
    """OpenAI's video API, as its SDKs and the servers that copy it speak it."""

    name = "openai"
    house = HouseRules(
        name="openai",
        overlay=OVERLAYS["openai"],
        watermark_text="AI generated",  # our choice: the vendor has no such member
        default_model="wan2.6-t2v",
        default_image_model="wan2.6-i2v",
        default_duration_s=4,
        default_size=Size(width=720, height=1280),
    )
    routes = (
        Route(method="POST", path="/v1/videos", action=Action.CREATE),
        Route(method="GET", path="/v1/videos", action=Action.LIST),
        Route(method="POST", path="/v1/videos/edits", action=Action.UNSUPPORTED),
        Route(method="POST", path="/v1/videos/extensions", action=Action.UNSUPPORTED),
        Route(method="POST", path="/v1/videos/characters", action=Action.UNSUPPORTED),
        Route(
            method="GET",
            path="/v1/videos/characters/{character_id}",
            action=Action.UNSUPPORTED,
        ),
        Route(method="GET", path="/v1/videos/{task_id}", action=Action.GET),
        Route(method="DELETE", path="/v1/videos/{task_id}", action=Action.DELETE),
        Route(method="GET", path="/v1/videos/{task_id}/content", action=Action.CONTENT),
        Route(method="POST", path="/v1/videos/{task_id}/remix", action=Action.REMIX),
    )
    prefixes = ("/v1/videos",)
    fields = _FIELDS
    errors = _ERRORS

    def parse_create(self, call: Call) -> Submission:
        """Read a create call, form or JSON; a JSON body needs no content type."""
        return read_body(_members(call))

    def parse_remix(self, call: Call) -> str:
        """The new prompt, from a form or JSON."""
        return _members(call).required_text("prompt")

    def parse_list(self, call: Call) -> ListQuery:
        """Read a list call. An `after` that can be no id stays, and so finds an empty page."""
        limit = LIMIT_DEFAULT
        text = call.query_value("limit")
        if text is not None:
            number = as_integer(text)
            if number is None or not 1 <= number <= LIMIT_MAX:
                raise field_invalid("limit", f"Must be an integer from 1 to {LIMIT_MAX}.")
            limit = number
        order = (call.query_value("order") or "desc").lower()
        if order not in ("asc", "desc"):
            raise field_invalid("order", "Must be asc or desc.")
        return ListQuery(
            where=TaskFilter(),
            limit=limit,
            after=_lenient_id(call.query_value("after")),
            ascending=order == "asc",
        )

    def render_created(self, view: TaskView, call: Call) -> Reply:
        """The video object, queued."""
        return json_reply(200, self._video(view))

    def render_task(self, view: TaskView, call: Call) -> Reply:
        """The video object, and the pace of polling while it goes on."""
        if view.task.status.is_final:
            return json_reply(200, self._video(view))
        pace = (("openai-poll-after-ms", str(POLL_AFTER_MS)),)
        return json_reply(200, self._video(view), pace)

    def render_list(self, page: ListView, call: Call) -> Reply:
        """One page, with the ids that the SDK pages by."""
        videos = [self._video(view) for view in page.views]
        return json_reply(
            200,
            {
                "object": "list",
                "data": videos,
                "first_id": videos[0]["id"] if videos else None,
                "last_id": videos[-1]["id"] if videos else None,
                "has_more": page.has_more,
            },
        )

    def render_deleted(self, view: TaskView, call: Call) -> Reply:
        """The receipt."""
        body = {"id": video_id(view.task.id), "object": "video.deleted", "deleted": True}
        return json_reply(200, body)

    def render_error(self, error: KinogateError, call: Call) -> Reply:
        """`{error: {message, type, param, code}}`, which the SDK takes apart."""
        row = self.errors[error.code]
        kind = "server_error" if row.status >= 500 else "invalid_request_error"
        headers = retry_after(error)
        # Sending these again can only fail again, or submit what was submitted already.
        if row.status == 409 or error.code is ErrorCode.QUOTA_EXCEEDED:
            headers += _NO_RETRY
        return json_reply(
            row.status,
            {
                "error": {
                    "message": self.explain(error),
                    "type": _TYPES.get(row.status, kind),
                    "param": self.spell(error),
                    "code": row.code,
                }
            },
            headers,
        )

    def _video(self, view: TaskView) -> dict[str, object]:
        task = view.task
        shown_id = video_id(task.id)
        video: dict[str, object] = {
            "id": shown_id,
            "object": "video",
            "model": task.model,
            "status": _STATUS_WORDS[task.status],
            "progress": 100 if task.status is Status.SUCCEEDED else int(task.progress * 100),
            "created_at": task.created_ms // 1000,
            "completed_at": _seconds(task.finished_ms),
            "expires_at": _seconds(task.expires_ms),
            "seconds": str(_length(task)),
            "size": _size(task).x,
            "prompt": task.plan.prompt,
            "remixed_from_video_id": video_id(task.remixed_from) if task.remixed_from else None,
            "error": self._fault(task),
            "task_id": shown_id,
        }
        if task.plan.metadata:
            video["metadata"] = dict(task.plan.metadata)
        if view.video_url is not None:
            video |= {"video_url": view.video_url, "url": view.video_url}
        if still := view.thumbnail_url or view.poster_url:
            video["thumbnail_url"] = still
        if task.outcome is not None:
            video["usage"] = {
                "duration_seconds": round(task.outcome.duration_s, 3),
                "cost": float(usd(task.cost_micro)),
            }
        return video

    def _fault(self, task: Task) -> dict[str, str] | None:
        if task.status is Status.CANCELED:
            code = ErrorCode.CANCELED
        elif task.fault is not None:
            code = task.fault.code
        else:
            return None
        return {"code": self.errors[code].code, "message": self.explain_fault(task)}


def video_id(task_id: str) -> str:
    """The id of a task as this dialect writes it: `video_` and 32 hex digits."""
    return f"video_{uuid.UUID(task_id).hex}"


def _members(call: Call) -> Members:
    if call.form is not None:
        return Members(fold_form(call.form))
    return read_object(call.body)


def _lenient_id(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return parse_task_id(text)
    except CallerError:
        return text


def _seconds(ms: int | None) -> int | None:
    return None if ms is None else ms // 1000


def _length(task: Task) -> int:
    """Whole seconds; 0 only while a sound that is still to be read decides them."""
    if task.plan.duration_s > 0 or task.outcome is None:
        return task.plan.duration_s
    return round(task.outcome.duration_s)


def _size(task: Task) -> Size:
    """As measured, else as planned, else the tier's 16:9 until the input has been read.

    Clients split the text at its x, so an empty one is no way to say "not known yet".
    """
    if task.outcome is not None:
        return Size(width=task.outcome.width, height=task.outcome.height)
    return task.plan.size or SIZES_BY_TIER[task.plan.tier][0]
