"""Inputs at the door: inline bytes go to the blob store, URLs are looked at and kept for the run.

What the bytes or the URL alone show to be wrong is refused here; what takes a download, a pixel
decode or counting samples ends the task later (design §4.3).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from kinogate.blobs.base import BlobStore, owner_segment
from kinogate.domain.catalogue import MIB, ModelSpec
from kinogate.domain.errors import CallerError, ErrorCode, KinogateError
from kinogate.domain.media import AUDIO_KINDS, Kind, check_bytes
from kinogate.domain.order import Role
from kinogate.domain.request import MediaInput
from kinogate.domain.resolution import Size, Tier, fit_to_tier
from kinogate.domain.task import StoredMedia
from kinogate.media.base64in import decode_data_uri, is_inline
from kinogate.media.header import check_inline_image, sniff
from kinogate.net import UNREACHABLE_TEXT, FetchPolicy, check_url
from kinogate.service.links import LinkSigner

IMAGE_ROLES = frozenset({Role.FIRST_FRAME, Role.LAST_FRAME, Role.REFERENCE_IMAGE, Role.MASK_IMAGE})
AUDIO_ROLES = frozenset({Role.AUDIO, Role.VOICE, Role.REFERENCE_AUDIO})
_DEFAULT_BYTES = 100 * MIB
_AUDIO_BYTES = 15 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Stored inputs, and the output size if the first frame's header has told it."""

    media: tuple[StoredMedia, ...]
    size: Size | None


class UploadFinder(Protocol):
    """Where uploads lie."""

    async def find_key(self, account_id: str, model: str, key: str) -> str | None:
        """The blob that this account sent for this model under this key; None when there is none.

        Foreign, expired and unknown keys, and those of another model, all give None.
        """
        ...


class Intake:
    """Takes a request's media in; storing the same bytes twice is the same blob."""

    def __init__(
        self,
        blobs: BlobStore,
        signer: LinkSigner,
        policy: FetchPolicy,
        uploads: UploadFinder | None = None,
    ) -> None:
        """Prepare; without `uploads` no key of an upload is known."""
        self._blobs = blobs
        self._uploads = uploads
        self._signer = signer
        self._policy = policy

    async def take(
        self,
        media: tuple[MediaInput, ...],
        account_id: str,
        spec: ModelSpec,
        tier: Tier,
    ) -> Taken:
        """Check and store.

        Raises:
            CallerError: MEDIA_* with the role as field.
            InternalError: UNAVAILABLE, when the blob store cannot write.
        """
        stored: list[StoredMedia] = []
        size: Size | None = None
        for item in media:
            try:
                if item.upload is not None:
                    stored.append(await self._upload(item, account_id, spec))
                    continue
                data = _inline(item, _max_bytes(item.role, spec))
                if data is None:
                    stored.append(self._link(item.role, item.text or "", account_id))
                    continue
                pixels = _check(data, item.role, spec)
            except KinogateError as error:
                error.field = error.field or item.role
                raise
            if item.role is Role.FIRST_FRAME and pixels is not None:
                size = fit_to_tier(*pixels, tier)
            stored.append(await self._store(item.role, data, account_id))
        return Taken(media=tuple(stored), size=size)

    async def _store(self, role: Role, data: bytes, account_id: str) -> StoredMedia:
        key = f"inputs/{owner_segment(account_id)}/{hashlib.sha256(data).hexdigest()}"
        await self._blobs.put_bytes(key, data, "application/octet-stream")
        return StoredMedia(role=role, blob_key=key)

    async def _upload(self, item: MediaInput, account_id: str, spec: ModelSpec) -> StoredMedia:
        key = None
        if self._uploads is not None:
            key = await self._uploads.find_key(account_id, spec.name, item.upload or "")
        if key is None:
            raise _unreadable()
        return StoredMedia(role=item.role, blob_key=key)

    def _link(self, role: Role, url: str, account_id: str) -> StoredMedia:
        if self._signer.is_own(url):
            own = self._signer.match_own(url)
            if own is None or own.split("/")[1:2] != [owner_segment(account_id)]:
                raise _unreadable()
            return StoredMedia(role=role, blob_key=own)
        check_url(url, self._policy)
        return StoredMedia(role=role, url=url)


def _unreadable() -> CallerError:
    # The same words as for any other URL that cannot be read: no oracle.
    return CallerError(ErrorCode.MEDIA_URL_INVALID, UNREACHABLE_TEXT)


def _inline(item: MediaInput, max_bytes: int) -> bytes | None:
    """The input's bytes when the request carries them, else None: then `text` is a URL."""
    if item.data is not None:
        return item.data
    text = (item.text or "").strip()
    if not is_inline(text):
        return None
    return decode_data_uri(text, max_bytes=max_bytes)[0]


def _max_bytes(role: Role, spec: ModelSpec) -> int:
    if role in IMAGE_ROLES and spec.image is not None:
        return spec.image.max_bytes
    if role in AUDIO_ROLES:
        return spec.audio_file.max_bytes if spec.audio_file is not None else _AUDIO_BYTES
    return spec.video.max_bytes if spec.video is not None else _DEFAULT_BYTES


def _check(data: bytes, role: Role, spec: ModelSpec) -> tuple[int, int] | None:
    """What the bytes show without decoding; upright pixels of an image."""
    if role in IMAGE_ROLES and spec.image is not None:
        return check_inline_image(data, spec.image)
    what = "audio" if role in AUDIO_ROLES else "video"
    check_bytes(len(data), _max_bytes(role, spec), what)
    allowed = AUDIO_KINDS if role in AUDIO_ROLES else frozenset({Kind.MP4})
    if sniff(data[:64]) not in allowed:
        names = " or ".join(sorted(kind.value for kind in allowed))
        raise CallerError(ErrorCode.MEDIA_FORMAT, f"The {what} must be {names}.")
    return None
