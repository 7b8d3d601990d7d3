"""Sizes, tiers and the i2v sizing rule, against the vendor's own examples and by property."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinogate.domain.resolution import (
    SIZES_BY_TIER,
    Size,
    Tier,
    fit_to_tier,
    listed_size_for_ratio,
    parse_size,
    parse_tier,
    ratio_label,
    size_for_ratio,
    tier_of,
)

SIDES = st.integers(min_value=1, max_value=16_384)
TIERS = st.sampled_from(list(Tier))


def size(text: str) -> Size:
    parsed = parse_size(text)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize("text", ["1280*720", "1280x720", "1280X720", "1280×720"])
def test_every_separator_reads_the_same_size(text: str) -> None:
    assert parse_size(text) == Size(width=1280, height=720)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "720P",
        "16:9",
        "1280 * 720",
        " 1280*720",
        "1280*720\n",
        "01280*720",
        "0*0",
        "-1*1",
        "+1*1",
        "1280*720*1",
        "1280**720",
        "12.5*10",
        "1e3*720",
        "99999*99999",
        "16385*16",
        "16*16385",
        "१२८०*७२०",
        "1280\u0445720",  # the Cyrillic letter that looks like x
        "1" * 100_000 + "*1",
    ],
)
def test_what_is_no_size_reads_as_none(text: str) -> None:
    assert parse_size(text) is None


def test_longest_believable_side_is_16384() -> None:
    assert parse_size("16384*1") == Size(width=16_384, height=1)


def test_a_size_is_written_as_each_vendor_does() -> None:
    hd = Size(width=1280, height=720)
    assert (str(hd), hd.star, hd.x, hd.pixels) == ("1280*720", "1280*720", "1280x720", 921_600)


@pytest.mark.parametrize(
    ("text", "tier"),
    [("480P", Tier.P480), ("720p", Tier.P720), ("1080P", Tier.P1080), ("1080p", Tier.P1080)],
)
def test_tiers_compare_without_case(text: str, tier: Tier) -> None:
    assert parse_tier(text) is tier


@pytest.mark.parametrize(
    "text", ["", "720", "720P ", "720PP", "4K", "P720", "768P", "\uff17\uff12\uff10P"]
)
def test_what_is_no_tier_reads_as_none(text: str) -> None:
    assert parse_tier(text) is None


def test_tier_knows_its_lines_and_pixels() -> None:
    assert [(t.lines, t.pixels) for t in Tier] == [
        (480, 399_360),
        (720, 921_600),
        (1080, 2_073_600),
    ]


def test_the_thirteen_sizes_are_those_of_the_catalogue() -> None:
    listed = {tier.value: " ".join(map(str, sizes)) for tier, sizes in SIZES_BY_TIER.items()}
    assert listed == {
        "480P": "832*480 480*832 624*624",
        "720P": "1280*720 720*1280 960*960 1088*832 832*1088",
        "1080P": "1920*1080 1080*1920 1440*1440 1632*1248 1248*1632",
    }


@pytest.mark.parametrize(
    ("given_size", "tier", "expected"),
    [
        ("750*1000", Tier.P720, "816*1104"),  # the official example
        ("1600*900", Tier.P480, "832*464"),
        ("1600*900", Tier.P720, "1280*720"),
        ("1920*1080", Tier.P1080, "1920*1072"),  # 1080 is no multiple of 16
        ("640*640", Tier.P480, "624*624"),
        ("1000*1000", Tier.P720, "960*960"),
        ("360*2000", Tier.P720, "400*2256"),
        ("8000*1000", Tier.P1080, "4064*496"),
    ],
)
def test_i2v_size_follows_the_vendors_rule(given_size: str, tier: Tier, expected: str) -> None:
    source = size(given_size)
    assert str(fit_to_tier(source.width, source.height, tier)) == expected


def test_i2v_size_is_exact_where_floats_are_not() -> None:
    # One part in 10^26 below 1280 pixels wide: the next lower sixteen.
    just_below = 16 * 10**26 - 1
    assert fit_to_tier(just_below, 9 * 10**26, Tier.P720).width == 1264
    assert fit_to_tier(just_below + 1, 9 * 10**26, Tier.P720).width == 1280


def test_i2v_size_of_a_thread_keeps_sixteen_pixels() -> None:
    assert str(fit_to_tier(16_384, 1, Tier.P720)) == "57600*16"
    assert str(fit_to_tier(1, 16_384, Tier.P720)) == "16*57600"


@pytest.mark.parametrize(("width", "height"), [(0, 10), (10, 0), (-1, 5)])
def test_i2v_size_of_nothing_is_refused(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        fit_to_tier(width, height, Tier.P720)


@given(width=SIDES, height=SIDES, tier=TIERS)
@settings(max_examples=300, deadline=None)
def test_i2v_size_is_in_sixteens_and_within_the_tier(width: int, height: int, tier: Tier) -> None:
    fitted = fit_to_tier(width, height, tier)
    assert fitted.width % 16 == 0
    assert fitted.height % 16 == 0
    assert min(fitted.width, fitted.height) >= 16
    assert fitted.pixels <= tier.pixels


@given(width=SIDES, height=SIDES, tier=TIERS)
@settings(max_examples=300, deadline=None)
def test_i2v_size_is_the_real_root_floored_to_sixteen(width: int, height: int, tier: Tier) -> None:
    with localcontext() as context:
        context.prec = 60
        ideal_width = (Decimal(tier.pixels * width) / height).sqrt()
        ideal_height = (Decimal(tier.pixels * height) / width).sqrt()
    if min(ideal_width, ideal_height) < 16:
        return
    fitted = fit_to_tier(width, height, tier)
    assert fitted.width <= ideal_width < fitted.width + 16
    assert fitted.height <= ideal_height < fitted.height + 16


@given(width=SIDES, height=SIDES, tier=TIERS)
@settings(max_examples=200, deadline=None)
def test_turning_the_input_turns_the_output(width: int, height: int, tier: Tier) -> None:
    upright, turned = fit_to_tier(width, height, tier), fit_to_tier(height, width, tier)
    assert (upright.width, upright.height) == (turned.height, turned.width)


@given(across=st.integers(1, 8000), down=st.integers(1, 8000), tier=TIERS)
@settings(max_examples=300, deadline=None)
def test_i2v_size_is_billed_at_its_own_tier(across: int, down: int, tier: Tier) -> None:
    if max(across, down) > 8 * min(across, down):
        return
    assert tier_of(fit_to_tier(across, down, tier)) is tier


@pytest.mark.parametrize(
    ("text", "tier"), [(s.star, tier) for tier, sizes in SIZES_BY_TIER.items() for s in sizes]
)
def test_a_listed_size_is_billed_at_the_tier_it_is_listed_under(text: str, tier: Tier) -> None:
    assert tier_of(size(text)) is tier


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("16*16", Tier.P480),
        ("832*481", Tier.P720),
        ("1280*704", Tier.P720),
        ("1280*736", Tier.P1080),
        ("3840*2160", Tier.P1080),
    ],
)
def test_a_size_between_tiers_is_billed_at_the_upper_and_never_above_1080p(
    text: str, tier: Tier
) -> None:
    assert tier_of(size(text)) is tier


@pytest.mark.parametrize(
    ("tier", "ratio", "expected"),
    [
        (Tier.P720, "16:9", "1280*720"),
        (Tier.P720, "9:16", "720*1280"),
        (Tier.P720, "1:1", "960*960"),
        (Tier.P720, "4:3", "1104*832"),
        (Tier.P720, "3:4", "832*1104"),
        (Tier.P1080, "16:9", "1920*1080"),
        (Tier.P1080, "9:16", "1080*1920"),
        (Tier.P1080, "1:1", "1440*1440"),
        (Tier.P1080, "4:3", "1648*1248"),
        (Tier.P1080, "3:4", "1248*1648"),
        # Not in the vendor's table: the i2v rule.
        (Tier.P480, "16:9", "832*464"),
        (Tier.P480, "1:1", "624*624"),
        (Tier.P720, "21:9", "1456*624"),
        (Tier.P1080, "21:9", "2192*928"),
    ],
)
def test_a_ratio_gets_the_wan27_size_or_the_rule(tier: Tier, ratio: str, expected: str) -> None:
    assert str(size_for_ratio(tier, ratio)) == expected


@pytest.mark.parametrize("ratio", ["adaptive", "", "16/9", "0:1", "16:9 ", "100:1", "a:b"])
def test_a_ratio_that_is_none_is_refused(ratio: str) -> None:
    with pytest.raises(ValueError, match="not a ratio"):
        size_for_ratio(Tier.P720, ratio)


def test_ratio_among_the_listed_sizes() -> None:
    assert str(listed_size_for_ratio(Tier.P720, "4:3")) == "1088*832"
    assert str(listed_size_for_ratio(Tier.P480, "9:16")) == "480*832"
    assert listed_size_for_ratio(Tier.P480, "4:3") is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("1280*720", "16:9"),
        ("832*480", "16:9"),
        ("832*464", "16:9"),
        ("480*832", "9:16"),
        ("624*624", "1:1"),
        ("1088*832", "4:3"),
        ("832*1088", "3:4"),
        ("1104*832", "4:3"),
        ("1456*624", "21:9"),
        ("2192*928", "21:9"),
        ("816*1104", "3:4"),
        ("1200*800", "3:2"),
        ("1600*1280", "5:4"),
    ],
)
def test_ratio_label_is_the_name_people_use(text: str, label: str) -> None:
    assert ratio_label(size(text)) == label
