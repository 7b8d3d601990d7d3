"""The wire to MuleRouter and to gateways that copy it.

Obeys seed 004 and spec/dialects.md §C. The model stands in the path, of the polls, too. There is no
call that cancels or lists, and no upload: pictures go inline, sounds as links of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from kinogate.domain.abilities import Abilities
from kinogate.domain.order import AudioMode, Mode, Order, Role, ShotType
from kinogate.domain.overlays import OVERLAYS
from kinogate.domain.resolution import Size
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan
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
    text_of,
    unreadable,
)
from kinogate.engines.upstream.base import (
    FRAMES,
    NIL_ID,
    BaseWire,
    filled,
    given,
    service_abilities,
    whole_seconds,
)
from kinogate.engines.upstream.vace import VACE_ROLES, is_vace, vace_members, vace_misfit
from kinogate.engines.upstream.wire import Answer, Ask, Given, Phase, Sighting
from kinogate.engines.upstream.words import phase_of

# §C.1; anything else must be named by the operator.
_SOLD = frozenset(
    {
        "wan2.6-t2v",
        "wan2.6-i2v",
        "wan2.5-t2v-preview",
        "wan2.5-i2v-preview",
        "wan2.2-t2v-plus",
        "wan2.2-i2v-plus",
        "wan2.2-i2v-flash",
        "wan2.1-kf2v-plus",
        "wan2.1-vace-plus",
    }
)


class MulerouterWire(BaseWire):
    """Flat bodies; a given sound beats the switch."""

    name = "mulerouter"
    poll_s = 10.0
    overlay = OVERLAYS["mulerouter"]
    roles = VACE_ROLES | {Role.AUDIO}
    needs_prompt = True

    def abilities(self, model: str) -> Abilities:
        """`safety_filter` is a member here, and nowhere else."""
        return service_abilities(self.row(model), unfiltered=True)

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """Those of the models on its list, and of rows of that form that the operator names."""
        is_sold = spec.name in _SOLD or spec.name in self._names
        if not is_sold or spec.protocol != "A":
            return frozenset()
        return spec.modes if is_vace(spec) else spec.modes & {Mode.T2V, Mode.I2V, Mode.KF2V}

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        """Effects are for the models between two frames only, most inputs for vace."""
        row = self.row(plan.model)
        if row is None or not self.modes(row):
            return super().refuses(plan, roles)
        if plan.template is not None and Mode.KF2V not in row.modes:
            return f"This upstream knows no effect templates with {plan.model}."
        if plan.mode is Mode.I2V and Mode.KF2V in row.modes and plan.template is None:
            return f"This upstream makes {plan.model} between two frames only."
        if is_vace(row) and (misfit := vace_misfit(plan)):
            return misfit
        if not is_vace(row) and not roles <= FRAMES:
            return f"This upstream takes no {min(roles - FRAMES)} with {plan.model}."
        return super().refuses(plan, roles)

    def create(self, order: Order, media: tuple[Given, ...]) -> Ask:
        """`POST …/{model}/generation`."""
        row = self.row(order.model)
        body: dict[str, object] = {
            # Required in every case, also where an effect leaves it without a meaning.
            "prompt": self.prompt_of(order) or order.template or "",
            "duration": whole_seconds(order),
            "prompt_extend": order.prompt_extend,
            "seed": order.seed,
            "safety_filter": order.safety_filter,
        }
        body |= filled(negative_prompt=order.negative_prompt, template=order.template)
        if row is not None:
            body |= _row_members(order, row, media)
        return Ask(method="POST", path=self._path(order.model), json=body)

    def read_created(self, answer: Answer) -> str:
        """`task_info.id`."""
        body = body_of(answer)
        task_id = text_of(part_of(body, "task_info"), "id")
        if 200 <= answer.status < 300 and task_id:
            return task_id
        complaint = _complaint(body)
        if answer.status < 300:
            blame = Blame.UNSURE
        elif answer.status == 404 and complaint.message:
            blame = Blame.MODEL  # the path is right but for the model in it
        elif answer.status == 423:
            blame = Blame.ACCOUNT
        else:
            blame = blame_by_status(answer, complaint)
        raise created_error(blame, answer, complaint)

    def poll(self, upstream_id: str, model: str) -> Ask:
        """The create path and the id."""
        return Ask(method="GET", path=f"{self._path(model)}/{quote(upstream_id, safe='')}")

    def read_poll(self, answer: Answer) -> Sighting:
        """A failed task is a 200, so any other status says nothing of it but a 404."""
        body = body_of(answer)
        info = part_of(body, "task_info")
        word = text_of(info, "status")
        if answer.status == 404 and _complaint(body).message:
            return Sighting(phase=Phase.GONE, code="404", message="The upstream has no such task.")
        if answer.status != 200 or body is None or not word:
            raise unreadable(answer, _complaint(body))
        phase, unknown = phase_of(word)
        if phase is Phase.FAILED:
            error = part_of(info, "error")
            status = error.get("status")
            return failed(
                _complaint(error),
                is_content_refusal=status == 451,
                is_caller_fault=status in (400, 413, 422),
            )
        url = link_of(body.get("videos")) if phase is Phase.SUCCEEDED else None
        return Sighting(phase=phase, video_url=url, unknown_word=unknown)

    def probe(self) -> Ask | None:
        """A task that nobody has: without a valid key a 401, else a 404."""
        return self.poll(NIL_ID, "wan2.5-i2v-preview")

    def read_probe(self, answer: Answer) -> str | None:
        """Only what is said of the key."""
        return key_trouble(answer, _complaint(body_of(answer)))

    def _path(self, model: str) -> str:
        return f"/vendors/alibaba/v1/{quote(self.spelled(model), safe='')}/generation"


def _row_members(order: Order, row: ModelSpec, media: tuple[Given, ...]) -> dict[str, object]:
    """What depends on the model (§C.2)."""
    size = Size(width=order.width, height=order.height).star
    if is_vace(row):
        return vace_members(order, media) | {"size": size}
    first = given(media, Role.FIRST_FRAME)
    # Required there in every case, also with an effect, which looks at the first frame only.
    last = first if order.template else given(media, Role.LAST_FRAME)
    members = filled(image=first, last_frame=last)
    if Mode.T2V in row.modes:
        members["size"] = size
    elif Mode.I2V in row.modes:  # those between two frames make 720P and are not asked
        members["resolution"] = order.tier
    if row.has_sound:
        members["audio"] = order.audio is not AudioMode.OFF
        if order.audio is AudioMode.FILE:
            members |= filled(audio_url=given(media, Role.AUDIO))
    if row.shots:
        members["multi_shots"] = "multi" if order.shot_type is ShotType.MULTI else "single"
    return members


def _complaint(body: Mapping[str, object] | None) -> Complaint:
    return Complaint(
        code=text_of(body, "error_code", "code"), message=text_of(body, "detail", "title")
    )
