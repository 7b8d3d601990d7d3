"""`Idempotency-Key` in every dialect: one key, one task, one reply (design §4.19)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from live import LiveServer
from wires import OPENAI, WIRES, Wire, task_count

EACH = pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
CHEAP = {"x_kinogate_simulate": "fail"}  # nothing is rendered for these tests


@pytest.fixture(scope="module")
def client(live: LiveServer) -> Iterator[httpx2.Client]:
    with live.client(live.new_key("repeater")) as found:
        yield found


def a_key() -> str:
    return uuid.uuid4().hex


def told(reply: httpx2.Response) -> Any:
    """A reply without what belongs to the exchange and not to the task."""
    body = reply.json()
    body.pop("request_id", None)
    return body


@EACH
def test_the_same_call_replays_the_first_reply(wire: Wire, client: httpx2.Client) -> None:
    key, before = a_key(), task_count(client)
    first = wire.submit(client, idempotency_key=key, **CHEAP)
    wire.await_end(client, wire.id_of(first.json()))
    again = wire.submit(client, idempotency_key=key, **CHEAP)
    assert again.status_code == first.status_code
    assert told(again) == told(first)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert task_count(client) == before + 1


@EACH
def test_another_body_under_the_same_key_is_refused(wire: Wire, client: httpx2.Client) -> None:
    key = a_key()
    wire.start(client, idempotency_key=key, **CHEAP)
    before = task_count(client)
    other = json.dumps(wire.body).replace("lighthouse", "windmill")
    refused = client.post(
        wire.create,
        content=other,
        headers={**wire.headers, "idempotency-key": key, "content-type": "application/json"},
    )
    assert refused.status_code in (400, 409, 422)
    assert wire.is_error(refused.json(), refused.status_code)
    assert refused.headers.get("x-should-retry") == ("false" if wire is OPENAI else None)
    assert task_count(client) == before


@EACH
def test_two_accounts_do_not_share_keys(
    wire: Wire, client: httpx2.Client, live: LiveServer, other_key: str
) -> None:
    key = a_key()
    mine = wire.start(client, idempotency_key=key, **CHEAP)
    with live.client(other_key) as stranger:
        theirs = wire.submit(stranger, idempotency_key=key, **CHEAP)
    assert theirs.is_success
    assert wire.id_of(theirs.json()) != mine
    assert "idempotent-replayed" not in theirs.headers


def test_a_form_with_another_boundary_is_the_same_call(client: httpx2.Client) -> None:
    parts = {name: (None, str(value)) for name, value in OPENAI.body.items()}
    headers = {"idempotency-key": a_key(), "x-kinogate-simulate": "fail"}
    replies = [client.post("/v1/videos", files=parts, headers=headers) for _ in range(2)]
    sent = {reply.request.headers["content-type"] for reply in replies}
    assert len(sent) == 2, "the client drew the same boundary twice"
    assert told(replies[0]) == told(replies[1])
    assert replies[1].headers["idempotent-replayed"] == "true"


def test_a_race_makes_one_task(live: LiveServer, client: httpx2.Client) -> None:
    key, before = a_key(), task_count(client)

    def submit(number: int) -> str:
        return WIRES[0].start(client, idempotency_key=key, **CHEAP)

    with ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(submit, range(64)))
    assert len(ids) == 1
    assert task_count(client) == before + 1


def test_the_same_key_in_two_dialects_is_two_calls_of_different_meaning(
    client: httpx2.Client,
) -> None:
    """Replaying one dialect's task as another's reply would answer a question nobody asked."""
    key = a_key()
    WIRES[0].start(client, idempotency_key=key, **CHEAP)
    refused = WIRES[1].submit(client, idempotency_key=key, **CHEAP)
    assert refused.status_code == 400
    assert WIRES[1].is_error(refused.json(), 400)
