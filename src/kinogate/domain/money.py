"""Quoting and settling, in whole micro-dollars; `Decimal` only at the rim.

Pure arithmetic on the rate card of a model catalogue row (`rates.py`); holds, ledgers and accounts
are elsewhere. Obeys the model catalogue, section 3, and design section 4.14.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from kinogate.domain.overlays import NATIVE, Overlay
from kinogate.domain.rates import CNY_PER_USD, Micro, RateCard, Rates
from kinogate.domain.resolution import Tier
from kinogate.domain.spec import ModelSpec

__all__ = [
    "Micro",
    "RateCard",
    "Rates",
    "Usage",
    "billed_seconds",
    "micro_of",
    "quote",
    "rate",
    "settle",
    "usd",
    "usd_text",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a finished task used, measured from the produced file.

    Attributes:
        output_s: Seconds of the clip, exactly: `Fraction(frame_count, fps)`.
        tier: The tier of its size (`resolution.tier_of`).
        has_audio: Whether it has an audio stream.
        input_s: Seconds of all video inputs together, uncapped.
        pro: animate only: whether mode `wan-pro` was asked for.
    """

    output_s: Fraction
    tier: Tier
    has_audio: bool
    input_s: Fraction = Fraction(0)
    pro: bool = False


def rate(
    spec: ModelSpec,
    tier: Tier,
    audio: bool,
    overlay: Overlay = NATIVE,
    *,
    pro: bool = False,
) -> Micro:
    """The price of one second.

    The international figure for the tier; else that of the nearest dearer tier sold (a dialect
    may offer a tier the vendor does not: MuleRouter's 480P of wan2.6-i2v costs as 720P); else the
    Mainland figure, converted. Silence has its own price only on some rows; otherwise it costs
    the same as sound, or half where the overlay says so.

    Raises:
        ValueError: The row's card has no figure at or above the tier: a mistake in the row.
    """
    price = spec.price
    if price.std is not None and price.pro is not None:
        return price.pro if pro else price.std
    with_sound = price.audio or price.silent
    card = with_sound if audio else price.silent or price.audio
    figure = card.at_or_above(tier) if card is not None else None
    if figure is None:
        cny = price.cny.at_or_above(tier)
        if cny is None:
            raise ValueError(f"{spec.name} has no price at {tier}")
        figure = _round(Fraction(cny * CNY_PER_USD[1], CNY_PER_USD[0]))
    if not audio and overlay.silent_half and spec.has_sound and price.silent is None:
        return _round(Fraction(figure, 2))
    return figure


def quote(
    spec: ModelSpec,
    tier: Tier,
    duration_s: int,
    audio: bool,
    overlay: Overlay = NATIVE,
    *,
    video_input: bool = False,
    pro: bool = False,
) -> Micro:
    """The most a request can cost: what is held when it is accepted.

    Args:
        spec: The model, overlaid or not (an overlay changes no prices).
        tier: Tier of the output.
        duration_s: Whole seconds asked for. -1 and 0 hold the longest the model can make; where
            the engine is known to make less (preview makes 5 s of -1), pass that instead.
        audio: Whether sound was asked for.
        overlay: The dialect's.
        video_input: Whether video inputs come along that may be billed; their most is held.
        pro: animate only: mode `wan-pro`.
    """
    length = duration_s if duration_s > 0 else spec.durations.longest_s
    input_s = spec.price.input_max_s if video_input else 0
    total = length + input_s
    if input_s and spec.price.total_max_s is not None:
        total = min(total, max(length, spec.price.total_max_s))
    return total * rate(spec, tier, audio, overlay, pro=pro)


def billed_seconds(spec: ModelSpec, usage: Usage) -> Fraction:
    """Seconds that are paid for: the output, and the input up to the row's cap."""
    return usage.output_s + min(usage.input_s, Fraction(spec.price.input_max_s))


def settle(
    spec: ModelSpec,
    usage: Usage,
    overlay: Overlay = NATIVE,
    *,
    hold: Micro | None = None,
) -> Micro:
    """What a finished task costs, rounded half up to a whole micro-dollar.

    Args:
        spec: The model, overlaid or not.
        usage: What was produced.
        overlay: The dialect's the task came through.
        hold: What `quote` said; never settled above. A clip can come out a little longer than
            asked for (81 frames at 16 a second are 5.0625 s), and that is not the caller's affair.
    """
    price = rate(spec, usage.tier, usage.has_audio, overlay, pro=usage.pro)
    cost = _round(billed_seconds(spec, usage) * price)
    return cost if hold is None else min(cost, hold)


def usd(micro: Micro) -> Decimal:
    """Micro-dollars as exact dollars."""
    return Decimal(micro).scaleb(-6)


def micro_of(dollars: Decimal) -> Micro:
    """Dollars from outside (a budget, an operator's price) as whole micro-dollars.

    Raises:
        ValueError: Negative, not finite, finer than a micro-dollar, or beyond 10^12 dollars.
    """
    if not dollars.is_finite() or not 0 <= dollars <= 10**12:
        raise ValueError(f"not an amount of money: {dollars}")
    micro = dollars.scaleb(6)
    if micro != micro.to_integral_value():
        raise ValueError(f"not an amount of money in micro-dollars: {dollars}")
    return int(micro)


def usd_text(micro: Micro, places: int = 4) -> str:
    """Dollars with a fixed number of decimals, half up: `0.5000`."""
    return str(usd(micro).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def _round(value: Fraction) -> int:
    """Half up. Never negative here, so floor of one half more."""
    return int(value + Fraction(1, 2))
