"""Where the stills of a clip lie; free of decoders, so that the API process may ask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class StillPaths:
    """The files beside a clip, under its name; each may be there or not."""

    poster: Path
    thumbnail: Path
    preview: Path
    spritesheet: Path

    def all(self) -> tuple[Path, ...]:
        """Every one of them."""
        return (self.poster, self.thumbnail, self.preview, self.spritesheet)


def still_paths(clip: Path) -> StillPaths:
    """The names of the stills beside the MP4 `clip`."""
    return StillPaths(
        poster=clip.with_suffix(".jpg"),
        thumbnail=clip.with_suffix(".thumb.webp"),
        preview=clip.with_suffix(".preview.webp"),
        spritesheet=clip.with_suffix(".sprites.jpg"),
    )
