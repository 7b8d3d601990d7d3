"""What one model can do: the row type of the model catalogue and the rules it is made of.

Types only. The rows are in `wan/`, looking them up is `catalogue.py`, a dialect's deviations are
`overlays.py`. Field meanings follow the model catalogue, section 1. Megabytes are MiB and every
limit is inclusive (design, section 4.5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from kinogate.domain.order import Mode
from kinogate.domain.rates import RateCard
from kinogate.domain.resolution import (
    ADAPTIVE,
    Size,
    Tier,
    listed_size_for_ratio,
    size_for_ratio,
)

MIB = 1024 * 1024

AUTO_DURATION = -1
"""wan3.0: the model decides."""
KEEP_DURATION = 0
"""The clip is as long as its input: videoedit's default, and s2v and animate always."""


class Sizing(StrEnum):
    """Which member of a request decides the pixels."""

    BY_SIZE = "by_size"  # `size`, one of the row's list
    BY_TIER = "by_tier"  # `resolution`; the ratio is the input's
    BY_TIER_RATIO = "by_tier_ratio"  # `resolution` and `ratio`


class AudioRule(StrEnum):
    """Whether a clip has sound, and whether the caller may switch it off."""

    NONE = "none"
    ALWAYS = "always"
    SWITCH = "switch"


class UsageFamily(StrEnum):
    """Which members DashScope's `usage` object has (dashscope spec, section 5)."""

    T2V_25 = "t2v25"
    I2V_21 = "i2v21"
    I2V_22 = "i2v22"
    KF2V_21 = "kf2v21"
    KF2V_22 = "kf2v22"
    T2V_26 = "t2v26"
    I2V_26 = "i2v26"
    I2V_26_FLASH = "i2v26flash"
    R2V_26 = "r2v26"
    W27 = "w27"
    W30 = "w30"
    VACE = "vace"
    S2V = "s2v"
    ANIMATE = "animate"


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationRule:
    """Which durations may be asked for.

    Attributes:
        values: Whole seconds, ascending; empty where the input alone decides.
        default: Used when none is given; may be `AUTO_DURATION` or `KEEP_DURATION`.
        auto: Whether -1 is accepted.
        keep: Whether 0 is accepted.
        longest_s: The most a clip can last, whatever was asked.
    """

    values: tuple[int, ...]
    default: int
    auto: bool = False
    keep: bool = False
    longest_s: int

    def accepts(self, duration: int) -> bool:
        """Whether a caller may ask for `duration` seconds."""
        if duration == AUTO_DURATION:
            return self.auto
        if duration == KEEP_DURATION:
            return self.keep
        return duration in self.values

    def describe(self) -> str:
        """What is allowed, for an error message: `5`, `5 or 10`, `from 2 to 15`."""
        words = [_describe_values(self.values)] if self.values else []
        if self.auto:
            words.append("-1 (the model decides)")
        if self.keep:
            words.append("0 (as long as the input)")
        return ", or ".join(words)


def _describe_values(values: tuple[int, ...]) -> str:
    if len(values) > 2 and values == tuple(range(values[0], values[-1] + 1)):
        return f"from {values[0]} to {values[-1]}"
    *head, last = (str(value) for value in values)
    return f"{', '.join(head)} or {last}" if head else last


def seconds(values: Iterable[int], *, default: int = 5) -> DurationRule:
    """The rule for a plain list or range of whole seconds."""
    allowed = tuple(values)
    return DurationRule(values=allowed, default=default, longest_s=max(allowed))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRule:
    """Limits of one image: sides in pixels, inclusive; `max_ratio` is long side over short."""

    min_side: int
    max_side: int
    max_bytes: int
    max_ratio: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRule:
    """Limits of one input video: seconds and sides inclusive; None where nothing is documented."""

    min_s: int | None = None
    max_s: int | None = None
    total_s: int | None = None
    min_side: int | None = None
    max_side: int | None = None
    max_ratio: int | None = None
    min_fps: int | None = None
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFileRule:
    """Limits of one audio file (wav or mp3), seconds inclusive."""

    min_s: int
    max_s: int
    total_s: int | None = None
    max_bytes: int = 15 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """How many references of each kind, and of images and videos together, at most."""

    images: int = 0
    videos: int = 0
    audios: int = 0
    together: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """The vendor's own limits; data only, enforced if the operator asks for it."""

    create_rps: int
    concurrency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One row of the model catalogue.

    Attributes:
        name: Canonical name.
        official_aliases: Other names the vendor itself uses, exactly as written.
        modes: What it can be asked for.
        protocol: Which DashScope body it takes: A to wan2.6, B wan2.7, C wan3.0.
        usage: Which `usage` object DashScope reports.
        generation: (2, 6) for wan2.6.
        sizing: Which member decides the pixels.
        sizes: BY_SIZE: the allowed sizes, smallest tier first; else empty.
        tiers: Allowed tiers, ascending.
        default_size: BY_SIZE only.
        default_tier: The tier of the default; never None in a row of ours.
        ratios: BY_TIER_RATIO: the allowed ratios, `adaptive` included where it is; else empty.
        default_ratio: BY_TIER_RATIO: the default, or None where absence means the input's ratio.
        durations: Allowed durations.
        prompt_max: Code points; more is cut or refused, as the dialect says.
        negative_max: The same for the negative prompt; None where the model takes none.
        prompt_required: Whether a request without a prompt (and without a template) is wrong.
        audio: Whether there is sound.
        audio_file: Limits of a given audio track; None where none is taken.
        shots: Whether `shot_type` is known.
        template: Whether effect names are accepted: any known one on every row that starts from
            a first frame (design, section 4.12, wider than the vendor's own lists).
        image: Limits of input images; None where none is taken.
        video: Limits of input videos; None where none is taken.
        references: How many references are taken.
        fps: Frames a second of the finished clip.
        price: What a second costs.
        limit_cn: Vendor limits in Beijing, None where not published.
        limit_intl: Vendor limits in Singapore, None where not published.
        actual_prompt_shown: Whether DashScope shows `actual_prompt` (wan2.5 and older).
        open_weights: Hugging Face repositories of open weights that can stand in (our mapping).
        unverified: Fields whose figures are third-party, inferred or assumed, each with a word
            on why.
        source: Where the row comes from.
    """

    name: str
    official_aliases: tuple[str, ...] = ()
    modes: frozenset[Mode]
    protocol: Literal["A", "B", "C"] = "A"
    usage: UsageFamily
    generation: tuple[int, int]
    sizing: Sizing
    sizes: tuple[Size, ...] = ()
    tiers: tuple[Tier, ...]
    default_size: Size | None = None
    default_tier: Tier
    ratios: tuple[str, ...] = ()
    default_ratio: str | None = None
    durations: DurationRule
    prompt_max: int
    negative_max: int | None = 500
    prompt_required: bool
    audio: AudioRule
    audio_file: AudioFileRule | None = None
    shots: bool = False
    template: bool = False
    image: ImageRule | None = None
    video: VideoRule | None = None
    references: References = field(default_factory=References)
    fps: int = 30
    price: RateCard
    limit_cn: RateLimit | None = None
    limit_intl: RateLimit | None = None
    actual_prompt_shown: bool = False
    open_weights: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    source: str

    @property
    def accepts_audio_file(self) -> bool:
        """Whether a caller may give the audio track."""
        return self.audio_file is not None

    @property
    def has_sound(self) -> bool:
        """Whether a clip can have an audio stream at all."""
        return self.audio is not AudioRule.NONE

    def size_for(self, tier: Tier, ratio: str) -> Size | None:
        """The size this row makes of a tier and a ratio without an input to follow.

        Args:
            tier: One of `tiers`.
            ratio: `16:9` and the like; `adaptive` counts as 16:9.

        Returns:
            None where the row does not sell that pair. BY_TIER rows follow their input and have
            no such sizes, so always None.
        """
        if tier not in self.tiers:
            return None
        if self.sizing is Sizing.BY_SIZE:
            listed = listed_size_for_ratio(tier, ratio)
            return listed if listed in self.sizes else None
        if self.sizing is Sizing.BY_TIER_RATIO and ratio in self.ratios:
            return size_for_ratio(tier, "16:9" if ratio == ADAPTIVE else ratio)
        return None
