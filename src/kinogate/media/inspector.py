"""Inspection as the API process sees it: one awaitable per kind of file, no decoder imported.

The work happens in children (`inspect_worker`). A file that makes a decoder crash, hang or swell
is the caller's fault and not ours, so those ends become refusals here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.domain.media import (
    MIB,
    AudioFacts,
    FootageFacts,
    ImageFacts,
    ImageRules,
    ReceivedClip,
)
from kinogate.domain.spec import AudioFileRule, VideoRule
from kinogate.procs.host import ChildHost
from kinogate.procs.protocol import Limits

T = TypeVar("T")

INSPECT_LIMITS = Limits(
    # An 8000x8000 WEBP, the largest image of any catalogue row, peaks at 1,120 MiB of addresses,
    # 126 of them libraries (measured with Pillow 13 and av 18.1).
    address_space_bytes=1280 * MIB,
    cpu_s=20,
    file_bytes=256 * MIB,
    open_files=64,
    nice=5,
)
_IMAGE_S = 20.0
_SOUND_S = 20.0
_VIDEO_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageJob:
    """Arguments of the method `image`."""

    path: str
    rules: ImageRules


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioJob:
    """Arguments of the method `audio`."""

    path: str
    limits: AudioFileRule


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoJob:
    """Arguments of the method `video`."""

    path: str
    limits: VideoRule


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrinkJob:
    """Arguments of the method `shrink`; paths, and the most bytes that the JPEG may have."""

    path: str
    out: str
    max_bytes: int


class Inspector:
    """Checks files in child processes; safe for concurrent use on one event loop."""

    def __init__(self, *, slots: int = 2) -> None:
        self._host = ChildHost("kinogate.media.inspect_worker", slots=slots, limits=INSPECT_LIMITS)

    async def start(self) -> None:
        """Have one child warm.

        Raises:
            InternalError: `UNAVAILABLE`.
        """
        await self._host.start()

    async def close(self) -> None:
        """End the children; safe to call twice."""
        await self._host.close()

    async def image(self, path: Path, rules: ImageRules) -> ImageFacts:
        """Check an image and write its normalised copy to `rules.out`; see `inspect_image`.

        Raises:
            CallerError: `MEDIA_TOO_LARGE`, `MEDIA_FORMAT` or `MEDIA_DIMENSIONS`.
            InternalError: `UNAVAILABLE`.
        """
        job = ImageJob(path=str(path), rules=rules)
        try:
            return await self._ask("image", job, ImageFacts, _IMAGE_S)
        except BaseException:
            _remove(Path(rules.out))  # a killed child leaves half a copy
            raise

    async def audio(self, path: Path, rule: AudioFileRule) -> AudioFacts:
        """Check a WAV or MP3; see `inspect_audio`.

        Raises:
            CallerError: `MEDIA_TOO_LARGE`, `MEDIA_FORMAT` or `MEDIA_DURATION`.
            InternalError: `UNAVAILABLE`.
        """
        return await self._ask("audio", AudioJob(path=str(path), limits=rule), AudioFacts, _SOUND_S)

    async def video(self, path: Path, rule: VideoRule) -> FootageFacts:
        """Check an MP4 or MOV; see `inspect_video`.

        Raises:
            CallerError: `MEDIA_TOO_LARGE`, `MEDIA_FORMAT`, `MEDIA_DIMENSIONS` or `MEDIA_DURATION`.
            InternalError: `UNAVAILABLE`.
        """
        return await self._ask(
            "video", VideoJob(path=str(path), limits=rule), FootageFacts, _VIDEO_S
        )

    async def received(self, path: Path) -> ReceivedClip:
        """Check what an upstream has made; see `check_received`.

        Raises:
            InternalError: `RESULT_INVALID` or `UNAVAILABLE`.
        """
        try:
            return await self._host.call("received", str(path), ReceivedClip, timeout_s=_VIDEO_S)
        except InternalError as exc:
            if exc.code not in (ErrorCode.ENGINE_FAILED, ErrorCode.TIMED_OUT):
                raise
            raise InternalError(
                ErrorCode.RESULT_INVALID, "The upstream's file cannot be decoded."
            ) from exc

    async def shrink(self, path: Path, out: Path, max_bytes: int) -> int:
        """Pack a checked image as a JPEG of at most `max_bytes`; see `shrink_image`.

        Raises:
            CallerError: `MEDIA_TOO_LARGE` or `MEDIA_FORMAT`.
            InternalError: `UNAVAILABLE`.
        """
        job = ShrinkJob(path=str(path), out=str(out), max_bytes=max_bytes)
        return await self._ask("shrink", job, int, _IMAGE_S)

    async def _ask(self, name: str, job: object, facts: type[T], timeout_s: float) -> T:
        try:
            return await self._host.call(name, job, facts, timeout_s=timeout_s)
        except InternalError as exc:
            if exc.code not in (ErrorCode.ENGINE_FAILED, ErrorCode.TIMED_OUT):
                raise
            raise CallerError(
                ErrorCode.MEDIA_FORMAT, "The file is damaged and cannot be decoded."
            ) from exc


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
