"""One real server for the tests that can share it; every test here is an acceptance test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from live import LiveServer

HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.acceptance)
            if "live" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group("live"))


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The shared server, with simulation on; whatever it met, it met without a surprise."""
    with LiveServer(tmp_path_factory.mktemp("live") / "data") as server:
        yield server
        assert server.logged("unhandled") == []


@pytest.fixture(scope="session")
def other_key(live: LiveServer) -> str:
    """A key of another account."""
    return live.new_key("other")


@pytest.fixture(scope="module")
def key(live: LiveServer, request: pytest.FixtureRequest) -> str:
    """A key of an account that only this module uses."""
    return live.new_key(request.module.__name__)


@pytest.fixture(scope="module")
def client(live: LiveServer, key: str) -> Iterator[httpx2.Client]:
    """A connection with that key."""
    with live.client(key) as found:
        yield found
