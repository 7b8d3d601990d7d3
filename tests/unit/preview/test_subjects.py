"""Figures are there, stay in their box, move, look both ways and can be told apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from kinogate.engines.preview.subjects import KINDS, Pose, draw_subject

ACTIONS = (
    "walk", "run", "fly", "dance", "sit", "stand", "swim", "sail", "sleep", "jump", "wave", "read",
    "drive", "float", "no such word",
)  # fmt: skip

Image = npt.NDArray[np.uint8]


def pose(kind: str, **changes: object) -> Pose:
    body, accent = KINDS[kind].default_colors
    fields: dict[str, object] = {
        "x": 0.0,
        "ground_y": 0.0,
        "height": 60.0,
        "t": 0.7,
        "action": KINDS[kind].default_action,
        "facing": 1,
        "body": body,
        "accent": accent,
        "shade": (40, 40, 70),
    }
    return Pose(**{**fields, **changes})  # type: ignore[arg-type]


def drawn(kind: str, **changes: object) -> Image:
    """The figure in the middle of a sheet three figures wide and high, on magenta."""
    height = float(changes.get("height", 60.0))  # type: ignore[arg-type]
    reach = max(1.0, KINDS[kind].aspect)
    width, tall = int(height * (2 * reach + 2)), int(height * 3)
    canvas = np.empty((tall, width, 3), np.uint8)
    canvas[:] = (255, 0, 255)
    place = {"x": width / 2, "ground_y": height * 2.0}
    draw_subject(canvas, kind, pose(kind, **{**place, **changes}))
    return canvas


def mask(image: Image) -> npt.NDArray[np.bool_]:
    painted: npt.NDArray[np.bool_] = np.any(image != (255, 0, 255), axis=2)
    return painted


def overlap(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    return float((first & second).sum() / max(1, (first | second).sum()))


def silhouette(kind: str) -> npt.NDArray[np.bool_]:
    canvas = np.empty((200, 400, 3), np.uint8)
    canvas[:] = (255, 0, 255)
    draw_subject(canvas, kind, pose(kind, x=200.0, ground_y=150.0, height=100.0))
    return mask(canvas)


@pytest.mark.parametrize("facing", [1, -1])
@pytest.mark.parametrize("height", [12.0, 60.0, 240.0])
@pytest.mark.parametrize("kind", list(KINDS))
def test_figure_fills_a_sensible_box(kind: str, height: float, facing: int) -> None:
    shape = mask(drawn(kind, height=height, facing=facing))
    rows, columns = np.flatnonzero(shape.any(axis=1)), np.flatnonzero(shape.any(axis=0))
    assert shape.mean() > 0.01
    slack = 0.1 + 2.0 / height
    tall = (rows[-1] - rows[0] + 1) / height
    wide = (columns[-1] - columns[0] + 1) / height
    assert 0.6 <= tall <= 1.5 + slack  # a train's smoke rises above it
    assert 0.55 * KINDS[kind].aspect - 2.5 / height <= wide <= 1.45 * KINDS[kind].aspect + slack
    lowest = (rows[-1] - 2.0 * height) / height
    assert -0.35 <= lowest <= 0.20


@pytest.mark.parametrize("kind", list(KINDS))
def test_facing_left_is_the_mirror_of_facing_right(kind: str) -> None:
    right = mask(drawn(kind, height=100.0))
    middle = right.shape[1] / 2
    left = mask(drawn(kind, height=100.0, facing=-1, x=middle - 1.0))
    assert overlap(right, left[:, ::-1]) > 0.85


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", list(KINDS))
def test_every_action_moves_from_one_frame_to_the_next(kind: str, action: str) -> None:
    start = 0.9
    frames = [drawn(kind, height=160.0, action=action, t=start + i / 30.0) for i in range(4)]
    for before, after in pairwise(frames):
        assert not np.array_equal(before, after)


@pytest.mark.parametrize("kind", list(KINDS))
def test_same_pose_gives_same_pixels(kind: str) -> None:
    assert np.array_equal(drawn(kind, seed=5), drawn(kind, seed=5))


def test_kinds_have_silhouettes_of_their_own() -> None:
    names = sorted(KINDS)
    shapes = {name: silhouette(name) for name in names}
    # These are dressed the same way on purpose; colour and hair tell them apart.
    alike = {frozenset(pair) for pair in (("person", "man"), ("bear", "panda"))}
    for index, first in enumerate(names):
        for second in names[index + 1 :]:
            if frozenset((first, second)) in alike:
                continue
            assert overlap(shapes[first], shapes[second]) < 0.9, (first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [("cat", "dog"), ("cat", "horse"), ("dog", "horse"), ("person", "cat"), ("fox", "cat")],
)
def test_well_known_kinds_differ_clearly(first: str, second: str) -> None:
    assert overlap(silhouette(first), silhouette(second)) < 0.75


@pytest.mark.parametrize("kind", list(KINDS))
def test_tiny_and_huge_and_faraway_poses_are_safe(kind: str) -> None:
    canvas = np.zeros((48, 64, 3), np.uint8)
    for height in (4.0, 5.5, 3000.0):
        for x, y in ((-1e6, 20.0), (32.0, 1e7), (-40.0, -40.0), (32.0, 40.0), (64.5, 48.5)):
            draw_subject(canvas, kind, pose(kind, x=x, ground_y=y, height=height))
    assert canvas.shape == (48, 64, 3)


def test_figure_far_outside_leaves_the_canvas_alone() -> None:
    canvas = np.zeros((48, 64, 3), np.uint8)
    for kind in KINDS:
        draw_subject(canvas, kind, pose(kind, x=-4000.0, ground_y=20.0))
        draw_subject(canvas, kind, pose(kind, x=20.0, ground_y=9000.0))
    assert not canvas.any()


def test_rim_light_is_laid_outside_the_silhouette() -> None:
    rim = (250, 250, 120)
    plain, lit = drawn("cat", height=240.0), drawn("cat", height=240.0, rim=rim)
    assert mask(lit).sum() > mask(plain).sum()
    assert (lit == rim).all(axis=2).sum() > 40


def test_seed_varies_people() -> None:
    looks = {drawn("woman", height=120.0, action="stand", seed=s).tobytes() for s in range(6)}
    assert len(looks) >= 5


def test_dark_light_darkens_skin() -> None:
    day = drawn("woman", height=200.0, action="stand", light=(255, 255, 255))
    night = drawn("woman", height=200.0, action="stand", light=(60, 70, 110))
    assert night[mask(night)].mean() < day[mask(day)].mean()


def test_unknown_kind_is_a_key_error() -> None:
    canvas = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(KeyError):
        draw_subject(canvas, "unicorn accountant", pose("cat"))


def test_kind_figures_are_plausible() -> None:
    for name, kind in KINDS.items():
        assert 0.2 <= kind.aspect <= 6.0, name
        assert 0.0 <= kind.speed <= 3.0, name
        assert 0.1 <= kind.natural_height <= 4.0, name
