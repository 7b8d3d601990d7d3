"""What the first bytes of a file say: format, and for images their upright size.

Plain `struct` work for the API process, which never imports a decoder. Nothing here proves that a
file can be decoded; `inspect` does that in a child process. Layouts follow ITU-T T.81 (JPEG),
PNG third edition, the BMP header family, RFC 9649 (WebP), EXIF 2.32 and ISO 14496-12.
"""

from __future__ import annotations

import struct

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.media import IMAGE_KINDS, Kind, check_bytes, check_sides
from kinogate.domain.spec import ImageRule

SNIFF_BYTES = 64
"""As many leading bytes as `sniff` ever looks at."""

_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_MP4_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
_STILL_BRANDS = frozenset(
    {
        b"heic",
        b"heix",
        b"heim",
        b"heis",
        b"hevc",
        b"hevx",
        b"mif1",
        b"msf1",
        b"avif",
        b"avis",
    }
)
# Start of frame: C0–CF without DHT (C4), JPG (C8) and DAC (CC).
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_MAX_SEGMENTS = 4096
_MAX_IFD_ENTRIES = 256
_ORIENTATION = 0x0112


def sniff(data: bytes) -> Kind | None:
    """The format that `data` begins like, or None. 64 bytes are enough."""
    if data.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return Kind.GIF
    if data[:4] in (b"RIFF", b"RF64"):
        return {b"WEBP": Kind.WEBP, b"WAVE": Kind.WAV}.get(data[8:12])
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return Kind.BMP
    if data[4:8] in _MP4_BOXES:
        is_still = data[4:8] == b"ftyp" and data[8:12] in _STILL_BRANDS
        return None if is_still else Kind.MP4
    if data.startswith(b"ID3") or _is_mp3_frame(data):
        return Kind.MP3
    return None


def _is_mp3_frame(data: bytes) -> bool:
    """Frame sync, a real version, layer III, and neither a forbidden bit rate nor sample rate."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return False
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    return version != 1 and layer == 1 and data[2] >> 4 not in (0, 15) and data[2] >> 2 & 3 != 3


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as a viewer shows the image, or None when they are not there.

    Turns a JPEG by its EXIF orientation (5–8 swap the sides). `data` may be cut off anywhere
    after the header; for a JPEG that is after its frame header, usually within 64 KiB.
    """
    try:
        match sniff(data):
            case Kind.JPEG:
                size = _jpeg_size(data)
            case Kind.PNG if data[12:16] == b"IHDR":
                size = struct.unpack_from(">II", data, 16)
            case Kind.GIF:
                size = struct.unpack_from("<HH", data, 6)
            case Kind.BMP:
                size = _bmp_size(data)
            case Kind.WEBP:
                size = _webp_size(data)
            case _:
                return None
    except struct.error:
        return None
    if size is None or min(size) < 1:
        return None
    return size[0], size[1]


def check_inline_image(data: bytes, limits: ImageRule) -> tuple[int, int]:
    """Refuse what the bytes of an image show without decoding it; give its upright size.

    Raises:
        CallerError: `MEDIA_TOO_LARGE`, `MEDIA_FORMAT` or `MEDIA_DIMENSIONS`.
    """
    check_bytes(len(data), limits.max_bytes, "image")
    size = image_size(data) if sniff(data) in IMAGE_KINDS else None
    if size is None:
        raise CallerError(ErrorCode.MEDIA_FORMAT, "The image must be a JPEG, PNG, BMP or WEBP.")
    check_sides(*size, limits)
    return size


def _bmp_size(data: bytes) -> tuple[int, int]:
    if int.from_bytes(data[14:18], "little") == 12:
        core: tuple[int, int] = struct.unpack_from("<HH", data, 18)
        return core
    width, height = struct.unpack_from("<ii", data, 18)
    return width, abs(height)  # negative: rows run from the top


def _webp_size(data: bytes) -> tuple[int, int] | None:
    match data[12:16]:
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L" if data[20:21] == b"\x2f":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X" if len(data) >= 30:
            width = int.from_bytes(data[24:27], "little") + 1
            return width, int.from_bytes(data[27:30], "little") + 1
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Jump from segment to segment until the frame header, noting the EXIF block on the way."""
    at, is_turned = 2, False
    for _ in range(_MAX_SEGMENTS):
        while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] == b"\xff":
            at += 1  # fill bytes
        start, marker = struct.unpack_from(">BB", data, at)
        if start != 0xFF or marker in (
            0xD9,
            0xDA,
        ):  # the picture begins, and no frame header yet
            return None
        if marker in _JPEG_BARE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2:
            return None
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return (height, width) if is_turned else (width, height)
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            is_turned = _exif_orientation(data[at + 10 : at + 2 + length]) >= 5
        at += 2 + length
    return None


def _exif_orientation(tiff: bytes) -> int:
    """Orientation 1–8 of a TIFF block; 1 when it is absent or broken."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, at)
        for index in range(min(count, _MAX_IFD_ENTRIES)):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, at + 2 + 12 * index)
            if tag == _ORIENTATION:
                return value if kind == 3 and 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
