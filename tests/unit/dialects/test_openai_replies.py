"""OpenAI replies: the video object in every state, pages, receipts, the error envelope."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kinogate.dialects.base import Action, Call, ListQuery, ListView, TaskView
from kinogate.dialects.openai import OpenAI
from kinogate.domain.errors import AccountError, CallerError, ErrorCode, KinogateError
from kinogate.domain.order import AudioMode, Mode, ShotType
from kinogate.domain.ports import TaskFilter
from kinogate.domain.resolution import Size, Tier
from kinogate.domain.task import Fault, Outcome, Plan, Status, Task

DIALECT = OpenAI()
TASK_ID = "5f0c8a52-3c1e-4b7e-9b6b-0d9a3c1f7e21"
OTHER_ID = "0b6f3f6e-6a55-4b0e-9c0e-1f1f9f2a7c11"
SHOWN_ID = "video_5f0c8a523c1e4b7e9b6b0d9a3c1f7e21"
VIDEO = "https://files.example.com/v/5f0c8a52.mp4?sig=abc"
POSTER = "https://files.example.com/v/5f0c8a52.jpg?sig=abc"

PLAN = Plan(
    model="wan2.5-t2v-preview",
    mode=Mode.T2V,
    prompt="a cat",
    negative_prompt="",
    size=Size(width=1280, height=720),
    tier=Tier.P720,
    duration_s=5,
    fps=24,
    audio=AudioMode.AUTO,
    is_extendable=True,
    shot_type=ShotType.SINGLE,
    watermark=None,
    seed=7,
    house="openai",
)
OUTCOME = Outcome(
    blob_key="b",
    size_bytes=1000,
    width=1280,
    height=720,
    fps=24,
    frame_count=120,
    duration_s=5.0,
    has_audio=True,
    actual_prompt="a cat in the sun",
    fingerprint="preview/1",
)
QUEUED = Task(
    id=TASK_ID,
    account_id="acc",
    key_id="key",
    dialect="openai",
    model="wan2.5-t2v-preview",
    status=Status.QUEUED,
    plan=PLAN,
    created_ms=1_767_225_600_999,
    updated_ms=1_767_225_600_999,
)
RUNNING = replace(QUEUED, status=Status.RUNNING, progress=0.42, started_ms=1_767_225_601_000)
DONE = replace(
    RUNNING,
    status=Status.SUCCEEDED,
    progress=1.0,
    outcome=OUTCOME,
    cost_micro=250_000,
    finished_ms=1_767_225_671_456,
    expires_ms=1_767_312_071_456,
)
FAILED = replace(
    RUNNING,
    status=Status.FAILED,
    finished_ms=1_767_225_671_456,
    fault=Fault(code=ErrorCode.ENGINE_FAILED, message="No frames came out."),
)


def a_call(action: Action | None = Action.GET, **changes: object) -> Call:
    values: dict[str, object] = {
        "method": "GET",
        "path": f"/v1/videos/{SHOWN_ID}",
        "action": action,
        "params": {"task_id": SHOWN_ID},
    }
    return Call(**(values | changes))  # type: ignore[arg-type]


def shown(task: Task, **view: object) -> dict[str, object]:
    reply = DIALECT.render_task(TaskView(task=task, **view), a_call())  # type: ignore[arg-type]
    assert reply.status == 200
    return json.loads(reply.body)


def test_a_created_video_is_queued() -> None:
    reply = DIALECT.render_created(TaskView(task=QUEUED), a_call(Action.CREATE))
    assert reply.status == 200
    assert json.loads(reply.body) == {
        "id": SHOWN_ID,
        "object": "video",
        "model": "wan2.5-t2v-preview",
        "status": "queued",
        "progress": 0,
        "created_at": 1_767_225_600,
        "completed_at": None,
        "expires_at": None,
        "seconds": "5",
        "size": "1280x720",
        "prompt": "a cat",
        "remixed_from_video_id": None,
        "error": None,
        "task_id": SHOWN_ID,
    }


def test_a_completed_video_in_full() -> None:
    assert shown(DONE, video_url=VIDEO, poster_url=POSTER) == {
        "id": SHOWN_ID,
        "object": "video",
        "model": "wan2.5-t2v-preview",
        "status": "completed",
        "progress": 100,
        "created_at": 1_767_225_600,
        "completed_at": 1_767_225_671,
        "expires_at": 1_767_312_071,
        "seconds": "5",
        "size": "1280x720",
        "prompt": "a cat",
        "remixed_from_video_id": None,
        "error": None,
        "task_id": SHOWN_ID,
        "video_url": VIDEO,
        "url": VIDEO,
        "thumbnail_url": POSTER,
        "usage": {"duration_seconds": 5.0, "cost": 0.25},
    }


def test_a_running_video_shows_whole_percents() -> None:
    video = shown(RUNNING)
    assert (video["status"], video["progress"]) == ("in_progress", 42)


@pytest.mark.parametrize(
    ("task", "paced"),
    [
        (QUEUED, True),
        (RUNNING, True),
        (DONE, False),
        (FAILED, False),
        (replace(FAILED, status=Status.CANCELED), False),
    ],
)
def test_only_an_unfinished_video_sets_the_pace_of_polling(task, paced) -> None:
    reply = DIALECT.render_task(TaskView(task=task), a_call())
    assert reply.headers == ((("openai-poll-after-ms", "1000"),) if paced else ())


def test_a_failed_video_is_a_200_with_an_error() -> None:
    video = shown(FAILED)
    assert video["status"] == "failed"
    assert video["progress"] == 42
    assert video["error"] == {"code": "server_error", "message": "No frames came out."}


def test_a_late_media_fault_names_the_member_as_sent() -> None:
    fault = Fault(code=ErrorCode.MEDIA_UNREACHABLE, message="No answer.", field="first_frame")
    error = shown(replace(FAILED, fault=fault))["error"]
    assert error == {"code": "invalid_value", "message": "input_reference: No answer."}


def test_a_canceled_video_is_failed_with_the_code_canceled() -> None:
    video = shown(replace(RUNNING, status=Status.CANCELED, finished_ms=1_767_225_671_456))
    assert video["status"] == "failed"
    assert video["error"] == {"code": "canceled", "message": "The task was canceled."}


def test_an_expired_video_is_completed_without_a_url() -> None:
    video = shown(DONE, is_expired=True)
    assert video["status"] == "completed"
    assert "video_url" not in video
    assert "url" not in video


def test_metadata_and_origin_come_back() -> None:
    plan = replace(PLAN, metadata=(("k", "v"),))
    video = shown(replace(QUEUED, plan=plan, remixed_from=OTHER_ID))
    assert video["metadata"] == {"k": "v"}
    assert video["remixed_from_video_id"] == "video_0b6f3f6e6a554b0e9c0e1f1f9f2a7c11"


@pytest.mark.parametrize(
    ("task", "size"),
    [
        (replace(QUEUED, plan=replace(PLAN, size=None, tier=Tier.P480)), "832x480"),
        (replace(QUEUED, plan=replace(PLAN, size=None, tier=Tier.P1080)), "1920x1080"),
        (replace(DONE, outcome=replace(OUTCOME, width=816, height=1104)), "816x1104"),
    ],
)
def test_size_is_measured_or_planned_or_the_tiers_own(task, size) -> None:
    assert shown(task)["size"] == size


@pytest.mark.parametrize(("outcome", "seconds"), [(None, "0"), (OUTCOME, "5")])
def test_seconds_that_a_sound_decides_are_zero_until_known(outcome, seconds) -> None:
    task = replace(DONE, outcome=outcome, plan=replace(PLAN, duration_s=0))
    assert shown(task)["seconds"] == seconds


@pytest.mark.parametrize("text", [SHOWN_ID, TASK_ID, TASK_ID.replace("-", "")])
def test_any_spelling_of_an_id_is_found(text) -> None:
    assert DIALECT.parse_ref(a_call(params={"task_id": text})) == TASK_ID


@pytest.mark.parametrize("text", ["video_", "video_xyz", "edits", f"{{{TASK_ID}}}"])
def test_an_id_of_another_form_is_a_404(text) -> None:
    call = a_call(params={"task_id": text})
    with pytest.raises(CallerError) as caught:
        DIALECT.parse_ref(call)
    reply = DIALECT.render_error(caught.value, call)
    assert reply.status == 404
    assert json.loads(reply.body)["error"]["code"] == "not_found"


def a_list(*query: tuple[str, str]) -> ListQuery:
    return DIALECT.parse_list(a_call(Action.LIST, params={}, query=query))


@pytest.mark.parametrize(
    ("query", "change"),
    [
        ((), {}),
        ((("limit", "1"),), {"limit": 1}),
        ((("limit", "100"),), {"limit": 100}),
        ((("order", "asc"),), {"ascending": True}),
        ((("order", "desc"),), {}),
        ((("after", SHOWN_ID),), {"after": TASK_ID}),
        ((("after", "nobody"),), {"after": "nobody"}),
        ((("after", ""),), {}),
        ((("colour", "red"),), {}),
    ],
)
def test_a_list_query_member_sets_exactly_its_own(query, change) -> None:
    assert a_list(*query) == replace(ListQuery(where=TaskFilter(), limit=20), **change)


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "101"), ("limit", "x"), ("limit", "-1"), ("order", "up")],
)
def test_a_bad_list_query_is_refused_by_its_name(name, value) -> None:
    with pytest.raises(CallerError) as caught:
        a_list((name, value))
    assert (caught.value.code, caught.value.field) == (ErrorCode.FIELD_INVALID, name)


def test_a_page_has_the_ids_to_page_by() -> None:
    views = (TaskView(task=DONE, video_url=VIDEO), TaskView(task=replace(QUEUED, id=OTHER_ID)))
    page = ListView(query=a_list(), views=views, has_more=True)
    body = json.loads(DIALECT.render_list(page, a_call(Action.LIST)).body)
    assert body["object"] == "list"
    assert [video["id"] for video in body["data"]] == [body["first_id"], body["last_id"]]
    assert body["first_id"] == SHOWN_ID
    assert body["has_more"] is True
    assert body["data"][0]["url"] == VIDEO


def test_an_empty_page_has_no_ids() -> None:
    page = ListView(query=a_list(), views=(), has_more=False)
    assert json.loads(DIALECT.render_list(page, a_call(Action.LIST)).body) == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_a_deletion_is_receipted() -> None:
    reply = DIALECT.render_deleted(TaskView(task=DONE), a_call(Action.DELETE))
    assert (reply.status, json.loads(reply.body)) == (
        200,
        {"id": SHOWN_ID, "object": "video.deleted", "deleted": True},
    )


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        (
            CallerError(ErrorCode.FIELD_INVALID, "Must be 5.", field="duration"),
            400,
            ("invalid_request_error", "seconds", "invalid_value"),
        ),
        (
            CallerError(ErrorCode.FIELD_MISSING, "This field is required.", field="prompt"),
            400,
            ("invalid_request_error", "prompt", "invalid_value"),
        ),
        (
            CallerError(ErrorCode.MODEL_UNKNOWN, "No.", field="model"),
            400,
            ("invalid_request_error", "model", "model_not_found"),
        ),
        (
            CallerError(ErrorCode.RESULT_NOT_READY, "Not yet."),
            404,
            ("invalid_request_error", None, "video_not_ready"),
        ),
        (
            CallerError(ErrorCode.RESULT_FAILED, "No."),
            400,
            ("invalid_request_error", None, "video_failed"),
        ),
        (
            CallerError(ErrorCode.FEATURE_UNSUPPORTED, "No."),
            400,
            ("invalid_request_error", None, "unsupported_feature"),
        ),
        (
            CallerError(ErrorCode.BODY_TOO_LARGE, "No."),
            413,
            ("invalid_request_error", None, "request_too_large"),
        ),
        (
            AccountError(ErrorCode.KEY_MISSING, "No."),
            401,
            ("invalid_request_error", None, "invalid_api_key"),
        ),
        (
            AccountError(ErrorCode.BALANCE_EMPTY, "No."),
            402,
            ("insufficient_quota", None, "insufficient_quota"),
        ),
        (
            AccountError(ErrorCode.PERMISSION_DENIED, "No."),
            403,
            ("permission_error", None, "model_not_allowed"),
        ),
        (
            AccountError(ErrorCode.RATE_LIMITED, "No.", retry_after_s=3),
            429,
            ("rate_limit_error", None, "rate_limit_exceeded"),
        ),
        (KinogateError(ErrorCode.INTERNAL, "No."), 500, ("server_error", None, "server_error")),
        (
            KinogateError(ErrorCode.UPSTREAM_FAILED, "No."),
            502,
            ("server_error", None, "upstream_error"),
        ),
    ],
)
def test_an_error_in_the_vendors_envelope(error, status, expected) -> None:
    reply = DIALECT.render_error(error, a_call(Action.CREATE))
    body = json.loads(reply.body)
    assert reply.status == status
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert tuple(body["error"][name] for name in ("type", "param", "code")) == expected


@pytest.mark.parametrize("code", list(ErrorCode))
@pytest.mark.parametrize("action", [None, Action.CREATE, Action.GET])
def test_every_error_renders_everywhere(code, action) -> None:
    reply = DIALECT.render_error(KinogateError(code, "Words."), a_call(action, params={}))
    error = json.loads(reply.body)["error"]
    assert reply.status >= 400
    assert error["code"]
    assert error["message"] == "Words."


@pytest.mark.parametrize("code", list(ErrorCode))
def test_the_sdk_is_told_not_to_repeat_conflicts_and_quotas(code) -> None:
    reply = DIALECT.render_error(AccountError(code, "No."), a_call(Action.CREATE))
    expected = reply.status == 409 or code is ErrorCode.QUOTA_EXCEEDED
    assert (("x-should-retry", "false") in reply.headers) is expected


def test_a_rate_limit_says_when_to_come_back() -> None:
    error = AccountError(ErrorCode.RATE_LIMITED, "No.", retry_after_s=3)
    assert ("retry-after", "3") in DIALECT.render_error(error, a_call(Action.CREATE)).headers


def test_the_error_table_is_complete() -> None:
    assert set(DIALECT.errors) == set(ErrorCode)


def test_named_paths_come_before_the_id() -> None:
    posts = [route.path for route in DIALECT.routes if route.method == "POST"]
    named = [f"/v1/videos/{name}" for name in ("edits", "extensions", "characters")]
    assert max(posts.index(path) for path in named) < posts.index("/v1/videos/{task_id}/remix")
    gets = [route.path for route in DIALECT.routes if route.method == "GET"]
    characters = gets.index("/v1/videos/characters/{character_id}")
    assert characters < gets.index("/v1/videos/{task_id}")


def test_a_video_takes_the_dialects_defaults() -> None:
    assert DIALECT.house.default_model == "wan2.6-t2v"
    assert DIALECT.house.default_image_model == "wan2.6-i2v"
    assert DIALECT.house.default_duration_s == 4
    assert DIALECT.house.default_size == Size(width=720, height=1280)
