"""`X-Kinogate-Simulate`: each outcome on demand, in each dialect's own words (design §4.23)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2
import pytest
from live import LiveServer, polls
from wires import NATIVE, WIRES, Wire

EACH = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)

# What the dialects call the three kinds of failure inside a task; None: they have no code there.
FAULTS: dict[str, dict[str, object]] = {
    "unified": {"fail": None, "moderation": None, "upstream-error": None},
    "dashscope": {
        "fail": "InternalError.Algo",
        "moderation": "DataInspectionFailed",
        "upstream-error": "ModelServingError",
    },
    "vtrix": {"fail": "001027095", "moderation": "001027099", "upstream-error": "001027097"},
    "mulerouter": {"fail": 4002, "moderation": 3004, "upstream-error": 3001},
    "openai": {
        "fail": "server_error",
        "moderation": "moderation_blocked",
        "upstream-error": "upstream_error",
    },
    "native": {
        "fail": "engine_failed",
        "moderation": "content_refused",
        "upstream-error": "upstream_failed",
    },
}
LIMITED: dict[str, object] = {
    "unified": "rate_limit_exceeded",
    "dashscope": "Throttling.RateQuota",
    "vtrix": "429",
    "mulerouter": 2029,
    "openai": "rate_limit_exceeded",
    "native": "rate_limited",
}


@pytest.fixture(scope="module")
def client(live: LiveServer) -> Iterator[httpx2.Client]:
    with live.client(live.new_key("simulator")) as found:
        yield found


@EACH
@pytest.mark.parametrize("outcome", ["fail", "moderation", "upstream-error"])
def test_a_task_fails_as_asked(outcome: str, wire: Wire, client: httpx2.Client) -> None:
    task_id = wire.start(client, x_kinogate_simulate=outcome)
    found = wire.await_end(client, task_id)
    assert wire.status_of(found) == wire.words[3]
    code, message = wire.reason_of(found)
    assert code == FAULTS[wire.name][outcome]
    assert message


@EACH
def test_a_simulated_rate_limit_refuses_the_submit(wire: Wire, client: httpx2.Client) -> None:
    reply = wire.submit(client, x_kinogate_simulate="rate-limit")
    assert reply.status_code == 429
    assert int(reply.headers["retry-after"]) >= 1
    assert wire.is_error(reply.json(), 429)
    assert wire.code_of(reply.json()) == LIMITED[wire.name]


@EACH
def test_a_task_stays_queued_as_long_as_asked(wire: Wire, client: httpx2.Client) -> None:
    begun = time.monotonic()
    task_id = wire.start(client, x_kinogate_simulate="queue=2")
    seen = set()
    while time.monotonic() - begun < 1.9:
        seen.add(wire.status_of(wire.look(client, task_id)))
        time.sleep(0.1)
    assert seen == {wire.words[0]}
    assert wire.status_of(wire.await_end(client, task_id)) == wire.words[2]


def test_a_task_that_is_kept_in_the_queue_takes_no_slot(client: httpx2.Client) -> None:
    waiting = [NATIVE.start(client, x_kinogate_simulate="queue=60") for _ in range(4)]
    done = NATIVE.await_end(client, NATIVE.start(client))
    assert NATIVE.status_of(done) == "succeeded"
    for task_id in waiting:
        assert NATIVE.status_of(NATIVE.look(client, task_id)) == "queued"
        assert client.post(f"/kinogate/v1/tasks/{task_id}/cancel").status_code == 200


@EACH
def test_a_slow_task_runs_longer(wire: Wire, client: httpx2.Client) -> None:
    task_id = wire.start(client, x_kinogate_simulate="slow=2")
    for _ in polls(30):
        if wire.status_of(wire.look(client, task_id)) == wire.words[1]:
            break
    begun = time.monotonic()
    found = wire.await_end(client, task_id)
    assert wire.status_of(found) == wire.words[2]
    assert time.monotonic() - begun > 1.5
