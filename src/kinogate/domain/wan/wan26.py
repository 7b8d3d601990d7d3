"""wan2.6: sound, several shots, 2 to 15 seconds.

Catalogue sections 1 to 4; dashscope spec, section 3.1; seed 003. API only. Older official text
has durations of 5, 10 and 15 only; the newer range is followed.
"""

from __future__ import annotations

from dataclasses import replace

from kinogate.domain.order import Mode
from kinogate.domain.rates import RateCard, Rates
from kinogate.domain.spec import (
    MIB,
    AudioRule,
    ImageRule,
    ModelSpec,
    References,
    Sizing,
    UsageFamily,
    VideoRule,
    seconds,
)
from kinogate.domain.wan.common import (
    AUDIO_26,
    IMAGE_26,
    LIMIT_5_5,
    P720,
    P1080,
    PRICE_26,
    SIZE_1080P,
    sizes_of,
)

# The only two models whose price depends on audio.
_PRICE_FLASH = RateCard(
    audio=Rates(p720=50_000, p1080=75_000),
    silent=Rates(p720=25_000, p1080=37_500),
    cny=Rates(p720=300_000, p1080=500_000),
)
_TEMPLATE = "template: field documented, no effect listed for 2.6"

WAN26_T2V = ModelSpec(
    name="wan2.6-t2v",
    official_aliases=("wan2.6-t2v-us",),
    modes=frozenset({Mode.T2V}),
    usage=UsageFamily.T2V_26,
    generation=(2, 6),
    sizing=Sizing.BY_SIZE,
    sizes=sizes_of(P720, P1080),
    tiers=(P720, P1080),
    default_size=SIZE_1080P,
    default_tier=P1080,
    durations=seconds(range(2, 16)),
    prompt_max=1500,
    prompt_required=True,
    audio=AudioRule.ALWAYS,
    audio_file=AUDIO_26,
    shots=True,
    price=PRICE_26,
    limit_cn=LIMIT_5_5,
    limit_intl=LIMIT_5_5,
    source="official t2v page 2025-12-26",
)

WAN26_I2V = replace(
    WAN26_T2V,
    name="wan2.6-i2v",
    official_aliases=("wan2.6-i2v-us",),
    modes=frozenset({Mode.I2V}),
    usage=UsageFamily.I2V_26,
    sizing=Sizing.BY_TIER,
    sizes=(),
    default_size=None,
    prompt_required=False,
    template=True,
    image=IMAGE_26,
    unverified=(_TEMPLATE,),
    source="official i2v page 2026-Q1; seed 003",
)

WAN26_I2V_FLASH = replace(
    WAN26_I2V,
    name="wan2.6-i2v-flash",
    official_aliases=(),
    usage=UsageFamily.I2V_26_FLASH,
    audio=AudioRule.SWITCH,
    price=_PRICE_FLASH,
    unverified=(
        _TEMPLATE,
        "image.max_bytes: listings quote 20 MB",
        "fps: one third-party listing has 24",
    ),
    source="official i2v page 2026-Q1",
)

WAN26_R2V = replace(
    WAN26_T2V,
    name="wan2.6-r2v",
    official_aliases=(),
    modes=frozenset({Mode.R2V}),
    usage=UsageFamily.R2V_26,
    durations=seconds(range(2, 11)),
    # The voice comes from the references; the dashscope spec lists `audio_url` for wan2.6-* all
    # the same, so a file is taken.
    image=ImageRule(min_side=240, max_side=5000, max_bytes=10 * MIB),
    video=VideoRule(min_s=1, max_s=30, max_bytes=100 * MIB),
    references=References(images=5, videos=3, together=5),
    price=replace(PRICE_26, input_max_s=5),
    unverified=("audio_file: the r2v page does not show it, the field table does",),
    source="official r2v page 2026-01",
)

WAN26_R2V_FLASH = replace(
    WAN26_R2V,
    name="wan2.6-r2v-flash",
    audio=AudioRule.SWITCH,
    price=replace(_PRICE_FLASH, input_max_s=5),
)

MODELS = (WAN26_T2V, WAN26_I2V, WAN26_I2V_FLASH, WAN26_R2V, WAN26_R2V_FLASH)
