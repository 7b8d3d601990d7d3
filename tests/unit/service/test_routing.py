"""Choosing engines at submit: refusals, ceilings, readiness; and what a reload changes."""

from __future__ import annotations

import pytest
from lineup import Player, fleet_of, priced, route_to

from factories import a_plan
from kinogate.domain.abilities import Abilities
from kinogate.domain.order import Mode, Role
from kinogate.domain.price_list import PriceRow
from kinogate.domain.rates import Rates
from kinogate.domain.routes import Place, Route
from kinogate.service.fleet import Fleet
from kinogate.service.routing import Router

NOTHING: frozenset[Role] = frozenset()


def router(*players: Player, **changes: object) -> Router:
    route = route_to(*(player.name for player in players), **changes)
    return Router(Fleet.of(*players), routes=(route,))


def test_engines_that_refuse_the_plan_are_left_out() -> None:
    choice = router(Player("a", refusal="No."), Player("b"), Player("c")).choose(
        a_plan(), NOTHING, "acme", "1"
    )
    assert choice.candidates == ("b", "c")
    assert choice.refusal is None


def test_without_a_candidate_the_first_engines_sentence_is_the_refusal() -> None:
    shared = Route(places=(Place(engines=(("a", 1), ("b", 1))),))
    fleet = Fleet.of(Player("a", refusal="A cannot."), Player("b", refusal="B cannot."))
    for salt in map(str, range(10)):
        choice = Router(fleet, routes=(shared,)).choose(a_plan(), NOTHING, "acme", salt)
        assert choice.refusal == "A cannot."


def test_a_model_without_a_route_is_refused() -> None:
    choice = router(Player("a"), model="wan2.1-*").choose(a_plan(), NOTHING, "acme", "1")
    assert choice.refusal == "No engine of this server is set up for wan2.6-t2v."


def test_an_engine_that_does_not_make_the_models_mode_is_left_out() -> None:
    choice = router(Player("a", modes=frozenset({Mode.I2V})), Player("b")).choose(
        a_plan(), NOTHING, "acme", "1"
    )
    assert choice.candidates == ("b",)


def test_an_effect_on_a_row_between_two_frames_is_the_engines_own_question() -> None:
    plan = a_plan(model="wan2.1-kf2v-plus", mode=Mode.I2V, template="mech1")
    assert router(Player("a")).choose(plan, NOTHING, "acme", "1").candidates == ("a",)


def test_engines_beyond_the_ceiling_are_passed_over() -> None:
    dear, cheap = Player("dear"), Player("cheap")
    fleet = Fleet.of(dear, cheap)
    fleet.replace([priced("dear", 200_000), priced("cheap", 100_000)])
    limited = Router(fleet, routes=(route_to("dear", "cheap", max_micro=150_000),))
    assert limited.choose(a_plan(), NOTHING, "acme", "1").candidates == ("cheap",)

    fleet.replace([priced("dear", 200_000), priced("cheap", 160_000)])
    refusal = limited.choose(a_plan(), NOTHING, "acme", "1").refusal
    assert refusal == "No engine for wan2.6-t2v is within the price ceiling of this server."


def test_the_choice_does_not_depend_on_the_engines_state() -> None:
    desk = router(Player("a"), Player("b"))
    before = desk.choose(a_plan(), NOTHING, "acme", "1")
    desk.fleet.members["a"].condition.is_draining = True
    desk.fleet.members["b"].condition.fail("Away.", retry_after_s=60)

    assert desk.choose(a_plan(), NOTHING, "acme", "1") == before


def test_engines_that_take_no_work_now_stand_at_the_end() -> None:
    desk = router(Player("a"), Player("b"), Player("c"), Player("d"))
    desk.fleet.members["a"].condition.is_draining = True
    desk.fleet.members["b"].condition.fail("Away.", retry_after_s=60)

    assert desk.by_readiness(("a", "b", "c", "d", "gone")) == ("c", "d", "a", "b", "gone")


def test_an_engine_that_is_starting_keeps_its_place() -> None:
    desk = Router(fleet_of(Player("a"), Player("b")), routes=(route_to("a", "b"),))
    assert desk.by_readiness(("a", "b")) == ("a", "b")


def test_a_plan_is_adapted_to_the_engine_it_goes_to() -> None:
    desk = router(Player("a", able=Abilities(fps=16)))
    plan, warnings = desk.adapted(a_plan(), "a")

    assert plan.fps == 16
    assert warnings == ("fps is 16 on the engine a instead of 30.",)


@pytest.mark.parametrize("name", ["wan2.6-t2v", "wan2.6-i2v"])
def test_new_prices_and_routes_count_at_once(name: str) -> None:
    desk = router(Player("a"), Player("b"))
    before = desk.catalogue.get(name)
    desk.replace(
        (route_to("b"),), (PriceRow(pattern="wan2.6-t2v", audio=Rates(p480=1, p720=2, p1080=3)),)
    )

    assert desk.choose(a_plan(), NOTHING, "acme", "1").candidates == ("b",)
    assert (desk.catalogue.get(name) == before) is (name == "wan2.6-i2v")
