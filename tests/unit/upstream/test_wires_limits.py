"""What can be asked of which upstream, and what is refused; the profiles of OpenAI's video API."""

from __future__ import annotations

from typing import Any

import pytest
from round_trip import WIRES, an_order, body_of, given

from factories import a_plan
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.knobs import Expert, Knobs, Lora
from kinogate.domain.order import AudioMode, InputFile, Mode, Role, ShotType
from kinogate.domain.resolution import Size
from kinogate.engines.upstream.dashscope import DashscopeWire
from kinogate.engines.upstream.mulerouter import MulerouterWire
from kinogate.engines.upstream.openai import OpenaiWire, frames_for, has_two_experts, native_fps
from kinogate.engines.upstream.unified import UnifiedWire
from kinogate.engines.upstream.vtrix import VtrixWire
from kinogate.engines.upstream.wire import Delivery


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("spec", CATALOGUE.all(), ids=lambda spec: str(spec.name))
def test_a_wire_offers_no_more_than_the_row(name: str, spec: Any) -> None:
    assert WIRES[name].modes(spec) <= spec.modes


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("spec", CATALOGUE.all(), ids=lambda spec: str(spec.name))
def test_every_upstream_measures_and_leaves_marks_tags_and_stills_to_us(
    name: str, spec: Any
) -> None:
    abilities = WIRES[name].abilities(spec.name)

    assert abilities.is_measured
    assert abilities.fps is None
    assert not any((abilities.draws_mark, abilities.writes_tags, abilities.makes_stills))
    assert abilities.extends_prompts is (name not in ("sglang", "vllm-omni"))
    assert abilities.silence or spec.has_sound  # nobody is told that a silent clip has sound


@pytest.mark.parametrize(
    ("name", "changes", "roles", "reason"),
    [
        ("dashscope", {"prompt": "x" * 1501}, {}, "1500 characters"),
        ("mulerouter", {"prompt": "x" * 2001, "duration_s": 5}, {}, "2000 characters"),
        ("dashscope", {"model": "no-such-model"}, {}, "cannot do t2v"),
        ("dashscope", {"model": "wan3.0-video", "mode": Mode.DOCUMENT}, {}, "cannot do document"),
        ("dashscope", {"duration_s": 16}, {}, "from 2 to 15 seconds"),
        ("dashscope", {"size": Size(width=832, height=480)}, {}, "832*480"),
        (
            "dashscope",
            {"model": "wan2.7-i2v", "mode": Mode.CLIP},
            {Role.FIRST_CLIP, Role.AUDIO},
            "together with a first clip",
        ),
        (
            "dashscope",
            {"model": "wan2.6-r2v", "mode": Mode.R2V},
            {Role.REFERENCE_IMAGE, Role.VOICE},
            "no voice",
        ),
        (
            "dashscope",
            {"model": "wan2.2-s2v", "mode": Mode.S2V, "duration_s": 0},
            {Role.FIRST_FRAME, Role.AUDIO},
            "no prompt",
        ),
        (
            "dashscope",
            {"model": "wan2.1-vace-plus", "mode": Mode.EDIT},
            {Role.SOURCE_VIDEO},
            "needs to be told the function",
        ),
        (
            "mulerouter",
            {
                "model": "wan2.1-vace-plus",
                "mode": Mode.EDIT,
                "function": "video_outpainting",
            },
            {Role.SOURCE_VIDEO},
            "margins",
        ),
        (
            "mulerouter",
            {"model": "wan2.5-i2v-preview", "mode": Mode.I2V, "template": "flying"},
            {Role.FIRST_FRAME},
            "no effect templates",
        ),
        (
            "mulerouter",
            {"model": "wan2.1-kf2v-plus", "mode": Mode.I2V},
            {Role.FIRST_FRAME},
            "between two frames only",
        ),
        ("unified", {"prompt": " "}, {}, "without a prompt"),
        ("vtrix", {"model": "wan3.0-video"}, {}, "cannot do t2v"),
        ("sglang", {"mode": Mode.KF2V}, {Role.FIRST_FRAME, Role.LAST_FRAME}, "cannot do kf2v"),
        ("vllm-omni", {"knobs": Knobs(guidance=21.0)}, {}, "at most 20"),
        ("vllm-omni", {"knobs": Knobs(guidance=4.0, guidance_2=3.0)}, {}, "one transformer"),
        ("openai", {"knobs": Knobs(guidance_2=3.0)}, {}, "together with guidance"),
        (
            "vllm-omni",
            {"knobs": Knobs(loras=(Lora(name="film"), Lora(name="film")))},
            {},
            "one LoRA at a time",
        ),
        ("vllm-omni", {"knobs": Knobs(loras=(Lora(name="oil"),))}, {}, "no LoRA 'oil'"),
        (
            "vllm-omni",
            {"knobs": Knobs(loras=(Lora(name="film", expert=Expert.HIGH),))},
            {},
            "on both experts",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_in_one_sentence(
    name: str, changes: dict[str, Any], roles: Any, reason: str
) -> None:
    sentence = WIRES[name].refuses(a_plan(**changes), frozenset(roles))

    assert sentence is not None
    assert reason in sentence
    assert sentence.startswith("This upstream")
    assert sentence.endswith(".")


def test_a_prompt_that_we_made_longer_is_cut_at_the_limit() -> None:
    body = body_of(MulerouterWire().create(an_order(prompt="x" * 2500), ()))

    assert body["prompt"] == "x" * 2000


def test_a_plan_of_one_second_more_or_less_is_asked_for_in_whole_seconds() -> None:
    body = body_of(UnifiedWire().create(an_order(duration_s=0.3), ()))

    assert body["duration"] == 1


def test_a_given_sound_is_not_named_where_it_shall_not_be_heard() -> None:
    for wire in (DashscopeWire(), MulerouterWire(), VtrixWire(), UnifiedWire()):
        sound = given(wire, InputFile(role=Role.AUDIO, path="/in/0-audio_file"))
        ask = wire.create(an_order(audio=AudioMode.OFF), (sound,))
        assert "audio_file" not in repr(ask)


def test_one_shot_is_asked_for_in_words_where_there_are_words() -> None:
    order = an_order(shot_type=ShotType.SINGLE)

    assert body_of(DashscopeWire().create(order, ()))["parameters"]["shot_type"] == "single"
    assert body_of(MulerouterWire().create(order, ()))["multi_shots"] == "single"


# --- the profiles of the wire to OpenAI's video API


@pytest.mark.parametrize(
    ("profile", "forgets", "poll_s"),
    [("openai", False, 5), ("sglang", True, 2), ("vllm-omni", True, 2)],
)
def test_a_local_server_forgets_and_charges_nothing(
    profile: str, *, forgets: bool, poll_s: float
) -> None:
    wire = OpenaiWire(profile=profile)

    assert wire.delivery is Delivery.PARTS
    assert wire.forgets is forgets
    assert wire.poll_s == poll_s
    assert wire.idempotency_header is None


def test_a_profile_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="openai, sglang, vllm-omni"):
        OpenaiWire(profile="comfy")


def test_places_of_loras_are_refused_where_no_call_can_name_them() -> None:
    with pytest.raises(ValueError, match="sglang"):
        OpenaiWire(profile="sglang", loras={"film": "/loras/film"})


@pytest.mark.parametrize(
    ("seconds", "fps", "frames"),
    [
        (5, 16, 81),
        (5, 24, 121),
        (10, 16, 161),
        (3, 16, 49),
        (2, 24, 49),
        (7, 16, 113),
        (0.1, 16, 5),
    ],
)
def test_frames_are_of_the_form_that_the_models_take(seconds: float, fps: int, frames: int) -> None:
    assert frames_for(seconds, fps) == frames
    assert (frames - 1) % 4 == 0


@pytest.mark.parametrize(
    ("spelling", "model", "fps", "is_pair"),
    [
        ("wan2.2-t2v-plus", "wan2.2-t2v-plus", 16, True),
        ("wan2.2-i2v-flash", "wan2.2-i2v-flash", 24, False),
        ("wan2.1-t2v-plus", "wan2.1-t2v-plus", 16, False),
        ("Wan-AI/Wan2.2-TI2V-5B-Diffusers", "wan2.2-t2v-plus", 24, False),
        ("Wan-AI/Wan2.2-I2V-A14B-Diffusers", "wan2.2-i2v-flash", 16, True),
        ("Wan-AI/Wan2.1-T2V-14B-Diffusers", "wan2.2-t2v-plus", 16, False),
        ("my-wan", "wan2.2-t2v-plus", 16, True),
    ],
)
def test_the_weights_behind_a_name_are_read_from_the_operators_spelling(
    spelling: str, model: str, fps: int, *, is_pair: bool
) -> None:
    assert native_fps(spelling, model) == fps
    assert has_two_experts(spelling, model) is is_pair
