"""wan3.0: one id for every kind of work.

Catalogue sections 1 to 3; dashscope spec, section 3.5 (official page, 2026-10-15). API only.
"""

from __future__ import annotations

from dataclasses import replace

from kinogate.domain.order import Mode
from kinogate.domain.rates import RateCard, Rates
from kinogate.domain.resolution import ADAPTIVE, RATIOS_30
from kinogate.domain.spec import (
    MIB,
    AudioFileRule,
    AudioRule,
    DurationRule,
    ModelSpec,
    References,
    Sizing,
    UsageFamily,
    VideoRule,
)
from kinogate.domain.wan.common import IMAGE_27, P480, P720, P1080

WAN30_VIDEO = ModelSpec(
    name="wan3.0-video",
    # Editing and extending are chosen by the prompt with a reference video, so they travel as r2v.
    modes=frozenset({Mode.T2V, Mode.I2V, Mode.KF2V, Mode.R2V, Mode.DOCUMENT}),
    protocol="C",
    usage=UsageFamily.W30,
    generation=(3, 0),
    sizing=Sizing.BY_TIER_RATIO,
    tiers=(P480, P720, P1080),
    default_tier=P1080,
    ratios=(ADAPTIVE, *RATIOS_30),
    default_ratio=ADAPTIVE,
    durations=DurationRule(values=tuple(range(2, 31)), default=5, auto=True, longest_s=30),
    prompt_max=20_000,
    # Not documented for 3.0; accepted as on the older rows (our choice).
    negative_max=500,
    prompt_required=False,  # prompt or media, at least one of them
    audio=AudioRule.SWITCH,
    # The page gives a sum of 15 s and no shortest; 1 s is the shortest of its reference videos.
    audio_file=AudioFileRule(min_s=1, max_s=15, total_s=15),
    template=True,
    image=IMAGE_27,
    video=VideoRule(
        min_s=1,
        max_s=15,
        total_s=15,
        min_side=240,
        max_side=4096,
        min_fps=16,
        max_bytes=100 * MIB,
    ),
    references=References(images=10, videos=5, audios=5),
    # USD list for Singapore. Beijing's USD list: 0.041256, 0.082513, 0.165025; CNY not seen.
    price=RateCard(
        audio=Rates(p480=50_000, p720=100_000, p1080=200_000),
        input_max_s=15,
        total_max_s=30,
    ),
    unverified=(
        "sizes: pixel sizes per ratio not published; wan2.7's table and the i2v rule instead",
        "negative_max: not documented for 3.0",
        "audio_file.min_s: not documented",
        "template: the vendor lists none for 3.0",
        "limit_cn, limit_intl: not seen",
    ),
    source="official page 2026-10-15; LiteLLM price map (Singapore list)",
)

WAN30_VIDEO_PRIME = replace(
    WAN30_VIDEO,
    name="wan3.0-video-prime",
    # USD list for Singapore. Beijing's USD list: 0.0636, 0.127199, 0.254399; CNY not seen.
    price=RateCard(
        audio=Rates(p480=68_000, p720=140_000, p1080=280_000),
        input_max_s=15,
        total_max_s=30,
    ),
)

MODELS = (WAN30_VIDEO, WAN30_VIDEO_PRIME)
