"""The wire to Vtrix and to gateways that copy it.

Obeys seed 003 and spec/dialects.md §B. There is no call that cancels or lists, and no upload:
pictures go inline, sounds as links of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from kinogate.domain.abilities import Abilities
from kinogate.domain.order import AudioMode, Mode, Order, Role, ShotType
from kinogate.domain.overlays import OVERLAYS
from kinogate.domain.resolution import Size
from kinogate.domain.spec import ModelSpec
from kinogate.engines.upstream.answers import (
    Blame,
    Complaint,
    blame_by_status,
    body_of,
    created_error,
    failed,
    key_trouble,
    link_of,
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
    whole_seconds,
)
from kinogate.engines.upstream.wire import Answer, Ask, Given, Phase, Sighting
from kinogate.engines.upstream.words import is_improper, phase_of

_ROOT = "/model/v1/generation"
_CREATION_ERROR = "099"
"""End of the code "task creation error"; what stands before it names the model (§B.1)."""

_MARK_TEXT = "AI Generated"
"""What its watermark reads (seed 003)."""

# §B.2: `wan(\d)(\d)_(mode)(_variant)?`; wan2.5 drops its `-preview`.
_CANONICAL = re.compile(r"wan(\d)\.(\d)-(.+)")


class VtrixWire(BaseWire):
    """A body of two halves; the switch beats a given sound."""

    name = "vtrix"
    poll_s = 5.0  # §0.5: what its own command line does
    overlay = OVERLAYS["vtrix"]

    def own_spelling(self, model: str) -> str:
        """`wan26_i2v` for `wan2.6-i2v`."""
        match = _CANONICAL.fullmatch(model)
        if match is None:
            return model
        rest = match[3].removesuffix("-preview").replace("-", "_")
        return f"wan{match[1]}{match[2]}_{rest}"

    def abilities(self, model: str) -> Abilities:
        """Inspection can be switched off by `moderation`, in the list form."""
        return service_abilities(self.row(model), unfiltered=True, mark_text=_MARK_TEXT)

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """From text and frames, of the rows of that form; a last frame is our reading of §0.3."""
        if spec.protocol != "A" and spec.name not in self._names:
            return frozenset()
        return spec.modes & {Mode.T2V, Mode.I2V, Mode.KF2V}

    def create(self, order: Order, media: tuple[Given, ...]) -> Ask:
        """`POST /model/v1/generation`: the flat form, but for a call without inspection."""
        row = self.row(order.model)
        halves = self._halves(order, row, media)
        model = self.spelled(order.model)
        body: dict[str, object] = {"model": model, **halves}
        if not order.safety_filter:
            body = {"model": model, "moderation": False, "input": [{"params": halves}]}
        return Ask(method="POST", path=_ROOT, json=body)

    def read_created(self, answer: Answer) -> str:
        """`id`."""
        body = body_of(answer)
        task_id = text_of(body, "id")
        if 200 <= answer.status < 300 and task_id:
            return task_id
        complaint = _complaint(body)
        raise created_error(_blame(answer, complaint), answer, complaint)

    def poll(self, upstream_id: str, model: str) -> Ask:
        """`GET /model/v1/generation/task/{id}`."""
        return Ask(method="GET", path=f"{_ROOT}/task/{quote(upstream_id, safe='')}")

    def read_poll(self, answer: Answer) -> Sighting:
        """`output` has a status of its own, which may lag behind the task's."""
        body = body_of(answer)
        if answer.status == 404 and _complaint(body).message:
            return Sighting(phase=Phase.GONE, code="404", message="The upstream has no such task.")
        word = text_of(body, "status")
        if answer.status != 200 or body is None or not word:
            raise unreadable(answer, _complaint(body))
        phase, unknown = phase_of(word)
        item = _first_output(body)
        if phase is Phase.SUCCEEDED and (inner := text_of(item, "status")):
            phase, unknown = phase_of(inner)
        progress = share_of(body.get("progress"), 1)
        if phase is Phase.FAILED:
            return failed(_complaint(body), progress=progress)
        return Sighting(
            phase=phase,
            progress=progress,
            video_url=_video_url(item) if phase is Phase.SUCCEEDED else None,
            unknown_word=unknown,
        )

    def probe(self) -> Ask | None:
        """A task that nobody has: without a valid key a 401, else a 404."""
        return self.poll(NIL_ID, "")

    def read_probe(self, answer: Answer) -> str | None:
        """Only what is said of the key."""
        return key_trouble(answer, _complaint(body_of(answer)))

    def _halves(
        self, order: Order, row: ModelSpec | None, media: tuple[Given, ...]
    ) -> dict[str, object]:
        has_file = order.audio is AudioMode.FILE
        inputs = filled(
            prompt=None if order.template else self.prompt_of(order),
            img_url=given(media, Role.FIRST_FRAME),
            last_frame_url=given(media, Role.LAST_FRAME),
            audio_url=given(media, Role.AUDIO) if has_file else None,
            template=order.template,
        )
        parameters: dict[str, object] = {
            "duration": whole_seconds(order),
            "prompt_extend": order.prompt_extend,
            # Still in the order only where its own text is the promised one (`mark_text`).
            "watermark": order.watermark is not None,
            "seed": order.seed,
        }
        if order.mode is Mode.T2V:
            parameters["size"] = Size(width=order.width, height=order.height).star
        else:
            parameters["resolution"] = order.tier
        if row is not None and row.has_sound:
            parameters["audio"] = order.audio is not AudioMode.OFF
        if row is not None and row.shots:
            is_multi = order.shot_type is ShotType.MULTI
            parameters["shot_type"] = "multi" if is_multi else "single"
        if order.negative_prompt:
            # The page of wan2.2 has it among the inputs, that of wan2.6 among the parameters.
            is_old = row is not None and row.generation <= (2, 2)
            (inputs if is_old else parameters)["negative_prompt"] = order.negative_prompt
        return {"input": inputs, "parameters": parameters}


def _blame(answer: Answer, complaint: Complaint) -> Blame:
    if is_improper(complaint.code, complaint.message):
        return Blame.CONTENT
    if complaint.code.endswith(_CREATION_ERROR):
        is_asked_wrong = 400 <= answer.status < 500
        return Blame.FIELD if is_asked_wrong else Blame.FAULT
    if complaint.code in ("401", "402", "403"):
        return Blame.ACCOUNT
    if complaint.code == "429":
        return Blame.BUSY
    return Blame.UNSURE if answer.status < 300 else blame_by_status(answer, complaint)


def _complaint(body: Mapping[str, object] | None) -> Complaint:
    """`error` as an object, or as the bare text that some versions send (§B.3)."""
    error = part_of(body, "error")
    return Complaint(
        code=text_of(error, "code"),
        message=text_of(error, "message", "error_message") or text_of(body, "error", "message"),
    )


def _first_output(body: Mapping[str, object]) -> Mapping[str, object]:
    items = body.get("output")
    first = items[0] if isinstance(items, list) and items else None
    return first if isinstance(first, dict) else {}


def _video_url(item: Mapping[str, object]) -> str | None:
    """The first video among the contents."""
    contents = item.get("content")
    for content in contents if isinstance(contents, list) else ():
        if isinstance(content, dict) and content.get("type", "video") == "video":
            return link_of(content.get("url"))
    return None
