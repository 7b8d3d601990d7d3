"""`KeyStore` over SQL: accounts and the hashes of their keys."""

from __future__ import annotations

from collections.abc import Sequence

from kinogate.db import statements as st
from kinogate.db.codec import Row
from kinogate.db.open import Database
from kinogate.db.session import Session, Values
from kinogate.domain.ports import Key


class SqlKeyStore:
    """Accounts and keys in a database.

    Args:
        database: Open database; stays the caller's to close.
    """

    def __init__(self, database: Database) -> None:
        self._writer = database.writer
        self._readers = database.readers

    async def add(self, key: Key) -> None:
        """As the port says; a new account is named after the key."""

        def insert(session: Session) -> None:
            if session.row(st.lock_account, {"id": key.account_id}) is None:
                session.count(
                    st.insert_account,
                    {"id": key.account_id, "name": key.name, "created_ms": key.created_ms},
                )
            if session.row(st.same_key, {"id": key.id, "hash": key.hash}) is None:
                session.count(
                    st.insert_key,
                    {
                        "id": key.id,
                        "account_id": key.account_id,
                        "name": key.name,
                        "hash": key.hash,
                        "is_admin": int(key.is_admin),
                        "created_ms": key.created_ms,
                        "revoked_ms": key.revoked_ms,
                    },
                )

        await self._writer.run(insert)

    async def by_hash(self, key_hash: str) -> Key | None:
        """As the port says."""
        row = await self._readers.run(lambda s: s.row(st.key_by_hash, {"hash": key_hash}))
        return None if row is None else _key_of(row)

    async def list(self, account_id: str | None = None) -> Sequence[Key]:
        """As the port says."""

        def read(session: Session) -> Sequence[Row]:
            if account_id is None:
                return session.rows(st.all_keys, {})
            return session.rows(st.keys_of_account, {"account_id": account_id})

        return [_key_of(row) for row in await self._readers.run(read)]

    async def revoke(self, key_id: str, now_ms: int) -> bool:
        """As the port says."""
        values: Values = {"id": key_id, "now_ms": now_ms}
        return await self._writer.run(lambda s: s.count(st.revoke_key, values)) == 1


def _key_of(row: Row) -> Key:
    key_id, account_id, name, key_hash, is_admin, created_ms, revoked_ms = row
    return Key(
        id=key_id,
        account_id=account_id,
        name=name,
        hash=key_hash,
        is_admin=bool(is_admin),
        created_ms=created_ms,
        revoked_ms=revoked_ms,
    )
