"""Which dialects a server speaks, in which order, and how packages add to them."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

import kinogate.dialects
from kinogate.dialects import ENTRY_POINT_GROUP, build_dialects
from kinogate.dialects.base import Action, Dialect, Route

BUILT_IN = ["unified", "dashscope", "vtrix", "mulerouter", "openai", "native"]


class Visitor(Dialect):
    """A dialect from elsewhere."""

    name = "visitor"
    routes = (Route(method="POST", path="/visitor/clips", action=Action.CREATE),)
    prefixes = ("/visitor/",)


class Namesake(Visitor):
    """Takes a name that is taken."""

    name = "vtrix"


class Squatter(Visitor):
    """Takes a path that is taken, under another parameter's name."""

    name = "squatter"
    routes = (Route(method="GET", path="/v1/videos/{clip}", action=Action.GET),)


def offer(monkeypatch: pytest.MonkeyPatch, *kinds: type[Dialect]) -> None:
    """Pretend that an installed package offers these."""

    def found(*, group: str) -> list[Any]:
        assert group == ENTRY_POINT_GROUP
        return [
            EntryPoint(name=kind.__name__, value=f"{__name__}:{kind.__name__}", group=group)
            for kind in kinds
        ]

    monkeypatch.setattr(kinogate.dialects, "entry_points", found)


def test_the_built_in_ones_come_in_order_and_native_last() -> None:
    assert [dialect.name for dialect in build_dialects(dashscope_prefixes=[""])] == BUILT_IN


@pytest.mark.parametrize("prefixes", [[], [""], ["", "/qwen", "/mine"]])
def test_dashscope_is_served_under_the_given_prefixes_only(prefixes: list[str]) -> None:
    built = {dialect.name: dialect for dialect in build_dialects(dashscope_prefixes=prefixes)}
    roots = {route.path.partition("/api/v1/")[0] for route in built["dashscope"].routes}
    assert roots == set(prefixes)


def test_a_package_can_add_one_before_native(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, Visitor)
    names = [dialect.name for dialect in build_dialects(dashscope_prefixes=[""])]
    assert names == [*BUILT_IN[:-1], "visitor", "native"]


@pytest.mark.parametrize(
    ("kind", "words"), [(Namesake, "vtrix"), (Squatter, "openai and squatter")]
)
def test_two_claims_to_the_same_thing_are_told(
    monkeypatch: pytest.MonkeyPatch, kind: type[Dialect], words: str
) -> None:
    offer(monkeypatch, kind)
    with pytest.raises(ValueError, match=words):
        build_dialects(dashscope_prefixes=[""])
