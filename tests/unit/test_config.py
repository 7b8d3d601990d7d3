"""The tables of the configuration file: what they mean, and how a mistake in them is named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kinogate.config import BadConfig, Setup, read_file, read_setup
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.order import Mode
from kinogate.domain.price_list import repriced
from kinogate.domain.routes import DEFAULT_ROUTES, EngineSection, Place
from kinogate.settings import load_settings

FULL = """
port = 9000
[engines.intl]
kind = "dashscope"
key = "env:KEY"
price = 0.10
[engines.gpu]
kind = "diffusers"
price = { "wan2.2-*" = 0.02, "*" = "0.031" }
[[routes]]
model = "wan2.6-*"
accounts = ["acme", "team-*"]
modes = ["t2v", "i2v"]
engines = ["gpu", { intl = 3, preview = 1 }, "preview"]
max_usd_per_s = 0.12
[[routes]]
engines = ["preview"]
[prices]
"wan2.6-t2v" = 0.2
"wan2.6-*" = { 720P = 0.05, 1080P = 0.07 }
"wan2.5-*" = { audio = 0.1, silent = { 480P = 0.01, 720P = 0.02, 1080P = 0.03 } }
"""


def setup_of(text: str) -> Setup:
    return read_setup(tomllib.loads(text))


def test_without_tables_there_is_preview_and_everything_goes_there() -> None:
    setup = setup_of("")

    assert setup.engines == (EngineSection(name="preview", kind="preview"),)
    assert setup.routes == DEFAULT_ROUTES
    assert setup.prices == ()
    assert setup.remarks() == ()


def test_every_table_is_read() -> None:
    setup = setup_of(FULL)
    intl, gpu, preview = setup.engines
    first, second = setup.routes

    assert (intl.name, intl.kind, dict(intl.options)) == ("intl", "dashscope", {"key": "env:KEY"})
    assert intl.costs.of("wan2.6-t2v") == 100_000
    assert (gpu.costs.of("wan2.2-s2v"), gpu.costs.of("wan2.6-t2v")) == (20_000, 31_000)
    assert preview == EngineSection(name="preview", kind="preview")
    assert first.model == "wan2.6-*"
    assert first.accounts == ("acme", "team-*")
    assert first.modes == {Mode.T2V, Mode.I2V}
    assert first.places[1] == Place(engines=(("intl", 3), ("preview", 1)))
    assert first.max_micro == 120_000
    assert second.names == ("preview",)
    assert setup.settings == {"port": 9000}


def test_a_section_may_take_the_name_preview() -> None:
    setup = setup_of('[engines.preview]\nkind = "preview"\nslots = 4')

    assert [dict(section.options) for section in setup.engines] == [{"slots": 4}]


def test_prices_replace_rate_cards_in_the_order_of_the_file() -> None:
    priced = repriced(CATALOGUE, setup_of(FULL).prices)
    t2v, i2v, old = (
        priced.get(name) for name in ("wan2.6-t2v", "wan2.6-i2v", "wan2.5-t2v-preview")
    )
    assert t2v is not None
    assert i2v is not None
    assert old is not None

    assert t2v.price.audio is not None
    assert t2v.price.audio.p1080 == 200_000
    assert i2v.price.audio is not None
    assert (i2v.price.audio.p720, i2v.price.audio.p1080) == (50_000, 70_000)
    assert old.price.silent is not None
    assert old.price.silent.p480 == 10_000
    assert priced.get("wan2.2-s2v") == CATALOGUE.get("wan2.2-s2v")
    assert priced.resolve("wan26_t2v") is t2v


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("engines = 3", "engines:"),
        ("[engines]\nintl = 3", "engines.intl:"),
        ('[engines.intl]\nkey = "a"', "engines.intl.kind:"),
        ("[engines.intl]\nkind = 3", "engines.intl.kind:"),
        ('[engines."in tl"]\nkind = "a"', "engines.in tl:"),
        (f'[engines.{"a" * 33}]\nkind = "a"', f"engines.{'a' * 33}:"),
        ('[engines.intl]\nkind = "a"\nprice = "cheap"', "engines.intl.price:"),
        ('[engines.intl]\nkind = "a"\nprice = -1', "engines.intl.price:"),
        ('[engines.intl]\nkind = "a"\nprice = 0.0000001', "engines.intl.price:"),
        ('[engines.intl]\nkind = "a"\nprice = {"*" = true}', "engines.intl.price.*:"),
        ('routes = "all"', "routes:"),
        ("routes = [1]", "routes[0]:"),
        ("[[routes]]\nengines = []", "routes[0].engines:"),
        ('[[routes]]\nengines = ["gpu"]', "routes[0].engines[0]: there is no engine 'gpu'"),
        ("[[routes]]\nengines = [{}]", "routes[0].engines[0]:"),
        ("[[routes]]\nengines = [{preview = 0}]", "routes[0].engines[0].preview:"),
        ("[[routes]]\nengines = [{preview = 1.5}]", "routes[0].engines[0].preview:"),
        ("[[routes]]\nengines = [{preview = true}]", "routes[0].engines[0].preview:"),
        ('[[routes]]\nengines = ["preview"]\nmodels = "*"', "routes[0].models:"),
        ('[[routes]]\nengines = ["preview"]\nmodel = ""', "routes[0].model:"),
        ('[[routes]]\nengines = ["preview"]\naccounts = "a"', "routes[0].accounts:"),
        ('[[routes]]\nengines = ["preview"]\nmodes = ["film"]', "routes[0].modes:"),
        ('[[routes]]\nengines = ["preview"]\nmax_usd_per_s = "x"', "routes[0].max_usd_per_s:"),
        ('[prices]\n"*" = {1080p = 1}', "prices.'*'.1080p:"),
        ('[prices]\n"wan2.6-*" = {720P = 0.1}', "prices.'wan2.6-*': has no price for 1080P"),
        ('[prices]\n"*" = {silent = 0.1}', "prices.'*'.audio:"),
        ('[prices]\n"*" = {audio = 0.1, loud = 1}', "prices.'*'.loud:"),
        ('[prices]\n"*" = []', "prices.'*':"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, place: str) -> None:
    with pytest.raises(BadConfig) as caught:
        setup_of(text)
    assert str(caught.value).startswith(place)


def test_what_is_perhaps_not_meant_is_remarked() -> None:
    remarks = setup_of(
        '[engines.idle]\nkind = "a"\n[engines.free]\nkind = "a"\n'
        '[[routes]]\nengines = ["free", "preview"]\nmax_usd_per_s = 1'
    ).remarks()

    assert len(remarks) == 2
    assert remarks[0].startswith("[engines.idle]:")
    assert "engine free has no price" in remarks[1]


def test_the_tables_are_no_settings_and_unknown_settings_stay_errors(tmp_path: Path) -> None:
    file = tmp_path / "kinogate.toml"
    file.write_text(FULL, "utf-8")
    assert load_settings(file).port == 9000

    file.write_text("engine = 3", "utf-8")
    with pytest.raises(ValueError, match="engine"):
        load_settings(file)


def test_a_file_that_is_not_utf8_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "kinogate.toml"
    file.write_bytes(b"\xff")
    with pytest.raises(BadConfig, match="UTF-8"):
        read_file(file)
