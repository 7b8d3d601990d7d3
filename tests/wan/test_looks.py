"""Looks at clips that are still noise: that they come, what they show, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tiny

from kinogate.domain.knobs import Knobs
from kinogate.domain.order import Order
from kinogate.engines.diffusers.load import Resident
from kinogate.engines.diffusers.looks import is_worth_a_look
from kinogate.engines.diffusers.resolve import resolve
from kinogate.engines.diffusers.run import costs, generate, run
from kinogate.engines.diffusers.rungs import Rung
from kinogate.engines.diffusers.stages import Stage, Stages
from kinogate.media.still_paths import still_paths

Loaded = Callable[..., Resident]


def looks_of(
    resident: Resident, order: Order, *, preset: str = "lossless", has_previews: bool = True
) -> tuple[list[tuple[str, float]], list[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]:
    """Where in the run it was looked at, the pictures, and the frames of the clip."""
    spec = resolve(order, resident.setup, preset)
    places: list[tuple[str, float]] = [("", 0.0)]
    seen: list[tuple[str, float]] = []
    shown: list[npt.NDArray[np.uint8]] = []
    taken: list[npt.NDArray[np.uint8]] = []

    def show(block: npt.NDArray[np.uint8]) -> None:
        seen.append(places[-1])
        shown.append(block.copy())

    stages = Stages(lambda *told: places.append(told), costs(resident, order, spec))
    generate(
        resident,
        order,
        spec,
        stages,
        lambda block: taken.append(block.copy()),
        show=show if has_previews and is_worth_a_look(spec, Rung.WHOLE) else None,
    )
    return seen, shown, np.concatenate(taken)


@pytest.mark.parametrize("variant", tiny.VARIANTS)
def test_two_looks_show_a_frame_each_and_change_no_pixel_of_the_clip(
    resident: Loaded, tmp_path: Path, variant: str
) -> None:
    order = tiny.an_order(variant, tiny.inputs_of(variant, tmp_path), knobs=Knobs(steps=6))
    weights = resident(variant)

    places, looks, frames = looks_of(weights, order)

    assert [stage for stage, _ in places] == [Stage.DENOISE] * 2
    assert [look.shape for look in looks] == [(1, 64, 64, 3)] * 2
    assert np.array_equal(frames, looks_of(weights, order, has_previews=False)[2])


def test_a_look_comes_nearer_to_the_clip_with_every_step(resident: Loaded, tmp_path: Path) -> None:
    order = tiny.an_order("t2v", knobs=Knobs(steps=12))

    _, (early, late), frames = looks_of(resident("t2v"), order)

    off = [np.abs(look[0].astype(int) - frames[0]).mean() for look in (early, late)]
    assert off[1] < off[0]


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_few_steps_are_looked_at_in_time_or_not_at_all(resident: Loaded, steps: int) -> None:
    order = tiny.an_order("t2v", knobs=Knobs(steps=steps))

    assert len(looks_of(resident("t2v"), order)[1]) == {1: 0, 2: 1, 3: 2, 4: 2}[steps]


def test_what_takes_few_steps_anyway_is_not_looked_at(resident: Loaded) -> None:
    order = tiny.an_order("t2v", knobs=Knobs())

    assert looks_of(resident("t2v", "turbo"), order, preset="turbo")[1] == []


def test_weights_in_host_memory_are_not_called_for_a_look(resident: Loaded) -> None:
    spec = resolve(tiny.an_order("t2v"), resident("t2v").setup, "lossless")

    worth = [rung for rung in Rung if is_worth_a_look(spec, rung)]
    assert worth == [Rung.WHOLE, Rung.TILES]


def test_the_live_still_shows_the_looks(resident: Loaded, tmp_path: Path) -> None:
    weights, order = resident("t2v"), tiny.an_order("t2v", knobs=Knobs(steps=6))
    live = still_paths(tmp_path / "a.mp4").live
    found: dict[bool, set[str]] = {}

    for has_previews in (True, False):
        stages: set[str] = set()

        def look(stage: str, _share: float, stages: set[str] = stages) -> None:
            if live.exists():
                stages.add(stage)

        spec = resolve(order, weights.setup, "lossless")
        run(weights, order, spec, tmp_path / "a.mp4", look, has_previews=has_previews)
        found[has_previews] = stages

    assert Stage.DENOISE in found[True]
    assert Stage.DENOISE not in found[False]
    assert not live.exists()
