"""Upload policies: who may send what for how long, as signed text; needs no database.

DashScope's form upload carries no key, so the policy and its signature must say everything
(spec/dashscope.md §8). Where an uploaded file lies follows from account, model and the key that
the client chose, so a key resolves for nobody else and names from clients never become paths.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from dataclasses import dataclass

import msgspec

from kinogate.blobs.base import owner_segment
from kinogate.domain.errors import AccountError, ErrorCode
from kinogate.service.links import MIN_SECRET_BYTES

EXPIRED_TEXT = "Invalid according to Policy: Policy expired."
"""The vendor's own words; clients compare them."""
MAX_KEY_BYTES = 1_023
"""Longest key of an object, as object stores have it."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class _Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: str
    model: str
    dir: str
    max: int
    exp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPolicy:
    """What a certificate allows.

    Attributes:
        account_id: Whose the files will be.
        model: Canonical name of the only model that may use them.
        folder: What keys must begin with, without a final slash.
        max_bytes: Of one file, inclusive.
        expires_at: Epoch seconds, the first second at which it is no longer valid.
    """

    account_id: str
    model: str
    folder: str
    max_bytes: int
    expires_at: int

    def blob_key_for(self, key: str) -> str:
        """Where the file goes that the client calls `key`.

        Raises:
            AccountError: PERMISSION_DENIED: it is not a plain name inside the folder.
        """
        name = key.removeprefix(f"{self.folder}/")
        is_inside = key.startswith(f"{self.folder}/") and "/" not in name
        is_plain = name not in ("", ".", "..") and not _CONTROL.search(name)
        if not is_inside or not is_plain or len(_bytes(key)) > MAX_KEY_BYTES:
            raise AccountError(
                ErrorCode.PERMISSION_DENIED,
                "Invalid according to Policy: the key must be a name inside upload_dir.",
            )
        return upload_blob_key(self.account_id, self.model, key)


class PolicySigner:
    """Writes and reads policies. Only the exact texts that `sign` wrote verify."""

    def __init__(self, secret: bytes) -> None:
        """Prepare; the secret has at least 32 random bytes and may be that of the links.

        Raises:
            ValueError: The secret is too short.
        """
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"A signing secret must have at least {MIN_SECRET_BYTES} bytes.")
        self._secret = secret

    def sign(self, policy: UploadPolicy) -> tuple[str, str]:
        """The policy as base64 text, and its signature."""
        wire = _Wire(
            account=policy.account_id,
            model=policy.model,
            dir=policy.folder,
            max=policy.max_bytes,
            exp=policy.expires_at,
        )
        text = base64.b64encode(msgspec.json.encode(wire)).decode()
        return text, self._signature(text)

    def verify(self, text: str, signature: str, now_s: int) -> UploadPolicy:
        """The policy that we signed.

        Args:
            text: As `sign` gave it.
            signature: As `sign` gave it.
            now_s: Epoch seconds.

        Raises:
            AccountError: PERMISSION_DENIED: not ours, changed, or expired.
        """
        # The texts are compared and not the bytes, so that base64 has no second spelling.
        if not hmac.compare_digest(self._signature(text).encode(), _bytes(signature)):
            raise _denied("Invalid according to Policy: the signature is not valid.")
        try:
            wire = msgspec.json.decode(base64.b64decode(text, validate=True), type=_Wire)
        except (binascii.Error, ValueError):  # signed by us and unreadable: an older server's
            raise _denied("Invalid according to Policy: the policy is not known.") from None
        if now_s >= wire.exp:
            raise _denied(EXPIRED_TEXT)
        return UploadPolicy(
            account_id=wire.account,
            model=wire.model,
            folder=wire.dir,
            max_bytes=wire.max,
            expires_at=wire.exp,
        )

    def _signature(self, text: str) -> str:
        # The prefix keeps these apart from the signatures of links under the same secret.
        message = b"kinogate-upload-1\n" + _bytes(text)
        return base64.b64encode(hmac.digest(self._secret, message, hashlib.sha256)).decode()


def upload_blob_key(account_id: str, model: str, key: str) -> str:
    """Where the file lies that this account sent for this model under `key`.

    Args:
        account_id: Any name.
        model: Canonical.
        key: As the client wrote it, without `oss://`.
    """
    parts = json.dumps([account_id, model, key]).encode()  # so that they cannot run together
    return f"uploads/{owner_segment(account_id)}/{hashlib.sha256(parts).hexdigest()[:40]}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _denied(message: str) -> AccountError:
    return AccountError(ErrorCode.PERMISSION_DENIED, message)
