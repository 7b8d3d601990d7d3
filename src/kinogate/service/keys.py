"""API keys: `kg_live_` + 30 base-62 characters + 6 of a checksum; stored as a hash, shown once.

The checksum (CRC-32 in base 62 over everything before it) lets a client or a secret scanner reject
a typo offline; it is no secret. The 30 random characters carry 178 bits, so one round of SHA-256
protects them at rest: slow hashes are for passwords.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from kinogate.domain.errors import AccountError, ErrorCode
from kinogate.domain.ports import Clock, Key, KeyStore, Principal

PREFIX = "kg_live_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM = 30
_CHECK = 6
PATTERN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}")
DEFAULT_ACCOUNT = "default"
_ACCOUNT_MAX = 64
_CACHE_MS = 1_000
_CACHE_MAX = 10_000


def _checksum(text: str) -> str:
    rest = zlib.crc32(text.encode("ascii"))
    digits = ""
    for _ in range(_CHECK):
        rest, digit = divmod(rest, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def mint_secret() -> str:
    """A fresh key in our format."""
    head = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return head + _checksum(head)


def is_well_formed(secret: str) -> bool:
    """Whether the text has our format and its checksum holds; no look-up."""
    if not PATTERN.fullmatch(secret):
        return False
    return _checksum(secret[:-_CHECK]) == secret[-_CHECK:]


def hash_secret(secret: str) -> str:
    """What is stored: SHA-256, hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class MintedKey:
    """A key together with its secret, which exists only here and in the caller's hands."""

    key: Key
    secret: str


class Keyring:
    """Makes, lists, revokes and verifies keys.

    Verified keys are remembered for one second, so a revocation acts within that time in every
    process.
    """

    def __init__(self, store: KeyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, tuple[int, Key | None]] = {}

    async def create(
        self,
        name: str,
        *,
        account_id: str = DEFAULT_ACCOUNT,
        is_admin: bool = False,
        secret: str | None = None,
    ) -> MintedKey:
        """Make a key; with `secret` the given one is installed (again changes nothing).

        Raises:
            ValueError: `secret` is not in our format, or `account_id` is no account name.
        """
        if not (account_id.isprintable() and account_id == account_id.strip()) or not (
            1 <= len(account_id) <= _ACCOUNT_MAX
        ):
            raise ValueError(f"An account name has 1 to {_ACCOUNT_MAX} printable characters.")
        if secret is not None and not is_well_formed(secret):
            raise ValueError("The key is not in our format, or its checksum is wrong.")
        secret = secret or mint_secret()
        key = Key(
            id=f"key_{uuid.uuid4().hex[:16]}",
            account_id=account_id,
            name=name,
            hash=hash_secret(secret),
            is_admin=is_admin,
            created_ms=self._clock.now_ms(),
        )
        await self._store.add(key)
        stored = await self._store.by_hash(key.hash)
        return MintedKey(key=stored or key, secret=secret)

    async def list(self, account_id: str | None = None) -> Sequence[Key]:
        """Keys, oldest first, revoked ones included."""
        return await self._store.list(account_id)

    async def revoke(self, key_id: str) -> bool:
        """Revoke; False when there is no such live key."""
        self._known.clear()
        return await self._store.revoke(key_id, self._clock.now_ms())

    async def verify(self, secret: str | None) -> Principal:
        """Who shows this key.

        Raises:
            AccountError: KEY_MISSING or KEY_INVALID.
        """
        if secret is None:
            raise AccountError(ErrorCode.KEY_MISSING, "No API key was provided.")
        if not is_well_formed(secret):
            raise _invalid()
        key = await self._find(hash_secret(secret))
        if key is None or key.revoked_ms is not None:
            raise _invalid()
        return Principal(account_id=key.account_id, key_id=key.id, is_admin=key.is_admin)

    async def _find(self, key_hash: str) -> Key | None:
        now = self._clock.now_ms()
        known = self._known.get(key_hash)
        if known is not None and now - known[0] < _CACHE_MS:
            return known[1]
        key = await self._store.by_hash(key_hash)
        if len(self._known) >= _CACHE_MAX:
            self._known.clear()
        self._known[key_hash] = (now, key)
        return key


def _invalid() -> AccountError:
    return AccountError(ErrorCode.KEY_INVALID, "The API key is not valid.")
