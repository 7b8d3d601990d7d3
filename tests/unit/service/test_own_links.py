"""Whose blobs an account may use: its own by our signed links, nobody else's; any account name."""

from __future__ import annotations

import base64

import pytest

from factories import START_MS, a_png
from harness import Harness
from kinogate.blobs.base import is_blob_key, owner_segment
from kinogate.domain.order import Role

PATH = "/kinogate/v1/tasks"
NAMES = ["acme", "Acme", "Acme Corp", "\u732b", "a/b", "../x", "x-acme", "", "a" * 300, "A.b@c.d"]


def body(image: str) -> dict[str, str]:
    return {"model": "wan2.6-i2v", "prompt": "run", "image": image}


def inline() -> str:
    return "data:image/png;base64," + base64.b64encode(a_png(400, 400)).decode()


def own_link(server: Harness, key: str) -> str:
    return server.signer.sign(key, filename="a.png", expires_at=START_MS // 1000 + 60)


@pytest.mark.parametrize("account", ["acme", "x-acme", "0_-", "a" * 64, "Acme Corp", "团队"])
def test_an_account_of_any_name_can_send_an_image_inline(server: Harness, account: str) -> None:
    reply = server.client.post(PATH, headers=server.auth(account), json=body(inline()))
    assert reply.status_code == 201
    (stored,) = server.last_task(account).plan.media
    assert stored.role is Role.FIRST_FRAME
    assert (stored.blob_key or "").startswith(f"inputs/{owner_segment(account)}/")


def test_every_account_has_a_segment_of_its_own_that_keys_can_hold() -> None:
    segments = [owner_segment(name) for name in (*NAMES, owner_segment("Acme"))]
    assert len(set(segments)) == len(segments)
    assert all(is_blob_key(f"results/{segment}/a.mp4") for segment in segments)
    assert owner_segment("acme") == "acme"


def test_an_own_link_is_read_from_the_store_and_never_fetched(server: Harness) -> None:
    key = f"inputs/{owner_segment('x-corp')}/abc"
    reply = server.client.post(
        PATH, headers=server.auth("x-corp"), json=body(own_link(server, key))
    )
    assert reply.status_code == 201
    (stored,) = server.last_task("x-corp").plan.media
    assert (stored.blob_key, stored.url) == (key, None)


def test_another_accounts_link_is_refused(server: Harness) -> None:
    link = own_link(server, "results/acme/abc.mp4")
    reply = server.client.post(PATH, headers=server.auth("umbrella"), json=body(link))
    assert reply.status_code == 400
    assert reply.json()["code"] == "media_url_invalid"
    assert reply.json()["field"] == "image"
    assert "acme" not in reply.json()["detail"]
