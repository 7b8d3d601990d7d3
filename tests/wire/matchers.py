"""Compares a reply with a golden vector: `$uuid`, `$str`, …, subsets, exact arrays."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit


def _is_uuid(value: object) -> bool:
    return isinstance(value, str) and str(uuid.UUID(value)) == value


def _is_url(value: object) -> bool:
    if not isinstance(value, str):
        return False
    parts = urlsplit(value)
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _is_iso(value: object) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", value):
        return False
    return datetime.fromisoformat(value).tzinfo is not None


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


MATCHERS: dict[str, Callable[[object], bool]] = {
    "$uuid": _is_uuid,
    "$str": lambda value: isinstance(value, str) and value != "",
    "$int": _is_int,
    "$num": lambda value: _is_int(value) or isinstance(value, float),
    "$url": _is_url,
    "$iso": _is_iso,
    "$any": lambda value: True,
}


def differences(expected: object, actual: object, *, exact: bool, at: str = "$") -> list[str]:
    """Where `actual` is not what the vector says; empty when it is.

    Objects may have further members unless `exact`; arrays are compared member by member.
    """
    if isinstance(expected, str) and expected.startswith("$"):
        try:
            is_match = MATCHERS[expected](actual)
        except ValueError:
            is_match = False
        return [] if is_match else [f"{at}: {actual!r} is no {expected}"]
    if isinstance(expected, dict):
        return _object_differences(expected, actual, exact=exact, at=at)
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [f"{at}: {actual!r} is not {len(expected)} items"]
        return [
            line
            for index, (one, other) in enumerate(zip(expected, actual, strict=True))
            for line in differences(one, other, exact=exact, at=f"{at}[{index}]")
        ]
    is_same = expected == actual and isinstance(expected, bool) is isinstance(actual, bool)
    return [] if is_same else [f"{at}: {actual!r} is not {expected!r}"]


def _object_differences(
    expected: dict[str, object], actual: object, *, exact: bool, at: str
) -> list[str]:
    if not isinstance(actual, dict):
        return [f"{at}: {actual!r} is no object"]
    found = [f"{at}: {name} is missing" for name in expected if name not in actual]
    if exact:
        found += [f"{at}: {name} is too much" for name in actual if name not in expected]
    for name, value in expected.items():
        if name in actual:
            found += differences(value, actual[name], exact=exact, at=f"{at}.{name}")
    return found
