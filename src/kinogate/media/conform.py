"""What a clip still lacks when it comes from its engine: one pass that gives it all of that.

Mark, tags and sound for engines that do not care for them, and for a service's clip whatever makes
it H.264 in yuv420p with AAC-LC, upright, steady, playable before it has been loaded. The picture is
encoded anew only where it must change. Runs in a child process.
"""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av
import msgspec
import numpy as np

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.media.anatomy import (
    MEDIA_ERRORS,
    Anatomy,
    examine,
    invalid,
    opened,
    sound_of,
    upright,
)
from kinogate.media.audio import decode_audio, fit_length
from kinogate.media.encode import Mp4Writer
from kinogate.media.finish_job import ClipFacts, FinishJob, Sound
from kinogate.media.mux import RATE, copy_clip
from kinogate.media.watermark import Watermark, label_letters_px, marked_frames

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from kinogate.media.anatomy import Frame
    from kinogate.media.audio import Samples

_MUXERS_OWN = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder"})

_PRODUCERS: Final = ("ContentProducer", "ProduceID", "ReservedCode1")
"""Members of the AIGC label that are the producer's, beside those of who passes a file on."""

# A second generation: nearer to its source than a first one has to be (our choice).
_CRF: Final = 18

_STEREO: Final = 2
_MOMENT_S: Final = 1e-6  # times that should be equal differ in their last digits


def finish_clip(job: FinishJob) -> ClipFacts:
    """Write `job.out` as the job wants it; nothing is written when `job.clip` is that already.

    Tags that the clip has are kept, those of the job replace the ones of the same name; but an
    AIGC label that names a producer goes on naming it, and us as who passes the clip on. What C2PA
    says would not be kept, so signing comes later. `out` appears only when it is complete, and the
    same clip and job give the same bytes.

    Returns:
        What the finished file measures.

    Raises:
        CallerError: `MEDIA_FORMAT` or `MEDIA_DURATION`: the given sound cannot be decoded.
        InternalError: `RESULT_INVALID`, when the clip cannot be read, is longer than the job
            allows, or the file cannot be written.
    """
    clip, out = Path(job.clip), Path(job.out)
    found = examine(clip)
    if found.length_s > job.longest_s:
        raise InternalError(
            ErrorCode.RESULT_INVALID,
            f"The engine's clip lasts {found.length_s:.2f} s, at most {job.longest_s:.2f} s count.",
        )
    sound = _wanted_sound(job, found)
    tags = _tags(job, found)
    encodes = job.mark is not None or not found.is_plain
    is_changed = (
        encodes
        or not found.is_tidy
        or tags is not None
        or sound is Sound.GIVEN
        or (found.has_audio and (sound is Sound.DROP or not found.is_sound_plain))
    )
    if is_changed:
        part = out.with_name(out.name + ".part")
        kept = tuple(item for item in found.tags if item[0] not in _MUXERS_OWN)
        all_tags = kept if tags is None else tags
        try:
            with opened(clip) as source:
                if encodes:
                    _encode(source, part, job=job, found=found, sound=sound, tags=all_tags)
                else:
                    laid = _copied_sound(source, job, found, sound)
                    copy_clip(source, part, tags=all_tags, sound=laid)
            part.replace(out)
        except MEDIA_ERRORS as exc:
            raise _failed() from exc
        finally:
            part.unlink(missing_ok=True)
    return _facts(examine(out) if is_changed else found, job, found, is_changed=is_changed)


def _wanted_sound(job: FinishJob, found: Anatomy) -> Sound:
    """What becomes of the sound: KEEP, DROP or GIVEN."""
    if job.sound is Sound.SPARE:
        return Sound.KEEP if found.has_audio else Sound.GIVEN
    return job.sound


def _tags(job: FinishJob, found: Anatomy) -> tuple[tuple[str, str], ...] | None:
    """All tags of the file to come, or None when it has them."""
    if set(job.tags) <= set(found.tags):
        return None
    named = {key for key, _ in job.tags} | _MUXERS_OWN
    before = dict(found.tags)
    ours = ((key, _label(before.get(key), text)) for key, text in job.tags)
    return (*(item for item in found.tags if item[0] not in named), *ours)


def _label(theirs: str | None, ours: str) -> str:
    """An AIGC label of ours that names who produced a clip before we passed it on."""
    old, new = _json_label(theirs), _json_label(ours)
    if not old.get("ContentProducer") or "ContentPropagator" not in new:
        return ours
    kept = {name: old[name] for name in _PRODUCERS if name in old and name in new}
    return msgspec.json.encode(new | kept).decode()


def _json_label(text: str | None) -> dict[str, str]:
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, str])
    except msgspec.MsgspecError:
        return {}


def _copied_sound(
    source: InputContainer, job: FinishJob, found: Anatomy, sound: Sound
) -> AudioStream | Samples | None:
    """The sound beside a copied picture: the stream itself where that will do."""
    if sound is Sound.KEEP and found.is_sound_plain:
        return sound_of(source)
    return _samples(source, job, found, sound)


def _samples(
    source: InputContainer, job: FinishJob, found: Anatomy, sound: Sound
) -> Samples | None:
    """The sound as samples at `RATE`, exactly as long as the picture; None for none."""
    count = round(found.length_s * RATE)
    if sound is Sound.GIVEN:
        if job.sound_path is None:
            raise InternalError(ErrorCode.INTERNAL, "There is no sound to lay under the clip.")
        given = decode_audio(Path(job.sound_path), max_s=max(found.length_s, 0.1), rate=RATE)
        return fit_length(given, count, RATE)
    stream = sound_of(source)
    if sound is Sound.DROP or not found.has_audio or stream is None:
        return None
    samples = fit_length(_own_samples(source, stream, found.first_s, count), count, RATE)
    source.seek(0)
    return np.clip(np.nan_to_num(samples), -1.0, 1.0)


def _own_samples(
    source: InputContainer, stream: AudioStream, first_s: float, count: int
) -> Samples:
    """The clip's own sound in stereo, from the moment its first frame is shown."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
    blocks: list[Samples] = []
    have, late = 0, None
    for frame in source.decode(stream):
        if late is None:
            late = round(((frame.time or 0.0) - first_s) * RATE)
        for block in resampler.resample(frame):
            have += block.samples
            blocks.append(np.asarray(block.to_ndarray(), dtype=np.float32))
        if have + late >= count:
            break
    blocks += [np.asarray(item.to_ndarray(), np.float32) for item in resampler.resample(None)]
    if late is None or not blocks:
        return np.zeros((_STEREO, 0), dtype=np.float32)
    samples = np.concatenate(blocks, axis=1)
    if late <= 0:
        return samples[:, -late:]
    return np.concatenate((np.zeros((_STEREO, late), dtype=np.float32), samples), axis=1)


def _encode(
    source: InputContainer,
    out: Path,
    *,
    job: FinishJob,
    found: Anatomy,
    sound: Sound,
    tags: Sequence[tuple[str, str]],
) -> None:
    """Decode every frame once, draw the mark, write picture and sound in step."""
    samples = _samples(source, job, found, sound)
    rate, total = found.rate, _frame_count(found)
    mark = None
    if job.mark is not None:
        floor = label_letters_px(found.width, found.height) if job.is_label else 0.0
        mark = Watermark(job.mark, found.width, found.height, letters_px=floor)
    marked = marked_frames(job.mark_s, float(rate), total)
    pictures = _steady(_decoded(source, found), found, total)
    writer = Mp4Writer(
        out,
        width=found.width,
        height=found.height,
        fps=rate,
        audio_rate=None if samples is None else RATE,
        tags=tags,
        crf=_CRF,
    )
    with closing(pictures), writer:
        for index, frame in enumerate(pictures):
            if mark is not None and index < marked:
                mark.apply(frame)
            writer.write(frame)
            if samples is not None:
                start, end = (int(RATE * (index + step) / rate) for step in (0, 1))
                end = samples.shape[1] if index + 1 == total else end
                writer.write_audio(samples[:, start:end])
        if writer.frame_count != total:
            raise invalid()


def _frame_count(found: Anatomy) -> int:
    if found.is_steady:
        return found.frame_count
    return max(1, round(found.length_s * found.rate))


def _decoded(source: InputContainer, found: Anatomy) -> Iterator[Frame]:
    picture = source.streams.video[0]
    picture.thread_type = "AUTO"
    for frame in source.decode(picture):
        yield upright(frame, found)


def _steady(frames: Iterator[Frame], found: Anatomy, total: int) -> Generator[Frame]:
    """Frames at a constant rate, each a picture of its own: the one that is due is held or left."""
    if found.is_steady:
        yield from frames
        return
    shown, rate = 0, float(found.rate)
    ends = (*found.starts[1:], math.inf)
    for frame, end_s in zip(frames, ends, strict=False):
        while shown < total and shown / rate < end_s - _MOMENT_S:
            yield frame.copy()
            shown += 1


def _facts(after: Anatomy, job: FinishJob, before: Anatomy, *, is_changed: bool) -> ClipFacts:
    notes: list[str] = []
    if not before.is_steady:
        notes.append(
            f"The clip's frames did not last equally long; now there are {after.rate} a second."
        )
    if before.channels > _STEREO and after.has_audio and job.sound is not Sound.GIVEN:
        notes.append(f"The clip's {before.channels} channels of sound were mixed down to two.")
    return ClipFacts(
        width=after.width,
        height=after.height,
        rate=float(after.rate),
        frame_count=after.frame_count,
        duration_s=after.length_s,
        has_audio=after.has_audio,
        is_changed=is_changed,
        notes=tuple(notes),
    )


def _failed() -> InternalError:
    return InternalError(ErrorCode.RESULT_INVALID, "The engine's clip could not be finished.")
