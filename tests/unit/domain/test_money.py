"""Prices against literals typed from the vendor's lists, and the rules around them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinogate.domain.catalogue import CATALOGUE, ModelSpec
from kinogate.domain.money import (
    RateCard,
    Rates,
    Usage,
    billed_seconds,
    micro_of,
    quote,
    rate,
    settle,
    usd,
    usd_text,
)
from kinogate.domain.overlays import NATIVE, OVERLAYS, Overlay, overlaid
from kinogate.domain.resolution import Tier

VTRIX = OVERLAYS["vtrix"]
MULEROUTER = OVERLAYS["mulerouter"]
TIERS = {"480P": Tier.P480, "720P": Tier.P720, "1080P": Tier.P1080}

# Typed from catalogue section 3, USD a second of the international list, in dollars.
WITH_AUDIO = {
    "wan3.0-video": {"480P": "0.05", "720P": "0.10", "1080P": "0.20"},
    "wan3.0-video-prime": {"480P": "0.068", "720P": "0.14", "1080P": "0.28"},
    "wan2.7-t2v": {"720P": "0.10", "1080P": "0.15"},
    "wan2.7-i2v": {"720P": "0.10", "1080P": "0.15"},
    "wan2.7-r2v": {"720P": "0.10", "1080P": "0.15"},
    "wan2.7-videoedit": {"720P": "0.10", "1080P": "0.15"},
    "wan2.6-t2v": {"720P": "0.10", "1080P": "0.15"},
    "wan2.6-i2v": {"720P": "0.10", "1080P": "0.15"},
    "wan2.6-r2v": {"720P": "0.10", "1080P": "0.15"},
    "wan2.6-i2v-flash": {"720P": "0.05", "1080P": "0.075"},
    "wan2.6-r2v-flash": {"720P": "0.05", "1080P": "0.075"},
    "wan2.5-t2v-preview": {"480P": "0.05", "720P": "0.10", "1080P": "0.15"},
    "wan2.5-i2v-preview": {"480P": "0.05", "720P": "0.10", "1080P": "0.15"},
}
SILENT = {
    "wan2.6-i2v-flash": {"720P": "0.025", "1080P": "0.0375"},
    "wan2.6-r2v-flash": {"720P": "0.025", "1080P": "0.0375"},
    "wan2.2-t2v-plus": {"480P": "0.02", "1080P": "0.10"},
    "wan2.2-i2v-plus": {"480P": "0.02", "1080P": "0.10"},
    "wan2.2-i2v-flash": {"480P": "0.015", "720P": "0.036"},
    "wan2.1-t2v-turbo": {"480P": "0.036", "720P": "0.036"},
    "wan2.1-i2v-turbo": {"480P": "0.036", "720P": "0.036"},
    "wan2.1-t2v-plus": {"720P": "0.10"},
    "wan2.1-i2v-plus": {"720P": "0.10"},
    "wan2.1-kf2v-plus": {"720P": "0.10"},
    "wan2.1-vace-plus": {"720P": "0.10"},
}
# Mainland list in CNY a second, same section.
MAINLAND = {
    "wan2.7-t2v": {"720P": "0.6", "1080P": "1.0"},
    "wan2.7-i2v": {"720P": "0.6", "1080P": "1.0"},
    "wan2.7-r2v": {"720P": "0.6", "1080P": "1.0"},
    "wan2.7-videoedit": {"720P": "0.6", "1080P": "1.0"},
    "wan2.6-t2v": {"720P": "0.6", "1080P": "1.0"},
    "wan2.6-i2v": {"720P": "0.6", "1080P": "1.0"},
    "wan2.6-r2v": {"720P": "0.6", "1080P": "1.0"},
    "wan2.6-i2v-flash": {"720P": "0.3", "1080P": "0.5"},
    "wan2.6-r2v-flash": {"720P": "0.3", "1080P": "0.5"},
    "wan2.5-t2v-preview": {"480P": "0.3", "720P": "0.6", "1080P": "1.0"},
    "wan2.5-i2v-preview": {"480P": "0.3", "720P": "0.6", "1080P": "1.0"},
    "wan2.2-t2v-plus": {"480P": "0.14", "1080P": "0.70"},
    "wan2.2-i2v-plus": {"480P": "0.14", "1080P": "0.70"},
    "wan2.2-i2v-flash": {"480P": "0.10", "720P": "0.20", "1080P": "0.48"},
    "wan2.2-kf2v-flash": {"480P": "0.10", "720P": "0.20", "1080P": "0.48"},
    "wan2.1-t2v-turbo": {"480P": "0.24", "720P": "0.24"},
    "wan2.1-i2v-turbo": {"480P": "0.24", "720P": "0.24"},
    "wan2.1-t2v-plus": {"720P": "0.70"},
    "wan2.1-i2v-plus": {"720P": "0.70"},
    "wan2.1-kf2v-plus": {"720P": "0.70"},
    "wan2.1-vace-plus": {"720P": "0.70"},
    "wan2.2-s2v": {"480P": "0.5", "720P": "0.9"},
}


def model(name: str) -> ModelSpec:
    found = CATALOGUE.get(name)
    assert found is not None
    return found


def dollars(rates: Rates | None) -> dict[str, Decimal]:
    prices = {} if rates is None else {t.value: rates.at(t) for t in Tier}
    return {tier: usd(price) for tier, price in prices.items() if price is not None}


def typed(table: dict[str, dict[str, str]], name: str) -> dict[str, Decimal]:
    return {tier: Decimal(price) for tier, price in table.get(name, {}).items()}


@pytest.mark.parametrize("spec", CATALOGUE.all(), ids=lambda spec: spec.name)
def test_a_row_has_exactly_the_prices_of_the_lists(spec: ModelSpec) -> None:
    assert dollars(spec.price.audio) == typed(WITH_AUDIO, spec.name)
    assert dollars(spec.price.silent) == typed(SILENT, spec.name)
    assert dollars(spec.price.cny) == typed(MAINLAND, spec.name)


@pytest.mark.parametrize(
    ("name", "std", "pro"),
    [("wan2.2-animate-move", "0.12", "0.18"), ("wan2.2-animate-mix", "0.18", "0.26")],
)
def test_animate_is_priced_by_mode(name: str, std: str, pro: str) -> None:
    spec = model(name)
    assert usd(rate(spec, Tier.P720, False)) == Decimal(std)
    assert usd(rate(spec, Tier.P720, False, pro=True)) == Decimal(pro)


@pytest.mark.parametrize(
    ("name", "tier", "micro"),
    [
        # Not sold internationally: the CNY figure by 7.33924.
        ("wan2.2-i2v-flash", "1080P", 65_402),
        ("wan2.2-kf2v-flash", "480P", 13_625),
        ("wan2.2-kf2v-flash", "720P", 27_251),
        ("wan2.2-kf2v-flash", "1080P", 65_402),
        ("wan2.2-s2v", "480P", 68_127),
        ("wan2.2-s2v", "720P", 122_629),
        # A tier the model does not have costs as the next one above.
        ("wan2.6-i2v", "480P", 100_000),
        ("wan2.2-t2v-plus", "720P", 100_000),
    ],
)
def test_a_gap_in_the_list_is_filled_from_above_or_from_the_mainland_list(
    name: str, tier: str, micro: int
) -> None:
    assert rate(model(name), TIERS[tier], True) == micro


@pytest.mark.parametrize("spec", CATALOGUE.all(), ids=lambda spec: spec.name)
@pytest.mark.parametrize("overlay", OVERLAYS.values(), ids=lambda overlay: overlay.name)
def test_everything_that_can_be_ordered_has_a_price(spec: ModelSpec, overlay: Overlay) -> None:
    for tier in overlaid(spec, overlay).tiers:
        assert rate(spec, tier, True, overlay) >= rate(spec, tier, False, overlay) > 0


def test_a_card_without_a_figure_is_an_error() -> None:
    spec = replace(model("wan2.1-t2v-plus"), price=RateCard(silent=Rates(p480=1)))
    with pytest.raises(ValueError, match="no price at 720P"):
        rate(spec, Tier.P720, False)


@pytest.mark.parametrize(
    ("name", "native", "vtrix"),
    [
        ("wan2.6-i2v", 100_000, 50_000),  # no price for silence: half, there only
        ("wan2.6-i2v-flash", 25_000, 25_000),  # its own price for silence
        ("wan2.2-i2v-flash", 36_000, 36_000),  # never had sound
        ("wan2.2-kf2v-flash", 27_251, 27_251),
        ("wan3.0-video", 100_000, 50_000),
    ],
)
def test_silence_is_half_price_only_in_vtrix_and_only_without_its_own_price(
    name: str, native: int, vtrix: int
) -> None:
    assert rate(model(name), Tier.P720, False, NATIVE) == native
    assert rate(model(name), Tier.P720, False, VTRIX) == vtrix


@pytest.mark.parametrize(("audio", "micro"), [(True, 75_000), (False, 37_500)])
def test_a_flash_model_has_two_prices(audio: bool, micro: int) -> None:
    assert rate(model("wan2.6-r2v-flash"), Tier.P1080, audio) == micro


def test_overlaying_the_row_first_changes_no_price() -> None:
    spec = model("wan2.6-i2v")
    assert rate(overlaid(spec, VTRIX), Tier.P720, False, VTRIX) == 50_000


@pytest.mark.parametrize(
    ("name", "tier", "duration_s", "video_input", "expected"),
    [
        ("wan2.5-i2v-preview", "480P", 5, False, "0.25"),
        ("wan2.6-t2v", "1080P", 15, False, "2.25"),
        ("wan2.6-r2v", "720P", 10, False, "1.00"),
        ("wan2.6-r2v", "720P", 10, True, "1.50"),  # at most 5 s of input
        ("wan2.7-videoedit", "720P", 0, True, "2.00"),  # keeps 10 s at most, and the input's 10
        ("wan3.0-video", "720P", -1, False, "3.00"),
        ("wan3.0-video", "720P", 20, True, "3.00"),  # in and out together 30 s
        ("wan3.0-video", "720P", 5, True, "2.00"),
        ("wan2.7-i2v", "720P", 15, True, "1.50"),  # a first clip is part of the output
    ],
)
def test_a_quote_is_the_most_it_can_cost(
    name: str, tier: str, duration_s: int, video_input: bool, expected: str
) -> None:
    micro = quote(model(name), TIERS[tier], duration_s, True, video_input=video_input)
    assert usd(micro) == Decimal(expected)


def test_a_quote_in_vtrix_halves_a_silent_clip() -> None:
    assert quote(model("wan2.6-i2v"), Tier.P1080, 10, False, VTRIX) == 750_000


def test_a_mulerouter_480p_clip_costs_as_720p() -> None:
    assert quote(model("wan2.6-i2v"), Tier.P480, 5, True, MULEROUTER) == 500_000


def test_settling_charges_what_was_produced() -> None:
    usage = Usage(output_s=Fraction(120, 24), tier=Tier.P480, has_audio=True)
    assert settle(model("wan2.5-i2v-preview"), usage) == 250_000


def test_settling_a_silent_clip_of_a_flash_model_takes_its_silent_price() -> None:
    usage = Usage(output_s=Fraction(5), tier=Tier.P720, has_audio=False)
    assert settle(model("wan2.6-i2v-flash"), usage) == 125_000


def test_settling_never_exceeds_the_hold() -> None:
    usage = Usage(output_s=Fraction(81, 16), tier=Tier.P480, has_audio=False)
    spec = model("wan2.2-t2v-plus")
    assert settle(spec, usage) == 101_250
    assert settle(spec, usage, hold=quote(spec, Tier.P480, 5, False)) == 100_000


def test_settling_counts_input_seconds_up_to_the_cap() -> None:
    usage = Usage(output_s=Fraction(5), tier=Tier.P720, has_audio=True, input_s=Fraction(12))
    assert billed_seconds(model("wan2.6-r2v"), usage) == 10
    assert settle(model("wan2.6-r2v"), usage) == 1_000_000
    assert billed_seconds(model("wan2.6-i2v"), usage) == 5


def test_a_half_micro_dollar_rounds_up() -> None:
    usage = Usage(output_s=Fraction(1, 50_000), tier=Tier.P480, has_audio=False)
    assert settle(model("wan2.2-s2v"), usage) == 1  # 1.36
    half = Usage(output_s=Fraction(1, 40_000), tier=Tier.P480, has_audio=False)
    assert settle(model("wan2.2-t2v-plus"), half) == 1  # 0.5


@given(
    spec=st.sampled_from(CATALOGUE.all()),
    tier=st.sampled_from(list(Tier)),
    overlay=st.sampled_from(list(OVERLAYS.values())),
    frames=st.integers(1, 900),
    audio=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_settling_what_was_ordered_never_costs_more_than_the_quote(
    spec: ModelSpec,
    tier: Tier,
    overlay: Overlay,
    frames: int,
    audio: bool,
) -> None:
    if tier not in spec.tiers:
        return
    usage = Usage(output_s=Fraction(frames, 30), tier=tier, has_audio=audio)
    asked_s = -(-frames // 30)
    cost = settle(spec, usage, overlay)
    assert 0 <= cost <= quote(spec, tier, asked_s, audio, overlay)


@pytest.mark.parametrize(
    ("micro", "places", "text"),
    [
        (500_000, 4, "0.5000"),
        (0, 4, "0.0000"),
        (1, 6, "0.000001"),
        (37_550, 4, "0.0376"),
        (37_549, 4, "0.0375"),
        (12_345_678_900, 2, "12345.68"),
    ],
)
def test_dollars_are_written_with_fixed_places(micro: int, places: int, text: str) -> None:
    assert usd_text(micro, places) == text


@pytest.mark.parametrize(
    ("dollars_text", "micro"),
    [("0.5", 500_000), ("0", 0), ("12.000001", 12_000_001), ("1E+3", 10**9)],
)
def test_dollars_read_as_micro_dollars(dollars_text: str, micro: int) -> None:
    assert micro_of(Decimal(dollars_text)) == micro


@pytest.mark.parametrize("dollars_text", ["0.0000001", "-1", "NaN", "Infinity", "1E+20"])
def test_dollars_that_are_no_amount_are_refused(dollars_text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        micro_of(Decimal(dollars_text))


def test_dollars_are_exact() -> None:
    assert usd(10**24 + 1) == Decimal("1000000000000000000.000001")
