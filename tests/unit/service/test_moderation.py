"""The judges, one by one and in a chain."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kinogate.domain.errors import (
    CallerError,
    ErrorCode,
    InternalError,
    KinogateError,
    UpstreamError,
)
from kinogate.domain.review import Exhibit, Part
from kinogate.service.moderation import (
    WORDS,
    EndpointModerator,
    HookModerator,
    Moderation,
    WordList,
    read_words,
)

PROMPT = Exhibit(part=Part.PROMPT, text="a lighthouse at dusk")
IMAGE = Exhibit(part=Part.IMAGE, picture=b"\xff\xd8jpeg", path=Path("/tmp/a.png"))
RESULT = Exhibit(part=Part.RESULT, picture=b"\xff\xd8jpeg", path=Path("/tmp/a.mp4"))


def judged(chain: Moderation, *exhibits: Exhibit) -> None:
    async def run() -> None:
        for exhibit in exhibits:
            await chain.require(exhibit)

    asyncio.run(run())


class Endpoint:
    """Answers as told and remembers what it was asked."""

    def __init__(self, reply: object) -> None:
        self.asked: list[dict[str, Any]] = []
        self._reply = reply

    async def __call__(self, body: dict[str, Any]) -> bytes:
        self.asked.append(body)
        if isinstance(self._reply, KinogateError):
            raise self._reply
        return self._reply if isinstance(self._reply, bytes) else msgspec.json.encode(self._reply)


def verdict(*categories: str) -> object:
    found = {"violence": False} | dict.fromkeys(categories, True)
    return {"id": "m", "results": [{"flagged": bool(categories), "categories": found}]}


@pytest.mark.parametrize("word", WORDS)
def test_every_phrase_of_the_built_in_list_is_found(word: str) -> None:
    assert WordList().find(f"I want, {word.upper()}! please") is not None


@pytest.mark.parametrize(
    "text",
    [
        "a child on a swing",
        "a grape scene in the vineyard",
        "rape seed fields, scene at dawn",
        "naked trees in winter",
        "一个孩子在海边",
        "",
    ],
)
def test_harmless_prompts_pass(text: str) -> None:
    assert WordList().find(text) is None


@pytest.mark.parametrize(
    "text", ["\uff26orbidde\uff4e word", "forbidden\n\tword", "Forbidden  Word."], ids=repr
)
def test_width_case_and_spaces_are_no_disguise(text: str) -> None:
    assert WordList(["forbidden word"]).find(text) == "forbidden word"


def test_words_end_at_borders_and_signs_are_no_patterns() -> None:
    words = WordList(["cat", "a.c", "禁"])

    assert words.find("concatenate abc") is None
    assert words.find("the a.c unit") == "a.c"
    assert words.find("这是禁止的") == "禁"


def test_an_empty_list_refuses_nothing() -> None:
    assert WordList([]).find("anything") is None


def test_a_word_file_has_one_phrase_a_line_and_remarks() -> None:
    assert read_words("# ours\n\n one \ntwo words\r\n#end") == ("one", "two words")


def test_a_refusal_names_the_part_the_judge_and_the_reason() -> None:
    with pytest.raises(CallerError) as caught:
        Moderation(words=WordList(["quokka"])).require_words("a Quokka")

    assert caught.value.code is ErrorCode.CONTENT_REFUSED
    assert caught.value.field == "prompt"
    assert caught.value.message == "The prompt was refused by the word list: it contains 'quokka'."


@pytest.mark.parametrize("exhibit", [PROMPT, IMAGE, RESULT], ids=lambda item: item.part)
def test_the_endpoints_flag_refuses_prompts_images_and_results(exhibit: Exhibit) -> None:
    endpoint = Endpoint(verdict("hate", "self-harm"))
    chain = Moderation(judges=[EndpointModerator(endpoint, "omni")])

    with pytest.raises(CallerError) as caught:
        judged(chain, exhibit)

    assert f"The {exhibit.part} was refused by the omni" in caught.value.message
    assert "hate, self-harm" in caught.value.message


def test_the_endpoint_gets_words_as_text_and_pictures_as_data() -> None:
    endpoint = Endpoint(verdict())
    judged(Moderation(judges=[EndpointModerator(endpoint, "omni")]), PROMPT, IMAGE)

    assert endpoint.asked[0] == {"model": "omni", "input": PROMPT.text}
    (shown,) = endpoint.asked[1]["input"]
    assert shown["image_url"]["url"].startswith("data:image/jpeg;base64,/9")


@pytest.mark.parametrize(
    "reply", [UpstreamError(ErrorCode.UPSTREAM_FAILED, "late"), b"<html>", {"results": [{}]}]
)
def test_an_endpoint_that_cannot_be_asked_lets_nothing_pass(reply: object) -> None:
    with pytest.raises(UpstreamError, match="moderation endpoint"):
        judged(Moderation(judges=[EndpointModerator(Endpoint(reply), "")]), PROMPT)


def test_an_endpoint_that_is_not_required_lets_pass() -> None:
    failing = Endpoint(UpstreamError(ErrorCode.UPSTREAM_FAILED, "late"))
    judged(Moderation(judges=[EndpointModerator(failing, "", is_required=False)]), PROMPT)

    assert len(failing.asked) == 1


def test_a_hook_sees_part_text_and_path() -> None:
    seen: list[tuple[str, str, str | None]] = []

    def hook(part: str, text: str, path: str | None) -> None:
        seen.append((part, text, path))

    judged(Moderation(judges=[HookModerator(hook, "mine:hook")]), PROMPT, RESULT)

    assert seen == [("prompt", PROMPT.text, None), ("result", "", "/tmp/a.mp4")]


async def refusing(part: str, text: str, path: str | None) -> str:
    return "too many boats."


def agreeing(part: str, text: str, path: str | None) -> bool:
    return True


@pytest.mark.parametrize(("hook", "said"), [(refusing, "too many boats"), (agreeing, "refused")])
def test_a_hook_refuses_in_its_own_words(hook: Any, said: str) -> None:
    with pytest.raises(CallerError, match=f"by the mine:hook: .*{said}"):
        judged(Moderation(judges=[HookModerator(hook, "mine:hook")]), RESULT)


def test_a_hook_that_fails_lets_nothing_pass() -> None:
    def broken(part: str, text: str, path: str | None) -> None:
        raise ZeroDivisionError

    with pytest.raises(InternalError):
        judged(Moderation(judges=[HookModerator(broken, "mine:hook")]), PROMPT)


def test_the_first_refusal_ends_the_chain() -> None:
    later = Endpoint(verdict())
    judges = [HookModerator(agreeing, "first"), EndpointModerator(later, "second")]

    with pytest.raises(CallerError, match="first"):
        judged(Moderation(judges=judges), PROMPT)

    assert later.asked == []


@pytest.mark.parametrize(
    ("wish", "allowed", "filters"),
    [(True, False, True), (True, True, True), (False, False, True), (False, True, False)],
)
def test_the_filter_goes_off_only_where_policy_allows(
    wish: bool, allowed: bool, filters: bool
) -> None:
    assert Moderation(allows_unfiltered=allowed).filters(wish) is filters
