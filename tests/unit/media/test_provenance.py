"""Signatures, where the extra is installed, and what is said where it is not."""

from __future__ import annotations

import stat

import pytest

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.media.claims import read_claims
from kinogate.media.probe import probe_video
from kinogate.media.provenance import (
    Signer,
    ensure_dev_signer,
    has_c2pa,
    read_credentials,
    sign_clip,
)

from .makers import a_tone, write_video

signing = pytest.mark.skipif(not has_c2pa(), reason="needs the extra c2pa")
AIGC = '{"Label":"1","ContentProducer":"Kinogate"}'


@pytest.fixture
def clip(tmp_path):
    return write_video(tmp_path / "clip.mp4", tags=(("AIGC", AIGC),), sound=a_tone(1.0))


@pytest.fixture
def signer(tmp_path):
    return ensure_dev_signer(tmp_path / "c2pa")


@signing
@pytest.mark.parametrize(
    ("is_algorithmic", "kind"), [(True, "algorithmicMedia"), (False, "trainedAlgorithmicMedia")]
)
def test_a_signed_clip_says_where_it_comes_from(tmp_path, clip, signer, is_algorithmic, kind):
    out = tmp_path / "signed.mp4"
    sign_clip(clip, out, signer, is_algorithmic=is_algorithmic)

    found = read_credentials(out)

    assert found is not None
    assert found.state == "Valid"
    assert found.source_type == kind
    assert found.generator.startswith("Kinogate")
    assert found.problems == ("signingCredential.untrusted",)


@signing
def test_signing_changes_neither_picture_nor_tags(tmp_path, clip, signer):
    out = tmp_path / "signed.mp4"
    sign_clip(clip, out, signer, is_algorithmic=True)

    before, after = probe_video(clip), probe_video(out)

    assert after == before
    assert after.faststart
    assert read_claims(out).is_labelled


@signing
def test_a_changed_file_is_found_out(tmp_path, clip, signer):
    out = tmp_path / "signed.mp4"
    sign_clip(clip, out, signer, is_algorithmic=True)
    data = bytearray(out.read_bytes())
    data[-100] ^= 0xFF
    out.write_bytes(data)

    found = read_credentials(out)

    assert found is not None
    assert found.state == "Invalid"


@signing
def test_the_development_key_is_made_once_and_closed_to_others(tmp_path):
    first = ensure_dev_signer(tmp_path / "c2pa")
    key = (tmp_path / "c2pa" / "key.pem").read_bytes()

    assert ensure_dev_signer(tmp_path / "c2pa") == first
    assert (tmp_path / "c2pa" / "key.pem").read_bytes() == key
    assert stat.S_IMODE((tmp_path / "c2pa" / "key.pem").stat().st_mode) == 0o600


@signing
def test_a_key_that_does_not_fit_fails_and_leaves_no_file(tmp_path, clip, signer):
    (tmp_path / "c2pa" / "key.pem").write_text("no key")

    with pytest.raises(InternalError) as caught:
        sign_clip(clip, tmp_path / "signed.mp4", signer, is_algorithmic=True)

    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert not (tmp_path / "signed.mp4").exists()


@pytest.mark.skipif(has_c2pa(), reason="the extra c2pa is installed")
def test_without_the_extra_the_error_names_it(tmp_path, clip):
    with pytest.raises(InternalError, match=r"kinogate\[c2pa\]"):
        sign_clip(clip, tmp_path / "o.mp4", Signer(folder=str(tmp_path)), is_algorithmic=True)
    with pytest.raises(InternalError, match=r"kinogate\[c2pa\]"):
        ensure_dev_signer(tmp_path / "c2pa")


def test_a_clips_label_is_read_back(clip):
    claims = read_claims(clip)

    assert claims.aigc == {"Label": "1", "ContentProducer": "Kinogate"}
    assert claims.is_labelled


@pytest.mark.parametrize("text", ["no json", "[1]", '{"Label":1}'])
def test_a_label_that_says_nothing_is_no_label(tmp_path, text):
    claims = read_claims(write_video(tmp_path / "a.mp4", count=2, tags=(("AIGC", text),)))

    assert claims.aigc == {}
    assert not claims.is_labelled


def test_a_clip_without_marks_says_so(tmp_path):
    claims = read_claims(write_video(tmp_path / "a.mp4", count=2))

    assert claims.aigc is None
    assert not claims.is_labelled
