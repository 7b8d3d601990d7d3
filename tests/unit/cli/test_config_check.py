"""`kinogate config check`, `doctor` and `models`: what they print, and what they keep to themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from kinogate.cli import app
from kinogate.cli.config import HIDDEN, effective, leaves, masked
from kinogate.cli.doctor import clock_row, database_row, extra_row, folder_rows, python_row
from kinogate.config import Setup
from kinogate.settings import Settings

pytestmark = pytest.mark.usefixtures("process_as_before")

FULL = """
port = 9000
database_url = "postgresql+psycopg://kino:hush-hush@db/kinogate"
prompt_base_url = "https://me:hush-hush@chat.example.com/v1"
prompt_model = "m"
prompt_api_key = "hush-hush"
[engines.second]
kind = "preview"
price = 0.02
[[routes]]
model = "wan2.6-*"
engines = [{ second = 3, preview = 1 }]
[[routes]]
engines = ["preview"]
[prices]
"wan2.5-*" = 0.2
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kinogate.toml"
    path.write_text(FULL, "utf-8")
    return path


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


def test_the_effective_configuration_is_printed_without_secrets(file: Path) -> None:
    code, out, err = run("config", "check", "--config", file, "--json")
    shown = json.loads(out)

    assert (code, "hush" in out + err) == (0, False)
    assert shown["settings"]["port"] == 9000
    assert shown["settings"]["prompt_api_key"] == HIDDEN
    assert shown["settings"]["database_url"] == f"postgresql+psycopg://kino:{HIDDEN}@db/kinogate"
    assert shown["settings"]["slots"] == 2
    assert shown["engines"]["second"] == {"kind": "preview", "price": {"*": "0.020000"}}
    assert shown["routes"][0]["engines"] == [{"second": 3, "preview": 1}]
    assert shown["prices"]["wan2.5-*"]["audio"]["720P"] == "0.200000"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = 70000", "port: "),
        ("prot = 80", "prot: "),
        ("port =", "Invalid value"),
        ('[[routes]]\nengines = ["gpu"]', "routes[0].engines[0]: "),
        ('[engines.x]\nkind = "teapot"', "engines.x.kind: there is no kind 'teapot'"),
        ('[engines.x]\nkind = "preview"\nspeed = 3', "engines.x.speed: "),
    ],
)
@pytest.mark.parametrize("command", ["config check", "models", "serve"])
def test_a_wrong_configuration_is_named_with_its_place(
    tmp_path: Path, text: str, said: str, command: str
) -> None:
    path = tmp_path / "kinogate.toml"
    path.write_text(text if text.startswith("p") else f"port = 0\n{text}", "utf-8")
    flags = ["--data-dir", tmp_path / "data"] if command == "serve" else []
    code, _, err = run(*command.split(), "--config", path, *flags)

    assert (code, said in err) == (78, True), err


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    code, _, err = run("config", "check", "--config", tmp_path / "none.toml")
    assert (code, "none.toml" in err) == (78, True)


def test_options_that_sound_like_secrets_are_masked_and_pointers_are_not() -> None:
    options: dict[str, object] = {
        "key": "hush",
        "api_token": 7,
        "region": "intl",
        "base_url": "https://a:hush@b.example/v1",
        "keys": [{"key": "hush"}, {"key": "env:B"}],
        "credentials": ["hush", "file:/run/key"],
        "password": "",
        "env": {"HF_TOKEN": "hush", "HOME": "/h"},
    }

    assert masked(options) == {
        "key": HIDDEN,
        "api_token": HIDDEN,
        "region": "intl",
        "base_url": f"https://a:{HIDDEN}@b.example/v1",
        "keys": [{"key": HIDDEN}, {"key": "env:B"}],
        "credentials": [HIDDEN, "file:/run/key"],
        "password": "",
        "env": {"HF_TOKEN": HIDDEN, "HOME": "/h"},
    }


def test_every_secret_setting_is_masked() -> None:
    secrets = [name for name, item in Settings.model_fields.items() if item.annotation is SecretStr]
    settings = Settings(**dict.fromkeys(secrets, "hush"))
    shown = effective(settings, Setup())["settings"]

    assert len(secrets) >= 3
    assert "hush" not in str(shown)


def test_values_are_shown_with_their_places() -> None:
    value = {"a": {"b": 1, "c": []}, "d": [{"e": [1, 2]}, "x"], "f": None, "g": {}}
    assert list(leaves(value)) == [("a.b", "1"), ("a.c", ""), ("d[0].e", "1, 2"), ("d[1]", "x")]


def test_remarks_are_made_and_are_no_errors(tmp_path: Path) -> None:
    path = tmp_path / "kinogate.toml"
    path.write_text('[engines.idle]\nkind = "preview"', "utf-8")
    code, _, err = run("config", "check", "--config", path)
    assert (code, "[engines.idle]: no route names this engine" in err) == (0, True)


def test_models_show_engines_in_order_costs_and_prices(file: Path) -> None:
    code, out, _ = run("models", "--config", file, "--json")
    rows = {row["model"]: row for row in json.loads(out)}

    assert code == 0
    assert [item["name"] for item in rows["wan2.6-t2v"]["engines"]] == ["second", "preview"]
    assert rows["wan2.6-t2v"]["engines"][0]["cost_usd_per_s"] == "0.020000"
    assert [item["name"] for item in rows["wan2.5-t2v-preview"]["engines"]] == ["preview"]
    assert rows["wan2.5-t2v-preview"]["prices"]["480P"]["audio"] == "0.2000"
    assert rows["wan2.7-videoedit"]["engines"] == []


# -- doctor ----------------------------------------------------------------------------------------


def test_a_healthy_machine_passes(tmp_path: Path) -> None:
    code, out, _ = run("doctor", "--data-dir", tmp_path, "--json")
    rows = {row["what"]: row["state"] for row in json.loads(out)}

    assert code == 0, out
    assert rows["child process"] == "ok"
    assert rows["engine preview"] == "ok"


def test_an_engine_that_cannot_be_built_fails_and_the_others_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "kinogate.toml"
    path.write_text('[engines.x]\nkind = "teapot"', "utf-8")
    code, out, _ = run("doctor", "--config", path, "--data-dir", tmp_path, "--json")
    rows = {row["what"]: row["state"] for row in json.loads(out)}

    assert code == 1
    assert (rows["engine x"], rows["engine preview"]) == ("FAIL", "ok")


def test_versions_are_judged() -> None:
    assert python_row((3, 10, 9)).state == "FAIL"
    assert python_row((3, 13, 0)).state == "ok"
    assert database_row("sqlite:///a.db", "3.51.2").state == "warn"
    assert database_row("sqlite:///a.db", "3.51.3").state == "ok"
    assert database_row("sqlite:///a.db", "3.52").state == "ok"
    assert database_row("postgresql+psycopg://a/b", "3.40.1").state == "ok"


def test_a_clock_of_the_past_fails() -> None:
    assert clock_row(0).state == "FAIL"
    assert clock_row(1_800_000_000).state == "ok"


def test_a_folder_open_to_others_is_warned_of(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert folder_rows(folder)[0].text.endswith("will be made.")
    folder.mkdir(mode=0o755)
    assert folder_rows(folder)[0].state == "warn"
    folder.chmod(0o700)
    assert folder_rows(folder)[0].state == "ok"


def test_an_extra_that_a_setting_needs_must_be_there() -> None:
    assert extra_row("c2pa", Settings(c2pa="dev")).state == "ok"
    assert extra_row("wan", Settings()).state == "ok"
