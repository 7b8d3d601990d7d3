"""Between inputs and engine: judges look at prompt and images, and the prompt is rewritten."""

from __future__ import annotations

from kinogate.blobs.base import BlobStore
from kinogate.domain.order import InputFile, ShotType
from kinogate.domain.review import Exhibit, Part, PromptExtender, Rewritten, Wish
from kinogate.domain.task import Task
from kinogate.media.finisher import Finisher
from kinogate.service.intake import IMAGE_ROLES
from kinogate.service.moderation import Moderation
from kinogate.service.prepare import Prepared
from kinogate.service.prompts import NOBODY, BuiltinExtender

_LOOK_PX = 768
"""Longer side of what judges and chat models see of an image."""

_MOST_LOOKS = 4
"""Images that a chat model is shown; judges see every one."""


class Briefing:
    """Decides what the engine is told; built-in rewriter and word list unless given others."""

    def __init__(
        self,
        blobs: BlobStore,
        *,
        extender: PromptExtender | None = None,
        moderation: Moderation | None = None,
        finisher: Finisher | None = None,
    ) -> None:
        self._blobs = blobs
        self._extender = extender or BuiltinExtender()
        self._moderation = moderation or Moderation()
        self._finisher = finisher

    async def brief(
        self, task: Task, prepared: Prepared, *, is_rewritten: bool = True
    ) -> Rewritten:
        """The prompt to work from.

        Args:
            task: Whose prompt it is.
            prepared: Its inputs.
            is_rewritten: False leaves prompt extension to the engines; content is judged all the
                same.

        Raises:
            CallerError: CONTENT_REFUSED.
            UpstreamError: A judge that must be asked cannot be.
        """
        plan = task.plan
        is_judged = self._moderation.filters(plan.safety_filter)
        if is_judged:
            await self._moderation.require(Exhibit(part=Part.PROMPT, text=plan.prompt))
        extends = is_rewritten and plan.is_extendable and plan.template is None
        pictures = await self._looks(
            prepared.inputs,
            is_judged=is_judged and self._moderation.looks_at(Part.IMAGE),
            is_shown=extends and self._extender.wants_pictures,
        )
        if not extends:
            return Rewritten(prompt=plan.prompt, by=NOBODY)
        return await self._extender.extend(
            Wish(
                prompt=plan.prompt,
                mode=plan.mode,
                shot_type=plan.shot_type if plan.is_extendable else ShotType.SINGLE,
                duration_s=float(plan.duration_s) or prepared.length_s,
                pictures=pictures,
            )
        )

    async def _looks(
        self, inputs: tuple[InputFile, ...], *, is_judged: bool, is_shown: bool
    ) -> tuple[bytes, ...]:
        """Have every image judged, and return the first few for the chat model."""
        if self._finisher is None or not (is_judged or is_shown):
            return ()
        looks: list[bytes] = []
        for item in inputs:
            if item.role not in IMAGE_ROLES:
                continue
            async with self._blobs.local_path(item.path) as path:
                picture = await self._finisher.look(path, _LOOK_PX)
                if is_judged:
                    exhibit = Exhibit(part=Part.IMAGE, picture=picture, path=path)
                    await self._moderation.require(exhibit)
            looks.append(picture)
        return tuple(looks[:_MOST_LOOKS]) if is_shown else ()
