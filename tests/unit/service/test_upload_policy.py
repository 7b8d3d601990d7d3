"""Upload policies: nothing but what was signed verifies, and a key resolves for one owner only."""

from __future__ import annotations

import itertools
import string
from dataclasses import replace

import pytest

from kinogate.blobs.base import is_blob_key
from kinogate.domain.errors import AccountError, ErrorCode
from kinogate.service.links import LinkSigner
from kinogate.service.upload_policy import (
    EXPIRED_TEXT,
    PolicySigner,
    UploadPolicy,
    upload_blob_key,
)

SECRET = bytes(range(32))
NOW = 1_767_225_600
POLICY = UploadPolicy(
    account_id="acme",
    model="wan2.6-i2v",
    folder="dashscope-instant/acme/2026-01-01/0b5e",
    max_bytes=1_000,
    expires_at=NOW + 300,
)
SIGNER = PolicySigner(SECRET)
TEXT, SIGNATURE = SIGNER.sign(POLICY)


def denied(text: str, signature: str, now_s: int = NOW) -> str:
    with pytest.raises(AccountError) as caught:
        SIGNER.verify(text, signature, now_s)
    assert caught.value.code is ErrorCode.PERMISSION_DENIED
    return caught.value.message


def mutants(text: str) -> list[str]:
    """Every text that differs in one character, lacks one, or has one more."""
    others = string.ascii_letters + string.digits + "+/=-_ \u00e9"
    found = {
        text[:index] + other + text[index + 1 :]
        for index, other in itertools.product(range(len(text)), others)
    }
    found |= {text[:index] + text[index + 1 :] for index in range(len(text))}
    found |= {f"{text} ", f"{text}=", f"{text}A", f" {text}", ""}
    return sorted(found - {text})


def test_what_was_signed_verifies_until_it_expires() -> None:
    assert SIGNER.verify(TEXT, SIGNATURE, NOW) == POLICY
    assert SIGNER.verify(TEXT, SIGNATURE, NOW + 299) == POLICY
    assert denied(TEXT, SIGNATURE, NOW + 300) == EXPIRED_TEXT


def test_no_policy_that_differs_in_one_character_verifies() -> None:
    for mutant in mutants(TEXT):
        denied(mutant, SIGNATURE)


def test_no_signature_that_differs_in_one_character_verifies() -> None:
    for mutant in mutants(SIGNATURE):
        denied(TEXT, mutant)


def test_another_servers_policy_is_refused() -> None:
    denied(*PolicySigner(bytes(32)).sign(POLICY))


@pytest.mark.parametrize(
    "changes", [{"account_id": "umbrella"}, {"model": "wan2.5-i2v-preview"}, {"max_bytes": 1_001}]
)
def test_a_signature_fits_its_own_policy_only(changes: dict[str, object]) -> None:
    text, _ = SIGNER.sign(replace(POLICY, **changes))  # type: ignore[arg-type] # test data
    denied(text, SIGNATURE)


def test_a_links_signature_is_no_policys() -> None:
    link = LinkSigner(SECRET, "k1", "https://a.example").sign(
        "uploads/a/b", filename="b", expires_at=NOW
    )
    denied(TEXT, link.rpartition("=")[2])


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        PolicySigner(b"short")


@pytest.mark.parametrize(
    "name",
    ["a.png", "my cat (1).png", "\u5c0f\u732b\u3000\u56fe.png", "..png", "%2e%2e", "a\\b", "C:x"],
)
def test_any_plain_name_inside_the_folder_becomes_a_key_of_ours(name: str) -> None:
    key = POLICY.blob_key_for(f"{POLICY.folder}/{name}")
    assert is_blob_key(key)
    assert key.startswith("uploads/acme/")
    assert not any(part in key for part in ("cat", "png", ".", "%", "\\"))


@pytest.mark.parametrize(
    "key",
    [
        "a.png",
        "",
        POLICY.folder,
        f"{POLICY.folder}/",
        f"{POLICY.folder}/.",
        f"{POLICY.folder}/..",
        f"{POLICY.folder}/../x.png",
        f"{POLICY.folder}/a/b.png",
        f"{POLICY.folder}x/a.png",
        f"/{POLICY.folder}/a.png",
        f"oss://{POLICY.folder}/a.png",
        f"{POLICY.folder}/a\n.png",
        f"{POLICY.folder}/a\x00.png",
        f"{POLICY.folder}/{'a' * 1_000}",
    ],
)
def test_every_other_key_is_denied(key: str) -> None:
    with pytest.raises(AccountError) as caught:
        POLICY.blob_key_for(key)
    assert caught.value.code is ErrorCode.PERMISSION_DENIED


def test_account_model_and_key_each_make_another_blob() -> None:
    rows = itertools.product(("a", "b", "a\nm"), ("m", "n", "m\nk"), ("k", "l", ""))
    keys = [upload_blob_key(*row) for row in rows]
    assert len(set(keys)) == len(keys)
    assert all(is_blob_key(key) for key in keys)
