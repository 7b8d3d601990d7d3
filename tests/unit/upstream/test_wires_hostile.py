"""Whatever an upstream answers, a wire reads it or says so; it never breaks and never invents."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from round_trip import WIRES

from kinogate.domain.errors import KinogateError, UpstreamError
from kinogate.engines.upstream.wire import Answer, Phase, Sighting

NAMES = [
    "id",
    "task_id",
    "status",
    "task_status",
    "output",
    "outputs",
    "data",
    "videos",
    "url",
    "urls",
    "video_url",
    "content",
    "code",
    "message",
    "msg",
    "error",
    "error_code",
    "detail",
    "title",
    "task_info",
    "progress",
    "prompt",
    "total",
    "has_more",
    "type",
    "created_at",
    "gmt_create",
    "fail_reason",
    "upload_host",
    "revised_prompt",
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "t1", "SUCCEEDED", "completed", "failed", "37%", "http://", "NaN", "{"])
    | st.text(max_size=8)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=20,
)
BODIES = VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40)
ANSWERS = st.builds(
    Answer,
    status=st.sampled_from([200, 201, 202, 302, 400, 401, 402, 404, 408, 413, 429, 451, 500, 503]),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms"]),
        st.sampled_from(["1", "-1", "1e999", "nan", "soon", "9" * 400]),
    ),
    body=BODIES,
)
DEEP = b'{"output":' * 100_000


@pytest.mark.parametrize("name", WIRES)
@settings(max_examples=150, deadline=None)
@drawn(answer=ANSWERS)
def test_any_answer_is_read_or_refused(name: str, answer: Answer) -> None:
    check(name, answer)


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("body", [DEEP, b"", b"\xff\xfe", b"null", b"[]", b'"x"', b"1e999"])
def test_odd_bodies_are_refused(name: str, body: bytes) -> None:
    for status in (200, 404, 500):
        check(name, Answer(status=status, body=body))


def outcome(read: Callable[[], Any]) -> Any:
    """What a reader returns, or the error of ours that it raises."""
    try:
        return read()
    except KinogateError as error:
        return error


def check(name: str, answer: Answer) -> None:
    wire: Any = WIRES[name]
    created = outcome(lambda: wire.read_created(answer))
    if isinstance(created, KinogateError):
        assert created.message
    else:
        assert created
        assert 200 <= answer.status < 300
    seen = outcome(lambda: wire.read_poll(answer))
    if isinstance(seen, Sighting):
        check_sighting(seen)
    else:
        assert isinstance(seen, UpstreamError)
    assert isinstance(outcome(lambda: wire.read_listing(answer, 0)), tuple | UpstreamError)
    if name == "dashscope":
        assert isinstance(outcome(lambda: wire.read_policy(answer)), Mapping | UpstreamError)
    assert wire.read_probe(answer) is None or answer.status >= 400


def check_sighting(seen: Sighting) -> None:
    assert seen.progress is None or 0.0 <= seen.progress <= 1.0
    assert seen.video_url is None or seen.video_url.lower().startswith(("http://", "https://"))
    assert seen.video_url is None or seen.phase is Phase.SUCCEEDED
    assert not (seen.is_content_refusal and seen.is_caller_fault)
    assert seen.message is None or len(seen.message) <= 300
