"""Reading what an upstream answered, and saying whose fault a refusal is.

The rules that all wires share; which codes mean what is each wire's own table. A create call that
may have started something must never pass for one that has not: whatever is unclear is UNSURE.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from kinogate.domain.errors import CallerError, ErrorCode, KinogateError, UpstreamError
from kinogate.engines.upstream.wire import Answer, Phase, Sighting
from kinogate.engines.upstream.words import is_improper, shortened

_RETRY_MAX_S = 3600
"""Longest wait we believe an upstream about, in seconds (our choice)."""


class Blame(StrEnum):
    """Who can act on a refused create call."""

    FIELD = "field"  # the request is wrong
    MEDIA_SIZE = "media_size"
    MEDIA_SHAPE = "media_shape"
    MEDIA_LENGTH = "media_length"
    MEDIA_FORMAT = "media_format"
    CONTENT = "content"  # found improper
    MODEL = "model"  # unknown there
    ACCOUNT = "account"  # key, balance, permission, a wrong base URL: the operator
    BUSY = "busy"  # a rate limit
    FAULT = "fault"  # the upstream's own, and nothing was started
    UNSURE = "unsure"  # something may have been started


_CALLER_CODES: Mapping[Blame, ErrorCode] = {
    Blame.FIELD: ErrorCode.FIELD_INVALID,
    Blame.MEDIA_SIZE: ErrorCode.MEDIA_TOO_LARGE,
    Blame.MEDIA_SHAPE: ErrorCode.MEDIA_DIMENSIONS,
    Blame.MEDIA_LENGTH: ErrorCode.MEDIA_DURATION,
    Blame.MEDIA_FORMAT: ErrorCode.MEDIA_FORMAT,
    Blame.CONTENT: ErrorCode.CONTENT_REFUSED,
    Blame.MODEL: ErrorCode.MODEL_UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What an upstream's error reply says; empty where it says nothing."""

    code: str = ""
    message: str = ""

    @property
    def text(self) -> str:
        """Sentence and code, without secrets, as callers may read them."""
        said = shortened(self.message)
        code = shortened(self.code)
        if said and code:
            return f"{said} ({code})"
        return said or code or "no reason given"


def object_in(text: bytes | str) -> Mapping[str, object] | None:
    """The JSON object in a text; None for anything else: HTML, a list, nothing."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):  # the last: nested without end
        return None
    return value if isinstance(value, dict) else None


def body_of(answer: Answer) -> Mapping[str, object] | None:
    """The answer's JSON object, or None."""
    return object_in(answer.body)


def part_of(body: Mapping[str, object] | None, name: str) -> Mapping[str, object]:
    """A member that is an object; an empty one where it is absent or something else."""
    value = body.get(name) if body else None
    return value if isinstance(value, dict) else {}


def text_of(body: Mapping[str, object] | None, *names: str) -> str:
    """The first of the members that is a text or a number, as text; "" for none."""
    for name in names:
        value = body.get(name) if body else None
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return ""


def first_text(value: object) -> str:
    """The first text in a list, or the text itself; "" for anything else."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""


def link_of(*values: object) -> str | None:
    """The first value that is an absolute HTTP URL, or holds one as its first item."""
    for value in values:
        text = first_text(value)
        if text.lower().startswith(("http://", "https://")):
            return text
    return None


def number_of(value: object) -> float | None:
    """A finite number, also written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):  # no number; an integer beyond every float
        return None
    return number if math.isfinite(number) else None


def share_of(value: object, whole: float) -> float | None:
    """A share done, 0.0-1.0: `value` of `whole`, or `"37%"`; None for anything else."""
    number = number_of(value.strip().rstrip("%") if isinstance(value, str) else value)
    return None if number is None else min(max(number / whole, 0.0), 1.0)


def retry_after_s(answer: Answer) -> int | None:
    """Whole seconds after which to ask again, 0-3600, where the answer says so in seconds."""
    for name, unit in (("retry-after", 1.0), ("retry-after-ms", 0.001)):
        number = number_of(answer.headers.get(name))  # a date would need a clock
        if number is not None and number >= 0:
            return math.ceil(min(number * unit, _RETRY_MAX_S))
    return None


def blame_by_status(answer: Answer, complaint: Complaint) -> Blame:
    """Whose fault an answer is where no table knows its code.

    Args:
        answer: Of a create call; its status is not that of a success.
        complaint: What it says.
    """
    status = answer.status
    if is_improper(complaint.code, complaint.message) or status == 451:
        return Blame.CONTENT
    if status in (401, 402, 403):
        return Blame.ACCOUNT
    if status == 429:
        return Blame.BUSY
    if status == 408:  # it had not read the request
        return Blame.FAULT
    if status == 413:
        return Blame.MEDIA_SIZE
    if status in (404, 405) or 300 <= status < 400:  # no such path: the base URL is wrong
        return Blame.ACCOUNT
    if 400 <= status < 500:
        # Without a word in the upstream's own form it was no API of its kind that answered.
        return Blame.FIELD if complaint.code or complaint.message else Blame.ACCOUNT
    return Blame.UNSURE


def created_error(blame: Blame, answer: Answer, complaint: Complaint) -> KinogateError:
    """The error for a create call without an id, as `Wire.read_created` promises."""
    text = complaint.text
    code = shortened(complaint.code) or None
    if caller_code := _CALLER_CODES.get(blame):
        field = "model" if blame is Blame.MODEL else None
        return CallerError(caller_code, f"The upstream refused the request: {text}.", field=field)
    if blame is Blame.ACCOUNT:
        return UpstreamError(
            ErrorCode.UPSTREAM_REFUSED,
            f"The upstream refused the operator's key, balance or address: {text}.",
            upstream_code=code or str(answer.status),
        )
    if blame in (Blame.BUSY, Blame.FAULT):
        word = "is busy" if blame is Blame.BUSY else "could not start the work"
        return UpstreamError(
            ErrorCode.UPSTREAM_FAILED,
            f"The upstream {word}: {text}.",
            retriable=True,
            upstream_code=code or str(answer.status),
            retry_after_s=retry_after_s(answer),
        )
    return UpstreamError(
        ErrorCode.SUBMIT_AMBIGUOUS,
        f"The upstream may or may not have started the work; it answered {answer.status}: {text}.",
        is_charged=True,
        upstream_code=code or str(answer.status),
    )


def unreadable(answer: Answer, complaint: Complaint | None = None) -> UpstreamError:
    """The error for a look, a listing or a leave that says nothing of what was asked.

    UPSTREAM_REFUSED where the key was refused, else UPSTREAM_FAILED.
    """
    said = complaint or Complaint()
    is_refused = answer.status in (401, 402, 403)
    return UpstreamError(
        ErrorCode.UPSTREAM_REFUSED if is_refused else ErrorCode.UPSTREAM_FAILED,
        f"The upstream answered {answer.status}: {said.text}.",
        retriable=not is_refused,
        upstream_code=shortened(said.code) or str(answer.status),
        retry_after_s=retry_after_s(answer),
    )


def key_trouble(answer: Answer, complaint: Complaint) -> str | None:
    """Why a key does not work, from the answer to a free call; None when it does."""
    if answer.status in (401, 402, 403):
        return f"The upstream answered {answer.status}: {complaint.text}."
    if answer.status >= 500:
        return f"The upstream is not well: it answered {answer.status}."
    return None


def failed(
    complaint: Complaint,
    *,
    is_content_refusal: bool = False,
    is_caller_fault: bool = False,
    progress: float | None = None,
    prompt: str | None = None,
) -> Sighting:
    """The sighting of a task that ended badly."""
    improper = is_content_refusal or is_improper(complaint.code, complaint.message)
    return Sighting(
        phase=Phase.FAILED,
        code=shortened(complaint.code) or None,
        message=shortened(complaint.message) or None,
        is_content_refusal=improper,
        is_caller_fault=is_caller_fault and not improper,
        progress=progress,
        prompt=prompt,
    )
