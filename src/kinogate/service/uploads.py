"""Taking files in before any task: DashScope's certificate and form, and our own uploads.

Both end as blobs below `uploads/` that live for 48 hours. What a certificate allows is in
`upload_policy`; bytes on their way in are in `upload_parts`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from kinogate.blobs.base import BlobInfo, BlobStore, content_type_of, owner_segment
from kinogate.domain.catalogue import Catalogue
from kinogate.domain.errors import (
    CallerError,
    ErrorCode,
    InternalError,
    field_invalid,
    field_missing,
)
from kinogate.domain.media import Kind
from kinogate.domain.ports import Clock, Ids, Principal
from kinogate.domain.upload import CERTIFICATE_TTL_S, UPLOAD_TTL_S, Upload, UploadCertificate
from kinogate.media.header import SNIFF_BYTES, sniff
from kinogate.service.links import LinkSigner
from kinogate.service.upload_parts import OffsetError, Part, Parts, Piece
from kinogate.service.upload_policy import PolicySigner, UploadPolicy, upload_blob_key

ACCESS_KEY_ID = "kinogate"
FILE_FIELD = "file"
LENGTH_FIELD = "Upload-Length"
_ANY_TYPE = "application/octet-stream"

_SUFFIXES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.JPEG: ".jpg",
        Kind.PNG: ".png",
        Kind.BMP: ".bmp",
        Kind.WEBP: ".webp",
        Kind.WAV: ".wav",
        Kind.MP3: ".mp3",
        Kind.MP4: ".mp4",
    }
)
"""What may be uploaded to get a link; GIF is no input anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormTicket:
    """A checked form, before its file: where the file goes and how large it may be."""

    blob_key: str
    max_bytes: int


class Uploads:
    """The use cases around uploaded files."""

    def __init__(
        self,
        *,
        blobs: BlobStore,
        policies: PolicySigner,
        links: LinkSigner,
        parts: Parts,
        catalogue: Catalogue,
        clock: Clock,
        ids: Ids,
        origin: str,
        max_bytes: int,
    ) -> None:
        """Compose; `origin` begins every URL, `max_bytes` is the most of one file, inclusive."""
        self._blobs = blobs
        self._policies = policies
        self._links = links
        self._parts = parts
        self._catalogue = catalogue
        self._clock = clock
        self._ids = ids
        self._origin = origin
        self._max_bytes = max_bytes

    # -- DashScope's form -------------------------------------------------------------------------

    def certify(self, principal: Principal, model: str, form_path: str) -> UploadCertificate:
        """Leave to send files for this model; each call makes a folder of its own.

        Args:
            principal: Whose the files will be.
            model: In any spelling.
            form_path: Path of ours that the form is sent to.

        Raises:
            CallerError: MODEL_UNKNOWN.
        """
        now_s = self._clock.now_ms() // 1000
        day = datetime.fromtimestamp(now_s, UTC).date().isoformat()
        owner = owner_segment(principal.account_id)
        policy = UploadPolicy(
            account_id=principal.account_id,
            model=self._catalogue.resolve(model).name,
            folder=f"dashscope-instant/{owner}/{day}/{self._ids.task_id()}",
            max_bytes=self._max_bytes,
            expires_at=now_s + CERTIFICATE_TTL_S,
        )
        text, signature = self._policies.sign(policy)
        return UploadCertificate(
            access_key_id=ACCESS_KEY_ID,
            policy=text,
            signature=signature,
            folder=policy.folder,
            url=self._origin + form_path,
            expires_in_s=CERTIFICATE_TTL_S,
            max_bytes=policy.max_bytes,
        )

    def admit(self, fields: Mapping[str, str]) -> FormTicket:
        """Check what stands before the file in a form: policy, signature and key.

        Raises:
            CallerError: FIELD_MISSING.
            AccountError: PERMISSION_DENIED.
        """
        for name in ("policy", "Signature", "key"):
            if not fields.get(name):
                raise field_missing(name)
        now_s = self._clock.now_ms() // 1000
        policy = self._policies.verify(fields["policy"], fields["Signature"], now_s)
        return FormTicket(blob_key=policy.blob_key_for(fields["key"]), max_bytes=policy.max_bytes)

    async def keep_form(self, ticket: FormTicket, chunks: AsyncIterator[bytes]) -> None:
        """Store the file of an admitted form. The same file again under its key changes nothing.

        Raises:
            CallerError: MEDIA_TOO_LARGE; FIELD_INVALID when the key holds another file.
            InternalError: UNAVAILABLE.
        """
        async with self._parts.receive(chunks, ticket.max_bytes) as path:
            # A task may already be waiting for the first file, so it stays what it is.
            if await self._blobs.exists(ticket.blob_key):
                async with self._blobs.local_path(ticket.blob_key) as known:
                    if await asyncio.to_thread(_digest, known) == await asyncio.to_thread(
                        _digest, path
                    ):
                        return
                raise field_invalid("key", "There is another file under this key.")
            await self._blobs.put_file(ticket.blob_key, path, _ANY_TYPE)

    async def find_key(self, account_id: str, model: str, key: str) -> str | None:
        """The blob that this account sent for this model (canonical) under this key, if it lives."""
        blob_key = upload_blob_key(account_id, model, key)
        return None if await self._alive(blob_key) is None else blob_key

    # -- our own ----------------------------------------------------------------------------------

    async def keep(self, principal: Principal, chunks: AsyncIterator[bytes]) -> Upload:
        """Store a file that comes in one piece.

        Raises:
            CallerError: MEDIA_TOO_LARGE, MEDIA_FORMAT, or FIELD_MISSING for no bytes at all.
            InternalError: UNAVAILABLE.
        """
        async with self._parts.receive(chunks, self._max_bytes) as path:
            return await self._store(principal.account_id, self._ids.task_id(), path)

    def begin(self, principal: Principal, size_bytes: int) -> Upload:
        """Expect a file in pieces.

        Raises:
            CallerError: MEDIA_TOO_LARGE or FIELD_INVALID.
            InternalError: UNAVAILABLE.
        """
        if size_bytes < 1:
            raise field_invalid(LENGTH_FIELD, "Must be at least 1.")
        if size_bytes > self._max_bytes:
            raise CallerError(
                ErrorCode.MEDIA_TOO_LARGE,
                f"The file may have at most {self._max_bytes} bytes; it has {size_bytes}.",
            )
        return _unfinished(self._parts.begin(principal.account_id, size_bytes))

    async def append(
        self, principal: Principal, upload_id: str, piece: Piece, chunks: AsyncIterator[bytes]
    ) -> Upload:
        """Add a piece; the last one makes the file usable.

        Raises:
            CallerError: ROUTE_UNKNOWN for an unknown id; FIELD_INVALID (`OffsetError` where the
                next byte is told) for a piece that does not fit; MEDIA_FORMAT for the whole.
            InternalError: UNAVAILABLE.
        """
        part = self._parts.find(principal.account_id, upload_id)
        if part is None:
            done = await self._whole(principal.account_id, upload_id)
            raise OffsetError(done.size_bytes, "The file is complete.")
        part = await self._parts.append(part, piece, chunks)
        return await self._settle(principal.account_id, part)

    async def show(self, principal: Principal, upload_id: str) -> Upload:
        """An upload of this account, finished or not.

        Raises:
            CallerError: ROUTE_UNKNOWN: foreign, expired or never there.
        """
        part = self._parts.find(principal.account_id, upload_id)
        if part is not None:
            return await self._settle(principal.account_id, part)
        return await self._whole(principal.account_id, upload_id)

    async def _whole(self, account_id: str, upload_id: str) -> Upload:
        for kind, suffix in _SUFFIXES.items():
            info = await self._alive(_native_key(account_id, upload_id, suffix))
            if info is not None:
                return self._finished(upload_id, info, kind)
        raise CallerError(ErrorCode.ROUTE_UNKNOWN, "There is no such file.")

    async def _settle(self, account_id: str, part: Part) -> Upload:
        """Make a whole part a file; also one that a crash left whole."""
        if part.received_bytes < part.size_bytes:
            return _unfinished(part)
        try:
            upload = await self._store(account_id, part.id, part.path)
        except CallerError:
            part.path.unlink(missing_ok=True)  # whole, and no input: nothing to go on with
            raise
        except (InternalError, FileNotFoundError):
            if part.path.exists():
                raise
            return await self._whole(account_id, part.id)  # another call was quicker
        part.path.unlink(missing_ok=True)
        return upload

    async def _store(self, account_id: str, upload_id: str, path: Path) -> Upload:
        head = await asyncio.to_thread(_head, path)
        if not head:
            raise field_missing(FILE_FIELD)
        kind = sniff(head)
        suffix = None if kind is None else _SUFFIXES.get(kind)
        if kind is None or suffix is None:
            names = ", ".join(known.value for known in _SUFFIXES)
            raise CallerError(ErrorCode.MEDIA_FORMAT, f"The file must be one of {names}.")
        key = _native_key(account_id, upload_id, suffix)
        info = await self._blobs.put_file(key, path, content_type_of(key))
        return self._finished(upload_id, info, kind)

    async def _alive(self, blob_key: str) -> BlobInfo | None:
        try:
            info = await self._blobs.stat(blob_key)
        except KeyError:
            return None
        now_s = self._clock.now_ms() / 1000
        return info if now_s < info.modified_s + UPLOAD_TTL_S else None

    def _finished(self, upload_id: str, info: BlobInfo, kind: Kind) -> Upload:
        expires_s = int(info.modified_s) + UPLOAD_TTL_S
        name = info.key.rpartition("/")[2]
        return Upload(
            id=upload_id,
            size_bytes=info.size_bytes,
            received_bytes=info.size_bytes,
            kind=kind,
            url=self._links.sign(info.key, filename=name, expires_at=expires_s),
            expires_ms=expires_s * 1000,
        )


def _unfinished(part: Part) -> Upload:
    return Upload(
        id=part.id,
        size_bytes=part.size_bytes,
        received_bytes=part.received_bytes,
        expires_ms=part.expires_s * 1000,
    )


def _native_key(account_id: str, upload_id: str, suffix: str) -> str:
    return f"uploads/{owner_segment(account_id)}/{upload_id}{suffix}"


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SNIFF_BYTES)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
