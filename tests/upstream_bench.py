"""An upstream engine over a scripted upstream, with everything that a test may want to turn."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from factories import START_MS, an_id
from kinogate.db.memory_journal import MemoryJournal
from kinogate.domain.engine import CallState, UpstreamCall
from kinogate.domain.media import ReceivedClip
from kinogate.domain.order import AudioMode, Mode, Order
from kinogate.engines.upstream.client import Client
from kinogate.engines.upstream.credentials import Credential, CredentialPool
from kinogate.engines.upstream.download import Downloader
from kinogate.engines.upstream.flow import Parts, UpstreamEngine
from kinogate.engines.upstream.pace import Pace
from kinogate.engines.upstream.wire import Wire
from kinogate.media.received import check_received, shrink_image
from kinogate.net import FetchPolicy
from upstream_script import Act, Reply, ToyWire, Upstream, upstream

NAME = "toys"
QUICK = Pace(
    deadline_s=20.0,
    poll_cap_s=0.1,
    create_s=3.0,
    call_s=3.0,
    throttled_s=5.0,
    rest_s=60.0,
    trouble_s=60.0,
    settle_s=0.3,
    look_s=0.05,
    cancel_s=1.0,
    probe_s=3.0,
    download_pause_s=0.02,
)


class StillClock:
    """Moves only when told to."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms


class OpenInspector:
    """Does the work of the child process in this one: the files are the tests' own."""

    async def received(self, path: Path) -> ReceivedClip:
        return check_received(path)

    async def shrink(self, path: Path, out: Path, max_bytes: int) -> int:
        return shrink_image(path, out, max_bytes)


class Shares:
    """What an engine has reported."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.shares: list[float] = []

    def __call__(self, stage: str, share: float) -> None:
        self.stages.append(stage)
        self.shares.append(share)


def an_order(**changes: Any) -> Order:
    order = Order(
        task_id=an_id(),
        mode=Mode.T2V,
        model="wan2.6-t2v",
        prompt="A lighthouse at dusk",
        width=320,
        height=240,
        fps=24,
        frame_count=24,
        duration_s=1.0,
        audio=AudioMode.OFF,
        seed=7,
    )
    return replace(order, **changes)


class Bench:
    """One engine, its journal and what it talks to."""

    def __init__(
        self,
        stage: Upstream,
        wire: Wire,
        *,
        credentials: Sequence[Credential] | None = None,
        pace: Pace = QUICK,
        max_bytes: int = 4_000_000,
        total_s: float = 20.0,
        stall_s: float = 5.0,
        policy: FetchPolicy | None = None,
        journal: MemoryJournal | None = None,
        **more: Any,
    ) -> None:
        self.stage = stage
        self.clock = StillClock()
        self.journal = journal or MemoryJournal(self.clock)
        given = credentials or [Credential(name="one", base_url=stage.url, key="k-secret")]
        self.pool = CredentialPool(given)
        inspector: Any = OpenInspector()
        self.engine = UpstreamEngine(
            Parts(
                name=NAME,
                wire=wire,
                pool=self.pool,
                capacity=sum(item.concurrency for item in given),
                client=Client(),
                journal=self.journal,
                clock=self.clock,
                inspector=inspector,
                policy=policy or FetchPolicy(),
                downloader=Downloader(
                    policy or FetchPolicy(),
                    inspector,
                    max_bytes=max_bytes,
                    total_s=total_s,
                    stall_s=stall_s,
                ),
                pace=pace,
                rng=random.Random(1),
                **more,
            )
        )

    async def states(self, order: Order) -> list[CallState]:
        """How far the order's create calls have got."""
        return [call.state for call in await self.journal.calls(order.task_id, NAME)]

    async def intent(self, order: Order, credential: str = "one") -> UpstreamCall:
        """What a crash between intent and answer leaves."""
        return await self.journal.intend(order.task_id, NAME, credential)


@asynccontextmanager
async def bench(
    script: dict[str, list[Act]], wire: Wire | None = None, **more: Any
) -> AsyncIterator[Bench]:
    """A bench over a script; `{url}` in a JSON reply's `url` stands for the upstream's own."""
    async with upstream(script) as stage:
        for acts in stage.script.values():
            acts[:] = [_at_home(act, stage.url) for act in acts]
        one = Bench(stage, wire or ToyWire(), **more)
        try:
            yield one
        finally:
            await one.engine.close()


def _at_home(act: Act, url: str) -> Act:
    if not isinstance(act, Reply):
        return act
    body: Any = act.body
    if isinstance(body, dict) and isinstance(body.get("url"), str):
        body = body | {"url": body["url"].replace("{url}", url)}
    headers = tuple((name, value.replace("{url}", url)) for name, value in act.headers)
    return replace(act, body=body, headers=headers)


CREATED = Reply(200, {"id": "u-1"})
RUNNING = Reply(200, {"status": "running", "progress": 0.5})
DONE = Reply(200, {"status": "succeeded", "url": "{url}/clip.mp4"})


def a_script(clip: bytes, **lines: list[Act]) -> dict[str, list[Act]]:
    """A task that goes well; `new`, `poll` and `result` replace lines."""
    return {
        "POST /tasks/new": lines.get("new", [CREATED]),
        "GET /tasks/u-": lines.get("poll", [RUNNING, DONE]),
        "GET /clip.mp4": lines.get("result", [Reply(200, clip)]),
    }
