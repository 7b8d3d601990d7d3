"""What every reply has to be, whatever was asked."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

from corpus import Case, End
from live import TRACES
from wires import WIRES, Wire

from wire import Reply

BY_NAME: dict[str, Wire] = {wire.name: wire for wire in WIRES}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_OURS = (*TRACES, "/home/", "/tmp/", "/root/", "sqlite3.", "asyncio.")


def _as_json(body: bytes) -> object:
    return json.loads(body, parse_constant=lambda name: (_ for _ in ()).throw(ValueError(name)))


def faults(case: Case, reply: Reply, key: str) -> list[str]:
    """Why this reply is not as it must be; empty when it is."""
    if reply.status == 0:
        return [] if case.raw is not None else ["the connection was closed without a reply"]
    found = []
    if reply.status >= 500 and not (reply.status == 503 and "retry-after" in reply.headers):
        found.append(f"status {reply.status}")
    if not _REQUEST_ID.fullmatch(reply.headers.get("x-request-id", "")):
        found.append("no request id")
    text = reply.body.decode("utf-8", "replace")
    # An error may name the path it was called by; only what the caller did not write is telling.
    found += [
        f"the reply holds {trace!r}"
        for trace in _OURS
        if trace in text and trace not in unquote(case.path)
    ]
    if key in text or key in str(reply.headers):
        found.append("the reply holds the key")
    if case.statuses and case.raw is None and reply.status not in case.statuses:
        found.append(f"status {reply.status}, not {sorted(case.statuses)}")
    if case.end is End.REFUSED and not 400 <= reply.status < 500:
        found.append(f"status {reply.status}, although it must be refused")
    if case.end in (End.TAKEN, End.READY) and not 200 <= reply.status < 300:
        found.append(f"status {reply.status}, although it must be taken")
    return found + _shape(case, reply)


def _shape(case: Case, reply: Reply) -> list[str]:
    if reply.status in (204, 304) or case.method == "HEAD" or not reply.body:
        is_bodiless = reply.status in (204, 304) or case.method == "HEAD"
        return [] if is_bodiless else [f"status {reply.status} with an empty body"]
    kind = reply.headers.get("content-type", "")
    if "json" not in kind:
        is_ours = reply.status < 400 and kind.startswith(("text/", "video/", "image/"))
        return [] if is_ours else [f"content type {kind!r}"]
    try:
        body = _as_json(reply.body)
    except ValueError:
        return ["the body is not JSON"]
    if reply.status < 400:
        return []
    if not isinstance(body, dict):
        return ["the error is no object"]
    return (
        [] if _is_error(case, body, reply) else [f"not the dialect's error: {reply.body[:200]!r}"]
    )


def _is_error(case: Case, body: dict[str, object], reply: Reply) -> bool:
    def has_shape(wire: Wire) -> bool:
        try:
            return wire.is_error(body, reply.status)
        except (KeyError, TypeError):
            return False

    if has_shape(BY_NAME[case.dialect]):
        return True
    if {"status", "title", "detail", "code", "request_id", "error"} <= set(body):
        return True  # refused before the path was known: a body that every dialect's clients read
    # A changed path may have become another dialect's.
    return case.end is End.ANY and any(has_shape(wire) for wire in WIRES)
