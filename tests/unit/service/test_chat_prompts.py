"""Prompt extension by a chat model: what it is asked, and what becomes of its answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kinogate.domain.errors import ErrorCode, UpstreamError
from kinogate.domain.order import Mode, ShotType
from kinogate.domain.review import Rewritten, Wish
from kinogate.service.chat_prompts import CACHE_ENTRIES, ChatExtender, ChatRules, messages_for

GOOD = "A lighthouse of white stone at dusk, waves breaking below it, the camera rising slowly."


class Model:
    """Answers as told and remembers what it was asked."""

    def __init__(self, *answers: str | Exception) -> None:
        self.asked: list[list[dict[str, Any]]] = []
        self._answers = answers

    async def __call__(self, messages: list[dict[str, Any]]) -> str:
        answer = self._answers[min(len(self.asked), len(self._answers) - 1)]
        self.asked.append(messages)
        if isinstance(answer, Exception):
            raise answer
        return answer


def a_wish(**changes: Any) -> Wish:
    members = {"prompt": "a lighthouse", "mode": Mode.T2V, "shot_type": ShotType.SINGLE}
    return Wish(**(members | changes))


def extended(model: Model, *wishes: Wish) -> list[Rewritten]:
    async def run() -> list[Rewritten]:
        extender = ChatExtender(model, ChatRules(model="qwen-plus"))
        return [await extender.extend(wish) for wish in wishes]

    return asyncio.run(run())


def instructions(**changes: Any) -> str:
    content: str = messages_for(a_wish(**changes))[0]["content"]
    return content


def test_the_models_answer_is_the_prompt() -> None:
    (found,) = extended(Model(GOOD), a_wish())

    assert (found.prompt, found.by) == (GOOD, "qwen-plus")


@pytest.mark.parametrize(
    "answer",
    [f'"{GOOD}"', f"“{GOOD}”", f"\n{GOOD}\n", f"<think>hm</think>\n{GOOD}", f"```\n{GOOD}\n```"],
)
def test_what_chatty_models_put_around_it_goes(answer: str) -> None:
    assert extended(Model(answer), a_wish())[0].prompt == GOOD


@pytest.mark.parametrize(
    "answer",
    [
        UpstreamError(ErrorCode.UPSTREAM_FAILED, "late"),
        "",
        "   ",
        "<think>only</think>",
        "x" * 3001,
    ],
    ids=["failure", "empty", "blank", "thoughts", "too long"],
)
def test_a_useless_answer_gives_way_to_the_built_in_rewriter(answer: str | Exception) -> None:
    (found,) = extended(Model(answer), a_wish())

    assert found.by == "builtin"
    assert found.prompt.startswith("a lighthouse, ")


def test_the_same_wish_is_asked_once() -> None:
    model = Model(GOOD)
    first, second = extended(model, a_wish(), a_wish())

    assert len(model.asked) == 1
    assert first.prompt == second.prompt


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a ship"},
        {"mode": Mode.I2V},
        {"shot_type": ShotType.MULTI},
        {"pictures": (b"jpeg",)},
        {"duration_s": 10.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_wish_is_asked_again(change: dict[str, Any]) -> None:
    model = Model(GOOD)
    extended(model, a_wish(), a_wish(**change))

    assert len(model.asked) == 2


def test_failures_are_not_remembered() -> None:
    model = Model(UpstreamError(ErrorCode.UPSTREAM_FAILED, "late"), GOOD)
    first, second = extended(model, a_wish(), a_wish())

    assert (first.by, second.by) == ("builtin", "qwen-plus")


def test_the_memory_is_bounded_and_forgets_the_oldest() -> None:
    model = Model(GOOD)
    wishes = [a_wish(prompt=f"boat {number}") for number in range(CACHE_ENTRIES + 1)]
    extended(model, *wishes, wishes[-1], wishes[0])

    assert len(model.asked) == CACHE_ENTRIES + 2


def test_nothing_to_go_by_is_nothing_to_ask() -> None:
    model = Model(GOOD)
    (found,) = extended(model, a_wish(prompt=" ", mode=Mode.I2V))

    assert model.asked == []
    assert (found.prompt, found.by) == (" ", "none")


def test_each_kind_of_work_has_instructions_of_its_own() -> None:
    found = [instructions(mode=mode) for mode in (Mode.T2V, Mode.I2V, Mode.KF2V, Mode.R2V)]

    assert len(set(found)) == 4


def test_several_shots_are_planned_over_the_clips_length() -> None:
    text = instructions(shot_type=ShotType.MULTI, duration_s=10.0)

    assert "shots" in text
    assert "10 seconds" in text
    assert "shots" not in instructions()


def test_a_model_that_sees_gets_the_pictures_beside_the_words() -> None:
    content = messages_for(a_wish(mode=Mode.I2V, pictures=(b"\xff\xd8",)))[1]["content"]

    assert content[0] == {"type": "text", "text": "a lighthouse"}
    assert content[1]["image_url"]["url"].startswith("data:image/jpeg;base64,")


def test_a_model_that_does_not_see_is_told_not_to_guess() -> None:
    assert "cannot see" in instructions(mode=Mode.I2V)
    assert "cannot see" not in instructions(mode=Mode.I2V, pictures=(b"x",))
