"""What MuleRouter says: task objects, problem objects, trace headers (spec §C.3, §C.4)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from factories import VIDEO_URL, a_call, a_fault, a_task, a_view
from harness import Harness
from kinogate.dialects.base import TaskView
from kinogate.dialects.mulerouter import MuleRouter
from kinogate.domain.errors import CallerError, ErrorCode, KinogateError, field_invalid
from kinogate.domain.task import Status
from speakers import SPEAKERS

MULE = SPEAKERS["mulerouter"]
PATH = "/vendors/alibaba/v1/wan2.6-t2v/generation"
CALL = a_call("GET", f"{PATH}/x")
PUBLISHED_FAULTS = {3001, 3002, 3003, 3004, 3005, 4002, 4008}
HTTP = {
    ErrorCode.KEY_MISSING: (401, "Unauthorized", 1001),
    ErrorCode.KEY_INVALID: (401, "Unauthorized", 1001),
    ErrorCode.BALANCE_EMPTY: (402, "Payment Required", 1002),
    ErrorCode.PERMISSION_DENIED: (403, "Forbidden", 1003),
    ErrorCode.FIELD_INVALID: (400, "Bad Request", 2001),
    ErrorCode.FIELD_MISSING: (400, "Bad Request", 2001),
    ErrorCode.REQUEST_MALFORMED: (400, "Bad Request", 2001),
    ErrorCode.MODEL_UNKNOWN: (404, "Not Found", 2002),
    ErrorCode.TASK_UNKNOWN: (404, "Not Found", 2004),
    ErrorCode.BODY_TOO_LARGE: (413, "Content Too Large", 2005),
    ErrorCode.RATE_LIMITED: (429, "Too Many Requests", 2029),
    ErrorCode.INTERNAL: (500, "Internal Server Error", 4002),
    ErrorCode.UPSTREAM_FAILED: (502, "Bad Gateway", 3001),
}


def shown(view: TaskView) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(MuleRouter().render_task(view, CALL).body)
    return body


def test_a_completed_task_in_full() -> None:
    view = a_view(Status.SUCCEEDED)
    assert shown(view) == {
        "task_info": {
            "id": view.task.id,
            "status": "completed",
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:01:10Z",
        },
        "videos": [VIDEO_URL],
    }


def test_a_failed_task_in_full() -> None:
    view = a_view(Status.FAILED)
    assert shown(view) == {
        "task_info": {
            "id": view.task.id,
            "status": "failed",
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:40Z",
            "error": {
                "status": 500,
                "title": "Generation failed",
                "detail": "The engine stopped.",
                "error_code": 4002,
                "code": 4002,
            },
        }
    }


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_videos_and_error_are_left_out_while_it_goes_on(status: Status) -> None:
    body = shown(a_view(status))
    assert set(body) == {"task_info"}
    assert set(body["task_info"]) == {"id", "status", "created_at", "updated_at"}


@pytest.mark.parametrize("code", ErrorCode)
def test_a_fault_has_a_published_number(code: ErrorCode) -> None:
    error = shown(a_view(Status.FAILED, fault=a_fault(code)))["task_info"]["error"]
    assert error["error_code"] == error["code"]
    assert error["code"] in PUBLISHED_FAULTS
    assert 400 <= error["status"] < 600
    assert error["detail"]


def test_whose_fault_it_was_can_be_told() -> None:
    def number(code: ErrorCode) -> int:
        fault = a_fault(code)
        return int(shown(a_view(Status.FAILED, fault=fault))["task_info"]["error"]["code"])

    assert number(ErrorCode.ENGINE_FAILED) == 4002
    assert number(ErrorCode.TIMED_OUT) == 4008
    assert number(ErrorCode.UPSTREAM_FAILED) == 3001
    assert number(ErrorCode.MEDIA_DIMENSIONS) == 3003


def test_a_fault_names_the_member_in_this_dialect() -> None:
    fault = a_fault(ErrorCode.MEDIA_DIMENSIONS, message="Too small.", field="first_frame")
    error = shown(a_view(Status.FAILED, fault=fault))["task_info"]["error"]
    assert error["detail"] == "image: Too small."


def test_a_canceled_task_failed() -> None:
    info = shown(a_view(Status.CANCELED))["task_info"]
    assert info["status"] == "failed"
    assert info["error"]["detail"] == "The task was canceled."


def test_an_expired_result_has_no_videos() -> None:
    assert shown(TaskView(task=a_task(Status.SUCCEEDED), is_expired=True))["videos"] == []


@pytest.mark.parametrize("code", HTTP)
def test_http_errors_are_problems(code: ErrorCode) -> None:
    reply = MuleRouter().render_error(KinogateError(code, "No."), a_call("POST", PATH))
    status, title, number = HTTP[code]
    assert reply.status == status
    assert reply.content_type == "application/problem+json; charset=utf-8"
    assert json.loads(reply.body) == {
        "status": status,
        "title": title,
        "detail": "No.",
        "instance": PATH,
        "error_code": number,
    }


@pytest.mark.parametrize("code", ErrorCode)
def test_every_error_has_a_title(code: ErrorCode) -> None:
    body = json.loads(MuleRouter().render_error(KinogateError(code, "No."), CALL).body)
    assert body["title"]
    assert isinstance(body["error_code"], int)


def test_a_bad_field_is_taken_apart() -> None:
    reply = MuleRouter().render_error(field_invalid("first_frame", "Too small."), CALL)
    body = json.loads(reply.body)
    assert body["detail"] == "image: Too small."
    assert body["errors"] == [{"loc": ["image"], "msg": "Too small."}]


def test_an_unknown_task_shows_no_field_list() -> None:
    error = CallerError(ErrorCode.TASK_UNKNOWN, "There is no such task.", field="task_id")
    assert "errors" not in json.loads(MuleRouter().render_error(error, CALL).body)


TRACE = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01")


def test_every_reply_carries_a_trace_made_of_the_request_id(server: Harness) -> None:
    seen = []
    for request_id in ("r-1", "r-1", "r-2"):
        headers = {**server.auth(), "x-request-id": request_id}
        reply = server.client.post(PATH, headers=headers, json=MULE.body())
        assert reply.status_code == 202
        seen.append(reply.headers["traceparent"])
    assert all(TRACE.fullmatch(trace) for trace in seen)
    assert seen[0] == seen[1] != seen[2]
    task = server.last_task()
    polled = server.client.get(f"{PATH}/{task.id}", headers=server.auth())
    refused = server.client.post(PATH, json=MULE.body())
    assert TRACE.fullmatch(polled.headers["traceparent"])
    assert TRACE.fullmatch(refused.headers["traceparent"])


def test_a_task_can_be_asked_for_under_another_models_path(server: Harness) -> None:
    task = server.put(Status.RUNNING)
    path = f"/vendors/elsewhere/v1/wan2.2-i2v-plus/generation/{task.id}"
    assert server.client.get(path, headers=server.auth()).json()["task_info"]["id"] == task.id
    assert server.client.get(path, headers=server.auth("umbrella")).status_code == 404
