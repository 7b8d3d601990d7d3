"""Wishes for the sampler: our spelling in the native dialect, vLLM-Omni's in OpenAI's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from factories import a_call
from kinogate.dialects.base import FormField
from kinogate.dialects.native import Native
from kinogate.dialects.openai import OpenAI
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.knobs import NO_KNOBS, Expert, Knobs, Lora
from kinogate.domain.request import Submission

EVERY = {
    "steps": 40,
    "guidance": 4.5,
    "guidance_2": 3,
    "flow_shift": 12.0,
    "boundary_ratio": 0.875,
    "preset": "fast",
    "loras": [
        {"name": "ink", "weight": 0.5, "expert": "high"},
        {"name": "rain"},
    ],
}


def native(knobs: object) -> Submission:
    body = {"model": "wan2.2-t2v-plus", "prompt": "a", "knobs": knobs}
    return Native().parse_create(a_call(body=json.dumps(body).encode()))


def openai(**members: object) -> Submission:
    body = {"model": "wan2.2-t2v-plus", "prompt": "a", **members}
    return OpenAI().parse_create(a_call(body=json.dumps(body).encode()))


def test_the_native_dialect_reads_every_knob() -> None:
    submission = native(EVERY)

    assert submission.ignored == ()
    assert submission.request.knobs == Knobs(
        steps=40,
        guidance=4.5,
        guidance_2=3.0,
        flow_shift=12.0,
        boundary_ratio=0.875,
        preset="fast",
        loras=(Lora(name="ink", weight=0.5, expert=Expert.HIGH), Lora(name="rain")),
    )


@pytest.mark.parametrize("knobs", [None, {}, {"steps": None, "loras": []}])
def test_no_knob_is_no_wish(knobs: object) -> None:
    assert native(knobs).request.knobs == NO_KNOBS


def test_an_unknown_knob_is_named() -> None:
    assert native({"cfg": 7}).ignored == ("knobs.cfg",)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("steps", (1, 200, "50"), (0, 201, 1.5, True, "many")),
        (
            "guidance",
            (0, 30, 0.5, "7.5"),
            (-0.1, 30.1, True, "nan", "inf", "1_0", "\u0661", "1e1", []),
        ),
        ("guidance_2", (0, 30), (-0.1, 30.1)),
        ("flow_shift", (0.001, 100), (0, -1, 100.1, "nan")),
        ("boundary_ratio", (0, 1), (-0.01, 1.01)),
        ("preset", ("lossless", "turbo", "FAST"), ("best", 1)),
        ("loras", ([{"name": "a"}] * 8,), ([{"name": "a"}] * 9, {"name": "a"}, ["a"])),
    ],
)
def test_ranges_hold_at_their_ends(name: str, good: tuple[Any, ...], bad: tuple[Any, ...]) -> None:
    for value in good:
        assert native({name: value}).request.knobs.given() == (name,)
    for value in bad:
        with pytest.raises(CallerError) as caught:
            native({name: value})
        assert caught.value.code is ErrorCode.FIELD_INVALID, value
        assert caught.value.field == f"knobs.{name}"


@pytest.mark.parametrize(
    ("lora", "field", "code"),
    [
        ({}, "knobs.loras[0].name", ErrorCode.FIELD_MISSING),
        ({"name": " "}, "knobs.loras[0].name", ErrorCode.FIELD_MISSING),
        ({"name": "a" * 129}, "knobs.loras[0].name", ErrorCode.FIELD_INVALID),
        ({"name": "a", "weight": 4.1}, "knobs.loras[0].weight", ErrorCode.FIELD_INVALID),
        ({"name": "a", "expert": "middle"}, "knobs.loras[0].expert", ErrorCode.FIELD_INVALID),
    ],
)
def test_a_wrong_lora_is_refused(lora: object, field: str, code: ErrorCode) -> None:
    with pytest.raises(CallerError) as caught:
        native({"loras": [lora]})
    assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize(
    ("given", "high", "low"),
    [
        ({"guidance_scale": 3, "guidance_scale_2": 4}, 4.0, 3.0),
        ({"guidance_scale": 5}, 5.0, 5.0),
        ({"guidance_scale_2": 4}, 4.0, None),
    ],
    ids=["both", "first only", "second only"],
)
def test_guidance_scale_is_the_low_noise_stages_as_in_vllm_omni(
    given: dict[str, object], high: float, low: float | None
) -> None:
    knobs = openai(**given).request.knobs
    assert (knobs.guidance, knobs.guidance_2) == (high, low)


def test_a_form_has_knobs_as_text() -> None:
    form = [
        ("prompt", "a"),
        ("num_inference_steps", "40"),
        ("flow_shift", "5.0"),
        ("boundary_ratio", "0.9"),
        ("lora", '{"name": "ink", "scale": 0.7, "int_id": 3}'),
    ]
    call = a_call(form=tuple(FormField(name=name, value=value) for name, value in form))
    submission = OpenAI().parse_create(call)

    assert submission.ignored == ()
    assert submission.request.knobs == Knobs(
        steps=40, flow_shift=5.0, boundary_ratio=0.9, loras=(Lora(name="ink", weight=0.7),)
    )


@pytest.mark.parametrize("name", ["name", "lora_name", "adapter"])
def test_a_lora_has_any_of_vllm_omnis_names(name: str) -> None:
    assert openai(lora={name: "ink"}).request.knobs.loras == (Lora(name="ink"),)
    assert openai(lora=[{name: "ink"}, {name: "b"}]).request.knobs.loras[1].name == "b"
    assert openai(lora="").request.knobs == NO_KNOBS


@pytest.mark.parametrize(
    ("lora", "field"),
    [
        ({"name": "a", "local_path": "/etc"}, "lora.local_path"),
        ({"path": "/etc/passwd"}, "lora.path"),
        ({"name": "a", "rank": 3}, "lora.rank"),
        ("{", "lora"),
        ("[1]", "lora"),
        (7, "lora"),
        ([{"name": "a"}] * 9, "lora"),
        ({"name": "a", "scale": 5}, "lora.scale"),
    ],
)
def test_a_lora_that_is_a_path_or_no_lora_is_refused(lora: object, field: str) -> None:
    with pytest.raises(CallerError) as caught:
        openai(lora=lora)
    assert (caught.value.code, caught.value.field) == (ErrorCode.FIELD_INVALID, field)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("num_inference_steps", 201),
        ("guidance_scale", -1),
        ("guidance_scale_2", 31),
        ("flow_shift", 0),
        ("boundary_ratio", 2),
    ],
)
def test_the_openai_dialect_names_the_member_as_it_was_sent(name: str, bad: object) -> None:
    with pytest.raises(CallerError) as caught:
        openai(**{name: bad})
    assert (caught.value.code, caught.value.field) == (ErrorCode.FIELD_INVALID, name)
