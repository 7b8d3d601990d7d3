"""The fault table of upstreams: what goes wrong, how the task ends, and what becomes of the money.

Used twice: on the engine alone, and through the real runner and database.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np

from factories import an_id
from kinogate.db.journal import SqlJournal
from kinogate.db.memory_journal import MemoryJournal
from kinogate.domain.engine import CallState
from kinogate.domain.errors import ErrorCode
from upstream_bench import CREATED, DONE, NAME, RUNNING, a_script
from upstream_script import Act, Reply, drip, endless, hang, hang_up, stall

INTENT, CREATED_, REFUSED, ENDED = (
    CallState.INTENT,
    CallState.CREATED,
    CallState.REFUSED,
    CallState.ENDED,
)
TWELVE_GB = 12 * 1024**3


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One row.

    Attributes:
        name: What goes wrong.
        lines: Lines of `a_script` that differ.
        more: Whole lines of the script besides.
        wire: What the toy wire can do.
        options: Of the bench.
        base_url: Of the credential, where it is not the script's.
        begun: Whether a crash has left an intent in the journal.
        taken: Whether another task has the id `u-1` already.
        code: How the run fails, or None for a clip.
        charged: Whether the failure may have cost something, which forbids asking another engine.
        states: Of the create calls, in order.
        creates: Create calls that the upstream has seen.
        upstream_code: The upstream's own code that is kept.
    """

    name: str
    lines: dict[str, list[Act]] = field(default_factory=dict)
    more: dict[str, list[Act]] = field(default_factory=dict)
    wire: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    base_url: str | None = None
    begun: bool = False
    taken: bool = False
    code: ErrorCode | None = None
    charged: bool = False
    states: tuple[CallState, ...] = (ENDED,)
    creates: int = 1
    upstream_code: str | None = None

    async def prepare(self, journal: MemoryJournal | SqlJournal, task_id: str) -> None:
        """Write into the journal what was there before."""
        if self.begun:
            await journal.intend(task_id, NAME, "one")
        if self.taken:
            other = await journal.intend(an_id(), NAME, "one")
            await journal.mark(other, CREATED_, "u-1")

    def script(self, clip: bytes) -> dict[str, list[Act]]:
        """The whole script; `CLIP` in a reply's body stands for the clip."""
        lines = {name: [_filled(act, clip) for act in acts] for name, acts in self.lines.items()}
        return a_script(clip, **lines) | self.more


def _filled(act: Act, clip: bytes) -> Act:
    if isinstance(act, Reply) and isinstance(act.body, _OfClip):
        return Reply(act.status, act.body.make(clip), act.headers, act.length)
    return act


class _OfClip(bytes):
    """Bytes that are made from the clip when it is there."""

    make: Callable[[bytes], bytes]


def _of_clip(make: Callable[[bytes], bytes]) -> bytes:
    made = _OfClip()
    made.make = make
    return made


def _mpeg4() -> bytes:
    """A good MP4 in a codec that no vendor promises."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(24):
            frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def _listed(*ids: str, **more: Any) -> Reply:
    member = {"model": "toy-wan2.6-t2v", **more}
    return Reply(200, {"data": [{"upstream_id": name, **member} for name in ids]})


def _failed(code: str) -> list[Act]:
    return [Reply(200, {"status": "failed", "code": code, "message": "Because."})]


def _done(url: str) -> list[Act]:
    return [Reply(200, {"status": "succeeded", "url": url})]


HTML = b"<!DOCTYPE html><html><body>Service page</body></html>"
LISTS = {"lists": True}
AMBIGUOUS = {"code": ErrorCode.SUBMIT_AMBIGUOUS, "charged": True, "states": (INTENT,)}
BAD_RESULT = {"code": ErrorCode.RESULT_INVALID, "charged": True}
NOT_FETCHED = {"code": ErrorCode.UPSTREAM_FAILED, "charged": True}
BLAMELESS = {"code": ErrorCode.UPSTREAM_FAILED, "states": (REFUSED,)}
KEY = {"code": ErrorCode.UPSTREAM_REFUSED, "states": (REFUSED,)}

CREATE_FAULTS = (
    Fault(
        name="500 on create", lines={"new": [Reply(500, HTML)]}, upstream_code="500", **AMBIGUOUS
    ),
    Fault(
        name="500 on create, and the listing shows the task",
        lines={"new": [Reply(500)]},
        more={"GET /list": [_listed("u-5")]},
        wire=LISTS,
    ),
    Fault(
        name="500 on create, and the listing shows none",
        lines={"new": [Reply(500), CREATED]},
        more={"GET /list": [_listed()]},
        wire=LISTS,
        states=(REFUSED, ENDED),
        creates=2,
    ),
    Fault(
        name="500 on every create, and the listing shows none",
        lines={"new": [Reply(500)]},
        more={"GET /list": [_listed()]},
        wire=LISTS,
        code=ErrorCode.UPSTREAM_FAILED,
        states=(REFUSED, REFUSED),
        creates=2,
    ),
    Fault(
        name="500 on create, and the listing is broken",
        lines={"new": [Reply(500)]},
        more={"GET /list": [Reply(500)]},
        wire=LISTS,
        **AMBIGUOUS,
    ),
    Fault(
        name="500 on create, and the listing shows two that it may be",
        lines={"new": [Reply(500)]},
        more={"GET /list": [_listed("u-5", "u-6")]},
        wire=LISTS,
        **AMBIGUOUS,
    ),
    Fault(
        name="500 on create, and the listing shows a stranger's",
        lines={"new": [Reply(500), CREATED]},
        more={"GET /list": [_listed("u-5", prompt="A stranger's wish")]},
        wire=LISTS,
        states=(REFUSED, ENDED),
        creates=2,
    ),
    Fault(
        name="500 on create, and a look shows that the listed one is a stranger's",
        lines={"new": [Reply(500), CREATED]},
        more={
            "GET /list": [_listed("u-5")],
            "GET /tasks/u-5": [Reply(200, {"status": "running", "prompt": "A stranger's wish"})],
        },
        wire=LISTS,
        states=(REFUSED, ENDED),
        creates=2,
    ),
    Fault(
        name="500 on create of an upstream that knows a repeated call",
        lines={"new": [Reply(500), CREATED]},
        wire={"idempotency_header": "Once-Only"},
        creates=2,
    ),
    Fault(name="timeout on create", lines={"new": [hang]}, **AMBIGUOUS),
    Fault(name="connection lost on create", lines={"new": [hang_up]}, **AMBIGUOUS),
    Fault(
        name="connection lost on create, found in the listing",
        lines={"new": [hang_up]},
        more={"GET /list": [_listed(), _listed("u-5", seed=7, prompt="A lighthouse at dusk")]},
        wire=LISTS,
    ),
    Fault(name="connection refused", base_url="http://127.0.0.1:9", creates=0, **BLAMELESS),
    Fault(name="no such host", base_url="http://nowhere.invalid", creates=0, **BLAMELESS),
    Fault(name="no TLS", base_url="https://{authority}", creates=0, **BLAMELESS),
    Fault(
        name="429 with Retry-After",
        lines={"new": [Reply(429, {"code": "Slow"}, (("Retry-After", "1"),)), CREATED]},
        states=(REFUSED, ENDED),
        creates=2,
    ),
    Fault(
        name="429 with a Retry-After that nobody waits for",
        lines={"new": [Reply(429, {"code": "Slow"}, (("Retry-After", "600"),))]},
        upstream_code="Slow",
        **BLAMELESS,
    ),
    Fault(
        name="503 that says that nothing was created",
        lines={"new": [Reply(503, {"code": "Busy"}), CREATED]},
        states=(REFUSED, ENDED),
        creates=2,
    ),
    Fault(
        name="503s that say that nothing was created",
        lines={"new": [Reply(503, {"code": "Busy"})]},
        code=ErrorCode.UPSTREAM_FAILED,
        states=(REFUSED, REFUSED, REFUSED),
        creates=3,
        upstream_code="Busy",
    ),
    Fault(
        name="401",
        lines={"new": [Reply(401, {"code": "InvalidKey"})]},
        upstream_code="InvalidKey",
        **KEY,
    ),
    Fault(name="402", lines={"new": [Reply(402, {"code": "Arrears"})]}, **KEY),
    Fault(name="403", lines={"new": [Reply(403, {"code": "NotYours"})]}, **KEY),
    Fault(
        name="content refused on create",
        lines={"new": [Reply(400, {"code": "Improper", "message": "No."})]},
        code=ErrorCode.CONTENT_REFUSED,
        states=(REFUSED,),
    ),
    Fault(
        name="request refused on create",
        lines={"new": [Reply(400, {"code": "BadSize", "message": "No."})]},
        code=ErrorCode.FIELD_INVALID,
        states=(REFUSED,),
    ),
    Fault(name="HTML with 200 on create", lines={"new": [Reply(200, HTML)]}, **AMBIGUOUS),
    Fault(name="200 without an id", lines={"new": [Reply(200, {"code": "ok"})]}, **AMBIGUOUS),
    Fault(name="the id of another task", taken=True, **AMBIGUOUS),
    Fault(name="crash between intent and answer", begun=True, creates=0, **AMBIGUOUS),
    Fault(
        name="crash between intent and answer, found in the listing",
        begun=True,
        more={"GET /list": [_listed("u-5")]},
        wire=LISTS,
        creates=0,
    ),
    Fault(
        name="crash between intent and answer, and the listing shows none",
        begun=True,
        more={"GET /list": [_listed()]},
        wire=LISTS,
        states=(REFUSED, ENDED),
    ),
    Fault(
        name="crash between intent and answer of an upstream that knows a repeated call",
        begun=True,
        wire={"idempotency_header": "Once-Only"},
    ),
)

POLL_FAULTS = (
    Fault(
        name="500s on poll",
        lines={"poll": [Reply(500), Reply(502, HTML), RUNNING, Reply(503), DONE]},
    ),
    Fault(name="HTML with 200 on poll", lines={"poll": [Reply(200, HTML), RUNNING, DONE]}),
    Fault(name="timeout on poll", lines={"poll": [hang, RUNNING, hang_up, DONE]}),
    Fault(
        name="429 on poll",
        lines={"poll": [Reply(429, b"", (("Retry-After", "1"),)), DONE]},
    ),
    Fault(
        name="status that falls back",
        lines={"poll": [RUNNING, Reply(200, {"status": "queued"}), RUNNING, DONE]},
    ),
    Fault(
        name="unknown status word",
        lines={"poll": [Reply(200, {"status": "pondering"})] * 3 + [DONE]},
    ),
    Fault(name="unknown id for a moment", lines={"poll": [Reply(404), RUNNING, DONE]}),
    Fault(
        name="unknown id",
        lines={"poll": [RUNNING, Reply(404)]},
        upstream_code="NotThere",
        **NOT_FETCHED,
    ),
    Fault(
        name="failed at the upstream",
        lines={"poll": [RUNNING, *_failed("InternalError.Algo")]},
        code=ErrorCode.UPSTREAM_FAILED,
        upstream_code="InternalError.Algo",
    ),
    Fault(
        name="content refused at the end",
        lines={"poll": _failed("Improper")},
        code=ErrorCode.CONTENT_REFUSED,
    ),
    Fault(
        name="request refused at the end",
        lines={"poll": _failed("BadSize")},
        code=ErrorCode.FIELD_INVALID,
    ),
    Fault(
        name="canceled by somebody else",
        lines={"poll": [Reply(200, {"status": "canceled"})]},
        code=ErrorCode.UPSTREAM_FAILED,
    ),
)

RESULT_FAULTS = (
    Fault(name="no URL", lines={"poll": _done("")}, **BAD_RESULT),
    Fault(
        name="URL of a private address",
        lines={"poll": _done("http://10.0.0.1/a.mp4")},
        **BAD_RESULT,
    ),
    Fault(name="URL of a file", lines={"poll": _done("file:///etc/passwd")}, **BAD_RESULT),
    Fault(
        name="redirect to a private address",
        lines={"result": [Reply(302, b"", (("Location", "http://169.254.169.254/latest"),))]},
        **NOT_FETCHED,
    ),
    Fault(
        name="redirect to another port of this machine",
        lines={"result": [Reply(302, b"", (("Location", "http://127.0.0.1:9/clip.mp4"),))]},
        **NOT_FETCHED,
    ),
    Fault(
        name="12 GB body", lines={"result": [Reply(200, b"begin", length=TWELVE_GB)]}, **BAD_RESULT
    ),
    Fault(name="endless body", lines={"result": [endless]}, **BAD_RESULT),
    Fault(
        name="slow drip",
        lines={"result": [drip]},
        options={"total_s": 0.4},
        **NOT_FETCHED,
    ),
    Fault(
        name="stalled download",
        lines={"result": [stall]},
        options={"stall_s": 0.2},
        **NOT_FETCHED,
    ),
    Fault(
        name="download that breaks off once",
        lines={
            "result": [
                Reply(200, _of_clip(lambda c: c[:1000]), length=9999),
                Reply(200, _of_clip(bytes)),
            ]
        },
    ),
    Fault(
        name="expired URL, and a fresh one",
        lines={"poll": [*_done("{url}/old.mp4"), DONE]},
        more={"GET /old.mp4": [Reply(403)]},
    ),
    Fault(name="expired URL", lines={"result": [Reply(403)]}, **NOT_FETCHED),
    Fault(name="HTML with 200 for a clip", lines={"result": [Reply(200, HTML)]}, **BAD_RESULT),
    Fault(name="empty clip", lines={"result": [Reply(200, b"")]}, **BAD_RESULT),
    Fault(
        name="truncated MP4",
        lines={"result": [Reply(200, _of_clip(lambda c: c[: len(c) * 2 // 3]))]},
        **BAD_RESULT,
    ),
    Fault(
        name="MP4 without its last byte",
        lines={"result": [Reply(200, _of_clip(lambda c: c[:-1]))]},
        **BAD_RESULT,
    ),
    Fault(name="wrong codec", lines={"result": [Reply(200, _mpeg4())]}, **BAD_RESULT),
)

FAULTS = (*CREATE_FAULTS, *POLL_FAULTS, *RESULT_FAULTS)
