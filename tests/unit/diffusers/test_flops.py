"""The price of a run in operations, bytes and seconds, without torch.

The figures come from counting diffusers' own modules on meta tensors; `tests/wan` counts them again.
"""

from __future__ import annotations

import pytest

from kinogate.engines.diffusers import flops
from kinogate.engines.diffusers.flops import VAE_21, VAE_22, Rates, Shape, TransformerDims

SMALL = TransformerDims(layers=30, width=1536, ffn=8960, heads=12)
LARGE = TransformerDims(layers=40, width=5120, ffn=13824, heads=40)
TI2V = TransformerDims(layers=30, width=3072, ffn=14336, heads=24, in_channels=48, out_channels=48)
P480 = Shape(width=832, height=480, frames=81)
P720 = Shape(width=1280, height=704, frames=121)


@pytest.mark.parametrize(
    ("dims", "vae", "shape", "counted"),
    [
        (SMALL, VAE_21, P480, 283_001_787_777_024),
        (LARGE, VAE_21, P480, 1_678_370_283_192_320),
        (TI2V, VAE_22, P720, 517_007_759_376_384),
    ],
)
def test_a_pass_costs_what_was_counted(
    dims: TransformerDims, vae: flops.VaeDims, shape: Shape, counted: int
) -> None:
    assert flops.transformer_flops(dims, vae, shape) == counted


@pytest.mark.parametrize(
    ("vae", "shape", "decoded", "encoded"),
    [
        (VAE_21, P480, 275_352_205_639_680, 163_749_702_205_440),
        (VAE_22, P720, 2_011_137_824_030_720, 382_641_064_509_440),
    ],
)
def test_the_autoencoder_costs_what_was_counted(
    vae: flops.VaeDims, shape: Shape, decoded: int, encoded: int
) -> None:
    assert flops.vae_decode_flops(vae, shape) == decoded
    assert flops.vae_encode_flops(vae, shape) == encoded


def test_a_still_needs_no_work_along_time() -> None:
    still = Shape(width=832, height=480, frames=1)
    assert flops.vae_decode_flops(VAE_21, still) * 21 < flops.vae_decode_flops(VAE_21, P480)
    assert flops.vae_encode_flops(VAE_21, still) * 81 < flops.vae_encode_flops(VAE_21, P480) * 1.5


def test_weights_are_counted_by_the_formula() -> None:
    assert flops.transformer_parameters(SMALL) == 1_418_996_800
    assert flops.transformer_parameters(TI2V) == 4_999_787_712
    assert flops.transformer_parameters(LARGE) == 14_288_491_584


def test_guidance_doubles_the_denoising_and_nothing_else() -> None:
    free = flops.stage_flops(TI2V, VAE_22, P720, steps=4, is_guided=False)
    guided = flops.stage_flops(TI2V, VAE_22, P720, steps=4, is_guided=True)
    assert guided.denoise == 2 * free.denoise
    assert (guided.text, guided.image, guided.decode) == (free.text, free.image, free.decode)


def test_stages_add_up_to_the_whole_run() -> None:
    stages = flops.stage_flops(
        LARGE, VAE_21, P480, steps=40, is_guided=True, encoded_frames=P480.frames
    )
    assert stages.image == flops.vae_encode_flops(VAE_21, P480)
    assert stages.total == sum((stages.text, stages.image, stages.denoise, stages.decode))
    assert stages.total == flops.video_flops(
        LARGE, VAE_21, P480, steps=40, is_guided=True, encoded_frames=P480.frames
    )


def test_embeddings_at_hand_cost_nothing() -> None:
    stages = flops.stage_flops(SMALL, VAE_21, P480, steps=1, is_guided=True, prompts=0)
    assert stages.text == 0


def test_two_experts_and_a_text_encoder_need_their_room() -> None:
    both = flops.weight_bytes(LARGE, VAE_21, experts=2)
    alone = flops.weight_bytes(LARGE, VAE_21, experts=2, has_text_encoder=False)
    assert both - alone == pytest.approx(11.4e9, rel=0.01)
    assert alone == pytest.approx(57.4e9, rel=0.01)


def test_longer_and_larger_clips_need_more_memory() -> None:
    short = flops.working_bytes(TI2V, VAE_22, Shape(width=640, height=352, frames=49))
    assert short < flops.working_bytes(TI2V, VAE_22, P720) < 80 * flops.GIB


def test_the_first_run_sets_the_rate_and_later_ones_move_it() -> None:
    rates = Rates(weight=0.5)
    assert rates.rate("wan", "2^15") is None
    rates.learn("wan", "2^15", flops=100.0, took_s=1.0)
    rates.learn("wan", "2^15", flops=200.0, took_s=1.0)
    assert rates.rate("wan", "2^15") == 150.0


def test_an_unseen_class_borrows_the_rate_of_its_engine_only() -> None:
    rates = Rates()
    rates.learn("wan", "2^15", flops=100.0, took_s=1.0)
    assert rates.rate("wan", "2^12") == 100.0
    assert rates.rate("other", "2^15") is None


def test_a_run_without_length_teaches_nothing() -> None:
    rates = Rates()
    rates.learn("wan", "2^15", flops=100.0, took_s=0.0)
    assert rates.rate("wan", "2^15") is None


def test_shapes_of_similar_size_share_a_class() -> None:
    landscape = Shape(width=832, height=480, frames=81)
    portrait = Shape(width=480, height=832, frames=81)
    assert flops.shape_class(VAE_21, landscape) == flops.shape_class(VAE_21, portrait)
    assert flops.shape_class(VAE_21, landscape) != flops.shape_class(
        VAE_21, Shape(width=1280, height=720, frames=81)
    )


def test_seconds_follow_from_the_rate() -> None:
    work = 100 * flops.transformer_flops(TI2V, VAE_22, P720)
    assert flops.seconds(work, 790e12) == pytest.approx(65.4, abs=0.1)
