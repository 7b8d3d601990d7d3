"""Values for tests, each valid as it comes; keyword arguments replace members."""

from __future__ import annotations

import io
import itertools
import struct
import wave
import zlib
from dataclasses import replace
from typing import Any

from kinogate.dialects.base import Call, TaskView
from kinogate.domain.errors import ErrorCode
from kinogate.domain.order import AudioMode, Mode, ShotType
from kinogate.domain.resolution import Size, Tier
from kinogate.domain.task import Fault, Outcome, Plan, Status, Task

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
ACCOUNT = "acme"
VIDEO_URL = "https://files.example.com/files/results/a.mp4?Expires=1&KeyId=k1&Signature=s"
MP4_HEAD = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2mp41"

_numbers = itertools.count(1)


def an_id(number: int | None = None) -> str:
    """A UUIDv4, a fresh one each time unless numbered."""
    return f"00000000-0000-4000-8000-{next(_numbers) if number is None else number:012x}"


def a_plan(**changes: Any) -> Plan:
    """A plan for a text-to-video clip."""
    plan = Plan(
        model="wan2.6-t2v",
        mode=Mode.T2V,
        prompt="A lighthouse at dusk",
        negative_prompt="",
        size=Size(width=1280, height=720),
        tier=Tier.P720,
        duration_s=5,
        fps=30,
        audio=AudioMode.AUTO,
        is_extendable=True,
        shot_type=ShotType.SINGLE,
        watermark=None,
        seed=7,
        house="unified",
    )
    return replace(plan, **changes)


def an_outcome(**changes: Any) -> Outcome:
    """What came out of `a_plan`."""
    outcome = Outcome(
        blob_key="results/a.mp4",
        poster_key="results/a.jpg",
        size_bytes=len(MP4_HEAD),
        width=1280,
        height=720,
        fps=30,
        frame_count=150,
        duration_s=5.0,
        has_audio=True,
        actual_prompt="A lighthouse at dusk, waves below",
        fingerprint="preview/1",
    )
    return replace(outcome, **changes)


def a_fault(code: ErrorCode = ErrorCode.ENGINE_FAILED, **changes: Any) -> Fault:
    """Why a task failed."""
    return replace(Fault(code=code, message="The engine stopped."), **changes)


_STATE_MEMBERS: dict[Status, dict[str, Any]] = {
    Status.QUEUED: {},
    Status.RUNNING: {"started_ms": START_MS + 3_000, "progress": 0.4, "engine": "preview"},
    Status.SUCCEEDED: {
        "started_ms": START_MS + 3_000,
        "finished_ms": START_MS + 70_000,
        "updated_ms": START_MS + 70_000,
        "expires_ms": START_MS + 86_400_000,
        "progress": 1.0,
        "cost_micro": 500_000,
        "outcome": an_outcome(),
        "engine": "preview",
    },
    Status.FAILED: {
        "started_ms": START_MS + 3_000,
        "finished_ms": START_MS + 40_000,
        "updated_ms": START_MS + 40_000,
        "progress": 0.4,
        "fault": a_fault(),
        "engine": "preview",
    },
    Status.CANCELED: {"finished_ms": START_MS + 9_000, "updated_ms": START_MS + 9_000},
}


def a_task(status: Status = Status.QUEUED, **changes: Any) -> Task:
    """A task in the given state, with everything that state has."""
    task = Task(
        id=an_id(),
        account_id=ACCOUNT,
        key_id="key_1",
        dialect="unified",
        model="wan2.6-t2v",
        status=status,
        plan=a_plan(),
        hold_micro=500_000,
        created_ms=START_MS,
        updated_ms=START_MS,
    )
    return replace(task, **(_STATE_MEMBERS[status] | changes))


def a_view(status: Status = Status.QUEUED, **changes: Any) -> TaskView:
    """A task with its links."""
    task = a_task(status, **changes)
    is_there = status is Status.SUCCEEDED
    return TaskView(task=task, video_url=VIDEO_URL if is_there else None)


def a_call(method: str = "POST", path: str = "/", **changes: Any) -> Call:
    """A call without a body."""
    return replace(Call(method=method, path=path, request_id="req-1"), **changes)


def a_png(width: int = 640, height: int = 640, *, has_alpha: bool = False) -> bytes:
    """A grey PNG; RGB, or RGBA with every pixel half transparent."""
    pixel = b"\x80\x80\x80\x80" if has_alpha else b"\x80\x80\x80"
    rows = (b"\x00" + pixel * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 6 if has_alpha else 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def a_wav(seconds: float = 3.0, *, rate: int = 8_000) -> bytes:
    """A silent mono 16-bit WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as track:
        track.setnchannels(1)
        track.setsampwidth(2)
        track.setframerate(rate)
        track.writeframes(b"\x00\x00" * round(seconds * rate))
    return file.getvalue()
