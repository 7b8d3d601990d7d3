"""What a caller wants, free of any dialect.

A dialect turns a call into a `Submission`; absent members stay `None` and get their defaults from
the catalogue in one place (`service/decide.py`). Nothing here has been checked against a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kinogate.domain.knobs import NO_KNOBS, Knobs
from kinogate.domain.order import AudioMode, Role, ShotType
from kinogate.domain.overlays import Overlay
from kinogate.domain.resolution import Size, Tier


class Field(StrEnum):
    """Canonical member names, used in errors; each dialect spells them its own way.

    Media members are named by their `Role` value (`first_frame`, `last_frame`, `audio`, …).
    """

    BODY = "body"
    MODEL = "model"
    PROMPT = "prompt"
    NEGATIVE_PROMPT = "negative_prompt"
    FIRST_FRAME = "first_frame"
    LAST_FRAME = "last_frame"
    AUDIO_FILE = "audio_file"
    AUDIO_SWITCH = "audio"
    MEDIA = "media"
    SIZE = "size"
    RESOLUTION = "resolution"
    RATIO = "ratio"
    DURATION = "duration"
    FPS = "fps"
    PROMPT_EXTEND = "prompt_extend"
    SHOT_TYPE = "shot_type"
    WATERMARK = "watermark"
    SEED = "seed"
    TEMPLATE = "template"
    FUNCTION = "function"
    KNOBS = "knobs"
    SAFETY_FILTER = "safety_filter"
    NOTIFY_HOOK = "notify_hook"
    METADATA = "metadata"
    TASK_ID = "task_id"
    IDEMPOTENCY_KEY = "idempotency_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInput:
    """One input as the caller gave it: one of `text`, `data` and `upload`.

    Attributes:
        role: What it is for.
        text: A URL, a `data:` URI or bare base64.
        data: The bytes of an uploaded part.
        upload: The key under which the caller sent the file to us before.
    """

    role: Role
    text: str | None = None
    data: bytes | None = None
    upload: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One asked-for clip; `None` means "not given".

    Attributes:
        model: The model in the caller's spelling.
        prompt: As given, not truncated.
        negative_prompt: As given, not truncated.
        media: In the caller's order.
        size: Exact output size.
        resolution: Resolution tier.
        ratio: `"16:9"` and the like, or `"adaptive"`.
        duration_s: Whole seconds; -1 (the model decides) and 0 (keep the input's) where allowed.
        fps: Wished frame rate.
        audio: OFF, AUTO or FILE, after the dialect's own precedence between its switch and its URL.
        prompt_extend: Whether the prompt may be rewritten.
        shot_type: One shot or several.
        watermark: Whether the dialect's text is burnt in.
        seed: 0–2147483647; -1 counts as not given where a dialect says so.
        template: Effect name.
        function: VACE function.
        knobs: Wishes for the engine's sampler, in range.
        edit: Whether a source video is to be changed (videoedit).
        safety_filter: Whether content is inspected.
        notify_hook: URL to call at the end.
        remixed_from: Id of the task that this one repeats with another prompt.
        metadata: The caller's own key-value pairs.
    """

    model: str
    prompt: str | None = None
    negative_prompt: str | None = None
    media: tuple[MediaInput, ...] = ()
    size: Size | None = None
    resolution: Tier | None = None
    ratio: str | None = None
    duration_s: int | None = None
    fps: int | None = None
    audio: AudioMode | None = None
    prompt_extend: bool | None = None
    shot_type: ShotType | None = None
    watermark: bool | None = None
    seed: int | None = None
    template: str | None = None
    function: str | None = None
    knobs: Knobs = NO_KNOBS
    edit: bool = False
    safety_filter: bool | None = None
    notify_hook: str | None = None
    remixed_from: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A parsed create call.

    Attributes:
        request: What is wanted.
        ignored: Wire names of members that were present and mean nothing to us.
        warnings: Sentences about members that were adapted while parsing.
    """

    request: GenerationRequest
    ignored: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class LongText(StrEnum):
    """What happens to a prompt beyond the model's limit."""

    TRUNCATE = "truncate"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRules:
    """What a dialect asks the services to do its way; data, so that services know no dialect.

    Attributes:
        name: The dialect's name, stored with the task.
        overlay: Changes to catalogue rows.
        watermark_text: Text burnt in when the caller asks for a watermark.
        long_text: Truncated (and reported) or refused.
        default_model: Used when the caller names none; None makes the model required.
        default_image_model: Used when the caller names none and gives a first frame.
        default_duration_s: Preferred to the row's default where the row allows it.
        default_size: Preferred to the row's default where the row allows it.
        is_last_frame_required: Whether models between two frames must be given both; the vendor
            itself leaves the last one optional.
    """

    name: str
    overlay: Overlay
    watermark_text: str
    long_text: LongText = LongText.TRUNCATE
    default_model: str | None = None
    default_image_model: str | None = None
    default_duration_s: int | None = None
    default_size: Size | None = None
    is_last_frame_required: bool = False
