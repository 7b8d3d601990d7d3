"""Prompt extension by a chat model behind any OpenAI-compatible endpoint (design §4.11).

A failed, late, empty or overlong answer is replaced by the built-in rewriter's: a prompt is never
worth a failed task. The instructions are our own; what a prompt may contain is moderation's affair
and not theirs.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog

from kinogate.domain.errors import KinogateError
from kinogate.domain.order import Mode, ShotType
from kinogate.domain.review import Rewritten, Wish
from kinogate.service.prompts import BuiltinExtender

log = structlog.get_logger(__name__)

BUDGET_S = 5.0
CACHE_ENTRIES = 512

Chat = Callable[[list[dict[str, Any]]], Awaitable[str]]
"""Takes messages in OpenAI's form, answers the assistant's text; raises `KinogateError`."""
# Any: a message's content is a text or a list of parts, as OpenAI defined it.

_CRAFT = (
    "You prepare prompts for a video generation model, as a director of photography would. "
    "Answer with the finished prompt alone: one paragraph, no headings, no quotation marks, no "
    "remarks. Write in the language of the user's prompt. Keep every subject, action, place, time, "
    "number and style that the user names; add no new subjects and no plot. Describe what the lens "
    "sees and never what anybody feels."
)
_TEXT = (
    "Say how the subjects and their surroundings look, how the action unfolds from its beginning "
    "to its end, and choose at most four of these where the user left them open: light, angle, "
    "shot size, camera movement, colour, composition. Use 60 to 150 words."
)
_IMAGE = (
    "The video begins with a picture that the model has already. Do not retell what stands still "
    "in it. Describe what starts to move, in which order and how fast, and what the camera does; "
    "where the user says little, choose the motion that the scene suggests. At most 100 words."
)
_FRAMES = (
    "The video begins with one picture and ends with another. Describe one continuous change that "
    "leads from the first to the last: what moves, what turns into what, and the path of the "
    "camera. Invent no cut. At most 100 words."
)
_REFERENCES = (
    "Pictures or clips of the persons and things are given to the model in the user's order. Keep "
    "the user's names for them and describe what they do together. At most 120 words."
)
_SHOTS = (
    "Plan the video as two to four shots that tell one story in order. Begin each with its number "
    "and its time span in seconds, such as 'Shot 1 [0-3s]', which together last {length}. Keep the "
    "same subjects in the same look throughout, and vary shot size and angle between shots."
)
_UNSEEN = "You cannot see the pictures; do not guess what is in them."


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRules:
    """How a chat model is used.

    Attributes:
        model: Its name, kept with each prompt it wrote.
        sees_pictures: Whether it is shown the input images.
        budget_s: Seconds it may take.
    """

    model: str
    sees_pictures: bool = False
    budget_s: float = BUDGET_S


class ChatExtender:
    """Asks a chat model, remembers its answers, and falls back to the built-in rewriter."""

    def __init__(self, chat: Chat, rules: ChatRules) -> None:
        self._chat = chat
        self._rules = rules
        self._fallback = BuiltinExtender()
        self._known: OrderedDict[str, str] = OrderedDict()
        self.wants_pictures = rules.sees_pictures

    async def extend(self, wish: Wish) -> Rewritten:
        """The model's prompt, or the built-in one when there is none to be had in time."""
        if not wish.prompt.strip() and not wish.pictures:
            return await self._fallback.extend(wish)
        key = _content(wish, self._rules.model)
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return Rewritten(prompt=known, by=self._rules.model)
        begun = time.monotonic()
        try:
            text = _tidied(await self._chat(messages_for(wish)))
        except KinogateError as error:
            log.warning("prompt not extended", reason=error.message)
            text = ""
        took_ms = round((time.monotonic() - begun) * 1000)
        if not text or len(text) > wish.limit:
            if text:
                log.warning("prompt not extended", reason="The answer is too long.")
            spare = await self._fallback.extend(wish)
            return Rewritten(prompt=spare.prompt, by=spare.by, took_ms=took_ms)
        self._known[key] = text
        while len(self._known) > CACHE_ENTRIES:
            self._known.popitem(last=False)
        return Rewritten(prompt=text, by=self._rules.model, took_ms=took_ms)


def messages_for(wish: Wish) -> list[dict[str, Any]]:
    """The conversation that asks for a prompt: instructions, then the user's words and pictures."""
    instructions = [_CRAFT, _instruction(wish.mode)]
    if wish.shot_type is ShotType.MULTI:
        length = f"{wish.duration_s:g} seconds" if wish.duration_s else "as long as the clip"
        instructions.append(_SHOTS.format(length=length))
    if wish.mode is not Mode.T2V and not wish.pictures:
        instructions.append(_UNSEEN)
    text = wish.prompt.strip() or "(The user gave pictures and no words. Answer in English.)"
    content: object = text
    if wish.pictures:
        shown = ({"url": picture_url(picture)} for picture in wish.pictures)
        content = [
            {"type": "text", "text": text},
            *({"type": "image_url", "image_url": url} for url in shown),
        ]
    return [
        {"role": "system", "content": " ".join(instructions)},
        {"role": "user", "content": content},
    ]


def picture_url(jpeg: bytes) -> str:
    """A JPEG as a data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def _instruction(mode: Mode) -> str:
    if mode is Mode.T2V:
        return _TEXT
    if mode is Mode.KF2V:
        return _FRAMES
    return _REFERENCES if mode is Mode.R2V else _IMAGE


def _tidied(answer: str) -> str:
    """The answer without what chatty models put around it."""
    text = answer.rpartition("</think>")[2].strip()
    for opening, closing in (('"', '"'), ("“", "”"), ("'", "'"), ("```", "```")):
        if len(text) > len(opening + closing) and text[: len(opening)] == opening:
            text = text.removeprefix(opening).removesuffix(closing).strip()
    return text


def _content(wish: Wish, model: str) -> str:
    found = hashlib.sha256()
    head = (model, wish.mode, wish.shot_type, f"{wish.duration_s:g}", str(wish.limit), wish.prompt)
    for part in head:
        found.update(part.encode("utf-8", "surrogatepass") + b"\0")
    for picture in wish.pictures:
        found.update(hashlib.sha256(picture).digest())
    return found.hexdigest()
