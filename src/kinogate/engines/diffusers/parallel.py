"""One clip on several devices: each process runs the same pipeline and does a part of every step.

All of them start from the same order and seed, so they have the same noise, take the same steps and
need to exchange nothing but what each has computed alone:

- GUIDANCE: two processes. One computes the pass for the prompt, the other the one for the negative
  prompt; they exchange one predicted latent a step, a few megabytes, and go on with the same sum.
  The result is that of one process, computed in half the time.
- TOKENS: any number. The tokens of the clip are split among them, and attention exchanges heads for
  tokens (diffusers' Ulysses). The result differs in the last bits.

Imports torch; child processes only. Tested with two processes on CPUs (gloo); never yet on cards.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import torch
from diffusers import ContextParallelConfig
from torch import distributed

from kinogate.engines.diffusers.levers import transformers_of
from kinogate.engines.diffusers.seats import Seat, Sharing

_PATIENCE = timedelta(minutes=10)  # one step of the largest clip, and its compilation
_joined: list[Seat] = []


class Left(Exception):
    """Another process of the group has given up the clip, and so must this one."""


def join(seat: Seat, device: torch.device) -> None:
    """Meet the other processes of the group; returns when all are there. Once in a process.

    Raises:
        RuntimeError: They have not come within ten minutes, or the process sits elsewhere already.
    """
    if _joined:
        if _joined[0] != seat:
            raise RuntimeError("The process belongs to another group.")
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=f"file://{seat.meeting}",
        rank=seat.rank,
        world_size=seat.size,
        timeout=_PATIENCE,
    )
    _joined.append(seat)


def met() -> str:
    """The meeting that this process has been to, or ""."""
    return _joined[0].meeting if _joined else ""


def leave() -> None:
    """Part from the group; calling again changes nothing."""
    if _joined:
        _joined.clear()
        distributed.destroy_process_group()


@contextmanager
def shared(pipe: Any, seat: Seat, *, has_left: Callable[[], bool]) -> Iterator[None]:
    """Have a call of the pipeline shared with the group inside the block, where `is_shared`.

    Args:
        pipe: The pipeline; every process of the group calls its own with the same arguments.
        seat: After `join`.
        has_left: Whether this process wants to give up the clip, asked once a step.

    Raises:
        Left: In every process of the group, once one of them wants to leave.
    """
    with ExitStack() as stack:
        for model in transformers_of(pipe):
            if seat.sharing is Sharing.GUIDANCE:
                stack.enter_context(_one_branch(model, seat.rank, has_left))
            else:
                stack.enter_context(_in_step(model, has_left))
        yield


def is_shared(seat: Seat, *, is_guided: bool) -> bool:
    """Whether the group has anything to share: without guidance there is no second pass.

    Then each process of a group of GUIDANCE runs on its own, and what they make is the same.
    """
    return is_guided or seat.sharing is not Sharing.GUIDANCE


def split_tokens(pipe: Any, seat: Seat) -> None:
    """Share the tokens of every clip with the group from now on; once for a pipeline, after `join`.

    "Anything" because 832 by 480 makes 32,760 tokens and 12 heads do not divide by 8.
    """
    for model in transformers_of(pipe):
        model.enable_parallelism(
            config=ContextParallelConfig(ulysses_degree=seat.size, ulysses_anything=True)
        )


@contextmanager
def _one_branch(model: Any, rank: int, has_left: Callable[[], bool]) -> Iterator[None]:
    """Compute one of the two passes of each step here, and get the other from the other process.

    The pipeline calls the transformer for the prompt, then for the negative prompt, and only then
    reads the results. So the first call may give out room that the second one fills.
    """
    original, context = model.forward, model.cache_context
    own = model.__dict__.get("forward")  # compiled or hooked, else its class's
    names = list(inspect.signature(original).parameters)
    ours = ("cond", "uncond")[rank]
    branch = ""
    waiting: list[torch.Tensor] = []

    @contextmanager
    def watched(name: str, **kwargs: Any) -> Iterator[None]:
        nonlocal branch
        branch = name
        with context(name, **kwargs):
            yield

    def forward(*args: Any, **kwargs: Any) -> tuple[torch.Tensor]:
        given = dict(zip(names, args, strict=False)) | kwargs
        if branch == "cond":
            waiting.clear()
            _agree(given["hidden_states"].device, has_left)
        result: torch.Tensor
        if branch == ours:
            result = original(**(given | {"return_dict": False}))[0].contiguous()
        else:
            result = _room(model, given["hidden_states"])
        if branch == "cond":
            waiting.append(result)
        elif rank == 0:
            _swap(waiting[0], result, other=1)
        else:
            _swap(result, waiting[0], other=0)
        return (result,)

    model.forward, model.cache_context = forward, watched
    try:
        yield
    finally:
        del model.forward, model.cache_context
        if own is not None:
            model.forward = own


@contextmanager
def _in_step(model: Any, has_left: Callable[[], bool]) -> Iterator[None]:
    """Ask at the first pass of each step whether all go on."""
    context = model.cache_context

    @contextmanager
    def watched(name: str, **kwargs: Any) -> Iterator[None]:
        if name == "cond":
            _agree(model.device, has_left)
        with context(name, **kwargs):
            yield

    model.cache_context = watched
    try:
        yield
    finally:
        del model.cache_context


def _room(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Room for a prediction: shaped like the latents, without what is concatenated to them."""
    shape = (hidden.shape[0], model.config.out_channels, *hidden.shape[2:])
    return torch.empty(shape, dtype=hidden.dtype, device=hidden.device)


def _agree(device: torch.device, has_left: Callable[[], bool]) -> None:
    """Go on together or not at all: one that waits for a process that has left would wait long."""
    wish = torch.tensor([1 if has_left() else 0], device=device)
    distributed.all_reduce(wish, op=distributed.ReduceOp.MAX)
    if wish.item():
        raise Left


def _swap(mine: torch.Tensor, theirs: torch.Tensor, *, other: int) -> None:
    """Send `mine` and fill `theirs`, at the same time."""
    for work in distributed.batch_isend_irecv(
        [
            distributed.P2POp(distributed.isend, mine, other),
            distributed.P2POp(distributed.irecv, theirs, other),
        ]
    ):
        work.wait()
