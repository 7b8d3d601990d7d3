"""The preview engine's one entry point: an order goes in, a finished MP4 comes out.

Runs in the engine's child process only; it may import everything heavy. What a frame shows is
decided by `footage` and the modules behind it, what a file is by `media`. Obeys design §4.6–4.10
and §4.24.
"""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Final

from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.domain.order import AudioMode, Mode, Order, Produced, Role
from kinogate.engines.preview.capabilities import THREADS, fingerprint, unsupported
from kinogate.engines.preview.cues import cues_of_scene
from kinogate.engines.preview.footage import AUDIO_RATE, given_sound, order_frames, order_shots
from kinogate.engines.preview.sound import soundtrack
from kinogate.media.audio import fit_length
from kinogate.media.encode import Mp4Writer
from kinogate.media.probe import probe_video
from kinogate.media.still_paths import still_paths
from kinogate.media.stills import LiveStill, StillsMaker
from kinogate.media.watermark import Watermark, label_letters_px, marked_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from kinogate.engines.preview.canvas import Canvas
    from kinogate.media.audio import Samples

    Report = Callable[[str, float], None]

COMMENT: Final = (
    "Made by the Kinogate preview engine: an animatic drawn by algorithms, "
    "not the output of a Wan model."
)
"""What the MP4's `comment` says: nobody shall take a preview for a model's work."""

_REPORT_EVERY: Final = 2  # frames; even a slow 1080p frame keeps that below 0.25 s
_PREPARED, _DRAWN = 0.03, 0.97  # shares of the whole at which a stage is over


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
    roles = [item.role for item in order.inputs]
    reason = unsupported(order.mode, roles=roles, template=order.template)
    if reason is not None:
        raise CallerError(ErrorCode.FEATURE_UNSUPPORTED, reason)
    try:
        report("preparing", 0.0)
        voice = _voice(order)
        sound = _sound(order, voice)
        frames = order_frames(order, voice)
        report("preparing", _PREPARED)
        _write(order, frames, sound, out, report)
        report("finishing", _DRAWN)
        produced = _measured(order, out)
        report("finishing", 1.0)
    except BaseException:
        out.unlink(missing_ok=True)
        for still in still_paths(out).all():
            still.unlink(missing_ok=True)
        raise
    return produced


def _write(
    order: Order, frames: Generator[Canvas], sound: Samples | None, out: Path, report: Report
) -> None:
    """Drain `frames` into the MP4, marked and with sound in step."""
    mark = _mark(order)
    marked = marked_frames(order.watermark_s, order.fps, order.frame_count)
    stills = StillsMaker(out, frame_count=order.frame_count, duration_s=order.duration_s)
    writer = Mp4Writer(
        out,
        width=order.width,
        height=order.height,
        fps=order.fps,
        audio_rate=None if sound is None else AUDIO_RATE,
        tags=(*order.tags, ("comment", COMMENT)),
        threads=THREADS,
    )
    with closing(frames), LiveStill(out) as live, writer:
        for index, frame in enumerate(islice(frames, order.frame_count)):
            if mark is not None and index < marked:
                mark.apply(frame)
            stills.take(index, frame)
            live.take(frame)
            writer.write(frame)
            if sound is not None:
                start, end = (AUDIO_RATE * (index + step) // order.fps for step in (0, 1))
                writer.write_audio(sound[:, start:end])
            if index % _REPORT_EVERY == 0:
                done = (index + 1) / order.frame_count
                report("drawing", _PREPARED + (_DRAWN - _PREPARED) * done)
    stills.finish()


def _mark(order: Order) -> Watermark | None:
    if not order.watermark:
        return None
    floor = label_letters_px(order.width, order.height) if order.is_label else 0.0
    return Watermark(order.watermark, order.width, order.height, letters_px=floor)


def _voice(order: Order) -> Samples | None:
    """The given sound, when it is to be heard or a portrait speaks it."""
    if order.audio is AudioMode.FILE or order.mode is Mode.S2V:
        return given_sound(order)
    return None


def _sound(order: Order, voice: Samples | None) -> Samples | None:
    """The clip's sound, exactly as long as its frames, or None for no audio stream."""
    count = AUDIO_RATE * order.frame_count // order.fps
    if order.audio is AudioMode.OFF:
        return None
    if voice is not None:
        return fit_length(voice, count)
    if order.audio is AudioMode.FILE:
        raise InternalError(ErrorCode.ENGINE_FAILED, "The order lacks its 'audio' input.")
    # The plan knows more than the prompt: it says what the seed has chosen to show.
    cues = cues_of_scene(order_shots(order)[0].spec) if order.mode is Mode.T2V else None
    length_s = count / AUDIO_RATE
    return soundtrack(order.prompt, order.template, order.seed, length_s, AUDIO_RATE, cues=cues)


def _measured(order: Order, out: Path) -> Produced:
    facts = probe_video(out)
    found = (facts.width, facts.height, facts.frame_count, float(facts.fps), facts.has_audio)
    wants_audio = order.audio is not AudioMode.OFF
    asked = (order.width, order.height, order.frame_count, float(order.fps), wants_audio)
    if found != asked:
        raise InternalError(
            ErrorCode.RESULT_INVALID, "The clip has not the size or length that was asked for."
        )
    return Produced(
        path=str(out),
        width=facts.width,
        height=facts.height,
        fps=order.fps,
        frame_count=facts.frame_count,
        duration_s=facts.duration_s,
        has_audio=facts.has_audio,
        fingerprint=fingerprint(),
        warnings=tuple(_warnings(order)),
    )


def _warnings(order: Order) -> Iterator[str]:
    if order.input(Role.REFERENCE_AUDIO) is not None or order.input(Role.VOICE) is not None:
        yield "The preview engine does not imitate reference voices."
