"""What a finishing pass is asked for, and what it answers; no decoder is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sound(StrEnum):
    """What becomes of a clip's sound."""

    KEEP = "keep"
    DROP = "drop"
    GIVEN = "given"  # the given file takes its place
    SPARE = "spare"  # the given file, but only under a clip that came without sound


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishJob:
    """What a clip is to have in the end.

    Attributes:
        clip: Path of the engine's MP4.
        out: Another path, for the finished file.
        longest_s: Seconds that the clip may last at most.
        sound: What becomes of its sound.
        sound_path: A checked WAV or MP3, cut at the clip's end or followed by silence; for GIVEN
            and SPARE.
        mark: Text for the lower right corner, or None.
        mark_s: Seconds from the start during which it is shown; None for the whole clip.
        is_label: Whether its letters have the size of a label.
        tags: MP4 metadata that the file must have, key and value.
    """

    clip: str
    out: str
    longest_s: float
    sound: Sound = Sound.KEEP
    sound_path: str | None = None
    mark: str | None = None
    mark_s: float | None = None
    is_label: bool = False
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What the finished file measures.

    Attributes:
        width: Pixels.
        height: Pixels.
        rate: Frames a second.
        frame_count: Frames in the file.
        duration_s: Seconds of the picture.
        has_audio: Whether there is a sound.
        is_changed: Whether `out` was written; else the clip is what was wanted already.
        notes: Sentences about what had to be changed beyond what the job asked for.
    """

    width: int
    height: int
    rate: float
    frame_count: int
    duration_s: float
    has_audio: bool
    is_changed: bool
    notes: tuple[str, ...] = ()
