"""Between engine and blob store: what the file lacks, the stills, the judges, the signature.

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
from kinogate.media.finish_job import FinishJob, Sound
from kinogate.media.finisher import Finisher
from kinogate.media.provenance import Signer
from kinogate.media.still_paths import still_paths
from kinogate.service.measured import as_measured, is_exact, longest_s
from kinogate.service.moderation import Moderation

log = structlog.get_logger(__name__)


def draws_mark(order: Order, abilities: Abilities) -> bool:
    """Whether the order's mark is the engine's: it draws any, or this is the only text it has.

    That one it draws for the whole clip, and not in the size of a label.
    """
    is_its_own = order.watermark is not None and order.watermark == abilities.mark_text
    is_plain = order.watermark_s is None and not order.is_label
    return abilities.draws_mark or (is_its_own and is_plain)


def engine_order(order: Order, abilities: Abilities) -> Order:
    """The part of an order that is the engine's: without what the gateway adds afterwards.

    An engine that cannot be silent is told AUTO, which is what it does; the sound is taken away
    from its result.
    """
    if not abilities.takes_audio and order.audio is AudioMode.FILE:
        inputs = tuple(item for item in order.inputs if item.role is not Role.AUDIO)
        order = replace(order, inputs=inputs, audio=AudioMode.OFF)
    if not abilities.silence and abilities.auto_audio and order.audio is AudioMode.OFF:
        order = replace(order, audio=AudioMode.AUTO)
    if not draws_mark(order, abilities):
        order = replace(order, watermark=None, watermark_s=None, is_label=False)
    return order if abilities.writes_tags else replace(order, tags=())


def finish_job(order: Order, abilities: Abilities, clip: Path) -> FinishJob | None:
    """What the engine's file must be given, or None when it is what was promised as it is."""
    sound, given = _sound(order, abilities), order.input(Role.AUDIO)
    has_mark = bool(order.watermark) and not draws_mark(order, abilities)
    tags = () if abilities.writes_tags else order.tags
    if not (has_mark or tags or abilities.is_measured) and sound is Sound.KEEP:
        return None
    return FinishJob(
        clip=str(clip),
        out=str(clip.with_name(f"finished-{clip.name}")),
        longest_s=longest_s(order),
        sound=sound,
        sound_path=given.path if given is not None else None,
        mark=order.watermark if has_mark else None,
        mark_s=order.watermark_s,
        is_label=order.is_label,
        tags=tags,
    )


def _sound(order: Order, abilities: Abilities) -> Sound:
    if order.audio is AudioMode.FILE:
        if not abilities.takes_audio:
            return Sound.GIVEN
        # A service may drop a file that it says to take; the caller gets it all the same.
        return Sound.SPARE if abilities.is_measured else Sound.KEEP
    is_unwanted = order.audio is AudioMode.OFF and (abilities.is_measured or not abilities.silence)
    return Sound.DROP if is_unwanted else Sound.KEEP


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

    def lets_see_early(self, task: Task, order: Order, abilities: Abilities) -> bool:
        """Whether a frame of the engine's may be looked at before its file is complete.

        Not where a judge must see the result first, nor where the gateway has a mark to draw.
        """
        has_mark = bool(order.watermark) and not draws_mark(order, abilities)
        return not has_mark and not self._is_judged(task)

    async def complete(
        self, task: Task, order: Order, produced: Produced, abilities: Abilities
    ) -> Produced:
        """Work on the file at `produced.path` in place; the stills lie beside it.

        Args:
            task: Whose file it is.
            order: The whole order, with local paths.
            produced: As the engine left it.
            abilities: The engine's.

        Returns:
            What was produced; for an engine whose clips are taken as they measure, as measured.

        Raises:
            CallerError: CONTENT_REFUSED, or the given sound cannot be read.
            UpstreamError: A judge that must be asked cannot be.
            InternalError: RESULT_INVALID: the clip is not playable, or not what was asked for;
                or the signature failed. Stills are done without.
        """
        clip = Path(produced.path)
        job = finish_job(order, abilities, clip)
        if job is not None:
            produced = await self._finish(job, order, produced, abilities)
        if not abilities.makes_stills and self._finisher is not None:
            await self._make_stills(task, clip, is_measured=abilities.is_measured)
        if self._is_judged(task):
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

    def _is_judged(self, task: Task) -> bool:
        is_filtered = self._moderation.filters(task.plan.safety_filter)
        return is_filtered and self._moderation.looks_at(Part.RESULT)

    async def _finish(
        self, job: FinishJob, order: Order, produced: Produced, abilities: Abilities
    ) -> Produced:
        if self._finisher is None:
            raise InternalError(ErrorCode.INTERNAL, "There is nobody to finish the clip.")
        facts = await self._finisher.finish(job)
        if facts.is_changed:
            Path(job.out).replace(job.clip)
        if abilities.is_measured:
            return as_measured(order, produced, facts)
        if not is_exact(produced, facts):
            log.error("clip is not what its engine said", said=produced, measured=facts)
            raise InternalError(
                ErrorCode.RESULT_INVALID, "The engine's file is not what was asked for."
            )
        return replace(produced, has_audio=facts.has_audio)

    async def _make_stills(self, task: Task, clip: Path, *, is_measured: bool) -> None:
        if self._finisher is None:
            return
        try:
            await self._finisher.stills(clip)
        except KinogateError as error:
            # The stills take every frame of a service's clip: here it shows if one is broken.
            if is_measured and error.code is ErrorCode.RESULT_INVALID:
                raise
            log.warning("no stills", task_id=task.id, reason=error.message)
