"""What an `[engines.NAME]` section of an upstream may say, and how it is told what is wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from factories import a_plan
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.order import Mode
from kinogate.engines import build_engine, kinds
from kinogate.engines import upstream as upstream_package
from kinogate.engines.base import BadOptions, Surroundings
from kinogate.engines.upstream import recipe
from kinogate.engines.upstream.flow import UpstreamEngine
from kinogate.net import FetchPolicy

PAGE = Path(__file__).resolve().parents[3] / "docs" / "engines" / "upstream.md"
BASE = {"base_url": "https://up.example.com/api/v1/", "key": "k-secret"}


def build(kind: str = "dashscope", **options: Any) -> UpstreamEngine:
    kind = options.pop("kind", kind)
    nobody: Any = None
    engine = build_engine(
        kind,
        Surroundings(
            name="up",
            options=options,
            slots=2,
            timeout_s=300,
            data_dir=Path("/nowhere"),
            journal=nobody,
            clock=nobody,
            inspector=nobody,
            fetch_policy=FetchPolicy(),
        ),
    )
    assert isinstance(engine, UpstreamEngine)
    return engine


def credentials(engine: UpstreamEngine) -> Any:
    return engine._parts.pool.credentials


def test_every_kind_is_there() -> None:
    assert {"dashscope", "mulerouter", "openai", "unified", "vtrix"} <= set(kinds())
    for kind in ("dashscope", "mulerouter", "openai", "unified", "vtrix"):
        assert build(kind, **BASE).capacity == 4


def test_one_credential_stands_in_the_section_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UP_KEY", "from-env")
    (one,) = credentials(build(**(BASE | {"key": "env:UP_KEY", "concurrency": 7, "rps": 0.5})))
    assert (one.key, one.base_url) == ("from-env", "https://up.example.com/api/v1")
    assert (one.concurrency, one.rps) == (7, 0.5)


def test_several_credentials_stand_in_tables_of_their_own() -> None:
    engine = build(
        credentials=[
            {"name": "intl", "region": "ap-southeast-1", "key": "a", "concurrency": 5},
            {"name": "cn", "base_url": "https://w.cn-beijing.maas.example.com/api/v1", "key": "b"},
        ]
    )
    intl, cn = credentials(engine)
    assert intl.base_url == "https://dashscope-intl.aliyuncs.com/api/v1"
    assert (intl.name, cn.name) == ("intl", "cn")
    assert engine.capacity == 9


def test_models_are_let_through_by_pattern() -> None:
    engine = build(**BASE, models=["wan2.6-*"])
    offered = {spec.name for spec in CATALOGUE.all() if engine.modes(spec)}
    assert offered
    assert all(name.startswith("wan2.6-") for name in offered)
    assert engine.refuses(a_plan(), frozenset()) is None
    said = engine.refuses(a_plan(model="wan2.5-t2v-preview"), frozenset())
    assert said is not None
    assert "up" in said


def test_models_are_spelled_as_the_operator_says() -> None:
    engine = build("unified", **BASE, models={"wan2.6-t2v": "wan-2-6"})
    spec = CATALOGUE.get("wan2.6-t2v")
    assert spec is not None
    assert engine.modes(spec) == {Mode.T2V}
    assert engine._parts.wire.spelled("wan2.6-t2v") == "wan-2-6"


def test_the_deadline_is_the_servers_unless_the_section_says_another() -> None:
    assert build(**BASE)._parts.pace.deadline_s == 300
    assert build(**BASE, deadline_s=3600)._parts.pace.deadline_s == 3600


def test_a_base_url_of_an_openai_server_may_end_in_v1() -> None:
    (one,) = credentials(build("openai", base_url="http://gpu:30000/v1", profile="sglang"))
    assert (one.base_url, one.key) == ("http://gpu:30000", "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key": "k"}, "base_url"),
        ({"base_url": "https://up.example.com"}, "key"),
        (BASE | {"base_url": "ftp://up.example.com"}, "base_url"),
        (BASE | {"base_url": "https://me:k-secret@up.example.com"}, "base_url"),
        (BASE | {"base_url": "https://up.example.com?key=k-secret"}, "base_url"),
        (BASE | {"base_url": "https://up.example.com:port"}, "base_url"),
        (BASE | {"colour": "blue"}, "colour"),
        (BASE | {"profile": "sglang"}, "profile"),
        (BASE | {"concurrency": 0}, "concurrency"),
        (BASE | {"concurrency": 2.5}, "concurrency"),
        (BASE | {"rps": True}, "rps"),
        (BASE | {"poll_s": "often"}, "poll_s"),
        (BASE | {"models": []}, "models"),
        (BASE | {"models": {}}, "models"),
        (BASE | {"models": "wan2.6-t2v"}, "models"),
        (BASE | {"probe_regions": "yes"}, "probe_regions"),
        (BASE | {"credentials": [{"name": "a"}]}, "base_url"),
        ({"credentials": []}, "credentials"),
        ({"credentials": [{"key": "k", "region": "us-east-1"}]}, "credentials[0].name"),
        (
            {"credentials": [{"name": "a", "region": "us-east-1", "key": "k", "rate": 1}]},
            "credentials[0].rate",
        ),
        (
            {"credentials": [{"name": "a", "region": "us-east-1", "key": "k"}] * 2},
            "credentials[1].name",
        ),
        (
            {
                "base_url": "https://dashscope.aliyuncs.com/api/v1",
                "region": "us-east-1",
                "key": "k",
            },
            "region",
        ),
        ({"region": "mars", "key": "k"}, "base_url"),
        (BASE | {"command": ["/bin/true"]}, "command"),
        (BASE | {"instances": 2}, "instances"),
    ],
)
def test_a_wrong_member_is_named_and_no_secret_repeated(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadOptions) as raised:
        build(**options)
    assert str(raised.value).startswith(f"{said}:")
    assert "k-secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"base_url": "http://gpu", "profile": "comfy"}, "profile"),
        ({"command": ["/bin/true"], "base_url": "http://gpu"}, "base_url"),
        ({"command": ["/bin/true"], "credentials": [{"name": "a"}]}, "credentials"),
        ({"command": ["/no/such/program"]}, "command"),
    ],
)
def test_a_wrong_member_of_an_openai_section_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadOptions) as raised:
        build("openai", **options)
    assert str(raised.value).startswith(f"{said}:")


def test_a_server_of_our_own_has_as_many_places_as_its_instances() -> None:
    engine = build("openai", command=["/bin/true"], instances=3, concurrency=2, profile="sglang")
    assert engine.capacity == 6


def documented() -> list[str]:
    """The options in the table of the page."""
    table = PAGE.read_text("utf-8").partition("| option | meaning |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)


def test_the_page_lists_every_option_and_no_other() -> None:
    folder = Path(upstream_package.__file__).parent
    code = "".join(
        (folder / name).read_text("utf-8") for name in ("build.py", "options.py", "recipe.py")
    )
    taken = set(
        re.findall(r"options\.(?:text|key|number|whole|flag|texts_by_name)\(\s*\"(\w+)", code)
    )
    taken |= {"models", "credentials", "poll_s", *recipe._MEMBERS}
    assert set(documented()) == taken


def test_the_sections_on_the_page_can_be_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DASHSCOPE_KEY", "k")
    (tmp_path / "key").write_text("k")
    text = PAGE.read_text("utf-8").partition("```toml")[2].partition("```")[0]
    text = re.sub(r"file:/run/secrets/\w+", f"file:{tmp_path / 'key'}", text)
    for section in tomllib.loads(text)["engines"].values():
        assert build(**section).capacity >= 4
