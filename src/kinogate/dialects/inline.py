"""Keeping inline media out of the JSON scanner, which takes a millisecond for each megabyte.

A long `data:` URI is lifted out of a body's bytes before they are scanned and put back, unchanged,
into what came out. Nothing else about reading a body is different: what is not plain base64 stays
where it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from kinogate.media.base64in import is_plain_base64

_START = b'"data:'
_HEAD_END = b";base64,"
_HEAD_MAX = 200
_FROM_BYTES = 64 * 1024
_MOST_LOOKS = 64  # at places that look like a URI; no honest body has more media than a dozen
_MARK = "\x00"  # which no string of a body may hold


@dataclass(frozen=True, slots=True)
class Lifted:
    """A body without its media.

    Attributes:
        body: JSON with a short mark in the place of each.
        media: What was lifted out, in order.
    """

    body: bytes
    media: tuple[memoryview, ...]

    def put_back(self, value: object) -> object:
        """What the scanner made of `body`, with the media in their places again.

        A text of the caller's that is like a mark takes that mark's place; what is left over then
        is a text with a NUL, which is refused afterwards as any other.
        """
        if not self.media:
            return value
        return _filled(value, {f"{_MARK}{n}": data for n, data in enumerate(self.media)})


def lift(body: bytes) -> Lifted:
    """Lift long `data:` URIs out of a body, valid JSON or not."""
    view, pieces, media = memoryview(body), list[bytes | memoryview](), list[memoryview]()
    at = copied = 0
    for _ in range(_MOST_LOOKS):
        at = body.find(_START, at)
        if at < 0 or len(body) - at < _FROM_BYTES:
            break
        start, at = at, at + 1
        head = body.find(_HEAD_END, start, start + _HEAD_MAX)
        end = body.find(b'"', start + 1)
        # After a backslash the quote is part of a text; before anything else the text is a name.
        if head < 0 or end - head < _FROM_BYTES or body[start - 1 : start] == b"\\":
            continue
        if not body[end + 1 : end + 64].lstrip().startswith((b",", b"]", b"}")):
            continue
        name = body[start + 1 : head]
        if not name.isascii() or not name.decode().isprintable() or b"\\" in name:
            continue
        if not is_plain_base64(view[head + len(_HEAD_END) : end]):
            continue
        pieces += (view[copied : start + 1], b"\\u0000%d" % len(media))
        media.append(view[start + 1 : end])
        at, copied = end + 1, end
    if not media:
        return Lifted(body, ())
    return Lifted(b"".join((*pieces, view[copied:])), tuple(media))


def _filled(value: object, texts: dict[str, memoryview]) -> object:
    """`value` with each mark replaced once, and taken out of `texts`."""
    if isinstance(value, str):
        data = texts.pop(value, None) if value.startswith(_MARK) else None
        return value if data is None else str(data, "ascii")
    if isinstance(value, dict):
        return {key: _filled(item, texts) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, texts) for item in value]
    return value
