"""One demo call to its end: poll in the dialect's words, download, look at every promise."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np

from kinogate.cli.demo_calls import DemoCall, Expected, Pending, headers, pick
from kinogate.cli.demo_fixtures import Fixtures
from kinogate.cli.private_server import PrivateServer
from kinogate.engines.preview.fit import fit_cover
from kinogate.media.probe import VideoFacts, audio_windows_db, first_frame, probe_video, ssim

_TIMEOUT_S = 600.0
_POLL_S = 0.3
_LOUD_DB, _SILENT_DB = -50.0, -60.0
_EDGE_S = 0.1
_SSIM_MIN = 0.98


@dataclass(slots=True, kw_only=True)
class Row:
    """What came of one call."""

    dialect: str
    example: str
    facts: VideoFacts | None = None
    first: float | None = None
    sound: str = ""
    faults: list[str] = field(default_factory=list)

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        facts = self.facts
        if facts is None:
            return (self.dialect, self.example, *[""] * 6, "NO")
        return (
            self.dialect,
            self.example,
            f"{facts.width}x{facts.height}",
            str(facts.frame_count),
            f"{float(facts.fps):g}",
            f"{facts.duration_s:g}",
            self.sound,
            "" if self.first is None else f"{self.first:.4f}",
            "NO" if self.faults else "yes",
        )

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        names = ("dialect", "example", "size", "frames", "fps", "seconds", "sound", "first", "ok")
        return dict(zip(names, self.cells(), strict=True)) | {"faults": self.faults}


def run_call(pending: Pending, server: PrivateServer, fixtures: Fixtures, out: Path) -> Row:
    """Wait for a submitted call and check its MP4."""
    call = pending.call
    row = Row(dialect=call.dialect, example=call.example)
    url = _await_url(pending, server, row)
    if url is None:
        return row
    path = out / f"{call.dialect}-{call.example.replace(' ', '-').replace('/', '-')}.mp4"
    reply = httpx2.get(url, trust_env=False)
    if reply.status_code != httpx2.codes.OK or reply.headers["content-type"] != "video/mp4":
        row.faults.append(f"the download answered {reply.status_code}")
        return row
    path.write_bytes(reply.content)
    row.facts = probe_video(path)
    _check_facts(row, row.facts, call.expected)
    _check_sound(row, path, call.expected, fixtures)
    if call.expected.from_image:
        fitted = fit_cover(fixtures.image, call.expected.width, call.expected.height)
        row.first = ssim(first_frame(path), fitted)
        if row.first < _SSIM_MIN:
            row.faults.append(f"the first frame has SSIM {row.first:.3f} to the input")
    return row


def _await_url(pending: Pending, server: PrivateServer, row: Row) -> str | None:
    call: DemoCall = pending.call
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        reply = httpx2.get(
            server.url + call.poll.format(id=pending.task_id),
            headers=headers(server),
            trust_env=False,
        )
        if not reply.is_success:
            row.faults.append(f"the query answered {reply.status_code}: {reply.text[:200]}")
            return None
        status = pick(reply.json(), call.status_at)
        if status == call.done:
            return str(pick(reply.json(), call.url_at))
        if status in call.failed:
            row.faults.append(f"the task ended {status}: {reply.text[:300]}")
            return None
        time.sleep(_POLL_S)
    row.faults.append("the task did not end in time")
    return None


def _check_facts(row: Row, facts: VideoFacts, expected: Expected) -> None:
    frames = expected.fps * expected.seconds
    for name, got, wanted in (
        ("codec", facts.codec, "h264"),
        ("pixel format", facts.pix_fmt, "yuv420p"),
        ("size", (facts.width, facts.height), (expected.width, expected.height)),
        ("frames", facts.frame_count, frames),
        ("fps", float(facts.fps), float(expected.fps)),
        ("seconds", round(facts.duration_s, 3), float(expected.seconds)),
        ("audio stream", facts.has_audio, expected.sound != "none"),
        ("faststart", facts.faststart, True),
    ):
        if got != wanted:
            row.faults.append(f"{name} is {got}, not {wanted}")


def _check_sound(row: Row, path: Path, expected: Expected, fixtures: Fixtures) -> None:
    row.sound = expected.sound
    if expected.sound == "none" or row.facts is None or not row.facts.has_audio:
        return
    levels = audio_windows_db(path)
    starts = np.arange(len(levels)) * 0.1
    if expected.sound == "auto":
        if float(np.max(levels)) < _LOUD_DB:
            row.faults.append("the soundtrack is silent")
        return
    during = levels[starts + 0.1 < fixtures.audio_s - _EDGE_S]
    after = levels[starts > fixtures.audio_s + _EDGE_S]
    if len(during) and float(np.min(during)) < _LOUD_DB:
        row.faults.append("the given audio is missing")
    if len(after) and float(np.max(after)) > _SILENT_DB:
        row.faults.append("there is sound after the end of the given audio")
