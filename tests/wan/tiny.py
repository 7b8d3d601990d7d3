"""Whole folders of weights of a few hundred kilobytes, as a user would have them on disk.

The models of `small.py`, with a text encoder and a tokenizer that knows every byte, so that any
prompt in any language is another one. Random weights: what is tested is everything but the picture.
"""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import small
import torch
from peft import LoraConfig, get_peft_model_state_dict, inject_adapter_in_model
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, processors
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from kinogate.domain.knobs import Expert, Knobs, Lora
from kinogate.domain.order import AudioMode, InputFile, Mode, Order, Role
from kinogate.engines.diffusers.card_rows import CARDS
from kinogate.engines.diffusers.options import ModelSetup
from kinogate.media.encode import Mp4Writer

CARD_OF = {
    "t2v": "wan2.1-t2v-1.3b",
    "i2v": "wan2.1-i2v-14b-480p",
    "flf2v": "wan2.1-flf2v-14b",
    "a14b-t2v": "wan2.2-t2v-a14b",
    "a14b-i2v": "wan2.2-i2v-a14b",
    "ti2v": "wan2.2-ti2v-5b",
    "vace": "wan2.1-vace-1.3b",
}
VARIANTS = tuple(CARD_OF)
_SPECIALS = ("<pad>", "</s>", "<unk>")
_ids = itertools.count(1)


def save(variant: str, folder: Path) -> Path:
    """Write a variant's folder."""
    pipe = small.build(variant)
    pipe.register_modules(text_encoder=_text_encoder(), tokenizer=_tokenizer())
    pipe.save_pretrained(str(folder), safe_serialization=True)
    return folder


def save_lora(variant: str, file: Path, seed: int = 5) -> Path:
    """Write an adapter for the variant's transformer that changes what it makes."""
    transformer = small.build(variant).transformer
    config = LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False)
    torch.manual_seed(seed)
    inject_adapter_in_model(config, transformer)
    state = get_peft_model_state_dict(transformer)
    save_file(
        {f"transformer.{name}": tensor.detach().contiguous() for name, tensor in state.items()},
        str(file),
    )
    return file


def _text_encoder() -> UMT5EncoderModel:
    torch.manual_seed(3)
    config = UMT5Config(
        vocab_size=320,
        d_model=16,
        d_kv=8,
        d_ff=37,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        is_encoder_decoder=False,
    )
    return UMT5EncoderModel(config).eval()


def _tokenizer() -> PreTrainedTokenizerFast:
    """Every byte is a token; nothing is unknown and nothing has to be downloaded."""
    pieces = [(piece, 0.0) for piece in _SPECIALS]
    pieces += [(f"<0x{byte:02X}>", -1.0) for byte in range(256)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=True))
    tokenizer.decoder = decoders.ByteFallback()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def a_setup(variant: str, folder: Path, **changes: Any) -> ModelSetup:
    """The operator's entry for a folder."""
    return ModelSetup(card=CARDS[CARD_OF[variant]], source=str(folder), **changes)


def an_order(variant: str, inputs: tuple[InputFile, ...] = (), **changes: Any) -> Order:
    """Half a second of 64 by 64 pixels in two steps, from what the variant takes."""
    fps = CARDS[CARD_OF[variant]].fps
    order = Order(
        task_id=f"00000000-0000-4000-8000-{next(_ids):012x}",
        mode=_mode(variant),
        model=CARDS[CARD_OF[variant]].serves[0],
        prompt="a red kite over the dunes, 沙丘",
        inputs=inputs,
        width=64,
        height=64,
        fps=fps,
        frame_count=fps // 2,
        duration_s=0.5,
        audio=AudioMode.OFF,
        seed=7,
        knobs=Knobs(steps=2),
    )
    return replace(order, **changes)


def _mode(variant: str) -> Mode:
    modes = {"i2v": Mode.I2V, "a14b-i2v": Mode.I2V, "flf2v": Mode.KF2V, "vace": Mode.R2V}
    return modes.get(variant, Mode.T2V)


def inputs_of(variant: str, folder: Path) -> tuple[InputFile, ...]:
    """The pictures that `an_order` of the variant needs, as files."""
    roles = {
        "i2v": (Role.FIRST_FRAME,),
        "a14b-i2v": (Role.FIRST_FRAME,),
        "flf2v": (Role.FIRST_FRAME, Role.LAST_FRAME),
        "vace": (Role.REFERENCE_IMAGE,),
    }
    return tuple(
        InputFile(role=role, path=str(a_picture(folder / f"{role.value}.png", seed=number)))
        for number, role in enumerate(roles.get(variant, ()))
    )


def a_picture(file: Path, *, width: int = 90, height: int = 70, seed: int = 0) -> Path:
    """A picture of coloured noise; another seed is another one."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file)
    return file


def a_clip(file: Path, *, seconds: float, fps: int = 30) -> Path:
    """A clip of coloured noise."""
    rng = np.random.default_rng(4)
    with Mp4Writer(file, width=90, height=70, fps=fps, audio_rate=None, tags=()) as writer:
        for _ in range(round(seconds * fps)):
            writer.write(rng.integers(0, 255, (70, 90, 3), dtype=np.uint8))
    return file


def a_mask(file: Path) -> Path:
    """The left half black, to keep; the right half white, to make."""
    pixels = np.zeros((70, 90), dtype=np.uint8)
    pixels[:, 45:] = 255
    Image.fromarray(pixels).save(file)
    return file


def with_lora(knobs: Knobs, name: str, weight: float, expert: Expert = Expert.BOTH) -> Knobs:
    """The knobs with one adapter more."""
    lora = Lora(name=name, weight=weight, expert=expert)
    return replace(knobs, loras=(*knobs.loras, lora))


def damaged(how: str, good: Path, other: Path, folder: Path) -> Path:
    """A copy of the folder `good` with something wrong; of `other` where that is what is wrong."""
    if how == "gone":
        return folder
    shutil.copytree(other if how == "another model" else good, folder)
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    match how:
        case "no index":
            (folder / "model_index.json").unlink()
        case "no transformer":
            shutil.rmtree(folder / "transformer")
        case "cut short":
            weights.write_bytes(weights.read_bytes()[:-100])
        case "other names":
            state = load_file(weights)
            save_file({f"else.{name}": tensor for name, tensor in state.items()}, weights)
    return folder


def save_foreign_lora(file: Path) -> Path:
    """Write an adapter whose layers no Wan transformer has the sizes of."""
    name = "transformer.blocks.0.attn1.to_q"
    state = {f"{name}.lora_A.weight": torch.ones(2, 7), f"{name}.lora_B.weight": torch.ones(5, 2)}
    save_file(state, str(file))
    return file


def reshape(part: Path) -> None:
    """Give every tensor of a component one row more."""
    (weights,) = part.glob("*.safetensors")
    state = load_file(weights)
    save_file(
        {name: torch.cat([tensor, tensor[:1]]).contiguous() for name, tensor in state.items()},
        weights,
        metadata={"format": "pt"},
    )
