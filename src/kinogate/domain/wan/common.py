"""Limits that several generations share. Catalogue section 1, "Media limits", unless said."""

from __future__ import annotations

from kinogate.domain.rates import RateCard, Rates
from kinogate.domain.resolution import SIZES_BY_TIER, Size, Tier
from kinogate.domain.spec import MIB, AudioFileRule, ImageRule, RateLimit

# wan2.1 to wan2.6: sides 360 to 2000, 10 MB. Seeds 000, 003 and 004 agree. (Listings for
# wan2.6-i2v-flash quote 20 MB; unconfirmed, not followed.)
IMAGE_26 = ImageRule(min_side=360, max_side=2000, max_bytes=10 * MIB)
# wan2.7 and wan3.0: sides 240 to 8000, ratio to 8:1, 20 MB.
IMAGE_27 = ImageRule(min_side=240, max_side=8000, max_bytes=20 * MIB, max_ratio=8)

# wan2.5 and wan2.6: 3 to 30 s, 15 MB (seeds 000, 003, 004).
AUDIO_26 = AudioFileRule(min_s=3, max_s=30)
# wan2.7: 2 to 30 s, 15 MB (dashscope spec, section 3.4).
AUDIO_27 = AudioFileRule(min_s=2, max_s=30)

# Catalogue section 4, "create RPS / concurrent tasks".
LIMIT_5_5 = RateLimit(create_rps=5, concurrency=5)
LIMIT_5_1 = RateLimit(create_rps=5, concurrency=1)
LIMIT_2_2 = RateLimit(create_rps=2, concurrency=2)

P480, P720, P1080 = Tier.P480, Tier.P720, Tier.P1080
SIZE_720P = Size(width=1280, height=720)
SIZE_1080P = Size(width=1920, height=1080)


def sizes_of(*tiers: Tier) -> tuple[Size, ...]:
    """The listed sizes of these tiers: "a model takes the union of its tiers"."""
    return tuple(size for tier in tiers for size in SIZES_BY_TIER[tier])


# wan2.6 and wan2.7, with audio: $0.10 and $0.15; CN 0.6 and 1.0. Silent is not cheaper.
PRICE_26 = RateCard(
    audio=Rates(p720=100_000, p1080=150_000),
    cny=Rates(p720=600_000, p1080=1_000_000),
)
