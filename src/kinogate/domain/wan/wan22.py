"""wan2.2: silent clips of 5 seconds, s2v and animate.

Catalogue sections 1 to 4 and 6. `wan2.2-t2v-flash` is in one third-party list and on no price or
limit page, so it has no row. Open weights exist; which API name they stand for is our mapping.
"""

from __future__ import annotations

from dataclasses import replace

from kinogate.domain.order import Mode
from kinogate.domain.rates import RateCard, Rates
from kinogate.domain.spec import (
    KEEP_DURATION,
    MIB,
    AudioFileRule,
    AudioRule,
    DurationRule,
    ModelSpec,
    Sizing,
    UsageFamily,
    VideoRule,
    seconds,
)
from kinogate.domain.wan.common import (
    IMAGE_26,
    LIMIT_2_2,
    LIMIT_5_1,
    P480,
    P720,
    P1080,
    SIZE_1080P,
    sizes_of,
)

_TEMPLATE = "template: unconfirmed for 2.2"
_CNY_FLASH = Rates(p480=100_000, p720=200_000, p1080=480_000)

WAN22_T2V_PLUS = ModelSpec(
    name="wan2.2-t2v-plus",
    modes=frozenset({Mode.T2V}),
    usage=UsageFamily.T2V_25,
    generation=(2, 2),
    sizing=Sizing.BY_SIZE,
    sizes=sizes_of(P480, P1080),
    tiers=(P480, P1080),
    default_size=SIZE_1080P,
    default_tier=P1080,
    durations=seconds((5,)),
    prompt_max=800,
    prompt_required=True,
    audio=AudioRule.NONE,
    price=RateCard(
        silent=Rates(p480=20_000, p1080=100_000),
        cny=Rates(p480=140_000, p1080=700_000),
    ),
    limit_cn=LIMIT_2_2,
    limit_intl=LIMIT_2_2,
    actual_prompt_shown=True,
    open_weights=("Wan-AI/Wan2.2-T2V-A14B-Diffusers",),
    source="official t2v page 2025-12-26; seed 001; error text of 2026-08-27 confirms the sizes",
)

WAN22_I2V_PLUS = replace(
    WAN22_T2V_PLUS,
    name="wan2.2-i2v-plus",
    modes=frozenset({Mode.I2V}),
    usage=UsageFamily.I2V_22,
    sizing=Sizing.BY_TIER,
    sizes=(),
    default_size=None,
    prompt_required=False,
    template=True,
    image=IMAGE_26,
    open_weights=("Wan-AI/Wan2.2-I2V-A14B-Diffusers",),
    unverified=(_TEMPLATE,),
    source="official i2v page 2026-Q1",
)

WAN22_I2V_FLASH = replace(
    WAN22_I2V_PLUS,
    name="wan2.2-i2v-flash",
    tiers=(P480, P720, P1080),
    default_tier=P720,
    price=RateCard(silent=Rates(p480=15_000, p720=36_000), cny=_CNY_FLASH),
    limit_intl=None,
    open_weights=("Wan-AI/Wan2.2-TI2V-5B-Diffusers",),
    unverified=(
        _TEMPLATE,
        "price: 1080P is not on the international list; the CNY figure is converted",
    ),
)

WAN22_KF2V_FLASH = replace(
    WAN22_I2V_FLASH,
    name="wan2.2-kf2v-flash",
    modes=frozenset({Mode.KF2V}),
    usage=UsageFamily.KF2V_22,
    price=RateCard(cny=_CNY_FLASH, source="catalogue section 3, CNY list, converted"),
    open_weights=("Wan-AI/Wan2.1-FLF2V-14B-720P-diffusers",),
    unverified=(
        _TEMPLATE,
        "price: not sold internationally; the CNY figures are converted",
        "open_weights: repository name not confirmed",
    ),
    source="official kf2v page 2026-01",
)

WAN22_S2V = ModelSpec(
    name="wan2.2-s2v",
    modes=frozenset({Mode.S2V}),
    usage=UsageFamily.S2V,
    generation=(2, 2),
    sizing=Sizing.BY_TIER,
    tiers=(P480, P720),
    default_tier=P480,
    # The clip is as long as the audio, which is under 20 s.
    durations=DurationRule(values=(), default=KEEP_DURATION, keep=True, longest_s=20),
    prompt_max=800,
    negative_max=None,
    prompt_required=False,
    audio=AudioRule.ALWAYS,
    audio_file=AudioFileRule(min_s=1, max_s=20),
    image=IMAGE_26,
    price=RateCard(
        cny=Rates(p480=500_000, p720=900_000),
        source="catalogue section 3, CNY list, converted",
    ),
    limit_cn=LIMIT_5_1,
    open_weights=("Wan-AI/Wan2.2-S2V-14B",),
    unverified=(
        "default_tier: not documented",
        "prompt_max: the model takes no prompt as far as documented",
        "image: limits of i2v assumed",
        "audio_file: under 20 s from one third-party source; no shortest known",
        "durations: length of the audio, inferred",
        "price: not sold internationally; the CNY figures are converted",
    ),
    source="field reports; official table not obtained",
)

# Modes wan-std and wan-pro instead of tiers. 720P is what the open weights make.
WAN22_ANIMATE_MOVE = ModelSpec(
    name="wan2.2-animate-move",
    modes=frozenset({Mode.ANIMATE}),
    usage=UsageFamily.ANIMATE,
    generation=(2, 2),
    sizing=Sizing.BY_TIER,
    tiers=(P720,),
    default_tier=P720,
    durations=DurationRule(values=(), default=KEEP_DURATION, keep=True, longest_s=30),
    prompt_max=800,
    negative_max=None,
    prompt_required=False,
    audio=AudioRule.NONE,
    image=IMAGE_26,
    video=VideoRule(max_s=30, max_bytes=100 * MIB),
    price=RateCard(std=120_000, pro=180_000),  # CN 0.4 and 0.6
    limit_cn=LIMIT_5_1,
    limit_intl=LIMIT_5_1,
    open_weights=("Wan-AI/Wan2.2-Animate-14B-Diffusers",),
    unverified=(
        "tiers: the vendor has modes wan-std and wan-pro instead",
        "durations: length of the video, inferred; its longest assumed 30 s",
        "image, video, audio, prompt_max: not documented",
    ),
    source="field reports; official table not obtained",
)

WAN22_ANIMATE_MIX = replace(
    WAN22_ANIMATE_MOVE,
    name="wan2.2-animate-mix",
    price=RateCard(std=180_000, pro=260_000),  # CN 0.6 and 0.9
)

MODELS = (
    WAN22_T2V_PLUS,
    WAN22_I2V_PLUS,
    WAN22_I2V_FLASH,
    WAN22_KF2V_FLASH,
    WAN22_S2V,
    WAN22_ANIMATE_MOVE,
    WAN22_ANIMATE_MIX,
)
