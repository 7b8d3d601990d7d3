"""The operator's policies, built from the settings: engines, prompts, moderation, signatures.

A part of the composition root; `app` introduces what is built here to the services.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from kinogate.config import BadConfig
from kinogate.db.memory_journal import MemoryJournal
from kinogate.domain.engine import Engine, UpstreamJournal
from kinogate.domain.errors import ErrorCode, UpstreamError
from kinogate.domain.ports import Clock
from kinogate.domain.review import Moderator, PromptExtender
from kinogate.domain.routes import EngineSection
from kinogate.engines import build_engine, kinds
from kinogate.engines.base import BadOptions, Surroundings
from kinogate.machine import SystemClock
from kinogate.media.inspector import Inspector
from kinogate.media.provenance import CHAIN_FILE, KEY_FILE, Signer, ensure_dev_signer, require_extra
from kinogate.net import FetchPolicy
from kinogate.net.endpoint import Endpoint
from kinogate.service.chat_prompts import ChatExtender, ChatRules
from kinogate.service.fleet import Fleet, MakeEngine
from kinogate.service.moderation import (
    EndpointModerator,
    Hook,
    HookModerator,
    Moderation,
    WordList,
    read_words,
)
from kinogate.service.prompts import BuiltinExtender
from kinogate.settings import Settings

_MODERATION_S = 10.0


class BadSetting(BadConfig):
    """A setting names something that is not there; the message says which and what."""


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


def engine_maker(
    settings: Settings,
    *,
    journal: UpstreamJournal,
    clock: Clock,
    inspector: Inspector,
    fetch_policy: FetchPolicy,
    is_wanted: Callable[[str], Awaitable[bool]] | None = None,
) -> MakeEngine:
    """What builds the engine of a section; it raises `BadConfig` with the section's name."""

    def make(section: EngineSection) -> Engine:
        at = f"engines.{section.name}"
        surroundings = Surroundings(
            name=section.name,
            options=section.options,
            slots=settings.slots,
            timeout_s=settings.task_timeout_s,
            data_dir=settings.data_dir.expanduser(),
            journal=journal,
            clock=clock,
            inspector=inspector,
            fetch_policy=fetch_policy,
            is_wanted=is_wanted,
        )
        try:
            return build_engine(section.kind, surroundings)
        except KeyError as exc:
            if exc.args != (section.kind,):
                raise
            raise BadConfig(
                f"{at}.kind: there is no kind {section.kind!r}; known are {', '.join(kinds())}."
            ) from exc
        except BadOptions as exc:
            raise BadConfig(f"{at}.{exc}") from exc
        except ImportError as exc:
            raise BadConfig(f"{at}.kind: {section.kind} cannot be imported: {exc}.") from exc

    return make


def idle_fleet(settings: Settings, sections: Sequence[EngineSection]) -> Fleet:
    """The engines of sections, built and not started, for looking at them without a server.

    Raises:
        BadConfig: A section cannot be used.
    """
    clock = SystemClock()
    fleet = Fleet(
        engine_maker(
            settings,
            journal=MemoryJournal(clock),
            clock=clock,
            inspector=Inspector(slots=1),
            fetch_policy=FetchPolicy(allow_hosts=settings.fetch_allow_hosts),
        )
    )
    fleet.build(sections)
    return fleet


def build_extender(settings: Settings) -> PromptExtender:
    """The chat model when one is configured, else the built-in rewriter."""
    if not settings.prompt_base_url:
        return BuiltinExtender()
    endpoint = Endpoint(settings.prompt_base_url, settings.prompt_api_key.get_secret_value())

    async def chat(messages: list[dict[str, Any]]) -> str:
        body = {"model": settings.prompt_model, "messages": messages, "stream": False}
        reply = await endpoint.post(
            "/chat/completions", body, _Completion, timeout_s=settings.prompt_budget_s
        )
        if not reply.choices:
            raise UpstreamError(ErrorCode.UPSTREAM_FAILED, "The endpoint answered nothing.")
        return reply.choices[0].message.content or ""

    rules = ChatRules(model=settings.prompt_model, sees_pictures=settings.prompt_sees_images)
    return ChatExtender(chat, rules)


def build_moderation(settings: Settings) -> Moderation:
    """The chain: word list, endpoint, hook.

    Raises:
        BadSetting: The word file cannot be read, or the hook not be imported.
    """
    judges: list[Moderator] = []
    if settings.moderation_base_url:
        endpoint = Endpoint(
            settings.moderation_base_url, settings.moderation_api_key.get_secret_value()
        )

        async def ask(body: dict[str, Any]) -> bytes:
            reply = await endpoint.post("/moderations", body, msgspec.Raw, timeout_s=_MODERATION_S)
            return bytes(reply)

        judges.append(
            EndpointModerator(
                ask, settings.moderation_model, is_required=settings.moderation_required
            )
        )
    if settings.moderation_hook:
        judges.append(HookModerator(_hook(settings.moderation_hook), settings.moderation_hook))
    return Moderation(
        words=_words(settings.moderation_words_file),
        judges=judges,
        allows_unfiltered=settings.allow_unfiltered,
    )


def build_signer(settings: Settings, data_dir: Path) -> Signer | None:
    """The signer that the settings name, or None; the development one is made when missing.

    Raises:
        InternalError: UNAVAILABLE, when the extra is missing.
        BadSetting: The folder lacks its files.
    """
    if settings.c2pa == "off":
        return None
    if settings.c2pa == "dev":
        return ensure_dev_signer(data_dir / "c2pa")
    require_extra()
    folder = Path(settings.c2pa).expanduser()
    for name in (CHAIN_FILE, KEY_FILE):
        if not (folder / name).is_file():
            raise BadSetting(f"c2pa: there is no {name} in {folder}.")
    return Signer(folder=str(folder), algorithm=settings.c2pa_algorithm)


def _words(path: str) -> WordList:
    if not path:
        return WordList()
    try:
        return WordList(read_words(Path(path).expanduser().read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as exc:
        raise BadSetting(f"moderation_words_file: {exc}") from exc


def _hook(name: str) -> Hook:
    module, _, function = name.partition(":")
    try:
        found: Hook = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as exc:
        raise BadSetting(f"moderation_hook: {exc}") from exc
    return found
