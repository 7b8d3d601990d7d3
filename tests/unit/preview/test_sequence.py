import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from kinogate.engines.preview.fit import fit_cover
from kinogate.engines.preview.sequence import (
    continue_frames,
    portrait_frames,
    present,
    reference_frames,
    resample,
)

from .pictures import person, textured

_SIZE = (320, 180)


@dataclass
class NumberedClip:
    """Each frame is of one grey, 10 brighter than the one before; counts what is read."""

    length: int
    fps: float = 24.0
    frame_count_hint: int | None = None
    read: int = 0

    def frames(self):
        for i in range(self.length):
            self.read += 1
            yield np.full((90, 160, 3), 10 + 10 * i % 240, dtype=np.uint8)


def _levels(frames):
    return [int(frame[90, 160, 0]) for frame in frames]


@pytest.mark.parametrize(
    ("fps", "expected"),
    [(24, [10, 20, 30, 40]), (48, [10, 10, 20, 20, 30, 30, 40, 40]), (12, [10, 30])],
)
def test_a_clip_keeps_its_pace_at_another_frame_rate(fps, expected):
    shown = _levels(resample(NumberedClip(4), *_SIZE, fps))
    assert len(shown) == len(expected)
    assert all(abs(a - b) <= 10 for a, b in zip(shown, expected, strict=True))


def test_a_clip_plays_first_and_then_goes_on():
    frames = list(continue_frames(NumberedClip(6), None, "", 1, *_SIZE, 24, 30))
    assert len(frames) == 30
    assert _levels(frames[:6]) == [10, 20, 30, 40, 50, 60]
    assert abs(_levels(frames[6:7])[0] - 60) < 6


def test_a_clip_that_is_too_long_is_read_no_further_than_needed():
    clip = NumberedClip(500)
    assert len(list(continue_frames(clip, None, "", 1, *_SIZE, 24, 10))) == 10
    assert clip.read <= 11


def test_a_clip_that_must_end_somewhere_gets_there():
    goal = textured(seed=4)
    frames = list(continue_frames(NumberedClip(500), goal, "", 1, *_SIZE, 24, 40))
    assert len(frames) == 40
    assert np.array_equal(frames[-1], fit_cover(goal, *_SIZE))
    assert _levels(frames[:3]) == [10, 20, 30]


def test_an_empty_clip_is_refused():
    with pytest.raises(ValueError, match="no frames"):
        list(continue_frames(NumberedClip(0), None, "", 1, *_SIZE, 24, 10))


def test_each_reference_gets_its_shot_in_order():
    pictures = [np.full((180, 320, 3), level, dtype=np.uint8) for level in (40, 120, 200)]
    frames = list(reference_frames(pictures, None, "", 1, *_SIZE, 24, 30))
    assert len(frames) == 30
    near = [min((40, 120, 200), key=lambda level: abs(level - shown)) for shown in _levels(frames)]
    assert near == [40] * 10 + [120] * 10 + [200] * 10


def test_a_first_frame_opens_the_clip_exactly():
    opening = textured(300, 300)
    frames = reference_frames([person()], opening, "rain", 1, *_SIZE, 24, 20)
    assert np.array_equal(next(frames), fit_cover(opening, *_SIZE))


def test_a_video_reference_plays_within_its_shot():
    frames = list(reference_frames([person(), NumberedClip(40)], None, "", 1, *_SIZE, 24, 24))
    assert _levels(frames[12:]) == [10 + 10 * i for i in range(12)]


def test_more_references_than_frames_is_no_trouble():
    assert len(list(reference_frames([person()] * 5, None, "", 1, *_SIZE, 24, 3))) == 3


def test_nothing_to_start_from_is_refused():
    with pytest.raises(ValueError, match="no reference"):
        next(reference_frames([], None, "", 1, *_SIZE, 24, 10))


def test_a_tall_picture_is_shown_whole_in_a_wide_frame():
    tall = np.full((600, 200, 3), 100, dtype=np.uint8)
    tall[:20], tall[-20:] = (250, 0, 0), (0, 0, 250)
    shown = present(tall, *_SIZE)
    assert shown.shape == (180, 320, 3)
    assert (shown[:, 160] == (250, 0, 0)).all(axis=1).any()
    assert (shown[:, 160] == (0, 0, 250)).all(axis=1).any()


def _portrait(loudness, seed=1, count=48):
    return list(
        portrait_frames(person(), np.asarray(loudness, dtype=float), seed, *_SIZE, 24, count)
    )


def test_a_portrait_starts_as_given_and_never_freezes():
    frames = _portrait(np.zeros(48), count=72)
    assert len(frames) == 72
    assert np.array_equal(frames[0], fit_cover(person(), *_SIZE))
    for before, after in itertools.pairwise(frames):
        assert not np.array_equal(before, after)


def test_a_portrait_follows_the_loudness():
    quiet, loud = _portrait(np.zeros(48)), _portrait(np.ones(48))
    differences = [np.abs(a.astype(int) - b).mean() for a, b in zip(quiet, loud, strict=True)]
    assert differences[0] == 0.0
    assert differences[-1] > 0.2


def test_a_portrait_moves_only_a_little():
    frames = _portrait(np.ones(48))
    assert np.abs(frames[-1].astype(int) - frames[0]).mean() < 12.0


def test_a_portrait_is_the_same_for_the_same_seed():
    assert np.array_equal(_portrait(np.ones(9), count=9)[-1], _portrait(np.ones(9), count=9)[-1])
    assert not np.array_equal(_portrait(np.ones(9), 1, 9)[-1], _portrait(np.ones(9), 2, 9)[-1])
