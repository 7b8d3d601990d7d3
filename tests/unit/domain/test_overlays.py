"""What each gateway says differently about a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kinogate.domain.catalogue import CATALOGUE, AudioRule, ModelSpec
from kinogate.domain.overlays import OVERLAYS, Change, Overlay, overlaid


def row(dialect: str, name: str) -> ModelSpec:
    spec = CATALOGUE.get(name)
    assert spec is not None
    return overlaid(spec, OVERLAYS[dialect])


def test_there_is_an_overlay_for_every_dialect() -> None:
    assert set(OVERLAYS) == {"native", "unified", "dashscope", "vtrix", "mulerouter", "openai"}


def test_a_change_can_only_name_fields_of_a_row() -> None:
    assert set(Change.__dataclass_fields__) <= set(ModelSpec.__dataclass_fields__)


@pytest.mark.parametrize("overlay", OVERLAYS.values(), ids=lambda overlay: overlay.name)
def test_an_overlay_names_only_models_that_exist(overlay: Overlay) -> None:
    named = {name for names, _ in overlay.changes for name in names}
    assert named <= {spec.name for spec in CATALOGUE.all()}


@pytest.mark.parametrize("overlay", OVERLAYS.values(), ids=lambda overlay: overlay.name)
@pytest.mark.parametrize("spec", CATALOGUE.all(), ids=lambda spec: spec.name)
def test_an_overlaid_row_is_sound_and_twice_is_once(spec: ModelSpec, overlay: Overlay) -> None:
    changed = overlaid(spec, overlay)
    assert changed.default_tier in changed.tiers
    assert changed.durations.accepts(changed.durations.default)
    assert changed.default_size is None or changed.default_size in changed.sizes
    assert bool(changed.sizes) == bool(spec.sizes)
    assert overlaid(changed, overlay) == changed


@pytest.mark.parametrize("spec", CATALOGUE.all(), ids=lambda spec: spec.name)
def test_native_changes_nothing_but_the_sound_switch(spec: ModelSpec) -> None:
    changed = overlaid(spec, OVERLAYS["native"])

    assert replace(changed, audio=spec.audio) == spec


@pytest.mark.parametrize(
    ("dialect", "name", "rule"),
    [
        ("native", "wan2.5-i2v-preview", AudioRule.SWITCH),
        ("unified", "wan2.5-i2v-preview", AudioRule.SWITCH),
        ("unified", "wan2.7-i2v", AudioRule.SWITCH),
        ("dashscope", "wan2.5-i2v-preview", AudioRule.SWITCH),
        ("dashscope", "wan2.6-t2v", AudioRule.SWITCH),
        ("dashscope", "wan2.7-t2v", AudioRule.ALWAYS),
        ("vtrix", "wan2.6-i2v", AudioRule.SWITCH),
        ("mulerouter", "wan2.5-i2v-preview", AudioRule.SWITCH),
        ("openai", "wan2.6-i2v", AudioRule.SWITCH),
        ("unified", "wan2.2-t2v-plus", AudioRule.NONE),
        ("mulerouter", "wan2.2-i2v-plus", AudioRule.NONE),
    ],
)
def test_who_may_switch_the_sound_off(dialect: str, name: str, rule: AudioRule) -> None:
    assert row(dialect, name).audio is rule


# Dialects spec, section 0.4 and C.2: prompt, tiers, default tier, default size, durations.
@pytest.mark.parametrize(
    ("name", "prompt_max", "tiers", "default_tier", "default_size", "durations", "fps"),
    [
        ("wan2.6-t2v", 2000, "480P 720P 1080P", "720P", "1280*720", (5, 10, 15), 24),
        ("wan2.6-i2v", 2000, "480P 720P 1080P", "720P", "None", (5, 10, 15), 24),
        ("wan2.5-t2v-preview", 2000, "480P 720P 1080P", "720P", "1280*720", (5, 10), 24),
        ("wan2.5-i2v-preview", 2000, "480P 720P 1080P", "720P", "None", (5, 10), 24),
        ("wan2.2-t2v-plus", 800, "480P 1080P", "1080P", "1920*1080", (5,), 30),
        ("wan2.2-i2v-plus", 800, "480P 1080P", "1080P", "None", (5,), 30),
        ("wan2.2-i2v-flash", 800, "480P 720P", "720P", "None", (5,), 30),
        ("wan2.1-kf2v-plus", 800, "720P", "720P", "None", (5,), 30),
        ("wan2.1-vace-plus", 800, "720P", "720P", "1280*720", (5,), 30),
    ],
)
def test_mulerouter_rows(
    name: str,
    prompt_max: int,
    tiers: str,
    default_tier: str,
    default_size: str,
    durations: tuple[int, ...],
    fps: int,
) -> None:
    spec = row("mulerouter", name)
    assert spec.prompt_max == prompt_max
    assert " ".join(tier.value for tier in spec.tiers) == tiers
    assert spec.default_tier.value == default_tier
    assert str(spec.default_size) == default_size
    assert spec.durations.values == durations
    assert spec.fps == fps
    assert spec.prompt_required


def test_mulerouter_t2v_takes_all_thirteen_sizes() -> None:
    assert len(row("mulerouter", "wan2.6-t2v").sizes) == 13


def test_vtrix_takes_every_whole_second_from_2_to_15() -> None:
    spec = row("vtrix", "wan2.6-i2v")
    assert spec.durations.values == tuple(range(2, 16))
    assert spec.prompt_max == 1500
    assert not spec.prompt_required
    assert " ".join(spec.tiers) == "720P 1080P"


@pytest.mark.parametrize("dialect", ["unified", "mulerouter", "openai"])
def test_a_prompt_is_required_even_with_an_image(dialect: str) -> None:
    assert row(dialect, "wan2.5-i2v-preview").prompt_required
    assert not row("dashscope", "wan2.5-i2v-preview").prompt_required
