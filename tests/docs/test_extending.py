"""The page about extending shows what the example packages really say, and what really runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
BLOCK = re.compile(r"<!-- (.*?) -->\n```(\w+)\n(.*?)```", re.DOTALL)
BLOCKS = [found.groups() for found in BLOCK.finditer(PAGE)]


def test_every_snippet_says_where_it_comes_from() -> None:
    assert len(BLOCKS) == PAGE.count("```") // 2


@pytest.mark.parametrize(
    ("source", "text"), [(where, text) for where, _, text in BLOCKS if where.startswith("from ")]
)
def test_a_snippet_of_an_example_stands_in_it(source: str, text: str) -> None:
    assert text in (ROOT / source.removeprefix("from ")).read_text("utf-8")


def test_the_cases_run_on_an_engine_as_the_page_shows(tmp_path: Path) -> None:
    (snippet,) = (text for where, _, text in BLOCKS if where == "run as a test")
    (tmp_path / "test_bars.py").write_text(snippet)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_bars.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "examples" / "plugin-engine" / "src")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
