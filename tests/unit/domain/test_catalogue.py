"""Finding a row: every spelling the sources show, and nothing by accident."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinogate.domain.catalogue import CATALOGUE, Catalogue, ModelSpec
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.spelling import name_parts
from kinogate.domain.wan import WAN_MODELS

SPELLINGS = [
    # Seeds 000 to 004.
    ("wan2.5-i2v-preview", "wan2.5-i2v-preview"),
    ("wan2.2-t2v-plus", "wan2.2-t2v-plus"),
    ("wanx2.1-t2v-turbo", "wan2.1-t2v-turbo"),
    ("wanx2.1-t2v-plus", "wan2.1-t2v-plus"),
    ("wan2.1-t2v-turbo", "wan2.1-t2v-turbo"),
    ("wan26_i2v", "wan2.6-i2v"),
    # The vendor's other names.
    ("wanx2.1-i2v-turbo", "wan2.1-i2v-turbo"),
    ("wanx2.1-i2v-plus", "wan2.1-i2v-plus"),
    ("wanx2.1-kf2v-plus", "wan2.1-kf2v-plus"),
    ("wanx2.1-vace-plus", "wan2.1-vace-plus"),
    ("wanx-txt2video-pro", "wan2.1-t2v-plus"),
    ("wanx-img2video-pro", "wan2.1-i2v-plus"),
    ("wanx-kf2v", "wan2.1-kf2v-plus"),
    ("wan2.7-t2v-2026-06-12", "wan2.7-t2v"),
    ("wan2.7-i2v-2026-04-25", "wan2.7-i2v"),
    ("wan2.7-r2v-2026-06-12", "wan2.7-r2v"),
    ("wan2.7-i2v-2027-01-31", "wan2.7-i2v"),
    ("wan2.6-t2v-us", "wan2.6-t2v"),
    ("wan2.6-i2v-us", "wan2.6-i2v"),
    # Vercel, Comfy Router, OpenRouter, Venice, Evolink.
    ("alibaba/wan-v2.6-t2v", "wan2.6-t2v"),
    ("alibaba/wan-v2.6-i2v-flash", "wan2.6-i2v-flash"),
    ("wan/wan2.6-t2v", "wan2.6-t2v"),
    ("wan/wan2.5-i2v-preview", "wan2.5-i2v-preview"),
    ("wan/wan2.7-i2v", "wan2.7-i2v"),
    ("alibaba/wan-3.0", "wan3.0-video"),
    ("alibaba/wan-3.0-prime", "wan3.0-video-prime"),
    ("wan-3-0-text-to-video", "wan3.0-video"),
    ("wan-2.6-flash-image-to-video", "wan2.6-i2v-flash"),
    ("wan2.6-text-to-video", "wan2.6-t2v"),
    ("wan2.6-image-to-video", "wan2.6-i2v"),
    ("wan2.6-image-to-video-flash", "wan2.6-i2v-flash"),
    ("wan2.6-reference-video-flash", "wan2.6-r2v-flash"),
    ("wan2.6-reference-to-video", "wan2.6-r2v"),
    # RunPod, Empirio, AI/ML API, Leonardo, kie.ai, Higgsfield, CometAPI.
    ("wan-2-6-i2v", "wan2.6-i2v"),
    ("wan-2-6", "wan2.6-t2v"),
    ("wan2.6", "wan2.6-t2v"),
    ("wan2.7", "wan2.7-t2v"),
    ("alibaba/wan-2-6-t2v", "wan2.6-t2v"),
    ("wan/2-6-text-to-video", "wan2.6-t2v"),
    ("wan/v2.7/text-to-video", "wan2.7-t2v"),
    ("alibaba/wan-3.0/text-to-video", "wan3.0-video"),
    # LiteLLM.
    ("dashscope/wan2.6-i2v", "wan2.6-i2v"),
    ("qwencloud/wan2.2-kf2v-flash", "wan2.2-kf2v-flash"),
    ("qwen_ai_platform/wanx2.1-t2v-turbo", "wan2.1-t2v-turbo"),
    # Vtrix and its list form.
    ("alibaba_wanx26_i2v", "wan2.6-i2v"),
    ("wan26_t2v", "wan2.6-t2v"),
    ("wan25_i2v", "wan2.5-i2v-preview"),
    ("wan25_t2v", "wan2.5-t2v-preview"),
    ("wan22_i2v_flash", "wan2.2-i2v-flash"),
    ("wan22-i2v-flash", "wan2.2-i2v-flash"),
    # fal and Replicate.
    ("fal-ai/wan-25-preview/text-to-video", "wan2.5-t2v-preview"),
    ("wan-video/wan-2.5-t2v", "wan2.5-t2v-preview"),
    # Separators of the normaliser.
    ("wan_2.6_i2v", "wan2.6-i2v"),
    ("wan-v2.6-r2v", "wan2.6-r2v"),
    # Upper case is the caller's own business.
    ("WAN2.5-I2V-PREVIEW", "wan2.5-i2v-preview"),
    ("Wanx2.1-T2V-Turbo", "wan2.1-t2v-turbo"),
]

UNKNOWN = [
    "",
    "wan",
    "wan2",
    "wan26",
    "wan9.9",
    "wan2.6-",
    "wan2.6--i2v",
    "wan2.6-i2v-",
    "-wan2.6-i2v",
    "wan2.6-spark",
    "wan2.6-i2v-spark",
    "wan2.6-t2v-t2v",
    "wan2.6-i2v-flash-flash",
    "wan2.6-t2v-preview",
    "wan2.6-t2v-i2v",
    "wan2.6-flash",
    "wan2.6-i2v-plus",
    "wan2.6-text-to-image",
    "wan2.5-i2i-preview",
    "wan2.5-preview-preview-t2v",
    "wan2.2-t2v-flash",
    "wan2.2-t2v",
    "wan2.2",
    "wan2.2-s2v-detect",
    "wan3.0-video-t2v",
    "wan2.7-i2v-2026-13-45-99",
    "wan2.7-i2v-spicy",
    "carrothub/wan2.7-i2v-spicy",
    "Wan-AI/Wan2.2-T2V-A14B",
    "swan2.6-t2v",
    "wan2.6-t2v2",
    "sora-2",
    "happy-horse-1-0-t2v",
    "happyhorse-1.0-t2v",
    "kling-v2",
    "wan2.5-i2v-preview ",
    " wan2.5-i2v-preview",
    "wan2.5-i2v-preview\n",
    "wan2.5-i2v\tpreview",
    "wan2.5 i2v preview",
    "../wan2.5-i2v-preview",
    "wan2.5-i2v-preview/..",
    "a/../wan2.6-t2v",
    "a/b/wan2.6-t2v",
    "/wan2.6-t2v",
    "wan2.6-t2v/",
    "wan2.6-t2v\x00",
    "wan2.1-\u212af2v-plus",  # the Kelvin sign, a k in lower case
    "wan\uff12.6-t2v",  # a full-width 2
    "\ud800",
    "wan2.6-t2v" + "-x" * 5000,
    "w" * 10_240,
    "x/" * 60 + "wan2.6-t2v",
]


@pytest.mark.parametrize(("spelling", "name"), SPELLINGS)
def test_a_spelling_seen_in_the_wild_finds_its_row(spelling: str, name: str) -> None:
    assert CATALOGUE.resolve(spelling).name == name


@pytest.mark.parametrize("spelling", UNKNOWN, ids=lambda text: ascii(text)[:40])
def test_a_name_that_is_none_of_ours_is_unknown(spelling: str) -> None:
    with pytest.raises(CallerError) as caught:
        CATALOGUE.resolve(spelling)
    assert caught.value.code is ErrorCode.MODEL_UNKNOWN
    assert caught.value.field == "model"
    assert len(caught.value.message) < 120
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("spec", WAN_MODELS, ids=lambda spec: spec.name)
def test_every_row_answers_to_all_its_official_names(spec: ModelSpec) -> None:
    for name in (spec.name, *spec.official_aliases):
        assert CATALOGUE.resolve(name) is spec
        assert CATALOGUE.resolve(f"dashscope/{name}") is spec


@given(st.text(max_size=200))
@settings(max_examples=400, deadline=None)
def test_resolving_any_text_finds_a_row_or_says_unknown(text: str) -> None:
    found, code = None, None
    try:
        found = CATALOGUE.resolve(text)
    except CallerError as error:
        code = error.code
    assert code is ErrorCode.MODEL_UNKNOWN or found in CATALOGUE.all()


@given(
    st.lists(
        st.sampled_from(
            [
                "wan",
                "wanx",
                "2.6",
                "26",
                "2-6",
                "3.0",
                "v",
                "-",
                "_",
                "/",
                "t2v",
                "i2v",
                "text-to-video",
                "video",
                "flash",
                "plus",
                "preview",
                "alibaba",
                "-2026-04-25",
                "..",
            ]
        ),
        max_size=9,
    )
)
@settings(max_examples=400, deadline=None)
def test_a_resolved_name_keeps_its_generation_and_gains_no_word(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        found = CATALOGUE.resolve(text)
    except CallerError:
        return
    digits = f"{found.generation[0]}.{found.generation[1]}"
    assert any(form in text for form in (digits, digits.replace(".", ""), digits.replace(".", "-")))
    for word in ("flash", "plus"):
        assert (word in text) == (word in found.name)


def test_get_takes_canonical_names_only() -> None:
    found = CATALOGUE.get("wan2.6-t2v")
    assert found is not None
    assert found.name == "wan2.6-t2v"
    assert CATALOGUE.get("WAN2.6-T2V") is None
    assert CATALOGUE.get("wanx2.1-t2v-plus") is None


def test_a_bare_generation_with_an_image_means_image_to_video() -> None:
    assert CATALOGUE.resolve("wan2.6", with_image=True).name == "wan2.6-i2v"
    assert CATALOGUE.resolve("wan-3.0", with_image=True).name == "wan3.0-video"
    assert CATALOGUE.resolve("wan2.6-t2v", with_image=True).name == "wan2.6-t2v"


def test_operator_aliases_resolve_and_win() -> None:
    catalogue = Catalogue(
        WAN_MODELS,
        aliases={"Sora-2": "wan2.6-t2v", "wan2.5-t2v-preview": "wan2.6-t2v", "万相": "wan2.7-t2v"},
    )
    assert catalogue.resolve("sora-2").name == "wan2.6-t2v"
    assert catalogue.resolve("wan2.5-t2v-preview").name == "wan2.6-t2v"
    assert catalogue.resolve("万相").name == "wan2.7-t2v"
    with pytest.raises(CallerError):
        CATALOGUE.resolve("sora-2")


def test_an_alias_to_nowhere_is_refused_at_construction() -> None:
    with pytest.raises(ValueError, match="leads to no model"):
        Catalogue(WAN_MODELS, aliases={"sora-2": "wan2.6-t2v-nope"})


def test_two_rows_of_one_name_are_refused_at_construction() -> None:
    with pytest.raises(ValueError, match="share a name"):
        Catalogue((*WAN_MODELS, WAN_MODELS[0]))


def test_no_two_rows_come_apart_into_the_same_parts() -> None:
    parts = [name_parts(spec.name) for spec in WAN_MODELS]
    assert None not in parts
    assert len(set(parts)) == len(WAN_MODELS)


@pytest.mark.parametrize(
    ("name", "i2v", "t2v"),
    [
        ("wan2.6-t2v", "wan2.6-i2v", "wan2.6-t2v"),
        ("wan2.6-i2v-flash", "wan2.6-i2v-flash", "wan2.6-t2v"),
        ("wan2.6-r2v-flash", "wan2.6-i2v-flash", "wan2.6-t2v"),
        ("wan2.5-t2v-preview", "wan2.5-i2v-preview", "wan2.5-t2v-preview"),
        ("wan2.2-i2v-flash", "wan2.2-i2v-flash", "wan2.2-t2v-plus"),
        ("wan2.2-t2v-plus", "wan2.2-i2v-plus", "wan2.2-t2v-plus"),
        ("wan2.1-t2v-turbo", "wan2.1-i2v-turbo", "wan2.1-t2v-turbo"),
        ("wan2.1-kf2v-plus", "wan2.1-i2v-plus", "wan2.1-t2v-plus"),
        ("wan3.0-video", "wan3.0-video", "wan3.0-video"),
    ],
)
def test_siblings_stay_in_the_generation_and_keep_the_variant(
    name: str, i2v: str, t2v: str
) -> None:
    spec = CATALOGUE.resolve(name)
    first, second = CATALOGUE.i2v_sibling(spec), CATALOGUE.t2v_sibling(spec)
    assert first is not None
    assert second is not None
    assert (first.name, second.name) == (i2v, t2v)


def test_a_catalogue_of_one_has_no_siblings() -> None:
    spec = CATALOGUE.resolve("wan2.6-t2v")
    assert Catalogue((spec,)).i2v_sibling(spec) is None
