"""Keys: format, checksum, verification, revocation."""

from __future__ import annotations

import asyncio
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinogate.db.memory import MemoryKeyStore
from kinogate.domain.errors import AccountError, ErrorCode
from kinogate.service.keys import PATTERN, Keyring, hash_secret, is_well_formed, mint_secret

LETTERS = string.digits + string.ascii_letters


class SteppingClock:
    """Stands still until told to step."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


def test_a_fresh_key_has_our_format_and_no_two_are_alike() -> None:
    keys = {mint_secret() for _ in range(200)}

    assert len(keys) == 200
    assert all(PATTERN.fullmatch(key) and is_well_formed(key) for key in keys)


@given(place=st.integers(min_value=8, max_value=43), letter=st.sampled_from(sorted(LETTERS)))
def test_every_typo_of_one_character_is_rejected_offline(place: int, letter: str) -> None:
    key = "kg_live_" + "A" * 30
    from kinogate.service.keys import _checksum

    key += _checksum(key)
    typo = key[:place] + letter + key[place + 1 :]

    assert is_well_formed(typo) == (typo == key)


@pytest.mark.parametrize("text", ["", "kg_live_", "sk-123", "kg_live_" + "A" * 36, "Ä" * 44])
def test_what_is_not_our_format_is_rejected(text: str) -> None:
    assert not is_well_formed(text)


def test_a_key_verifies_until_it_is_revoked() -> None:
    async def run() -> None:
        clock = SteppingClock()
        ring = Keyring(MemoryKeyStore(), clock)
        minted = await ring.create("ci", account_id="team")
        assert (await ring.verify(minted.secret)).account_id == "team"
        assert await ring.revoke(minted.key.id)
        with pytest.raises(AccountError) as caught:
            await ring.verify(minted.secret)
        assert caught.value.code is ErrorCode.KEY_INVALID
        assert not await ring.revoke(minted.key.id)

    asyncio.run(run())


def test_a_revocation_by_another_process_acts_within_a_second() -> None:
    async def run() -> None:
        clock, store = SteppingClock(), MemoryKeyStore()
        ring, other = Keyring(store, clock), Keyring(store, clock)
        minted = await ring.create("ci")
        await ring.verify(minted.secret)
        await other.revoke(minted.key.id)
        clock.ms += 1_000
        with pytest.raises(AccountError):
            await ring.verify(minted.secret)

    asyncio.run(run())


def test_the_secret_is_nowhere_in_the_store() -> None:
    async def run() -> None:
        store = MemoryKeyStore()
        minted = await Keyring(store, SteppingClock()).create("ci")
        assert minted.secret not in repr(await store.list())
        assert minted.key.hash == hash_secret(minted.secret)

    asyncio.run(run())


def test_installing_the_same_key_twice_keeps_the_first() -> None:
    async def run() -> None:
        ring = Keyring(MemoryKeyStore(), SteppingClock())
        secret = mint_secret()
        first = await ring.create("admin", is_admin=True, secret=secret)
        again = await ring.create("admin", is_admin=True, secret=secret)
        assert first.key.id == again.key.id
        assert len(await ring.list()) == 1

    asyncio.run(run())


def test_a_key_of_another_format_cannot_be_installed() -> None:
    ring = Keyring(MemoryKeyStore(), SteppingClock())

    with pytest.raises(ValueError, match="format"):
        asyncio.run(ring.create("admin", secret="sk-123"))


@pytest.mark.parametrize(
    ("shown", "code"), [(None, ErrorCode.KEY_MISSING), ("nonsense", ErrorCode.KEY_INVALID)]
)
def test_no_key_and_a_wrong_key_are_told_apart(shown: str | None, code: ErrorCode) -> None:
    with pytest.raises(AccountError) as caught:
        asyncio.run(Keyring(MemoryKeyStore(), SteppingClock()).verify(shown))

    assert caught.value.code is code


@pytest.mark.parametrize("account", ["", " ", "a" * 65, "two\nlines"])
def test_an_account_needs_a_printable_name(account: str) -> None:
    ring = Keyring(MemoryKeyStore(), SteppingClock())

    with pytest.raises(ValueError, match="account name"):
        asyncio.run(ring.create("ci", account_id=account))
