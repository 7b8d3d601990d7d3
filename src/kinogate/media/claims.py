"""What an MP4 says about itself: measures, tags, the AIGC label, C2PA credentials."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from kinogate.media.probe import VideoFacts, probe_video
from kinogate.media.provenance import Credentials, has_c2pa, read_credentials

_HOLDING = frozenset({"Valid", "Trusted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The findings of one file.

    Attributes:
        facts: Measured.
        aigc: The members of its AIGC tag; None without one, empty for one that is no JSON object.
        comment: Its comment tag, or "".
        credentials: What its C2PA manifest says, or None.
        can_read_c2pa: Whether the extra was there to look for one.
    """

    facts: VideoFacts
    aigc: dict[str, str] | None
    comment: str
    credentials: Credentials | None
    can_read_c2pa: bool

    @property
    def is_labelled(self) -> bool:
        """Whether it says that it is generated, and no signature on it is broken."""
        if self.credentials is not None and self.credentials.state not in _HOLDING:
            return False
        return bool(self.aigc) or self.credentials is not None

    def as_json(self) -> dict[str, object]:
        """For `kinogate verify`."""
        c2pa: object = None if self.credentials is None else asdict(self.credentials)
        return {
            "labelled": self.is_labelled,
            "aigc": self.aigc,
            "comment": self.comment,
            "c2pa": c2pa if self.can_read_c2pa else "not looked for: needs the extra c2pa",
            "tags": {key: value for key, value in self.facts.tags if key != "AIGC"},
            "width": self.facts.width,
            "height": self.facts.height,
            "fps": float(self.facts.fps),
            "frame_count": self.facts.frame_count,
            "duration": round(self.facts.duration_s, 3),
            "has_audio": self.facts.has_audio,
        }


def read_claims(clip: Path) -> Claims:
    """Read a file's claims; nothing of it is believed, and nothing is fetched.

    Raises:
        InternalError: `RESULT_INVALID`, for anything that is not a complete, decodable MP4.
    """
    facts = probe_video(clip)
    tags = dict(facts.tags)
    can_read = has_c2pa()
    return Claims(
        facts=facts,
        aigc=_aigc(tags.get("AIGC")),
        comment=tags.get("comment", ""),
        credentials=read_credentials(clip) if can_read else None,
        can_read_c2pa=can_read,
    )


def _aigc(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.MsgspecError:
        return {}
