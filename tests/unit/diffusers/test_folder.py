"""Folders of weights, judged by their small files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from wan_weights import a_folder, write_json

from kinogate.engines.diffusers.card_rows import CARDS
from kinogate.engines.diffusers.folder import BadFolder, is_hub_id, look_at, with_sizes

T2V = CARDS["wan2.1-t2v-14b"]


@pytest.mark.parametrize("name", CARDS)
def test_a_whole_folder_fits_its_card_and_tells_its_sizes(name: str, tmp_path: Path) -> None:
    card = CARDS[name]

    facts = look_at(a_folder(tmp_path / "w", card), card)

    assert (facts.dims.layers, facts.dims.width, facts.dims.ffn) == (2, 24, 32)
    assert facts.vae.base == 3
    assert facts.weight_bytes > 100
    assert with_sizes(card, facts).dims == facts.dims


@pytest.mark.parametrize("name", CARDS)
def test_no_folder_fits_a_card_of_another_architecture(name: str, tmp_path: Path) -> None:
    """Models of one architecture that differ in size only are told apart by nobody."""
    card = CARDS[name]
    folder = a_folder(tmp_path / "w", card)
    for other in CARDS.values():
        is_alike = (
            other.kind is card.kind
            and other.dims.in_channels == card.dims.in_channels
            and other.has_image_encoder == card.has_image_encoder
            and (other.takes_last_frame == card.takes_last_frame or not card.has_image_encoder)
            and other.experts <= card.experts
        )
        if is_alike:
            look_at(folder, other)
        else:
            with pytest.raises(BadFolder) as caught:
                look_at(folder, other)
            assert str(folder) in str(caught.value)


def _gone(folder: Path) -> None:
    shutil.rmtree(folder)


def _no_vae(folder: Path) -> None:
    shutil.rmtree(folder / "vae")


def _null_part(folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    write_json(folder / "model_index.json", index | {"text_encoder": [None, None]})


def _bad_json(folder: Path) -> None:
    (folder / "vae" / "config.json").write_text("{")


def _a_list(folder: Path) -> None:
    write_json(folder / "model_index.json", [])


def _no_tensors(folder: Path) -> None:
    (folder / "transformer" / "model.safetensors").unlink()


def _cut(folder: Path) -> None:
    file = folder / "text_encoder" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])


def _html(folder: Path) -> None:
    (folder / "vae" / "model.safetensors").write_bytes(b"<html>" * 100)


def _empty(folder: Path) -> None:
    (folder / "vae" / "model.safetensors").write_bytes(b"")


def _pickle_only(folder: Path) -> None:
    file = folder / "vae" / "model.safetensors"
    file.rename(file.with_suffix(".bin"))


def _no_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "part-2.safetensors"}}
    write_json(folder / "transformer" / "model.safetensors.index.json", index)


def _other_channels(folder: Path) -> None:
    config = json.loads((folder / "transformer" / "config.json").read_text())
    write_json(folder / "transformer" / "config.json", config | {"in_channels": 36})


@pytest.mark.parametrize(
    ("damage", "place", "words"),
    [
        (_gone, "", "there is no such folder"),
        (_no_vae, "", "the component 'vae' is missing"),
        (_null_part, "", "the component 'text_encoder' is missing"),
        (_bad_json, "vae/config.json", "cannot be read as JSON"),
        (_a_list, "model_index.json", "cannot be read as JSON"),
        (_no_tensors, "transformer", "there is no safetensors file"),
        (_pickle_only, "vae", "there is no safetensors file"),
        (_cut, "text_encoder/model.safetensors", "not a whole safetensors file"),
        (_html, "vae/model.safetensors", "not a whole safetensors file"),
        (_empty, "vae/model.safetensors", "not a whole safetensors file"),
        (_no_shard, "transformer/part-2.safetensors", "the file is missing"),
        (_other_channels, "transformer/config.json", "in_channels is 36"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_in_one_sentence(
    damage: Callable[[Path], None], place: str, words: str, tmp_path: Path
) -> None:
    folder = a_folder(tmp_path / "w", T2V)
    damage(folder)

    with pytest.raises(BadFolder) as caught:
        look_at(folder, T2V)

    text = str(caught.value)
    assert text.startswith(f"{folder / place}: ")
    assert words in text
    assert text.endswith(".")


@pytest.mark.parametrize(
    ("source", "is_id"),
    [("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", True), ("/weights/a", False), ("weights", False)],
)
def test_a_repository_is_told_from_a_folder(source: str, is_id: bool) -> None:
    assert is_hub_id(source) is is_id
