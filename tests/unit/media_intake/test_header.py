"""Formats and sizes from the first bytes, compared with what Pillow wrote."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest
from PIL import Image

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.media import Kind
from kinogate.domain.spec import ImageRule
from kinogate.media.header import check_inline_image, image_size, orientation, sniff

from .files import encoded, footage, png_header, short, sound

PICTURE = Image.linear_gradient("L").resize((50, 30)).convert("RGB")
FILES = {
    "jpeg": (Kind.JPEG, encoded(PICTURE, "JPEG")),
    "progressive": (
        Kind.JPEG,
        encoded(PICTURE, "JPEG", progressive=True, comment=b"x" * 60000),
    ),
    "png": (Kind.PNG, encoded(PICTURE, "PNG")),
    "gif": (Kind.GIF, encoded(PICTURE, "GIF")),
    "bmp": (Kind.BMP, encoded(PICTURE, "BMP")),
    "webp": (Kind.WEBP, encoded(PICTURE, "WEBP")),
    "webp-lossless": (Kind.WEBP, encoded(PICTURE, "WEBP", lossless=True)),
    "webp-extended": (Kind.WEBP, encoded(PICTURE, "WEBP", exif=b"Exif\0\0MM\0*")),
}


@pytest.mark.parametrize("name", FILES)
def test_image_formats_and_sizes(name: str) -> None:
    kind, data = FILES[name]
    assert sniff(data) is kind
    assert image_size(data) == (50, 30)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (sound("wav", 0.1), Kind.WAV),
        (sound("mp3", 0.2), Kind.MP3),
        (sound("mp3", 0.2)[200:], None),
        (b"\xff\xfb\x90\x64" + bytes(60), Kind.MP3),
        (b"\xff\xfb\xf0\x64" + bytes(60), None),
        (b"\xff\xff\xff\xff" + bytes(60), None),
        (footage(0.2), Kind.MP4),
        (b"\0\0\0\x14ftypqt  ", Kind.MP4),
        (b"\0\0\0\x14ftypavif", None),
        (b"\0\0\0\x14ftypheic", None),
        (b"BM" + bytes(60), None),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"#EXTM3U\n", None),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", None),
        (b"ffconcat version 1.0\n", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"<html>", None),
        (b"%PDF-1.7", None),
        (b"PK\x03\x04", None),
        (b"", None),
    ],
    ids=short,
)
def test_other_formats(data: bytes, kind: Kind | None) -> None:
    assert sniff(data[:64]) is kind
    assert sniff(data) is kind


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_a_turned_image_has_its_upright_size(turn: int, name: str) -> None:
    exif = Image.Exif()
    exif[0x0110] = "a camera"
    exif[0x0112] = turn
    data = encoded(PICTURE, name, exif=exif)
    assert orientation(data) == turn
    assert image_size(data) == ((30, 50) if turn >= 5 else (50, 30))


@pytest.mark.parametrize(
    "exif",
    [b"", b"MM\0*", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", b"junk" * 20],
    ids=short,
)
def test_broken_exif_counts_as_upright(exif: bytes) -> None:
    data = encoded(PICTURE, "JPEG")
    block = b"Exif\0\0" + exif
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
    assert image_size(data) == (50, 30)


def test_a_bmp_may_run_from_the_top() -> None:
    data = bytearray(FILES["bmp"][1])
    data[22:26] = struct.pack("<i", -30)
    assert image_size(bytes(data)) == (50, 30)


@pytest.mark.parametrize("name", FILES)
def test_any_cut_gives_the_size_or_none(name: str) -> None:
    data = FILES[name][1]
    for length in [*range(64), *range(64, len(data), 251)]:
        assert image_size(data[:length]) in (None, (50, 30))


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff" * 100_000,
        b"\xff\xd8" + b"\xff\xe0\0\2" * 100_000,
        b"\xff\xd8" + b"\xff\xd0" * 100_000,
        b"\xff\xd8\xff\xe0\0\0" + bytes(100),
        b"\xff\xd8\xff\xda\0\x08" + bytes(100),
        png_header(0, 10),
        encoded(PICTURE, "PNG")[:12] + b"IDAT" + bytes(20),
    ],
    ids=short,
)
def test_a_crafted_header_gives_none(data: bytes) -> None:
    assert image_size(data) is None


RULE = ImageRule(min_side=30, max_side=50, max_bytes=100_000, max_ratio=2)


def test_an_inline_image_within_its_limits_passes() -> None:
    assert check_inline_image(FILES["png"][1], RULE) == (50, 30)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (png_header(29, 50), ErrorCode.MEDIA_DIMENSIONS),
        (png_header(30, 51), ErrorCode.MEDIA_DIMENSIONS),
        (png_header(30_000, 30_000), ErrorCode.MEDIA_DIMENSIONS),
        (FILES["gif"][1], ErrorCode.MEDIA_FORMAT),
        (b"hello", ErrorCode.MEDIA_FORMAT),
        (FILES["png"][1] + bytes(100_000), ErrorCode.MEDIA_TOO_LARGE),
    ],
    ids=short,
)
def test_an_inline_image_beyond_its_limits_is_refused(data: bytes, code: ErrorCode) -> None:
    with pytest.raises(CallerError) as caught:
        check_inline_image(data, RULE)
    assert caught.value.code is code


def test_reading_headers_imports_no_decoder() -> None:
    script = (
        "import sys, kinogate.media.header, kinogate.media.base64in\n"
        "print(sorted({'PIL', 'av', 'cv2', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
