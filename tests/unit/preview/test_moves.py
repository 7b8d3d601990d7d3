import random

import pytest

from kinogate.engines.preview.moves import parse_moves


def _moves(prompt, negative="", seed=1):
    return parse_moves(prompt, negative, random.Random(seed))


def _move(prompt, negative=""):
    moves = _moves(prompt, negative)
    assert len(moves) == 1
    return moves[0]


@pytest.mark.parametrize(
    "prompt",
    ["pan left", "The camera slowly pans to the left.", "camera moves left", "left pan",
     "镜头向左移动", "镜头缓缓向左平移", "左摇"],
)  # fmt: skip
def test_a_camera_that_goes_left_shifts_the_content_right(prompt):
    assert _move(prompt).pan > 0


@pytest.mark.parametrize("prompt", ["pan right", "tracking right", "镜头向右移动", "右移镜头"])
def test_a_camera_that_goes_right_shifts_the_content_left(prompt):
    assert _move(prompt).pan < 0


@pytest.mark.parametrize(
    "prompt",
    ["zoom in", "slow zoom in on her face", "camera pushes in", "dolly in", "moves closer", "镜头推近",
     "镜头缓缓推进", "镜头拉近"],
)  # fmt: skip
def test_going_in_magnifies(prompt):
    assert _move(prompt).zoom > 0


@pytest.mark.parametrize(
    "prompt", ["zoom out", "pull back", "camera pulls out", "镜头拉远", "镜头后退"]
)
def test_going_out_makes_smaller(prompt):
    assert _move(prompt).zoom < 0


@pytest.mark.parametrize(
    ("prompt", "sign"),
    [("tilt up", 1), ("镜头向上", 1), ("tilt down", -1), ("crane down", -1), ("镜头下降", -1)],
)
def test_tilting_shifts_the_content_the_other_way(prompt, sign):
    assert _move(prompt).rise * sign > 0


@pytest.mark.parametrize(
    "prompt", ["orbit around the car", "camera circles around her", "镜头环绕"]
)
def test_orbiting_moves_near_things_against_far_ones(prompt):
    assert _move(prompt).orbit != 0


@pytest.mark.parametrize("prompt", ["static camera", "locked-off shot", "固定镜头", "镜头固定不动"])
def test_a_fixed_camera_stays(prompt):
    assert _move(prompt).is_still


def test_a_negative_prompt_forbids_moves():
    assert _move("zoom in, pan left", "zoom in").zoom == pytest.approx(_move("pan left").zoom)
    assert _move("pan left", "camera movement").is_still


def test_then_puts_moves_one_after_the_other():
    first, second = _moves("pan left, then zoom out")
    assert first.pan > 0
    assert second.zoom < 0
    assert len(_moves("镜头向左移动，然后推近")) == 2


def test_without_a_word_about_it_the_camera_still_moves():
    assert not _move("a cat on a table").is_still


@pytest.mark.parametrize("prompt", ["she left the room", "he waves his hand", "the right answer"])
def test_words_that_are_not_moves_are_passed_over(prompt):
    unasked = _move("")
    assert _move(prompt) == unasked


def test_another_seed_moves_otherwise():
    assert _moves("a cat", seed=1) != _moves("a cat", seed=2)
