"""Wan pipelines of full size with random weights, made on the device; and the same ones tiny.

Weights are normally distributed: a card multiplies zeros faster than anything a trained model holds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from tokenizers import Tokenizer, decoders, models, processors
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from kinogate.engines.diffusers.card_rows import CARDS
from kinogate.engines.diffusers.cards import Card, Kind
from kinogate.engines.diffusers.flops import TransformerDims, VaeDims
from kinogate.engines.diffusers.folder import vae_dims
from kinogate.engines.diffusers.levers import apply
from kinogate.engines.diffusers.load import Resident
from kinogate.engines.diffusers.options import ModelSetup
from kinogate.engines.diffusers.recipes import RECIPES
from kinogate.engines.diffusers.rungs import Rung
from kinogate.engines.diffusers.texts import EmbeddingCache, Texts

TI2V, A14B, SMALL = "wan2.2-ti2v-5b", "wan2.2-t2v-a14b", "wan2.1-t2v-1.3b"


def card_of(name: str, *, is_tiny: bool) -> Card:
    """A card, with the sizes of a toy where that is wanted."""
    card = CARDS[name]
    if not is_tiny:
        return card
    return replace(
        card, dims=replace(card.dims, layers=3, width=24, ffn=32, heads=2, text_width=16)
    )


def transformer(dims: TransformerDims, device: torch.device, dtype: torch.dtype) -> Any:
    """One expert; what the library keeps in float32 is float32 here as well."""
    with torch.device(device), _default_dtype(dtype):
        model = WanTransformer3DModel(
            num_attention_heads=dims.heads,
            attention_head_dim=dims.width // dims.heads,
            in_channels=dims.in_channels,
            out_channels=dims.out_channels,
            text_dim=dims.text_width,
            ffn_dim=dims.ffn,
            num_layers=dims.layers,
        )
    kept = set(model._keep_in_fp32_modules)  # noqa: SLF001 - what `from_pretrained` goes by
    generator = torch.Generator(device).manual_seed(1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if kept & set(name.split(".")):
                weight.data = weight.data.float()
            if weight.ndim > 1:
                weight.normal_(0.0, 0.02, generator=generator)
    return model.eval().requires_grad_(requires_grad=False)


def autoencoder(dims: VaeDims, device: torch.device, *, is_tiny: bool) -> Any:
    """A video autoencoder in float32."""
    tiny: dict[str, Any] = {"base_dim": 3, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1}
    more: dict[str, Any] = {}
    if dims.is_residual:
        more = {
            "base_dim": dims.base,
            "decoder_base_dim": 4 if is_tiny else dims.decoder_base,
            "z_dim": dims.z,
            "is_residual": True,
            "in_channels": 12,
            "out_channels": 12,
            "patch_size": dims.patch,
            "scale_factor_spatial": dims.stride,
            "latents_mean": [0.0] * dims.z,
            "latents_std": [1.0] * dims.z,
        }
    with torch.device(device):
        model = AutoencoderKLWan(**(more | (tiny if is_tiny else {})))
    return model.eval().requires_grad_(requires_grad=False)


def pipeline(card: Card, device: torch.device, dtype: torch.dtype, *, is_tiny: bool) -> Any:
    """A pipeline without text encoder; of a model with two experts only the first is there.

    Both experts are alike and only one is at work in a step, so that a step can be timed on it.
    """
    pipe = WanPipeline(
        tokenizer=None,
        text_encoder=None,
        vae=autoencoder(card.vae, device, is_tiny=is_tiny),
        scheduler=UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=card.shift
        ),
        transformer=transformer(card.dims, device, dtype),
        expand_timesteps=card.vae.is_residual,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def twin(pipe: Any) -> Any:
    """The same pipeline again: its transformer shares the weights, its autoencoder has its own.

    Levers change how a transformer is called and what an autoencoder's weights look like, so stock
    and ours can be timed side by side without holding a large transformer twice.
    """
    model = pipe.transformer
    tensors = (*model.parameters(), *model.buffers())
    parts = dict(pipe.components) | {
        "transformer": copy.deepcopy(model, {id(tensor): tensor for tensor in tensors}),
        "vae": copy.deepcopy(pipe.vae),
    }
    other = type(pipe)(**parts, expand_timesteps=pipe.config.expand_timesteps)
    other.set_progress_bar_config(disable=True)
    return other


def resident(pipe: Any, card: Card, preset: str, device: torch.device, dtype: str) -> Resident:
    """The engine's own view of a pipeline, with the preset's levers pulled on it."""
    card = replace(card, boundary=None, guidance_2=None)
    is_distilled = RECIPES[preset].is_distilled
    return Resident(
        setup=ModelSetup(card=card, source="random", is_distilled=is_distilled),
        preset=preset,
        rung=Rung.WHOLE,
        active=apply(pipe, RECIPES[preset], device, is_distilled=is_distilled),
        texts=Texts(EmbeddingCache(), encoder="none"),
        pipelines={Kind.T2V: pipe},
        device=str(device),
        dtype=dtype,
        dims=card.dims,
        vae=vae_dims(pipe.vae.config, card.vae.parameters),
        weight_bytes=sum(
            weight.numel() * weight.element_size()
            for part in (pipe.transformer, pipe.vae)
            for weight in part.parameters()
        ),
    )


def save(card: Card, folder: Path, device: torch.device, *, is_tiny: bool) -> None:
    """A whole folder of random weights that the real engine can load, with a toy text encoder.

    The toy gives embeddings of the right width, and is to the clock what a kept embedding is.
    """
    pipe = pipeline(card, device, torch.bfloat16, is_tiny=is_tiny)
    config = UMT5Config(
        vocab_size=320,
        d_model=card.dims.text_width,
        d_kv=8,
        d_ff=64,
        num_layers=1,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        is_encoder_decoder=False,
    )
    encoder = UMT5EncoderModel(config).eval()
    pipe.register_modules(text_encoder=encoder, tokenizer=_tokenizer())
    pipe.save_pretrained(str(folder), safe_serialization=True)


def _tokenizer() -> PreTrainedTokenizerFast:
    """Every byte is a token."""
    pieces = [(special, 0.0) for special in ("<pad>", "</s>", "<unk>")]
    pieces += [(f"<0x{byte:02X}>", -1.0) for byte in range(256)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=True))
    tokenizer.decoder = decoders.ByteFallback()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
