"""Where an engine's key may stand, and that no message repeats it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinogate.engines.base import BadOptions, secret


def test_a_key_stands_in_the_file_in_the_environment_or_in_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KG_TEST_KEY", " from-env\n")
    file = tmp_path / "key"
    file.write_text("from-file\n", "utf-8")

    assert secret("literal") == "literal"
    assert secret("env:KG_TEST_KEY") == "from-env"
    assert secret(f"file:{file}") == "from-file"


@pytest.mark.parametrize("value", [7, None, "", "  ", "env:KG_TEST_NOT_SET", "file:/nowhere/key"])
def test_a_missing_key_is_said_with_the_options_name(value: object) -> None:
    with pytest.raises(BadOptions, match=r"^token: "):
        secret(value, "token")
