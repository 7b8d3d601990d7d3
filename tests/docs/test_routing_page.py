"""What the page on routing, and the first page, show can be written into a file as it stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from kinogate.config import read_setup
from kinogate.engines import kinds

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "routing.md").read_text("utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE + (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda text: text.splitlines()[0][:20])
def test_a_block_is_read_without_a_remark(block: str) -> None:
    setup = read_setup(tomllib.loads(block))

    assert setup.settings == {}
    assert setup.remarks() == ()


def test_every_kind_is_named() -> None:
    ours = {"preview", "diffusers", "dashscope", "mulerouter", "vtrix", "unified", "openai"}
    assert ours <= set(kinds())
    assert [kind for kind in ours if f"`{kind}`" not in PAGE] == []
