"""Shares of the whole from shares of stages."""

from __future__ import annotations

import pytest

from kinogate.engines.diffusers.flops import StageFlops
from kinogate.engines.diffusers.stages import Stage, Stages

COSTS = StageFlops(text=10, image=0, denoise=960, decode=10)


def test_stages_have_the_length_of_what_they_cost() -> None:
    told: list[tuple[str, float]] = []
    stages = Stages(lambda *what: told.append(what), COSTS)
    for stage in (Stage.TEXT, Stage.DENOISE, Stage.DECODE, Stage.FINISH):
        stages.at(stage, 1.0)

    shares = [share for _, share in told]
    assert shares == pytest.approx([0.0296, 0.9512, 0.98, 1.0])
    assert [name for name, _ in told] == ["encoding text", "denoising", "decoding", "finishing"]


def test_a_share_never_falls_and_never_passes_one() -> None:
    told: list[float] = []
    stages = Stages(lambda _stage, share: told.append(share), COSTS)
    for share in (0.5, 0.4, 7.0, -1.0):
        stages.at(Stage.DENOISE, share)
    stages.at(Stage.TEXT, 0.0)

    assert told == sorted(told)
    assert told[-1] < 1.0


def test_a_run_that_costs_nothing_still_ends_at_one() -> None:
    told: list[float] = []
    stages = Stages(lambda _stage, share: told.append(share), StageFlops())
    stages.at(Stage.FINISH, 1.0)
    assert told == [1.0]
