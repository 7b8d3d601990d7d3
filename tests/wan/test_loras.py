"""Adapters of one run: on the right expert, at the right strength, and gone without a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from test_run import Stopped, frames_of, stop_in

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.knobs import Expert, Knobs
from kinogate.engines.diffusers.load import Resident
from kinogate.engines.diffusers.stages import Stage

Loaded = Callable[..., Resident]


def with_loras(weights: Resident, **files: Path) -> Resident:
    """The same weights with adapters configured."""
    loras = {name: str(file) for name, file in files.items()}
    return replace(weights, setup=replace(weights.setup, loras=loras))


def state_of(weights: Resident) -> list[dict[str, torch.Tensor]]:
    return [dict(module.state_dict()) for module in weights.transformers]


def assert_untouched(weights: Resident, before: list[dict[str, torch.Tensor]]) -> None:
    for module, was in zip(weights.transformers, before, strict=True):
        now = module.state_dict()
        assert list(now) == list(was)
        assert all(torch.equal(now[name], was[name]) for name in was)
        assert not getattr(module, "peft_config", {})


@pytest.mark.parametrize("preset", ["lossless", "balanced"])
def test_a_lora_changes_the_frames_of_its_run_and_of_no_other(
    resident: Loaded, tmp_path: Path, preset: str
) -> None:
    file = tiny.save_lora("t2v", tmp_path / "style.safetensors")
    weights = with_loras(resident("t2v", preset), style=file)
    plain = tiny.an_order("t2v")
    styled = replace(plain, knobs=tiny.with_lora(plain.knobs, "style", 1.0))
    stronger = replace(plain, knobs=tiny.with_lora(plain.knobs, "style", 2.0))
    before = state_of(weights)

    clean = frames_of(weights, plain, preset=preset)
    changed = frames_of(weights, styled, preset=preset)
    more = frames_of(weights, stronger, preset=preset)
    again = frames_of(weights, plain, preset=preset)

    assert not np.array_equal(clean, changed)
    assert not np.array_equal(changed, more)
    assert np.array_equal(clean, again)
    assert_untouched(weights, before)


def test_a_lora_goes_to_the_expert_that_was_asked_for(resident: Loaded, tmp_path: Path) -> None:
    file = tiny.save_lora("a14b-t2v", tmp_path / "style.safetensors")
    weights = with_loras(resident("a14b-t2v"), style=file)
    before = state_of(weights)
    # Every step is the high-noise expert's.
    plain = tiny.an_order("a14b-t2v", knobs=Knobs(steps=2, boundary_ratio=0.0))

    clean = frames_of(weights, plain)
    shown = {
        expert: frames_of(
            weights, replace(plain, knobs=tiny.with_lora(plain.knobs, "style", 2.0, expert))
        )
        for expert in Expert
    }

    assert np.array_equal(shown[Expert.LOW], clean)
    assert not np.array_equal(shown[Expert.HIGH], clean)
    assert np.array_equal(shown[Expert.BOTH], shown[Expert.HIGH])
    assert_untouched(weights, before)


def test_two_loras_add_up_and_a_third_run_is_clean(resident: Loaded, tmp_path: Path) -> None:
    one = tiny.save_lora("t2v", tmp_path / "one.safetensors", seed=5)
    two = tiny.save_lora("t2v", tmp_path / "two.safetensors", seed=6)
    weights = with_loras(resident("t2v"), one=one, two=two)
    plain = tiny.an_order("t2v")
    first = tiny.with_lora(plain.knobs, "one", 1.0)
    both = tiny.with_lora(first, "two", -1.5)

    clean = frames_of(weights, plain)
    of_first = frames_of(weights, replace(plain, knobs=first))
    of_both = frames_of(weights, replace(plain, knobs=both))

    assert not np.array_equal(of_first, of_both)
    assert np.array_equal(clean, frames_of(weights, plain))


def test_a_cancel_takes_the_lora_off(resident: Loaded, tmp_path: Path) -> None:
    file = tiny.save_lora("t2v", tmp_path / "style.safetensors")
    weights = with_loras(resident("t2v"), style=file)
    plain = tiny.an_order("t2v")
    before = state_of(weights)

    with pytest.raises(Stopped):
        frames_of(
            weights,
            replace(plain, knobs=tiny.with_lora(plain.knobs, "style", 1.0)),
            stop_in(Stage.DENOISE, 4),
        )

    assert_untouched(weights, before)


@pytest.mark.parametrize("how", ["gone", "cut short", "of other weights"])
def test_a_lora_that_cannot_be_used_is_told_and_leaves_the_weights_alone(
    resident: Loaded, tmp_path: Path, how: str
) -> None:
    file = tmp_path / "style.safetensors"
    if how != "gone":
        tiny.save_lora("vace" if how == "of other weights" else "t2v", file)
    if how == "cut short":
        file.write_bytes(file.read_bytes()[:-10])
    if how == "of other weights":
        tiny.save_foreign_lora(file)
    weights = with_loras(resident("t2v"), style=file)
    plain = tiny.an_order("t2v")
    before = state_of(weights)

    with pytest.raises(InternalError) as caught:
        frames_of(weights, replace(plain, knobs=tiny.with_lora(plain.knobs, "style", 1.0)))

    assert caught.value.code is ErrorCode.ENGINE_FAILED
    assert "The LoRA 'style' cannot be used: " in caught.value.message
    assert str(tmp_path) not in caught.value.message
    assert_untouched(weights, before)
