"""Hold a pipeline as a rung says. Imports torch; child processes only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from kinogate.engines.diffusers.rungs import Rung


def hold(pipe: Any, rung: Rung, device: torch.device | str) -> None:
    """Put a freshly loaded pipeline where the rung wants it; once, before its first run.

    Args:
        pipe: In host memory, its levers pulled.
        rung: How to hold it.
        device: Where it computes.
    """
    if rung.is_tiled:
        pipe.vae.enable_tiling()
    match rung:
        case Rung.WHOLE | Rung.TILES:
            pipe.to(device)
        case Rung.GROUPS:
            _offload_groups(pipe, torch.device(device))
        case Rung.MODELS:
            pipe.enable_model_cpu_offload(device=device)


@contextmanager
def tiled(pipe: Any, rung: Rung) -> Iterator[None]:
    """Have the autoencoder work on tiles inside the block, where the rung says so.

    Weights held whole serve clips on the first two rungs, so that a small clip after a large one
    needs no second copy of them.
    """
    before = pipe.vae.use_tiling
    if rung.is_tiled:
        pipe.vae.enable_tiling()
    try:
        yield
    finally:
        pipe.vae.use_tiling = before


def _offload_groups(pipe: Any, device: torch.device) -> None:
    """Keep all weights in host memory and bring each block while the one before it computes.

    Pinned when it is needed only: the pinned copies of a two-expert model would take 57 GB.
    """
    pipe.enable_group_offload(
        onload_device=device,
        offload_device=torch.device("cpu"),
        offload_type="block_level",
        num_blocks_per_group=1,
        use_stream=device.type == "cuda",
        low_cpu_mem_usage=True,
    )
