"""Checks for per-field tables: one row per member, one limit per rule.

A row says what a valid value does to the canonical request, and the check holds it to exactly
that: everything else must stay as it was.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from factories import a_png
from harness import Harness
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.order import Role
from kinogate.domain.request import GenerationRequest, MediaInput
from speakers import Pointer, Speaker, put

IMAGE_URL = "https://media.example.com/hill.jpg"
AUDIO_URL = "https://media.example.com/rap.mp3"
NO_TEXT: tuple[object, ...] = (5, 0, True, [], {}, ["a"])
NO_INTEGER: tuple[object, ...] = ("five", "", "1e3", 1.5, "1.5", True, [], {}, "\uff15", "0x5")
NO_FLAG: tuple[object, ...] = ("yes", "", 2, -1, 0.0, [], {})
NO_SIZE: tuple[object, ...] = (
    "wide",
    "1280",
    "1280*",
    "1280 * 720",
    "-1*1",
    "0*0",
    "1280*720*1",
    1280,
    [1280, 720],
)
NO_TIER = ("720", "4K", "", "720P ", 720, ["720P"])
BAD_URLS = (
    "not a url",
    "ftp://media.example.com/a",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://127.0.0.1/a",
    "http://localhost/a",
    "http://[::1]/a",
    "http://2130706433/a",
    "http://169.254.169.254/latest",
    "https://user:secret@media.example.com/a",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One member of a create body.

    Attributes:
        place: Where it lies.
        value: A valid value.
        changes: What that value makes of the canonical request.
        wrong: Values of wrong types or forms, each refused while parsing.
        spelled: How errors name it; the place with dots unless given.
    """

    place: Pointer
    value: object
    changes: Mapping[str, Any]
    wrong: Sequence[object] = ()
    spelled: str = ""

    @property
    def name(self) -> str:
        return self.spelled or ".".join(str(step) for step in self.place)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A rule that the whole server enforces; `good` and `bad` lie on both sides of its edges."""

    model: str
    place: Pointer
    good: Sequence[object]
    bad: Sequence[object]
    spelled: str
    extra: Mapping[str, object] = field(default_factory=dict)
    code: int = 400


def rows(table: Sequence[Row]) -> pytest.MarkDecorator:
    """Parametrise by rows."""
    return pytest.mark.parametrize("row", table, ids=[row.name for row in table])


def wrong_values(table: Sequence[Row]) -> pytest.MarkDecorator:
    """Parametrise by every wrong value of every row."""
    cases = [
        pytest.param(row, value, id=f"{row.name}={value!r}") for row in table for value in row.wrong
    ]
    return pytest.mark.parametrize(("row", "value"), cases)


def edges(table: Sequence[Limit]) -> pytest.MarkDecorator:
    """Parametrise by every value on either side of every limit."""
    cases = [
        pytest.param(limit, value, is_good, id=f"{limit.model}-{limit.spelled}={str(value)[:40]}")
        for limit in table
        for values, is_good in ((limit.good, True), (limit.bad, False))
        for value in values
    ]
    return pytest.mark.parametrize(("limit", "value", "is_good"), cases)


def parsed(speaker: Speaker, body: object, **changes: Any) -> GenerationRequest:
    """The canonical request of a body in which nothing is ignored."""
    submission = speaker.dialect.parse_create(speaker.call(body, **changes))
    assert submission.ignored == ()
    return submission.request


def check_row(speaker: Speaker, row: Row) -> None:
    """Absent and null are the same; the value changes what the row says and nothing else."""
    plain = parsed(speaker, speaker.body())
    body = speaker.body()
    put(body, row.place, row.value)
    assert parsed(speaker, body) == replace(plain, **row.changes)
    assert parsed(speaker, body) != plain
    nulled = speaker.body()
    put(nulled, row.place, None)
    assert parsed(speaker, nulled) == plain


def check_wrong(speaker: Speaker, row: Row, value: object) -> None:
    """Refused while parsing, by the member's wire name."""
    body = speaker.body()
    put(body, row.place, value)
    with pytest.raises(CallerError) as caught:
        speaker.dialect.parse_create(speaker.call(body))
    assert caught.value.code is ErrorCode.FIELD_INVALID
    assert (speaker.dialect.spell(caught.value) or "").startswith(row.name)


def check_edge(
    server: Harness,
    speaker: Speaker,
    limit: Limit,
    value: object,
    *,
    is_good: bool,
    field_of: Callable[[Any], str],
) -> None:
    """Accepted on the good side; refused on the other, naming the member, and nothing stored."""
    members = {"model": limit.model, **limit.extra}
    body = speaker.body(**members)
    put(body, limit.place, value)
    reply = server.client.post(
        speaker.create.replace("wan2.6-t2v", limit.model),
        headers={**server.auth(), **speaker.headers},
        json=body,
    )
    if is_good:
        assert reply.status_code in (200, 201, 202), reply.text
        return
    assert reply.status_code == limit.code, reply.text
    assert field_of(reply.json()) == limit.spelled


def images(*texts: str) -> tuple[MediaInput, ...]:
    """First and last frame."""
    roles = (Role.FIRST_FRAME, Role.LAST_FRAME)
    return tuple(MediaInput(role=role, text=text) for role, text in zip(roles, texts, strict=False))


def inline(width: int, height: int) -> str:
    """An image as a data URI."""
    data = base64.b64encode(a_png(width, height)).decode()
    return f"data:image/png;base64,{data}"


GOOD_IMAGES = (IMAGE_URL, inline(360, 360), inline(2000, 360), inline(360, 2000))
BAD_IMAGES = (
    *BAD_URLS,
    inline(359, 400),
    inline(400, 359),
    inline(2001, 400),
    inline(400, 2001),
    "data:image/png;base64,",
    "data:image/png;base64,@@@@",
    "data:image/png,plain",
    "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
)
