"""The preview engine's one entry point: an order goes in, a finished MP4 comes out.

Runs in the engine's child process only; it may import everything heavy. What a frame shows is
decided by the scene and motion modules, what a file is by `media`. Obeys design §4.6–4.10, §4.24.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import cv2
import numpy as np

import kinogate
from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.domain.order import AudioMode, Mode, Order, Produced
from kinogate.engines.preview.capabilities import NAME, unsupported
from kinogate.engines.preview.overlay import Watermark
from kinogate.engines.preview.sound import soundtrack
from kinogate.media.encode import Mp4Writer
from kinogate.media.probe import probe_video

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kinogate.engines.preview.canvas import Canvas
    from kinogate.media.encode import Samples

    Report = Callable[[str, float], None]

AUDIO_RATE: Final = 48_000
THREADS: Final = 2
COMMENT: Final = (
    "Made by the Kinogate preview engine: an animatic drawn by algorithms, "
    "not the output of a Wan model."
)
_REPORT_EVERY: Final = 2  # frames


def render(order: Order, out: Path, report: Report) -> Produced:
    """Make the clip that `order` asks for.

    Args:
        order: A resolved order; its inputs are on local disk.
        out: Where the MP4 goes; a poster is laid beside it with the suffix `.jpg`.
        report: Called with the stage and the finished share of the whole, 0.0–1.0, rising. It may
            raise to cancel: everything is cleaned up and the exception travels on.

    Returns:
        What was made, measured from the file.

    Raises:
        CallerError: The order asks for something this engine does not render, or an input cannot
            be read.
        InternalError: Our own fault.
    """
    reason = unsupported(order.mode, template=order.template)
    if reason is not None:
        raise CallerError(ErrorCode.FEATURE_UNSUPPORTED, reason)
    poster = out.with_suffix(".jpg")
    try:
        report("preparing", 0.0)
        sound = _sound(order)
        report("preparing", 0.03)
        _write(order, out, poster, sound, report)
        report("finishing", 0.97)
        produced = _measured(order, out)
        report("finishing", 1.0)
    except BaseException:
        out.unlink(missing_ok=True)
        poster.unlink(missing_ok=True)
        raise
    return produced


def _write(order: Order, out: Path, poster: Path, sound: Samples | None, report: Report) -> None:
    mark = Watermark(order.watermark, order.width, order.height) if order.watermark else None
    still = order.frame_count // 3
    rate = AUDIO_RATE if sound is not None else None
    tags = (*order.tags, ("comment", COMMENT))
    with Mp4Writer(
        out,
        width=order.width,
        height=order.height,
        fps=order.fps,
        audio_rate=rate,
        tags=tags,
        threads=THREADS,
    ) as writer:
        for index, frame in enumerate(_frames(order)):
            if mark is not None:
                mark.apply(frame)
            if index == still:
                _write_poster(poster, frame)
            writer.write(frame)
            if sound is not None:
                start, end = (AUDIO_RATE * (index + k) // order.fps for k in (0, 1))
                writer.write_audio(sound[:, start:end])
            if index % _REPORT_EVERY == 0:
                report("drawing", 0.03 + 0.93 * (index + 1) / order.frame_count)


def _write_poster(path: Path, frame: Canvas) -> None:
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85]
    )
    if not done:
        raise InternalError(ErrorCode.ENGINE_FAILED, "The poster could not be written.")
    path.write_bytes(data.tobytes())


def _frames(order: Order) -> Iterator[Canvas]:
    if order.mode is not Mode.T2V:
        raise CallerError(ErrorCode.FEATURE_UNSUPPORTED, "Only text to video is rendered yet.")
    return _gradient_frames(order)


def _gradient_frames(order: Order) -> Iterator[Canvas]:
    """A slowly moving gradient; stands in until the scenes are drawn."""
    digest = hashlib.sha256(f"{order.prompt}\0{order.seed}".encode()).digest()
    first, last = (np.frombuffer(digest[k : k + 3], dtype=np.uint8) for k in (0, 3))
    ramp = np.linspace(0.0, 1.0, order.width, dtype=np.float32)[None, :, None]
    rise = np.linspace(0.0, 1.0, order.height, dtype=np.float32)[:, None, None]
    for index in range(order.frame_count):
        share = 0.5 + 0.5 * np.sin(6.0 * (ramp * 0.5 + rise * 0.3) + index / order.fps)
        yield np.ascontiguousarray(first * (1.0 - share) + last * share).astype(np.uint8)


def _sound(order: Order) -> Samples | None:
    if order.audio is AudioMode.OFF:
        return None
    if order.audio is AudioMode.FILE:
        raise CallerError(ErrorCode.FEATURE_UNSUPPORTED, "Given audio is not used yet.")
    count = round(Fraction(order.frame_count, order.fps) * AUDIO_RATE)
    return soundtrack(order.prompt, order.template, order.seed, count / AUDIO_RATE, AUDIO_RATE)


def _measured(order: Order, out: Path) -> Produced:
    facts = probe_video(out)
    found = (facts.width, facts.height, facts.frame_count, int(facts.fps * 1000))
    if found != (order.width, order.height, order.frame_count, order.fps * 1000):
        raise InternalError(
            ErrorCode.RESULT_INVALID, "The clip is not of the size or length asked."
        )
    return Produced(
        path=str(out),
        width=facts.width,
        height=facts.height,
        fps=int(facts.fps),
        frame_count=facts.frame_count,
        duration_s=facts.duration_s,
        has_audio=facts.has_audio,
        fingerprint=fingerprint(),
    )


def fingerprint() -> str:
    """Engine, versions and thread count: all that decides the bytes besides the order."""
    return (
        f"{NAME}/{kinogate.__version__} av/{av.__version__} opencv/{cv2.__version__} "
        f"numpy/{np.__version__} threads/{THREADS}"
    )
