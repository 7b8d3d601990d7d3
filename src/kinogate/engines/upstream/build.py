"""Builds the upstream engines: from a section's options to a wire, credentials and the flow."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from kinogate.engines.base import BadOptions, Surroundings
from kinogate.engines.upstream.client import Client
from kinogate.engines.upstream.credentials import Credential, CredentialPool
from kinogate.engines.upstream.dashscope import DashscopeWire
from kinogate.engines.upstream.download import GIB, Downloader
from kinogate.engines.upstream.flow import Parts, UpstreamEngine
from kinogate.engines.upstream.mulerouter import MulerouterWire
from kinogate.engines.upstream.openai import OpenaiWire
from kinogate.engines.upstream.options import (
    DEFAULT_CONCURRENCY,
    MAX_CONCURRENCY,
    Models,
    Options,
    take_credentials,
    take_models,
)
from kinogate.engines.upstream.pace import Pace
from kinogate.engines.upstream.recipe import Recipe, take_recipe
from kinogate.engines.upstream.supervisor import Supervisor
from kinogate.engines.upstream.unified import UnifiedWire
from kinogate.engines.upstream.vtrix import VtrixWire
from kinogate.engines.upstream.wire import Wire

_WIRES: Mapping[str, Callable[[Mapping[str, str]], Wire]] = MappingProxyType(
    {
        "dashscope": DashscopeWire,
        "mulerouter": MulerouterWire,
        "unified": UnifiedWire,
        "vtrix": VtrixWire,
    }
)
_DAY_S = 86_400


def build(kind: str, surroundings: Surroundings) -> UpstreamEngine:
    """The engine of a section with `kind = "dashscope"` and its like; nothing is sent.

    Raises:
        BadOptions: A member is unknown, missing or wrong.
    """
    options = Options(surroundings.options)
    recipe = take_recipe(options.left)
    if recipe is not None and kind != "openai":
        raise BadOptions("command: only an engine of the kind openai can start a server.")
    models = take_models(options)
    wire = _wire(kind, options, models)
    pace = _pace(options, surroundings.timeout_s)
    max_bytes = options.whole("max_result_bytes", 1, 1024 * GIB)
    header = options.text("idempotency_header")
    probe_regions = options.flag("probe_regions", default=True)
    own = _instance_seat(options) if recipe is not None else None
    credentials = [] if own else _credentials(kind, options, wire)
    options.done(kind)
    places = [item.concurrency for item in credentials]
    parts = Parts(
        name=surroundings.name,
        wire=wire,
        pool=CredentialPool(credentials),
        capacity=sum(places),
        client=Client(),
        journal=surroundings.journal,
        clock=surroundings.clock,
        inspector=surroundings.inspector,
        policy=surroundings.fetch_policy,
        downloader=Downloader(
            surroundings.fetch_policy,
            surroundings.inspector,
            max_bytes=GIB if max_bytes is None else max_bytes,
        ),
        pace=pace,
        models=models.patterns,
        is_wanted=surroundings.is_wanted,
        idempotency_header=header,
        probe_regions=probe_regions,
        rng=random.Random(),
    )
    if recipe is None or own is None:
        return UpstreamEngine(parts)
    return _supervised(parts, surroundings, recipe, own)


def _wire(kind: str, options: Options, models: Models) -> Wire:
    if kind != "openai":
        return _WIRES[kind](models.names)
    profile = options.text("profile", "openai") or ""
    loras = options.texts_by_name("loras")
    try:
        return OpenaiWire(models.names, profile=profile, loras=loras)
    except ValueError as exc:
        raise BadOptions(f"profile: {exc}.") from exc


def _pace(options: Options, timeout_s: int) -> Pace:
    deadline_s = options.number("deadline_s", 1, 7 * _DAY_S)
    return replace(
        Pace(),
        deadline_s=float(timeout_s) if deadline_s is None else deadline_s,
        poll_s=options.number("poll_s", 0.05, 600),
    )


def _credentials(kind: str, options: Options, wire: Wire) -> list[Credential]:
    found = take_credentials(
        options, regions=wire.regions, needs_key=kind != "openai", default_name="default"
    )
    if kind != "openai":
        return found
    # Its paths begin with /v1, and everybody's examples have that in the base URL.
    return [replace(item, base_url=item.base_url.removesuffix("/v1")) for item in found]


def _instance_seat(options: Options) -> Callable[[int, str], Credential]:
    """What makes a credential of an instance of a server that we start."""
    for name in ("base_url", "credentials", "region"):
        if options.has(name):
            raise options.wrong(name, "is ours to choose where command starts the server.")
    key = options.key("key", is_needed=False)
    concurrency = options.whole("concurrency", 1, MAX_CONCURRENCY) or DEFAULT_CONCURRENCY
    rps = options.number("rps", 0.001, 1000)

    def seat(index: int, address: str) -> Credential:
        return Credential(
            name=f"server-{index}",
            base_url=address,
            key=key,
            concurrency=concurrency,
            rps=rps,
        )

    return seat


def _supervised(
    parts: Parts,
    surroundings: Surroundings,
    recipe: Recipe,
    seat: Callable[[int, str], Credential],
) -> UpstreamEngine:
    """The engine with its own server behind it."""
    engines: list[UpstreamEngine] = []

    def changed() -> None:
        for engine in engines:
            engine.seat_instances()

    supervisor = Supervisor(
        surroundings.name,
        recipe,
        log_dir=surroundings.data_dir / "engines" / surroundings.name,
        on_change=changed,
    )
    capacity = recipe.instances * seat(0, "").concurrency
    engines.append(
        UpstreamEngine(replace(parts, capacity=capacity, instances=supervisor, seat=seat))
    )
    return engines[0]


dashscope = partial(build, "dashscope")
mulerouter = partial(build, "mulerouter")
openai = partial(build, "openai")
unified = partial(build, "unified")
vtrix = partial(build, "vtrix")
