"""Inputs of a claimed task: fetched, checked in a child process, normalised, kept as blobs."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from kinogate.blobs.base import BlobStore, owner_segment
from kinogate.domain.catalogue import MIB, Catalogue, ModelSpec
from kinogate.domain.errors import ErrorCode, InternalError, KinogateError, UpstreamError
from kinogate.domain.media import ImageRules
from kinogate.domain.order import AudioMode, InputFile, Role
from kinogate.domain.overlays import overlaid, overlay_named
from kinogate.domain.spec import AudioFileRule, VideoRule
from kinogate.domain.task import StoredMedia, Task
from kinogate.media.inspector import Inspector
from kinogate.net import UNREACHABLE_TEXT, Fetcher
from kinogate.service.intake import AUDIO_ROLES, IMAGE_ROLES

_VIDEO_RULE = VideoRule(max_bytes=100 * MIB)
_AUDIO_RULE = AudioFileRule(min_s=3, max_s=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Checked inputs.

    Attributes:
        inputs: With blob keys as paths.
        picture: Upright pixels of the input that decides the size, or None.
        length_s: Seconds of the given sound, or of the video that is worked on: they decide the
            length where the plan leaves it open; 0.0 where there is neither.
        input_s: Seconds of input video that are billed.
    """

    inputs: tuple[InputFile, ...] = ()
    picture: tuple[int, int] | None = None
    length_s: float = 0.0
    input_s: float = 0.0


class Preparer:
    """Fetches and checks; doing it again for the same task gives the same blobs."""

    def __init__(
        self, *, blobs: BlobStore, fetcher: Fetcher, inspector: Inspector, catalogue: Catalogue
    ) -> None:
        self._blobs = blobs
        self._fetcher = fetcher
        self._inspector = inspector
        self._catalogue = catalogue

    async def prepare(self, task: Task, folder: Path) -> Prepared:
        """Make a task's inputs ready for the engine.

        Raises:
            CallerError: MEDIA_*, with the role as field.
            UpstreamError: MEDIA_UNREACHABLE.
        """
        spec = self._catalogue.get(task.plan.model)
        if spec is None:
            raise InternalError(ErrorCode.INTERNAL, "The task's model is gone.")
        spec = overlaid(spec, overlay_named(task.plan.house))
        inputs: list[InputFile] = []
        picture: tuple[int, int] | None = None
        length_s = input_s = 0.0
        for index, item in enumerate(task.plan.media):
            try:
                one = await self._one(item, spec, task.account_id, folder / str(index))
            except KinogateError as error:
                error.field = error.field or item.role
                raise
            inputs.extend(one.inputs)
            picture = picture or one.picture
            input_s += one.input_s
            if item.role is Role.AUDIO and task.plan.audio is AudioMode.FILE:
                length_s = one.length_s
            if item.role is Role.SOURCE_VIDEO:
                length_s = one.length_s
        return Prepared(inputs=tuple(inputs), picture=picture, length_s=length_s, input_s=input_s)

    async def _one(
        self, item: StoredMedia, spec: ModelSpec, account_id: str, stem: Path
    ) -> Prepared:
        raw = stem.with_suffix(".raw")
        await self._bring(item, raw, _max_bytes(item.role, spec))
        if item.role in IMAGE_ROLES and spec.image is not None:
            clean = stem.with_suffix(".png")
            facts = await self._inspector.image(raw, ImageRules(limits=spec.image, out=str(clean)))
            stored = await self._store(item.role, clean, account_id, "image/png")
            return Prepared(inputs=(stored,), picture=(facts.width, facts.height))
        if item.role in AUDIO_ROLES:
            heard = await self._inspector.audio(raw, spec.audio_file or _AUDIO_RULE)
            stored = await self._store(item.role, raw, account_id, "application/octet-stream")
            return Prepared(inputs=(stored,), length_s=heard.duration_s)
        footage = await self._inspector.video(raw, spec.video or _VIDEO_RULE)
        stored = await self._store(item.role, raw, account_id, "video/mp4")
        return Prepared(
            inputs=(stored,),
            picture=(footage.width, footage.height),
            length_s=footage.duration_s,
            input_s=footage.duration_s,
        )

    async def _bring(self, item: StoredMedia, into: Path, max_bytes: int) -> None:
        if item.url is not None:
            await self._fetcher.fetch(item.url, into, max_bytes=max_bytes)
            return
        if item.blob_key is None:
            raise InternalError(ErrorCode.INTERNAL, "An input has no source.")
        try:
            async with self._blobs.local_path(item.blob_key) as source:
                await asyncio.to_thread(shutil.copyfile, source, into)
        except KeyError as exc:  # an own link to a clip whose time is over
            raise UpstreamError(ErrorCode.MEDIA_UNREACHABLE, UNREACHABLE_TEXT) from exc

    async def _store(self, role: Role, path: Path, account_id: str, content_type: str) -> InputFile:
        digest = await asyncio.to_thread(_digest, path)
        # The suffix decides what an upstream is told when it fetches the file by a link of ours.
        suffix = ".png" if content_type == "image/png" else ""
        key = f"inputs/{owner_segment(account_id)}/{digest}{suffix}"
        await self._blobs.put_file(key, path, content_type)
        return InputFile(role=role, path=key)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _max_bytes(role: Role, spec: ModelSpec) -> int:
    if role in IMAGE_ROLES and spec.image is not None:
        return spec.image.max_bytes
    if role in AUDIO_ROLES:
        return (spec.audio_file or _AUDIO_RULE).max_bytes
    return (spec.video or _VIDEO_RULE).max_bytes
