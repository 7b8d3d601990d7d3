"""The order: a request that has been fully resolved, ready for an engine.

Everything an engine needs and nothing it must look up: sizes, frames, files on local disk. Pure
data that travels as JSON to the engine's child process (`msgspec` reads and writes these
dataclasses as they stand).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from kinogate.domain.knobs import NO_KNOBS, Knobs
from kinogate.domain.resolution import Tier


class Mode(StrEnum):
    """What kind of work an order is; which inputs it must have follows from it."""

    T2V = "t2v"  # text only
    I2V = "i2v"  # FIRST_FRAME
    KF2V = "kf2v"  # FIRST_FRAME and LAST_FRAME
    R2V = "r2v"  # REFERENCE_IMAGE / REFERENCE_VIDEO in order, maybe FIRST_FRAME
    CLIP = "clip"  # FIRST_CLIP is played, then goes on; maybe LAST_FRAME
    S2V = "s2v"  # FIRST_FRAME is a portrait, AUDIO gives the length
    EDIT = "edit"  # SOURCE_VIDEO is changed
    ANIMATE = "animate"  # FIRST_FRAME takes the motion of SOURCE_VIDEO
    DOCUMENT = "document"  # DOCUMENT or LINK is turned into a video


class Role(StrEnum):
    """What an input is for."""

    FIRST_FRAME = "first_frame"
    LAST_FRAME = "last_frame"
    REFERENCE_IMAGE = "reference_image"
    REFERENCE_VIDEO = "reference_video"
    REFERENCE_AUDIO = "reference_audio"
    FIRST_CLIP = "first_clip"
    LAST_CLIP = "last_clip"
    SOURCE_VIDEO = "source_video"
    MASK_IMAGE = "mask_image"
    MASK_VIDEO = "mask_video"
    AUDIO = "audio_file"
    VOICE = "voice"
    DOCUMENT = "document"
    LINK = "link"


class AudioMode(StrEnum):
    """Where the sound comes from. The dialect has already settled which member wins."""

    OFF = "off"
    AUTO = "auto"
    FILE = "file"


class ShotType(StrEnum):
    """One continuous shot, or several with cuts."""

    SINGLE = "single"
    MULTI = "multi"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """One checked input on local disk.

    Images are upright 8-bit RGB PNG files without metadata; audio and video are as given.

    Attributes:
        role: What it is for.
        path: On local disk.
        link: A signed URL of ours under which the outside can fetch the file, or None where this
            server has no public address.
    """

    role: Role
    path: str
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One clip to make.

    Attributes:
        task_id: The task's id; the engine may name scratch files after it.
        mode: Which inputs are present.
        model: Canonical model name, for engines that choose weights by it.
        prompt: The prompt to work from, after prompt extension.
        negative_prompt: What must not be seen; "" for nothing.
        inputs: In the order the caller gave them.
        width: Pixels, even.
        height: Pixels, even.
        fps: Frames a second, whole.
        frame_count: Exactly `duration_s * fps`, rounded.
        duration_s: Seconds of the finished clip.
        tier: The resolution tier that was asked for, or that the size belongs to; None when an
            order is made by hand.
        ratio: The asked-for ratio where the model's row takes one.
        audio: OFF: no audio stream. AUTO: the engine's own. FILE: the input with role AUDIO, cut
            at the duration, silence after its end.
        seed: 0–2147483647. The same order gives the same bytes on the same build.
        shot_type: MULTI only when prompt extension is on.
        template: Effect name, or None. With a template the prompt is ignored.
        function: A vace function name, or None.
        prompt_extend: Whether the engine is to extend the prompt itself; True only for engines
            that can, since the gateway has done it for all others.
        safety_filter: Whether content is to be inspected, for engines that ask a service.
        knobs: Wishes for the sampler.
        watermark: Text for the lower right corner, or None.
        watermark_s: Seconds from the start during which it is shown; None for the whole clip.
        is_label: Whether the watermark is the operator's label, whose letters measure at least 5 %
            of the shorter side (GB 45438-2025's floor for pictures).
        tags: MP4 metadata, key and value, written in this order.
    """

    task_id: str
    mode: Mode
    model: str
    prompt: str
    negative_prompt: str = ""
    inputs: tuple[InputFile, ...] = ()
    width: int
    height: int
    fps: int
    frame_count: int
    duration_s: float
    tier: Tier | None = None
    ratio: str | None = None
    audio: AudioMode = AudioMode.AUTO
    seed: int
    shot_type: ShotType = ShotType.SINGLE
    template: str | None = None
    function: str | None = None
    prompt_extend: bool = False
    safety_filter: bool = True
    knobs: Knobs = NO_KNOBS
    watermark: str | None = None
    watermark_s: float | None = None
    is_label: bool = False
    tags: tuple[tuple[str, str], ...] = ()

    def input(self, role: Role) -> InputFile | None:
        """The first input with `role`, or None."""
        return next((item for item in self.inputs if item.role is role), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """What an engine made, measured from the finished file and not from the order.

    Attributes:
        path: MP4 on local disk.
        width: Pixels.
        height: Pixels.
        fps: Frames a second.
        frame_count: Frames in the file.
        duration_s: Seconds of the video stream.
        has_audio: Whether there is an audio stream.
        fingerprint: Engine, version and whatever else decides the bytes.
        warnings: Sentences about what was adapted.
        actual_prompt: The prompt as an engine with prompt extension of its own has rewritten it,
            or None.
        upstream_id: The upstream's id of the work, or None.
    """

    path: str
    width: int
    height: int
    fps: int
    frame_count: int
    duration_s: float
    has_audio: bool
    fingerprint: str
    warnings: tuple[str, ...] = field(default=())
    actual_prompt: str | None = None
    upstream_id: str | None = None
