"""Signed links to blobs: who holds one may read that blob until it expires, and nothing else.

`{public_url}/files/{key}?Expires=…&KeyId=…&Signature=…` with an optional `Name=` before the
signature. The signature covers every part, and only the exact text that `sign` wrote verifies
(`&download=1` may follow): no second spelling of a link is valid, so none can be forged from one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from kinogate.blobs.base import is_blob_key, require_blob_key
from kinogate.domain.errors import AccountError, CallerError, ErrorCode

FILES_PATH = "/files/"
MIN_SECRET_BYTES = 32

_QUERY = re.compile(
    r"Expires=(?P<expires>0|[1-9][0-9]{0,11})&KeyId=(?P<key_id>[A-Za-z0-9_-]{1,32})"
    r"(?:&Name=(?P<name>[A-Za-z0-9._~%-]{1,600}))?&Signature=(?P<signature>[A-Za-z0-9_-]{43})"
    r"(?P<download>&download=1)?"
)
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a valid link allows.

    Attributes:
        blob_key: The blob.
        filename: What a browser may call it.
        expires_at: Epoch seconds.
        is_download: Whether it was asked for as a download.
    """

    blob_key: str
    filename: str
    expires_at: int
    is_download: bool


class LinkSigner:
    """Makes and checks links; needs no database, and any process with the secret agrees.

    Rotation: make a new signer with the new secret and give the old ones as `older`; their links
    live on until they expire.
    """

    def __init__(
        self,
        secret: bytes,
        key_id: str,
        public_url: str,
        *,
        older: Mapping[str, bytes] | None = None,
    ) -> None:
        """Prepare a signer.

        Args:
            secret: At least 32 random bytes.
            key_id: Names the secret in links; 1–32 letters, digits, `-`, `_`.
            public_url: Origin, perhaps with a path, that links begin with.
            older: Further secrets by key id, for checking only.

        Raises:
            ValueError: A secret is too short or a key id malformed.
        """
        self._secrets = {**(older or {}), key_id: secret}
        if any(len(known) < MIN_SECRET_BYTES for known in self._secrets.values()):
            raise ValueError(f"A signing secret must have at least {MIN_SECRET_BYTES} bytes.")
        if not all(_KEY_ID.fullmatch(name) for name in self._secrets):
            raise ValueError("A key id must have 1 to 32 letters, digits, '-' or '_'.")
        self._key_id = key_id
        self._public_url = public_url.rstrip("/")

    def sign(self, blob_key: str, *, filename: str, expires_at: int) -> str:
        """A link to the blob. The same arguments give the same link.

        Args:
            blob_key: The blob; need not exist.
            filename: What a browser may call it; left out of the link when the key ends so.
            expires_at: Epoch seconds, the first second at which the link is no longer valid.

        Raises:
            ValueError: The key is malformed.
        """
        require_blob_key(blob_key)
        name = "" if filename == blob_key.rpartition("/")[2] else quote(filename, safe="")
        expires = str(expires_at)
        signature = _signature(self._secrets[self._key_id], blob_key, expires, self._key_id, name)
        named = f"&Name={name}" if name else ""
        return (
            f"{self._public_url}{FILES_PATH}{blob_key}"
            f"?Expires={expires}&KeyId={self._key_id}{named}&Signature={signature}"
        )

    def verify(self, path: str, query: str, now_s: int) -> Grant:
        """What the link with this path and query allows.

        Args:
            path: From `/files/` on.
            query: As it was sent, not decoded.
            now_s: Epoch seconds.

        Raises:
            AccountError: `PERMISSION_DENIED`: the link is not ours or was changed.
            CallerError: `RESULT_EXPIRED`: it is ours, and its time is over.
        """
        grant = self._check(path, query)
        if grant is None:
            raise AccountError(
                ErrorCode.PERMISSION_DENIED, "The signature of this URL is not valid."
            )
        if now_s >= grant.expires_at:
            raise CallerError(ErrorCode.RESULT_EXPIRED, "This URL has expired.")
        return grant

    def is_own(self, url: str) -> bool:
        """Whether the URL is one of this server's files, whoever signed it."""
        return url.startswith(self._public_url + FILES_PATH)

    def match_own(self, url: str) -> str | None:
        """The blob behind a link that we signed, or None for any other URL.

        An expired link still matches: whether its blob is there is the blob store's answer. Whose
        blob it is, the caller must check.
        """
        path, mark, query = url.removeprefix(self._public_url).partition("?")
        if not mark or not self.is_own(url):
            return None
        grant = self._check(path, query)
        return None if grant is None else grant.blob_key

    def _check(self, path: str, query: str) -> Grant | None:
        blob_key = path.removeprefix(FILES_PATH)
        found = _QUERY.fullmatch(query)
        if found is None or not path.startswith(FILES_PATH) or not is_blob_key(blob_key):
            return None
        secret = self._secrets.get(found["key_id"])
        if secret is None:
            return None
        name = found["name"] or ""
        # The texts are compared and not the bytes: the last character of 43 holds two spare bits.
        expected = _signature(secret, blob_key, found["expires"], found["key_id"], name)
        if not hmac.compare_digest(expected, found["signature"]):
            return None
        return Grant(
            blob_key=blob_key,
            filename=unquote(name) or blob_key.rpartition("/")[2],
            expires_at=int(found["expires"]),
            is_download=found["download"] is not None,
        )


def _signature(secret: bytes, blob_key: str, expires: str, key_id: str, name: str) -> str:
    # None of the parts can hold a line feed, so the parts cannot run into each other.
    message = "\n".join(("kinogate-link-1", blob_key, expires, key_id, name)).encode()
    digest = hmac.digest(secret, message, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
