"""Down the rungs when memory does not suffice, and no further down than a clip needs."""

from __future__ import annotations

import pytest

from kinogate.engines.diffusers.rungs import Ladder, Rung, is_device_fault, is_out_of_memory


class OutOfMemoryError(RuntimeError):
    """As torch calls its own."""


def rungs_tried(ladder: Ladder, size: int, needed: Rung) -> list[Rung]:
    """Run a clip that fits from the rung `needed` on."""
    tried = [ladder.start("a", size)]
    while list(Rung).index(tried[-1]) < list(Rung).index(needed):
        below = ladder.failed("a", size, tried[-1])
        if below is None:
            break
        tried.append(below)
    return tried


def test_the_rungs_are_tried_in_order() -> None:
    assert rungs_tried(Ladder(), 100, Rung.MODELS) == list(Rung)


def test_the_last_rung_has_none_below() -> None:
    ladder = Ladder()
    assert ladder.failed("a", 100, Rung.MODELS) is None
    assert Ladder(lowest=Rung.TILES).failed("a", 100, Rung.TILES) is None


def test_a_clip_of_that_size_starts_where_the_last_one_fitted() -> None:
    ladder = Ladder()
    assert rungs_tried(ladder, 100, Rung.GROUPS)[-1] is Rung.GROUPS
    assert rungs_tried(ladder, 100, Rung.GROUPS) == [Rung.GROUPS]
    assert ladder.start("a", 200) is Rung.GROUPS


def test_a_smaller_clip_still_starts_at_the_top() -> None:
    ladder = Ladder()
    rungs_tried(ladder, 100, Rung.GROUPS)
    assert ladder.start("a", 99) is Rung.WHOLE


def test_a_smaller_clip_that_fails_too_lowers_the_mark() -> None:
    ladder = Ladder()
    rungs_tried(ladder, 100, Rung.TILES)
    rungs_tried(ladder, 60, Rung.TILES)
    assert ladder.start("a", 60) is Rung.TILES
    assert ladder.start("a", 59) is Rung.WHOLE


def test_other_weights_have_marks_of_their_own() -> None:
    ladder = Ladder()
    rungs_tried(ladder, 100, Rung.TILES)
    assert ladder.start("b", 100) is Rung.WHOLE


def test_what_failed_on_every_rung_starts_on_the_last() -> None:
    ladder = Ladder()
    rungs_tried(ladder, 100, Rung.MODELS)
    ladder.failed("a", 100, Rung.MODELS)
    assert ladder.start("a", 100) is Rung.MODELS


def test_each_rung_is_a_named_change_of_how_a_pipeline_is_held() -> None:
    assert [rung.value for rung in Rung] == ["whole", "tiles", "groups", "models"]
    assert [rung.is_tiled for rung in Rung] == [False, True, True, True]
    assert [rung.is_offloaded for rung in Rung] == [False, False, True, True]


@pytest.mark.parametrize(
    "error",
    [
        OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_want_of_memory_is_known_by_what_it_says(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert not is_device_fault(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: uncorrectable ECC error encountered"),
        RuntimeError("CUDA error: device-side assert triggered"),
    ],
)
def test_a_broken_context_is_known_by_what_it_says(error: Exception) -> None:
    assert is_device_fault(error)
    assert not is_out_of_memory(error)


@pytest.mark.parametrize(
    "error", [ValueError("out of memory"), MemoryError("out of memory"), RuntimeError("a shape")]
)
def test_other_errors_are_neither(error: Exception) -> None:
    assert not is_out_of_memory(error)
    assert not is_device_fault(error)
