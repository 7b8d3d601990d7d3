"""Reading what servers with OpenAI's video API answer. Obeys spec/dialects.md §D.3-§D.5.

Three families answer differently: OpenAI's own envelope, FastAPI's bare `detail`, and vLLM-Omni,
which shows a failed task as an HTTP error whose body is the video object.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

from kinogate.engines.upstream.answers import (
    Blame,
    Complaint,
    blame_by_status,
    body_of,
    created_error,
    failed,
    key_trouble,
    link_of,
    number_of,
    part_of,
    share_of,
    text_of,
    unreadable,
)
from kinogate.engines.upstream.wire import Answer, Ask, Listed, Phase, Sighting
from kinogate.engines.upstream.words import phase_of

_PAGE = 100

# §0.5 column D, and `insufficient_quota`, which OpenAI itself answers with a 429.
_BLAMES: Mapping[str, Blame] = MappingProxyType(
    {
        "invalid_api_key": Blame.ACCOUNT,
        "insufficient_quota": Blame.ACCOUNT,
        "model_not_allowed": Blame.ACCOUNT,
        "invalid_value": Blame.FIELD,
        "unsupported_feature": Blame.FIELD,
        "model_not_found": Blame.MODEL,
        "moderation_blocked": Blame.CONTENT,
        "content_policy_violation": Blame.CONTENT,
        "request_too_large": Blame.MEDIA_SIZE,
        "rate_limit_exceeded": Blame.BUSY,
    }
)
_CALLER_CODES = frozenset(
    {"invalid_value", "invalid_request_error", "unsupported_feature", "400", "422"}
)


class OpenaiReplies:
    """The half of the wire that reads; whether the server is local is the other half's to say."""

    is_local: bool

    def read_created(self, answer: Answer) -> str:
        """The video object's `id`."""
        body = body_of(answer)
        video_id = text_of(body, "id")
        if 200 <= answer.status < 300 and video_id:
            return video_id
        complaint = complaint_of(body)
        raise created_error(self._blame(answer, complaint), answer, complaint)

    def read_poll(self, answer: Answer) -> Sighting:
        """The body counts before the status: a failed task may come as an HTTP error."""
        body = body_of(answer)
        word = text_of(body, "status")
        if body is not None and word and (answer.status == 200 or body.get("object") == "video"):
            return _sighting(body, word)
        if answer.status == 404 and body is not None:
            return Sighting(phase=Phase.GONE, code="404", message="The upstream has no such video.")
        raise unreadable(answer, complaint_of(body))

    def read_listing(self, answer: Answer, since_ms: int) -> tuple[Listed, ...]:
        """`data`, newest first; the model is shown only where it means something."""
        body = body_of(answer)
        rows = body.get("data") if body else None
        if answer.status != 200 or body is None or not isinstance(rows, list):
            raise unreadable(answer, complaint_of(body))
        listed = tuple(self._listed(row) for row in rows if isinstance(row, dict))
        is_cut = body.get("has_more") is True or len(rows) >= _PAGE
        oldest = min((item.created_ms or 0 for item in listed), default=0)
        if is_cut and oldest + 999 >= since_ms:  # their times are whole seconds
            raise unreadable(answer, Complaint(message="the list of videos goes on"))
        return tuple(item for item in listed if item.upstream_id)

    def read_probe(self, answer: Answer) -> str | None:
        """Local servers answer anybody."""
        return key_trouble(answer, complaint_of(body_of(answer)))

    def _blame(self, answer: Answer, complaint: Complaint) -> Blame:
        if answer.status < 300:
            return Blame.UNSURE
        if blame := _BLAMES.get(complaint.code):
            return blame
        if answer.status == 404 and "model" in complaint.message.lower():
            return Blame.MODEL
        has_word = bool(complaint.code or complaint.message)
        if self.is_local and answer.status == 500 and has_word:
            return Blame.FAULT  # its handler failed before it queued anything
        return blame_by_status(answer, complaint)

    def _listed(self, row: Mapping[str, object]) -> Listed:
        created_s = number_of(row.get("created_at"))
        return Listed(
            upstream_id=text_of(row, "id"),
            created_ms=None if created_s is None else int(created_s * 1000),
            model=None if self.is_local else text_of(row, "model") or None,
            prompt=text_of(row, "prompt") or None,
        )


def complaint_of(body: Mapping[str, object] | None) -> Complaint:
    """OpenAI's envelope, a bare `error` text, or FastAPI's `detail`."""
    error = part_of(body, "error")
    if error:
        return Complaint(code=text_of(error, "code", "type"), message=text_of(error, "message"))
    detail = body.get("detail") if body else None
    if isinstance(detail, list):  # a validation error: [{"loc": […], "msg": "…"}]
        said = [text_of(item, "msg") for item in detail if isinstance(item, dict)]
        return Complaint(message="; ".join(text for text in said if text))
    return Complaint(message=text_of(body, "message", "detail", "error"))


def _sighting(body: Mapping[str, object], word: str) -> Sighting:
    phase, unknown = phase_of(word)
    progress = share_of(body.get("progress"), 100)
    prompt = text_of(body, "prompt") or None
    if phase is Phase.FAILED:
        complaint = complaint_of(body)
        if complaint.code == "canceled":
            return Sighting(phase=Phase.CANCELED, code="canceled", prompt=prompt)
        return failed(
            complaint,
            is_content_refusal=_BLAMES.get(complaint.code) is Blame.CONTENT,
            is_caller_fault=complaint.code in _CALLER_CODES,
            progress=progress,
            prompt=prompt,
        )
    url, content = None, None
    if phase is Phase.SUCCEEDED:
        # A server with cloud storage answers 400 to `/content`, so its URL comes first. `variant`
        # is an index on SGLang and must stay out.
        url = link_of(body.get("url"), body.get("urls"), body.get("video_url"))
        if url is None:
            video_id = quote(text_of(body, "id"), safe="")
            content = Ask(method="GET", path=f"/v1/videos/{video_id}/content")
    return Sighting(
        phase=phase,
        progress=progress,
        video_url=url,
        content=content,
        unknown_word=unknown,
        actual_prompt=text_of(body, "revised_prompt") or None,
        prompt=prompt,
    )
