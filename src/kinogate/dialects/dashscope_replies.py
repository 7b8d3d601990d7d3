"""Builds DashScope's objects: the task, its usage by model family, the list row.

Obeys spec/dashscope.md §5 and §6. Times are UTC+8 texts in the task and epoch milliseconds in the
list, as the vendor has it; usage figures are JSON numbers, never texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import TypeAlias

from kinogate.dialects.base import TaskView
from kinogate.dialects.dashscope_errors import wire_error
from kinogate.domain.catalogue import CATALOGUE, MIB, UsageFamily
from kinogate.domain.order import Mode
from kinogate.domain.resolution import ADAPTIVE, Size, ratio_label
from kinogate.domain.task import Outcome, Plan, Status, Task
from kinogate.domain.upload import UploadCertificate

ZONE = timezone(timedelta(hours=8))
"""The zone of every time text; the vendor names none, these are Beijing's (our choice)."""

WORDS: Mapping[Status, str] = MappingProxyType(
    {
        Status.QUEUED: "PENDING",
        Status.RUNNING: "RUNNING",
        Status.SUCCEEDED: "SUCCEEDED",
        Status.FAILED: "FAILED",
        Status.CANCELED: "CANCELED",
    }
)
UNKNOWN = "UNKNOWN"

Usage: TypeAlias = dict[str, object]


def time_text(ms: int) -> str:
    """Epoch milliseconds as `YYYY-MM-DD HH:mm:ss.SSS`, UTC+8."""
    moment = datetime.fromtimestamp(ms // 1000, UTC).astimezone(ZONE)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{ms % 1000:03d}"


def unknown_output(task_id: str) -> dict[str, object]:
    """The `output` for an id that names nothing the caller may see, as asked."""
    return {"task_id": task_id, "task_status": UNKNOWN}


def task_output(view: TaskView) -> dict[str, object]:
    """The `output` object of a query.

    `video_url` is absent when a task succeeded without a URL to give; a view whose file is gone
    must not come here (see `unknown_output`).
    """
    task = view.task
    output: dict[str, object] = {"task_id": task.id, "task_status": WORDS[task.status]}
    output |= _times(task)
    if task.status is Status.SUCCEEDED:
        output["orig_prompt"] = task.plan.prompt
        if _shows_actual_prompt(task) and task.outcome is not None:
            output["actual_prompt"] = task.outcome.actual_prompt
        if view.video_url is not None:
            output["video_url"] = view.video_url
    if task.status is Status.FAILED and task.fault is not None:
        fault = task.fault
        output["code"], output["message"] = wire_error(
            fault.code, fault.message, fault.field, task.plan.model
        )
    return output


def certificate_data(certificate: UploadCertificate) -> dict[str, object]:
    """The `data` object of an upload certificate (spec/dashscope.md §8)."""
    return {
        "policy": certificate.policy,
        "signature": certificate.signature,
        "upload_dir": certificate.folder,
        "upload_host": certificate.url,
        "expire_in_seconds": certificate.expires_in_s,
        "max_file_size_mb": certificate.max_bytes // MIB,
        "capacity_limit_mb": 999_999_999,  # as the vendor writes "no limit"
        "oss_access_key_id": certificate.access_key_id,
        "x_oss_object_acl": "private",
        "x_oss_forbid_overwrite": "true",
    }


def _times(task: Task) -> dict[str, object]:
    times = {
        "submit_time": task.created_ms,
        "scheduled_time": task.started_ms,
        "end_time": task.finished_ms,
    }
    return {name: time_text(ms) for name, ms in times.items() if ms is not None}


def _shows_actual_prompt(task: Task) -> bool:
    row = CATALOGUE.get(task.plan.model)
    return task.plan.is_extendable and row is not None and row.actual_prompt_shown


def usage(task: Task) -> Usage | None:
    """The `usage` object of a succeeded task; None for every other."""
    if task.status is not Status.SUCCEEDED or task.outcome is None:
        return None
    row = CATALOGUE.get(task.plan.model)
    family = row.usage if row is not None else UsageFamily.W30
    return _USAGE[family](task.plan, task.outcome)


def _whole(seconds: float) -> int:
    return round(seconds)


def _size(outcome: Outcome) -> Size:
    return Size(width=outcome.width, height=outcome.height)


def _ratio(plan: Plan, outcome: Outcome) -> str:
    if plan.ratio is None or plan.ratio == ADAPTIVE:
        return ratio_label(_size(outcome))
    return plan.ratio


def _in_and_out(plan: Plan, outcome: Outcome) -> Usage:
    """What every family from wan2.6 on shares: seconds in, seconds out, and their sum."""
    return {
        "duration": round(outcome.input_duration_s + outcome.duration_s, 2),
        "input_video_duration": _whole(outcome.input_duration_s),
        "output_video_duration": _whole(outcome.duration_s),
        "video_count": 1,
        "SR": plan.tier.lines,
    }


def _in_and_out_exact(plan: Plan, outcome: Outcome) -> Usage:
    return _in_and_out(plan, outcome) | {
        "input_video_duration": round(outcome.input_duration_s, 2),
        "output_video_duration": round(outcome.duration_s, 2),
    }


def _usage_t2v_25(plan: Plan, outcome: Outcome) -> Usage:
    return {
        "video_duration": _whole(outcome.duration_s),
        "video_ratio": _size(outcome).star,
        "video_count": 1,
    }


def _usage_standard(plan: Plan, outcome: Outcome) -> Usage:
    return {
        "video_duration": _whole(outcome.duration_s),
        "video_ratio": "standard",
        "video_count": 1,
    }


def _usage_i2v_22(plan: Plan, outcome: Outcome) -> Usage:
    return {
        "duration": _whole(outcome.duration_s),
        "SR": plan.tier.lines,
        "video_count": 1,
    }


def _usage_kf2v_22(plan: Plan, outcome: Outcome) -> Usage:
    return {
        "video_duration": _whole(outcome.duration_s),
        "video_count": 1,
        "SR": plan.tier.lines,
    }


def _usage_sized_26(plan: Plan, outcome: Outcome) -> Usage:
    return _in_and_out(plan, outcome) | {"size": _size(outcome).star}


def _usage_i2v_26_flash(plan: Plan, outcome: Outcome) -> Usage:
    return _in_and_out(plan, outcome) | {"audio": outcome.has_audio}


def _usage_27(plan: Plan, outcome: Outcome) -> Usage:
    if plan.mode is Mode.EDIT:
        return _in_and_out_exact(plan, outcome)
    found = _in_and_out(plan, outcome)
    return found | {"ratio": _ratio(plan, outcome)} if plan.mode is Mode.T2V else found


def _usage_30(plan: Plan, outcome: Outcome) -> Usage:
    return _in_and_out_exact(plan, outcome) | {
        "fps": outcome.fps,
        "ratio": _ratio(plan, outcome),
    }


def _usage_measured(plan: Plan, outcome: Outcome) -> Usage:
    """s2v and animate, whose usage is published nowhere: seconds and tier (our choice)."""
    return {
        "duration": round(outcome.duration_s, 2),
        "SR": plan.tier.lines,
        "video_count": 1,
    }


_USAGE: Mapping[UsageFamily, Callable[[Plan, Outcome], Usage]] = MappingProxyType(
    {
        UsageFamily.T2V_25: _usage_t2v_25,
        UsageFamily.I2V_21: _usage_standard,
        UsageFamily.I2V_22: _usage_i2v_22,
        UsageFamily.KF2V_21: _usage_standard,
        UsageFamily.KF2V_22: _usage_kf2v_22,
        UsageFamily.T2V_26: _usage_sized_26,
        UsageFamily.I2V_26: _in_and_out,
        UsageFamily.I2V_26_FLASH: _usage_i2v_26_flash,
        UsageFamily.R2V_26: _usage_sized_26,
        UsageFamily.W27: _usage_27,
        UsageFamily.W30: _usage_30,
        UsageFamily.VACE: _usage_standard,  # published nowhere; as the rest of wan2.1
        UsageFamily.S2V: _usage_measured,
        UsageFamily.ANIMATE: _usage_measured,
    }
)


def list_row(task: Task) -> dict[str, object]:
    """One item of the list's `data`: times in epoch milliseconds, absent while unknown."""
    group = "image2video" if takes_second_path(task.plan.model) else "video-generation"
    row: dict[str, object] = {
        "api_key_id": task.key_id,
        "caller_parent_id": task.account_id,
        "caller_uid": task.account_id,
        "gmt_create": task.created_ms,
        "region": "local",
        # The vendor shows the submit's request id; ours is not kept, the task's own id is unique.
        "request_id": task.id,
        "status": WORDS[task.status],
        "task_id": task.id,
        "model_name": task.model,
        "user_api_unique_key": f"apikey:v1:aigc:{group}:video-synthesis:{task.model}",
    }
    times = {"start_time": task.started_ms, "end_time": task.finished_ms}
    return row | {name: ms for name, ms in times.items() if ms is not None}


def short_row(task: Task) -> dict[str, object]:
    """One item of `tasks`, which the vendor's own 2.0 client reads instead of `data`."""
    word = WORDS[task.status]
    return {
        "task_id": task.id,
        "task_status": word,
        "status": word,
        "model_name": task.model,
        **_times(task),
    }


def takes_second_path(model: str) -> bool:
    """Whether the vendor documents `image2video` for this canonical model."""
    return any(word in model for word in ("kf2v", "s2v", "animate"))
