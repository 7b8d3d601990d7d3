"""The MuleRouter dialect: `/vendors/{vendor}/v1/{model}/generation`, problem-shaped errors.

Obeys seed 004 and spec/dialects.md §C. Renders and decides nothing; bodies are read in
`mulerouter_bodies.py`.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from types import MappingProxyType

from kinogate.dialects.base import (
    Action,
    Call,
    Dialect,
    ErrorReply,
    Reply,
    Route,
    TaskView,
    json_body,
    json_reply,
    retry_after,
)
from kinogate.dialects.members import read_object
from kinogate.dialects.mulerouter_bodies import read_body
from kinogate.domain.errors import ErrorCode, KinogateError
from kinogate.domain.overlays import OVERLAYS
from kinogate.domain.request import Field, HouseRules, LongText, Submission
from kinogate.domain.task import Status, Task

PROBLEM_TYPE = "application/problem+json; charset=utf-8"
_ROOT = "/vendors/{vendor}/v1/{model}/generation"

_STATUS_WORDS = MappingProxyType(
    {
        Status.QUEUED: "pending",
        Status.RUNNING: "processing",
        Status.SUCCEEDED: "completed",
        Status.FAILED: "failed",
        Status.CANCELED: "failed",
    }
)

_TITLES = MappingProxyType(
    {
        400: "Bad Request",
        401: "Unauthorized",
        402: "Payment Required",
        403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed",
        409: "Conflict",
        410: "Gone",
        413: "Content Too Large",
        415: "Unsupported Media Type",
        429: "Too Many Requests",
        451: "Unavailable For Legal Reasons",
        500: "Internal Server Error",
        502: "Bad Gateway",
        503: "Service Unavailable",
        504: "Gateway Timeout",
    }
)

# Numbers below 3000 are our own (spec §0.5); from 3000 on they are the failed task's too.
_INVALID = ErrorReply(status=400, code="2001")

_ERRORS = MappingProxyType(
    {
        ErrorCode.REQUEST_MALFORMED: _INVALID,
        ErrorCode.BODY_TOO_LARGE: ErrorReply(status=413, code="2005"),
        ErrorCode.CONTENT_TYPE_UNSUPPORTED: ErrorReply(status=415, code="2015"),
        ErrorCode.ROUTE_UNKNOWN: ErrorReply(status=404, code="2003"),
        ErrorCode.METHOD_NOT_ALLOWED: ErrorReply(status=405, code="2006"),
        ErrorCode.SYNC_UNSUPPORTED: _INVALID,
        ErrorCode.FIELD_MISSING: _INVALID,
        ErrorCode.FIELD_INVALID: _INVALID,
        ErrorCode.MODEL_UNKNOWN: ErrorReply(status=404, code="2002"),
        ErrorCode.FEATURE_UNSUPPORTED: _INVALID,
        ErrorCode.IDEMPOTENCY_CONFLICT: ErrorReply(status=409, code="2009"),
        ErrorCode.MEDIA_URL_INVALID: _INVALID,
        ErrorCode.MEDIA_UNREACHABLE: _INVALID,
        ErrorCode.MEDIA_FORMAT: _INVALID,
        ErrorCode.MEDIA_TOO_LARGE: _INVALID,
        ErrorCode.MEDIA_DIMENSIONS: _INVALID,
        ErrorCode.MEDIA_DURATION: _INVALID,
        ErrorCode.CONTENT_REFUSED: ErrorReply(status=451, code="2051"),
        ErrorCode.TASK_UNKNOWN: ErrorReply(status=404, code="2004"),
        ErrorCode.TASK_NOT_CANCELABLE: ErrorReply(status=409, code="2010"),
        ErrorCode.RESULT_NOT_READY: ErrorReply(status=404, code="2011"),
        ErrorCode.RESULT_FAILED: ErrorReply(status=404, code="2012"),
        ErrorCode.RESULT_EXPIRED: ErrorReply(status=410, code="2013"),
        ErrorCode.KEY_MISSING: ErrorReply(status=401, code="1001"),
        ErrorCode.KEY_INVALID: ErrorReply(status=401, code="1001"),
        ErrorCode.PERMISSION_DENIED: ErrorReply(status=403, code="1003"),
        ErrorCode.BALANCE_EMPTY: ErrorReply(status=402, code="1002"),
        ErrorCode.RATE_LIMITED: ErrorReply(status=429, code="2029"),
        ErrorCode.QUOTA_EXCEEDED: ErrorReply(status=429, code="2029"),
        ErrorCode.UPSTREAM_FAILED: ErrorReply(status=502, code="3001"),
        ErrorCode.UPSTREAM_REFUSED: ErrorReply(status=502, code="3002"),
        ErrorCode.SUBMIT_AMBIGUOUS: ErrorReply(status=502, code="3001"),
        ErrorCode.RESULT_INVALID: ErrorReply(status=502, code="3005"),
        ErrorCode.ENGINE_FAILED: ErrorReply(status=500, code="4002"),
        ErrorCode.TIMED_OUT: ErrorReply(status=504, code="4008"),
        ErrorCode.CANCELED: ErrorReply(status=409, code="2010"),
        ErrorCode.UNAVAILABLE: ErrorReply(status=503, code="4002"),
        ErrorCode.INTERNAL: ErrorReply(status=500, code="4002"),
    }
)

# What a failed task says, by the published range 3001-3005, 4002, 4008. Which number means what
# is our choice: only the ranges could be read. Anything not here is an input found bad while
# running.
_BAD_INPUT = ErrorReply(status=422, code="3003")
_FAULTS = MappingProxyType(
    {
        ErrorCode.CONTENT_REFUSED: ErrorReply(status=451, code="3004"),
        ErrorCode.UPSTREAM_FAILED: ErrorReply(status=502, code="3001"),
        ErrorCode.UPSTREAM_REFUSED: ErrorReply(status=502, code="3002"),
        ErrorCode.SUBMIT_AMBIGUOUS: ErrorReply(status=502, code="3001"),
        ErrorCode.RESULT_INVALID: ErrorReply(status=502, code="3005"),
        ErrorCode.ENGINE_FAILED: ErrorReply(status=500, code="4002"),
        ErrorCode.TIMED_OUT: ErrorReply(status=504, code="4008"),
        ErrorCode.CANCELED: ErrorReply(status=409, code="4008"),
        ErrorCode.UNAVAILABLE: ErrorReply(status=503, code="4002"),
        ErrorCode.INTERNAL: ErrorReply(status=500, code="4002"),
    }
)


class MuleRouter(Dialect):
    """The model in the path, `{"task_info": …}` out."""

    name = "mulerouter"
    house = HouseRules(
        name="mulerouter",
        overlay=OVERLAYS["mulerouter"],
        watermark_text="AI Generated",  # never used: the dialect has no watermark member
        long_text=LongText.REFUSE,
        is_last_frame_required=True,
    )
    routes = (
        Route(method="POST", path=_ROOT, action=Action.CREATE),
        Route(method="GET", path=f"{_ROOT}/{{task_id}}", action=Action.GET),
    )
    prefixes = ("/vendors/",)
    fields = MappingProxyType(
        {
            Field.FIRST_FRAME: "image",
            Field.AUDIO_FILE: "audio_url",
            Field.SHOT_TYPE: "multi_shots",
            Field.RATIO: "size",
            Field.MEDIA: "ref_images_url",
            "reference_image": "ref_images_url",
            "source_video": "video_url",
            "first_clip": "first_clip_url",
            "last_clip": "last_clip_url",
            "mask_image": "mask_image_url",
            "mask_video": "mask_video_url",
            Field.IDEMPOTENCY_KEY: "Idempotency-Key",
        }
    )
    errors = _ERRORS

    def parse_create(self, call: Call) -> Submission:
        """Read a create body; spec §C.2."""
        return read_body(read_object(json_body(call)), call.params["model"])

    def render_created(self, view: TaskView, call: Call) -> Reply:
        """202 and the task's state."""
        return json_reply(202, {"task_info": self._info(view.task)}, _trace(call))

    def render_task(self, view: TaskView, call: Call) -> Reply:
        """The task's state; `videos` beside it once completed. 200 also when it failed."""
        body: dict[str, object] = {"task_info": self._info(view.task)}
        if view.task.status is Status.SUCCEEDED:
            body["videos"] = [view.video_url] if view.video_url else []
        return json_reply(200, body, _trace(call))

    def render_error(self, error: KinogateError, call: Call) -> Reply:
        """A problem object; with the member at fault taken apart in `errors`."""
        row = self.errors[error.code]
        body: dict[str, object] = {
            "status": row.status,
            "title": _TITLES[row.status],
            "detail": self.explain(error),
            "instance": call.path,
            "error_code": int(row.code),
        }
        spelled = self.spell(error)
        if spelled is not None and row.status == 400:
            body["errors"] = [{"loc": spelled.split("."), "msg": error.message}]
        headers = (*_trace(call), *retry_after(error))
        return json_reply(row.status, body, headers, content_type=PROBLEM_TYPE)

    def _info(self, task: Task) -> dict[str, object]:
        info: dict[str, object] = {
            "id": task.id,
            "status": _STATUS_WORDS[task.status],
            "created_at": _iso(task.created_ms),
            "updated_at": _iso(task.updated_ms),
        }
        if task.status in (Status.FAILED, Status.CANCELED):
            row = _fault_row(task)
            # The docs name `error_code`, clients read `code` (spec §C.4): both.
            info["error"] = {
                "status": row.status,
                "title": "Generation failed",
                "detail": self.explain_fault(task) or "The generation failed.",
                "error_code": int(row.code),
                "code": int(row.code),
            }
        return info


def _fault_row(task: Task) -> ErrorReply:
    if task.status is Status.CANCELED:
        return _FAULTS[ErrorCode.CANCELED]
    code = task.fault.code if task.fault else ErrorCode.INTERNAL
    return _FAULTS.get(code, _BAD_INPUT)


def _trace(call: Call) -> tuple[tuple[str, str], ...]:
    """W3C trace context made of the request id, so that the two lead to each other in logs."""
    digest = hashlib.sha256(call.request_id.encode()).hexdigest()
    return (("traceparent", f"00-{digest[:32]}-{digest[32:48]}-01"),)


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
