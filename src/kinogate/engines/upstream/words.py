"""Status words of every upstream that speaks one of these dialects, and how its texts are shown.

Obeys spec/dialects.md §0.2: words compare without case, and a word in no list counts as running.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from kinogate.engines.upstream.wire import Phase

MESSAGE_MAX = 300
"""Characters of an upstream's sentence that we repeat (our choice)."""

_PHASES: Mapping[Phase, tuple[str, ...]] = MappingProxyType(
    {
        Phase.QUEUED: (
            "not_start",
            "submitted",
            "queued",
            "pending",
            "in_queue",
            "suspended",
            "starting",
            "created",
        ),
        Phase.RUNNING: ("in_progress", "processing", "running"),
        Phase.SUCCEEDED: ("success", "succeeded", "completed", "done"),
        Phase.FAILED: ("failure", "failed", "error"),
        Phase.CANCELED: ("canceled", "cancelled", "deleted"),
    }
)
_BY_WORD = MappingProxyType({word: phase for phase, words in _PHASES.items() for word in words})

# Words by which gateways pass on a refusal of content without a code of their own.
_IMPROPER = (
    "datainspectionfailed",
    "ipinfringementsuspect",
    "inappropriate content",
    "content policy",
    "content_policy",
    "moderation_blocked",
    "blocked by moderation",
)

# A query may hold a signature, and vendors repeat keys in their sentences.
_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*", re.IGNORECASE)
_SECRET = re.compile(r"\b(?:(?:bearer|basic)\s+\S+|(?:sk|ak|key)-\S+)", re.IGNORECASE)
_BLANK = re.compile(r"\s+")


def phase_of(word: object) -> tuple[Phase, str | None]:
    """What a status word means, and the word itself where nobody knows it."""
    if not isinstance(word, str) or not word:
        return Phase.RUNNING, "(none)"
    phase = _BY_WORD.get(word.strip().lower())
    return (phase, None) if phase else (Phase.RUNNING, word[:40])


def is_improper(*texts: str | None) -> bool:
    """Whether a code or sentence says that content was found improper."""
    return any(word in text.lower() for text in texts if text for word in _IMPROPER)


def shortened(text: str) -> str:
    """An upstream's sentence as we repeat it: one line, bounded, without queries and keys."""
    line = _BLANK.sub(" ", text).strip()
    line = _SECRET.sub("(key)", _QUERY.sub(r"\1", line))
    return line if len(line) <= MESSAGE_MAX else line[: MESSAGE_MAX - 3] + "..."
