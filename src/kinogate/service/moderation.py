"""Moderation: a chain of judges over prompt, image and result; the first refusal counts.

The word list judges prompts at submit, where the refusal is quickest; every other judge is asked
while the task runs. A refusal says which part was refused, who decided and why, and costs nothing.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog

from kinogate.domain.errors import CallerError, ErrorCode, InternalError, UpstreamError
from kinogate.domain.request import Field
from kinogate.domain.review import Exhibit, Moderator, Part
from kinogate.service.chat_prompts import picture_url

log = structlog.get_logger(__name__)

WORDS = (
    "child porn",
    "child pornography",
    "child sexual abuse",
    "sexualized child",
    "sexualised child",
    "naked child",
    "nude child",
    "naked minor",
    "nude minor",
    "underage sex",
    "rape scene",
    "bestiality",
    "beheading video",
    "bomb making instructions",
    "儿童色情",
    "未成年色情",
    "裸体儿童",
    "强奸",
    "兽交",
    "斩首视频",
)
"""The built-in list: few phrases that no service will draw. An operator's file replaces it."""

_FIELDS = {Part.PROMPT: Field.PROMPT, Part.IMAGE: Field.MEDIA, Part.RESULT: None}

Ask = Callable[[dict[str, Any]], Awaitable[bytes]]
"""Posts a moderation request (OpenAI's form) and answers with the reply's body."""

Hook = Callable[[str, str, str | None], object]
"""The operator's function: part, text, path of the file or None → reason, or None to let pass."""


class WordList:
    """Refuses prompts that hold a listed word or phrase; knows no meaning."""

    name = "word list"
    parts = frozenset({Part.PROMPT})

    def __init__(self, words: Sequence[str] = WORDS) -> None:
        """Prepare.

        Args:
            words: Matched whatever their case and width, at word borders; those in scripts
                without spaces match anywhere.
        """
        patterns = [_pattern(folded) for word in words if (folded := _folded(word))]
        self._pattern = re.compile("|".join(patterns)) if patterns else None

    def find(self, text: str) -> str | None:
        """The first listed phrase in `text`, or None."""
        found = self._pattern.search(_folded(text)) if self._pattern else None
        return found[0] if found else None

    async def judge(self, exhibit: Exhibit) -> str | None:
        """Name the phrase."""
        found = self.find(exhibit.text)
        return None if found is None else f"it contains {found!r}"


class EndpointModerator:
    """Asks an OpenAI-compatible `/moderations` endpoint about texts and pictures."""

    parts = frozenset(Part)

    def __init__(self, ask: Ask, model: str, *, is_required: bool = True) -> None:
        """Prepare.

        Args:
            ask: Sends the request.
            model: Sent as `model` unless empty, and the judge's name.
            is_required: Whether a task fails when the endpoint cannot be asked.
        """
        self.name = model or "moderation endpoint"
        self._ask = ask
        self._model = model
        self._is_required = is_required

    async def judge(self, exhibit: Exhibit) -> str | None:
        """Name the categories that the endpoint flagged.

        Raises:
            UpstreamError: It cannot be asked, and is required.
        """
        body: dict[str, Any] = {"model": self._model} if self._model else {}
        if exhibit.picture is not None:
            picture = {"type": "image_url", "image_url": {"url": picture_url(exhibit.picture)}}
            body["input"] = [picture]
        elif exhibit.text.strip():
            body["input"] = exhibit.text
        else:
            return None
        try:
            reply = msgspec.json.decode(await self._ask(body), type=_Reply)
        except (UpstreamError, msgspec.MsgspecError) as error:
            if not self._is_required:
                log.warning("moderation endpoint failed", error=str(error))
                return None
            raise UpstreamError(
                ErrorCode.UPSTREAM_FAILED, "The moderation endpoint could not be asked."
            ) from error
        flagged = [result for result in reply.results if result.flagged]
        if not flagged:
            return None
        names = sorted({name for item in flagged for name, on in item.categories.items() if on})
        return f"it was flagged as {', '.join(names)}" if names else "it was flagged"


class _Verdict(msgspec.Struct):
    flagged: bool
    categories: dict[str, bool | None] = {}


class _Reply(msgspec.Struct):
    results: list[_Verdict]


class HookModerator:
    """Asks a Python function of the operator's, plain (in a thread) or async."""

    parts = frozenset(Part)

    def __init__(self, hook: Hook, name: str) -> None:
        self.name = name
        self._hook = hook

    async def judge(self, exhibit: Exhibit) -> str | None:
        """What the function says; True counts as a refusal without words.

        Raises:
            InternalError: The function failed: nothing passes that was not judged.
        """
        path = None if exhibit.path is None else str(exhibit.path)
        arguments = (exhibit.part.value, exhibit.text, path)
        try:
            if inspect.iscoroutinefunction(self._hook):
                said = await self._hook(*arguments)
            else:
                said = await asyncio.to_thread(self._hook, *arguments)
        except Exception as exc:  # the operator's code may raise anything
            log.exception("moderation hook failed", hook=self.name)
            raise InternalError(ErrorCode.INTERNAL, "The moderation hook failed.") from exc
        if said is True:
            return "it was refused"
        return str(said) if said else None


class Moderation:
    """The chain."""

    def __init__(
        self,
        *,
        words: WordList | None = None,
        judges: Sequence[Moderator] = (),
        allows_unfiltered: bool = False,
    ) -> None:
        """Build.

        Args:
            words: Asked first and at submit; the built-in list by default.
            judges: Asked in order while the task runs.
            allows_unfiltered: Whether `safety_filter: false` is honoured.
        """
        self._words = words or WordList()
        self._judges = tuple(judges)
        self._allows_unfiltered = allows_unfiltered

    def filters(self, safety_filter: bool) -> bool:
        """Whether a task with this wish is moderated."""
        return safety_filter or not self._allows_unfiltered

    def looks_at(self, part: Part) -> bool:
        """Whether any judge cares for this part."""
        return any(part in judge.parts for judge in self._judges)

    def require_words(self, *texts: str) -> None:
        """Judge texts by the word list alone.

        Raises:
            CallerError: CONTENT_REFUSED.
        """
        for text in texts:
            found = self._words.find(text)
            if found is not None:
                raise refused(Part.PROMPT, self._words.name, f"it contains {found!r}")

    async def require(self, exhibit: Exhibit) -> None:
        """Ask every judge that looks at this part.

        Raises:
            CallerError: CONTENT_REFUSED, by the first who refuses.
            UpstreamError: A judge cannot be asked.
            InternalError: A hook failed.
        """
        for judge in self._judges:
            if exhibit.part in judge.parts:
                reason = await judge.judge(exhibit)
                if reason is not None:
                    raise refused(exhibit.part, judge.name, reason)


def refused(part: Part, by: str, reason: str) -> CallerError:
    """The refusal: which part, who decided, and why."""
    return CallerError(
        ErrorCode.CONTENT_REFUSED,
        f"The {part.value} was refused by the {by}: {reason.rstrip('.')[:200]}.",
        field=_FIELDS[part],
    )


def read_words(text: str) -> tuple[str, ...]:
    """The words of an operator's file: one a line; empty lines and lines with `#` are left out."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _pattern(word: str) -> str:
    plain = re.escape(word)
    return rf"\b{plain}\b" if word.isascii() else plain
