"""Files that no honest camera makes, built at run time: no crafted binary lies in the repository.

Each builder is named after what is wrong with its file. Where a file is fine in spite of its looks
(a turned JPEG, sixteen bits, CMYK) the row in `corpus` says so.
"""

from __future__ import annotations

import functools
import io
import math
import struct
import wave
import zipfile
import zlib

from PIL import Image, PngImagePlugin

MIB = 1 << 20


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@functools.cache
def picture(width: int = 640, height: int = 480, mode: str = "RGB") -> Image.Image:
    """A gradient, so that no codec can make nothing of it."""
    return Image.linear_gradient("L").resize((width, height)).convert(mode)


def png(width: int = 640, height: int = 480, mode: str = "RGB") -> bytes:
    return encoded(picture(width, height, mode), "PNG")


def jpeg(width: int = 640, height: int = 480, **options: object) -> bytes:
    return encoded(picture(width, height), "JPEG", **options)


def png_of(width: int, height: int, *, depth: int = 8, colour: int = 2, body: bytes = b"") -> bytes:
    """A PNG that declares any size and holds only `body` between its header and its end."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


def png_with(*extra: bytes) -> bytes:
    """A good PNG with chunks put in after its header."""
    data = png()
    return data[:33] + b"".join(extra) + data[33:]


def bomb(width: int = 9400, height: int = 9400) -> bytes:
    """A true PNG whose pixels take a thousand times its bytes."""
    row = b"\0" + b"\0" * (width * 3)
    packer = zlib.compressobj(9)
    data = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    return png_of(width, height, body=chunk(b"IDAT", data))


def liar(width: int = 640, height: int = 480) -> bytes:
    """A header of allowed sides over the pixels of a much larger picture."""
    data = zlib.compress(b"\0" * (3 * 4000 + 1) * 4000, 9)
    return png_of(width, height, body=chunk(b"IDAT", data))


def ztxt_bomb() -> bytes:
    return png_with(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(70 * MIB), 9)))


def icc_bomb() -> bytes:
    return png_with(chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(64 * MIB), 9)))


def many_texts() -> bytes:
    return png_with(*[chunk(b"tEXt", b"k%d\0" % number + b"x" * 6_000) for number in range(1_000)])


def exif_loop() -> bytes:
    """An EXIF block whose directory points at itself."""
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x8769, 4, 1, 8)
    block = b"Exif\0\0" + tiff + struct.pack("<I", 8)
    data = jpeg()
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return jpeg(exif=exif)


def jpeg_segments(count: int) -> bytes:
    data = jpeg()
    return data[:2] + (b"\xff\xe2" + struct.pack(">H", 2)) * count + data[2:]


def translucent() -> bytes:
    image = picture().convert("RGBA")
    image.putalpha(128)
    return encoded(image, "PNG")


def palette_hole() -> bytes:
    return encoded(picture().convert("P"), "PNG", transparency=0)


def apng() -> bytes:
    frames = [picture(), picture().transpose(Image.Transpose.ROTATE_180)]
    return encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])


def gif() -> bytes:
    return encoded(picture().convert("P"), "GIF")


def webp_animation() -> bytes:
    frames = [picture(), picture().transpose(Image.Transpose.ROTATE_180)]
    return encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], method=0)


def sixteen_bits() -> bytes:
    return encoded(Image.new("I;16", (640, 480), 40_000), "PNG")


def cmyk() -> bytes:
    return encoded(picture().convert("CMYK"), "JPEG")


def with_zip(head: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("run.sh", "echo hello")
    return head + buffer.getvalue()


def with_page(head: bytes) -> bytes:
    return head + b"<html><script>alert(1)</script></html><?php system($_GET[0]); ?>"


def commented_png() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>")
    return encoded(picture(), "PNG", pnginfo=info)


def bmp(width: int, height: int) -> bytes:
    """A BMP header that declares any sides, with a handful of pixels."""
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 60, 0, 0, 54) + head + bytes(60)


def webp_of(width: int, height: int) -> bytes:
    body = b"VP8X" + struct.pack("<I", 10) + bytes(4)
    body += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def tiff() -> bytes:
    return encoded(picture(), "TIFF")


def padded(data: bytes, size: int) -> bytes:
    """A file of exactly `size` bytes."""
    return data + bytes(size - len(data))


# -- sound ----------------------------------------------------------------------------------------


@functools.cache
def wav(seconds: float = 5.0, rate: int = 16_000, channels: int = 1) -> bytes:
    """A tone of 440 Hz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        count = round(seconds * rate)
        tone = [round(9_000 * math.sin(math.tau * 440 * at / rate)) for at in range(rate)]
        second = b"".join(struct.pack("<h", value) * channels for value in tone)
        size = count * 2 * channels
        file.writeframes((second * (count // rate + 1))[:size])
    return buffer.getvalue()


def wav_4gb() -> bytes:
    """Five seconds of samples under a header that promises four gigabytes."""
    data = bytearray(wav())
    data[4:8] = b"\xff\xff\xff\xf7"
    data[40:44] = b"\xff\xff\xff\xd3"
    return bytes(data)


def wav_short_lie() -> bytes:
    """One second of samples under a header that promises ten."""
    data = bytearray(wav(1.0))
    data[40:44] = struct.pack("<I", 320_000)
    return bytes(data)


def wav_of(channels: int, rate: int) -> bytes:
    head = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", 64_000)
    return b"RIFF" + struct.pack("<I", len(body) + 64_000) + body + bytes(64_000)


def id3_giant(size: int = 8 * MIB) -> bytes:
    """An MP3 that is one picture and no sound."""
    shift = b"".join(bytes([size >> bits & 0x7F]) for bits in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + shift + bytes(size)


def id3_endless() -> bytes:
    return b"ID3\x03\0\0\x7f\x7f\x7f\x7f" + bytes(1_000)


def sdp(address: str) -> bytes:
    text = f"v=0\r\no=- 0 0 IN IP4 {address}\r\ns=x\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
    return (text + "m=audio 5004 RTP/AVP 0\r\n").encode()


def playlist(url: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n".encode()


def ffconcat(url: str) -> bytes:
    return f"ffconcat version 1.0\nfile '{url}'\n".encode()


def dash(url: str) -> bytes:
    return f'<?xml version="1.0"?><MPD><BaseURL>{url}</BaseURL></MPD>'.encode()


def svg(url: str) -> bytes:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"><image href="{url}"/>'
        "</svg>"
    ).encode()


def _box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + name + data


def mp4_boxes(url: str) -> bytes:
    """An MP4 of nested boxes whose data reference names a URL."""
    url_box = _box(b"url ", b"\0\0\0\0" + url.encode() + b"\0")
    reference = _box(b"dref", b"\0\0\0\0\0\0\0\1" + url_box)
    inner = _box(b"moov", _box(b"trak", _box(b"mdia", _box(b"minf", _box(b"dinf", reference)))))
    return _box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + inner


def deep_boxes(depth: int = 3_000) -> bytes:
    data = b""
    for _ in range(depth):
        data = struct.pack(">I", len(data) + 8) + b"moov" + data
    return struct.pack(">I", 16) + b"ftypisom\0\0\2\0" + data
