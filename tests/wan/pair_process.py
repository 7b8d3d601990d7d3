"""One process of a group, started by `test_parallel.py`: `pair_process.py '{"rank": 0, …}'`."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import Any

import numpy as np
import small
import torch
from diffusers.models._modeling_parallel import ParallelConfig
from torch.distributed.device_mesh import init_device_mesh

from kinogate.engines.diffusers import parallel
from kinogate.engines.diffusers.levers import apply, transformers_of
from kinogate.engines.diffusers.recipes import Recipe
from kinogate.engines.diffusers.seats import Seat, Sharing


def on_cpu(model: Any) -> None:
    """Let a model be split without an accelerator, of which the library counts the devices."""

    def resolve(config: Any) -> ParallelConfig:
        mesh = init_device_mesh("cpu", config.mesh_shape, mesh_dim_names=config.mesh_dim_names)
        whole = ParallelConfig(context_parallel_config=config)
        rank, size = torch.distributed.get_rank(), torch.distributed.get_world_size()
        whole.setup(rank, size, torch.device("cpu"), mesh=mesh)
        model._parallel_config = whole
        return whole

    model._resolve_parallel_config = resolve


def main(told: dict[str, Any]) -> None:
    torch.set_num_threads(1)
    seat = Seat(
        sharing=Sharing(told["sharing"]), rank=told["rank"], size=2, meeting=told["meeting"]
    )
    parallel.join(seat, torch.device("cpu"))
    parallel.join(seat, torch.device("cpu"))
    pipe = small.build(told["variant"])
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    for model in transformers_of(pipe):
        if seat.sharing is Sharing.TOKENS:
            on_cpu(model)
        model.blocks[0].ffn.register_forward_hook(counted)
    if seat.sharing is Sharing.TOKENS:
        parallel.split_tokens(pipe, seat)
    active = apply(pipe, Recipe(name="x", compiles=False, reuse=told.get("reuse")), "cpu")
    stop_at = told.get("stop_at", {}).get(str(seat.rank))
    steps = told["steps"]
    done = 0

    def on_step(step: int) -> None:
        nonlocal done
        done = step + 1

    given = {"guidance_scale": told["guidance"]} if "guidance" in told else {}
    outcome: dict[str, Any] = {"left": False}
    latents = None
    try:
        with ExitStack() as stack:
            stack.enter_context(active.run(steps=steps))
            if parallel.is_shared(seat, is_guided=told.get("guidance", 5.0) > 1.0):
                left = lambda: stop_at is not None and done >= stop_at  # noqa: E731
                stack.enter_context(parallel.shared(pipe, seat, has_left=left))
            latents = small.call(
                pipe, told["variant"], steps=steps, output_type="latent", on_step=on_step, **given
            )
    except parallel.Left:
        outcome["left"] = True
    if latents is not None:
        np.save(f"{told['folder']}/{seat.rank}.npy", latents.numpy())
    outcome |= {"passes": count, "steps": done}
    parallel.leave()
    parallel.leave()
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
