"""The formulas of `flops.py` against operations counted in diffusers' own modules, at full size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel, WanVACETransformer3DModel
from torch.utils.flop_counter import FlopCounterMode

from kinogate.engines.diffusers import flops
from kinogate.engines.diffusers.flops import (
    IMAGE_TOKENS,
    VAE_21,
    VAE_22,
    Shape,
    TransformerDims,
    VaeDims,
)

P480 = Shape(width=832, height=480, frames=81)
P720 = Shape(width=1280, height=720, frames=81)
TI2V_SHAPE = Shape(width=1280, height=704, frames=121)

DITS = {
    "1.3B": (TransformerDims(layers=30, width=1536, ffn=8960, heads=12), VAE_21, P480),
    "14B": (TransformerDims(layers=40, width=5120, ffn=13824, heads=40), VAE_21, P720),
    "14B I2V": (
        TransformerDims(
            layers=40, width=5120, ffn=13824, heads=40, in_channels=36, image_tokens=257
        ),
        VAE_21,
        P480,
    ),
    "14B FLF2V": (
        TransformerDims(
            layers=40, width=5120, ffn=13824, heads=40, in_channels=36, image_tokens=514
        ),
        VAE_21,
        P720,
    ),
    "TI2V-5B": (
        TransformerDims(
            layers=30, width=3072, ffn=14336, heads=24, in_channels=48, out_channels=48
        ),
        VAE_22,
        TI2V_SHAPE,
    ),
    "VACE 1.3B": (
        TransformerDims(layers=30, width=1536, ffn=8960, heads=12, control_layers=15),
        VAE_21,
        P480,
    ),
}


def counted(work: Callable[[], object]) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def transformer(dims: TransformerDims) -> torch.nn.Module:
    members = {
        "num_attention_heads": dims.heads,
        "attention_head_dim": dims.width // dims.heads,
        "in_channels": dims.in_channels,
        "out_channels": dims.out_channels,
        "text_dim": dims.text_width,
        "ffn_dim": dims.ffn,
        "num_layers": dims.layers,
    }
    if dims.image_tokens:
        members |= {"image_dim": dims.image_width, "added_kv_proj_dim": dims.width}
    if dims.image_tokens > IMAGE_TOKENS:
        members |= {"pos_embed_seq_len": dims.image_tokens}
    with torch.device("meta"):
        if dims.control_layers:
            layers = list(range(0, dims.layers, dims.layers // dims.control_layers))
            return WanVACETransformer3DModel(vace_layers=layers, **members)
        return WanTransformer3DModel(**members)


def autoencoder(vae: VaeDims) -> AutoencoderKLWan:
    with torch.device("meta"):
        if not vae.is_residual:
            return AutoencoderKLWan()
        return AutoencoderKLWan(
            base_dim=160,
            decoder_base_dim=256,
            z_dim=48,
            is_residual=True,
            in_channels=12,
            out_channels=12,
            patch_size=2,
            scale_factor_spatial=16,
            latents_mean=[0.0] * 48,
            latents_std=[1.0] * 48,
        )


def latent(vae: VaeDims, channels: int, shape: Shape) -> torch.Tensor:
    size = (shape.height // vae.stride, shape.width // vae.stride)
    return torch.empty(1, channels, shape.latent_frames, *size, device="meta")


@pytest.mark.parametrize("name", DITS)
def test_a_pass_of_a_full_size_transformer_costs_what_the_formula_says(name: str) -> None:
    dims, vae, shape = DITS[name]
    model = transformer(dims)
    given: dict[str, object] = {}
    if dims.image_tokens:
        pictures = dims.image_tokens // IMAGE_TOKENS
        given["encoder_hidden_states_image"] = torch.empty(
            pictures, IMAGE_TOKENS, dims.image_width, device="meta"
        )
    if dims.control_layers:
        given["control_hidden_states"] = latent(vae, dims.control_channels, shape)
        given["control_hidden_states_scale"] = torch.ones(dims.control_layers, device="meta")
    found = counted(
        lambda: model(
            hidden_states=latent(vae, dims.in_channels, shape),
            timestep=torch.empty(1, device="meta"),
            encoder_hidden_states=torch.empty(1, 512, dims.text_width, device="meta"),
            **given,
        )
    )
    assert flops.transformer_flops(dims, vae, shape) == pytest.approx(found, rel=1e-3)
    weights = sum(weight.numel() for weight in model.parameters())
    assert flops.transformer_parameters(dims) == weights


@pytest.mark.parametrize(("vae", "shape"), [(VAE_21, P480), (VAE_21, P720), (VAE_22, TI2V_SHAPE)])
def test_a_full_size_autoencoder_costs_what_the_formula_says(vae: VaeDims, shape: Shape) -> None:
    model = autoencoder(vae)
    decoded = counted(lambda: model.decode(latent(vae, vae.z, shape)))
    clip = torch.empty(1, 3, shape.frames, shape.height, shape.width, device="meta")
    encoded = counted(lambda: model.encode(clip))
    assert flops.vae_decode_flops(vae, shape) == pytest.approx(decoded, rel=1e-3)
    assert flops.vae_encode_flops(vae, shape) == pytest.approx(encoded, rel=1e-3)
    assert vae.parameters == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize("vae", [VAE_21, VAE_22])
def test_a_still_costs_what_the_formula_says(vae: VaeDims) -> None:
    still = Shape(width=832, height=480, frames=1)
    model = autoencoder(vae)
    clip = torch.empty(1, 3, 1, still.height, still.width, device="meta")
    assert flops.vae_encode_flops(vae, still) == counted(lambda: model.encode(clip))
    assert flops.vae_decode_flops(vae, still) == counted(
        lambda: model.decode(latent(vae, vae.z, still))
    )
