"""The built-in prompt extension."""

from __future__ import annotations

import pytest

from kinogate.domain.order import Mode, ShotType
from kinogate.engines.preview.scene import plan_scene
from kinogate.service.prompts import extend_prompt

PROMPTS = [
    "A kitten running in the moonlight",
    "a sailboat on the ocean at sunset, pan right",
    "rainy neon city at night, zoom in",
    "一只小猫在月光下奔跑",
    "雨中的城市夜景，镜头推近",
    "a whale underwater",
    "snow in a pine forest",
]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_prompt_stays_in_front_and_words_are_added(prompt: str) -> None:
    longer = extend_prompt(prompt, Mode.T2V, ShotType.SINGLE)

    assert longer.startswith(prompt)
    assert len(longer) > len(prompt) + 5


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("mode", [Mode.T2V, Mode.I2V])
def test_the_scene_stays_the_callers(prompt: str, mode: Mode) -> None:
    longer = extend_prompt(prompt, mode, ShotType.SINGLE)

    assert plan_scene(longer, "", 7) == plan_scene(prompt, "", 7)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_language_follows_the_prompt(prompt: str) -> None:
    added = extend_prompt(prompt, Mode.T2V, ShotType.SINGLE)[len(prompt) :]

    assert added.isascii() == prompt.isascii()


def test_the_same_prompt_always_gets_the_same_words() -> None:
    texts = {extend_prompt(PROMPTS[0], Mode.T2V, ShotType.SINGLE) for _ in range(5)}

    assert len(texts) == 1


def test_an_empty_prompt_stays_empty() -> None:
    assert extend_prompt("  ", Mode.I2V, ShotType.SINGLE) == ""


def test_several_shots_are_named() -> None:
    assert "shots" in extend_prompt("a dog", Mode.T2V, ShotType.MULTI)
    assert "镜头" in extend_prompt("一只狗", Mode.T2V, ShotType.MULTI)
