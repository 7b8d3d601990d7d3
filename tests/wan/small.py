"""Wan pipelines of a few kilobytes with random weights, in memory, for tests of single parts.

They have no text encoder: prompts are given as random embeddings, the same for the same seed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
    WanVACEPipeline,
    WanVACETransformer3DModel,
)
from PIL import Image
from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel

VARIANTS = ("t2v", "i2v", "flf2v", "a14b-t2v", "a14b-i2v", "ti2v", "ti2v-image", "vace")
SIDE, FRAMES = 64, 9
_TEXT_WIDTH = 16


def vae(kind: str = "2.1", dtype: torch.dtype = torch.float32) -> AutoencoderKLWan:
    torch.manual_seed(0)
    if kind == "2.1":
        model = AutoencoderKLWan(base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1)
    else:
        model = AutoencoderKLWan(
            base_dim=3,
            decoder_base_dim=4,
            z_dim=48,
            dim_mult=[1, 1, 1, 1],
            num_res_blocks=1,
            is_residual=True,
            in_channels=12,
            out_channels=12,
            patch_size=2,
            scale_factor_spatial=16,
            latents_mean=[0.1] * 48,
            latents_std=[1.3] * 48,
        )
    return model.to(dtype).eval()


def transformer(seed: int = 0, layers: int = 3, **members: Any) -> WanTransformer3DModel:
    torch.manual_seed(seed)
    kind = WanVACETransformer3DModel if "vace_layers" in members else WanTransformer3DModel
    sizes = {"in_channels": 16, "out_channels": 16} | members
    model = kind(
        num_attention_heads=2,
        attention_head_dim=12,
        text_dim=_TEXT_WIDTH,
        ffn_dim=32,
        num_layers=layers,
        rope_max_seq_len=128,
        **sizes,
    )
    return model.eval()


def _eye() -> dict[str, Any]:
    """An image encoder of five tokens."""
    torch.manual_seed(2)
    config = CLIPVisionConfig(
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
    )
    size = {"height": 32, "width": 32}
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=size)
    return {"image_encoder": CLIPVisionModel(config).eval(), "image_processor": processor}


def build(variant: str) -> Any:
    """A pipeline of the variant, on the CPU, in float32."""
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    parts: dict[str, Any] = {
        "tokenizer": None,
        "text_encoder": None,
        "scheduler": scheduler,
        "vae": vae("2.2" if variant.startswith("ti2v") else "2.1"),
    }
    match variant:
        case "t2v":
            pipe = WanPipeline(**parts, transformer=transformer())
        case "a14b-t2v":
            parts |= {"transformer": transformer(), "transformer_2": transformer(seed=1)}
            pipe = WanPipeline(**parts, boundary_ratio=0.875)
        case "ti2v" | "ti2v-image":
            parts["transformer"] = transformer(in_channels=48, out_channels=48)
            kind = WanPipeline if variant == "ti2v" else WanImageToVideoPipeline
            if kind is WanImageToVideoPipeline:
                parts |= {"image_encoder": None, "image_processor": None}
            pipe = kind(**parts, expand_timesteps=True)
        case "vace":
            parts["transformer"] = transformer(vace_layers=[0, 2], vace_in_channels=96)
            pipe = WanVACEPipeline(**parts)
        case "a14b-i2v":
            parts |= {"image_encoder": None, "image_processor": None}
            parts |= {
                "transformer": transformer(in_channels=36),
                "transformer_2": transformer(seed=1, in_channels=36),
            }
            pipe = WanImageToVideoPipeline(**parts, boundary_ratio=0.9)
        case _:
            pictures = {"pos_embed_seq_len": 10} if variant == "flf2v" else {}
            parts |= _eye()
            parts["transformer"] = transformer(
                in_channels=36, image_dim=8, added_kv_proj_dim=24, **pictures
            )
            pipe = WanImageToVideoPipeline(**parts)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def picture(seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def call(
    pipe: Any,
    variant: str,
    *,
    steps: int = 2,
    seed: int = 3,
    on_step: Callable[[int], None] | None = None,
    **given: Any,
) -> np.ndarray:
    """Run a pipeline; float32 frames `[9, 64, 64, 3]`, or latents where `output_type` says so."""
    random = torch.Generator().manual_seed(100 + seed)
    embeds = torch.randn(2, 512, _TEXT_WIDTH, generator=random)
    members: dict[str, Any] = {
        "prompt_embeds": embeds[:1],
        "negative_prompt_embeds": embeds[1:],
        "height": SIDE,
        "width": SIDE,
        "num_frames": FRAMES,
        "num_inference_steps": steps,
        "guidance_scale": 5.0,
        "generator": torch.Generator().manual_seed(seed),
        "output_type": "np",
    }
    if variant in {"i2v", "flf2v", "a14b-i2v", "ti2v-image"}:
        members["image"] = picture()
    if variant == "flf2v":
        members["last_image"] = picture(1)
    if on_step is not None:

        def stepped(_pipe: Any, i: int, _t: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
            on_step(i)
            return kwargs

        members["callback_on_step_end"] = stepped
    return pipe(**members | given).frames[0]
