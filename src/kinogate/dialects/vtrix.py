"""The Vtrix dialect: `POST /model/v1/generation`, its blocking and streaming forms, its model list.

Obeys seed 003 and spec/dialects.md §B. Renders and decides nothing; bodies are read in
`vtrix_bodies.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import msgspec

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
from kinogate.dialects.vtrix_bodies import read_body
from kinogate.dialects.vtrix_models import model_entry, model_spec
from kinogate.domain.errors import ErrorCode, KinogateError
from kinogate.domain.models import ModelCard
from kinogate.domain.money import usd_text
from kinogate.domain.overlays import OVERLAYS
from kinogate.domain.request import Field, HouseRules, Submission
from kinogate.domain.task import Outcome, Status, Task

_ROOT = "/model/v1/generation"
_SKILL = "/api/v1/skill/models"

_STATUS_WORDS = MappingProxyType(
    {
        Status.QUEUED: "in_progress",
        Status.RUNNING: "in_progress",
        Status.SUCCEEDED: "completed",
        Status.FAILED: "failed",
        Status.CANCELED: "failed",
    }
)

# Seed 003's five codes; the last three digits carry the meaning (spec §B.1, §B.3).
_ENGINE = "001027095"
_RESULT = "001027096"
_UPSTREAM = "001027097"
_STATUS_CHECK = "001027098"
_CREATION = "001027099"

_REFUSED = ErrorReply(status=400, code=_CREATION)

_ERRORS = MappingProxyType(
    {
        ErrorCode.REQUEST_MALFORMED: _REFUSED,
        ErrorCode.BODY_TOO_LARGE: ErrorReply(status=413, code="413"),
        ErrorCode.CONTENT_TYPE_UNSUPPORTED: ErrorReply(status=415, code="415"),
        ErrorCode.ROUTE_UNKNOWN: ErrorReply(status=404, code="404"),
        ErrorCode.METHOD_NOT_ALLOWED: ErrorReply(status=405, code="405"),
        ErrorCode.SYNC_UNSUPPORTED: _REFUSED,
        ErrorCode.FIELD_MISSING: _REFUSED,
        ErrorCode.FIELD_INVALID: _REFUSED,
        ErrorCode.MODEL_UNKNOWN: _REFUSED,
        ErrorCode.FEATURE_UNSUPPORTED: _REFUSED,
        ErrorCode.IDEMPOTENCY_CONFLICT: ErrorReply(status=422, code="422"),
        ErrorCode.MEDIA_URL_INVALID: _REFUSED,
        ErrorCode.MEDIA_UNREACHABLE: _REFUSED,
        ErrorCode.MEDIA_FORMAT: _REFUSED,
        ErrorCode.MEDIA_TOO_LARGE: _REFUSED,
        ErrorCode.MEDIA_DIMENSIONS: _REFUSED,
        ErrorCode.MEDIA_DURATION: _REFUSED,
        ErrorCode.CONTENT_REFUSED: _REFUSED,
        ErrorCode.TASK_UNKNOWN: ErrorReply(status=404, code="404"),
        ErrorCode.TASK_NOT_CANCELABLE: ErrorReply(status=409, code="409"),
        ErrorCode.RESULT_NOT_READY: ErrorReply(status=404, code="404"),
        ErrorCode.RESULT_FAILED: ErrorReply(status=404, code="404"),
        ErrorCode.RESULT_EXPIRED: ErrorReply(status=404, code="404"),
        ErrorCode.KEY_MISSING: ErrorReply(status=401, code="401"),
        ErrorCode.KEY_INVALID: ErrorReply(status=401, code="401"),
        ErrorCode.PERMISSION_DENIED: ErrorReply(status=403, code="403"),
        ErrorCode.BALANCE_EMPTY: ErrorReply(status=402, code="402"),
        ErrorCode.RATE_LIMITED: ErrorReply(status=429, code="429"),
        ErrorCode.QUOTA_EXCEEDED: ErrorReply(status=429, code="429"),
        # An upstream that fails while a task is created is a creation error (spec §0.5).
        ErrorCode.UPSTREAM_FAILED: ErrorReply(status=502, code=_CREATION),
        ErrorCode.UPSTREAM_REFUSED: ErrorReply(status=502, code=_CREATION),
        ErrorCode.SUBMIT_AMBIGUOUS: ErrorReply(status=502, code=_CREATION),
        ErrorCode.RESULT_INVALID: ErrorReply(status=502, code=_RESULT),
        ErrorCode.ENGINE_FAILED: ErrorReply(status=500, code=_ENGINE),
        ErrorCode.TIMED_OUT: ErrorReply(status=504, code=_STATUS_CHECK),
        ErrorCode.CANCELED: ErrorReply(status=409, code="409"),
        ErrorCode.UNAVAILABLE: ErrorReply(status=503, code="503"),
        ErrorCode.INTERNAL: ErrorReply(status=500, code=_ENGINE),
    }
)

# What a failed task says; everything that is not here refused the task (`_CREATION`).
_FAULT_CODES = MappingProxyType(
    {
        ErrorCode.ENGINE_FAILED: _ENGINE,
        ErrorCode.UNAVAILABLE: _ENGINE,
        ErrorCode.INTERNAL: _ENGINE,
        ErrorCode.RESULT_INVALID: _RESULT,
        ErrorCode.UPSTREAM_FAILED: _UPSTREAM,
        ErrorCode.UPSTREAM_REFUSED: _UPSTREAM,
        ErrorCode.SUBMIT_AMBIGUOUS: _UPSTREAM,
        ErrorCode.TIMED_OUT: _STATUS_CHECK,
    }
)


class Vtrix(Dialect):
    """`{"model", "input", "parameters"}` in, `output[].content[].url` out."""

    name = "vtrix"
    house = HouseRules(name="vtrix", overlay=OVERLAYS["vtrix"], watermark_text="AI Generated")
    routes = (
        Route(method="POST", path=_ROOT, action=Action.CREATE),
        Route(method="POST", path=f"{_ROOT}/sync", action=Action.CREATE_WAIT),
        Route(method="GET", path=f"{_ROOT}/task/{{task_id}}", action=Action.GET),
        Route(method="GET", path=f"{_ROOT}/task/{{task_id}}/stream", action=Action.STREAM),
        Route(method="GET", path=_SKILL, action=Action.MODELS),
        Route(method="GET", path=f"{_SKILL}/{{model}}/spec", action=Action.MODEL),
    )
    prefixes = ("/model/", "/api/v1/skill/")
    fields = MappingProxyType(
        {
            Field.PROMPT: "input.prompt",
            Field.NEGATIVE_PROMPT: "parameters.negative_prompt",
            Field.FIRST_FRAME: "input.img_url",
            Field.LAST_FRAME: "input.last_frame_url",
            Field.AUDIO_FILE: "input.audio_url",
            Field.TEMPLATE: "input.template",
            Field.MEDIA: "input",
            Field.AUDIO_SWITCH: "parameters.audio",
            Field.SIZE: "parameters.size",
            Field.RESOLUTION: "parameters.resolution",
            Field.RATIO: "parameters.size",
            Field.DURATION: "parameters.duration",
            Field.PROMPT_EXTEND: "parameters.prompt_extend",
            Field.SHOT_TYPE: "parameters.shot_type",
            Field.WATERMARK: "parameters.watermark",
            Field.SEED: "parameters.seed",
            Field.SAFETY_FILTER: "moderation",
            Field.IDEMPOTENCY_KEY: "Idempotency-Key",
        }
    )
    errors = _ERRORS

    def parse_create(self, call: Call) -> Submission:
        """Read a create body of either form; spec §B.2."""
        return read_body(read_object(json_body(call)))

    def render_created(self, view: TaskView, call: Call) -> Reply:
        """The task object, which has neither output nor error yet."""
        return json_reply(200, self._task(view))

    def render_task(self, view: TaskView, call: Call) -> Reply:
        """The task object of spec §B.3."""
        return json_reply(200, self._task(view))

    def render_timeout(self, view: TaskView, call: Call) -> Reply:
        """504 with the id, so that a caller who waited in vain can still poll."""
        return json_reply(
            504,
            {
                "id": view.task.id,
                "status": _STATUS_WORDS[view.task.status],
                "error": {
                    "code": "SYNC_TIMEOUT",
                    "message": "The task is still going on; query it by its id.",
                },
            },
        )

    def render_event(self, view: TaskView, call: Call) -> tuple[str, bytes]:
        """`output` while the task goes on, then `done` or `error`; always the task object."""
        data = msgspec.json.encode(self._task(view))
        if view.task.status is Status.SUCCEEDED:
            return "done", data
        return ("error" if view.task.status.is_final else "output"), data

    def render_models(self, cards: Sequence[ModelCard], call: Call) -> Reply:
        """The models that can be asked for here."""
        entries = [model_entry(card) for card in cards if card.modes]
        return _wrapped(entries)

    def render_model(self, card: ModelCard, call: Call) -> Reply:
        """One model's parameters, for clients that build their form from them."""
        return _wrapped(model_spec(card, self.house.overlay))

    def render_error(self, error: KinogateError, call: Call) -> Reply:
        """The message twice: clients look at `error.message` or at `message` (spec §B.4)."""
        row = self.errors[error.code]
        message = self.explain(error)
        return json_reply(
            row.status,
            {"error": {"code": row.code, "message": message}, "message": message},
            retry_after(error),
        )

    def _task(self, view: TaskView) -> dict[str, object]:
        task = view.task
        is_success = task.status is Status.SUCCEEDED
        body: dict[str, object] = {
            "id": task.id,
            "status": _STATUS_WORDS[task.status],
            "model": task.model,
            "created_at": task.created_ms // 1000,
            "progress": 1 if is_success else round(task.progress, 3),
            "metadata": {},
        }
        # Seed 003: these keys are there only in the state that they belong to.
        if is_success and task.outcome is not None:
            body["output"] = [_output(view, task.outcome)]
            body["usage"] = _usage(task, task.outcome)
        elif task.status.is_final:
            message = self.explain_fault(task)
            body["error"] = {
                "code": _fault_code(task),
                "message": message,
                "error_message": message,
            }
        return body


def _fault_code(task: Task) -> str:
    if task.status is Status.CANCELED or task.fault is None:
        return _CREATION
    return _FAULT_CODES.get(task.fault.code, _CREATION)


def _output(view: TaskView, outcome: Outcome) -> dict[str, object]:
    """One result; without content once the file has expired."""
    content = [{"type": "video", "url": view.video_url, "jobId": view.task.id}]
    return {
        "status": "done",
        "content": content if view.video_url else [],
        "metadata": {"width": outcome.width, "height": outcome.height, "fps": outcome.fps},
    }


def _usage(task: Task, outcome: Outcome) -> dict[str, object]:
    """Cost as text in dollars; `discount` is an amount, as seed 003 says, and we give none."""
    quantity = max(1, round(outcome.duration_s + outcome.input_duration_s))
    return {
        "cost": usd_text(task.cost_micro),
        "discount": 0,
        "quantity": quantity,
        "unit_price": usd_text(round(task.cost_micro / quantity)),
    }


def _wrapped(data: object) -> Reply:
    return json_reply(200, {"status": {"code": 200, "message": "ok"}, "data": data})
