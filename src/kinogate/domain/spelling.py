"""Reading a model name however a gateway spells it.

A spelling is taken apart into a generation and a set of words (`i2v`, `flash`, …) and compared
with the canonical names taken apart in the same way, so a name never matches by accident: one
word too many, too few or unknown, and there is no match. Obeys the model catalogue, section 7,
and the Vtrix rule `wan(d)(d)_(mode)(_variant)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_SPELLING = 128
"""Longest model name looked at, in characters (our choice; the longest official one has 28)."""

VENDOR_SEGMENT = re.compile(r"\A[a-z0-9][a-z0-9_-]*/")
"""What gateways put before a name: `alibaba/`, `dashscope/`, `qwen_ai_platform/`."""

_DATE = re.compile(r"-20[0-9]{2}-[01][0-9]-[0-3][0-9]\Z")
# One vendor segment (`alibaba/`, `dashscope/`, …), then wan or wanx, then the generation: `2.6`,
# `v2.6`, `-2-6`, `/2-6`; the compact `26` only where a word follows. Then words.
_NAME = re.compile(
    r"(?:[a-z0-9][a-z0-9-]*/)?(?:alibaba-)?wanx?[-/]?v?"
    r"(?:(?P<major>[0-9])[.-](?P<minor>[0-9])|(?P<compact>[0-9]{2})(?=[-/]))"
    r"(?P<words>(?:[-/][a-z0-9]+)*)"
)
_PHRASES = (
    ("text-to-video", "t2v"),
    ("image-to-video", "i2v"),
    ("reference-to-video", "r2v"),
    ("reference-video", "r2v"),
)
# Words that say nothing within their generation: every 2.5 name ends in -preview and gateways
# drop it; 3.0 has one id for all kinds of work and gateways name the kind. One may go, no more.
_SILENT_WORDS = {(2, 5): ("preview",), (3, 0): ("video", "t2v", "i2v", "r2v")}


@dataclass(frozen=True, slots=True)
class NameParts:
    """A model name taken apart: generation, and its words in alphabetical order."""

    generation: tuple[int, int]
    words: tuple[str, ...]


def name_parts(spelling: str) -> NameParts | None:
    """Take a Wan model name apart; None where it has not the form of one.

    Case does not matter. Whitespace, other than ASCII, `..` and names beyond `MAX_SPELLING`
    characters have no form. A trailing date is dropped.
    """
    if len(spelling) > MAX_SPELLING or not spelling.isascii():
        return None
    text = _DATE.sub("", spelling.lower().replace("_", "-"))
    match = _NAME.fullmatch(text)
    if match is None:
        return None
    digits = match["compact"] or match["major"] + match["minor"]
    generation = (int(digits[0]), int(digits[1]))
    rest = match["words"].replace("/", "-")
    for phrase, word in _PHRASES:
        rest = re.sub(rf"-{phrase}(?![a-z0-9])", f"-{word}", rest)
    words = rest.split("-")[1:]
    for word in _SILENT_WORDS.get(generation, ()):
        if word in words:
            words.remove(word)
            break
    return NameParts(generation=generation, words=tuple(sorted(words)))
