"""DashScope replies: the task in every state, its usage, list, cancel and errors."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kinogate.dialects.base import Action, Call, ListQuery, ListView, TaskView
from kinogate.dialects.dashscope import DEFAULT_PREFIXES, DashScope
from kinogate.domain.catalogue import CATALOGUE, UsageFamily
from kinogate.domain.errors import (
    AccountError,
    CallerError,
    ErrorCode,
    KinogateError,
)
from kinogate.domain.order import AudioMode, Mode, ShotType
from kinogate.domain.ports import TaskFilter
from kinogate.domain.resolution import Tier
from kinogate.domain.task import Fault, Outcome, Plan, Status, Task

DIALECT = DashScope()
TASK_ID = "5f0c8a52-3c1e-4b7e-9b6b-0d9a3c1f7e21"
VIDEO = "https://files.example.com/v/5f0c8a52.mp4?sig=abc"
DAY_MS = 24 * 3600 * 1000

PLAN = Plan(
    model="wan2.5-t2v-preview",
    mode=Mode.T2V,
    prompt="a cat",
    negative_prompt="",
    size=None,
    tier=Tier.P720,
    duration_s=5,
    fps=30,
    audio=AudioMode.AUTO,
    is_extendable=True,
    shot_type=ShotType.SINGLE,
    watermark=None,
    seed=7,
    house="dashscope",
)
OUTCOME = Outcome(
    blob_key="b",
    size_bytes=1000,
    width=1280,
    height=720,
    fps=30,
    frame_count=150,
    duration_s=5.0,
    has_audio=True,
    actual_prompt="a cat in the sun",
    fingerprint="preview/1",
)
TASK = Task(
    id=TASK_ID,
    account_id="acc",
    key_id="key",
    dialect="dashscope",
    model="wan2.5-t2v-preview",
    status=Status.SUCCEEDED,
    progress=1.0,
    plan=PLAN,
    outcome=OUTCOME,
    created_ms=1_767_225_600_000,
    updated_ms=1_767_225_671_456,
    started_ms=1_767_225_603_007,
    finished_ms=1_767_225_671_456,
    expires_ms=1_767_225_671_456 + DAY_MS,
)


def a_call(action: Action | None = Action.GET, **changes: object) -> Call:
    values: dict[str, object] = {
        "method": "GET",
        "path": f"/api/v1/tasks/{TASK_ID}",
        "action": action,
        "params": {"task_id": TASK_ID},
        "request_id": "r-1",
    }
    return Call(**(values | changes))  # type: ignore[arg-type]


def shown(task: Task, *, url: str | None = VIDEO, is_expired: bool = False) -> dict[str, object]:
    view = TaskView(task=task, video_url=url, is_expired=is_expired)
    reply = DIALECT.render_task(view, a_call())
    assert reply.status == 200
    return json.loads(reply.body)


def unfinished(status: Status) -> Task:
    started = None if status is Status.QUEUED else TASK.started_ms
    return replace(
        TASK,
        status=status,
        progress=0.0,
        outcome=None,
        started_ms=started,
        finished_ms=None,
        expires_ms=None,
    )


def test_the_reply_to_a_create_is_pending_with_the_bare_id() -> None:
    reply = DIALECT.render_created(TaskView(task=TASK), a_call(Action.CREATE))
    assert reply.status == 200
    assert json.loads(reply.body) == {
        "output": {"task_status": "PENDING", "task_id": TASK_ID},
        "request_id": "r-1",
    }


def test_a_pending_task_shows_when_it_came() -> None:
    assert shown(unfinished(Status.QUEUED), url=None) == {
        "request_id": "r-1",
        "output": {
            "task_id": TASK_ID,
            "task_status": "PENDING",
            "submit_time": "2026-01-01 08:00:00.000",
        },
    }


def test_a_running_task_shows_when_it_began() -> None:
    output = shown(unfinished(Status.RUNNING), url=None)["output"]
    assert output == {
        "task_id": TASK_ID,
        "task_status": "RUNNING",
        "submit_time": "2026-01-01 08:00:00.000",
        "scheduled_time": "2026-01-01 08:00:03.007",
    }


def test_a_succeeded_task_in_full() -> None:
    assert shown(TASK) == {
        "request_id": "r-1",
        "output": {
            "task_id": TASK_ID,
            "task_status": "SUCCEEDED",
            "submit_time": "2026-01-01 08:00:00.000",
            "scheduled_time": "2026-01-01 08:00:03.007",
            "end_time": "2026-01-01 08:01:11.456",
            "orig_prompt": "a cat",
            "actual_prompt": "a cat in the sun",
            "video_url": VIDEO,
        },
        "usage": {"video_duration": 5, "video_ratio": "1280*720", "video_count": 1},
    }


@pytest.mark.parametrize(
    ("model", "is_extendable", "expected"),
    [
        ("wan2.5-i2v-preview", True, True),
        ("wan2.5-i2v-preview", False, False),
        ("wan2.2-t2v-plus", True, True),
        ("wan2.6-t2v", True, False),
        ("wan2.7-i2v", True, False),
        ("wan3.0-video", True, False),
    ],
)
def test_the_actual_prompt_is_shown_up_to_wan25_with_extension_on(
    model, is_extendable, expected
) -> None:
    task = replace(TASK, plan=replace(PLAN, model=model, is_extendable=is_extendable))
    assert ("actual_prompt" in shown(task)["output"]) is expected


def test_a_task_whose_file_is_gone_is_unknown() -> None:
    assert shown(TASK, url=None, is_expired=True) == {
        "request_id": "r-1",
        "output": {"task_id": TASK_ID, "task_status": "UNKNOWN"},
    }


def test_a_canceled_task_has_no_error_and_no_usage() -> None:
    task = replace(
        TASK,
        status=Status.CANCELED,
        outcome=None,
        started_ms=None,
        fault=Fault(code=ErrorCode.CANCELED, message="Canceled."),
    )
    assert shown(task, url=None) == {
        "request_id": "r-1",
        "output": {
            "task_id": TASK_ID,
            "task_status": "CANCELED",
            "submit_time": "2026-01-01 08:00:00.000",
            "end_time": "2026-01-01 08:01:11.456",
        },
    }


@pytest.mark.parametrize(
    ("code", "field", "expected"),
    [
        (ErrorCode.MEDIA_URL_INVALID, "first_frame", "InvalidURL"),
        (ErrorCode.MEDIA_UNREACHABLE, "first_frame", "InvalidURL"),
        (ErrorCode.MEDIA_FORMAT, "first_frame", "InvalidFile.Format"),
        (ErrorCode.MEDIA_TOO_LARGE, "first_frame", "InvalidFile.Size"),
        (ErrorCode.MEDIA_DIMENSIONS, "first_frame", "InvalidFile.Resolution"),
        (ErrorCode.MEDIA_DURATION, "audio_file", "InvalidFile.Duration"),
        (ErrorCode.CONTENT_REFUSED, None, "DataInspectionFailed"),
        (ErrorCode.ENGINE_FAILED, None, "InternalError.Algo"),
        (ErrorCode.TIMED_OUT, None, "InternalError.Timeout"),
        (ErrorCode.INTERNAL, None, "InternalError"),
    ],
)
def test_a_failed_task_is_a_200_with_code_and_message(code, field, expected) -> None:
    fault = Fault(code=code, message="It went wrong.", field=field)
    task = replace(TASK, status=Status.FAILED, outcome=None, fault=fault)
    body = shown(task, url=None)
    assert body["output"]["task_status"] == "FAILED"
    assert body["output"]["code"] == expected
    assert body["output"]["message"]
    assert "video_url" not in body["output"]
    assert "usage" not in body


def test_a_late_fault_names_the_member_as_sent() -> None:
    fault = Fault(code=ErrorCode.MEDIA_TOO_LARGE, message="Too big.", field="first_frame")
    plan = replace(PLAN, model="wan2.2-kf2v-flash")
    task = replace(TASK, status=Status.FAILED, outcome=None, fault=fault, plan=plan)
    assert shown(task, url=None)["output"]["message"] == "input.first_frame_url: Too big."


USAGES: dict[UsageFamily, dict[str, object]] = {
    UsageFamily.T2V_25: {"video_duration": 5, "video_ratio": "1280*720", "video_count": 1},
    UsageFamily.I2V_21: {"video_duration": 5, "video_ratio": "standard", "video_count": 1},
    UsageFamily.I2V_22: {"duration": 5, "SR": 720, "video_count": 1},
    UsageFamily.KF2V_21: {"video_duration": 5, "video_ratio": "standard", "video_count": 1},
    UsageFamily.KF2V_22: {"video_duration": 5, "SR": 720, "video_count": 1},
    UsageFamily.T2V_26: {
        "duration": 5.0,
        "size": "1280*720",
        "input_video_duration": 0,
        "output_video_duration": 5,
        "video_count": 1,
        "SR": 720,
    },
    UsageFamily.I2V_26: {
        "duration": 5.0,
        "input_video_duration": 0,
        "output_video_duration": 5,
        "video_count": 1,
        "SR": 720,
    },
    UsageFamily.I2V_26_FLASH: {
        "duration": 5.0,
        "input_video_duration": 0,
        "output_video_duration": 5,
        "video_count": 1,
        "SR": 720,
        "audio": True,
    },
    UsageFamily.R2V_26: {
        "duration": 5.0,
        "size": "1280*720",
        "input_video_duration": 0,
        "output_video_duration": 5,
        "video_count": 1,
        "SR": 720,
    },
    UsageFamily.W27: {
        "duration": 5.0,
        "input_video_duration": 0,
        "output_video_duration": 5,
        "video_count": 1,
        "SR": 720,
        "ratio": "16:9",
    },
    UsageFamily.W30: {
        "duration": 5.0,
        "input_video_duration": 0.0,
        "output_video_duration": 5.0,
        "video_count": 1,
        "SR": 720,
        "fps": 30,
        "ratio": "16:9",
    },
    UsageFamily.VACE: {"video_duration": 5, "video_ratio": "standard", "video_count": 1},
    UsageFamily.S2V: {"duration": 5.0, "SR": 720, "video_count": 1},
    UsageFamily.ANIMATE: {"duration": 5.0, "SR": 720, "video_count": 1},
}


@pytest.mark.parametrize("family", list(UsageFamily))
def test_usage_has_exactly_the_members_of_the_models_family(family) -> None:
    model = next(spec.name for spec in CATALOGUE.all() if spec.usage is family)
    usage = shown(replace(TASK, plan=replace(PLAN, model=model)))["usage"]
    assert usage == USAGES[family]
    assert all(isinstance(usage[name], type(value)) for name, value in USAGES[family].items())


def test_an_edit_reports_exact_seconds_in_and_out() -> None:
    plan = replace(PLAN, model="wan2.7-videoedit", mode=Mode.EDIT)
    outcome = replace(OUTCOME, duration_s=5.02, input_duration_s=5.02)
    usage = shown(replace(TASK, plan=plan, outcome=outcome))["usage"]
    assert usage == {
        "duration": 10.04,
        "input_video_duration": 5.02,
        "output_video_duration": 5.02,
        "video_count": 1,
        "SR": 720,
    }


def test_an_adaptive_ratio_is_reported_as_it_came_out() -> None:
    plan = replace(PLAN, model="wan3.0-video", ratio="adaptive")
    outcome = replace(OUTCOME, width=720, height=1280)
    assert shown(replace(TASK, plan=plan, outcome=outcome))["usage"]["ratio"] == "9:16"


@pytest.mark.parametrize("asked", ["garbage", TASK_ID, "../etc", ""])
def test_an_unknown_id_on_a_query_is_a_200_unknown_with_the_id_as_asked(asked) -> None:
    call = a_call(params={"task_id": asked})
    error = CallerError(ErrorCode.TASK_UNKNOWN, "There is no such task.", field="task_id")
    reply = DIALECT.render_error(error, call)
    assert reply.status == 200
    assert json.loads(reply.body) == {
        "request_id": "r-1",
        "output": {"task_id": asked, "task_status": "UNKNOWN"},
    }


def test_a_garbage_id_is_an_unknown_task() -> None:
    with pytest.raises(CallerError) as caught:
        DIALECT.parse_ref(a_call(params={"task_id": "garbage"}))
    assert caught.value.code is ErrorCode.TASK_UNKNOWN


def test_cancel_of_an_unknown_task_looks_like_cancel_of_a_finished_one() -> None:
    call = a_call(Action.CANCEL, method="POST", body=b'{"model":"","parameters":{},"input":""}')
    replies = [
        DIALECT.render_error(CallerError(code, "x", field=field), call)
        for code, field in (
            (ErrorCode.TASK_UNKNOWN, "task_id"),
            (ErrorCode.TASK_NOT_CANCELABLE, None),
        )
    ]
    assert replies[0] == replies[1]
    assert replies[0].status == 400
    assert json.loads(replies[0].body) == {
        "code": "UnsupportedOperation",
        "message": ("Failed to cancel the task, please confirm if the task is in PENDING status."),
        "request_id": "r-1",
    }


def test_a_cancel_answers_with_the_request_id_alone() -> None:
    reply = DIALECT.render_canceled(TaskView(task=TASK), a_call(Action.CANCEL))
    assert (reply.status, json.loads(reply.body)) == (200, {"request_id": "r-1"})


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (
            AccountError(ErrorCode.KEY_MISSING, "x"),
            401,
            "InvalidApiKey",
            "No API-key provided.",
        ),
        (
            AccountError(ErrorCode.KEY_INVALID, "x"),
            401,
            "InvalidApiKey",
            "Invalid API-key provided.",
        ),
        (
            AccountError(ErrorCode.BALANCE_EMPTY, "x"),
            400,
            "Arrearage",
            "Access denied, please make sure your account is in good standing.",
        ),
        (
            CallerError(ErrorCode.MODEL_UNKNOWN, "x", field="model"),
            404,
            "ModelNotFound",
            "Model can not be found.",
        ),
        (
            CallerError(ErrorCode.BODY_TOO_LARGE, "x"),
            400,
            "BadRequest.TooLarge",
            "Payload Too Large.",
        ),
        (CallerError(ErrorCode.ROUTE_UNKNOWN, "x"), 404, "NotFound", "Not found!"),
        (
            CallerError(ErrorCode.METHOD_NOT_ALLOWED, "x"),
            405,
            "InvalidParameter",
            "Request method 'GET' is not supported.",
        ),
        (
            CallerError(ErrorCode.FIELD_INVALID, "Must be 5.", field="duration"),
            400,
            "InvalidParameter",
            "parameters.duration: Must be 5.",
        ),
        (
            CallerError(ErrorCode.FEATURE_UNSUPPORTED, "Not here."),
            400,
            "UnsupportedOperation",
            "Not here.",
        ),
    ],
)
def test_an_error_in_the_vendors_words(error, status, code, message) -> None:
    reply = DIALECT.render_error(error, a_call(Action.CREATE))
    assert reply.status == status
    assert json.loads(reply.body) == {"code": code, "message": message, "request_id": "r-1"}


@pytest.mark.parametrize("code", list(ErrorCode))
@pytest.mark.parametrize("action", [None, *Action])
def test_every_error_renders_everywhere(code, action) -> None:
    call = a_call(action) if action is not None else a_call(None, params={})
    body = json.loads(DIALECT.render_error(KinogateError(code, "Words."), call).body)
    assert body["request_id"] == "r-1"
    assert "output" in body or (body["code"] and body["message"])


def test_a_rate_limit_says_when_to_come_back() -> None:
    error = AccountError(ErrorCode.RATE_LIMITED, "x", retry_after_s=3)
    reply = DIALECT.render_error(error, a_call(Action.CREATE))
    assert (reply.status, reply.headers) == (429, (("retry-after", "3"),))


def test_a_quota_tells_the_sdk_not_to_try_again() -> None:
    error = AccountError(ErrorCode.QUOTA_EXCEEDED, "x", retry_after_s=60)
    reply = DIALECT.render_error(error, a_call(Action.CREATE))
    assert reply.status == 429
    assert ("x-should-retry", "false") in reply.headers
    assert ("retry-after", "60") in reply.headers


def a_list(*query: tuple[str, str]) -> ListQuery:
    return DIALECT.parse_list(a_call(Action.LIST, params={}, query=query))


def test_a_bare_list_is_the_newest_ten() -> None:
    assert a_list() == ListQuery(where=TaskFilter(), limit=10, offset=0, count=True)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("task_id", TASK_ID, TaskFilter(task_id=TASK_ID)),
        ("task_id", TASK_ID.replace("-", "").upper(), TaskFilter(task_id=TASK_ID)),
        ("task_id", "garbage", TaskFilter(task_id="garbage")),
        ("model_name", "wan2.6-t2v", TaskFilter(model="wan2.6-t2v")),
        ("status", "PENDING", TaskFilter(statuses=frozenset({Status.QUEUED}))),
        ("status", "canceled", TaskFilter(statuses=frozenset({Status.CANCELED}))),
        ("status", "UNKNOWN", TaskFilter(statuses=frozenset())),
        ("region", "cn-beijing", TaskFilter()),
        ("size", "1280*720", TaskFilter()),
        (
            "start_time",
            "20260101080000",
            TaskFilter(since_ms=1_767_225_600_000, until_ms=1_767_225_600_999 + DAY_MS),
        ),
        (
            "end_time",
            "20260101080000",
            TaskFilter(since_ms=1_767_225_600_000 - DAY_MS, until_ms=1_767_225_600_999),
        ),
    ],
)
def test_a_list_query_member_sets_exactly_its_filter(name, value, expected) -> None:
    assert a_list((name, value)) == ListQuery(where=expected, limit=10, offset=0, count=True)


def test_pages_become_an_offset() -> None:
    query = a_list(("page_no", "3"), ("page_size", "25"))
    assert (query.limit, query.offset) == (25, 50)


def test_a_span_of_exactly_a_day_is_taken() -> None:
    where = a_list(("start_time", "20260101080000"), ("end_time", "20260102080000")).where
    assert where.until_ms - where.since_ms == DAY_MS + 999


@pytest.mark.parametrize(
    "query",
    [
        (("page_no", "0"),),
        (("page_no", "x"),),
        (("page_no", "1000001"),),
        (("page_size", "0"),),
        (("page_size", "101"),),
        (("page_size", "1e9"),),
        (("page_size", "9" * 5000),),
        (("status", "DONE"),),
        (("start_time", "2026-01-01"),),
        (("start_time", "20261301000000"),),
        (("start_time", "00010101000000"),),
        (("end_time", "99991231235959"),),
        (("end_time", "2026010108000\u0660"),),
        (("start_time", "20260101080000"), ("end_time", "20260102080001")),
        (("start_time", "20260102080000"), ("end_time", "20260101080000")),
    ],
)
def test_a_bad_list_query_is_refused_by_its_name(query) -> None:
    with pytest.raises(CallerError) as caught:
        a_list(*query)
    assert caught.value.code is ErrorCode.FIELD_INVALID
    assert caught.value.field == query[-1][0]


def test_a_list_has_data_and_tasks() -> None:
    query = ListQuery(where=TaskFilter(), limit=2, offset=2, count=True)
    views = (TaskView(task=TASK), TaskView(task=unfinished(Status.QUEUED)))
    page = ListView(query=query, views=views, has_more=True, total=5)
    body = json.loads(DIALECT.render_list(page, a_call(Action.LIST)).body)
    assert {name: body[name] for name in ("total", "total_page", "page_no", "page_size")} == {
        "total": 5,
        "total_page": 3,
        "page_no": 2,
        "page_size": 2,
    }
    assert body["request_id"] == "r-1"
    assert body["data"][0] == {
        "api_key_id": "key",
        "caller_parent_id": "acc",
        "caller_uid": "acc",
        "gmt_create": 1_767_225_600_000,
        "start_time": 1_767_225_603_007,
        "end_time": 1_767_225_671_456,
        "region": "local",
        "request_id": TASK_ID,
        "status": "SUCCEEDED",
        "task_id": TASK_ID,
        "model_name": "wan2.5-t2v-preview",
        "user_api_unique_key": (
            "apikey:v1:aigc:video-generation:video-synthesis:wan2.5-t2v-preview"
        ),
    }
    assert "end_time" not in body["data"][1]
    assert [item["task_status"] for item in body["tasks"]] == ["SUCCEEDED", "PENDING"]


def test_every_prefix_has_every_route() -> None:
    for prefix in DEFAULT_PREFIXES:
        paths = {(r.method, r.path) for r in DIALECT.routes if r.path.startswith(f"{prefix}/api")}
        assert len(paths) == 7
    assert set(DIALECT.prefixes) == {f"{prefix}/api/v1" for prefix in DEFAULT_PREFIXES}


def test_the_prefixes_can_be_chosen() -> None:
    dialect = DashScope(prefixes=("/mine",))
    assert all(route.path.startswith("/mine/api/v1/") for route in dialect.routes)


@pytest.mark.parametrize(
    ("path", "headers", "key"),
    [
        ("/api/v1/tasks", {"authorization": "Bearer k"}, "k"),
        ("/api/v1/tasks", {"x-api-key": "c"}, None),
        ("/proxy/wan/api/v1/tasks", {"x-api-key": "c"}, "c"),
        ("/proxy/wan/api/v1/tasks", {"x-api-key": "c", "authorization": "Bearer k"}, "k"),
        ("/proxy/wan/api/v1/tasks", {"x-api-key": " "}, None),
    ],
)
def test_the_comfy_mount_also_takes_its_own_key_header(path, headers, key) -> None:
    route = next(r for r in DIALECT.routes if r.path == path)
    call = a_call(route.action, path=path, options=route.options, headers=headers)
    assert DIALECT.credential(call) == key


def test_the_error_table_is_complete() -> None:
    assert set(DIALECT.errors) == set(ErrorCode)


def test_the_watermark_is_the_seeds_text() -> None:
    assert DIALECT.house.watermark_text == "AI-generated"


def test_a_running_task_can_not_be_canceled_here() -> None:
    assert DIALECT.cancels_running is False
