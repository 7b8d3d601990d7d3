"""The open Wan weights as data: one card for each that a diffusers pipeline can run.

Repositories and native tiers are the catalogue's (section 6). Sampling is Wan2.2's own configuration
and Wan2.1's `generate.py` (40 steps for i2v and 50 else; shift 3 for i2v at 480P, 16 for first and
last frame, 5 else) as read for the notes on engines, section 5; the sizes are the configurations
that the notes' section 6 lists and our tests count. Licences are the repositories' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from kinogate.domain.order import Mode
from kinogate.domain.resolution import Tier
from kinogate.engines.diffusers.cards import Card, Kind
from kinogate.engines.diffusers.flops import VAE_21, VAE_22, TransformerDims

_DIMS_1B = TransformerDims(layers=30, width=1536, ffn=8960, heads=12)
_DIMS_5B = TransformerDims(
    layers=30, width=3072, ffn=14336, heads=24, in_channels=48, out_channels=48
)
_DIMS_14B = TransformerDims(layers=40, width=5120, ffn=13824, heads=40)
# 16 channels of noise, 16 of the condition and 4 of its mask.
_DIMS_14B_I2V = replace(_DIMS_14B, in_channels=36)
_WAN21 = "Wan2.1 generate.py; catalogue section 6"
_WAN22 = "Wan2.2 wan/configs; catalogue section 6"

_T2V_1B = Card(
    name="wan2.1-t2v-1.3b",
    repo="Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
    kind=Kind.T2V,
    serves=("wan2.1-t2v-turbo",),
    modes=frozenset({Mode.T2V}),
    top_tier=Tier.P480,
    dims=_DIMS_1B,
    vae=VAE_21,
    source=_WAN21,
)
_T2V_14B = replace(
    _T2V_1B,
    name="wan2.1-t2v-14b",
    repo="Wan-AI/Wan2.1-T2V-14B-Diffusers",
    serves=("wan2.1-t2v-plus",),
    top_tier=Tier.P720,
    dims=_DIMS_14B,
)
_I2V_14B_480P = Card(
    name="wan2.1-i2v-14b-480p",
    repo="Wan-AI/Wan2.1-I2V-14B-480P-Diffusers",
    kind=Kind.I2V,
    serves=("wan2.1-i2v-turbo",),
    modes=frozenset({Mode.I2V}),
    top_tier=Tier.P480,
    steps=40,
    shift=3.0,
    dims=replace(_DIMS_14B_I2V, image_tokens=257),
    vae=VAE_21,
    has_image_encoder=True,
    source=_WAN21,
)
_I2V_14B_720P = replace(
    _I2V_14B_480P,
    name="wan2.1-i2v-14b-720p",
    repo="Wan-AI/Wan2.1-I2V-14B-720P-Diffusers",
    serves=("wan2.1-i2v-plus",),
    top_tier=Tier.P720,
)
_FLF2V_14B = replace(
    _I2V_14B_720P,
    name="wan2.1-flf2v-14b",
    repo="Wan-AI/Wan2.1-FLF2V-14B-720P-diffusers",
    serves=("wan2.1-kf2v-plus", "wan2.2-kf2v-flash"),
    modes=frozenset({Mode.KF2V}),
    steps=50,
    guidance=5.5,  # diffusers' own example for these weights
    shift=16.0,
    shift_720=16.0,
    dims=replace(_DIMS_14B_I2V, image_tokens=514),
    takes_last_frame=True,
)
_VACE_14B = Card(
    name="wan2.1-vace-14b",
    repo="Wan-AI/Wan2.1-VACE-14B-diffusers",
    kind=Kind.VACE,
    serves=("wan2.1-vace-plus",),
    modes=frozenset({Mode.R2V, Mode.CLIP, Mode.EDIT}),
    # diffusers' own examples; Wan2.1's script has no other figure for these weights.
    shift=3.0,
    dims=replace(_DIMS_14B, control_layers=8),
    vae=VAE_21,
    takes_last_frame=True,
    source="diffusers' documentation of WanVACEPipeline; catalogue section 6",
)
_VACE_1B = replace(
    _VACE_14B,
    name="wan2.1-vace-1.3b",
    repo="Wan-AI/Wan2.1-VACE-1.3B-diffusers",
    top_tier=Tier.P480,
    dims=replace(_DIMS_1B, control_layers=15),
)
_T2V_A14B = Card(
    name="wan2.2-t2v-a14b",
    repo="Wan-AI/Wan2.2-T2V-A14B-Diffusers",
    kind=Kind.T2V,
    serves=("wan2.2-t2v-plus",),
    modes=frozenset({Mode.T2V}),
    steps=40,
    guidance=4.0,
    guidance_2=3.0,
    shift=12.0,
    shift_720=12.0,
    boundary=0.875,
    dims=_DIMS_14B,
    vae=VAE_21,
    source=_WAN22,
)
_I2V_A14B = Card(
    name="wan2.2-i2v-a14b",
    repo="Wan-AI/Wan2.2-I2V-A14B-Diffusers",
    kind=Kind.I2V,
    serves=("wan2.2-i2v-plus",),
    modes=frozenset({Mode.I2V, Mode.KF2V}),
    steps=40,
    guidance=3.5,
    guidance_2=3.5,
    boundary=0.9,
    dims=_DIMS_14B_I2V,
    vae=VAE_21,
    takes_last_frame=True,
    source=_WAN22,
)
_TI2V_5B = Card(
    name="wan2.2-ti2v-5b",
    repo="Wan-AI/Wan2.2-TI2V-5B-Diffusers",
    kind=Kind.T2V,
    serves=("wan2.2-i2v-flash",),
    modes=frozenset({Mode.T2V, Mode.I2V}),
    fps=24,
    longest_frames=121,
    multiple=32,
    dims=_DIMS_5B,
    vae=VAE_22,
    source=_WAN22,
)

CARDS: Mapping[str, Card] = MappingProxyType(
    {
        card.name: card
        for card in (
            _T2V_1B,
            _T2V_14B,
            _I2V_14B_480P,
            _I2V_14B_720P,
            _FLF2V_14B,
            _VACE_1B,
            _VACE_14B,
            _T2V_A14B,
            _I2V_A14B,
            _TI2V_5B,
        )
    }
)
"""Every card by its name."""
