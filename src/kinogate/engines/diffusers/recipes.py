"""What each preset pulls, as data; which of it a machine really has is found by `levers.apply`.

| preset | what it is |
|---|---|
| lossless | the library's own computation, sooner: no step, block or bit of precision is left out |
| balanced | the same with the autoencoder in bfloat16 and steps that hardly change reused |
| fast | also eight-bit matrices and approximate attention, and more steps reused |
| turbo | step-distilled weights: few steps, no guidance, nothing to reuse |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

EXACT_ATTENTION = ("_flash_3", "_native_cudnn", "flash", "_native_flash")
"""Names of diffusers' backends, quickest first (Hopper, published); the library's own is last."""
ROUGH_ATTENTION = ("_sage_qk_int8_pv_fp8_cuda_sm90", "sage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One preset.

    Attributes:
        name: As in `domain.knobs.PRESETS`.
        compiles: Compile the repeated blocks.
        attention: Backends to try before the library's own.
        tf32: Let float32 matrices be multiplied with ten bits of mantissa.
        is_vae_tuned: Channels last, the convolutions' best algorithm, norms in one kernel.
        is_vae_halved: The autoencoder in bfloat16 whatever it was loaded as.
        fp8: Matrices of the blocks in eight bits.
        reuse: Threshold of the first-block cache, above 0.0; None without it. 0.05-0.1 is called
            near-lossless by diffusers' documentation.
        is_distilled: Needs step-distilled weights, or a LoRA that makes them so.
        steps: Steps unless the caller names another number; None leaves it to the card.
        guidance: Guidance unless the caller names another; 1.0 is one pass a step.
        shift: Flow shift, likewise.
    """

    name: str
    compiles: bool = True
    attention: tuple[str, ...] = EXACT_ATTENTION
    tf32: bool = True
    is_vae_tuned: bool = True
    is_vae_halved: bool = False
    fp8: bool = False
    reuse: float | None = None
    is_distilled: bool = False
    steps: int | None = None
    guidance: float | None = None
    shift: float | None = None


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe(name="lossless"),
            Recipe(name="balanced", is_vae_halved=True, reuse=0.08),
            Recipe(
                name="fast",
                attention=ROUGH_ATTENTION + EXACT_ATTENTION,
                is_vae_halved=True,
                fp8=True,
                reuse=0.12,
            ),
            # 4 steps, guidance 1, shift 5: what the published step-distilled LoRAs for Wan ask for.
            Recipe(
                name="turbo",
                is_vae_halved=True,
                is_distilled=True,
                steps=4,
                guidance=1.0,
                shift=5.0,
            ),
        )
    }
)

REUSE_FROM_STEPS = 10
"""Fewer steps than this are too far apart for one to stand in for another."""
