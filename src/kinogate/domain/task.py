"""A task: one asked-for generation, from acceptance to its final state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kinogate.domain.errors import ErrorCode
from kinogate.domain.knobs import NO_KNOBS, Knobs
from kinogate.domain.order import AudioMode, Mode, Role, ShotType
from kinogate.domain.resolution import Size, Tier


class Status(StrEnum):
    """The five states; only QUEUED and RUNNING ever change."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        """Whether the task has ended."""
        return self not in (Status.QUEUED, Status.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMedia:
    """One input of an accepted task: a URL still to be fetched, or bytes already in the blob store.

    Exactly one of `url` and `blob_key` is set.
    """

    role: Role
    url: str | None = None
    blob_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was decided at submit: the request with every default filled in.

    Stored as JSON in the task's row; never holds media bytes.

    Attributes:
        model: Canonical model name.
        mode: What kind of work it is.
        prompt: After truncation, before prompt extension.
        media: In the caller's order.
        size: Output size; None while it depends on an input that has not been read yet.
        tier: Resolution tier; decides size (with an input's ratio) and price.
        ratio: Asked-for ratio for rows that take one.
        duration_s: Seconds of the clip; for S2V 0 until the audio's length is known.
        fps: Frames a second of the delivered file.
        audio: Where the sound comes from.
        seed: Always set; drawn at submit when the caller gave none.
        is_seed_given: Whether the caller has named it, and so is told where it is not honoured.
        watermark: Text, or None.
        house: Name of the dialect's house rules, for prices and words.
        is_extendable: Whether prompt extension is on.
        knobs: Wishes for the engine's sampler.
        simulate: The outcome that the caller asked to be simulated, or None.
    """

    model: str
    mode: Mode
    prompt: str
    negative_prompt: str
    media: tuple[StoredMedia, ...] = ()
    size: Size | None
    tier: Tier
    ratio: str | None = None
    duration_s: int
    fps: int
    audio: AudioMode
    is_extendable: bool
    shot_type: ShotType
    watermark: str | None
    seed: int
    is_seed_given: bool = False
    template: str | None = None
    function: str | None = None
    knobs: Knobs = NO_KNOBS
    safety_filter: bool = True
    notify_hook: str | None = None
    simulate: str | None = None
    house: str
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came out, measured from the finished file.

    Attributes:
        blob_key: Where the MP4 lies in the blob store.
        engine: Name of the engine that made it.
        poster_key: Where its still lies, or None.
        thumbnail_key: Where its 320-pixel WebP lies, or None.
        preview_key: Where its animated WebP lies, or None.
        spritesheet_key: Where its sheet of 24 tiles lies, or None.
        size_bytes: Length of the MP4.
        duration_s: Seconds of the video stream.
        input_duration_s: Seconds of input video that are billed.
        actual_prompt: The prompt the engine worked from.
        prompt_by: Who wrote `actual_prompt`: `builtin`, a model's name, `upstream`, or `none` for
            the caller.
        prompt_ms: Milliseconds that took.
        fingerprint: Engine, version and whatever else decides the bytes.
        warnings: Sentences about what was adapted after the submit.
        upstream_id: The upstream's id of the work, or None.
    """

    blob_key: str
    engine: str = "preview"
    poster_key: str | None = None
    thumbnail_key: str | None = None
    preview_key: str | None = None
    spritesheet_key: str | None = None
    size_bytes: int
    width: int
    height: int
    fps: int
    frame_count: int
    duration_s: float
    input_duration_s: float = 0.0
    has_audio: bool
    actual_prompt: str
    prompt_by: str = "none"
    prompt_ms: int = 0
    fingerprint: str
    warnings: tuple[str, ...] = ()
    upstream_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a task failed; `field` is the canonical member at fault, if one is."""

    code: ErrorCode
    message: str
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One row of `tasks`. Times are epoch milliseconds, UTC; None while unknown.

    Attributes:
        id: UUIDv4 in its 36-character form.
        account_id: Owner; every read is by owner.
        key_id: The key that submitted.
        dialect: Name of the dialect it came in by.
        model: The model in the caller's spelling.
        progress: 0.0–1.0, the highest ever stored; 1.0 only when succeeded.
        expires_ms: When the file goes; set on success.
        hold_micro: Micro-dollars held at submit.
        cost_micro: Micro-dollars settled; 0 unless succeeded.
        engine: Name of the engine that served it; None before its end.
        warnings: Sentences about what was adapted at submit; `notes` has the later ones, too.
    """

    id: str
    account_id: str
    key_id: str
    dialect: str
    model: str
    status: Status
    progress: float = 0.0
    plan: Plan
    outcome: Outcome | None = None
    fault: Fault | None = None
    warnings: tuple[str, ...] = ()
    remixed_from: str | None = None
    engine: str | None = None
    hold_micro: int = 0
    cost_micro: int = 0
    created_ms: int
    updated_ms: int
    started_ms: int | None = None
    finished_ms: int | None = None
    expires_ms: int | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Every sentence about what was adapted, at submit and while it ran."""
        later = self.outcome.warnings if self.outcome else ()
        return (*self.warnings, *(note for note in later if note not in self.warnings))
