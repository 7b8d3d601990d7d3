"""What the drawn frames promise: determinism, life in every frame, the right way of moving."""

import hashlib
import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.unit.preview.pictures import flow

from kinogate.engines.preview.render import Scene, scene_frames
from kinogate.engines.preview.scene import Camera, Place
from kinogate.engines.preview.shots import plan_shots

PROMPTS = [
    "A kitten running in the moonlight",
    "dance",
    "a sailboat on the ocean at sunset",
    "rainy neon city at night",
    "hot air balloon over mountains in the morning",
    "an old man walks with a dog on the beach at noon",
    "snow falling in a pine forest, a woman walking",
    "astronaut on the moon",
    "a whale underwater",
    "spring garden with butterflies at noon",
    "desert caravan at noon",
    "train through autumn forest at sunset",
    "Chinese pavilion by a lake in the mist",
    "fireworks over the city",
    "a red car on a mountain road at noon",
    "a street at night in the rain",
    "aurora over snowy mountains",
    "a lighthouse in a storm",
    "children fly a kite on the meadow at sunset",
    "a cup of coffee by the window, rain outside",
    "a rocket in outer space",
    "a cat sits by the window at night",
    "horse galloping across the prairie at dawn",
    "a village in the morning",
]


def frames(prompt, count=3, size=(320, 180), seed=7, fps=24, seconds=5, *, multi=False):
    """Copies of the first frames of a clip."""
    shots = plan_shots(prompt, "", seed, seconds * fps, fps, multi=multi)
    return [frame.copy() for frame in itertools.islice(scene_frames(shots, *size, fps), count)]


def digest(pictures):
    """One hash of many frames."""
    return hashlib.sha256(b"".join(picture.tobytes() for picture in pictures)).hexdigest()


def likeness(first, second):
    """Structural similarity of two pictures in grey, 1.0 is the same."""
    a, b = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float64) for p in (first, second))

    def blur(picture):
        return cv2.GaussianBlur(picture, (11, 11), 1.5)

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    both = blur(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + 6.5025) * (2 * both + 58.5225)
    return float((top / ((mean_a**2 + mean_b**2 + 6.5025) * (var_a + var_b + 58.5225))).mean())


def test_frames_have_the_promised_form_and_number():
    shots = plan_shots("a cat", "", 1, 31, 24, multi=True)
    count = 0
    for frame in scene_frames(shots, 128, 72, 24):
        assert frame.shape == (72, 128, 3)
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous
        count += 1
    assert count == 31


def test_the_same_request_gives_the_same_bytes():
    assert digest(frames(PROMPTS[0])) == digest(frames(PROMPTS[0]))


def test_another_seed_gives_another_picture():
    assert digest(frames(PROMPTS[0], seed=1)) != digest(frames(PROMPTS[0], seed=2))


@pytest.mark.parametrize("place", list(Place))
def test_no_two_neighbouring_frames_are_the_same(place):
    pictures = frames(f"{place}, static camera", count=26, size=(208, 120), fps=30)
    pairs = itertools.pairwise(pictures)
    assert all(not np.array_equal(first, second) for first, second in pairs)


@pytest.mark.parametrize("camera", list(Camera))
def test_every_camera_keeps_moving(camera):
    words = str(camera).replace("_", " ")
    pictures = frames(f"a tree on a hill, {words}", count=16, size=(208, 120), seconds=30, fps=30)
    pairs = itertools.pairwise(pictures)
    assert all(not np.array_equal(first, second) for first, second in pairs)


@pytest.mark.parametrize(
    "scene", ["a cat sits in the forest", "a city", "a village", "a dog runs in the mountains"]
)
@pytest.mark.parametrize(("words", "way"), [("pan left", 1), ("pan right", -1)])
def test_content_moves_against_the_pan(scene, words, way):
    pictures = frames(f"{scene} at noon, {words}", count=25, size=(640, 360))
    assert flow(pictures[10], pictures[14])[:, :, 0].mean() * way > 0.2


@pytest.mark.parametrize(("words", "way"), [("tilt up", 1), ("tilt down", -1)])
def test_content_moves_against_the_tilt(words, way):
    pictures = frames(f"a city at noon, {words}", count=25, size=(640, 360))
    assert flow(pictures[10], pictures[14])[:, :, 1].mean() * way > 0.1


@pytest.mark.parametrize(
    "scene", ["a meadow", "the sea", "a city", "a forest", "a street", "a lake"]
)
def test_night_is_darker_than_noon(scene):
    (night,), (noon,) = (frames(f"{scene} at {time}", count=1) for time in ("night", "noon"))
    assert night.mean() < 0.6 * noon.mean()


def test_scenes_of_different_prompts_do_not_look_alike():
    stills = [frames(prompt, count=13)[-1] for prompt in PROMPTS]
    pairs = itertools.combinations(range(len(stills)), 2)
    alike = [(PROMPTS[i], PROMPTS[j]) for i, j in pairs if likeness(stills[i], stills[j]) >= 0.9]
    assert alike == []


@pytest.mark.parametrize("size", [(480, 270), (270, 480), (320, 320), (400, 300), (560, 240)])
@pytest.mark.parametrize(
    "prompt",
    [
        "a cat sits on a hill at noon",
        "a boat on the sea at noon",
        "a hot air balloon over the mountains at noon",
        "a red car on the road at noon",
    ],
)
@pytest.mark.parametrize("camera", ["static camera", "pan left", "zoom in", "orbit"])
def test_the_subject_stays_inside_the_frame_in_every_aspect(size, prompt, camera):
    """What differs from the same scene without subjects must be there and clear of the rim."""
    (shot,) = plan_shots(f"{prompt}, {camera}", "", 7, 120, 24, multi=False)
    bare = replace(shot, spec=replace(shot.spec, subjects=()))
    for moment in (0.0, 2.4, 4.9):
        canvas = np.zeros((size[1], size[0], 3), np.uint8)
        empty = canvas.copy()
        scene, land = Scene(shot, *size, 24), Scene(bare, *size, 24)
        land.operator = scene.operator
        scene.draw(canvas, moment)
        land.draw(empty, moment)
        seen = cv2.absdiff(canvas, empty).max(axis=2) > 24
        assert seen.mean() > 0.002
        assert not seen[:, :2].any()
        assert not seen[:, -2:].any()
        assert not seen[:2].any()


@pytest.mark.parametrize("time", ["noon", "sunset", "night"])
def test_the_sky_has_no_wide_bands(time):
    """In a column of clear sky no level may last for long, or a contour would show."""
    (picture,) = frames(f"the sea at {time}, cloudless", count=1, size=(640, 360))
    column = picture[5:120, 300, 2].astype(int)
    same = [len(list(group)) for _, group in itertools.groupby(column)]
    assert max(same) <= 12


def test_shots_begin_with_a_hard_cut():
    pictures = frames("a cat runs in the city", count=70, size=(208, 120), seconds=5, multi=True)
    steps = [
        np.abs(first.astype(int) - second).mean() for first, second in itertools.pairwise(pictures)
    ]
    assert max(steps) > 4 * float(np.median(steps))
