"""What is done to a result after its engine: sound, stills, signature; and small looks at images.

The API process imports this and no decoder; the work happens in children (`finish_worker`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kinogate.media.provenance import Signer
from kinogate.procs.host import ChildHost
from kinogate.procs.protocol import Limits

_MIB = 1024 * 1024
_LIMITS = Limits(
    address_space_bytes=2048 * _MIB,
    cpu_s=120,
    file_bytes=1024 * _MIB,
    open_files=64,
    nice=5,
)
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MuxJob:
    """Arguments of the method `mux`; paths."""

    clip: str
    sound: str
    out: str


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

    async def close(self) -> None:
        """End the children; safe to call twice."""
        await self._host.close()

    async def mux(self, clip: Path, sound: Path, out: Path) -> None:
        """Lay a sound under a clip; see `mux_sound`."""
        job = MuxJob(clip=str(clip), sound=str(sound), out=str(out))
        await self._host.call("mux", job, bool, timeout_s=_TIMEOUT_S)

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
