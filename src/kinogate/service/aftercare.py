"""Between engine and blob store: the given sound, the stills, the judges, the signature.

In this order: judges see what callers will see, and nothing touches the file after its signature.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import structlog

from kinogate.domain.abilities import Abilities
from kinogate.domain.errors import ErrorCode, InternalError, KinogateError
from kinogate.domain.order import AudioMode, Order, Produced, Role
from kinogate.domain.review import Exhibit, Part
from kinogate.domain.task import Task
from kinogate.media.finisher import Finisher
from kinogate.media.provenance import Signer
from kinogate.media.still_paths import still_paths
from kinogate.service.moderation import Moderation

log = structlog.get_logger(__name__)


def engine_order(order: Order, abilities: Abilities) -> Order:
    """The part of an order that is the engine's: without the sound that it cannot take."""
    if abilities.takes_audio or order.audio is not AudioMode.FILE:
        return order
    inputs = tuple(item for item in order.inputs if item.role is not Role.AUDIO)
    return replace(order, inputs=inputs, audio=AudioMode.OFF)


class Aftercare:
    """Makes an engine's file what the caller was promised; without a finisher it only judges."""

    def __init__(
        self,
        *,
        finisher: Finisher | None = None,
        moderation: Moderation | None = None,
        signer: Signer | None = None,
    ) -> None:
        self._finisher = finisher
        self._moderation = moderation or Moderation()
        self._signer = signer

    async def complete(
        self, task: Task, order: Order, produced: Produced, abilities: Abilities
    ) -> Produced:
        """Work on the file at `produced.path` in place; the stills lie beside it.

        Args:
            task: Whose file it is.
            order: The whole order, with local paths.
            produced: As the engine left it.
            abilities: The engine's.

        Raises:
            CallerError: CONTENT_REFUSED.
            UpstreamError: A judge that must be asked cannot be.
            InternalError: Sound or signature failed; stills are done without.
        """
        clip = Path(produced.path)
        if order.audio is AudioMode.FILE and not abilities.takes_audio:
            produced = await self._add_sound(order, produced, clip)
        if not abilities.makes_stills and self._finisher is not None:
            try:
                await self._finisher.stills(clip)
            except KinogateError as error:
                log.warning("no stills", task_id=task.id, reason=error.message)
        judged = self._moderation.filters(task.plan.safety_filter)
        if judged and self._moderation.looks_at(Part.RESULT):
            poster = still_paths(clip).poster
            picture = await asyncio.to_thread(poster.read_bytes) if poster.exists() else None
            await self._moderation.require(Exhibit(part=Part.RESULT, picture=picture, path=clip))
        if self._signer is not None and self._finisher is not None:
            signed = clip.with_name(f"signed-{clip.name}")
            await self._finisher.sign(
                clip, signed, self._signer, is_algorithmic=abilities.is_algorithmic
            )
            signed.replace(clip)
        return produced

    async def _add_sound(self, order: Order, produced: Produced, clip: Path) -> Produced:
        sound = order.input(Role.AUDIO)
        if sound is None or self._finisher is None:
            raise InternalError(ErrorCode.INTERNAL, "The given sound cannot be added.")
        heard = clip.with_name(f"heard-{clip.name}")
        await self._finisher.mux(clip, Path(sound.path), heard)
        heard.replace(clip)
        return replace(produced, has_audio=True)
