"""Signed links: nothing but what was signed, as it was signed, verifies."""

from __future__ import annotations

import random
import string

import pytest

from kinogate.domain.errors import AccountError, CallerError, ErrorCode, KinogateError
from kinogate.service.links import Grant, LinkSigner

SECRET = bytes(range(32))
ORIGIN = "https://films.example"
KEY = "results/default/3f2a.mp4"
SIGNER = LinkSigner(SECRET, "k1", ORIGIN)
URL = SIGNER.sign(KEY, filename="3f2a.mp4", expires_at=2_000)


def verify(url: str, now_s: int = 1_000, signer: LinkSigner = SIGNER) -> Grant:
    path, _, query = url.removeprefix(ORIGIN).partition("?")
    return signer.verify(path, query, now_s)


def test_a_link_names_its_blob_in_the_path() -> None:
    assert URL.startswith(f"{ORIGIN}/files/{KEY}?Expires=2000&KeyId=k1&Signature=")
    assert verify(URL) == Grant(
        blob_key=KEY, filename="3f2a.mp4", expires_at=2_000, is_download=False
    )


def test_the_same_arguments_give_the_same_link() -> None:
    assert SIGNER.sign(KEY, filename="3f2a.mp4", expires_at=2_000) == URL


def test_a_name_travels_and_is_signed() -> None:
    url = SIGNER.sign(KEY, filename="a cat, at night \u732b.mp4", expires_at=2_000)
    assert verify(url).filename == "a cat, at night \u732b.mp4"
    with pytest.raises(AccountError):
        verify(url.replace("cat", "dog"))


def test_download_may_be_asked_for_without_a_new_signature() -> None:
    assert verify(URL + "&download=1").is_download


@pytest.mark.parametrize(("now_s", "is_valid"), [(1_999, True), (2_000, False), (9_999_999, False)])
def test_a_link_expires_at_its_second(now_s: int, is_valid: bool) -> None:
    if is_valid:
        verify(URL, now_s)
        return
    with pytest.raises(CallerError) as caught:
        verify(URL, now_s)
    assert caught.value.code is ErrorCode.RESULT_EXPIRED


def test_no_mutation_of_a_link_verifies() -> None:
    """10,000 single edits: a character replaced, removed, inserted, or two of them swapped."""
    dice = random.Random(7)
    signs = string.ascii_letters + string.digits + string.punctuation + " \n\0\xe9"
    body = URL.removeprefix(ORIGIN)
    accepted = []
    for _ in range(10_000):
        at = dice.randrange(len(body))
        kind = dice.randrange(4)
        if kind == 0:
            changed = body[:at] + dice.choice(signs) + body[at + 1 :]
        elif kind == 1:
            changed = body[:at] + body[at + 1 :]
        elif kind == 2:
            changed = body[:at] + dice.choice(signs) + body[at:]
        else:
            changed = body[:at] + body[at : at + 2][::-1] + body[at + 2 :]
        if changed == body:
            continue
        path, _, query = changed.partition("?")
        try:
            SIGNER.verify(path, query, 1_000)
        except KinogateError as error:
            assert error.code is ErrorCode.PERMISSION_DENIED  # noqa: PT017
        else:
            accepted.append(changed)
    assert accepted == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "Expires=2000",
        "Expires=&KeyId=k1&Signature=" + "A" * 43,
        "Expires=2000&KeyId=k1&Signature=" + "A" * 43,
        "Expires=2000&KeyId=k9&Signature=" + "A" * 43,
        "Expires=02000&KeyId=k1&Signature=" + "A" * 43,
        "Expires=" + "9" * 5000 + "&KeyId=k1&Signature=" + "A" * 43,
    ],
)
def test_a_forged_query_is_refused(query: str) -> None:
    with pytest.raises(AccountError):
        SIGNER.verify(f"/files/{KEY}", query, 1_000)


def test_a_signature_opens_no_other_blob() -> None:
    with pytest.raises(AccountError):
        verify(URL.replace("3f2a", "3f2b"))
    with pytest.raises(AccountError):
        verify(URL.replace("default", "other"))


def test_parts_cannot_run_into_each_other() -> None:
    one = SIGNER.sign("a/b1", filename="b1", expires_at=2_000)
    other = SIGNER.sign("a/b", filename="b", expires_at=12_000)
    assert one.rpartition("=")[2] != other.rpartition("=")[2]


def test_an_older_secret_still_verifies_and_a_removed_one_does_not() -> None:
    fresh = bytes(32)
    rotated = LinkSigner(fresh, "k2", ORIGIN, older={"k1": SECRET})
    assert verify(URL, signer=rotated).blob_key == KEY
    assert "KeyId=k2" in rotated.sign(KEY, filename="x.mp4", expires_at=1)
    with pytest.raises(AccountError):
        verify(URL, signer=LinkSigner(fresh, "k2", ORIGIN))
    with pytest.raises(AccountError):
        verify(URL, signer=LinkSigner(fresh, "k1", ORIGIN))


def test_own_links_are_recognised_even_when_expired() -> None:
    assert SIGNER.match_own(URL) == KEY
    assert SIGNER.match_own(SIGNER.sign(KEY, filename="3f2a.mp4", expires_at=1)) == KEY


@pytest.mark.parametrize(
    "url",
    [
        "",
        f"{ORIGIN}/files/{KEY}",
        URL[:-1] + ("A" if URL[-1] != "A" else "B"),
        URL.replace("https://films.example", "https://films.example.evil"),
        URL.replace("https://films.example", "http://films.example"),
        URL.replace("https://", "https://user@"),
        URL.removeprefix(ORIGIN),
        f"https://evil.example/?u={URL}",
        URL + "#x",
        URL.replace("/files/", "/files/../files/"),
    ],
)
def test_other_urls_are_not_ours(url: str) -> None:
    assert SIGNER.match_own(url) is None


def test_a_public_url_may_have_a_path() -> None:
    signer = LinkSigner(SECRET, "k1", "https://example.com/video/")
    url = signer.sign(KEY, filename="3f2a.mp4", expires_at=9)
    assert url.startswith(f"https://example.com/video/files/{KEY}?")
    assert signer.match_own(url) == KEY


@pytest.mark.parametrize(
    ("secret", "key_id"), [(b"short", "k1"), (SECRET, ""), (SECRET, "k&1")], ids=range(3)
)
def test_a_weak_signer_is_refused(secret: bytes, key_id: str) -> None:
    with pytest.raises(ValueError, match="must have"):
        LinkSigner(secret, key_id, ORIGIN)


def test_a_malformed_key_is_never_signed() -> None:
    with pytest.raises(ValueError, match="Not a blob key"):
        SIGNER.sign("../secret", filename="x", expires_at=9)
