"""The page on the providers' APIs: its configurations build, and its table is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from round_trip import WIRES

from kinogate.db.memory_journal import MemoryJournal
from kinogate.domain.engine import Engine
from kinogate.engines import build_engine
from kinogate.engines.base import Surroundings
from kinogate.media.inspector import Inspector
from kinogate.net import FetchPolicy

PAGE = Path(__file__).resolve().parents[3] / "docs" / "engines" / "upstream-apis.md"


class StillClock:
    def now_ms(self) -> int:
        return 0


def sections() -> list[Any]:
    found = []
    for block in re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        for name, options in tomllib.loads(block)["engines"].items():
            found.append(pytest.param(name, options, id=name))
    return found


def built(name: str, options: dict[str, Any], folder: Path) -> Engine:
    clock: Any = StillClock()
    surroundings = Surroundings(
        name=name,
        options={key: value for key, value in options.items() if key != "kind"},
        slots=1,
        timeout_s=60,
        data_dir=folder,
        journal=MemoryJournal(clock),
        clock=clock,
        inspector=Inspector(),
        fetch_policy=FetchPolicy(),
    )
    return build_engine(options["kind"], surroundings)


@pytest.mark.parametrize(("name", "options"), sections())
def test_a_configuration_of_the_page_builds(
    name: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = options.get("key", "env:NONE").removeprefix("env:")
    monkeypatch.setenv(variable, "k-test")

    assert built(name, options, tmp_path).name == name


def test_the_page_names_every_kind_and_profile() -> None:
    text = PAGE.read_text("utf-8")

    assert all(f"`{name}`" in text or f'"{name}"' in text for name in WIRES)


def rows() -> dict[str, list[str]]:
    """The table of wishes: a row's cells by its first."""
    table = PAGE.read_text("utf-8").partition("| wish |")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0]: row[1:] for row in cells[2:]}


@pytest.mark.parametrize(
    ("wish", "ability"),
    [
        ("several shots", "shot_type"),
        ("prompt extension", "extends_prompts"),
        ("watermark", "mark_text"),
        ("label", "draws_mark"),
        ("`safety_filter: false`", "unfiltered"),
        ("sound of its own", "auto_audio"),
    ],
)
def test_the_table_says_what_the_wires_say(wish: str, ability: str) -> None:
    columns = ("dashscope", "mulerouter", "vtrix", "unified", "openai", "sglang")

    for name, cell in zip(columns, rows()[wish], strict=True):
        able = WIRES[name].abilities("wan2.6-i2v")
        assert cell.startswith("●") is bool(getattr(able, ability)), name
