"""A pipeline held as each rung says makes the same clip, and a want of memory leads down to one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small
import tiny
import torch

from kinogate.engines.diffusers.levers import RECIPES, apply
from kinogate.engines.diffusers.load import load
from kinogate.engines.diffusers.offload import hold, tiled
from kinogate.engines.diffusers.resolve import resolve
from kinogate.engines.diffusers.run import costs, generate
from kinogate.engines.diffusers.rungs import Ladder, Rung, is_out_of_memory
from kinogate.engines.diffusers.stages import Stages


def clip(pipe: Any, variant: str) -> np.ndarray:
    with apply(pipe, RECIPES["lossless"], "cpu").run(steps=2):
        return small.call(pipe, variant)


@pytest.mark.parametrize("variant", ["t2v", "a14b-t2v", "ti2v", "vace"])
@pytest.mark.parametrize("rung", [Rung.WHOLE, Rung.TILES, Rung.GROUPS])
def test_the_clip_does_not_depend_on_how_the_weights_are_held(variant: str, rung: Rung) -> None:
    expected = small.call(small.build(variant), variant)
    pipe = small.build(variant)
    hold(pipe, rung, "cpu")
    # Tiles are larger than these clips, so that even they change nothing here.
    assert np.array_equal(clip(pipe, variant), expected)
    assert np.array_equal(clip(pipe, variant), expected)


def test_groups_are_brought_one_block_at_a_time() -> None:
    pipe = small.build("t2v")
    hold(pipe, Rung.GROUPS, "cpu")
    for block in pipe.transformer.blocks:
        assert "group_offloading" in block._diffusers_hook.hooks


def test_weights_held_whole_work_on_tiles_for_one_run_and_say_so() -> None:
    pipe = small.build("t2v")
    pipe.vae.tile_sample_min_height = pipe.vae.tile_sample_min_width = 32
    pipe.vae.tile_sample_stride_height = pipe.vae.tile_sample_stride_width = 16
    active = apply(pipe, RECIPES["lossless"], "cpu")
    clips = []
    for rung in (Rung.WHOLE, Rung.TILES, Rung.WHOLE):
        with tiled(pipe, rung), active.run(steps=2, rung=rung) as names:
            clips.append(small.call(pipe, "t2v"))
        assert names == (("held:tiles",) if rung is Rung.TILES else ())
        assert not pipe.vae.use_tiling
    assert not np.array_equal(clips[1], clips[0])
    assert np.array_equal(clips[2], clips[0])


def test_the_engine_loads_and_runs_its_weights_on_every_rung_it_can_here(
    folders: Callable[[str], Path],
) -> None:
    order = tiny.an_order("t2v")
    clips = []
    for rung in (Rung.WHOLE, Rung.TILES, Rung.GROUPS):
        setup = tiny.a_setup("t2v", folders("t2v"))
        weights = load(setup, "lossless", device="cpu", dtype="float32", rung=rung)
        spec = resolve(order, setup, "lossless")
        stages = Stages(lambda _stage, _share: None, costs(weights, order, spec))
        taken: list[np.ndarray] = []
        held = generate(weights, order, spec, stages, taken.append, rung=rung)
        assert held == (() if rung is Rung.WHOLE else (f"held:{rung.value}",))
        assert not weights.any.vae.use_tiling or rung.is_offloaded
        clips.append(np.concatenate(taken))
    assert np.array_equal(clips[0], clips[1])
    assert np.array_equal(clips[0], clips[2])


def test_only_the_rungs_below_the_first_work_on_tiles() -> None:
    for rung in (Rung.WHOLE, Rung.TILES, Rung.GROUPS):
        pipe = small.build("t2v")
        hold(pipe, rung, "cpu")
        assert pipe.vae.use_tiling is (rung is not Rung.WHOLE)


def test_the_last_rung_asks_for_one_model_at_a_time() -> None:
    asked: list[object] = []

    class Pipe:
        vae = small.vae()

        def enable_model_cpu_offload(self, device: object) -> None:
            asked.append(device)

    hold(Pipe(), Rung.MODELS, "cuda:1")
    assert asked == ["cuda:1"]


@pytest.mark.parametrize("needed", [Rung.TILES, Rung.GROUPS])
def test_a_want_of_memory_leads_down_to_the_rung_that_suffices(needed: Rung) -> None:
    """The device plays short of memory in a step until the pipeline is held as it must be."""
    ladder, tried = Ladder(), []
    rung: Rung | None = ladder.start("t2v", 100)
    frames = None
    while rung is not None and frames is None:
        tried.append(rung)
        pipe = small.build("t2v")
        hold(pipe, rung, "cpu")
        held = rung

        def lack(_step: int, held: Rung = held) -> None:
            if list(Rung).index(held) < list(Rung).index(needed):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

        try:
            with apply(pipe, RECIPES["lossless"], "cpu").run(steps=2):
                frames = small.call(pipe, "t2v", on_step=lack)
        except torch.OutOfMemoryError:
            rung = ladder.failed("t2v", 100, rung)
    assert tried[-1] is needed
    assert frames is not None
    assert np.array_equal(frames, small.call(small.build("t2v"), "t2v"))
    assert ladder.start("t2v", 100) is needed


def test_a_card_that_is_full_says_so_in_words_that_are_known() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert issubclass(torch.OutOfMemoryError, RuntimeError)
