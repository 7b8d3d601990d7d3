"""Frames that leave the autoencoder one latent at a time, against the library's decode in one go."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import small
import torch
from diffusers import AutoencoderKLWan
from diffusers.video_processor import VideoProcessor

from kinogate.engines.diffusers.decode import Frames, decode, stream

KINDS = ("2.1", "2.2")


def some_latents(vae: AutoencoderKLWan, frames: int = 3, side: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.randn(1, vae.config.z_dim, frames, side, side, generator=generator)


def stock_frames(vae: AutoencoderKLWan, latents: torch.Tensor) -> Frames:
    """What a pipeline does with its latents, and what becomes of them as 8-bit pictures."""
    shape = (1, vae.config.z_dim, 1, 1, 1)
    z = latents.to(vae.dtype)
    mean = torch.tensor(vae.config.latents_mean).view(shape).to(z.dtype)
    inverse = 1.0 / torch.tensor(vae.config.latents_std).view(shape).to(z.dtype)
    with torch.no_grad():
        video = vae.decode(z / inverse + mean, return_dict=False)[0]
    whole = VideoProcessor(vae_scale_factor=8).postprocess_video(video, output_type="np")[0]
    return (whole * 255).round().astype(np.uint8)


def ours(vae: AutoencoderKLWan, latents: torch.Tensor) -> Frames:
    taken: list[Frames] = []
    assert decode(vae, latents, taken.append) == sum(len(piece) for piece in taken)
    return np.concatenate(taken)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_frames_are_those_of_the_stock_decoder_to_the_bit(
    kind: str, dtype: torch.dtype, frames: int
) -> None:
    vae = small.vae(kind, dtype)
    latents = some_latents(vae, frames)
    expected = stock_frames(vae, latents)
    assert expected.shape[0] == 1 + 4 * (frames - 1)
    assert expected.std() > 0
    assert np.array_equal(ours(vae, latents), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_one_frame_comes_first_and_then_four_a_turn(kind: str) -> None:
    vae = small.vae(kind)
    pieces = [piece.shape[0] for piece in stream(vae, some_latents(vae, 4))]
    assert pieces == [1, 4, 4, 4]


def test_the_first_frame_is_out_before_the_second_latent_is_decoded() -> None:
    vae = small.vae("2.1")
    turns = 0

    def count(*_: object) -> None:
        nonlocal turns
        turns += 1

    vae.decoder.register_forward_hook(count)
    pieces = stream(vae, some_latents(vae, 5))
    assert next(pieces).shape[0] == 1
    assert turns == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_in_tiles_equals_the_stock_clip_in_tiles(kind: str) -> None:
    vae = small.vae(kind)
    side = 64
    vae.enable_tiling(side, side, side // 2, side // 2)
    latents = some_latents(vae, 2, side=6 if kind == "2.2" else 12)
    turns: list[tuple[int, int]] = []
    expected = stock_frames(vae, latents)
    taken: list[Frames] = []
    decode(vae, latents, taken.append, lambda done, total: turns.append((done, total)))
    assert np.array_equal(np.concatenate(taken), expected)
    total = turns[-1][1]
    assert turns == [(n + 1, total) for n in range(total)]


def test_progress_counts_every_latent() -> None:
    vae = small.vae("2.1")
    turns: list[tuple[int, int]] = []
    decode(vae, some_latents(vae, 3), lambda _: None, lambda n, of: turns.append((n, of)))
    assert turns == [(1, 3), (2, 3), (3, 3)]


class Stop(BaseException):
    """What a cancellation raises."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_cancellation_ends_the_decoding_at_the_next_latent_and_leaves_nothing(kind: str) -> None:
    vae = small.vae(kind)
    latents = some_latents(vae, 5)
    expected = ours(vae, latents)
    taken: list[Frames] = []

    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise Stop

    threads = threading.active_count()
    with pytest.raises(Stop):
        decode(vae, latents, taken.append, stop)
    assert sum(len(piece) for piece in taken) <= 5
    assert threading.active_count() == threads
    assert np.array_equal(ours(vae, latents), expected)
    assert np.array_equal(stock_frames(vae, latents), expected)


def test_a_fault_of_the_encoder_ends_the_decoding() -> None:
    vae = small.vae("2.1")

    def refuse(_: Frames) -> None:
        raise ValueError("no room on the disk")

    with pytest.raises(ValueError, match="no room"):
        decode(vae, some_latents(vae, 6), refuse)


def test_at_most_two_pieces_wait_for_a_slow_encoder() -> None:
    vae = small.vae("2.1")
    decoded, taken, most_waiting = 0, 0, 0

    def turned(done: int, _total: int) -> None:
        nonlocal decoded, most_waiting
        decoded = done
        most_waiting = max(most_waiting, decoded - taken)

    def slow(_: Frames) -> None:
        nonlocal taken
        time.sleep(0.05)
        taken += 1

    decode(vae, some_latents(vae, 8), slow, turned)
    assert taken == 8
    assert most_waiting <= 4  # two in the queue, one in the encoder's hands, one in ours
