"""Reading members: strict about bytes, lenient about types, and never forgetful."""

from __future__ import annotations

import pytest

from kinogate.dialects.members import Members, as_flag, as_integer, read_object
from kinogate.domain.errors import CallerError, ErrorCode


@pytest.mark.parametrize("number", [0, -1, 2**63 - 1, -(2**63) + 1])
def test_integers_of_64_bits_are_read(number: int) -> None:
    assert read_object(b'{"n": %d}' % number).integer("n") == number


@pytest.mark.parametrize("number", [2**63, -(2**63), 10**19, -(10**19)])
def test_integers_beyond_are_refused(number: int) -> None:
    with pytest.raises(CallerError) as caught:
        read_object(b'{"n": %d}' % number)
    assert caught.value.code is ErrorCode.REQUEST_MALFORMED


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        (5.0, 5),
        ("5", 5),
        ("-5", -5),
        (" 5 ", 5),
        ("5.0", 5),
        ("0", 0),
        ("007", 7),
        (True, None),
        (5.5, None),
        ("5.5", None),
        ("5.", None),
        (".5", None),
        ("", None),
        ("-", None),
        ("+5", None),
        ("1e3", None),
        ("1_000", None),
        ("\u0665", None),
        ("\u00b2", None),
        ("9" * 20, None),
        (1e300, None),
        (None, None),
        ([], None),
    ],
)
def test_what_means_an_integer(value: object, number: int | None) -> None:
    found = as_integer(value)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (True, True),
        (False, False),
        ("true", True),
        ("False", False),
        (" 1 ", True),
        ("0", False),
        (1, True),
        (0, False),
        (2, None),
        (1.0, None),
        ("yes", None),
        ("on", None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_what_means_a_flag(value: object, flag: bool | None) -> None:
    assert as_flag(value) is flag


def test_a_member_that_was_asked_for_is_not_ignored_and_null_never_is() -> None:
    body = Members({"a": 1, "b": {"c": 1, "d": None}, "e": [{"f": 1}], "g": None, "h": 0})
    inner = body.members("b")
    items = body.objects("e")
    assert inner is not None
    assert body.ignored() == ("a", "h", "b.c", "e[0].f")
    inner.integer("c")
    items[0].integer("f")
    body.integer("a")
    assert body.ignored() == ("h",)


def test_asking_whether_a_member_is_there_is_not_asking_for_it() -> None:
    body = Members({"a": 1, "b": None})
    assert body.has("a")
    assert not body.has("b")
    assert body.ignored() == ("a",)


@pytest.mark.parametrize("blank", ["", " ", "\n\t", None])
def test_a_blank_text_is_missing_where_one_is_required(blank: str | None) -> None:
    with pytest.raises(CallerError) as caught:
        Members({"a": blank}, "input").required_text("a")
    assert (caught.value.code, caught.value.field) == (ErrorCode.FIELD_MISSING, "input.a")


def test_a_choice_is_compared_without_case_and_told_in_full() -> None:
    assert Members({"a": "MULTI"}).choice("a", ("single", "multi")) == "multi"
    with pytest.raises(CallerError, match="single, multi"):
        Members({"a": "many"}).choice("a", ("single", "multi"))


@pytest.mark.parametrize("filling", [b"[],", b"{},", b"0,", b"["])
def test_a_body_of_far_too_many_members_is_refused_undecoded(filling: bytes) -> None:
    """64 MiB of them would keep the event loop busy for many seconds."""
    body = b'{"a": [' + filling * 200_000 + b"0]}"
    with pytest.raises(CallerError, match="too many members"):
        read_object(body)


def test_a_long_text_may_hold_many_commas() -> None:
    assert read_object(b'{"a": "' + b"," * 50_000 + b'"}').text("a") == "," * 50_000
