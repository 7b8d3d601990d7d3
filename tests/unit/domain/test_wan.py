"""The rows against literals typed from the model catalogue, and the rules every row must obey."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kinogate.domain.catalogue import (
    CATALOGUE,
    MIB,
    AudioFileRule,
    AudioRule,
    ImageRule,
    ModelSpec,
    References,
    Sizing,
    UsageFamily,
    VideoRule,
)
from kinogate.domain.order import Mode
from kinogate.domain.resolution import ADAPTIVE, SIZES_BY_TIER, Tier, size_for_ratio, tier_of

NONE, ALWAYS, SWITCH = AudioRule.NONE, AudioRule.ALWAYS, AudioRule.SWITCH
TWO_TO_15 = list(range(2, 16))
TWO_TO_10 = list(range(2, 11))
TWO_TO_30 = list(range(2, 31))
W30 = ("document i2v kf2v r2v t2v", "480P 720P 1080P", "1080P", TWO_TO_30, 5, 20_000, SWITCH, False)

# Catalogue section 1: name, modes, tiers, default tier, durations, default, prompt, sound, shots.
ROWS = [
    ("wan3.0-video", *W30),
    ("wan3.0-video-prime", *W30),
    ("wan2.7-t2v", "t2v", "720P 1080P", "1080P", TWO_TO_15, 5, 5000, ALWAYS, False),
    ("wan2.7-i2v", "clip i2v kf2v", "720P 1080P", "1080P", TWO_TO_15, 5, 5000, ALWAYS, False),
    ("wan2.7-r2v", "r2v", "720P 1080P", "1080P", TWO_TO_10, 5, 5000, ALWAYS, False),
    ("wan2.7-videoedit", "edit", "720P 1080P", "1080P", TWO_TO_10, 0, 5000, ALWAYS, False),
    ("wan2.6-t2v", "t2v", "720P 1080P", "1080P", TWO_TO_15, 5, 1500, ALWAYS, True),
    ("wan2.6-i2v", "i2v", "720P 1080P", "1080P", TWO_TO_15, 5, 1500, ALWAYS, True),
    ("wan2.6-i2v-flash", "i2v", "720P 1080P", "1080P", TWO_TO_15, 5, 1500, SWITCH, True),
    ("wan2.6-r2v", "r2v", "720P 1080P", "1080P", TWO_TO_10, 5, 1500, ALWAYS, True),
    ("wan2.6-r2v-flash", "r2v", "720P 1080P", "1080P", TWO_TO_10, 5, 1500, SWITCH, True),
    ("wan2.5-t2v-preview", "t2v", "480P 720P 1080P", "1080P", [5, 10], 5, 1500, ALWAYS, False),
    ("wan2.5-i2v-preview", "i2v", "480P 720P 1080P", "1080P", [5, 10], 5, 1500, ALWAYS, False),
    ("wan2.2-t2v-plus", "t2v", "480P 1080P", "1080P", [5], 5, 800, NONE, False),
    ("wan2.2-i2v-plus", "i2v", "480P 1080P", "1080P", [5], 5, 800, NONE, False),
    ("wan2.2-i2v-flash", "i2v", "480P 720P 1080P", "720P", [5], 5, 800, NONE, False),
    ("wan2.2-kf2v-flash", "kf2v", "480P 720P 1080P", "720P", [5], 5, 800, NONE, False),
    ("wan2.2-s2v", "s2v", "480P 720P", "480P", [], 0, 800, ALWAYS, False),
    ("wan2.2-animate-move", "animate", "720P", "720P", [], 0, 800, NONE, False),
    ("wan2.2-animate-mix", "animate", "720P", "720P", [], 0, 800, NONE, False),
    ("wan2.1-t2v-turbo", "t2v", "480P 720P", "720P", [5], 5, 800, NONE, False),
    ("wan2.1-t2v-plus", "t2v", "720P", "720P", [5], 5, 800, NONE, False),
    ("wan2.1-i2v-turbo", "i2v", "480P 720P", "720P", [3, 4, 5], 5, 800, NONE, False),
    ("wan2.1-i2v-plus", "i2v", "720P", "720P", [5], 5, 800, NONE, False),
    ("wan2.1-kf2v-plus", "kf2v", "720P", "720P", [5], 5, 800, NONE, False),
    ("wan2.1-vace-plus", "clip edit r2v", "720P", "720P", [1, 2, 3, 4, 5], 5, 800, NONE, False),
]
BY_NAME = {spec.name: spec for spec in CATALOGUE.all()}
each_row = pytest.mark.parametrize("spec", CATALOGUE.all(), ids=lambda spec: spec.name)


def model(name: str) -> ModelSpec:
    return BY_NAME[name]


def names_where(test: Callable[[ModelSpec], object]) -> set[str]:
    return {spec.name for spec in CATALOGUE.all() if test(spec)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_a_row_is_as_the_catalogue_has_it(row: tuple[object, ...]) -> None:
    spec = model(str(row[0]))
    assert row == (
        spec.name,
        " ".join(sorted(mode.value for mode in spec.modes)),
        " ".join(tier.value for tier in spec.tiers),
        spec.default_tier.value,
        list(spec.durations.values),
        spec.durations.default,
        spec.prompt_max,
        spec.audio,
        spec.shots,
    )


def test_there_is_one_row_per_model_and_no_other() -> None:
    assert [row[0] for row in ROWS] == [spec.name for spec in CATALOGUE.all()]


@each_row
def test_every_pixel_size_a_row_can_make_is_even(spec: ModelSpec) -> None:
    made = list(spec.sizes)
    made += [
        size_for_ratio(tier, ratio)
        for tier in spec.tiers
        for ratio in spec.ratios
        if ratio != ADAPTIVE
    ]
    assert all(size.width % 2 == 0 and size.height % 2 == 0 for size in made)
    assert {tier_of(size) for size in made} <= set(spec.tiers)


@each_row
def test_sizing_members_fit_the_way_of_sizing(spec: ModelSpec) -> None:
    by_size = spec.sizing is Sizing.BY_SIZE
    assert bool(spec.sizes) == by_size
    assert (spec.default_size is not None) == by_size
    assert bool(spec.ratios) == (spec.sizing is Sizing.BY_TIER_RATIO)
    if by_size:
        assert set(spec.sizes) == {size for tier in spec.tiers for size in SIZES_BY_TIER[tier]}
        assert spec.default_size in spec.sizes
        assert spec.default_size is not None
        assert tier_of(spec.default_size) is spec.default_tier


@each_row
def test_defaults_are_allowed_values(spec: ModelSpec) -> None:
    assert spec.default_tier in spec.tiers
    assert spec.durations.accepts(spec.durations.default)
    assert spec.default_ratio is None or spec.default_ratio in spec.ratios
    assert all(value <= spec.durations.longest_s for value in spec.durations.values)
    assert list(spec.tiers) == [tier for tier in Tier if tier in spec.tiers]


@each_row
def test_a_row_says_where_it_comes_from_and_doubts_only_real_fields(spec: ModelSpec) -> None:
    assert spec.source
    assert spec.price.source
    known = set(ModelSpec.__dataclass_fields__)
    for cell in spec.unverified:
        named, _, why = cell.partition(": ")
        assert why
        assert {name.partition(".")[0] for name in named.split(", ")} <= known


@each_row
def test_inputs_have_limits_exactly_where_a_mode_takes_them(spec: ModelSpec) -> None:
    assert (spec.image is not None) == bool(spec.modes - {Mode.T2V})
    with_video = {Mode.R2V, Mode.CLIP, Mode.EDIT, Mode.ANIMATE}
    assert (spec.video is not None) == bool(spec.modes & with_video)
    assert (spec.references.images > 0) == bool(spec.modes & {Mode.R2V, Mode.EDIT})


@each_row
def test_a_model_without_sound_takes_no_audio_file_and_has_no_price_for_sound(
    spec: ModelSpec,
) -> None:
    if not spec.has_sound:
        assert not spec.accepts_audio_file
        assert spec.price.audio is None


@each_row
def test_the_protocol_goes_with_the_generation(spec: ModelSpec) -> None:
    expected = "C" if spec.generation >= (3, 0) else "B" if spec.generation >= (2, 7) else "A"
    assert spec.protocol == expected
    assert spec.name.startswith(f"wan{spec.generation[0]}.{spec.generation[1]}-")
    assert spec.actual_prompt_shown == (
        spec.generation <= (2, 5) and not spec.modes & {Mode.S2V, Mode.ANIMATE}
    )


def test_templates_go_on_rows_with_a_first_frame_only() -> None:
    accepted = names_where(lambda spec: spec.template)
    assert accepted == names_where(lambda spec: spec.modes & {Mode.I2V, Mode.KF2V})
    assert "wan2.6-t2v" not in accepted
    assert "wan2.6-r2v" not in accepted


def test_wan25_has_24_frames_a_second_and_everything_else_30() -> None:
    assert {spec.name: spec.fps for spec in CATALOGUE.all() if spec.fps != 30} == {
        "wan2.5-t2v-preview": 24,
        "wan2.5-i2v-preview": 24,
    }


def test_open_weights_exist_for_wan21_and_wan22_only() -> None:
    assert {spec.generation for spec in CATALOGUE.all() if spec.open_weights} == {(2, 1), (2, 2)}


def test_a_prompt_is_required_where_nothing_else_says_what_to_make() -> None:
    assert names_where(lambda spec: spec.prompt_required) == {
        "wan2.7-t2v",
        "wan2.7-r2v",
        "wan2.6-t2v",
        "wan2.6-r2v",
        "wan2.6-r2v-flash",
        "wan2.5-t2v-preview",
        "wan2.2-t2v-plus",
        "wan2.1-t2v-turbo",
        "wan2.1-t2v-plus",
        "wan2.1-vace-plus",
    }


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("wan2.5-i2v-preview", ImageRule(min_side=360, max_side=2000, max_bytes=10 * MIB)),
        ("wan2.1-kf2v-plus", ImageRule(min_side=360, max_side=2000, max_bytes=10 * MIB)),
        ("wan2.6-r2v", ImageRule(min_side=240, max_side=5000, max_bytes=10 * MIB)),
        ("wan2.7-i2v", ImageRule(min_side=240, max_side=8000, max_bytes=20 * MIB, max_ratio=8)),
        ("wan3.0-video", ImageRule(min_side=240, max_side=8000, max_bytes=20 * MIB, max_ratio=8)),
    ],
)
def test_image_limits(name: str, rule: ImageRule) -> None:
    assert model(name).image == rule


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("wan2.5-i2v-preview", AudioFileRule(min_s=3, max_s=30, max_bytes=15 * MIB)),
        ("wan2.6-t2v", AudioFileRule(min_s=3, max_s=30, max_bytes=15 * MIB)),
        ("wan2.7-i2v", AudioFileRule(min_s=2, max_s=30, max_bytes=15 * MIB)),
        ("wan2.7-t2v", AudioFileRule(min_s=2, max_s=30, max_bytes=15 * MIB)),
        ("wan2.7-r2v", None),
        ("wan2.2-t2v-plus", None),
    ],
)
def test_audio_file_limits(name: str, rule: AudioFileRule | None) -> None:
    assert model(name).audio_file == rule


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("wan2.6-r2v", VideoRule(min_s=1, max_s=30, max_bytes=100 * MIB)),
        (
            "wan2.7-i2v",
            VideoRule(min_s=2, max_s=10, min_side=240, max_side=4096, max_bytes=100 * MIB),
        ),
        (
            "wan2.1-vace-plus",
            VideoRule(max_s=5, min_side=360, max_side=2000, min_fps=16, max_bytes=50 * MIB),
        ),
        ("wan2.6-i2v", None),
    ],
)
def test_video_limits(name: str, rule: VideoRule | None) -> None:
    assert model(name).video == rule


def test_only_videoedit_bounds_the_ratio_of_its_video() -> None:
    def has_bound(spec: ModelSpec) -> bool:
        return spec.video is not None and spec.video.max_ratio is not None

    assert names_where(has_bound) == {"wan2.7-videoedit"}


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("wan3.0-video", References(images=10, videos=5, audios=5)),
        ("wan2.7-r2v", References(images=5, videos=5, together=5)),
        ("wan2.7-videoedit", References(images=4)),
        ("wan2.6-r2v", References(images=5, videos=3, together=5)),
        ("wan2.6-i2v", References()),
    ],
)
def test_reference_counts(name: str, rule: References) -> None:
    assert model(name).references == rule


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("wan2.5-t2v-preview", UsageFamily.T2V_25),
        ("wan2.1-t2v-turbo", UsageFamily.T2V_25),
        ("wan2.1-i2v-plus", UsageFamily.I2V_21),
        ("wan2.2-i2v-flash", UsageFamily.I2V_22),
        ("wan2.5-i2v-preview", UsageFamily.I2V_22),
        ("wan2.1-kf2v-plus", UsageFamily.KF2V_21),
        ("wan2.2-kf2v-flash", UsageFamily.KF2V_22),
        ("wan2.6-t2v", UsageFamily.T2V_26),
        ("wan2.6-i2v", UsageFamily.I2V_26),
        ("wan2.6-i2v-flash", UsageFamily.I2V_26_FLASH),
        ("wan2.6-r2v-flash", UsageFamily.R2V_26),
        ("wan2.7-videoedit", UsageFamily.W27),
        ("wan3.0-video-prime", UsageFamily.W30),
    ],
)
def test_usage_families(name: str, family: UsageFamily) -> None:
    assert model(name).usage is family


@pytest.mark.parametrize(
    ("name", "cn", "intl"),
    [
        ("wan2.6-i2v-flash", (5, 5), (5, 5)),
        ("wan2.5-t2v-preview", (5, 5), (5, 5)),
        ("wan2.2-i2v-plus", (2, 2), (2, 2)),
        ("wan2.1-vace-plus", (2, 2), (2, 2)),
        ("wan2.2-i2v-flash", (2, 2), None),
        ("wan2.2-kf2v-flash", (2, 2), None),
        ("wan2.1-kf2v-plus", (2, 2), (1, 1)),
        ("wan2.2-s2v", (5, 1), None),
        ("wan2.2-animate-mix", (5, 1), (5, 1)),
        ("wan2.7-t2v", None, None),
        ("wan3.0-video", None, None),
    ],
)
def test_vendor_rate_limits(
    name: str, cn: tuple[int, int] | None, intl: tuple[int, int] | None
) -> None:
    found = [
        None if limit is None else (limit.create_rps, limit.concurrency)
        for limit in (model(name).limit_cn, model(name).limit_intl)
    ]
    assert found == [cn, intl]


@pytest.mark.parametrize(
    ("name", "duration", "accepted"),
    [
        ("wan3.0-video", -1, True),
        ("wan3.0-video", 0, False),
        ("wan3.0-video", 30, True),
        ("wan3.0-video", 31, False),
        ("wan2.7-videoedit", 0, True),
        ("wan2.7-videoedit", 1, False),
        ("wan2.6-i2v", 1, False),
        ("wan2.6-i2v", 2, True),
        ("wan2.6-i2v", 15, True),
        ("wan2.6-i2v", 16, False),
        ("wan2.6-i2v", -1, False),
        ("wan2.5-i2v-preview", 7, False),
        ("wan2.2-s2v", 0, True),
        ("wan2.2-s2v", 5, False),
    ],
)
def test_durations_end_where_the_rule_ends(name: str, duration: int, accepted: bool) -> None:
    assert model(name).durations.accepts(duration) is accepted


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wan2.2-t2v-plus", "5"),
        ("wan2.5-t2v-preview", "5 or 10"),
        ("wan2.1-i2v-turbo", "from 3 to 5"),
        ("wan2.6-i2v", "from 2 to 15"),
        ("wan3.0-video", "from 2 to 30, or -1 (the model decides)"),
        ("wan2.7-videoedit", "from 2 to 10, or 0 (as long as the input)"),
        ("wan2.2-s2v", "0 (as long as the input)"),
    ],
)
def test_a_duration_rule_describes_itself(name: str, words: str) -> None:
    assert model(name).durations.describe() == words


@pytest.mark.parametrize(
    ("name", "tier", "ratio", "expected"),
    [
        ("wan2.6-t2v", Tier.P720, "4:3", "1088*832"),
        ("wan2.7-t2v", Tier.P720, "4:3", "1104*832"),
        ("wan3.0-video", Tier.P720, ADAPTIVE, "1280*720"),
        ("wan3.0-video", Tier.P720, "21:9", "1456*624"),
        ("wan2.7-t2v", Tier.P720, "21:9", "None"),
        ("wan2.7-t2v", Tier.P480, "16:9", "None"),
        ("wan2.2-t2v-plus", Tier.P720, "16:9", "None"),
        ("wan2.5-t2v-preview", Tier.P480, "3:4", "None"),
        ("wan2.6-i2v", Tier.P720, "16:9", "None"),
    ],
)
def test_a_tier_and_a_ratio_make_a_size_where_the_row_sells_it(
    name: str, tier: Tier, ratio: str, expected: str
) -> None:
    assert str(model(name).size_for(tier, ratio)) == expected
