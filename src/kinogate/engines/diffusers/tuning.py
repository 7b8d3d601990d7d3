"""Modules made quicker without changing what they compute. Imports torch; child processes only."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch.nn import functional

_SHAPES_KEPT = 64  # compiled variants of a block: 13 sizes, a few lengths, with and without LoRA


def lay_out(part: Any) -> None:
    """Put channels last in the weights of every convolution, of two dimensions and of three."""
    for weight in part.parameters():
        if weight.ndim == 5:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last_3d)
        elif weight.ndim == 4 and min(weight.shape[:2]) > 1:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)


def fuse_norms(part: Any, compiler: str) -> int:
    """Make one kernel of each norm and the SiLU after it; says how many.

    The whole decoder does not compile well: its memory is a list of tensors, strings and nothings
    that changes under its feet. The norms are what reads and writes the most beside the
    convolutions. All of them share one function of tensors, compiled once for each shape: compiled
    as methods, each norm would be a variant of its own, and most would be given up on.
    """
    _allow_shapes()
    compiled = torch.compile(_norm_and_silu, backend=compiler, dynamic=False)
    count = 0
    for module in part.modules():
        if not isinstance(getattr(module, "nonlinearity", None), torch.nn.SiLU):
            continue
        norms = [module.norm1, module.norm2] if hasattr(module, "norm1") else [module.norm_out]
        for norm in norms:
            norm.forward = partial(_fused, compiled, norm)
            count += 1
        module.nonlinearity = torch.nn.Identity()
    return count


def _fused(compiled: Any, norm: Any, x: torch.Tensor) -> torch.Tensor:
    # The weight is read at every call: it may have been moved since.
    return compiled(x, norm.gamma, norm.scale)


def _norm_and_silu(x: torch.Tensor, gamma: torch.Tensor, scale: float) -> torch.Tensor:
    """Wan's RMS norm over the channels, without the bias that its autoencoders do not have."""
    wide = x.float() if x.dtype in {torch.float16, torch.bfloat16} else x
    return functional.silu(functional.normalize(wide, dim=1).to(x.dtype) * scale * gamma)


def _allow_shapes() -> None:
    torch._dynamo.config.recompile_limit = _SHAPES_KEPT  # noqa: SLF001 - the documented place


def compile_fault(device: torch.device, compiler: str) -> str | None:
    """Why nothing can be compiled, by compiling something: a C compiler or Triton may be missing."""
    try:
        torch.compile(_probe, backend=compiler, dynamic=False)(torch.ones(64, device=device))
    except Exception as exc:  # noqa: BLE001 - whatever a compiler raises means that there is none
        return str(exc).splitlines()[0] if str(exc) else type(exc).__name__
    return None


def _probe(x: torch.Tensor) -> torch.Tensor:
    return x * 2 + 1


def compile_blocks(model: Any, compiler: str) -> int:
    """Compile the blocks that the model repeats; says how many.

    Like `model.compile_repeated_blocks`, except that the block's own function is compiled and not
    its call: the first-block cache puts itself around that function, and compiled together with it
    the graph would break where the cache decides. The blocks share one compiled function for each
    shape.
    """
    _allow_shapes()
    names = model._repeated_blocks  # noqa: SLF001 - what `compile_repeated_blocks` reads
    blocks = [module for module in model.modules() if type(module).__name__ in names]
    for block in blocks:
        block.forward = torch.compile(
            block.forward, backend=compiler, fullgraph=True, dynamic=False
        )
    return len(blocks)
