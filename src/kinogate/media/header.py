"""What the first bytes of a file say: format, and for images their upright size.

Plain `struct` work for the API process, which never imports a decoder. Nothing here proves that a
file can be decoded; `inspect` does that in a child process. Layouts follow ITU-T T.81 (JPEG),
PNG third edition, the BMP header family, RFC 9649 (WebP), EXIF 2.32 and ISO 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

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

    Turned by `orientation` (5–8 swap the sides). `data` may be cut off anywhere after the header;
    for a JPEG that is after its frame header, usually within 64 KiB.
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
    return (size[1], size[0]) if orientation(data) in SWAPPED else (size[0], size[1])


SWAPPED = range(5, 9)
"""The EXIF orientations whose upright image has its sides swapped."""


def orientation(data: bytes) -> int:
    """EXIF orientation 1–8 of a JPEG, PNG or WEBP; 1 when it is absent or broken.

    XMP is left aside, as viewers do.
    """
    match sniff(data):
        case Kind.JPEG:
            block = _jpeg_exif(data)
        case Kind.PNG:
            block = _chunk(data, 8, b"eXIf", ">", name_first=False, padding=4)
        case Kind.WEBP:
            block = _chunk(data, 12, b"EXIF", "<", name_first=True, padding=0)
        case _:
            return 1
    return _tiff_orientation(block.removeprefix(b"Exif\0\0"))


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
    for marker, start, _ in _jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 1)
            return width, height
    return None


def _jpeg_exif(data: bytes) -> bytes:
    for marker, start, end in _jpeg_segments(data):
        if marker == 0xE1 and data[start : start + 6] == b"Exif\0\0":
            return data[start:end]
    return b""


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment's content, up to where the picture begins."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        while data[at : at + 2] == b"\xff\xff":
            at += 1  # fill bytes
        head = data[at : at + 4]
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xD9, 0xDA):
            return
        if head[1] in _JPEG_BARE:
            at += 2
            continue
        length = head[2] << 8 | head[3]
        if length < 2:
            return
        yield head[1], at + 4, at + 2 + length
        at += 2 + length


def _chunk(
    data: bytes, at: int, wanted: bytes, order: str, *, name_first: bool, padding: int
) -> bytes:
    """The content of the first chunk called `wanted`; PNG and RIFF differ only in the details."""
    layout = f"{order}4sI" if name_first else f"{order}I4s"
    for _ in range(_MAX_SEGMENTS):
        if at + 8 > len(data):
            break
        first, second = struct.unpack_from(layout, data, at)
        name, length = (first, second) if name_first else (second, first)
        if name == wanted:
            return data[at + 8 : at + 8 + length]
        # RIFF pads chunks to even lengths; PNG has a checksum of four bytes after each.
        at += 8 + length + (padding or length % 2)
    return b""


def _tiff_orientation(tiff: bytes) -> int:
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
