"""Range requests and conditional requests, by RFC 9110 §13 and §14; text in, decisions out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

MAX_RANGES = 16
"""More than any player asks for; a longer list is ignored, as the RFC allows."""

Span = tuple[int, int]
"""First byte, and the one after the last."""

_UNIT = re.compile(r"\s*bytes\s*=(.*)", re.IGNORECASE | re.DOTALL)
_SPEC = re.compile(r"([0-9]{0,18})-([0-9]{0,18})")


class Unsatisfiable(Exception):
    """Every range lies beyond the end: 416."""


def parse_ranges(header: str, size: int) -> list[Span] | None:
    """The spans that a Range header asks for, in its order.

    Returns:
        None where the header has to be ignored: another unit, a syntax error, a range that ends
        before it begins, more than 16 ranges, or ranges that together exceed the file.

    Raises:
        Unsatisfiable: The header is well formed and no range touches the file.
    """
    found = _UNIT.fullmatch(header)
    if found is None:
        return None
    specs = [text.strip() for text in found[1].split(",") if text.strip()]
    if not 1 <= len(specs) <= MAX_RANGES:
        return None
    spans: list[Span] = []
    for text in specs:
        spec = _SPEC.fullmatch(text)
        if spec is None or text == "-":
            return None
        first, last = spec[1], spec[2]
        if not first:
            span = max(0, size - int(last)), size
        else:
            span = int(first), min(size, int(last) + 1) if last else size
            if last and int(last) < int(first):
                return None
        if span[0] < span[1]:
            spans.append(span)
    if not spans:
        raise Unsatisfiable
    return spans if sum(end - start for start, end in spans) <= size else None


def http_date(epoch_s: float) -> str:
    """The moment as an HTTP date, whole seconds."""
    return format_datetime(datetime.fromtimestamp(int(epoch_s), UTC), usegmt=True)


def is_not_modified(headers: Mapping[str, str], etag: str, modified_s: float) -> bool:
    """Whether the caller's copy is current: 304. `etag` comes with its quotes."""
    tags = headers.get("if-none-match")
    if tags is not None:
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "*" in known or etag in known
    since = headers.get("if-modified-since")
    if since is None:
        return False
    try:
        return int(modified_s) <= parsedate_to_datetime(since).timestamp()
    except (ValueError, TypeError, OverflowError):
        return False


def is_range_current(headers: Mapping[str, str], etag: str, modified_s: float) -> bool:
    """Whether If-Range, when there, names the very bytes we have; else the whole file is due."""
    condition = headers.get("if-range")
    return condition is None or condition.strip() in (etag, http_date(modified_s))
