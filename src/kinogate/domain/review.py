"""The ports of review: who rewrites a prompt, and who judges prompts, pictures and results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from kinogate.domain.order import Mode, ShotType


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A prompt that may be rewritten, and what it is for.

    Attributes:
        prompt: The caller's, maybe empty where the inputs speak for themselves.
        mode: Decides the instructions.
        shot_type: MULTI asks for several shots.
        duration_s: Seconds of the clip; 0.0 while unknown.
        limit: Most characters that a rewritten prompt may have to be believed.
        pictures: Small JPEGs of the input images, in order; empty when nobody looks at them.
    """

    prompt: str
    mode: Mode
    shot_type: ShotType
    duration_s: float = 0.0
    limit: int = 3000
    pictures: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A prompt to work from: who wrote it (`builtin`, a model, `none`), and how long that took."""

    prompt: str
    by: str
    took_ms: int = 0


class PromptExtender(Protocol):
    """Rewrites prompts (design §4.11).

    Every implementation promises never to raise for what happens outside: it falls back, and says
    by `by` to whom.
    """

    wants_pictures: bool

    async def extend(self, wish: Wish) -> Rewritten:
        """The prompt to work from, in the caller's language."""
        ...


class Part(StrEnum):
    """What moderation looks at."""

    PROMPT = "prompt"
    IMAGE = "image"
    RESULT = "result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One thing to be judged.

    Attributes:
        part: What it is.
        text: The prompts, for PROMPT; "" otherwise.
        picture: A small JPEG, for IMAGE and RESULT; None otherwise.
        path: The file itself on local disk, for IMAGE and RESULT; None otherwise.
    """

    part: Part
    text: str = ""
    picture: bytes | None = None
    path: Path | None = None


class Moderator(Protocol):
    """One judge of a chain."""

    name: str
    parts: frozenset[Part]

    async def judge(self, exhibit: Exhibit) -> str | None:
        """Why the exhibit is refused, in a few words for the caller; None lets it pass.

        Raises:
            KinogateError: The judge cannot be asked.
        """
        ...
