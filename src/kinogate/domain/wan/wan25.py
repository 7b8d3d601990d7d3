"""wan2.5: the first generation with sound; 5 or 10 seconds at 24 frames a second.

Catalogue sections 1 to 4; seeds 000, 002 and 004. API only. fps: seed 004 and an earlier official
text say 24, the page of 2025-12-26 says 30; design section 4.7 settles on 24.
"""

from __future__ import annotations

from dataclasses import replace

from kinogate.domain.order import Mode
from kinogate.domain.rates import RateCard, Rates
from kinogate.domain.spec import AudioRule, ModelSpec, Sizing, UsageFamily, seconds
from kinogate.domain.wan.common import (
    AUDIO_26,
    IMAGE_26,
    LIMIT_5_5,
    P480,
    P720,
    P1080,
    SIZE_1080P,
    sizes_of,
)

_FPS = "fps: sources disagree on 24 and 30"

WAN25_T2V = ModelSpec(
    name="wan2.5-t2v-preview",
    modes=frozenset({Mode.T2V}),
    usage=UsageFamily.T2V_25,
    generation=(2, 5),
    sizing=Sizing.BY_SIZE,
    sizes=sizes_of(P480, P720, P1080),
    tiers=(P480, P720, P1080),
    default_size=SIZE_1080P,
    default_tier=P1080,
    durations=seconds((5, 10)),
    prompt_max=1500,
    prompt_required=True,
    audio=AudioRule.ALWAYS,
    audio_file=AUDIO_26,
    fps=24,
    price=RateCard(
        audio=Rates(p480=50_000, p720=100_000, p1080=150_000),
        cny=Rates(p480=300_000, p720=600_000, p1080=1_000_000),
    ),
    limit_cn=LIMIT_5_5,
    limit_intl=LIMIT_5_5,
    actual_prompt_shown=True,
    unverified=(_FPS,),
    source="official t2v page 2025-12-26",
)

WAN25_I2V = replace(
    WAN25_T2V,
    name="wan2.5-i2v-preview",
    modes=frozenset({Mode.I2V}),
    usage=UsageFamily.I2V_22,
    sizing=Sizing.BY_TIER,
    sizes=(),
    default_size=None,
    prompt_required=False,
    template=True,
    image=IMAGE_26,
    unverified=(_FPS, "template: field documented, no effect listed for 2.5"),
    source="official i2v page 2026-Q1; seeds 000, 002, 004",
)

MODELS = (WAN25_T2V, WAN25_I2V)
