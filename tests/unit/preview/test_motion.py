import itertools
import tracemalloc

import cv2
import numpy as np
import pytest

from kinogate.engines.preview.fit import fit_cover
from kinogate.engines.preview.motion import image_frames

from .pictures import flow, spread, textured

_SIZES = [(320, 180), (180, 320), (240, 240), (322, 138)]


def _frames(
    prompt="", *, picture=None, seed=1, size=(320, 180), fps=24, count=48, shots=1, negative=""
):
    picture = textured() if picture is None else picture
    return image_frames(picture, prompt, negative, seed, *size, fps, count, shots=shots)


def _ends(prompt, **options):
    frames = list(_frames(prompt, **options))
    return frames[0], frames[-1]


@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize("prompt", ["", "zoom out, rain", "orbit, fog, wind"])
def test_the_first_frame_is_the_fitted_picture_to_the_byte(size, prompt):
    picture = textured(400, 300)
    first = next(_frames(prompt, picture=picture, size=size))
    assert np.array_equal(first, fit_cover(picture, *size))


@pytest.mark.parametrize("count", [1, 2, 7, 48])
def test_exactly_the_asked_number_of_frames(count):
    frames = list(_frames(count=count))
    assert len(frames) == count
    for frame in frames:
        assert frame.shape == (180, 320, 3)
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous


@pytest.mark.parametrize(
    "prompt", ["", "static camera", "zoom in", "pan left then zoom out", "handheld"]
)
def test_no_two_neighbours_are_alike(prompt):
    for before, after in itertools.pairwise(_frames(prompt, fps=30, count=300)):
        assert not np.array_equal(before, after)


def test_even_a_plain_picture_lives():
    plain = np.full((180, 320, 3), 128, dtype=np.uint8)
    for before, after in itertools.pairwise(_frames(picture=plain, count=72)):
        assert not np.array_equal(before, after)


def test_same_seed_same_bytes_other_seed_other_frames():
    last = [list(_frames("rain", seed=seed))[-1] for seed in (5, 5, 6)]
    assert np.array_equal(last[0], last[1])
    assert not np.array_equal(last[0], last[2])


@pytest.mark.parametrize(
    ("prompt", "axis", "sign"),
    [("pan left", 0, 1), ("镜头向左移动", 0, 1), ("pan right", 0, -1), ("镜头向右", 0, -1),
     ("tilt up", 1, 1), ("tilt down", 1, -1)],
)  # fmt: skip
def test_the_content_goes_against_the_camera(prompt, axis, sign):
    first, last = _ends(prompt)
    assert flow(first, last)[..., axis].mean() * sign > 2.0


@pytest.mark.parametrize(
    ("prompt", "sign"), [("zoom in", 1), ("镜头推近", 1), ("zoom out", -1), ("镜头拉远", -1)]
)
def test_zooming_grows_or_shrinks_the_picture(prompt, sign):
    first, last = _ends(prompt)
    assert spread(flow(first, last)) * sign > 50.0


def test_orbiting_moves_the_near_middle_against_the_far_rim():
    first, last = _ends("orbit", count=96)
    moved = flow(first, last)[..., 0]
    near, far = moved[70:170, 120:200].mean(), moved[:40, 60:260].mean()
    assert near - far > 1.5


def test_the_motion_is_seen_within_the_first_second():
    frames = list(_frames("", fps=24, count=30 * 24 // 4))
    assert np.abs(flow(frames[0], frames[24])).mean() > 0.4


@pytest.mark.parametrize(
    "prompt", ["zoom out", "pan left", "tilt down", "zoom in", "orbit", "handheld"]
)
@pytest.mark.parametrize("seconds", [2, 30])
def test_nothing_black_ever_comes_in(prompt, seconds):
    for frame in _frames(prompt, fps=4, count=4 * seconds):
        assert frame.min() > 50


def test_a_long_clip_stays_with_its_picture():
    first, last = _ends("zoom in, pan left", fps=4, count=120)
    found = cv2.matchTemplate(
        last, cv2.resize(first[60:120, 110:210], None, fx=1.4, fy=1.4), cv2.TM_CCOEFF_NORMED
    )
    assert found.max() > 0.6


@pytest.mark.parametrize("prompt", ["orbit", "zoom in", "pan left"])
def test_straight_lines_stay_nearly_straight(prompt):
    picture = textured()
    picture[:, 158:163] = 0
    *_, last = _frames(prompt, picture=picture, count=120)
    middle = [
        float(np.average(np.arange(320), weights=np.exp(-row / 6.0))) for row in last.mean(axis=2)
    ]
    lean = np.polyfit(np.arange(180), middle, 1)[0]
    assert abs(np.degrees(np.arctan(lean))) < 4.0
    bend = np.abs(
        np.array(middle) - np.polyval(np.polyfit(np.arange(180), middle, 1), np.arange(180))
    )
    assert bend.max() < 4.0


def test_several_shots_cut_to_other_framings():
    def leap(shots):
        frames = list(_frames("", count=60, shots=shots))
        return [np.abs(b.astype(int) - a).mean() for a, b in itertools.pairwise(frames)]

    assert max(leap(1)) < 8.0
    assert sum(change > 10.0 for change in leap(3)) == 2


def test_memory_does_not_grow_with_the_duration():
    def peak(count):
        tracemalloc.start()
        for _ in _frames("snow", count=count):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(8)
    assert peak(240) < peak(24) + 400_000


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3)])
def test_odd_pictures_are_taken(shape):
    frames = list(_frames(picture=textured(*shape), count=6))
    assert len(frames) == 6
