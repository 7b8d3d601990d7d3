"""Folders into memory: classes, types, shared modules, the hub's cache, step-distilled adapters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from test_run import frames_of

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.knobs import Expert, Knobs, Lora
from kinogate.engines.diffusers.cards import PIPELINES, Kind
from kinogate.engines.diffusers.load import Resident, load, unload

Folders = Callable[[str], Path]
Loaded = Callable[..., Resident]


@pytest.mark.parametrize("variant", tiny.VARIANTS)
def test_the_pipelines_are_the_cards_and_share_their_modules(
    resident: Loaded, variant: str
) -> None:
    weights = resident(variant)
    first, *others = weights.pipelines.values()

    assert tuple(weights.pipelines) == weights.card.kinds
    for kind, pipe in weights.pipelines.items():
        assert type(pipe).__name__ == PIPELINES[kind]
    for pipe in others:
        assert pipe.transformer is first.transformer
        assert pipe.vae is first.vae
        assert pipe.text_encoder is first.text_encoder
    assert not any(weight.requires_grad for weight in first.transformer.parameters())
    assert weights.dims.layers == 3  # the folder's own, not the card's


def test_half_precision_keeps_what_must_stay_whole(folders: Folders) -> None:
    setup = tiny.a_setup("ti2v", folders("ti2v"))
    weights = load(setup, "lossless", device="cpu", dtype="bfloat16")

    model = weights.any.transformer
    assert model.blocks[0].attn1.to_q.weight.dtype is torch.bfloat16
    assert model.scale_shift_table.dtype is torch.float32
    assert weights.any.vae.dtype is torch.float32
    assert weights.any.text_encoder.dtype is torch.bfloat16
    # The second pipeline must not have cast what the first one has.
    assert weights.pipelines[Kind.I2V].transformer.dtype is torch.bfloat16
    assert frames_of(weights, tiny.an_order("ti2v")).std() > 1.0
    unload(weights)


def test_the_preset_turbo_melts_its_adapters_into_both_experts(
    folders: Folders, resident: Loaded, tmp_path: Path
) -> None:
    file = str(tiny.save_lora("a14b-t2v", tmp_path / "fast.safetensors"))
    setup = tiny.a_setup(
        "a14b-t2v",
        folders("a14b-t2v"),
        loras={"fast": file},
        turbo=(Lora(name="fast", expert=Expert.BOTH),),
    )
    weights = load(setup, "turbo", device="cpu", dtype="float32")
    plain = resident("a14b-t2v")
    order = tiny.an_order("a14b-t2v", knobs=Knobs())

    for melted, was in zip(weights.transformers, plain.transformers, strict=True):
        assert not getattr(melted, "peft_config", {})
        assert not torch.equal(melted.blocks[0].attn1.to_q.weight, was.blocks[0].attn1.to_q.weight)
    assert "distilled" in weights.active.levers
    first = frames_of(weights, order, preset="turbo")
    assert np.array_equal(first, frames_of(weights, order, preset="turbo"))
    assert first.std() > 1.0


@pytest.mark.parametrize("part", ["vae", "text_encoder", "transformer"])
def test_a_file_of_other_tensors_is_told_with_its_place(
    folders: Folders, tmp_path: Path, part: str
) -> None:
    """Right names and wrong shapes: only loading finds that."""
    folder = tiny.damaged("", folders("t2v"), folders("t2v"), tmp_path / "weights")
    tiny.reshape(folder / part)

    with pytest.raises(InternalError) as caught:
        load(tiny.a_setup("t2v", folder), "lossless", device="cpu", dtype="float32")

    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert caught.value.message.startswith(f"{folder}")
    assert "\n" not in caught.value.message


HUB = """
import json, sys
from kinogate.domain.errors import InternalError
from kinogate.engines.diffusers.card_rows import CARDS
from kinogate.engines.diffusers.load import load
from kinogate.engines.diffusers.options import ModelSetup

said = []
for source in sys.argv[1:]:
    setup = ModelSetup(card=CARDS["wan2.1-t2v-1.3b"], source=source)
    try:
        load(setup, "lossless", device="cpu", dtype="float32", is_hub=True)
        said.append("loaded")
    except InternalError as error:
        said.append(error.message)
print(json.dumps(said))
"""


def test_a_repository_is_found_in_the_hubs_cache_and_missed_in_plain_words(
    folders: Folders, tmp_path: Path
) -> None:
    kept = tmp_path / "hub" / "models--Wan-AI--Kept"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("abc")
    (kept / "snapshots").mkdir()
    (kept / "snapshots" / "abc").symlink_to(folders("t2v"))
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}

    done = subprocess.run(
        [sys.executable, "-c", HUB, "Wan-AI/Kept", "Wan-AI/Missing"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [
        "loaded",
        "Wan-AI/Missing: the hub did not give the weights of wan2.1-t2v-1.3b.",
    ]


def test_the_same_weights_give_the_same_frames_after_loading_again(
    folders: Folders, resident: Loaded
) -> None:
    order = tiny.an_order("t2v")
    again = load(replace(resident("t2v").setup), "lossless", device="cpu", dtype="float32")

    assert np.array_equal(frames_of(resident("t2v"), order), frames_of(again, order))
