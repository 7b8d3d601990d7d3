"""The native dialect: `/kinogate/v1/…`, everything that Kinogate can say in its own words.

The console and the CLI speak this one and no other. Errors are problem details (RFC 9457) with a
`code` of ours and the `field` at fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import msgspec

from kinogate.dialects import native_replies as replies
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
    json_body,
    json_reply,
    parse_task_id,
    retry_after,
)
from kinogate.dialects.knobs import read_knobs
from kinogate.dialects.members import Members, as_integer, read_object
from kinogate.dialects.pixels import read_size, read_tier
from kinogate.domain.errors import ErrorCode, KinogateError, field_invalid
from kinogate.domain.models import EngineStatus, ModelCard, Reloaded
from kinogate.domain.money import usd_text
from kinogate.domain.order import AudioMode, Role, ShotType
from kinogate.domain.overlays import OVERLAYS
from kinogate.domain.ports import Principal, TaskFilter
from kinogate.domain.request import (
    Field,
    GenerationRequest,
    HouseRules,
    LongText,
    MediaInput,
    Submission,
)
from kinogate.domain.task import Status
from kinogate.domain.upload import Upload

PROBLEM_TYPE = "application/problem+json; charset=utf-8"
_ROOT = "/kinogate/v1"
_PAGE_DEFAULT, _PAGE_MAX = 20, 100
_METADATA_MAX = 16

_STATUSES: dict[ErrorCode, int] = {
    ErrorCode.REQUEST_MALFORMED: 400,
    ErrorCode.BODY_TOO_LARGE: 413,
    ErrorCode.CONTENT_TYPE_UNSUPPORTED: 415,
    ErrorCode.ROUTE_UNKNOWN: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.SYNC_UNSUPPORTED: 400,
    ErrorCode.FIELD_MISSING: 400,
    ErrorCode.FIELD_INVALID: 400,
    ErrorCode.MODEL_UNKNOWN: 404,
    ErrorCode.FEATURE_UNSUPPORTED: 400,
    ErrorCode.IDEMPOTENCY_CONFLICT: 422,
    ErrorCode.MEDIA_URL_INVALID: 400,
    ErrorCode.MEDIA_UNREACHABLE: 400,
    ErrorCode.MEDIA_FORMAT: 400,
    ErrorCode.MEDIA_TOO_LARGE: 400,
    ErrorCode.MEDIA_DIMENSIONS: 400,
    ErrorCode.MEDIA_DURATION: 400,
    ErrorCode.CONTENT_REFUSED: 451,
    ErrorCode.TASK_UNKNOWN: 404,
    ErrorCode.TASK_NOT_CANCELABLE: 409,
    ErrorCode.RESULT_NOT_READY: 404,
    ErrorCode.RESULT_FAILED: 404,
    ErrorCode.RESULT_EXPIRED: 410,
    ErrorCode.KEY_MISSING: 401,
    ErrorCode.KEY_INVALID: 401,
    ErrorCode.PERMISSION_DENIED: 403,
    ErrorCode.BALANCE_EMPTY: 402,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.QUOTA_EXCEEDED: 429,
    ErrorCode.UPSTREAM_FAILED: 502,
    ErrorCode.UPSTREAM_REFUSED: 502,
    ErrorCode.SUBMIT_AMBIGUOUS: 502,
    ErrorCode.RESULT_INVALID: 502,
    ErrorCode.ENGINE_FAILED: 500,
    ErrorCode.TIMED_OUT: 504,
    ErrorCode.CANCELED: 409,
    ErrorCode.UNAVAILABLE: 503,
    ErrorCode.INTERNAL: 500,
}


class Native(Dialect):
    """Our own API."""

    name = "native"
    house = HouseRules(
        name="native",
        overlay=OVERLAYS["native"],
        watermark_text="AI-generated",
        long_text=LongText.REFUSE,
    )
    routes = (
        Route(method="POST", path=f"{_ROOT}/tasks", action=Action.CREATE),
        Route(method="GET", path=f"{_ROOT}/tasks", action=Action.LIST),
        Route(method="GET", path=f"{_ROOT}/tasks/{{task_id}}", action=Action.GET),
        Route(method="DELETE", path=f"{_ROOT}/tasks/{{task_id}}", action=Action.DELETE),
        Route(method="POST", path=f"{_ROOT}/tasks/{{task_id}}/cancel", action=Action.CANCEL),
        Route(method="GET", path=f"{_ROOT}/tasks/{{task_id}}/events", action=Action.STREAM),
        Route(method="GET", path=f"{_ROOT}/tasks/{{task_id}}/content", action=Action.CONTENT),
        Route(method="POST", path=f"{_ROOT}/files", action=Action.FILE_CREATE),
        Route(method="PUT", path=f"{_ROOT}/files/{{file_id}}", action=Action.FILE_APPEND),
        Route(method="GET", path=f"{_ROOT}/files/{{file_id}}", action=Action.FILE_GET),
        Route(method="GET", path=f"{_ROOT}/models", action=Action.MODELS),
        Route(method="GET", path=f"{_ROOT}/models/{{model}}", action=Action.MODEL),
        Route(method="GET", path=f"{_ROOT}/me", action=Action.ME),
        Route(method="GET", path=f"{_ROOT}/engines", action=Action.ENGINES),
        Route(method="POST", path=f"{_ROOT}/engines/{{engine}}/drain", action=Action.ENGINE_DRAIN),
        Route(
            method="POST", path=f"{_ROOT}/engines/{{engine}}/resume", action=Action.ENGINE_RESUME
        ),
        Route(method="POST", path=f"{_ROOT}/reload", action=Action.RELOAD),
    )
    prefixes = ("/kinogate/",)
    fields = MappingProxyType(
        {
            Field.FIRST_FRAME: "image",
            Field.AUDIO_FILE: "audio_url",
            Field.IDEMPOTENCY_KEY: "Idempotency-Key",
        }
    )
    errors = MappingProxyType(
        {code: ErrorReply(status=status, code=code.value) for code, status in _STATUSES.items()}
    )

    def parse_create(self, call: Call) -> Submission:
        """Read a create body; every member is listed in docs/dialects/native.md."""
        body = read_object(json_body(call))
        media, audio = _media(body)
        shots = body.choice("shot_type", ShotType)
        request = GenerationRequest(
            model=body.required_text("model"),
            prompt=body.text("prompt"),
            negative_prompt=body.text("negative_prompt"),
            media=media,
            size=read_size(body, "size"),
            resolution=read_tier(body, "resolution"),
            ratio=body.text("ratio"),
            duration_s=body.integer("duration"),
            fps=body.integer("fps"),
            audio=audio,
            prompt_extend=body.flag("prompt_extend"),
            shot_type=ShotType(shots) if shots else None,
            watermark=body.flag("watermark"),
            seed=body.integer("seed"),
            template=body.text("template") or None,
            function=body.text("function") or None,
            knobs=read_knobs(body),
            safety_filter=body.flag("safety_filter"),
            notify_hook=body.text("notify_hook") or None,
            metadata=_metadata(body),
        )
        return Submission(request=request, ignored=body.ignored())

    def parse_list(self, call: Call) -> ListQuery:
        """`limit` 1–100, `after` a task id, `order` asc or desc, `status`, `model`."""
        limit = _PAGE_DEFAULT
        if (text := call.query_value("limit")) is not None:
            number = as_integer(text)
            if number is None or not 1 <= number <= _PAGE_MAX:
                raise field_invalid("limit", f"Must be from 1 to {_PAGE_MAX}.")
            limit = number
        order = call.query_value("order") or "desc"
        if order not in ("asc", "desc"):
            raise field_invalid("order", "Must be asc or desc.")
        after = call.query_value("after")
        return ListQuery(
            where=TaskFilter(
                statuses=_statuses(call.query_value("status")), model=call.query_value("model")
            ),
            limit=limit,
            after=parse_task_id(after) if after else None,
            ascending=order == "asc",
        )

    def render_created(self, view: TaskView, call: Call) -> Reply:
        """The task object, 201."""
        return json_reply(201, self._task(view))

    def render_task(self, view: TaskView, call: Call) -> Reply:
        """The task object."""
        return json_reply(200, self._task(view))

    def render_canceled(self, view: TaskView, call: Call) -> Reply:
        """The task object, canceled."""
        return json_reply(200, self._task(view))

    def render_deleted(self, view: TaskView, call: Call) -> Reply:
        """The id and nothing else."""
        return json_reply(200, {"id": view.task.id, "deleted": True})

    def render_list(self, page: ListView, call: Call) -> Reply:
        """A page; `next` is the `after` of the following one."""
        tasks = [self._task(view) for view in page.views]
        following = page.views[-1].task.id if page.has_more and page.views else None
        return json_reply(200, {"tasks": tasks, "has_more": page.has_more, "next": following})

    def render_event(self, view: TaskView, call: Call) -> tuple[str, bytes]:
        """`progress` until the end, then `done`."""
        name = "done" if view.task.status.is_final else "progress"
        return name, msgspec.json.encode(self._task(view))

    def render_models(self, cards: Sequence[ModelCard], call: Call) -> Reply:
        """Every model."""
        return json_reply(200, {"models": [replies.model(card) for card in cards]})

    def render_model(self, card: ModelCard, call: Call) -> Reply:
        """One model."""
        return json_reply(200, replies.model(card))

    def render_me(self, principal: Principal, call: Call) -> Reply:
        """Whose key this is."""
        return json_reply(
            200,
            {
                "account": principal.account_id,
                "key": principal.key_id,
                "is_admin": principal.is_admin,
            },
        )

    def render_engines(self, engines: Sequence[EngineStatus], call: Call) -> Reply:
        """Every engine."""
        return json_reply(200, {"engines": [replies.engine(status) for status in engines]})

    def render_engine(self, engine: EngineStatus, call: Call) -> Reply:
        """One engine."""
        return json_reply(200, replies.engine(engine))

    def render_reloaded(self, reloaded: Reloaded, call: Call) -> Reply:
        """What has changed."""
        return json_reply(
            200,
            {
                "engines_changed": list(reloaded.engines),
                "needs_restart": list(reloaded.needs_restart),
                "remarks": list(reloaded.remarks),
            },
        )

    def render_file(self, upload: Upload, call: Call) -> Reply:
        """The file object; 201 when it was made by this call."""
        return json_reply(201 if call.action is Action.FILE_CREATE else 200, replies.file(upload))

    def render_error(self, error: KinogateError, call: Call) -> Reply:
        """Problem details."""
        row = self.errors[error.code]
        return json_reply(
            row.status,
            {
                "type": "about:blank",
                "title": row.code.replace("_", " ").capitalize(),
                "status": row.status,
                "detail": self.explain(error),
                "code": row.code,
                "field": self.spell(error),
                "instance": call.path,
                "request_id": call.request_id,
            },
            retry_after(error),
            content_type=PROBLEM_TYPE,
        )

    def _task(self, view: TaskView) -> dict[str, object]:
        task, plan = view.task, view.task.plan
        return {
            "id": task.id,
            "status": task.status.value,
            "progress": round(task.progress, 3),
            "model": task.model,
            "mode": plan.mode.value,
            "engine": task.engine,
            "dialect": task.dialect,
            "prompt": plan.prompt,
            "negative_prompt": plan.negative_prompt,
            "duration": plan.duration_s,
            "resolution": plan.tier.value,
            "size": plan.size.star if plan.size else None,
            "seed": plan.seed,
            "metadata": dict(plan.metadata),
            "warnings": list(task.notes),
            "created_at": replies.iso(task.created_ms),
            "started_at": replies.iso(task.started_ms),
            "finished_at": replies.iso(task.finished_ms),
            "expires_at": replies.iso(task.expires_ms),
            "held_usd": usd_text(task.hold_micro, 6),
            "cost_usd": usd_text(task.cost_micro, 6),
            "remixed_from": task.remixed_from,
            "live_url": view.live_url,
            "video": replies.video(view),
            "error": self._fault(view),
        }

    def _fault(self, view: TaskView) -> dict[str, object] | None:
        if view.task.status is Status.CANCELED:
            return {"code": ErrorCode.CANCELED.value, "message": self.explain_fault(view.task)}
        fault = view.task.fault
        if fault is None:
            return None
        return {"code": fault.code.value, "message": self.explain_fault(view.task)}


def _media(body: Members) -> tuple[tuple[MediaInput, ...], AudioMode | None]:
    media: list[MediaInput] = []
    for name, role in (
        ("image", Role.FIRST_FRAME),
        ("last_frame", Role.LAST_FRAME),
        ("first_clip", Role.FIRST_CLIP),
    ):
        if text := body.text(name):
            media.append(MediaInput(role=role, text=text))
    for item in body.objects("media"):
        role_name = item.choice("role", Role)
        if role_name is None:
            raise field_invalid(item.path("role"), "Must say what the input is for.")
        media.append(MediaInput(role=Role(role_name), text=item.required_text("url")))
    switch, url = body.flag("audio"), body.text("audio_url")
    if switch is False:
        return tuple(item for item in media if item.role is not Role.AUDIO), AudioMode.OFF
    if url:
        media.append(MediaInput(role=Role.AUDIO, text=url))
    if any(item.role is Role.AUDIO for item in media):
        return tuple(media), AudioMode.FILE
    return tuple(media), AudioMode.AUTO if switch else None


def _metadata(body: Members) -> tuple[tuple[str, str], ...]:
    value = body.raw("metadata")
    if value is None:
        return ()
    pairs = tuple(value.items()) if isinstance(value, dict) else ()
    is_plain = all(isinstance(item, str) and len(item) <= 512 for pair in pairs for item in pair)
    if not isinstance(value, dict) or not is_plain or len(pairs) > _METADATA_MAX:
        raise field_invalid(
            "metadata", f"Must be an object of at most {_METADATA_MAX} short texts."
        )
    return pairs


def _statuses(text: str | None) -> frozenset[Status] | None:
    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    known = {status.value: status for status in Status}
    if any(word not in known for word in words):
        raise field_invalid("status", f"Must be one or more of {', '.join(known)}.")
    return frozenset(known[word] for word in words)
