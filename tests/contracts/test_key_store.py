"""What every `KeyStore` promises."""

from __future__ import annotations

import asyncio

import pytest

from kinogate.domain.ports import Key, KeyStore

pytestmark = pytest.mark.anyio


def a_key(number: int, account_id: str = "acme", key_hash: str | None = None) -> Key:
    return Key(
        id=f"key-{number}",
        account_id=account_id,
        name=f"Key {number}",
        hash=key_hash or f"hash-{number}",
        is_admin=number == 1,
        created_ms=number,
    )


async def test_an_added_key_is_found_by_its_hash(keys: KeyStore) -> None:
    await keys.add(a_key(1))
    assert await keys.by_hash("hash-1") == a_key(1)


async def test_an_unknown_hash_finds_nothing(keys: KeyStore) -> None:
    assert await keys.by_hash("hash-1") is None


@pytest.mark.parametrize("again", [a_key(1, key_hash="other"), a_key(2, key_hash="hash-1")])
async def test_the_same_id_or_hash_again_changes_nothing(keys: KeyStore, again: Key) -> None:
    await keys.add(a_key(1))
    await keys.add(again)
    assert list(await keys.list()) == [a_key(1)]


async def test_many_adds_at_once_make_one_key(keys: KeyStore) -> None:
    await asyncio.gather(*[keys.add(a_key(1)) for _ in range(20)])
    assert list(await keys.list()) == [a_key(1)]


async def test_keys_are_listed_oldest_first_and_by_account(keys: KeyStore) -> None:
    for key in (a_key(3), a_key(2, "other"), a_key(1)):
        await keys.add(key)
    assert [key.id for key in await keys.list()] == ["key-1", "key-2", "key-3"]
    assert [key.id for key in await keys.list("acme")] == ["key-1", "key-3"]


async def test_a_revoked_key_is_still_found_and_says_when(keys: KeyStore) -> None:
    await keys.add(a_key(1))
    assert await keys.revoke("key-1", 99)
    found = await keys.by_hash("hash-1")
    assert found is not None
    assert found.revoked_ms == 99


async def test_revoking_twice_keeps_the_first_time(keys: KeyStore) -> None:
    await keys.add(a_key(1))
    await keys.revoke("key-1", 99)
    assert not await keys.revoke("key-1", 100)
    assert (await keys.list())[0].revoked_ms == 99


async def test_revoking_an_unknown_key_is_refused(keys: KeyStore) -> None:
    assert not await keys.revoke("key-9", 1)
