"""The wire to the resellers of the unified API, `POST /v2/videos/generations`.

Obeys seeds 000 and 001 and spec/dialects.md §A. There is no call that cancels or lists, and no
upload: pictures go inline, sounds as links of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

from kinogate.domain.abilities import Abilities
from kinogate.domain.order import AudioMode, Mode, Order, Role
from kinogate.domain.overlays import OVERLAYS
from kinogate.domain.resolution import Size, ratio_label
from kinogate.domain.spec import ModelSpec, Sizing
from kinogate.engines.upstream.answers import (
    Blame,
    Complaint,
    blame_by_status,
    body_of,
    created_error,
    failed,
    key_trouble,
    link_of,
    object_in,
    part_of,
    share_of,
    text_of,
    unreadable,
)
from kinogate.engines.upstream.base import (
    NIL_ID,
    BaseWire,
    filled,
    given,
    service_abilities,
    texts,
    whole_seconds,
)
from kinogate.engines.upstream.wire import Answer, Ask, Given, Phase, Sighting
from kinogate.engines.upstream.words import phase_of

_ROOT = "/v2/videos/generations"
_TIMES = "\u00d7"
"""The sign between width and height on seed 001's page."""

# §0.5 column A.
_BLAMES: Mapping[str, Blame] = MappingProxyType(
    {
        "invalid_api_key": Blame.ACCOUNT,
        "insufficient_user_quota": Blame.ACCOUNT,
        "model_not_allowed": Blame.ACCOUNT,
        "invalid_request": Blame.FIELD,
        "model_not_found": Blame.MODEL,
        "request_too_large": Blame.MEDIA_SIZE,
        "rate_limit_exceeded": Blame.BUSY,
        "content_policy_violation": Blame.CONTENT,
    }
)


class UnifiedWire(BaseWire):
    """Flat bodies; the switch beats a given sound."""

    name = "unified"
    poll_s = 10.0  # §A.4: 5 s met rate limits, clients settled on 10 to 30
    overlay = OVERLAYS["unified"]
    needs_prompt = True

    def abilities(self, model: str) -> Abilities:
        """No member for several shots, none for inspection."""
        return service_abilities(self.row(model), shot_type=False)

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """From text and frames; which models a reseller has it says itself."""
        return spec.modes & {Mode.T2V, Mode.I2V, Mode.KF2V}

    def create(self, order: Order, media: tuple[Given, ...]) -> Ask:
        """`POST /v2/videos/generations`."""
        row = self.row(order.model)
        body: dict[str, object] = {
            "model": self.spelled(order.model),
            # Required in every case, also where an effect leaves it without a meaning.
            "prompt": self.prompt_of(order) or order.template or "",
            "duration": whole_seconds(order),
            "prompt_extend": order.prompt_extend,
            # Its mark is a text of its own; the gateway draws the one that was promised.
            "watermark": False,
            "seed": order.seed,
        }
        body |= filled(
            images=texts(media, Role.FIRST_FRAME, Role.LAST_FRAME) or None,
            negative_prompt=order.negative_prompt,
            template=order.template,
        )
        body |= _pixels(order, row)
        if row is not None and row.has_sound:
            body["audio"] = order.audio is not AudioMode.OFF
            if order.audio is AudioMode.FILE:
                body |= filled(audio_url=given(media, Role.AUDIO))
        return Ask(method="POST", path=_ROOT, json=body)

    def read_created(self, answer: Answer) -> str:
        """`task_id`."""
        body = body_of(answer)
        task_id = text_of(body, "task_id")
        if 200 <= answer.status < 300 and task_id:
            return task_id
        complaint = _complaint(body)
        blame = _BLAMES.get(complaint.code) or (
            Blame.UNSURE if answer.status < 300 else blame_by_status(answer, complaint)
        )
        raise created_error(blame, answer, complaint)

    def poll(self, upstream_id: str, model: str) -> Ask:
        """`GET /v2/videos/generations/{id}`."""
        return Ask(method="GET", path=f"{_ROOT}/{quote(upstream_id, safe='')}")

    def read_poll(self, answer: Answer) -> Sighting:
        """`progress` is 100% on failure, too, and so says nothing then."""
        body = body_of(answer)
        complaint = _complaint(body)
        if answer.status == 404 and (complaint.code or complaint.message):
            return Sighting(phase=Phase.GONE, code=complaint.code or "404")
        word = text_of(body, "status")
        if answer.status != 200 or body is None or not word:
            raise unreadable(answer, complaint)
        phase, unknown = phase_of(word)
        if phase is Phase.FAILED:
            return failed(_fail_reason(body))
        data = part_of(body, "data")
        url = link_of(data.get("output"), data.get("outputs"), body.get("video_url"))
        return Sighting(
            phase=phase,
            progress=share_of(body.get("progress"), 100),
            video_url=url if phase is Phase.SUCCEEDED else None,
            unknown_word=unknown,
            actual_prompt=text_of(data, "actual_prompt") or None,
            prompt=text_of(data, "orig_prompt") or None,
        )

    def probe(self) -> Ask | None:
        """A task that nobody has: without a valid key a 401, else another word."""
        return self.poll(NIL_ID, "")

    def read_probe(self, answer: Answer) -> str | None:
        """Only what is said of the key."""
        return key_trouble(answer, _complaint(body_of(answer)))


def _pixels(order: Order, row: ModelSpec | None) -> dict[str, object]:
    """`size` from text, as seed 001 has it; `resolution` from a picture, as seed 000 has it.

    The newest models are sized by tier and ratio, for which this dialect has members, too.
    """
    size = Size(width=order.width, height=order.height)
    if row is not None and row.sizing is Sizing.BY_TIER_RATIO:
        label = ratio_label(size) if order.mode is Mode.T2V else order.ratio
        return filled(resolution=order.tier, aspect_ratio=label if label in row.ratios else None)
    if order.mode is Mode.T2V:
        return {"size": f"{size.width}{_TIMES}{size.height}"}
    return filled(resolution=order.tier)


def _complaint(body: Mapping[str, object] | None) -> Complaint:
    """Message and code stand in different places in different versions (§A.4)."""
    error = part_of(body, "error")
    return Complaint(
        code=text_of(body, "code") or text_of(error, "code"),
        message=text_of(body, "message", "error", "fail_reason") or text_of(error, "message"),
    )


def _fail_reason(body: Mapping[str, object]) -> Complaint:
    """`fail_reason`: plain text, in some versions JSON with a `message` (§A.3)."""
    reason = text_of(body, "fail_reason")
    inner = object_in(reason)
    if inner is not None:
        return Complaint(code=text_of(inner, "code"), message=text_of(inner, "message"))
    return Complaint(message=reason)
