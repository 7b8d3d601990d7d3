"""Another account's task and a random id: no byte and no millisecond may tell them apart."""

from __future__ import annotations

import random
import statistics
import time
import uuid
from collections.abc import Iterator

import httpx2
import pytest
from live import LiveServer
from wires import DASHSCOPE, NATIVE, OPENAI, UNIFIED, WIRES, Wire

POLLS = 20_000
EACH = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
_ATTEMPTS = 3
_SLACK = 0.05


@pytest.fixture(scope="module")
def foreign(live: LiveServer) -> list[str]:
    """Ids of tasks of an account that is not asked for here."""
    with live.client(live.new_key("owner")) as client:
        return [NATIVE.start(client, x_kinogate_simulate="fail") for _ in range(20)]


@pytest.fixture(scope="module")
def stranger(live: LiveServer, other_key: str) -> Iterator[httpx2.Client]:
    with live.client(other_key) as client:
        yield client


def masked(reply: httpx2.Response, task_id: str) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """A reply without the id, the ids of the exchange, and the date."""
    text = reply.text.replace(task_id, "ID").replace(reply.headers["x-request-id"], "RID")
    dropped = {"x-request-id", "date", "traceparent"}
    headers = tuple(sorted(item for item in reply.headers.items() if item[0] not in dropped))
    return reply.status_code, text, headers


def a_random_id() -> str:
    return str(uuid.uuid4())


@EACH
def test_a_foreign_task_reads_like_a_random_id(
    wire: Wire, stranger: httpx2.Client, foreign: list[str]
) -> None:
    seen = {
        masked(stranger.get(wire.poll.format(id=task_id)), task_id)
        for task_id in (*foreign[:5], *(a_random_id() for _ in range(5)))
    }
    assert len(seen) == 1, seen


ACTIONS = (
    ("POST", "/api/v1/tasks/{id}/cancel"),
    ("DELETE", "/v1/videos/{id}"),
    ("GET", "/v1/videos/{id}/content"),
    ("POST", "/v1/videos/{id}/remix"),
    ("GET", "/model/v1/generation/task/{id}/stream"),
    ("POST", "/kinogate/v1/tasks/{id}/cancel"),
    ("DELETE", "/kinogate/v1/tasks/{id}"),
    ("GET", "/kinogate/v1/tasks/{id}/content"),
    ("GET", "/kinogate/v1/tasks/{id}/events"),
)


@pytest.mark.parametrize(("method", "path"), ACTIONS)
def test_no_action_tells_a_foreign_task_from_a_random_id(
    method: str, path: str, stranger: httpx2.Client, foreign: list[str], live: LiveServer
) -> None:
    body = {"prompt": "Another prompt"} if method == "POST" else None
    seen = set()
    for task_id in (foreign[0], a_random_id()):
        reply = stranger.request(method, path.format(id=task_id), json=body)
        seen.add(masked(reply, task_id))
        assert reply.status_code in (400, 404)
    assert len(seen) == 1, seen


def test_lists_hold_only_ones_own(stranger: httpx2.Client, foreign: list[str]) -> None:
    for path in ("/kinogate/v1/tasks?limit=100", "/v1/videos?limit=100", "/api/v1/tasks"):
        text = stranger.get(path).text
        assert not any(task_id in text or task_id.replace("-", "") in text for task_id in foreign)


def timed_polls(
    client: httpx2.Client, foreign: list[str], count: int, draw: random.Random
) -> tuple[list[float], list[float]]:
    """Seconds of polls of foreign ids and of random ones, interleaved over three dialects."""
    wires = (DASHSCOPE, UNIFIED, OPENAI)
    times: tuple[list[float], list[float]] = ([], [])
    bodies: dict[str, set[object]] = {wire.name: set() for wire in wires}
    for number in range(count // 2):
        wire = wires[number % len(wires)]
        for kind in draw.sample((0, 1), 2):  # neither kind always comes second
            task_id = a_random_id() if kind else draw.choice(foreign)
            path = wire.poll.format(id=task_id)
            begun = time.perf_counter()
            reply = client.get(path)
            times[kind].append(time.perf_counter() - begun)
            bodies[wire.name].add(masked(reply, task_id))
    assert all(len(seen) == 1 for seen in bodies.values()), bodies
    return times


@pytest.mark.timeout(280)
def test_no_timing_tells_a_foreign_task_from_a_random_id(
    stranger: httpx2.Client, foreign: list[str]
) -> None:
    """20,000 polls; the medians of the two kinds differ by less than what a network hides."""
    draw = random.Random(7)
    ratios = []
    for _ in range(_ATTEMPTS):
        owned, nobodys = timed_polls(stranger, foreign, POLLS, draw)
        ratios.append(statistics.median(owned) / statistics.median(nobodys))
        print(f"median of foreign ids / of random ids: {ratios[-1]:.4f}")
        if abs(ratios[-1] - 1) < _SLACK:
            return
    pytest.fail(f"medians of foreign ids to those of random ids: {ratios}")
