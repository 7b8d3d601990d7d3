"""Files that callers hand over before they ask for a clip: what they are told about them."""

from __future__ import annotations

from dataclasses import dataclass

from kinogate.domain.media import Kind

UPLOAD_TTL_S = 48 * 3_600
"""How long an upload may be used, seconds (spec/dashscope.md §8: 48 hours)."""
CERTIFICATE_TTL_S = 300
"""How long an upload certificate may be used, seconds (spec/dashscope.md §8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadCertificate:
    """Leave to send files by form, without a key, for a while.

    Attributes:
        access_key_id: Names the secret behind the signature.
        policy: What is allowed, as text that only we read.
        signature: Proves that `policy` is ours.
        folder: What every file's key must begin with, without a final slash.
        url: Where the form goes.
        expires_in_s: From now.
        max_bytes: Of one file.
    """

    access_key_id: str
    policy: str
    signature: str
    folder: str
    url: str
    expires_in_s: int
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that is here, or on its way in pieces.

    Attributes:
        id: UUIDv4, 36 characters.
        size_bytes: Of the whole file.
        received_bytes: Of them here; equal to `size_bytes` once the file may be used.
        kind: What its first bytes say that it is; None until it is complete.
        url: Signed link of ours, an input in every dialect; None until it is complete.
        expires_ms: When the file or the unfinished upload goes, epoch milliseconds.
    """

    id: str
    size_bytes: int
    received_bytes: int
    kind: Kind | None = None
    url: str | None = None
    expires_ms: int

    @property
    def is_complete(self) -> bool:
        """Whether every byte is here."""
        return self.url is not None
