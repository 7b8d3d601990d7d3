"""Each dialect as a caller without an SDK writes it: one short clip, its poll, its errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from live import TRACES, polls

PROMPT = "A lighthouse by the sea"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One dialect.

    Attributes:
        create: Path of the create call.
        body: A body that is accepted: 832×480, five seconds, no sound.
        poll: Path of the query, with `{id}`.
        id_of: The task's id in a create reply.
        status_of: The status in a query reply.
        words: What queued, running, succeeded and failed are called.
        reason_of: Code and message of a failed task's query reply.
        is_error: Whether a refusal's body has the dialect's shape, given the status.
        code_of: A refusal's code.
        headers: Sent with every create call.
    """

    name: str
    create: str
    body: Json
    poll: str
    id_of: Callable[[Json], str]
    status_of: Callable[[Json], str]
    words: tuple[str, str, str, str]
    reason_of: Callable[[Json], tuple[object, str]]
    is_error: Callable[[Json, int], bool]
    code_of: Callable[[Json], object]
    headers: Mapping[str, str] = field(default_factory=dict)

    def submit(self, client: httpx2.Client, **headers: str) -> httpx2.Response:
        """Send the body as JSON; `_` in a header's name stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(self.create, json=self.body, headers={**self.headers, **named})

    def start(self, client: httpx2.Client, **headers: str) -> str:
        """Submit and return the id."""
        reply = self.submit(client, **headers)
        assert reply.is_success, reply.text
        return self.id_of(reply.json())

    def look(self, client: httpx2.Client, task_id: str) -> Json:
        """Poll once."""
        reply = client.get(self.poll.format(id=task_id))
        assert reply.status_code == 200, reply.text
        found: Json = reply.json()
        return found

    def await_end(self, client: httpx2.Client, task_id: str, seconds: float = 60.0) -> Json:
        """Poll until the task has ended."""
        for _ in polls(seconds):
            found = self.look(client, task_id)
            if self.status_of(found) in self.words[2:]:
                return found
        raise AssertionError


def _texts(value: Json, *names: str) -> bool:
    return all(isinstance(value.get(name), str) and value[name] for name in names)


def _unified_error(body: Json, status: int) -> bool:
    inner = body.get("error")
    return (
        _texts(body, "code", "message")
        and isinstance(inner, dict)
        and _texts(inner, "message", "type", "code")
        and (inner["code"], inner["message"]) == (body["code"], body["message"])
        and body["data"] is None
    )


def _problem(body: Json, status: int) -> bool:
    return body.get("status") == status and _texts(body, "title", "detail", "instance")


UNIFIED = Wire(
    name="unified",
    create="/v2/videos/generations",
    body={"model": "wan2.2-t2v-plus", "prompt": PROMPT, "size": "832*480"},
    poll="/v2/videos/generations/{id}",
    id_of=lambda reply: str(reply["task_id"]),
    status_of=lambda reply: str(reply["status"]),
    words=("NOT_START", "IN_PROGRESS", "SUCCESS", "FAILURE"),
    reason_of=lambda reply: (None, reply["fail_reason"]),
    is_error=_unified_error,
    code_of=lambda body: body["code"],
)
DASHSCOPE = Wire(
    name="dashscope",
    create="/api/v1/services/aigc/video-generation/video-synthesis",
    body={
        "model": "wan2.2-t2v-plus",
        "input": {"prompt": PROMPT},
        "parameters": {"size": "832*480"},
    },
    poll="/api/v1/tasks/{id}",
    id_of=lambda reply: str(reply["output"]["task_id"]),
    status_of=lambda reply: str(reply["output"]["task_status"]),
    words=("PENDING", "RUNNING", "SUCCEEDED", "FAILED"),
    reason_of=lambda reply: (reply["output"]["code"], reply["output"]["message"]),
    is_error=lambda body, _: _texts(body, "code", "message", "request_id"),
    code_of=lambda body: body["code"],
    headers={"x-dashscope-async": "enable"},
)
VTRIX = Wire(
    name="vtrix",
    create="/model/v1/generation",
    body={
        "model": "wan22_t2v_plus",
        "input": {"prompt": PROMPT},
        "parameters": {"size": "832*480"},
    },
    poll="/model/v1/generation/task/{id}",
    id_of=lambda reply: str(reply["id"]),
    status_of=lambda reply: str(reply["status"]),
    words=("in_progress", "in_progress", "completed", "failed"),
    reason_of=lambda reply: (reply["error"]["code"], reply["error"]["message"]),
    is_error=lambda body, _: _texts(body, "message") and _texts(body["error"], "code", "message"),
    code_of=lambda body: body["error"]["code"],
)
MULEROUTER = Wire(
    name="mulerouter",
    create="/vendors/alibaba/v1/wan2.2-t2v-plus/generation",
    body={"prompt": PROMPT, "size": "832*480"},
    poll="/vendors/alibaba/v1/wan2.2-t2v-plus/generation/{id}",
    id_of=lambda reply: str(reply["task_info"]["id"]),
    status_of=lambda reply: str(reply["task_info"]["status"]),
    words=("pending", "processing", "completed", "failed"),
    reason_of=lambda reply: (
        reply["task_info"]["error"]["error_code"],
        reply["task_info"]["error"]["detail"],
    ),
    is_error=lambda body, status: _problem(body, status) and isinstance(body["error_code"], int),
    code_of=lambda body: body["error_code"],
)
OPENAI = Wire(
    name="openai",
    create="/v1/videos",
    body={"model": "wan2.2-t2v-plus", "prompt": PROMPT, "size": "832x480", "seconds": "5"},
    poll="/v1/videos/{id}",
    id_of=lambda reply: str(reply["id"]),
    status_of=lambda reply: str(reply["status"]),
    words=("queued", "in_progress", "completed", "failed"),
    reason_of=lambda reply: (reply["error"]["code"], reply["error"]["message"]),
    is_error=lambda body, _: (
        set(body["error"]) == {"message", "type", "param", "code"}
        and _texts(body["error"], "message", "type", "code")
    ),
    code_of=lambda body: body["error"]["code"],
)
NATIVE = Wire(
    name="native",
    create="/kinogate/v1/tasks",
    body={"model": "wan2.2-t2v-plus", "prompt": PROMPT, "size": "832*480"},
    poll="/kinogate/v1/tasks/{id}",
    id_of=lambda reply: str(reply["id"]),
    status_of=lambda reply: str(reply["status"]),
    words=("queued", "running", "succeeded", "failed"),
    reason_of=lambda reply: (reply["error"]["code"], reply["error"]["message"]),
    is_error=lambda body, status: _problem(body, status) and _texts(body, "code", "request_id"),
    code_of=lambda body: body["code"],
)
WIRES = (UNIFIED, DASHSCOPE, VTRIX, MULEROUTER, OPENAI, NATIVE)


def task_count(client: httpx2.Client) -> int:
    """How many tasks the account has, as DashScope's list counts them."""
    return int(client.get("/api/v1/tasks", params={"page_size": 1}).json()["total"])


def check_refusal(reply: httpx2.Response, wire: Wire, statuses: tuple[int, ...] = ()) -> None:
    """A refusal that is the caller's fault, in the dialect's words, with nothing of ours in it."""
    told = f"{reply.status_code}: {reply.text[:500]}"
    assert 400 <= reply.status_code < 500, told
    assert not statuses or reply.status_code in statuses, told
    assert reply.headers["x-request-id"]
    assert "json" in reply.headers["content-type"]
    assert wire.is_error(reply.json(), reply.status_code), told
    assert not any(trace in reply.text for trace in TRACES), told
