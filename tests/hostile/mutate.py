"""Hypothesis changes good and bad requests a little or a lot; the seed decides everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from corpus import ALL, I2V, T2V, Case, End, create
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from speakers import SPEAKERS

_TEXTS = st.text(st.characters(codec=None), max_size=40)
_EDGES = st.sampled_from(
    (0, -1, 1, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 1e308, -0.0, 0.1, "", "0", "null", "\u0000")
)
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(width=32) | _TEXTS | _EDGES
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=6,
)
_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "host",
    "idempotency-key",
    "origin",
    "range",
    "referer",
    "te",
    "traceparent",
    "x-api-key",
    "x-dashscope-async",
    "x-dashscope-ossresourceresolve",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-kinogate-simulate",
    "x-request-id",
)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "LINK", "get")
_PATH_BITS = ("/", "//", "/.", "/..", "%2f", "%00", "%", "?", "#", ";", "\\", "%c0%af", "é", "*")


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield (*at, key)
        yield from _places(inner, (*at, key))


def _holder(value: Any, place: tuple[Any, ...]) -> Any:
    for step in place[:-1]:
        value = value[step]
    return value


def _change_member(draw: Callable[..., Any], case: Case) -> Case:
    body = json.loads(case.body)
    places = list(_places(body))
    if not places:
        return case
    place = draw(st.sampled_from(places))
    holder = _holder(body, place)
    match draw(st.sampled_from(("replace", "remove", "wrap", "spoil", "more", "rename"))):
        case "replace":
            holder[place[-1]] = draw(_VALUES)
        case "remove":
            del holder[place[-1]]
        case "wrap":
            holder[place[-1]] = [holder[place[-1]]]
        case "spoil":
            text = str(holder[place[-1]])
            cut = draw(st.integers(0, len(text)))
            holder[place[-1]] = text[:cut] + draw(_TEXTS) + text[cut:]
        case "more":
            body[draw(_TEXTS)] = draw(_VALUES)
        case _ if isinstance(holder, dict):
            holder[str(place[-1]).upper()] = holder.pop(place[-1])
    return replace(case, body=json.dumps(body).encode())


def _change_bytes(draw: Callable[..., Any], case: Case) -> Case:
    body = bytearray(case.body)
    at = draw(st.integers(0, len(body)))
    piece = draw(st.binary(max_size=12))
    match draw(st.sampled_from(("insert", "overwrite", "cut", "drop", "repeat"))):
        case "insert":
            body[at:at] = piece
        case "overwrite":
            body[at : at + len(piece)] = piece
        case "cut":
            del body[at:]
        case "drop":
            del body[at : at + 5]
        case _:
            body += body[at : at + 50]
    return replace(case, body=bytes(body))


def _header_text(draw: Callable[..., Any]) -> str:
    text = draw(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=30))
    return str(text)


def _change_headers(draw: Callable[..., Any], case: Case) -> Case:
    name = draw(st.sampled_from(_HEADERS))
    kept = tuple(pair for pair in case.headers if pair[0] != name)
    extra = (name, _header_text(draw))
    is_framing = name in ("content-length", "te", "expect")
    changed = replace(case, headers=(*kept, extra), with_key=name != "authorization")
    return replace(changed, raw=b"") if is_framing else changed


def _change_path(draw: Callable[..., Any], case: Case) -> Case:
    at = draw(st.integers(1, len(case.path)))
    bit = draw(st.sampled_from(_PATH_BITS) | st.text("azAZ09._~%/", max_size=6))
    path = case.path[:at] + bit + case.path[at + draw(st.integers(0, 3)) :]
    return replace(case, path=path.replace(" ", "%20"))


def _change_method(draw: Callable[..., Any], case: Case) -> Case:
    method = draw(st.sampled_from(_METHODS))
    path = draw(st.sampled_from((case.path, case.path + "/", SPEAKERS[case.dialect].poll)))
    return replace(case, method=method, path=path.replace("{id}", "0" * 32))


def _good(draw: Callable[..., Any]) -> Case:
    speaker = SPEAKERS[draw(st.sampled_from(ALL))]
    model = draw(st.sampled_from((T2V, I2V, "wan2.7-i2v", "wan3.0-video", "wan2.2-s2v")))
    members: dict[str, Any] = {"prompt": draw(st.sampled_from(("a cat", "猫", "a" * 2_000)))}
    for name, values in (
        ("seed", (0, 7, "7", 2**31 - 1)),
        ("audio", (True, False, "false")),
        ("duration", (5, "5", 10)),
        ("negative_prompt", ("blur", "")),
        ("watermark", (True, 0)),
        ("shot_type", ("multi", "single")),
    ):
        if name in speaker.places and draw(st.booleans()):
            members[name] = draw(st.sampled_from(values))
    return replace(create(speaker, "mutated", model, End.ANY, **members), end=End.ANY)


_CHANGES = (_change_member, _change_member, _change_bytes, _change_headers, _change_path)


def mutants(count: int, number: int) -> list[Case]:
    """As many changed requests as asked for; the same for the same seed."""
    found: list[Case] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def make(data: st.DataObject) -> None:
        case = _good(data.draw)
        for _ in range(data.draw(st.integers(1, 3))):
            change = data.draw(st.sampled_from((*_CHANGES, _change_method)))
            try:
                case = change(data.draw, case)
            except (ValueError, KeyError, IndexError, RecursionError):
                continue  # an earlier change left nothing for this one to change
        found.append(replace(case, id=f"mutated.{len(found)}/{case.dialect}"))

    while len(found) < count:
        make()
    return found[:count]
