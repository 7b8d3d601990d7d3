"""What Vtrix says: both status layers, money, its five codes, waiting and streaming (spec §B)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from factories import START_MS, VIDEO_URL, a_call, a_fault, a_task, a_view, an_outcome
from harness import Harness
from kinogate.dialects.base import TaskView
from kinogate.dialects.vtrix import Vtrix
from kinogate.domain.errors import ErrorCode, KinogateError
from kinogate.domain.task import Status, Task
from speakers import SPEAKERS

VTRIX = SPEAKERS["vtrix"]
CALL = a_call("GET", "/model/v1/generation/task/x")

# Seed 003's table: 095 generation, 096 result, 097 HTTP error, 098 status check, 099 creation.
FAULT_CODES = {
    ErrorCode.ENGINE_FAILED: "001027095",
    ErrorCode.INTERNAL: "001027095",
    ErrorCode.UNAVAILABLE: "001027095",
    ErrorCode.RESULT_INVALID: "001027096",
    ErrorCode.UPSTREAM_FAILED: "001027097",
    ErrorCode.UPSTREAM_REFUSED: "001027097",
    ErrorCode.SUBMIT_AMBIGUOUS: "001027097",
    ErrorCode.TIMED_OUT: "001027098",
}
HTTP_CODES = {
    ErrorCode.KEY_MISSING: (401, "401"),
    ErrorCode.KEY_INVALID: (401, "401"),
    ErrorCode.BALANCE_EMPTY: (402, "402"),
    ErrorCode.PERMISSION_DENIED: (403, "403"),
    ErrorCode.TASK_UNKNOWN: (404, "404"),
    ErrorCode.ROUTE_UNKNOWN: (404, "404"),
    ErrorCode.BODY_TOO_LARGE: (413, "413"),
    ErrorCode.RATE_LIMITED: (429, "429"),
    ErrorCode.QUOTA_EXCEEDED: (429, "429"),
    ErrorCode.FIELD_INVALID: (400, "001027099"),
    ErrorCode.FIELD_MISSING: (400, "001027099"),
    ErrorCode.MODEL_UNKNOWN: (400, "001027099"),
    ErrorCode.MEDIA_DIMENSIONS: (400, "001027099"),
    ErrorCode.UPSTREAM_FAILED: (502, "001027099"),
    ErrorCode.INTERNAL: (500, "001027095"),
}


def shown(view: TaskView) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(Vtrix().render_task(view, CALL).body)
    return body


def test_a_completed_task_in_full() -> None:
    view = a_view(Status.SUCCEEDED, model="wan26_i2v")
    assert shown(view) == {
        "id": view.task.id,
        "status": "completed",
        "model": "wan26_i2v",
        "created_at": START_MS // 1000,
        "progress": 1,
        "metadata": {},
        "output": [
            {
                "status": "done",
                "content": [{"type": "video", "url": VIDEO_URL, "jobId": view.task.id}],
                "metadata": {"width": 1280, "height": 720, "fps": 30},
            }
        ],
        "usage": {"cost": "0.5000", "discount": 0, "quantity": 5, "unit_price": "0.1000"},
    }


def test_a_failed_task_in_full() -> None:
    view = a_view(Status.FAILED)
    body = shown(view)
    assert body == {
        "id": view.task.id,
        "status": "failed",
        "model": "wan2.6-t2v",
        "created_at": START_MS // 1000,
        "progress": 0.4,
        "metadata": {},
        "error": {
            "code": "001027095",
            "message": "The engine stopped.",
            "error_message": "The engine stopped.",
        },
    }


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_output_usage_and_error_are_left_out_while_it_goes_on(status: Status) -> None:
    body = shown(a_view(status))
    assert set(body) == {"id", "status", "model", "created_at", "progress", "metadata"}
    assert 0 <= body["progress"] < 1


@pytest.mark.parametrize("code", ErrorCode)
def test_a_fault_has_one_of_the_five_codes(code: ErrorCode) -> None:
    body = shown(a_view(Status.FAILED, fault=a_fault(code)))
    assert body["error"]["code"] == FAULT_CODES.get(code, "001027099")
    assert "output" not in body


def test_a_canceled_task_failed_with_the_creation_code() -> None:
    body = shown(a_view(Status.CANCELED))
    assert body["status"] == "failed"
    assert body["error"]["code"] == "001027099"
    assert body["error"]["message"] == "The task was canceled."


def test_an_expired_result_is_completed_without_content() -> None:
    task = a_task(Status.SUCCEEDED)
    body = shown(TaskView(task=task, is_expired=True))
    assert body["status"] == "completed"
    assert body["output"][0]["content"] == []


@pytest.mark.parametrize(
    ("cost", "seconds", "usage"),
    [
        (0, 5.0, {"cost": "0.0000", "quantity": 5, "unit_price": "0.0000"}),
        (187_500, 5.0, {"cost": "0.1875", "quantity": 5, "unit_price": "0.0375"}),
        (1_500_000, 15.0, {"cost": "1.5000", "quantity": 15, "unit_price": "0.1000"}),
        (50_000, 0.25, {"cost": "0.0500", "quantity": 1, "unit_price": "0.0500"}),
    ],
)
def test_cost_is_text_and_quantity_times_price(
    cost: int, seconds: float, usage: dict[str, object]
) -> None:
    outcome = an_outcome(duration_s=seconds)
    body = shown(a_view(Status.SUCCEEDED, cost_micro=cost, outcome=outcome))
    assert body["usage"] == {**usage, "discount": 0}


@pytest.mark.parametrize("code", HTTP_CODES)
def test_http_errors_have_their_number_or_the_creation_code(code: ErrorCode) -> None:
    error = KinogateError(code, "No.", retry_after_s=3 if code is ErrorCode.RATE_LIMITED else None)
    reply = Vtrix().render_error(error, CALL)
    assert (reply.status, json.loads(reply.body)["error"]["code"]) == HTTP_CODES[code]
    assert json.loads(reply.body) == {
        "error": {"code": HTTP_CODES[code][1], "message": "No."},
        "message": "No.",
    }


def test_waiting_in_vain_keeps_the_id(server: Harness) -> None:
    reply = server.client.post(
        "/model/v1/generation/sync", headers=server.auth(), json=VTRIX.body()
    )
    task = server.last_task()
    assert reply.status_code == 504
    assert reply.json()["id"] == task.id
    assert reply.json()["status"] == "in_progress"
    assert reply.json()["error"]["code"] == "SYNC_TIMEOUT"


def test_a_refused_waiting_call_is_no_timeout(server: Harness) -> None:
    reply = server.client.post(
        "/model/v1/generation/sync", headers=server.auth(), json=VTRIX.body(seed=-1)
    )
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "001027099"


@pytest.mark.parametrize(
    ("status", "last"),
    [(Status.SUCCEEDED, "done"), (Status.FAILED, "error"), (Status.CANCELED, "error")],
)
def test_a_stream_ends_with_done_or_error(server: Harness, status: Status, last: str) -> None:
    task = server.put(status)
    path = f"/model/v1/generation/task/{task.id}/stream?cursor=0"
    reply = server.client.get(path, headers=server.auth())
    assert reply.headers["content-type"].startswith("text/event-stream")
    *_, event = reply.text.strip().split("\n\n")
    name, data = event.split("\n")
    assert name == f"event: {last}"
    assert json.loads(data.removeprefix("data: "))["id"] == task.id


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_a_task_that_goes_on_streams_output(status: Status) -> None:
    view = a_view(status)
    name, data = Vtrix().render_event(view, CALL)
    assert name == "output"
    assert json.loads(data) == shown(view)


def test_the_request_id_is_echoed(server: Harness) -> None:
    headers = {**server.auth(), "x-request-id": "mine-1", "x-project": "p", "x-source": "s"}
    reply = server.client.post(VTRIX.create, headers=headers, json=VTRIX.body())
    assert reply.status_code == 200
    assert reply.headers["x-request-id"] == "mine-1"


def test_the_model_list_names_what_can_be_asked_for(server: Harness) -> None:
    reply = server.client.get("/api/v1/skill/models", headers=server.auth())
    body = reply.json()
    assert body["status"] == {"code": 200, "message": "ok"}
    assert {"model_id", "name", "vendor", "type"} <= set(body["data"][0])
    assert "wan2.6-i2v" in [entry["model_id"] for entry in body["data"]]


def test_a_models_sheet_holds_its_limits_in_this_dialect(server: Harness) -> None:
    reply = server.client.get("/api/v1/skill/models/wan26_i2v/spec", headers=server.auth())
    data = reply.json()["data"]
    by_path = {parameter["path"]: parameter for parameter in data["parameters"]}
    assert data["api"]["endpoint"] == "/model/v1/generation"
    assert by_path["input.img_url"]["required"] is True
    assert by_path["input.prompt"]["constraints"] == {"max_length": 1500}
    assert by_path["parameters.resolution"]["constraints"] == {
        "enum": ["720P", "1080P"],
        "default": "1080P",
    }
    assert by_path["parameters.duration"]["constraints"]["enum"] == list(range(2, 16))
    assert by_path["parameters.audio"]["constraints"] == {"default": True}


def test_the_sheet_of_an_unknown_model_is_refused(server: Harness) -> None:
    reply = server.client.get("/api/v1/skill/models/nope/spec", headers=server.auth())
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "001027099"


def test_a_stream_of_a_task_deleted_meanwhile_ends_with_error(server: Harness) -> None:
    task = server.put(Status.RUNNING)
    store_get, calls = server.store.get, itertools.count()

    async def get(account_id: str, task_id: str) -> Task | None:
        return await store_get(account_id, task_id) if next(calls) == 0 else None

    server.store.get = get  # type: ignore[method-assign]
    path = f"/model/v1/generation/task/{task.id}/stream"
    events = server.client.get(path, headers=server.auth()).text.strip().split("\n\n")
    assert events[0].startswith("event: output\n")
    name, data = events[-1].split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["error"]["code"] == "404"
