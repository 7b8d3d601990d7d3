"""What upstreams answer, typed from the samples and tables of the spec, and what is made of it."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest
from round_trip import WIRES

from kinogate.domain.errors import CallerError, KinogateError, UpstreamError
from kinogate.engines.upstream.dashscope import DashscopeWire
from kinogate.engines.upstream.wire import Answer, Listed, Phase, Sighting

REPLIES = Path(__file__).parent / "literal" / "replies"
KINDS = {"caller": CallerError, "upstream": UpstreamError}


def rows(read: str) -> list[Any]:
    return [
        pytest.param(path.stem, row, id=f"{path.stem}: {row['name']}")
        for path in sorted(REPLIES.glob("*.json"))
        for row in json.loads(path.read_text("utf-8"))
        if row["read"] == read
    ]


def answer_of(row: dict[str, Any]) -> Answer:
    body = row["text"] if "text" in row else json.dumps(row["json"])
    return Answer(status=row["status"], headers=row.get("headers", {}), body=body.encode())


def check_error(error: KinogateError, expected: dict[str, Any]) -> None:
    """The whole error: what a row does not name must be at its default."""
    assert type(error) is KINDS[expected["kind"]]
    assert error.code == expected["code"]
    assert error.field == expected.get("field")
    assert error.retry_after_s == expected.get("retry_after_s")
    assert expected.get("says", "") in error.message
    if "not" in expected:
        assert expected["not"] not in error.message
    if isinstance(error, UpstreamError):
        assert error.retriable is expected.get("retriable", False)
        assert error.is_charged is expected.get("is_charged", False)
        if "upstream_code" in expected:
            assert error.upstream_code == expected["upstream_code"]


@pytest.mark.parametrize(("name", "row"), rows("created"))
def test_an_answer_to_a_create_call(name: str, row: dict[str, Any]) -> None:
    wire = WIRES[name]
    if "id" in row:
        assert wire.read_created(answer_of(row)) == row["id"]
        return
    with pytest.raises(KinogateError) as caught:
        wire.read_created(answer_of(row))
    check_error(caught.value, row["error"])


@pytest.mark.parametrize(("name", "row"), rows("poll"))
def test_an_answer_to_a_look(name: str, row: dict[str, Any]) -> None:
    wire = WIRES[name]
    if "error" in row:
        with pytest.raises(KinogateError) as caught:
            wire.read_poll(answer_of(row))
        check_error(caught.value, row["error"])
        return
    seen = wire.read_poll(answer_of(row))
    expected = dict(row["sighting"])
    content = expected.pop("content", None)
    assert (f"{seen.content.method} {seen.content.path}" if seen.content else None) == content
    told = {item.name: getattr(seen, item.name) for item in fields(Sighting)} | {"content": None}
    assert told == asdict(Sighting(**(expected | {"phase": Phase(expected["phase"])})))


@pytest.mark.parametrize(("name", "row"), rows("listing"))
def test_an_answer_to_a_listing(name: str, row: dict[str, Any]) -> None:
    wire = WIRES[name]
    since_ms = row.get("since_ms", 0)
    if "error" in row:
        with pytest.raises(UpstreamError) as caught:
            wire.read_listing(answer_of(row), since_ms)
        check_error(caught.value, row["error"])
        return
    assert wire.read_listing(answer_of(row), since_ms) == tuple(
        Listed(**item) for item in row["listed"]
    )


@pytest.mark.parametrize(("name", "row"), rows("probe"))
def test_an_answer_to_a_probe(name: str, row: dict[str, Any]) -> None:
    trouble = WIRES[name].read_probe(answer_of(row))

    if row["trouble"] is None:
        assert trouble is None
    else:
        assert row["trouble"] in str(trouble)


@pytest.mark.parametrize(("name", "row"), rows("policy"))
def test_an_answer_to_a_call_for_leave_to_upload(name: str, row: dict[str, Any]) -> None:
    assert name == "dashscope"
    wire = DashscopeWire()
    if "policy" in row:
        assert wire.read_policy(answer_of(row)) == row["policy"]
        return
    with pytest.raises(UpstreamError) as caught:
        wire.read_policy(answer_of(row))
    check_error(caught.value, row["error"])
