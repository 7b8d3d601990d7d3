"""Sizes, resolution tiers and the arithmetic between them; exact integers throughout.

No model and no dialect is known here: which sizes a model sells is in `wan/`. Obeys the model
catalogue, sections 2 and 3, and the official example of the i2v sizing rule (750 by 1000 at 720P
gives 816 by 1104).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import gcd, isqrt
from types import MappingProxyType

MAX_SIDE = 16384
"""Longest side `parse_size` believes, in pixels; beyond it a text is not a size (our choice)."""

_SIZE = re.compile(r"([1-9][0-9]{0,4})[*xX\u00d7]([1-9][0-9]{0,4})")
_RATIO = re.compile(r"([1-9][0-9]?):([1-9][0-9]?)")


class Tier(StrEnum):
    """Resolution tier: a pixel budget, and the unit that prices are given in."""

    P480 = "480P"
    P720 = "720P"
    P1080 = "1080P"

    @property
    def lines(self) -> int:
        """The number in the name: 480, 720 or 1080 (DashScope's `usage.SR`)."""
        return int(self.value[:-1])

    @property
    def pixels(self) -> int:
        """Pixels a frame of this tier may have at most."""
        return _PIXELS[self]


# The products of 832*480, 1280*720 and 1920*1080: the catalogue's A in the i2v sizing rule.
_PIXELS: Mapping[Tier, int] = MappingProxyType(
    {Tier.P480: 399_360, Tier.P720: 921_600, Tier.P1080: 2_073_600}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Exact width and height in pixels, in that order."""

    width: int
    height: int

    def __str__(self) -> str:
        return self.star

    @property
    def pixels(self) -> int:
        """Pixels of one frame."""
        return self.width * self.height

    @property
    def star(self) -> str:
        """As DashScope and MuleRouter write it: `1280*720`."""
        return f"{self.width}*{self.height}"

    @property
    def x(self) -> str:
        """As OpenAI writes it: `1280x720`."""
        return f"{self.width}x{self.height}"


def parse_size(text: str) -> Size | None:
    """Read `W*H`, `WxH`, `WXH` or `W×H`.

    Returns:
        The size, or None where the text is not exactly two plain numbers of 1 to `MAX_SIDE`:
        no spaces, signs, leading zeros or other digits than 0 to 9.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        return None
    size = Size(width=int(match[1]), height=int(match[2]))
    return size if max(size.width, size.height) <= MAX_SIDE else None


def parse_tier(text: str) -> Tier | None:
    """Read `480P`, `720p`, …; None where the text is no tier. `720` without P is none."""
    # Not StrEnum's own lookup on text.upper(): upper() maps foreign letters onto Latin ones.
    return _TIERS_BY_TEXT.get(text)


_TIERS_BY_TEXT: Mapping[str, Tier] = MappingProxyType(
    {spelling: tier for tier in Tier for spelling in (tier.value, tier.value.lower())}
)


def _sizes(*pairs: tuple[int, int]) -> tuple[Size, ...]:
    return tuple(Size(width=width, height=height) for width, height in pairs)


# Catalogue section 2, wan2.1 to wan2.6; seed 001 prints the same 13.
SIZES_BY_TIER: Mapping[Tier, tuple[Size, ...]] = MappingProxyType(
    {
        Tier.P480: _sizes((832, 480), (480, 832), (624, 624)),
        Tier.P720: _sizes((1280, 720), (720, 1280), (960, 960), (1088, 832), (832, 1088)),
        Tier.P1080: _sizes((1920, 1080), (1080, 1920), (1440, 1440), (1632, 1248), (1248, 1632)),
    }
)
"""The 13 sizes of wan2.1 to wan2.6, by tier."""

RATIOS_26: tuple[str, ...] = ("16:9", "9:16", "1:1", "4:3", "3:4")
RATIOS_27: tuple[str, ...] = ("16:9", "9:16", "1:1", "4:3", "3:4")
RATIOS_30: tuple[str, ...] = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
ADAPTIVE = "adaptive"
"""wan3.0's default `ratio`: that of the input, and 16:9 (our choice) where there is none."""

# Catalogue section 2: the table of wan2.7-videoedit, assumed for wan2.7 t2v and r2v. Its 4:3 and
# 3:4 differ from those of wan2.6.
_SIZES_27: Mapping[tuple[Tier, str], Size] = MappingProxyType(
    {
        (Tier.P720, "16:9"): Size(width=1280, height=720),
        (Tier.P720, "9:16"): Size(width=720, height=1280),
        (Tier.P720, "1:1"): Size(width=960, height=960),
        (Tier.P720, "4:3"): Size(width=1104, height=832),
        (Tier.P720, "3:4"): Size(width=832, height=1104),
        (Tier.P1080, "16:9"): Size(width=1920, height=1080),
        (Tier.P1080, "9:16"): Size(width=1080, height=1920),
        (Tier.P1080, "1:1"): Size(width=1440, height=1440),
        (Tier.P1080, "4:3"): Size(width=1648, height=1248),
        (Tier.P1080, "3:4"): Size(width=1248, height=1648),
    }
)


def size_for_ratio(tier: Tier, ratio: str) -> Size:
    """The size wan2.7 and wan3.0 give a `resolution` and a `ratio`.

    The wan2.7 table where it has the pair. Everything else (21:9, and all of 480P) follows
    `fit_to_tier`: nobody has published wan3.0's sizes, so this is our choice.

    Args:
        tier: Resolution tier.
        ratio: `W:H` with whole numbers of 1 to 99, for example `21:9`.

    Raises:
        ValueError: `ratio` is not of that form (`adaptive` has no size of its own).
    """
    listed = _SIZES_27.get((tier, ratio))
    if listed is not None:
        return listed
    match = _RATIO.fullmatch(ratio)
    if match is None:
        raise ValueError(f"not a ratio: {ratio[:32]!r}")
    return fit_to_tier(int(match[1]), int(match[2]), tier)


def listed_size_for_ratio(tier: Tier, ratio: str) -> Size | None:
    """The size among the 13 of wan2.1 to wan2.6 that has this ratio, or None (480P has no 4:3)."""
    return next((size for size in SIZES_BY_TIER[tier] if ratio_label(size) == ratio), None)


def tier_of(size: Size) -> Tier:
    """The tier a size is billed at: the smallest whose pixel budget holds it.

    Every listed size and every result of `fit_to_tier` (ratio up to 8:1) lands in its own tier;
    sizes between two tiers are billed at the upper one; sizes above 1080P at 1080P, the dearest
    there is.
    """
    return next((tier for tier in Tier if size.pixels <= tier.pixels), Tier.P1080)


def _floor16(value: int) -> int:
    return value - value % 16


def fit_to_tier(width: int, height: int, tier: Tier) -> Size:
    """The output size of an i2v clip: the input's ratio, the tier's pixels, sides in sixteens.

    With A the tier's pixels and r the ratio of the *upright* input, width is floor16(√(A·r)) and
    height floor16(√(A/r)), in exact integers. The area never exceeds A. A ratio so
    extreme that a side would be 0 (beyond A/256 : 1) keeps 16 pixels there (our choice).

    Args:
        width: Upright input width in pixels, at least 1.
        height: Upright input height in pixels, at least 1.
        tier: Wanted resolution tier.

    Raises:
        ValueError: A side is below 1.
    """
    if width < 1 or height < 1:
        raise ValueError("width and height must be at least 1")
    # ⌊√x⌋ = ⌊√⌊x⌋⌋, so flooring the quotient first loses nothing.
    fitted_width = _floor16(isqrt(tier.pixels * width // height))
    fitted_height = _floor16(isqrt(tier.pixels * height // width))
    if fitted_height == 0:
        return Size(width=_floor16(tier.pixels // 16), height=16)
    if fitted_width == 0:
        return Size(width=16, height=_floor16(tier.pixels // 16))
    return Size(width=fitted_width, height=fitted_height)


def ratio_label(size: Size) -> str:
    """The ratio in words people use: `16:9` also for 832*480 (26:15) and 832*464.

    The first of 21:9, 16:9, 4:3, 1:1, 3:4, 9:16 within 3 percent; else the fraction in lowest
    terms. 832*480 is the farthest that the vendor's own table stretches a name: 2.5 percent.
    """
    for name in RATIOS_30:
        across, down = (int(part) for part in name.split(":"))
        if 100 * abs(size.width * down - size.height * across) <= 3 * size.height * across:
            return name
    divisor = gcd(size.width, size.height)
    return f"{size.width // divisor}:{size.height // divisor}"
