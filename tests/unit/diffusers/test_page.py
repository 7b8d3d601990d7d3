"""The engine's page says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kinogate.domain.knobs import PRESETS
from kinogate.engines.diffusers import options
from kinogate.engines.diffusers.card_rows import CARDS
from kinogate.engines.diffusers.cards import Card
from kinogate.engines.diffusers.rungs import Rung

PAGE = (Path(__file__).parents[3] / "docs" / "engines" / "diffusers.md").read_text("utf-8")


def _cells(card: Card) -> list[str]:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{card.name}` |")]
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_the_table_of_cards_has_every_figure(card: Card) -> None:
    _, repo, serves, _, speed, tier, sampling = _cells(card)

    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", sampling)]
    second = [] if card.guidance_2 is None else [card.guidance_2]
    assert repo == card.repo
    assert tuple(serves.split(", ")) == card.serves
    assert speed == f"{card.fps}, {card.longest_s:g} s"
    assert tier == card.top_tier.value
    assert numbers == [card.steps, card.guidance, *second, card.shift, card.shift_720]


def test_every_option_preset_and_rung_is_named() -> None:
    names = {*options._ENGINE_ONLY, *options._SAMPLING, *PRESETS}
    names |= {"card", "path", "serves", "loras", "turbo_loras", "distilled", "long", "top_tier"}
    names |= set(Rung) - {Rung.WHOLE}
    missing = sorted(name for name in names if f"`{name}`" not in PAGE)
    assert missing == []
