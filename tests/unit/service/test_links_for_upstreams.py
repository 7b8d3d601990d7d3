"""Links under which an upstream can fetch an input of ours, where it can reach us at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lineup import Player, Stage

from factories import a_plan, a_png
from kinogate.app import links_for_upstreams
from kinogate.domain.media import ImageFacts, ImageRules, Kind
from kinogate.domain.order import Mode, Role
from kinogate.domain.task import StoredMedia
from kinogate.service.links import LinkSigner


class StillClock:
    def now_ms(self) -> int:
        return 5_000_000


def signer(origin: str) -> LinkSigner:
    return LinkSigner(b"s" * 32, "k1", origin)


@pytest.mark.parametrize("origin", ["https://video.example.com", "https://8.8.8.8:9443"])
def test_a_public_server_hands_out_links_for_two_hours(origin: str) -> None:
    link = links_for_upstreams(origin, signer(origin), StillClock())
    assert link is not None
    path, _, query = link("inputs/acme/abc.png").removeprefix(origin).partition("?")
    grant = signer(origin).verify(path, query, 5_000)

    assert (grant.blob_key, grant.expires_at) == ("inputs/acme/abc.png", 12_200)


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost:8080",
        "http://10.1.2.3",
        "http://box.local",
        "http://kinogate",
        "http://169.254.169.254",
    ],
)
def test_a_server_that_nobody_outside_can_reach_hands_out_none(origin: str) -> None:
    assert links_for_upstreams(origin, signer(origin), StillClock()) is None


class TrustingInspector:
    async def image(self, path: Path, rules: ImageRules) -> ImageFacts:
        Path(rules.out).write_bytes(path.read_bytes())
        return ImageFacts(kind=Kind.PNG, width=640, height=640, size_bytes=1, path=rules.out)


@pytest.mark.parametrize("is_public", [True, False])
def test_an_engine_gets_the_link_beside_the_file(tmp_path: Path, is_public: bool) -> None:
    player = Player("only")
    link = (lambda key: f"https://x/{key}") if is_public else None

    async def work() -> None:
        stage = Stage(tmp_path, player, inspector=TrustingInspector(), link=link)
        await stage.blobs.put_bytes("uploads/acme/a", a_png(), "image/png")
        media = (StoredMedia(role=Role.FIRST_FRAME, blob_key="uploads/acme/a"),)
        await stage.play(a_plan(model="wan2.6-i2v", mode=Mode.I2V, media=media))

    asyncio.run(work())
    (given,) = player.orders[0].inputs
    assert Path(given.path).name == "input-0"
    if is_public:
        assert (given.link or "").startswith("https://x/inputs/acme/")
        assert (given.link or "").endswith(".png")  # so that it is served as a picture
    else:
        assert given.link is None
