"""Inline media: `data:` URIs and bare base64, as callers put them into JSON.

Strict about size, lenient about spelling. Taken are: line breaks and spaces (the `base64` tool
wraps at 76 columns), the URL-safe alphabet, missing padding, and percent-escapes. The declared
MIME type is handed on and never believed; `header.sniff` decides.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import pybase64

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.media import check_bytes

_BARE = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_BLOCK = 256 * 1024  # a multiple of four; small enough that its memory is used again
_WHITESPACE = b" \t\r\n\f"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def is_inline(text: str) -> bool:
    """Whether `text` is meant as inline data and not as a URL.

    True for `data:` in any case, and for what starts with 16 characters of base64.
    """
    return text[:5].lower() == "data:" or _BARE.match(text[:64]) is not None


def decode_data_uri(text: str, *, max_bytes: int) -> tuple[bytes, str | None]:
    """Decode a `data:…;base64,` URI or bare base64.

    Args:
        text: As the caller gave it; its length is judged before anything is decoded.
        max_bytes: Most decoded bytes, inclusive.

    Returns:
        The bytes, and the MIME type as declared (lower case) or None.

    Raises:
        CallerError: `MEDIA_TOO_LARGE`, or `MEDIA_FORMAT` when it is not base64 or empty.
    """
    mime: str | None = None
    if text[:5].lower() == "data:":
        # Not a regex and not `partition` over all: a missing comma must not cost megabytes.
        comma = text.find(",", 5, 1024)
        parts = text[5 : max(comma, 5)].lower().split(";")
        if comma < 0 or parts[-1].strip() != "base64":
            raise CallerError(ErrorCode.MEDIA_FORMAT, "A data: URI must be base64-encoded.")
        mime, text = parts[0].strip() or None, text[comma + 1 :]
    # Twice the exact length leaves room for line breaks and escapes.
    exact = (max_bytes + 2) // 3 * 4
    if len(text) > 2 * exact + 1024:
        check_bytes(len(text) // 4 * 3, max_bytes, "inline file")
    data = _decode(text)
    check_bytes(len(data), max_bytes, "inline file")
    if not data:
        raise CallerError(ErrorCode.MEDIA_FORMAT, "The inline file is empty.")
    return data, mime


def is_plain_base64(data: memoryview) -> bool:
    """Whether `data` holds characters of the standard alphabet alone, in groups of four.

    Padding may also stand at the ends of blocks inside: `decode_data_uri` finds that.
    """
    try:
        for start in range(0, len(data), _BLOCK):
            pybase64.b64decode(data[start : start + _BLOCK], validate=True)
    except ValueError:
        return False
    return True


def _decode(text: str) -> bytes:
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        pass  # the fast path took it strictly; once more with the documented leniency
    try:
        raw = text.encode("ascii")
        if b"%" in raw:
            raw = unquote_to_bytes(raw)
        raw = raw.translate(_URL_SAFE, delete=_WHITESPACE).rstrip(b"=")
        return pybase64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except ValueError as exc:
        raise CallerError(ErrorCode.MEDIA_FORMAT, "The inline file is not valid base64.") from exc
