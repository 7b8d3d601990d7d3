"""Folders that look like weights to whoever reads only JSON and headers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kinogate.engines.diffusers.cards import PIPELINES, Card

_PARTS = ("scheduler", "text_encoder", "tokenizer", "transformer", "vae")


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), "utf-8")


def write_tensors(path: Path, count: int = 16) -> None:
    """A safetensors file with one float32 vector."""
    entry = {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}
    header = json.dumps({"x": entry, "__metadata__": {}}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4 * count))


def a_folder(folder: Path, card: Card, **transformer: Any) -> Path:
    """A whole folder that fits the card; `transformer` replaces members of its configuration."""
    parts = list(_PARTS)
    if card.experts == 2:
        parts.append("transformer_2")
    if card.has_image_encoder:
        parts += ["image_encoder", "image_processor"]
    index: dict[str, Any] = {part: ["diffusers", "Any"] for part in parts}
    index |= {
        "_class_name": PIPELINES[card.kind],
        "boundary_ratio": card.boundary,
        "expand_timesteps": len(card.kinds) == 2,
    }
    write_json(folder / "model_index.json", index)
    for part in parts:
        write_json(folder / part / "config.json", {})
        if part not in {"scheduler", "tokenizer", "image_processor"}:
            write_tensors(folder / part / "model.safetensors")
    is_pair = card.has_image_encoder and card.takes_last_frame
    config = {
        "num_layers": 2,
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "ffn_dim": 32,
        "text_dim": 16,
        "in_channels": card.dims.in_channels,
        "out_channels": card.dims.out_channels,
        "image_dim": 8 if card.has_image_encoder else None,
        "pos_embed_seq_len": 34 if is_pair else None,
    }
    write_json(folder / "transformer" / "config.json", config | transformer)
    write_json(folder / "vae" / "config.json", {"z_dim": card.vae.z, "base_dim": 3})
    return folder
