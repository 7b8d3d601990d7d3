import itertools

import cv2
import numpy as np
import pytest

from kinogate.engines.preview.fit import fit_cover
from kinogate.engines.preview.keyframes import keyframe_frames

from .pictures import textured

_FIRST, _LAST = textured(400, 300, seed=1), textured(200, 360, seed=2)


def _frames(first=_FIRST, last=_LAST, prompt="", seed=1, size=(320, 180), count=48):
    return list(keyframe_frames(first, last, prompt, seed, *size, 24, count))


@pytest.mark.parametrize("size", [(320, 180), (180, 320)])
@pytest.mark.parametrize("prompt", ["", "snow, zoom out"])
def test_both_ends_are_the_given_pictures_to_the_byte(size, prompt):
    frames = _frames(prompt=prompt, size=size)
    assert np.array_equal(frames[0], fit_cover(_FIRST, *size))
    assert np.array_equal(frames[-1], fit_cover(_LAST, *size))


@pytest.mark.parametrize("count", [1, 2, 3, 48])
def test_exactly_the_asked_number_of_frames(count):
    assert len(_frames(count=count)) == count


def test_it_is_never_a_cut():
    changes = [np.abs(b.astype(int) - a).mean() for a, b in itertools.pairwise(_frames(count=72))]
    whole = np.abs(fit_cover(_LAST, 320, 180).astype(int) - fit_cover(_FIRST, 320, 180)).mean()
    assert max(changes) < 0.35 * whole
    assert min(changes) > 0.0


def test_the_same_picture_twice_still_moves():
    for before, after in itertools.pairwise(_frames(last=_FIRST)):
        assert not np.array_equal(before, after)


def test_what_moved_between_the_pictures_travels_instead_of_fading():
    first = np.full((180, 320, 3), 90, dtype=np.uint8)
    first[:] = textured(320, 180, seed=3) // 4 + 60
    last = first.copy()
    cv2.circle(first, (140, 90), 26, (250, 240, 230), -1, cv2.LINE_AA)
    cv2.circle(last, (176, 90), 26, (250, 240, 230), -1, cv2.LINE_AA)
    middle = _frames(first, last, count=25)[12].mean(axis=2)
    columns = np.average(np.arange(320), weights=(middle > 190).sum(axis=0) + 1e-9)
    assert 150 < columns < 166
    assert (middle > 190).any(axis=0).sum() < 76


def test_same_seed_same_bytes_other_seed_other_frames():
    middle = [_frames(seed=seed)[24] for seed in (5, 5, 6)]
    assert np.array_equal(middle[0], middle[1])
    assert not np.array_equal(middle[0], middle[2])
