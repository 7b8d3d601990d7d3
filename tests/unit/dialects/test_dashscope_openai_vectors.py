"""Golden vectors of both dialects, run through dialect and decisions without server or store.

The vectors in `tests/wire/` are written for a whole server; this runs what is pure in them: route,
credential, parse, decide, render. Bodies of files (`/content`) are the acceptance tests' part.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from kinogate.dialects.base import (
    Action,
    Call,
    Dialect,
    FormField,
    ListView,
    Reply,
    Route,
    TaskView,
    unknown_task,
)
from kinogate.dialects.dashscope import DashScope
from kinogate.dialects.openai import OpenAI
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.errors import AccountError, CallerError, ErrorCode, KinogateError
from kinogate.domain.order import AudioMode, Mode, Role, ShotType
from kinogate.domain.resolution import Size, Tier
from kinogate.domain.task import Fault, Outcome, Plan, Status, Task
from kinogate.net import FetchPolicy, check_url
from kinogate.service.decide import decide

WIRE = Path(__file__).parents[2] / "wire"
DIALECTS: dict[str, Dialect] = {"dashscope": DashScope(), "openai": OpenAI()}
TASK_ID = "5f0c8a52-3c1e-4b7e-9b6b-0d9a3c1f7e22"
SHOWN = {"dashscope": TASK_ID, "openai": f"video_{TASK_ID.replace('-', '')}"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ACCOUNT_STATES = {
    "no_balance": ErrorCode.BALANCE_EMPTY,
    "rate_limited": ErrorCode.RATE_LIMITED,
}


def vectors() -> list[Any]:
    return [
        pytest.param(dialect, vector, id=vector["name"])
        for dialect in DIALECTS
        for path in sorted((WIRE / dialect).glob("*.json"))
        for vector in json.loads(path.read_text("utf-8"))
        if "json" in vector["response"]
    ]


@pytest.mark.parametrize(("name", "vector"), vectors())
def test_a_golden_vector_holds(name: str, vector: dict[str, Any]) -> None:
    text = json.dumps(vector).replace("{id}", SHOWN[name])
    vector = json.loads(text)
    expected = vector["response"]
    reply = answer(DIALECTS[name], vector["request"], vector["state"])
    assert reply.status == expected["status"], reply.body
    check(json.loads(reply.body), expected["json"], exact=expected.get("exact", False))
    headers = dict(reply.headers)
    for header, value in expected.get("headers", {}).items():
        check(headers.get(header), value, exact=True)


def answer(dialect: Dialect, request: dict[str, Any], state: str) -> Reply:
    """The reply of a server whose one task is in `state`."""
    call = read_call(request, state)
    try:
        route, params = match(dialect, call)
        call = replace(call, action=route.action, options=route.options, params=params)
        if dialect.credential(call) is None:
            raise AccountError(ErrorCode.KEY_MISSING, "No key.")
        return Handlers(dialect, call, a_task(state)).answer(state)
    except KinogateError as error:
        return dialect.render_error(error, call)


def read_call(request: dict[str, Any], state: str) -> Call:
    parts = urlsplit(request["path"])
    headers = {key.lower(): value for key, value in request.get("headers", {}).items()}
    if state != "no_auth":
        headers["authorization"] = "Bearer k-test"
    body = request["body"].encode() if "body" in request else b""
    if "json" in request:
        headers.setdefault("content-type", "application/json")
        body = json.dumps(request["json"], ensure_ascii=False).encode()
    form = None
    if "multipart" in request:
        headers["content-type"] = "multipart/form-data; boundary=x"
        form = tuple(
            FormField(name=part["name"], filename=part["filename"], data=b"\x89PNG")
            if "filename" in part
            else FormField(name=part["name"], value=part["value"])
            for part in request["multipart"]
        )
    return Call(
        method=request["method"],
        path=parts.path,
        query=tuple(parse_qsl(parts.query)),
        headers=headers,
        body=body,
        form=form,
        request_id="r-1",
    )


def match(dialect: Dialect, call: Call) -> tuple[Route, dict[str, str]]:
    path = call.path.rstrip("/")
    is_known = False
    for route in dialect.routes:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path)
        found = re.fullmatch(pattern, path)
        if found and route.method == call.method:
            return route, found.groupdict()
        is_known = is_known or found is not None
    code = ErrorCode.METHOD_NOT_ALLOWED if is_known else ErrorCode.ROUTE_UNKNOWN
    raise CallerError(code, "No route.")


@dataclass
class Handlers:
    """What the edge and the services do, for one task and without storing anything."""

    dialect: Dialect
    call: Call
    task: Task | None

    def answer(self, state: str) -> Reply:
        action = self.call.action
        if action is Action.CREATE:
            return self.create(state)
        if action is Action.LIST:
            return self.list()
        task = self.task
        if task is None or self.dialect.parse_ref(self.call) != task.id:
            raise unknown_task()
        view = a_view(task)
        if action is Action.GET:
            return self.dialect.render_task(view, self.call)
        if action is Action.CANCEL and task.status is Status.QUEUED:
            return self.dialect.render_canceled(view, self.call)
        if action is Action.CANCEL:
            raise CallerError(ErrorCode.TASK_NOT_CANCELABLE, "Too late.")
        if action is Action.DELETE:
            return self.dialect.render_deleted(view, self.call)
        assert action is Action.CONTENT
        assert not task.status.is_final
        raise CallerError(ErrorCode.RESULT_NOT_READY, "Not yet.")

    def create(self, state: str) -> Reply:
        request = self.dialect.parse_create(self.call).request
        decision = decide(request, self.dialect.house, CATALOGUE, fresh_seed=1)
        if state in ACCOUNT_STATES:
            raise AccountError(ACCOUNT_STATES[state], "No.", retry_after_s=1)
        for item in request.media:
            if item.text is not None and item.role is not Role.AUDIO:
                check_url(item.text, FetchPolicy())
        queued = a_task("queued")
        assert queued is not None
        model = request.model or decision.spec.name
        task = replace(queued, plan=decision.plan, model=model)
        return self.dialect.render_created(TaskView(task=task), self.call)

    def list(self) -> Reply:
        query = self.dialect.parse_list(self.call)
        tasks = (self.task,) if self.task is not None else ()
        page = ListView(
            query=query,
            views=tuple(a_view(task) for task in tasks),
            has_more=False,
            total=len(tasks) if query.count else None,
        )
        return self.dialect.render_list(page, self.call)


def a_task(state: str) -> Task | None:
    if state not in {status.value for status in Status}:
        return None
    status = Status(state)
    succeeded = status is Status.SUCCEEDED
    plan = Plan(
        model="wan2.6-t2v",
        mode=Mode.T2V,
        prompt="a cat",
        negative_prompt="",
        size=Size(width=1280, height=720),
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
    outcome = Outcome(
        blob_key="b",
        size_bytes=1,
        width=1280,
        height=720,
        fps=30,
        frame_count=150,
        duration_s=5.0,
        has_audio=True,
        actual_prompt="a cat",
        fingerprint="x",
    )
    return Task(
        id=TASK_ID,
        account_id="acc",
        key_id="key",
        dialect="dashscope",
        model="wan2.6-t2v",
        status=status,
        plan=plan,
        outcome=outcome if succeeded else None,
        fault=Fault(code=ErrorCode.ENGINE_FAILED, message="It broke.")
        if status is Status.FAILED
        else None,
        created_ms=1_767_225_600_000,
        updated_ms=1_767_225_600_000,
        started_ms=None if status is Status.QUEUED else 1_767_225_601_000,
        finished_ms=1_767_225_671_000 if status.is_final else None,
        expires_ms=1_767_312_071_000 if succeeded else None,
    )


def a_view(task: Task) -> TaskView:
    succeeded = task.status is Status.SUCCEEDED
    return TaskView(task=task, video_url="https://files.example.com/a.mp4" if succeeded else None)


MATCHERS = {
    "$uuid": lambda value: isinstance(value, str) and UUID.fullmatch(value) is not None,
    "$str": lambda value: isinstance(value, str) and value != "",
    "$int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "$num": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "$url": lambda value: isinstance(value, str) and value.startswith("http"),
    "$any": lambda value: True,
}


def check(found: object, expected: object, *, exact: bool) -> None:
    if isinstance(expected, str) and expected in MATCHERS:
        assert MATCHERS[expected](found), (found, expected)
    elif isinstance(expected, dict):
        assert isinstance(found, dict)
        assert set(found) == set(expected) if exact else set(found) >= set(expected)
        for name, value in expected.items():
            check(found[name], value, exact=exact)
    elif isinstance(expected, list):
        assert isinstance(found, list)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            check(one, other, exact=exact)
    else:
        assert found == expected
