"""Latents to frames, one latent frame at a time, while the encoder already works on the last ones.

diffusers decodes a Wan clip in a loop over its latent frames, carrying what the causal convolutions
remember, and hands everything out at the end. The same loop is run here from outside: the pixels
are the same to the bit, but the first frame is out after one turn, the clip never lies in memory
as a whole, and a cancellation is seen between two turns. Wan2.1's and Wan2.2's autoencoders both
decode this way; with tiling on, the library's own decoder is used, and only the turns are watched.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify
from diffusers.utils.torch_utils import get_module_execution_device

if TYPE_CHECKING:
    from diffusers import AutoencoderKLWan

Frames = npt.NDArray[np.uint8]
OnLatent = Callable[[int, int], None]
"""Called with turns done and turns in all; may raise to stop the decoding."""

_AHEAD = 2
"""Pieces that may wait for the encoder; more would only delay a cancellation."""


def ignore(_done: int, _total: int) -> None:
    """An `OnLatent` that nobody listens to."""


def stream(
    vae: AutoencoderKLWan, latents: torch.Tensor, on_latent: OnLatent = ignore
) -> Iterator[torch.Tensor]:
    """Decode a pipeline's latents piece by piece.

    Args:
        vae: The pipeline's autoencoder, on its device or with its offloading hooks.
        latents: `[1, C, T, h, w]` as a Wan pipeline returns them with `output_type="latent"`.
        on_latent: Called after each of the `T` turns has been given to the device.

    Yields:
        uint8 RGB `[n, H, W, 3]` on the autoencoder's device: one frame first, then four a turn.
        Together they are the frames that the pipeline itself would have returned, times 255,
        rounded to even.
    """
    with torch.no_grad():
        z = _denormalized(vae, latents)
        if _is_tiled(vae, z):
            yield from _tiled(vae, z, on_latent)
            return
        hook = getattr(vae, "_hf_hook", None)
        if hook is not None:
            hook.pre_forward(vae)  # `vae.decode` would have called it
        convolutions = [m for m in vae.decoder.modules() if type(m).__name__ == "WanCausalConv3d"]
        memory: list[torch.Tensor | str | None] = [None] * len(convolutions)
        z = vae.post_quant_conv(z)
        total = z.shape[2]
        for turn in range(total):
            piece = vae.decoder(
                z[:, :, turn : turn + 1], feat_cache=memory, feat_idx=[0], first_chunk=turn == 0
            )
            if vae.config.patch_size is not None:
                piece = unpatchify(piece, patch_size=vae.config.patch_size)
            yield _pixels(torch.clamp(piece, min=-1.0, max=1.0))
            on_latent(turn + 1, total)


def _denormalized(vae: AutoencoderKLWan, latents: torch.Tensor) -> torch.Tensor:
    """As at the end of the library's pipelines, step by step, since every rounding counts."""
    z = latents.to(device=get_module_execution_device(vae), dtype=vae.dtype)
    shape = (1, vae.config.z_dim, 1, 1, 1)
    mean = torch.tensor(vae.config.latents_mean).view(shape).to(z.device, z.dtype)
    inverse = 1.0 / torch.tensor(vae.config.latents_std).view(shape).to(z.device, z.dtype)
    return z / inverse + mean


def _is_tiled(vae: AutoencoderKLWan, z: torch.Tensor) -> bool:
    stride = vae.spatial_compression_ratio
    height, width = vae.tile_sample_min_height // stride, vae.tile_sample_min_width // stride
    return bool(vae.use_tiling and (z.shape[4] > width or z.shape[3] > height))


def _tiled(vae: AutoencoderKLWan, z: torch.Tensor, on_latent: OnLatent) -> Iterator[torch.Tensor]:
    """Decode with the library's tiles; the pieces come when all of it is done."""
    stride = vae.spatial_compression_ratio
    rows = -(-z.shape[3] // (vae.tile_sample_stride_height // stride))
    columns = -(-z.shape[4] // (vae.tile_sample_stride_width // stride))
    total, done = rows * columns * z.shape[2], 0

    def turned(*_: object) -> None:
        nonlocal done
        done += 1
        on_latent(done, total)

    handle = vae.decoder.register_forward_hook(turned)
    try:
        video = vae.decode(z, return_dict=False)[0]
    finally:
        handle.remove()
        vae.clear_cache()
    yield _pixels(video[:, :, :1])
    for start in range(1, video.shape[2], 4):
        yield _pixels(video[:, :, start : start + 4])


def _pixels(video: torch.Tensor) -> torch.Tensor:
    """`[1, 3, n, H, W]` from -1 to 1 as bytes; halving happens in the video's own precision."""
    frames = (video[0] * 0.5 + 0.5).clamp(0, 1).float()
    return (frames * 255).round().to(torch.uint8).permute(1, 2, 3, 0).contiguous()


def decode(
    vae: AutoencoderKLWan,
    latents: torch.Tensor,
    take: Callable[[Frames], None],
    on_latent: OnLatent = ignore,
) -> int:
    """Decode a pipeline's latents and hand the frames to `take` on another thread.

    While `take` works on one piece the device computes the next; at most two pieces wait.

    Args:
        vae: See `stream`.
        latents: See `stream`.
        take: Gets `[n, H, W, 3]` RGB in order, on one thread. Its exception ends the decoding.
        on_latent: See `stream`; called on the calling thread.

    Returns:
        How many frames were taken. When anything raises, `take` is not called any more once this
        function has ended.
    """
    lane = _Lane(take)
    count = 0
    try:
        for piece in stream(vae, latents, on_latent):
            lane.put(*_fetched(piece))
            count += piece.shape[0]
    except BaseException:
        lane.drop()
        raise
    lane.finish()
    return count


def _fetched(piece: torch.Tensor) -> tuple[torch.Tensor, Any]:
    """The piece on its way to host memory, and the event to wait for, or None on the CPU."""
    if piece.device.type != "cuda":
        return piece.cpu(), None
    host = torch.empty(piece.shape, dtype=piece.dtype, pin_memory=True)
    host.copy_(piece, non_blocking=True)
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(piece.device))
    return host, event


class _Lane:
    """One thread that takes pieces in order."""

    def __init__(self, take: Callable[[Frames], None]) -> None:
        self._take = take
        self._pieces: queue.Queue[tuple[torch.Tensor, Any] | None] = queue.Queue(_AHEAD)
        self._failure: BaseException | None = None
        self._is_dropped = False
        self._thread = threading.Thread(target=self._work, name="frames", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (item := self._pieces.get()) is not None:
            if self._is_dropped or self._failure is not None:
                continue  # emptied, so that nobody waits for room
            host, event = item
            try:
                if event is not None:
                    event.synchronize()
                self._take(host.numpy())
            except BaseException as exc:  # noqa: BLE001 - raised again where the lane is fed
                self._failure = exc

    def put(self, piece: torch.Tensor, event: Any) -> None:
        """Line a piece up, waiting for room; raises what `take` has raised."""
        if self._failure is not None:
            raise self._failure
        self._pieces.put((piece, event))

    def drop(self) -> None:
        """Forget what waits and return when the thread has ended."""
        self._is_dropped = True
        self._pieces.put(None)
        self._thread.join()

    def finish(self) -> None:
        """Return when everything has been taken; raises what `take` has raised."""
        self._pieces.put(None)
        self._thread.join()
        if self._failure is not None:
            raise self._failure
