"""The rungs that a clip goes down when a device's memory does not suffice. Pure; no torch.

Each rung is a named way to hold a pipeline, slower and smaller than the one above. Which rung a clip
of that size needed is remembered, so that the next one does not run into the same wall first.
`offload.py` does to a pipeline what the names say.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum


class Rung(StrEnum):
    """How a pipeline is held, from the quickest to the smallest."""

    WHOLE = "whole"  # everything on the device
    TILES = "tiles"  # the same, with the autoencoder working on tiles of the picture
    GROUPS = "groups"  # weights in host memory; blocks are brought while the one before computes
    MODELS = "models"  # one model on the device at a time

    @property
    def is_tiled(self) -> bool:
        """Whether the autoencoder works on tiles."""
        return self is not Rung.WHOLE

    @property
    def is_offloaded(self) -> bool:
        """Whether weights lie in host memory between their uses."""
        return self in {Rung.GROUPS, Rung.MODELS}

    @property
    def next(self) -> Rung | None:
        """The rung below, or None on the last."""
        rungs = list(Rung)
        index = rungs.index(self) + 1
        return rungs[index] if index < len(rungs) else None


@dataclass(slots=True, kw_only=True)
class Ladder:
    """Remembers, for each set of weights, from which size on which rung is needed.

    Attributes:
        lowest: The last rung that is tried.
    """

    lowest: Rung = Rung.MODELS
    _failed: dict[tuple[Hashable, Rung], int] = field(default_factory=dict)

    def start(self, weights: Hashable, size: int) -> Rung:
        """The first rung that is not known to be too small for so many tokens.

        Args:
            weights: Which weights, with preset and device.
            size: Tokens of the clip; more need more memory.
        """
        rung = Rung.WHOLE
        while rung is not self.lowest and size >= self._failed.get((weights, rung), size + 1):
            below = rung.next
            if below is None:
                break
            rung = below
        return rung

    def failed(self, weights: Hashable, size: int, rung: Rung) -> Rung | None:
        """Remember that the memory did not suffice; the rung to try next, or None for none.

        What was too large once is too large again, and so is everything larger; a smaller clip
        still starts further up.
        """
        known = self._failed.get((weights, rung), size)
        self._failed[weights, rung] = min(known, size)
        return None if rung is self.lowest else rung.next


_MEMORY_WORDS = (
    "out of memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "failed to allocate",
)
_FAULT_WORDS = (
    "illegal memory access",
    "misaligned address",
    "uncorrectable ecc",
    "ecc error",
    "device-side assert",
    "unspecified launch failure",
    "device is lost",
    "gpu has fallen off the bus",
    "nccl error",
    "xid",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of a run says that the device's memory did not suffice.

    By its words: allocations fail in torch, in cuBLAS and in cuDNN, each with a class of its own.
    Whatever else may have raised it, a MemoryError is the host's and no rung helps against that.
    """
    if isinstance(error, MemoryError):
        return False
    if type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and _says(error, _MEMORY_WORDS)


def is_device_fault(error: BaseException) -> bool:
    """Whether an error leaves the device's context unusable, so that the process must go."""
    if is_out_of_memory(error):
        return False
    return isinstance(error, RuntimeError) and _says(error, _FAULT_WORDS)


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    text = str(error).lower()
    return any(word in text for word in words)
