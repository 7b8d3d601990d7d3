"""A way out between two blocks of a transformer, so that a cancel need not wait for a step's end.

A step of a 14B model takes up to a minute, and a child that does not answer a cancel within its
grace is killed, weights and all. Hooks on the blocks would be compiled with them; the list that the
transformer walks through is not, so it is the list that asks. Imports torch; child processes only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

_AHEAD = 4
"""Blocks that the host may be ahead of the device: what is queued there runs on after a cancel."""

_LISTS = ("blocks", "vace_blocks")


class _GatedList(nn.ModuleList):  # type: ignore[misc]  # torch has no types where mypy runs
    """A `ModuleList` that calls `tick` before it hands out each block."""

    tick: Callable[[], None]

    def __iter__(self) -> Iterator[nn.Module]:
        for block in super().__iter__():
            self.tick()
            yield block


@contextmanager
def gated(modules: Sequence[nn.Module], tick: Callable[[], None]) -> Iterator[None]:
    """Have `tick` called before every block of these transformers inside the block.

    Args:
        modules: Transformers; their lists of blocks are found by name.
        tick: May raise to cancel.
    """
    paced = _paced(tick)
    with ExitStack() as stack:
        for module in modules:
            for name in _LISTS:
                blocks = getattr(module, name, None)
                if type(blocks) is nn.ModuleList:
                    stack.enter_context(_gated_list(blocks, paced))
        yield


@contextmanager
def _gated_list(blocks: nn.ModuleList, tick: Callable[[], None]) -> Iterator[None]:
    # The class of the object and not another object: names and identities of the blocks stay, and
    # with them adapters, caches and compiled code.
    blocks.__class__ = _GatedList
    object.__setattr__(blocks, "tick", tick)
    try:
        yield
    finally:
        blocks.__class__ = nn.ModuleList
        object.__delattr__(blocks, "tick")


def _paced(tick: Callable[[], None]) -> Callable[[], None]:
    """`tick`, which on a GPU also keeps the host from queueing whole steps ahead."""
    if not torch.cuda.is_available():
        return tick
    marks: deque[torch.cuda.Event] = deque()

    def paced() -> None:
        tick()
        mark = torch.cuda.Event()
        mark.record()
        marks.append(mark)
        if len(marks) > _AHEAD:
            marks.popleft().synchronize()

    return paced
