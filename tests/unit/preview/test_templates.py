import itertools

import numpy as np
import pytest

from kinogate.engines.preview.fit import fit_cover
from kinogate.engines.preview.templates import TEMPLATES, template_frames

from .pictures import person, textured

_CATALOGUE = [
    "squish",
    "rotation",
    "poke",
    "inflate",
    "dissolve",
    "melt",
    "icecream",
    "carousel",
    "singleheart",
    "dance1",
    "dance2",
    "dance3",
    "dance4",
    "dance5",
    "mermaid",
    "graduation",
    "dragon",
    "money",
    "jellyfish",
    "pupil",
    "flying",
    "rose",
    "crystalrose",
    "hug",
    "frenchkiss",
    "coupleheart",
    "hanfu-1",
    "solaron",
    "magazine",
    "mech1",
    "mech2",
]


def _frames(name, *, picture=None, seed=1, size=(256, 144), fps=12, count=36):
    picture = person() if picture is None else picture
    return template_frames(name, picture, seed, *size, fps, count)


def test_every_template_of_the_catalogue_is_there():
    assert set(TEMPLATES) == set(_CATALOGUE)


def test_the_misspelt_name_is_known_too():
    for right, wrong in zip(_frames("hanfu-1"), _frames("hufu-1"), strict=True):
        assert np.array_equal(right, wrong)


def test_an_unknown_name_is_refused():
    with pytest.raises(KeyError):
        next(_frames("moonwalk"))


@pytest.mark.parametrize("name", _CATALOGUE)
def test_it_starts_as_given_moves_always_and_changes_much(name):
    frames = list(_frames(name))
    assert len(frames) == 36
    assert np.array_equal(frames[0], fit_cover(person(), 256, 144))
    for before, after in itertools.pairwise(frames):
        assert not np.array_equal(before, after)
    assert max(np.abs(frame.astype(int) - frames[0]).mean() for frame in frames) > 2.0


@pytest.mark.parametrize("name", _CATALOGUE)
def test_it_does_not_leap_at_the_start(name):
    frames = list(itertools.islice(_frames(name, size=(640, 360), fps=30, count=150), 4))
    for before, after in itertools.pairwise(frames):
        assert 0.0 < np.abs(after.astype(int) - before).mean() < 4.0


@pytest.mark.parametrize("name", _CATALOGUE)
def test_same_seed_same_bytes(name):
    once, again = (list(_frames(name, seed=3, count=12))[-1] for _ in range(2))
    assert np.array_equal(once, again)


@pytest.mark.parametrize("name", ["dissolve", "money", "graduation", "mermaid", "rose", "solaron"])
def test_another_seed_falls_otherwise(name):
    last = [list(_frames(name, seed=seed))[-1] for seed in (1, 2)]
    assert not np.array_equal(*last)


@pytest.mark.parametrize("name", _CATALOGUE)
def test_any_aspect_and_any_picture_will_do(name):
    frames = list(_frames(name, picture=textured(300, 200), size=(96, 160), fps=2, count=6))
    assert len(frames) == 6
    for frame in frames:
        assert frame.shape == (160, 96, 3)
        assert frame.dtype == np.uint8
        assert frame.flags.c_contiguous


@pytest.mark.parametrize("name", ["squish", "dance3", "dissolve", "pupil", "magazine", "mech1"])
def test_a_flat_picture_has_no_figure_and_works_all_the_same(name):
    plain = np.full((90, 160, 3), 120, dtype=np.uint8)
    assert len(list(_frames(name, picture=plain, count=12))) == 12


def test_squish_presses_the_head_down():
    frames = list(_frames("squish", fps=24, count=60))
    wall = frames[0][2, 128].astype(int)
    tops = [
        int(np.flatnonzero((np.abs(frame[:, 128].astype(int) - wall) > 60).any(axis=1))[0])
        for frame in frames[:13]
    ]
    assert max(tops) > tops[0] + 15


def test_dissolve_leaves_nobody():
    *_, last = _frames("dissolve", count=60)
    skin = np.array((226, 178, 150))
    before = (np.abs(fit_cover(person(), 256, 144).astype(int) - skin).sum(axis=2) < 30).sum()
    after = (np.abs(last.astype(int) - skin).sum(axis=2) < 30).sum()
    assert after < 0.1 * before


def test_dances_differ_from_one_another():
    poses = [list(_frames(f"dance{i}", fps=24, count=40))[-1] for i in range(1, 6)]
    for one, other in itertools.combinations(poses, 2):
        assert np.abs(one.astype(int) - other).mean() > 2.0
