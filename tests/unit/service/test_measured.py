"""Clips that are taken as they measure: what is near enough, and what the caller is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.order import AudioMode, Mode, Order, Produced
from kinogate.media.finish_job import ClipFacts
from kinogate.service.measured import as_measured, longest_s

ORDER = Order(
    task_id="t",
    mode=Mode.T2V,
    model="wan2.6-t2v",
    prompt="a boat",
    width=1280,
    height=720,
    fps=30,
    frame_count=150,
    duration_s=5.0,
    audio=AudioMode.AUTO,
    seed=7,
)
FACTS = ClipFacts(
    width=1280,
    height=720,
    rate=30.0,
    frame_count=150,
    duration_s=5.0,
    has_audio=True,
    is_changed=False,
)
SAID = Produced(
    path="clip.mp4",
    width=1,
    height=1,
    fps=1,
    frame_count=1,
    duration_s=1.0,
    has_audio=False,
    fingerprint="service/1",
    warnings=("The prompt was shortened.",),
)


def measured(order: Order = ORDER, **facts: object) -> Produced:
    return as_measured(order, SAID, replace(FACTS, **facts))  # type: ignore[arg-type]


def test_measures_take_the_place_of_what_the_engine_said() -> None:
    made = measured()

    assert (made.width, made.height, made.fps, made.frame_count) == (1280, 720, 30, 150)
    assert (made.duration_s, made.has_audio) == (5.0, True)
    assert made.warnings == SAID.warnings
    assert made.fingerprint == "service/1"


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"width": 1280, "height": 704}, "size is 1280*704 instead of 1280*720."),
        ({"width": 1152, "height": 648}, "size is 1152*648 instead of 1280*720."),
        ({"width": 1920, "height": 1080}, "size is 1920*1080 instead of 1280*720."),
        ({"rate": 24.0, "frame_count": 120}, "fps is 24 instead of 30."),
        ({"rate": 30_000 / 1001}, "fps is 29.97 instead of 30."),
        ({"duration_s": 5.6}, "duration is 5.6 s instead of 5 s."),
        ({"duration_s": 4.4}, "duration is 4.4 s instead of 5 s."),
        ({"duration_s": 5.0625}, "duration is 5.06 s instead of 5 s."),
        ({"has_audio": False}, "The engine's clip came without sound."),
        ({"notes": ("It was turned.",)}, "It was turned."),
    ],
)
def test_what_differs_is_taken_and_told(facts: dict[str, object], told: str) -> None:
    assert measured(**facts).warnings == (*SAID.warnings, told)


def test_a_few_milliseconds_are_not_worth_a_word() -> None:
    assert measured(duration_s=5.005).warnings == SAID.warnings


def test_silence_that_was_asked_for_is_not_told() -> None:
    order = replace(ORDER, audio=AudioMode.OFF)

    assert measured(order, has_audio=False).warnings == SAID.warnings


@pytest.mark.parametrize(("rate", "fps"), [(29.97, 30), (23.976, 24), (12.5, 12), (0.2, 1)])
def test_a_frame_rate_is_given_as_a_whole_number(rate: float, fps: int) -> None:
    assert measured(rate=rate).fps == fps


@pytest.mark.parametrize("mode", [Mode.EDIT, Mode.ANIMATE, Mode.DOCUMENT])
def test_where_the_source_decides_a_difference_is_told_and_not_refused(mode: Mode) -> None:
    order = replace(ORDER, mode=mode)

    made = measured(order, width=720, height=1280, duration_s=9.0)

    assert made.warnings[1:] == (
        "size is 720*1280 instead of 1280*720.",
        "duration is 9 s instead of 5 s.",
    )
    assert longest_s(order) > 60


def test_a_length_that_nobody_knew_is_taken_as_it_is() -> None:
    order = replace(ORDER, duration_s=0.0, frame_count=0)

    assert measured(order, duration_s=7.0).duration_s == 7.0


@pytest.mark.parametrize(
    "facts",
    [
        {"duration_s": 5.61},
        {"duration_s": 4.39},
        {"width": 1150, "height": 646},
        {"width": 832, "height": 480},
        {"width": 720, "height": 1280},
        {"width": 1280, "height": 800},
        {"width": 1280, "height": 672},
    ],
)
def test_what_is_too_far_from_the_order_fails(facts: dict[str, object]) -> None:
    with pytest.raises(InternalError) as caught:
        measured(**facts)

    assert caught.value.code is ErrorCode.RESULT_INVALID
