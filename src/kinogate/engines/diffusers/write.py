"""Generated frames to the finished MP4: cut to the promised size, rate and length, and marked.

Frames are pushed in as they are decoded, on whatever thread that happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

import cv2
import numpy as np
import numpy.typing as npt

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.order import Order, Produced
from kinogate.media.encode import Mp4Writer
from kinogate.media.encoders import best_encoder
from kinogate.media.probe import probe_video
from kinogate.media.still_paths import still_paths
from kinogate.media.stills import LiveStill, StillsMaker
from kinogate.media.watermark import Watermark, label_letters_px, marked_frames

if TYPE_CHECKING:
    from types import TracebackType

Frame = npt.NDArray[np.uint8]
"""`[H, W, 3]` uint8, RGB, full range."""


class Resampler:
    """Brings frames of one rate to another, each blended from its two neighbours in time.

    At the same rate they pass as they are.
    """

    def __init__(self, fps: int, wanted_fps: int, count: int) -> None:
        """Prepare.

        Args:
            fps: Frames a second of what will be pushed.
            wanted_fps: Frames a second to make.
            count: How many to make; what is pushed beyond them is left out.
        """
        self._fps = fps
        self._wanted_fps = wanted_fps
        self._count = count
        self._made = 0
        self._pushed = 0
        self._before: Frame | None = None

    def push(self, frame: Frame) -> Iterator[Frame]:
        """Take the next frame; yields those that can be made now. They may be drawn into."""
        at, before = self._pushed, self._before
        self._pushed += 1
        # Kept before it is handed out: whoever gets it may draw into it.
        self._before = frame if self._fps == self._wanted_fps else frame.copy()
        while self._made < self._count:
            whole, part = divmod(self._made * self._fps, self._wanted_fps)
            if whole + (part > 0) > at:
                return
            self._made += 1
            if part == 0 or before is None:
                yield frame.copy() if self._fps < self._wanted_fps else frame
            else:
                share = part / self._wanted_fps
                mixed = cv2.addWeighted(before, 1.0 - share, frame, share, 0.0)
                yield np.asarray(mixed, dtype=np.uint8)


class ClipWriter:
    """Writes one order's MP4 and the stills beside it: a context manager that is fed frames.

    When the block ends with an exception, nothing is left at the path or beside it.

    Attributes:
        encoder: The encoder that is used: NVENC where it opens, else x264.
    """

    def __init__(self, order: Order, out: Path, *, fps: int) -> None:
        """Prepare a writer.

        Args:
            order: What was promised.
            out: Where the MP4 goes.
            fps: Frames a second of what will be taken.
        """
        self._order = order
        self._out = out
        self._resampler = Resampler(fps, order.fps, order.frame_count)
        self._mark = _mark(order)
        self._marked = marked_frames(order.watermark_s, order.fps, order.frame_count)
        self._live = LiveStill(out)
        self._stills = StillsMaker(out, frame_count=order.frame_count, duration_s=order.duration_s)
        self.encoder = best_encoder(order.width, order.height)
        self._writer = Mp4Writer(
            out,
            width=order.width,
            height=order.height,
            fps=order.fps,
            audio_rate=None,
            tags=order.tags,
            encoder=self.encoder,
        )
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Create the file.

        Raises:
            InternalError: ENGINE_FAILED, when the folder or the encoder is not usable.
        """
        self._open.enter_context(self._live)
        self._open.enter_context(self._writer)
        return self

    def take(self, block: Frame) -> None:
        """Append frames.

        Args:
            block: `[n, H, W, 3]` uint8 RGB of the generated size, in order; may be drawn into.

        Raises:
            InternalError: ENGINE_FAILED, when they cannot be written.
        """
        order = self._order
        for frame in block:
            for shown in self._resampler.push(cut(frame, order.width, order.height)):
                index = self._writer.frame_count
                if self._mark is not None and index < self._marked:
                    self._mark.apply(shown)
                self._stills.take(index, shown)
                self._live.take(shown)
                self._writer.write(shown)

    def show(self, block: Frame) -> None:
        """Show frames that are none of the clip's, marked as those are; see `take`."""
        for frame in block:
            shown = cut(frame, self._order.width, self._order.height)
            if self._mark is not None:
                self._mark.apply(shown)
            self._live.take(shown)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the files, or remove what there is of them.

        Raises:
            InternalError: RESULT_INVALID for too few frames, ENGINE_FAILED when the end could not
                be written.
        """
        try:
            if kind is None and self._writer.frame_count != self._order.frame_count:
                short = InternalError(ErrorCode.RESULT_INVALID, "The model made too few frames.")
                self._open.__exit__(InternalError, short, None)
                raise short
            self._open.__exit__(kind, error, trace)
            if kind is None:
                self._stills.finish()
        except BaseException:
            self._remove()
            raise
        if kind is not None:
            self._remove()

    def produced(self, fingerprint: str) -> Produced:
        """Measure the finished file.

        Raises:
            InternalError: RESULT_INVALID, when it is not what was promised; it is then removed.
        """
        order = self._order
        try:
            facts = probe_video(self._out)
            found = (facts.width, facts.height, facts.frame_count, float(facts.fps))
            if found != (order.width, order.height, order.frame_count, float(order.fps)):
                raise InternalError(
                    ErrorCode.RESULT_INVALID,
                    "The clip has not the size or length that was asked for.",
                )
        except BaseException:
            self._remove()
            raise
        return Produced(
            path=str(self._out),
            width=facts.width,
            height=facts.height,
            fps=order.fps,
            frame_count=facts.frame_count,
            duration_s=facts.duration_s,
            has_audio=facts.has_audio,
            fingerprint=fingerprint,
        )

    def _remove(self) -> None:
        for path in (self._out, *still_paths(self._out).all()):
            path.unlink(missing_ok=True)


def cut(frame: Frame, width: int, height: int) -> Frame:
    """The middle of a frame, in one piece."""
    top, left = (frame.shape[0] - height) // 2, (frame.shape[1] - width) // 2
    return np.ascontiguousarray(frame[top : top + height, left : left + width])


def _mark(order: Order) -> Watermark | None:
    if not order.watermark:
        return None
    floor = label_letters_px(order.width, order.height) if order.is_label else 0.0
    return Watermark(order.watermark, order.width, order.height, letters_px=floor)
