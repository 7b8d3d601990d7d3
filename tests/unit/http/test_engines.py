"""Engines through the native API: what is offered to whom, and what only admins may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from factories import ACCOUNT
from harness import Harness, IdleEngine, wait_for
from kinogate.domain.abilities import Abilities
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.models import Reloaded
from kinogate.domain.order import Mode
from kinogate.domain.price_list import PriceRow
from kinogate.domain.rates import Rates
from kinogate.domain.routes import Costs, Place, Route
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Status

API = "/kinogate/v1"


class Picky(IdleEngine):
    """Makes clips from text only."""

    name = "picky"

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        return spec.modes & {Mode.T2V}


def to(*names: str, **changes: Any) -> Route:
    return Route(places=tuple(Place(engines=((name, 1),)) for name in names), **changes)


@pytest.fixture
def picky(server: Harness) -> Picky:
    """A second engine, asked before the first; it costs 0.02 a second."""
    engine = Picky()
    server.router.fleet.adopt(engine, Costs(rows=(("*", 20_000),)))
    server.router.replace((to("picky", "idle"),), ())
    return engine


def model(server: Harness, name: str, auth: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = server.client.get(f"{API}/models/{name}", headers=auth).json()
    return found


def test_a_model_shows_every_engine_in_route_order(server: Harness, picky: Picky) -> None:
    t2v, i2v = (model(server, name, server.auth()) for name in ("wan2.6-t2v", "wan2.6-i2v"))

    assert [(item["name"], item["modes"]) for item in t2v["engines"]] == [
        ("picky", ["t2v"]),
        ("idle", ["t2v"]),
    ]
    assert t2v["engine"] == "picky"
    assert [item["name"] for item in i2v["engines"]] == ["idle"]


def test_the_operators_own_costs_are_shown_to_admins_only(server: Harness, picky: Picky) -> None:
    mine = model(server, "wan2.6-t2v", server.admin_auth())["engines"]
    theirs = model(server, "wan2.6-t2v", server.auth())["engines"]

    assert [item.get("cost_usd_per_s") for item in mine] == ["0.020000", None]
    assert [item.get("cost_usd_per_s") for item in theirs] == [None, None]


def test_routes_of_other_accounts_are_not_offered(server: Harness, picky: Picky) -> None:
    server.router.replace((to("picky", accounts=(ACCOUNT,)), to("idle")), ())

    assert model(server, "wan2.6-t2v", server.auth())["engine"] == "picky"
    assert model(server, "wan2.6-t2v", server.auth("other"))["engine"] == "idle"


def test_engines_beyond_the_ceiling_are_not_offered(server: Harness, picky: Picky) -> None:
    server.router.replace((to("picky", "idle", max_micro=10_000),), ())

    assert [item["name"] for item in model(server, "wan2.6-t2v", server.auth())["engines"]] == [
        "idle"
    ]


def test_a_model_that_no_route_takes_has_no_engine(server: Harness) -> None:
    server.router.replace((to("idle", model="wan2.5-*"),), ())
    found = model(server, "wan2.6-t2v", server.auth())

    assert (found["engine"], found["engines"], found["engine_modes"]) == (None, [], [])


def test_prices_are_what_the_caller_pays(server: Harness) -> None:
    shown = model(server, "wan2.6-i2v-flash", server.auth())["prices"]
    assert shown["720P"] == {"audio": "0.050000", "silent": "0.025000"}

    row = PriceRow(pattern="wan2.6-*", audio=Rates(p480=7, p720=7, p1080=7))
    server.router.replace(server.router.routes, (row,))
    shown = model(server, "wan2.6-i2v-flash", server.auth())["prices"]
    assert shown["1080P"] == {"audio": "0.000007", "silent": "0.000007"}


def create(server: Harness, **members: Any) -> Any:
    body = {"model": "wan2.6-t2v", "prompt": "a boat", "duration": 5, "size": "1280*720", **members}
    return server.client.post(f"{API}/tasks", headers=server.auth(), json=body)


def test_the_operators_price_is_held(server: Harness) -> None:
    row = PriceRow(pattern="wan2.6-*", audio=Rates(p720=30_000, p1080=40_000))
    server.router.replace(server.router.routes, (row,))

    assert create(server).json()["held_usd"] == "0.150000"


def test_a_task_waits_in_the_lane_of_the_first_engine_that_takes_work(
    server: Harness, picky: Picky
) -> None:
    create(server)
    server.router.fleet.members["picky"].condition.is_draining = True
    create(server)

    assert [len(_claimed(server, lane)) for lane in ("picky", "idle")] == [1, 1]


def _claimed(server: Harness, lane: str) -> Any:
    return wait_for(server.store.claim("x", 10, server.clock.ms, lane=lane))


def test_a_submit_is_adapted_to_the_engine_it_goes_to(server: Harness, picky: Picky) -> None:
    picky.able = Abilities(fps=16)

    assert create(server).json()["warnings"] == ["fps is 16 on the engine picky instead of 30."]
    assert server.last_task().plan.fps == 16


def test_a_refusal_is_said_only_when_no_engine_takes_it(server: Harness, picky: Picky) -> None:
    picky.refusal = "Picky cannot."
    assert create(server).status_code == 201

    server.engine.refusal = "Idle cannot."
    reply = create(server)
    assert (reply.status_code, reply.json()["detail"]) == (400, "Picky cannot.")


def test_a_remix_is_routed_anew(server: Harness, picky: Picky) -> None:
    done = server.put(Status.SUCCEEDED)
    server.router.replace((to("picky"),), ())
    picky.able = Abilities(seed=False)
    reply = server.client.post(
        f"/v1/videos/{done.id}/remix", headers=server.auth(), json={"prompt": "by night"}
    )

    assert reply.status_code == 200
    assert len(_claimed(server, "picky")) == 1


# -- for admins ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/engines"),
        ("POST", "/engines/idle/drain"),
        ("POST", "/engines/idle/resume"),
        ("POST", "/reload"),
    ],
)
def test_only_admins_may_look_after_engines(server: Harness, method: str, path: str) -> None:
    reply = server.client.request(method, API + path, headers=server.auth())
    assert (reply.status_code, reply.json()["code"]) == (403, "permission_denied")
    assert server.client.request(method, API + path, headers=server.admin_auth()).status_code == 200
    assert server.client.request(method, API + path).status_code == 401


def test_an_engine_shows_how_it_is(server: Harness) -> None:
    condition = server.router.fleet.members["idle"].condition
    condition.fail("It crashed.", retry_after_s=40)
    (shown,) = server.client.get(f"{API}/engines", headers=server.admin_auth()).json()["engines"]

    assert shown.pop("cools_for_s") == pytest.approx(40, abs=1)
    assert shown == {
        "name": "idle",
        "kind": "preview",
        "state": "cooling",
        "capacity": 1,
        "running": 0,
        "failures": 1,
        "last_failure": "It crashed.",
    }


def test_draining_twice_is_draining_once(server: Harness) -> None:
    admin = server.admin_auth()
    for _ in range(2):
        reply = server.client.post(f"{API}/engines/idle/drain", headers=admin)
        assert reply.json()["state"] == "draining"
    for _ in range(2):
        reply = server.client.post(f"{API}/engines/idle/resume", headers=admin)
        assert reply.json()["state"] == "ready"
    assert server.client.post(f"{API}/engines/x/drain", headers=admin).status_code == 404


def test_tasks_are_accepted_while_every_engine_drains(server: Harness) -> None:
    server.client.post(f"{API}/engines/idle/drain", headers=server.admin_auth())
    assert create(server).status_code == 201


def test_a_reload_says_what_has_changed_or_what_is_wrong(server: Harness) -> None:
    def fine() -> Reloaded:
        return Reloaded(engines=("gpu",), needs_restart=("port",), remarks=("Hm.",))

    def wrong() -> Reloaded:
        raise CallerError(ErrorCode.FIELD_INVALID, "routes: must be tables.", field="config")

    server.on_reload = fine
    reply = server.client.post(f"{API}/reload", headers=server.admin_auth())
    assert reply.json() == {
        "engines_changed": ["gpu"],
        "needs_restart": ["port"],
        "remarks": ["Hm."],
    }

    server.on_reload = wrong
    reply = server.client.post(f"{API}/reload", headers=server.admin_auth())
    assert (reply.status_code, reply.json()["detail"]) == (400, "config: routes: must be tables.")
