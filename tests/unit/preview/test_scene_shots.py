"""How a clip is cut into shots."""

import pytest

from kinogate.engines.preview.shots import plan_shots


@pytest.mark.parametrize("frames", [1, 24, 61, 150, 900])
@pytest.mark.parametrize("multi", [False, True])
def test_shots_cover_every_frame_once(frames, multi):
    shots = plan_shots("a cat in the city", "", 3, frames, 30, multi=multi)
    edges = [0, *(shot.end_frame for shot in shots)]
    assert [shot.start_frame for shot in shots] == edges[:-1]
    assert edges[-1] == frames


def test_one_shot_unless_several_are_asked_for():
    assert len(plan_shots("a cat", "", 3, 300, 30, multi=False)) == 1


@pytest.mark.parametrize(("seconds", "least", "most"), [(2, 2, 2), (5, 2, 4), (15, 3, 4)])
def test_several_shots_last_a_second_or_more(seconds, least, most):
    shots = plan_shots("a cat runs in the city", "", 3, seconds * 30, 30, multi=True)
    assert least <= len(shots) <= most
    assert all(shot.end_frame - shot.start_frame >= 30 for shot in shots)


def test_shots_of_one_story_differ_in_camera_and_share_their_subject():
    shots = plan_shots("a cat runs in the city", "", 3, 300, 30, multi=True)
    assert len({shot.spec.camera for shot in shots}) == len(shots)
    assert len({shot.spec.subjects for shot in shots}) == 1
    assert len({shot.facing for shot in shots}) == 1
