"""The matchers must be able to fail, or no vector can."""

from __future__ import annotations

import pytest
from matchers import differences


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("$uuid", "3F0C1D9E-1111-4222-8333-444455556666"),
        ("$uuid", "video_1"),
        ("$str", ""),
        ("$str", 1),
        ("$int", True),
        ("$int", "5"),
        ("$num", "0.5"),
        ("$url", "/files/a.mp4"),
        ("$iso", "2026-01-01 00:00:00"),
        ("$iso", "2026-13-01T00:00:00Z"),
        (0, False),
        ({"a": 1}, {"a": 2}),
        ({"a": None}, {}),
        ([1], [1, 2]),
        ([{"a": 1}], [{"b": 1}]),
    ],
)
def test_what_differs_is_told(expected: object, actual: object) -> None:
    assert differences(expected, actual, exact=False)


def test_further_members_count_only_when_exact() -> None:
    expected, actual = {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}
    assert not differences(expected, actual, exact=False)
    assert differences(expected, actual, exact=True) == ["$.a: c is too much"]


@pytest.mark.parametrize(
    ("expected", "actual"),
    [("$iso", "2026-01-01T00:00:00Z"), ("$num", 0.5), ("$any", None), ("$url", "https://a/b")],
)
def test_what_matches_is_silent(expected: object, actual: object) -> None:
    assert not differences(expected, actual, exact=True)
