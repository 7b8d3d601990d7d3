"""What is done to a result after its engine: a finishing pass, stills, signature; looks at images.

The API process imports this and no decoder; the work happens in children (`finish_worker`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.media.finish_job import ClipFacts, FinishJob
from kinogate.media.provenance import Signer
from kinogate.procs.host import ChildHost
from kinogate.procs.protocol import Limits

_MIB = 1024 * 1024
_LIMITS = Limits(
    address_space_bytes=2048 * _MIB,
    cpu_s=600,
    file_bytes=1024 * _MIB,
    open_files=64,
    nice=5,
)
_TIMEOUT_S = 120.0
_FINISH_S = 600.0
"""Seldom near: 15 s of a calm 1080p clip are encoded anew in 8 s of two cores (measured)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookJob:
    """Arguments of the method `look`: an image, and the longest side of the JPEG of it."""

    picture: str
    longest_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignJob:
    """Arguments of the method `sign`; paths, and what kind of source the clip has."""

    clip: str
    out: str
    signer: Signer
    is_algorithmic: bool


class Finisher:
    """Works on results in child processes; safe for concurrent use on one event loop."""

    def __init__(self, *, slots: int = 1) -> None:
        self._host = ChildHost("kinogate.media.finish_worker", slots=slots, limits=_LIMITS)

    async def start(self) -> None:
        """Have a child ready, so that the first clip need not wait for one.

        Raises:
            InternalError: UNAVAILABLE: it does not start.
        """
        await self._host.start()

    async def close(self) -> None:
        """End the children; safe to call twice."""
        await self._host.close()

    async def finish(self, job: FinishJob) -> ClipFacts:
        """Give a clip what it lacks, in one pass; see `conform.finish_clip`.

        Raises:
            CallerError: The given sound cannot be decoded.
            InternalError: RESULT_INVALID, also for a clip that makes a decoder crash or hang, which
                leaves no file; UNAVAILABLE.
        """
        try:
            return await self._host.call("finish", job, ClipFacts, timeout_s=_FINISH_S)
        except BaseException as error:
            for left in (Path(job.out), Path(f"{job.out}.part"), Path(f"{job.out}.part.part")):
                left.unlink(missing_ok=True)  # a killed child leaves half a file
            if isinstance(error, InternalError) and error.code in (
                ErrorCode.ENGINE_FAILED,
                ErrorCode.TIMED_OUT,
            ):
                raise InternalError(
                    ErrorCode.RESULT_INVALID, "The engine's clip could not be finished."
                ) from error
            raise

    async def stills(self, clip: Path) -> None:
        """Write the stills beside a clip; see `make_stills`."""
        await self._host.call("stills", str(clip), bool, timeout_s=_TIMEOUT_S)

    async def look(self, picture: Path, longest_px: int) -> bytes:
        """A small JPEG of a checked image; see `small_jpeg`."""
        job = LookJob(picture=str(picture), longest_px=longest_px)
        return await self._host.call("look", job, bytes, timeout_s=_TIMEOUT_S)

    async def sign(self, clip: Path, out: Path, signer: Signer, *, is_algorithmic: bool) -> None:
        """Write a signed copy of a clip; see `sign_clip`."""
        job = SignJob(clip=str(clip), out=str(out), signer=signer, is_algorithmic=is_algorithmic)
        await self._host.call("sign", job, bool, timeout_s=_TIMEOUT_S)
