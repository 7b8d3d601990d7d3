"""wan2.7: body protocol B (`media`, `resolution`, `ratio`), always with sound.

Catalogue sections 1 to 3; dashscope spec, section 3.4. API only.
"""

from __future__ import annotations

from dataclasses import replace

from kinogate.domain.order import Mode
from kinogate.domain.resolution import RATIOS_27
from kinogate.domain.spec import (
    MIB,
    AudioRule,
    DurationRule,
    ModelSpec,
    References,
    Sizing,
    UsageFamily,
    VideoRule,
    seconds,
)
from kinogate.domain.wan.common import AUDIO_27, IMAGE_27, P720, P1080, PRICE_26

_CLIP = VideoRule(min_s=2, max_s=10, min_side=240, max_side=4096, max_bytes=100 * MIB)
_NO_LIMITS = "limit_cn, limit_intl: not seen for 2.7"

WAN27_T2V = ModelSpec(
    name="wan2.7-t2v",
    official_aliases=("wan2.7-t2v-2026-06-12",),
    modes=frozenset({Mode.T2V}),
    protocol="B",
    usage=UsageFamily.W27,
    generation=(2, 7),
    sizing=Sizing.BY_TIER_RATIO,
    tiers=(P720, P1080),
    default_tier=P1080,
    ratios=RATIOS_27,
    default_ratio="16:9",
    durations=seconds(range(2, 16)),
    prompt_max=5000,
    prompt_required=True,
    audio=AudioRule.ALWAYS,
    audio_file=AUDIO_27,
    price=PRICE_26,
    unverified=(
        "default_ratio: not documented, assumed 16:9",
        "prompt_max: one third-party source",
        "sizes: wan2.7-videoedit's table, assumed for t2v",
        _NO_LIMITS,
    ),
    source="transcription of the official page, 2026-08-17",
)

WAN27_I2V = replace(
    WAN27_T2V,
    name="wan2.7-i2v",
    official_aliases=("wan2.7-i2v-2026-04-25",),
    modes=frozenset({Mode.I2V, Mode.KF2V, Mode.CLIP}),
    sizing=Sizing.BY_TIER,
    ratios=(),
    default_ratio=None,
    prompt_required=False,
    template=True,
    image=IMAGE_27,
    video=_CLIP,
    unverified=("template: the vendor lists none for 2.7", _NO_LIMITS),
    source="official page 2026-04",
)

WAN27_R2V = replace(
    WAN27_T2V,
    name="wan2.7-r2v",
    official_aliases=("wan2.7-r2v-2026-06-12",),
    modes=frozenset({Mode.R2V}),
    durations=seconds(range(2, 11)),
    # Sound comes from the references; each item may bring a `reference_voice`.
    audio_file=None,
    image=IMAGE_27,
    # No length or size of a reference video is published; first_clip's bounds, the shortest 1 s
    # as in wan2.6-r2v (our choice).
    video=replace(_CLIP, min_s=1, max_s=30),
    references=References(images=5, videos=5, together=5),
    price=replace(PRICE_26, input_max_s=5),
    unverified=(
        "durations: 2 to 10 from one third-party source",
        "default_tier: 720P by one third-party source",
        "default_ratio, ratios: one third-party source",
        "prompt_max: inferred",
        "sizes: wan2.7-videoedit's table, assumed for r2v",
        "video: wan2.6-r2v's seconds, wan2.7-i2v's sides",
        "price.input_max_s: wan2.6-r2v's rule, assumed",
        _NO_LIMITS,
    ),
    source="note verified by calls, 2026-08-27; @ai-sdk/alibaba 2.0.58",
)

WAN27_VIDEOEDIT = replace(
    WAN27_T2V,
    name="wan2.7-videoedit",
    official_aliases=(),
    modes=frozenset({Mode.EDIT}),
    default_ratio=None,  # absent means the input's
    durations=DurationRule(values=tuple(range(2, 11)), default=0, keep=True, longest_s=10),
    prompt_required=False,
    # `audio_setting` is auto or origin; either way there is sound and no file is taken.
    audio_file=None,
    image=IMAGE_27,
    video=replace(_CLIP, max_ratio=8),
    references=References(images=4),
    price=replace(PRICE_26, input_max_s=10),
    unverified=(_NO_LIMITS,),
    source="official page 2026-04",
)

MODELS = (WAN27_T2V, WAN27_I2V, WAN27_R2V, WAN27_VIDEOEDIT)
