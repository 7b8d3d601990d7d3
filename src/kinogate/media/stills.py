"""Stills of a clip: poster, thumbnail, animated preview and sprite sheet, from frames in passing.

At most 24 small pictures are held at a time, whatever the clip's length. Formats and figures are
those measured in the notes on media (§5); a GIF would cost ten times all of them together. One more
still is there only while the clip is being made, for whoever waits for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Self

import cv2
import numpy as np
import numpy.typing as npt
import structlog
from PIL import Image

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.media.probe import numbered_frames, probe_video
from kinogate.media.still_paths import still_paths

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from kinogate.media.still_paths import StillPaths

log = structlog.get_logger(__name__)

Frame = npt.NDArray[np.uint8]
"""`[H, W, 3]` uint8, RGB, full range."""

SMALL_PX: Final = 320
"""Longer side of the thumbnail and of the animated preview."""

TILE_PX: Final = 160
"""Longer side of one tile of the sprite sheet."""

TILES: Final = 24
COLUMNS: Final = 6
"""Tiles of the sprite sheet, in reading order, six in a row; also frames of the preview."""

LIVE_PX: Final = 480
"""Longer side of the still of an unfinished clip."""

LIVE_EVERY_S: Final = 1.0
"""Seconds from one such still to the next, at the least."""

_POSTER_QUALITY = 85
_WEBP_QUALITY = 70


class StillsMaker:
    """Takes every frame of a clip in order, keeps what the stills need, writes them at the end."""

    def __init__(self, clip: Path, *, frame_count: int, duration_s: float) -> None:
        """Prepare; nothing is written before the poster's frame comes by.

        Args:
            clip: The MP4; the stills go beside it.
            frame_count: Frames that will be shown to `take`, at least 1.
            duration_s: Seconds of the clip; the preview plays at its speed.
        """
        self._paths = still_paths(clip)
        self._poster_at = frame_count // 3
        # Centres of 24 equal stretches, so neither a fade-in nor the last frame fills two tiles.
        self._wanted = [frame_count * (2 * step + 1) // (2 * TILES) for step in range(TILES)]
        self._step_ms = max(20, round(duration_s * 1000 / TILES))
        self._small: list[Frame] = []
        self._poster: Frame | None = None

    def wants(self, index: int) -> bool:
        """Whether frame `index` becomes a part of a still; the others need not be shown."""
        return index == self._poster_at or index in self._wanted

    def take(self, index: int, frame: Frame) -> None:
        """Look at frame `index`; the array is not kept.

        Raises:
            InternalError: `ENGINE_FAILED`, when the poster cannot be written.
        """
        if index == self._poster_at:
            _write_jpeg(self._paths.poster, frame)
            self._poster = _shrunk(frame, SMALL_PX)
        while len(self._small) < TILES and self._wanted[len(self._small)] == index:
            self._small.append(_shrunk(frame, SMALL_PX))

    def finish(self) -> StillPaths:
        """Write thumbnail, preview and sprite sheet.

        Raises:
            InternalError: `ENGINE_FAILED`, when no frame came by or a file cannot be written.
        """
        if self._poster is None or len(self._small) < TILES:
            raise _cannot_write()
        try:
            Image.fromarray(self._poster).save(
                self._paths.thumbnail, "WEBP", quality=_WEBP_QUALITY, method=2
            )
            first, *others = (Image.fromarray(frame) for frame in self._small)
            first.save(
                self._paths.preview,
                "WEBP",
                save_all=True,
                append_images=others,
                duration=self._step_ms,
                loop=0,
                quality=50,
                method=0,
            )
        except OSError as exc:
            raise _cannot_write() from exc
        tiles = [_shrunk(frame, TILE_PX) for frame in self._small]
        rows = (np.hstack(tiles[at : at + COLUMNS]) for at in range(0, TILES, COLUMNS))
        _write_jpeg(self._paths.spritesheet, np.vstack(tuple(rows)))
        return self._paths


class LiveStill:
    """Keeps a small JPEG of the newest frame beside a clip that is being made.

    A context manager: when the block ends, well or badly, the file is gone. A still that cannot be
    written is no reason to lose the clip: that is logged once, and no more are tried.
    """

    def __init__(self, clip: Path, *, now: Callable[[], float] = time.monotonic) -> None:
        """Prepare; nothing is written before the first frame.

        Args:
            clip: The MP4; the still goes beside it.
            now: Seconds of a clock that never goes back.
        """
        self._path = still_paths(clip).live
        self._aside = self._path.with_suffix(".part")
        self._now = now
        self._due = now()
        self._is_off = False

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def take(self, frame: Frame) -> None:
        """Look at a frame: the first one is shown, and then one a second; the array is not kept."""
        now = self._now()
        if self._is_off or now < self._due:
            return
        self._due = now + LIVE_EVERY_S
        try:
            # Whoever reads it sees the old still or the new one, and never half of one.
            _write_jpeg(self._aside, _shrunk(frame, LIVE_PX))
            self._aside.replace(self._path)
        except (InternalError, OSError) as exc:
            self._is_off = True
            log.warning("no live still", path=str(self._path), reason=str(exc))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the still away."""
        try:
            for path in (self._path, self._aside):
                path.unlink(missing_ok=True)
        except OSError as exc:
            log.warning("live still is left", path=str(self._path), reason=str(exc))


def make_stills(clip: Path) -> StillPaths:
    """Decode `clip` once and write its stills beside it; those of an earlier call are replaced.

    Raises:
        InternalError: `RESULT_INVALID` for a file that cannot be decoded, `ENGINE_FAILED` when a
            still cannot be written.
    """
    facts = probe_video(clip)
    maker = StillsMaker(clip, frame_count=facts.frame_count, duration_s=facts.duration_s)
    for index, frame in numbered_frames(clip, maker.wants):
        maker.take(index, frame)
    return maker.finish()


def small_jpeg(picture: Path, longest_px: int) -> bytes:
    """A checked image as a JPEG of at most `longest_px`, for somebody outside to look at.

    Raises:
        InternalError: `ENGINE_FAILED`, when it cannot be read.
    """
    pixels = cv2.imread(str(picture), cv2.IMREAD_COLOR)
    if pixels is None:
        raise _cannot_write()
    done, data = cv2.imencode(
        ".jpg", _shrunk(np.asarray(pixels, dtype=np.uint8), longest_px), _jpeg_options()
    )
    if not done:
        raise _cannot_write()
    return data.tobytes()


def _shrunk(frame: Frame, longest_px: int) -> Frame:
    """A copy with its longer side at most `longest_px`; area averaging, so nothing flickers."""
    height, width = frame.shape[:2]
    scale = min(1.0, longest_px / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8).copy()


def _jpeg_options() -> list[int]:
    return [cv2.IMWRITE_JPEG_QUALITY, _POSTER_QUALITY]


def _write_jpeg(path: Path, frame: Frame) -> None:
    done, data = cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), _jpeg_options())
    if not done:
        raise _cannot_write()
    try:
        path.write_bytes(data.tobytes())
    except OSError as exc:
        raise _cannot_write() from exc


def _cannot_write() -> InternalError:
    return InternalError(ErrorCode.ENGINE_FAILED, "The clip's stills could not be written.")
