"""wan2.1 (Mainland names `wanx2.1-…`): silent clips of 5 seconds, effects, vace.

Catalogue sections 1 to 6; seed 001. The oldest names (`wanx-txt2video-pro` and so on) are
deprecated constants of the vendor's SDK and mean the plus models (catalogue section 1).
"""

from __future__ import annotations

from dataclasses import replace

from kinogate.domain.order import Mode
from kinogate.domain.rates import RateCard, Rates
from kinogate.domain.spec import (
    MIB,
    AudioRule,
    DurationRule,
    ModelSpec,
    RateLimit,
    References,
    Sizing,
    UsageFamily,
    VideoRule,
    seconds,
)
from kinogate.domain.wan.common import (
    IMAGE_26,
    LIMIT_2_2,
    P480,
    P720,
    SIZE_720P,
    sizes_of,
)

_PRICE_TURBO = RateCard(
    silent=Rates(p480=36_000, p720=36_000),
    cny=Rates(p480=240_000, p720=240_000),
)
_PRICE_PLUS = RateCard(silent=Rates(p720=100_000), cny=Rates(p720=700_000))

WAN21_T2V_TURBO = ModelSpec(
    name="wan2.1-t2v-turbo",
    official_aliases=("wanx2.1-t2v-turbo",),
    modes=frozenset({Mode.T2V}),
    usage=UsageFamily.T2V_25,
    generation=(2, 1),
    sizing=Sizing.BY_SIZE,
    sizes=sizes_of(P480, P720),
    tiers=(P480, P720),
    default_size=SIZE_720P,
    default_tier=P720,
    durations=seconds((5,)),
    prompt_max=800,
    prompt_required=True,
    audio=AudioRule.NONE,
    price=_PRICE_TURBO,
    limit_cn=LIMIT_2_2,
    limit_intl=LIMIT_2_2,
    actual_prompt_shown=True,
    open_weights=("Wan-AI/Wan2.1-T2V-1.3B-Diffusers",),
    source="official t2v page 2025-12-26; seed 001",
)

WAN21_T2V_PLUS = replace(
    WAN21_T2V_TURBO,
    name="wan2.1-t2v-plus",
    official_aliases=("wanx2.1-t2v-plus", "wanx-txt2video-pro"),
    sizes=sizes_of(P720),
    tiers=(P720,),
    price=_PRICE_PLUS,
    open_weights=("Wan-AI/Wan2.1-T2V-14B-Diffusers",),
)

WAN21_I2V_TURBO = replace(
    WAN21_T2V_TURBO,
    name="wan2.1-i2v-turbo",
    official_aliases=("wanx2.1-i2v-turbo",),
    modes=frozenset({Mode.I2V}),
    usage=UsageFamily.I2V_21,
    sizing=Sizing.BY_TIER,
    sizes=(),
    default_size=None,
    durations=seconds((3, 4, 5)),
    prompt_required=False,
    template=True,
    image=IMAGE_26,
    open_weights=("Wan-AI/Wan2.1-I2V-14B-480P-Diffusers",),
    source="official i2v page 2026-Q1",
)

WAN21_I2V_PLUS = replace(
    WAN21_I2V_TURBO,
    name="wan2.1-i2v-plus",
    official_aliases=("wanx2.1-i2v-plus", "wanx-img2video-pro"),
    tiers=(P720,),
    durations=seconds((5,)),
    price=_PRICE_PLUS,
    open_weights=("Wan-AI/Wan2.1-I2V-14B-720P-Diffusers",),
)

WAN21_KF2V_PLUS = replace(
    WAN21_I2V_PLUS,
    name="wan2.1-kf2v-plus",
    official_aliases=("wanx2.1-kf2v-plus", "wanx-kf2v"),
    modes=frozenset({Mode.KF2V}),
    usage=UsageFamily.KF2V_21,
    # The row of the limits page reads "1" without saying which of the two it is.
    limit_intl=RateLimit(create_rps=1, concurrency=1),
    open_weights=("Wan-AI/Wan2.1-FLF2V-14B-720P-diffusers",),
    unverified=(
        "limit_intl: one figure for both, inferred",
        "open_weights: repository name not confirmed",
    ),
    source="official kf2v page 2026-01",
)

WAN21_VACE_PLUS = replace(
    WAN21_T2V_PLUS,
    name="wan2.1-vace-plus",
    official_aliases=("wanx2.1-vace-plus",),
    # image_reference, video_extension; repainting, editing and outpainting.
    modes=frozenset({Mode.R2V, Mode.CLIP, Mode.EDIT}),
    usage=UsageFamily.VACE,
    durations=DurationRule(values=(1, 2, 3, 4, 5), default=5, longest_s=5),
    image=IMAGE_26,
    video=VideoRule(max_s=5, min_side=360, max_side=2000, min_fps=16, max_bytes=50 * MIB),
    references=References(images=3),
    open_weights=(
        "Wan-AI/Wan2.1-VACE-14B-diffusers",
        "Wan-AI/Wan2.1-VACE-1.3B-diffusers",
    ),
    unverified=(
        "prompt_max: assumed as on the other 2.1 rows",
        "durations: at most 5; which shorter ones may be asked for is not documented",
        "usage: not documented",
        "image: limits of i2v assumed",
        "video, references: field reports",
    ),
    source="official page 2026-01-28; field reports; MuleRouter's public skill files",
)

MODELS = (
    WAN21_T2V_TURBO,
    WAN21_T2V_PLUS,
    WAN21_I2V_TURBO,
    WAN21_I2V_PLUS,
    WAN21_KF2V_PLUS,
    WAN21_VACE_PLUS,
)
