"""The wire to DashScope (Alibaba Cloud Model Studio), and to gateways that copy it.

Obeys spec/dashscope.md §1-§8. The base URL of a credential includes `/api/v1`, as the vendor's own
SDKs have it. Bodies and error codes have a module each.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from kinogate.domain.abilities import Abilities
from kinogate.domain.errors import UpstreamError
from kinogate.domain.order import Mode, Order, Role
from kinogate.domain.overlays import OVERLAYS
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
    number_of,
    part_of,
    text_of,
    unreadable,
)
from kinogate.engines.upstream.base import BaseWire, service_abilities
from kinogate.engines.upstream.dashscope_bodies import halves
from kinogate.engines.upstream.dashscope_codes import CALLER, blame_for
from kinogate.engines.upstream.vace import VACE_ROLES, is_vace, vace_misfit
from kinogate.engines.upstream.wire import (
    Answer,
    Ask,
    Delivery,
    Given,
    Listed,
    Part,
    Phase,
    Sighting,
    Upload,
)
from kinogate.engines.upstream.words import phase_of

# §1; the first four are the old names, which a key needs no workspace for.
REGIONS: Mapping[str, str] = MappingProxyType(
    {
        "cn-beijing": "https://dashscope.aliyuncs.com/api/v1",
        "ap-southeast-1": "https://dashscope-intl.aliyuncs.com/api/v1",
        "us-east-1": "https://dashscope-us.aliyuncs.com/api/v1",
        "cn-hongkong": "https://cn-hongkong.dashscope.aliyuncs.com/api/v1",
    }
)
"""Base URLs by region; a model, a key and a URL must be of one region."""

_VIDEO_PATH = "/services/aigc/video-generation/video-synthesis"
_IMAGE_PATH = "/services/aigc/image2video/video-synthesis"
_ZONE = timezone(timedelta(hours=8))  # §5: the vendor's times name no zone and are Beijing's
_LIST_SPAN_MS = 24 * 3600 * 1000  # §6
_PAGE_SIZE = 100
_POLICY_MEMBERS = (
    "oss_access_key_id",
    "signature",
    "policy",
    "upload_dir",
    "upload_host",
    "x_oss_object_acl",
    "x_oss_forbid_overwrite",
)
_ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        "image/png": ".png",
        "image/jpeg": ".jpg",
        "image/webp": ".webp",
        "audio/mpeg": ".mp3",
        "audio/wav": ".wav",
        "audio/x-wav": ".wav",
        "video/mp4": ".mp4",
        "video/quicktime": ".mov",
    }
)

_MARK_TEXT = "AI-generated"
"""What its watermark "always reads" in its English page (seed 002), and so what our dialect of that
page promises. On the clip it is the vendor's wording of the day, "AI\u751f\u6210" or "AI Generated"
(§3.1): a caller of that dialect gets exactly what the vendor itself would give."""

_FRAME_ROLES = frozenset({Role.FIRST_FRAME, Role.LAST_FRAME, Role.AUDIO})
_REFERENCE_ROLES = frozenset({Role.REFERENCE_IMAGE, Role.REFERENCE_VIDEO, Role.AUDIO})


class DashscopeWire(BaseWire):
    """Protocols A, B and C; files go through the vendor's own upload policy."""

    name = "dashscope"
    delivery = Delivery.POLICY
    poll_s = 15.0  # §5: the vendor's own advice
    inlines_audio = True  # everything goes as `oss://`
    regions = REGIONS
    overlay = OVERLAYS["dashscope"]
    roles = frozenset(Role) - {Role.DOCUMENT, Role.LINK}

    def abilities(self, model: str) -> Abilities:
        """By the row's form."""
        row = self.row(model)
        if row is None:
            return service_abilities(None)
        is_portrait = bool(row.modes & {Mode.S2V, Mode.ANIMATE})
        return service_abilities(
            row,
            has_switch=row.protocol != "B" and not is_portrait,
            takes_file=row.protocol != "C",  # wan3.0 only refers to sounds
            seed=not is_portrait,
            negative_prompt=row.protocol != "C" and not is_portrait,
            mark_text=None if Mode.S2V in row.modes else _MARK_TEXT,  # §3.6: no switch there
        )

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """All of the row but documents, which this server cannot check before it passes them on."""
        return spec.modes - {Mode.DOCUMENT}

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        """Also sets of inputs that the form has no place for."""
        row = self.row(plan.model)
        if row is not None and (misfit := _misfit(plan, row, roles)):
            return misfit
        return super().refuses(plan, roles)

    def create(self, order: Order, media: tuple[Given, ...]) -> Ask:
        """One call on the path that the model lives on."""
        row = self.row(order.model)
        if row is None:  # refuses() lets no such order through
            raise ValueError(f"no row for {order.model!r}")
        inputs, parameters = halves(order, row, self.prompt_of(order), media)
        headers = [("X-DashScope-Async", "enable")]
        if any(item.text.startswith("oss://") for item in media):
            headers.append(("X-DashScope-OssResourceResolve", "enable"))
        # §1: first-and-last-frame, portraits and motions have a path of their own.
        is_second = row.protocol == "A" and bool(row.modes & {Mode.KF2V, Mode.S2V, Mode.ANIMATE})
        return Ask(
            method="POST",
            path=_IMAGE_PATH if is_second else _VIDEO_PATH,
            headers=tuple(headers),
            json={
                "model": self.spelled(order.model),
                "input": inputs,
                "parameters": parameters,
            },
        )

    def read_created(self, answer: Answer) -> str:
        """`output.task_id`; a 200 that names a code is a refusal, as the vendor's SDK reads it."""
        body = body_of(answer)
        task_id = text_of(part_of(body, "output"), "task_id")
        if 200 <= answer.status < 300 and task_id:
            return task_id
        complaint = _complaint(body)
        blame = blame_for(complaint) or (
            Blame.UNSURE if answer.status < 300 else blame_by_status(answer, complaint)
        )
        raise created_error(blame, answer, complaint)

    def poll(self, upstream_id: str, model: str) -> Ask:
        """`GET /tasks/{id}`."""
        return Ask(method="GET", path=f"/tasks/{quote(upstream_id, safe='')}")

    def read_poll(self, answer: Answer) -> Sighting:
        """UNKNOWN is an id that was never, or is no longer, known (24 hours, §5)."""
        body = body_of(answer)
        output = part_of(body, "output")
        word = text_of(output, "task_status")
        if answer.status != 200 or not word:
            raise unreadable(answer, _complaint(body))
        prompt = text_of(output, "orig_prompt") or None
        if word.upper() == "UNKNOWN":
            return Sighting(phase=Phase.GONE, code="UNKNOWN")
        phase, unknown = phase_of(word)
        if phase is Phase.FAILED:
            complaint = _complaint(output)
            blame = blame_for(complaint)
            return failed(
                complaint,
                is_content_refusal=blame is Blame.CONTENT,
                is_caller_fault=blame in CALLER,
                prompt=prompt,
            )
        return Sighting(
            phase=phase,
            video_url=link_of(output.get("video_url")) if phase is Phase.SUCCEEDED else None,
            unknown_word=unknown,
            actual_prompt=text_of(output, "actual_prompt") or None,
            prompt=prompt,
        )

    def cancel(self, upstream_id: str) -> Ask | None:
        """Only a task that still waits can be canceled there (§6)."""
        return Ask(method="POST", path=f"/tasks/{quote(upstream_id, safe='')}/cancel")

    def listing(self, since_ms: int, until_ms: int) -> Ask | None:
        """One page; at most the last 24 hours of the span, and whole seconds around it."""
        since_ms = max(since_ms, until_ms - _LIST_SPAN_MS + 2_000)
        return Ask(
            method="GET",
            path="/tasks",
            query=(
                ("start_time", _time_text(since_ms)),
                ("end_time", _time_text(until_ms + 999)),
                ("page_no", "1"),
                ("page_size", str(_PAGE_SIZE)),
            ),
        )

    def read_listing(self, answer: Answer, since_ms: int) -> tuple[Listed, ...]:
        """`data`; neither prompt nor seed is shown."""
        body = body_of(answer)
        rows = body.get("data") if body else None
        if answer.status != 200 or body is None or not isinstance(rows, list):
            raise unreadable(answer, _complaint(body))
        total = body.get("total")
        if not isinstance(total, int) or total > len(rows):
            more = Complaint(message="the list of tasks has more than one page")
            raise unreadable(answer, more)
        listed = (_listed(row) for row in rows if isinstance(row, dict))
        return tuple(item for item in listed if item.upstream_id)

    def probe(self) -> Ask | None:
        """The smallest list."""
        return Ask(method="GET", path="/tasks", query=(("page_no", "1"), ("page_size", "1")))

    def read_probe(self, answer: Answer) -> str | None:
        """A rejected key is a 401 `InvalidApiKey`, also for a key of another region."""
        return key_trouble(answer, _complaint(body_of(answer)))

    def policy(self, model: str) -> Ask:
        """A certificate is bound to the account and to the model named (§8)."""
        query = (("action", "getPolicy"), ("model", self.spelled(model)))
        return Ask(method="GET", path="/uploads", query=query)

    def read_policy(self, answer: Answer) -> Mapping[str, str]:
        """The members that the form needs."""
        body = body_of(answer)
        data = part_of(body, "data")
        leave = {name: text_of(data, name) for name in _POLICY_MEMBERS}
        if answer.status == 200 and all(leave.values()) and link_of(leave["upload_host"]):
            return MappingProxyType(leave)
        complaint = _complaint(body)
        blame = blame_for(complaint) or blame_by_status(answer, complaint)
        if blame is Blame.UNSURE:  # asking for leave starts nothing
            blame = Blame.FAULT
        error = created_error(blame, answer, complaint)
        if isinstance(error, UpstreamError):
            raise error
        raise unreadable(answer, complaint)

    def upload(self, policy: Mapping[str, str], file: Path, content_type: str) -> Upload:
        """The form of an object store; its fields come in this order, the file last (§8)."""
        name = file.stem + _ENDINGS.get(content_type, file.suffix)
        key = f"{policy['upload_dir'].rstrip('/')}/{name}"
        fields = (
            ("OSSAccessKeyId", policy["oss_access_key_id"]),
            ("Signature", policy["signature"]),
            ("policy", policy["policy"]),
            ("key", key),
            ("x-oss-object-acl", policy["x_oss_object_acl"]),
            ("x-oss-forbid-overwrite", policy["x_oss_forbid_overwrite"]),
            ("success_action_status", "200"),
            ("x-oss-content-type", content_type),
        )
        parts = (
            *(Part(name=name, value=value) for name, value in fields),
            Part(name="file", file=file, filename=name, content_type=content_type),
        )
        ask = Ask(method="POST", path=policy["upload_host"], parts=parts, has_key=False)
        return Upload(ask=ask, text=f"oss://{key}")


def _misfit(plan: Plan, row: ModelSpec, roles: frozenset[Role]) -> str | None:
    """Why the row's form has no place for what is asked; None when it has."""
    if allowed := _roles_of(plan.mode, row):
        extra = sorted(role.value for role in roles - allowed)
        if extra:
            return f"This upstream takes no {extra[0]} with {row.name}."
    if row.protocol == "B" and Role.FIRST_CLIP in roles and Role.AUDIO in roles:
        return "This upstream takes no sound file together with a first clip."
    if row.modes & {Mode.S2V, Mode.ANIMATE} and plan.prompt.strip():
        return f"This upstream takes no prompt with {row.name}."
    return vace_misfit(plan) if is_vace(row) else None


def _roles_of(mode: Mode, row: ModelSpec) -> frozenset[Role]:
    """The inputs that the row's form has a place for; empty for a mode that it does not know."""
    if is_vace(row):
        return VACE_ROLES
    if mode is Mode.R2V and row.protocol == "A":
        return _REFERENCE_ROLES
    if mode is Mode.R2V and row.protocol == "B":
        return _REFERENCE_ROLES | {Role.FIRST_FRAME, Role.VOICE}
    return {
        Mode.T2V: frozenset({Role.AUDIO}),
        Mode.I2V: _FRAME_ROLES,
        Mode.KF2V: _FRAME_ROLES,
        Mode.R2V: _REFERENCE_ROLES | {Role.REFERENCE_AUDIO},
        Mode.CLIP: frozenset({Role.FIRST_CLIP, Role.LAST_FRAME, Role.AUDIO}),
        Mode.S2V: frozenset({Role.FIRST_FRAME, Role.AUDIO}),
        Mode.EDIT: frozenset({Role.SOURCE_VIDEO, Role.REFERENCE_IMAGE}),
        Mode.ANIMATE: frozenset({Role.FIRST_FRAME, Role.SOURCE_VIDEO}),
    }.get(mode, frozenset())


def _complaint(body: Mapping[str, object] | None) -> Complaint:
    return Complaint(code=text_of(body, "code"), message=text_of(body, "message", "msg"))


def _listed(row: Mapping[str, object]) -> Listed:
    created = number_of(row.get("gmt_create"))
    return Listed(
        upstream_id=text_of(row, "task_id"),
        created_ms=None if created is None else int(created),
        model=text_of(row, "model_name") or None,
    )


def _time_text(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, _ZONE).strftime("%Y%m%d%H%M%S")
