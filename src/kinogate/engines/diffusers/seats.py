"""Several processes that make one clip together: who sits where. Pure; no torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sharing(StrEnum):
    """How the processes of a group share the work."""

    GUIDANCE = "guidance"  # two: one computes the prompt's pass, the other the negative prompt's
    TOKENS = "tokens"  # any number: each has a part of the tokens (Ulysses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One process's place in a group that makes one clip together.

    Attributes:
        sharing: How.
        rank: 0 for the one that decodes and writes the file.
        size: Processes in the group, at least 2; exactly 2 for GUIDANCE.
        meeting: A file, new for every group, by which they find each other.
    """

    sharing: Sharing
    rank: int
    size: int
    meeting: str

    @property
    def is_first(self) -> bool:
        """Whether this process makes the file."""
        return self.rank == 0
