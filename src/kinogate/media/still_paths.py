"""Where the stills of a clip lie; free of decoders, so that the API process may ask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class StillPaths:
    """The files beside a clip, under its name; each may be there or not.

    `live` is a small JPEG of what there is so far, and there only while the clip is being made.
    """

    poster: Path
    thumbnail: Path
    preview: Path
    spritesheet: Path
    live: Path

    def all(self) -> tuple[Path, ...]:
        """Every one that stays with the finished clip."""
        return (self.poster, self.thumbnail, self.preview, self.spritesheet)


def still_paths(clip: Path) -> StillPaths:
    """The names of the stills beside the MP4 `clip`."""
    return StillPaths(
        poster=clip.with_suffix(".jpg"),
        thumbnail=clip.with_suffix(".thumb.webp"),
        preview=clip.with_suffix(".preview.webp"),
        spritesheet=clip.with_suffix(".sprites.jpg"),
        live=clip.with_suffix(".live.jpg"),
    )
