"""Which route takes a task, and in which order its engines are asked."""

from __future__ import annotations

from collections import Counter

import pytest

from kinogate.domain.order import Mode
from kinogate.domain.routes import Costs, EngineSection, Place, Route, find_route


def place(*names: str, **weights: int) -> Place:
    return Place(engines=(*((name, 1) for name in names), *weights.items()))


def route(**changes: object) -> Route:
    return Route(**{"places": (place("a"),), **changes})  # type: ignore[arg-type]


def test_the_first_route_that_matches_wins() -> None:
    narrow = route(model="wan2.6-*", accounts=("acme", "team-*"), modes=frozenset({Mode.T2V}))
    wide = route()
    routes = (narrow, wide)

    assert find_route(routes, "wan2.6-t2v", "acme", Mode.T2V) is narrow
    assert find_route(routes, "wan2.6-t2v", "team-7", Mode.T2V) is narrow
    assert find_route(routes, "wan2.6-t2v", "other", Mode.T2V) is wide
    assert find_route(routes, "wan2.6-t2v", "acme", Mode.I2V) is wide
    assert find_route(routes, "wan2.5-t2v-preview", "acme", Mode.T2V) is wide
    assert find_route((narrow,), "wan2.2-s2v", "acme", Mode.S2V) is None


def test_patterns_mind_case() -> None:
    assert not route(model="Wan2.6-*").takes("wan2.6-t2v", "acme", Mode.T2V)


def test_places_keep_their_order_and_a_name_counts_where_it_comes_first() -> None:
    found = route(places=(place("gpu"), place(intl=3, eu=1), place("gpu", "preview")))

    for salt in map(str, range(20)):
        drawn = found.drawn(salt)
        assert drawn[0] == "gpu"
        assert set(drawn[1:3]) == {"intl", "eu"}
        assert drawn[3:] == ("preview",)


def test_the_same_salt_draws_the_same() -> None:
    shared = place(a=1, b=1, c=1)
    draws = {salt: shared.drawn(salt) for salt in map(str, range(50))}

    assert {salt: shared.drawn(salt) for salt in draws} == draws
    assert len(set(draws.values())) == 6  # every order comes up


@pytest.mark.parametrize(("heavy", "share"), [(3, 0.75), (1, 0.5), (9, 0.9)])
def test_weights_decide_how_often_an_engine_comes_first(heavy: int, share: float) -> None:
    shared = place(intl=heavy, eu=1)
    firsts = Counter(shared.drawn(f"task-{number}")[0] for number in range(4_000))

    assert firsts["intl"] / 4_000 == pytest.approx(share, abs=0.03)


def test_one_engine_that_goes_leaves_the_order_of_the_others() -> None:
    three, two = place(a=1, b=2, c=3), place(a=1, b=2)

    for salt in map(str, range(50)):
        assert tuple(name for name in three.drawn(salt) if name != "c") == two.drawn(salt)


def test_a_ceiling_passes_dearer_engines_over_and_lets_those_without_a_figure_through() -> None:
    limited = route(max_micro=120_000)

    assert limited.affords(120_000)
    assert not limited.affords(120_001)
    assert limited.affords(None)
    assert route().affords(10**9)


def test_costs_are_those_of_the_first_pattern_that_matches() -> None:
    costs = Costs(rows=(("wan2.6-*", 5), ("wan2.*", 3)))

    assert costs.of("wan2.6-t2v") == 5
    assert costs.of("wan2.2-s2v") == 3
    assert costs.of("wan3.0-video") is None


def test_costs_do_not_make_another_engine() -> None:
    one = EngineSection(name="a", kind="preview", options={"slots": 2})

    assert one.is_same_engine(
        EngineSection(name="a", kind="preview", options={"slots": 2}, costs=Costs(rows=(("*", 1),)))
    )
    assert not one.is_same_engine(EngineSection(name="a", kind="preview", options={"slots": 3}))
