"""Orders on tiny weights of every variant: frames, seeds, progress, cancelling, and no trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tiny

from kinogate.domain.order import Order
from kinogate.engines.diffusers.load import Resident
from kinogate.engines.diffusers.resolve import resolve
from kinogate.engines.diffusers.run import costs, generate
from kinogate.engines.diffusers.stages import Stages

Loaded = Callable[..., Resident]


class Stopped(BaseException):
    """What a report raises to cancel; like the child's own, no Exception."""


def nothing(_stage: str, _share: float) -> None:
    """A report that nobody reads."""


def frames_of(
    resident: Resident,
    order: Order,
    report: Callable[[str, float], None] = nothing,
    preset: str = "lossless",
) -> npt.NDArray[np.uint8]:
    """All frames that are generated for an order, `[N, H, W, 3]`."""
    spec = resolve(order, resident.setup, preset)
    taken: list[npt.NDArray[np.uint8]] = []
    stages = Stages(report, costs(resident, order, spec))
    generate(resident, order, spec, stages, lambda block: taken.append(block.copy()))
    return np.concatenate(taken)


@pytest.mark.parametrize("variant", tiny.VARIANTS)
def test_every_variant_makes_the_exact_number_of_frames(
    resident: Loaded, tmp_path: Path, variant: str
) -> None:
    order = tiny.an_order(variant, tiny.inputs_of(variant, tmp_path))

    frames = frames_of(resident(variant), order)

    assert frames.shape == (4 * round(0.5 * order.fps / 4) + 1, 64, 64, 3)
    assert frames.std() > 1.0
