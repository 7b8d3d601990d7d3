"""The documentation keeps up with the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kinogate.domain.errors import ErrorCode
from kinogate.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_tables_in_the_docs_are_those_of_the_code() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "docs_tables.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_error_code_is_explained() -> None:
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")

    assert [code for code in ErrorCode if f"`{code.value}`" not in page] == []


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "operate.md").read_text("utf-8")

    assert [name for name in Settings.model_fields if f"`{name}`" not in page] == []
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
    local = [target for target in targets if "://" not in target]

    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_make_target_is_declared_phony_and_the_readme_names_the_main_ones() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    phony = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())

    assert targets <= phony
    assert all(f"make {name}" in readme for name in ("run", "demo", "test"))


def test_ci_uses_the_readmes_own_test_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")
