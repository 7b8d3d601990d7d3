"""DashScope's words for everything that can go wrong, at the call and inside a task.

One table gives status and code; the few replies whose code or text depends on the member at fault
or on the body are decided beside it. Obeys spec/dashscope.md §7. Texts in `_TEXTS` are the
vendor's own, because clients compare them; all others are ours, after the member's wire name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from kinogate.dialects.base import ErrorReply
from kinogate.domain.catalogue import CATALOGUE, UsageFamily
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.order import Mode, Role
from kinogate.domain.request import Field

_INVALID = ErrorReply(status=400, code="InvalidParameter")
_BAD_URL = ErrorReply(status=400, code="InvalidURL")
_UNSUPPORTED = ErrorReply(status=400, code="UnsupportedOperation")
_BAD_KEY = ErrorReply(status=401, code="InvalidApiKey")
_NOT_FOUND = ErrorReply(status=404, code="NotFound")
_ALGO = ErrorReply(status=500, code="InternalError.Algo")

ERRORS: Mapping[ErrorCode, ErrorReply] = MappingProxyType(
    {
        ErrorCode.REQUEST_MALFORMED: _INVALID,
        ErrorCode.BODY_TOO_LARGE: ErrorReply(status=400, code="BadRequest.TooLarge"),
        ErrorCode.CONTENT_TYPE_UNSUPPORTED: _INVALID,
        ErrorCode.ROUTE_UNKNOWN: _NOT_FOUND,
        ErrorCode.METHOD_NOT_ALLOWED: ErrorReply(status=405, code="InvalidParameter"),
        ErrorCode.SYNC_UNSUPPORTED: ErrorReply(status=403, code="AccessDenied"),
        ErrorCode.FIELD_MISSING: _INVALID,
        ErrorCode.FIELD_INVALID: _INVALID,
        ErrorCode.MODEL_UNKNOWN: ErrorReply(status=404, code="ModelNotFound"),
        ErrorCode.FEATURE_UNSUPPORTED: _UNSUPPORTED,
        # The vendor has no idempotency keys; 400 because its own client sends a 409 again.
        ErrorCode.IDEMPOTENCY_CONFLICT: _INVALID,
        # One code for a refused and a dead URL, so that it tells nothing about our network.
        ErrorCode.MEDIA_URL_INVALID: _BAD_URL,
        ErrorCode.MEDIA_UNREACHABLE: _BAD_URL,
        ErrorCode.MEDIA_FORMAT: ErrorReply(status=400, code="InvalidFile.Format"),
        ErrorCode.MEDIA_TOO_LARGE: ErrorReply(status=400, code="InvalidFile.Size"),
        ErrorCode.MEDIA_DIMENSIONS: ErrorReply(status=400, code="InvalidFile.Resolution"),
        ErrorCode.MEDIA_DURATION: ErrorReply(status=400, code="InvalidFile.Duration"),
        ErrorCode.CONTENT_REFUSED: ErrorReply(status=400, code="DataInspectionFailed"),
        ErrorCode.TASK_UNKNOWN: _NOT_FOUND,
        ErrorCode.TASK_NOT_CANCELABLE: _UNSUPPORTED,
        ErrorCode.RESULT_NOT_READY: _NOT_FOUND,
        ErrorCode.RESULT_FAILED: _NOT_FOUND,
        ErrorCode.RESULT_EXPIRED: _NOT_FOUND,
        ErrorCode.KEY_MISSING: _BAD_KEY,
        ErrorCode.KEY_INVALID: _BAD_KEY,
        ErrorCode.PERMISSION_DENIED: ErrorReply(status=403, code="AccessDenied"),
        ErrorCode.BALANCE_EMPTY: ErrorReply(status=400, code="Arrearage"),
        ErrorCode.RATE_LIMITED: ErrorReply(status=429, code="Throttling.RateQuota"),
        ErrorCode.QUOTA_EXCEEDED: ErrorReply(status=429, code="Throttling.AllocationQuota"),
        ErrorCode.UPSTREAM_FAILED: ErrorReply(status=503, code="ModelServingError"),
        ErrorCode.UPSTREAM_REFUSED: _ALGO,
        ErrorCode.SUBMIT_AMBIGUOUS: _ALGO,
        ErrorCode.RESULT_INVALID: _ALGO,
        ErrorCode.ENGINE_FAILED: _ALGO,
        ErrorCode.TIMED_OUT: ErrorReply(status=500, code="InternalError.Timeout"),
        ErrorCode.CANCELED: _UNSUPPORTED,
        ErrorCode.UNAVAILABLE: ErrorReply(status=503, code="ModelUnavailable"),
        ErrorCode.INTERNAL: ErrorReply(status=500, code="InternalError"),
    }
)

CANCEL_TEXT = "Failed to cancel the task, please confirm if the task is in PENDING status."
UNRESOLVED_TEXT = (
    "Unable to download the media resource during the data inspection process. The provided URL "
    "does not appear to be valid: an oss:// URL needs the header "
    "X-DashScope-OssResourceResolve: enable."
)
URL_ERROR_TEXT = "url error, please check url\uff01"  # the vendor's own full-width mark

_TEXTS: Mapping[ErrorCode, str] = MappingProxyType(
    {
        ErrorCode.BODY_TOO_LARGE: "Payload Too Large.",
        ErrorCode.ROUTE_UNKNOWN: "Not found!",
        ErrorCode.SYNC_UNSUPPORTED: "current user api does not support synchronous calls.",
        ErrorCode.MODEL_UNKNOWN: "Model can not be found.",
        ErrorCode.CONTENT_REFUSED: "Input or output data may contain inappropriate content.",
        ErrorCode.TASK_NOT_CANCELABLE: CANCEL_TEXT,
        ErrorCode.KEY_MISSING: "No API-key provided.",
        ErrorCode.KEY_INVALID: "Invalid API-key provided.",
        ErrorCode.BALANCE_EMPTY: (
            "Access denied, please make sure your account is in good standing."
        ),
        ErrorCode.RATE_LIMITED: "Requests rate limit exceeded, please try again later.",
        ErrorCode.QUOTA_EXCEEDED: "Allocated quota exceeded, please increase your quota limit.",
        ErrorCode.UNAVAILABLE: "Model is unavailable, please try again later.",
    }
)

_EMPTY: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        Field.MODEL: (
            "BadRequest.EmptyModel",
            'Required parameter "model" missing from request.',
        ),
        "input": (
            "BadRequest.EmptyInput",
            "Required input parameter missing from request.",
        ),
    }
)

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        Field.BODY: "body",
        Field.MODEL: "model",
        Field.PROMPT: "input.prompt",
        Field.NEGATIVE_PROMPT: "input.negative_prompt",
        Field.MEDIA: "input.media",
        Field.SIZE: "parameters.size",
        Field.RESOLUTION: "parameters.resolution",
        Field.RATIO: "parameters.ratio",
        Field.DURATION: "parameters.duration",
        Field.FPS: "parameters.fps",
        Field.AUDIO_SWITCH: "parameters.audio",
        Field.PROMPT_EXTEND: "parameters.prompt_extend",
        Field.SHOT_TYPE: "parameters.shot_type",
        Field.WATERMARK: "parameters.watermark",
        Field.SEED: "parameters.seed",
        Field.TEMPLATE: "input.template",
        Field.FUNCTION: "input.function",
        Field.TASK_ID: "task_id",
        Field.IDEMPOTENCY_KEY: "Idempotency-Key",
        Role.FIRST_FRAME: "input.img_url",
        Role.LAST_FRAME: "input.last_frame_url",
        Role.REFERENCE_IMAGE: "input.reference_urls",
        Role.REFERENCE_VIDEO: "input.reference_urls",
        Role.REFERENCE_AUDIO: "input.media",
        Role.FIRST_CLIP: "input.first_clip_url",
        Role.LAST_CLIP: "input.last_clip_url",
        Role.SOURCE_VIDEO: "input.video_url",
        Role.MASK_IMAGE: "input.mask_image_url",
        Role.MASK_VIDEO: "input.mask_video_url",
        Role.AUDIO: "input.audio_url",
        Role.VOICE: "input.media",
        Role.DOCUMENT: "input.media",
        Role.LINK: "input.media",
    }
)
"""Canonical member to wire name, for the bodies of wan2.1 to wan2.6; `spell` knows the others."""

_MEDIA = frozenset({Field.MEDIA, *Role})


class _Head(msgspec.Struct):
    """The one member of a create body that error texts depend on."""

    model: str = ""


def model_in(body: bytes) -> str:
    """The model that a create body names; "" when the body cannot say."""
    try:
        return msgspec.json.decode(body, type=_Head).model
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""


def spell(field: str | None, model: str) -> str | None:
    """The wire name of a canonical member in the body form that `model` takes.

    Args:
        field: A `Field` or `Role` value, or a wire path, which stays as it is.
        model: Any spelling; an unknown one takes the names of wan2.1 to wan2.6.
    """
    if field is None:
        return None
    if field in _MEDIA:
        try:
            spec = CATALOGUE.resolve(model)
        except CallerError:
            return FIELDS[field]
        if spec.protocol != "A" and not (field == Role.AUDIO and spec.modes == {Mode.T2V}):
            return FIELDS[Field.MEDIA]
        if field == Role.FIRST_FRAME and Mode.KF2V in spec.modes:
            return "input.first_frame_url"
        if field == Role.FIRST_FRAME and spec.modes & {Mode.S2V, Mode.ANIMATE}:
            return "input.image_url"
        if field == Field.MEDIA and spec.usage is UsageFamily.R2V_26:
            return "input.reference_urls"
    return FIELDS.get(field, field)


def wire_error(
    code: ErrorCode, message: str, field: str | None = None, model: str = ""
) -> tuple[str, str]:
    """Code and text of an error in this dialect's words, for replies and for failed tasks.

    Args:
        code: The meaning.
        message: Our own sentence.
        field: The canonical member or wire path at fault.
        model: The model asked for, which decides how members are spelled.
    """
    if message == UNRESOLVED_TEXT:
        return "InvalidParameter.DataInspection", message
    if code is ErrorCode.FIELD_MISSING:
        empty = _EMPTY.get(field or "")
        if empty is not None:
            return empty
        return ERRORS[code].code, f"Field required: {spell(field, model)}"
    text = _TEXTS.get(code)
    if text is None:
        spelled = spell(field, model)
        text = f"{spelled}: {message}" if spelled else message
    elif code is ErrorCode.CONTENT_REFUSED and not message.startswith(text[:-1]):
        text = f"{text} {message}"  # the vendor leaves open which part, and who decided
    return ERRORS[code].code, text


def malformed(body: bytes, message: str) -> tuple[str, str]:
    """Code and text for a body that could not be read: nothing, no JSON, or JSON we refuse.

    Args:
        body: The body as received.
        message: Our own sentence, used for the last of the three.
    """
    if not body.strip():
        return _EMPTY["input"]
    try:
        json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return "BadRequest.IllegalInput", "The input parameter requires json format."
    except (RecursionError, ValueError):  # nested too deeply; more digits than Python converts
        pass
    return ERRORS[ErrorCode.REQUEST_MALFORMED].code, message
