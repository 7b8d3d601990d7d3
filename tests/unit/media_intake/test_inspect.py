"""The decoders over good, odd and crafted files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.media import ImageFacts, ImageRules, Kind
from kinogate.domain.spec import AudioFileRule, ImageRule, VideoRule
from kinogate.media.inspect import inspect_audio, inspect_image, inspect_video

from .files import encoded, footage, png_chunk, png_header, short, sound

FileOf = Callable[[bytes], Path]

LIMITS = ImageRule(min_side=36, max_side=200, max_bytes=1_000_000, max_ratio=4)
PICTURE = Image.radial_gradient("L").resize((100, 60)).convert("RGB")
AUDIO = AudioFileRule(min_s=3, max_s=30, max_bytes=15 * 1024 * 1024)


def look(path: Path, **rules: object) -> tuple[ImageFacts, Image.Image]:
    out = path.with_name("copy.png")
    facts = inspect_image(path, ImageRules(limits=LIMITS, out=str(out), **rules))  # type: ignore[arg-type]
    with Image.open(out) as copy:
        copy.load()
    return facts, copy


def refusal(path: Path, **rules: object) -> ErrorCode:
    with pytest.raises(CallerError) as caught:
        look(path, **rules)
    assert not path.with_name("copy.png").exists()
    return caught.value.code


@pytest.mark.parametrize("name", ["JPEG", "PNG", "BMP", "WEBP"])
def test_each_format_becomes_a_plain_rgb_png(name: str, file_of: FileOf) -> None:
    data = encoded(PICTURE, name)
    facts, copy = look(file_of(data))
    assert (facts.kind.name, facts.width, facts.height) == (name, 100, 60)
    assert facts.size_bytes == len(data)
    assert (copy.format, copy.mode, copy.size) == ("PNG", "RGB", (100, 60))
    away = ImageChops.difference(copy, PICTURE).convert("L")
    assert sum(away.histogram()[24:]) == 0


@pytest.mark.parametrize(
    ("size", "is_taken"),
    [
        ((36, 36), True),
        ((35, 36), False),
        ((36, 35), False),
        ((200, 200), True),
        ((201, 200), False),
        ((50, 200), True),
        ((49, 200), False),
    ],
)
def test_sides_and_ratio_are_inclusive(
    size: tuple[int, int], is_taken: bool, file_of: FileOf
) -> None:
    path = file_of(encoded(PICTURE.resize(size), "PNG"))
    if is_taken:
        assert look(path)[1].size == size
    else:
        assert refusal(path) is ErrorCode.MEDIA_DIMENSIONS


@pytest.mark.parametrize(("extra", "is_taken"), [(0, True), (1, False)])
def test_bytes_are_inclusive(extra: int, is_taken: bool, file_of: FileOf) -> None:
    data = encoded(PICTURE, "BMP")
    path = file_of(data.ljust(LIMITS.max_bytes + extra, b"\0"))
    if is_taken:
        look(path)
    else:
        assert refusal(path) is ErrorCode.MEDIA_TOO_LARGE


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_the_orientation_is_applied_once(turn: int, name: str, file_of: FileOf) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    marked = PICTURE.copy()
    marked.paste("red", (0, 0, 20, 20))
    facts, copy = look(file_of(encoded(marked, name, exif=exif, quality=95)))
    assert (facts.width, facts.height) == ((60, 100) if turn >= 5 else (100, 60))
    assert copy.size == (facts.width, facts.height)
    right, bottom = copy.width - 8, copy.height - 8
    corner = [(8, 8), (right, 8), (right, bottom), (8, bottom)][
        {1: 0, 2: 1, 3: 2, 4: 3, 5: 0, 6: 1, 7: 2, 8: 3}[turn]
    ]
    red, green, blue = copy.getpixel(corner)  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 80


def test_metadata_does_not_survive(file_of: FileOf) -> None:
    exif = Image.Exif()
    exif[0x010F] = "secret maker"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = file_of(encoded(PICTURE, "JPEG", exif=exif, icc_profile=profile, comment=b"secret"))
    _, copy = look(path)
    assert copy.info == {}
    assert b"secret" not in path.with_name("copy.png").read_bytes()


def test_sixteen_bit_grey_is_scaled_and_not_clipped(file_of: FileOf) -> None:
    grey = Image.frombytes("I;16", (60, 60), struct.pack("<H", 30000) * 3600)
    assert look(file_of(encoded(grey, "PNG")))[1].getpixel((3, 3)) == (117, 117, 117)


@pytest.mark.parametrize(
    ("mode", "name"),
    [("L", "PNG"), ("L", "JPEG"), ("1", "PNG"), ("P", "PNG"), ("CMYK", "JPEG")],
)
def test_other_modes_are_converted(mode: str, name: str, file_of: FileOf) -> None:
    _, copy = look(file_of(encoded(PICTURE.convert(mode), name)))
    assert (copy.mode, copy.size) == ("RGB", (100, 60))


def test_opaque_alpha_is_accepted(file_of: FileOf) -> None:
    assert look(file_of(encoded(PICTURE.convert("RGBA"), "PNG")))[1].mode == "RGB"


def test_an_unused_transparent_palette_entry_is_accepted(file_of: FileOf) -> None:
    flat = PICTURE.quantize(16)
    unused = next(index for index in range(255, -1, -1) if index not in set(flat.tobytes()))
    assert look(file_of(encoded(flat, "PNG", transparency=unused)))[1].mode == "RGB"


@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_one_transparent_pixel_is_refused_or_laid_on_white(name: str, file_of: FileOf) -> None:
    clear = PICTURE.convert("RGBA")
    clear.putpixel((50, 30), (0, 0, 0, 100))
    path = file_of(encoded(clear, name, lossless=True) if name == "WEBP" else encoded(clear, name))
    assert refusal(path) is ErrorCode.MEDIA_FORMAT
    _, copy = look(path, flatten_alpha=True)
    assert copy.getpixel((50, 30)) == (155, 155, 155)


def test_a_large_image_is_scaled_down_in_the_copy_only(file_of: FileOf) -> None:
    facts, copy = look(file_of(encoded(PICTURE, "PNG")), longest_side=50)
    assert (facts.width, facts.height, copy.size) == (100, 60, (50, 30))


def test_a_multi_picture_jpeg_gives_its_first_picture(file_of: FileOf) -> None:
    other = Image.new("RGB", (100, 60), "blue")
    data = encoded(PICTURE, "MPO", save_all=True, append_images=[other])
    facts, copy = look(file_of(data))
    assert facts.kind is Kind.JPEG
    assert copy.getpixel((0, 0)) != (0, 0, 255)


def crafted() -> dict[str, bytes]:
    png, jpeg = encoded(PICTURE, "PNG"), encoded(PICTURE, "JPEG")
    frames = {"save_all": True, "append_images": [PICTURE.rotate(9)]}
    bomb = zlib.compress(bytes(70_000_000), 9)
    good_ihdr = png[8:33]
    return {
        "empty": b"",
        "text": b"hello",
        "html": b"<html><script>",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "gif": encoded(PICTURE, "GIF"),
        "tiff": encoded(PICTURE, "TIFF"),
        "apng": encoded(PICTURE, "PNG", **frames),
        "animated-webp": encoded(PICTURE, "WEBP", **frames),
        "cut-png": png[:-200],
        "cut-jpeg": jpeg[: len(jpeg) // 2],
        "cut-webp": encoded(PICTURE, "WEBP")[:200],
        "cut-bmp": encoded(PICTURE, "BMP")[:5000],
        "header-only": png_header(100, 60),
        "wrong-crc": png[:60] + bytes([png[60] ^ 255]) + png[61:],
        "ztxt-bomb": png[:8] + good_ihdr + png_chunk(b"zTXt", b"k\0\0" + bomb) + png[33:],
        "iccp-bomb": png[:8] + good_ihdr + png_chunk(b"iCCP", b"k\0\0" + bomb) + png[33:],
        "jpeg-then-nothing": b"\xff\xd8\xff\xe0",
        "webp-no-chunk": b"RIFF\x04\0\0\0WEBP",
    }


@pytest.mark.parametrize("name", sorted(set(crafted()) - {"iccp-bomb"}))
def test_a_crafted_image_is_refused_as_format(name: str, file_of: FileOf) -> None:
    assert refusal(file_of(crafted()[name])) is ErrorCode.MEDIA_FORMAT


def test_an_inflating_profile_does_not_survive(file_of: FileOf) -> None:
    try:
        _, copy = look(file_of(crafted()["iccp-bomb"]))
    except CallerError:
        return  # a decoder that refuses it is as good
    assert "icc_profile" not in copy.info


def test_a_bomb_is_refused_by_its_declared_size(file_of: FileOf) -> None:
    assert refusal(file_of(png_header(30_000, 30_000))) is ErrorCode.MEDIA_DIMENSIONS


@pytest.mark.parametrize(
    ("name", "tail"),
    [("JPEG", b"PK\x03\x04zip"), ("PNG", b"<script>"), ("JPEG", b"<?php ?>")],
)
def test_a_polyglot_loses_its_second_life(name: str, tail: bytes, file_of: FileOf) -> None:
    path = file_of(encoded(PICTURE, name) + tail)
    look(path)
    assert tail not in path.with_name("copy.png").read_bytes()


@pytest.mark.parametrize(
    ("name", "seconds"), [("wav", 3.0), ("wav", 30.0), ("mp3", 3.0), ("mp3", 30.0)]
)
def test_sound_of_an_allowed_length_passes(name: str, seconds: float, file_of: FileOf) -> None:
    facts = inspect_audio(file_of(sound(name, seconds)), AUDIO)
    assert (facts.kind.value, facts.sample_rate, facts.channels) == (name, 44100, 2)
    assert facts.duration_s == pytest.approx(seconds, abs=0.06)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("wav", 2.99), ("wav", 30.01), ("mp3", 2.9), ("mp3", 30.1), ("wav", 90)],
)
def test_sound_of_another_length_is_refused(name: str, seconds: float, file_of: FileOf) -> None:
    with pytest.raises(CallerError) as caught:
        inspect_audio(file_of(sound(name, seconds, rate=8000, channels=1)), AUDIO)
    assert caught.value.code is ErrorCode.MEDIA_DURATION
    assert "3 to 30 seconds" in caught.value.message


def test_a_lying_mp3_header_is_not_believed(file_of: FileOf) -> None:
    with pytest.raises(CallerError) as caught:
        inspect_audio(file_of(sound("mp3", 10)[:2000]), AUDIO)
    assert caught.value.code is ErrorCode.MEDIA_DURATION


def test_a_wav_that_declares_four_gigabytes_is_measured_by_its_samples(
    file_of: FileOf,
) -> None:
    data = bytearray(sound("wav", 4))
    at = data.index(b"data")
    data[4:8] = data[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    assert inspect_audio(file_of(bytes(data)), AUDIO).duration_s == pytest.approx(4, abs=0.01)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF\0\0\0\0WAVE",
        b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nm=audio 5004 RTP/AVP 0\r\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"ID3\x04\0\0\0\0\0\x0a" + bytes(500),
        b"\xff\xfb\x90\x64" + bytes(60),
        footage(1),
        sound("wav", 3.5, channels=16),
    ],
    ids=short,
)
def test_what_is_no_usable_sound_is_refused(data: bytes, file_of: FileOf) -> None:
    with pytest.raises(CallerError) as caught:
        inspect_audio(file_of(data), AUDIO)
    assert caught.value.code is ErrorCode.MEDIA_FORMAT


@pytest.mark.parametrize(("size", "is_taken"), [(0, True), (1, False)])
def test_the_bytes_of_sound_are_inclusive(size: int, is_taken: bool, file_of: FileOf) -> None:
    data = sound("wav", 3)
    limits = AudioFileRule(min_s=3, max_s=30, max_bytes=len(data) - size)
    if is_taken:
        inspect_audio(file_of(data), limits)
        return
    with pytest.raises(CallerError) as caught:
        inspect_audio(file_of(data), limits)
    assert caught.value.code is ErrorCode.MEDIA_TOO_LARGE


FOOTAGE = VideoRule(min_s=1, max_s=3, min_side=48, max_side=96, max_ratio=2, max_bytes=1_000_000)


def test_footage_is_measured(file_of: FileOf) -> None:
    facts = inspect_video(file_of(footage(2)), FOOTAGE)
    assert (facts.width, facts.height, facts.frame_count, facts.has_audio) == (
        64,
        48,
        20,
        False,
    )
    assert facts.fps == pytest.approx(10)
    assert facts.duration_s == pytest.approx(2.0, abs=0.01)


def test_footage_of_key_frames_alone_is_counted_whole(file_of: FileOf) -> None:
    limits = VideoRule(max_bytes=1_000_000)
    assert inspect_video(file_of(footage(20, group=1)), limits).frame_count == 200


def test_footage_that_is_turned_has_its_upright_size(file_of: FileOf) -> None:
    data = bytearray(footage(1))
    at = data.index(b"tkhd") + 44
    assert data[at : at + 4] == b"\0\1\0\0"  # the matrix begins with 1.0
    data[at : at + 20] = struct.pack(">iiiii", 0, 0x10000, 0, -0x10000, 0)
    facts = inspect_video(file_of(bytes(data)), FOOTAGE)
    assert (facts.width, facts.height) == (48, 64)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (footage(0.5), ErrorCode.MEDIA_DURATION),
        (footage(3.5), ErrorCode.MEDIA_DURATION),
        (footage(1, 46, 48), ErrorCode.MEDIA_DIMENSIONS),
        (footage(1, 98, 64), ErrorCode.MEDIA_DIMENSIONS),
        (footage(1, 98 - 2, 46), ErrorCode.MEDIA_DIMENSIONS),
        (footage(2)[:900], ErrorCode.MEDIA_FORMAT),
        (b"\0\0\0\x14ftypisom" + bytes(200), ErrorCode.MEDIA_FORMAT),
        (sound("wav", 1), ErrorCode.MEDIA_FORMAT),
        (footage(1) + bytes(1_000_000), ErrorCode.MEDIA_TOO_LARGE),
    ],
    ids=short,
)
def test_footage_beyond_its_limits_is_refused(
    data: bytes, code: ErrorCode, file_of: FileOf
) -> None:
    with pytest.raises(CallerError) as caught:
        inspect_video(file_of(data), FOOTAGE)
    assert caught.value.code is code
