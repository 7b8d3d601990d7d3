"""What dialects share: ids in every spelling, keys in headers, words about faults."""

from __future__ import annotations

import pytest

from factories import a_call, a_fault, a_task
from kinogate.dialects.base import bearer, parse_task_id
from kinogate.dialects.unified import Unified
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.task import Status

ID = "7b0f3f6e-6a55-4b0e-9c0e-1f1f9f2a7c11"


@pytest.mark.parametrize(
    "text", [ID, ID.upper(), ID.replace("-", ""), f"video_{ID}", f"video_{ID.replace('-', '')}"]
)
def test_a_task_id_is_known_in_every_spelling(text: str) -> None:
    assert parse_task_id(text) == ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        ID[:-1],
        f"{ID}0",
        f" {ID}",
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        ID.replace("-", "", 1),
        ID.replace("-", "_"),
        f"video_video_{ID}",
        f"VIDEO_{ID}",
        ID.replace("7", "\u0667"),
        "../" + ID,
        "a" * 100_000,
    ],
)
def test_anything_else_is_an_unknown_task(text: str) -> None:
    with pytest.raises(CallerError) as caught:
        parse_task_id(text)
    assert caught.value.code is ErrorCode.TASK_UNKNOWN


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("BEARER abc", "abc"),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic abc", None),
        ("abc", None),
        ("", None),
    ],
)
def test_a_key_is_shown_as_a_bearer(header: str, token: str | None) -> None:
    assert bearer(a_call(headers={"authorization": header})) == token


def test_an_empty_query_member_is_absent_and_the_last_one_counts() -> None:
    call = a_call(query=(("a", "1"), ("a", "2"), ("b", "")))
    assert call.query_value("a") == "2"
    assert call.query_value("b") is None
    assert call.query_value("c") is None


def test_a_fault_is_told_with_the_members_wire_name() -> None:
    fault = a_fault(ErrorCode.MEDIA_DIMENSIONS, message="Too small.", field="first_frame")
    dialect = Unified()
    assert dialect.explain_fault(a_task(Status.FAILED, fault=fault)) == "images: Too small."
    assert dialect.explain_fault(a_task(Status.CANCELED)) == "The task was canceled."
    assert dialect.explain_fault(a_task(Status.SUCCEEDED)) == ""
