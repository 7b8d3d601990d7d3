"""Orders to numbers, and what weights refuse; no torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from factories import a_plan
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.knobs import Expert, Knobs, Lora
from kinogate.domain.order import AudioMode, InputFile, Mode, Order, Role
from kinogate.domain.resolution import Size, Tier
from kinogate.engines.diffusers.card_rows import CARDS
from kinogate.engines.diffusers.cards import NEGATIVE_PROMPT, Kind
from kinogate.engines.diffusers.options import ModelSetup
from kinogate.engines.diffusers.resolve import (
    RunSpec,
    encoded_frames,
    frame_count,
    notes,
    plan_refusal,
    resolve,
)

_INPUTS = {
    Mode.T2V: (),
    Mode.I2V: (Role.FIRST_FRAME,),
    Mode.KF2V: (Role.FIRST_FRAME, Role.LAST_FRAME),
    Mode.R2V: (Role.REFERENCE_IMAGE,),
    Mode.CLIP: (Role.FIRST_CLIP,),
    Mode.EDIT: (Role.SOURCE_VIDEO, Role.MASK_VIDEO),
}


def a_setup(card: str = "wan2.2-ti2v-5b", **changes: Any) -> ModelSetup:
    return ModelSetup(card=CARDS[card], source="/weights", **changes)


def an_order(mode: Mode = Mode.T2V, fps: int = 24, seconds: float = 5.0, **changes: Any) -> Order:
    order = Order(
        task_id="00000000-0000-4000-8000-000000000001",
        mode=mode,
        model="wan2.2-i2v-flash",
        prompt="a kite",
        inputs=tuple(InputFile(role=role, path="/x") for role in _INPUTS[mode]),
        width=1280,
        height=720,
        fps=fps,
        frame_count=round(seconds * fps),
        duration_s=seconds,
        audio=AudioMode.OFF,
        seed=7,
    )
    return replace(order, **changes)


def spec_of(card: str, mode: Mode, **changes: Any) -> RunSpec:
    return resolve(an_order(mode, CARDS[card].fps, **changes), a_setup(card), "lossless")


@pytest.mark.parametrize(
    ("seconds", "fps", "frames"),
    [
        (5, 16, 81),
        (5, 24, 121),
        (2, 16, 33),
        (2, 24, 49),
        (3, 24, 73),
        (10, 16, 161),
        (15, 24, 361),
    ],
)
def test_seconds_become_the_nearest_frames_that_the_autoencoder_has(
    seconds: int, fps: int, frames: int
) -> None:
    assert frame_count(seconds, fps) == frames


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("seconds", [1.0, 2.0, 3.3, 4.1, 4.97, 5.0])
@pytest.mark.parametrize("fps", [0, 24, 30])
def test_there_are_always_enough_frames_to_take_the_order_from(
    card: str, seconds: float, fps: int
) -> None:
    row = CARDS[card]
    mode = next(iter(sorted(row.modes)))
    fps = fps or row.fps
    order = an_order(mode, fps, seconds, width=832, height=480)

    spec = resolve(order, a_setup(card), "lossless")

    last_needed = (order.frame_count - 1) * spec.fps / order.fps
    assert spec.frames % 4 == 1
    assert spec.frames - 1 >= last_needed
    assert spec.frames - 1 < last_needed + 5


@pytest.mark.parametrize(
    ("card", "size", "generated"),
    [
        ("wan2.1-t2v-14b", (1280, 720), (1280, 720)),
        ("wan2.1-t2v-14b", (832, 480), (832, 480)),
        ("wan2.1-t2v-14b", (1088, 832), (1088, 832)),
        ("wan2.2-ti2v-5b", (1280, 720), (1280, 736)),
        ("wan2.2-ti2v-5b", (720, 1280), (736, 1280)),
        ("wan2.2-ti2v-5b", (624, 624), (640, 640)),
        ("wan2.2-ti2v-5b", (1280, 704), (1280, 704)),
    ],
)
def test_the_generated_size_is_the_next_multiple(
    card: str, size: tuple[int, int], generated: tuple[int, int]
) -> None:
    spec = spec_of(card, Mode.T2V, width=size[0], height=size[1])
    assert (spec.width, spec.height) == generated


def test_full_hd_is_made_eight_lines_higher_where_the_operator_allows_it() -> None:
    setup = a_setup("wan2.2-t2v-a14b")
    order = an_order(fps=16, width=1920, height=1080)
    with pytest.raises(CallerError, match="makes clips of up to 720P"):
        resolve(order, setup, "lossless")
    setup = replace(setup, card=replace(setup.card, top_tier=Tier.P1080))

    spec = resolve(order, setup, "lossless")

    assert (spec.width, spec.height) == (1920, 1088)


# Steps, guidance in diffusers' order, shift, boundary: the notes on engines, section 5.
DEFAULTS = [
    ("wan2.1-t2v-1.3b", Mode.T2V, Tier.P480, (50, 5.0, None, 5.0, None)),
    ("wan2.1-t2v-14b", Mode.T2V, Tier.P720, (50, 5.0, None, 5.0, None)),
    ("wan2.1-i2v-14b-480p", Mode.I2V, Tier.P480, (40, 5.0, None, 3.0, None)),
    ("wan2.1-i2v-14b-720p", Mode.I2V, Tier.P480, (40, 5.0, None, 3.0, None)),
    ("wan2.1-i2v-14b-720p", Mode.I2V, Tier.P720, (40, 5.0, None, 5.0, None)),
    ("wan2.1-flf2v-14b", Mode.KF2V, Tier.P720, (50, 5.5, None, 16.0, None)),
    ("wan2.1-vace-1.3b", Mode.R2V, Tier.P480, (50, 5.0, None, 3.0, None)),
    ("wan2.1-vace-14b", Mode.R2V, Tier.P720, (50, 5.0, None, 5.0, None)),
    ("wan2.2-t2v-a14b", Mode.T2V, Tier.P720, (40, 4.0, 3.0, 12.0, 0.875)),
    ("wan2.2-i2v-a14b", Mode.I2V, Tier.P720, (40, 3.5, 3.5, 5.0, 0.9)),
    ("wan2.2-ti2v-5b", Mode.T2V, Tier.P720, (50, 5.0, None, 5.0, None)),
]
SIZES = {Tier.P480: {"width": 832, "height": 480}, Tier.P720: {"width": 1280, "height": 720}}


@pytest.mark.parametrize(("card", "mode", "tier", "numbers"), DEFAULTS)
def test_every_card_samples_as_its_weights_were_published(
    card: str, mode: Mode, tier: Tier, numbers: tuple[int, float, float | None, float, float | None]
) -> None:
    spec = spec_of(card, mode, **SIZES[tier])
    assert (spec.steps, spec.guidance, spec.guidance_2, spec.shift, spec.boundary) == numbers
    assert spec.negative == NEGATIVE_PROMPT
    assert spec.is_guided


def test_every_card_has_a_default_that_is_tested() -> None:
    assert {card for card, *_ in DEFAULTS} == set(CARDS)


def test_what_the_order_says_comes_before_the_card() -> None:
    knobs = Knobs(
        steps=7,
        guidance=6.0,
        guidance_2=2.0,
        flow_shift=8.0,
        boundary_ratio=0.5,
        preset="balanced",
        loras=(Lora(name="style", weight=0.5, expert=Expert.LOW),),
    )
    setup = a_setup("wan2.2-t2v-a14b", loras={"style": "/s.safetensors"})

    spec = resolve(an_order(fps=16, knobs=knobs, negative_prompt="rain"), setup, "lossless")

    assert (spec.steps, spec.guidance, spec.guidance_2) == (7, 6.0, 2.0)
    assert (spec.shift, spec.boundary, spec.preset) == (8.0, 0.5, "balanced")
    assert (spec.negative, spec.seed) == ("rain", 7)
    (lora,) = spec.loras
    assert (lora.file, lora.weight, lora.expert) == ("/s.safetensors", 0.5, Expert.LOW)


def test_the_preset_turbo_takes_four_steps_without_guidance() -> None:
    setup = a_setup("wan2.2-t2v-a14b", loras={"l": "/l.safetensors"}, turbo=(Lora(name="l"),))

    spec = resolve(an_order(fps=16, knobs=Knobs(preset="turbo")), setup, "lossless")

    assert (spec.steps, spec.guidance, spec.guidance_2, spec.shift) == (4, 1.0, 1.0, 5.0)
    assert spec.is_distilled
    assert not spec.is_guided
    assert spec.loras == ()  # they are melted into the weights that are kept for this preset


def test_distilled_weights_are_sampled_so_whatever_the_preset() -> None:
    spec = resolve(an_order(), a_setup(is_distilled=True), "lossless")
    assert (spec.steps, spec.guidance, spec.preset) == (4, 1.0, "lossless")


@pytest.mark.parametrize(
    ("high", "low", "pair"),
    [
        (4.0, 1.0, (4.0, 1.0)),
        (4.0, 0.5, (4.0, 1.0)),
        (1.0, 1.0, (1.0, 1.0)),
        (0.0, 0.0, (0.0, 0.0)),
        (1.0, 3.0, (1.000001, 3.0)),
    ],
)
def test_guidance_of_either_expert_holds_although_diffusers_asks_the_first_only(
    high: float, low: float, pair: tuple[float, float]
) -> None:
    knobs = Knobs(guidance=high, guidance_2=low)
    spec = resolve(an_order(fps=16, knobs=knobs), a_setup("wan2.2-t2v-a14b"), "lossless")
    assert (spec.guidance, spec.guidance_2) == pair


@pytest.mark.parametrize(
    ("card", "mode", "kind", "encoded"),
    [
        ("wan2.2-ti2v-5b", Mode.T2V, Kind.T2V, 0),
        ("wan2.2-ti2v-5b", Mode.I2V, Kind.I2V, 1),
        ("wan2.2-i2v-a14b", Mode.KF2V, Kind.I2V, 81),
        ("wan2.1-vace-14b", Mode.EDIT, Kind.VACE, 161),
    ],
)
def test_the_pipeline_and_what_it_encodes_follow_from_card_and_mode(
    card: str, mode: Mode, kind: Kind, encoded: int
) -> None:
    spec = spec_of(card, mode)
    assert spec.kind is kind
    assert encoded_frames(CARDS[card], spec) == encoded


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("wan2.2-ti2v-5b", {"mode": Mode.KF2V}, "does not do the work 'kf2v'"),
    ("wan2.1-t2v-14b", {"mode": Mode.I2V}, "does not do the work 'i2v'"),
    ("wan2.2-ti2v-5b", {"duration_s": 6}, "clips of at most 5 seconds"),
    ("wan2.1-t2v-1.3b", {}, "clips of up to 480P"),
    ("wan2.1-t2v-14b", {"tier": Tier.P1080, "size": None}, "clips of up to 720P"),
    ("wan2.2-ti2v-5b", {"knobs": Knobs(preset="turbo")}, "no step-distilled weights"),
    ("wan2.2-ti2v-5b", {"knobs": Knobs(loras=(Lora(name="x"),))}, "no LoRA named 'x'"),
    ("wan2.2-ti2v-5b", {"template": "hug", "mode": Mode.I2V}, "no effect templates"),
    ("wan2.1-vace-14b", {"mode": Mode.EDIT, "function": "video_edit"}, "function 'video_edit'"),
    (
        "wan2.1-vace-14b",
        {"mode": Mode.EDIT, "function": "video_outpainting"},
        "function 'video_outpainting'",
    ),
]


@pytest.mark.parametrize(("card", "changes", "words"), REFUSALS)
def test_what_weights_cannot_do_is_refused_in_one_sentence(
    card: str, changes: dict[str, Any], words: str
) -> None:
    plan = a_plan(**{"mode": Mode.T2V} | changes)
    roles = frozenset(_INPUTS[plan.mode])

    reason = plan_refusal(a_setup(card), plan, roles, "lossless")

    assert reason is not None
    assert words in reason
    assert reason.endswith(".")
    assert reason.count(". ") == 0


@pytest.mark.parametrize(
    ("card", "mode", "roles", "words"),
    [
        ("wan2.2-i2v-a14b", Mode.I2V, (Role.FIRST_FRAME, Role.MASK_IMAGE), "use the input"),
        ("wan2.2-i2v-a14b", Mode.I2V, (), "needs the input 'first_frame'"),
        ("wan2.1-flf2v-14b", Mode.KF2V, (Role.FIRST_FRAME,), "needs the input 'last_frame'"),
        ("wan2.1-vace-14b", Mode.R2V, (Role.REFERENCE_VIDEO,), "use the input 'reference_video'"),
        ("wan2.1-vace-14b", Mode.EDIT, (Role.SOURCE_VIDEO,), "only where a mask says so"),
    ],
)
def test_inputs_that_the_weights_cannot_use_or_do_without_are_refused(
    card: str, mode: Mode, roles: tuple[Role, ...], words: str
) -> None:
    reason = plan_refusal(a_setup(card), a_plan(mode=mode), frozenset(roles), "lossless")
    assert reason is not None
    assert words in reason


def test_a_lora_for_one_expert_needs_two() -> None:
    knobs = Knobs(loras=(Lora(name="style", expert=Expert.HIGH),))
    setup = a_setup(loras={"style": "/s.safetensors"})
    assert "no 'high' one" in str(plan_refusal(setup, a_plan(knobs=knobs), frozenset(), "lossless"))


def test_a_long_clip_is_made_where_the_operator_allows_it_and_said_to_be_long() -> None:
    order = an_order(seconds=10.0)
    setup = a_setup(is_long=True)

    spec = resolve(order, setup, "lossless")

    assert spec.frames == 241
    assert notes(order, spec, setup) == (
        "The clip is longer than the 5 seconds that the model was trained on.",
    )


def test_a_size_that_depends_on_an_input_is_judged_by_its_tier() -> None:
    plan = a_plan(mode=Mode.I2V, size=None, tier=Tier.P480)
    reason = plan_refusal(
        a_setup("wan2.1-i2v-14b-480p"), plan, frozenset({Role.FIRST_FRAME}), "lossless"
    )
    assert reason is None


def test_an_order_is_refused_as_its_plan_would_have_been() -> None:
    with pytest.raises(CallerError) as caught:
        resolve(an_order(seconds=6.0), a_setup(), "lossless")
    assert caught.value.code is ErrorCode.FEATURE_UNSUPPORTED
    plan = a_plan(duration_s=6, size=Size(width=1280, height=720))
    assert caught.value.message == plan_refusal(a_setup(), plan, frozenset(), "lossless")
