"""What a caller sees of a task before its clip is complete, and that nothing of it stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from factories import ACCOUNT, a_plan, a_task
from harness import Harness
from kinogate.blobs.base import BlobInfo
from kinogate.blobs.memory import MemoryBlobStore
from kinogate.db.memory import MemoryTaskStore
from kinogate.domain.abilities import Abilities
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.engine import ReportProgress
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.order import AudioMode, Order, Produced
from kinogate.domain.ports import NewTask
from kinogate.domain.review import Exhibit, Part
from kinogate.domain.task import Status
from kinogate.engines.base import BaseEngine
from kinogate.media.inspector import Inspector
from kinogate.media.still_paths import still_paths
from kinogate.net import Fetcher, FetchPolicy
from kinogate.service.aftercare import Aftercare
from kinogate.service.links import LinkSigner
from kinogate.service.live import MAX_BYTES, LiveShow, live_key, live_url
from kinogate.service.moderation import HookModerator, Moderation
from kinogate.service.prepare import Preparer
from kinogate.service.routing import Router
from kinogate.service.run import Runner

TASK = a_task()
KEY = f"results/{ACCOUNT}/{TASK.id}-live.jpg"
SIGNER = LinkSigner(b"s" * 32, "k1", "https://films.example")


class Blobs(MemoryBlobStore):
    """Remembers every put, and may be without room."""

    def __init__(self) -> None:
        super().__init__(lambda: 5.0)
        self.puts: list[bytes] = []
        self.is_full = False

    async def put_bytes(self, key: str, data: bytes, content_type: str) -> BlobInfo:
        if self.is_full:
            raise InternalError(ErrorCode.UNAVAILABLE, "There is no room.")
        self.puts.append(data)
        return await super().put_bytes(key, data, content_type)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come soon."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


# -- the still's way ------------------------------------------------------------------------------


def test_each_new_still_is_shown_once_and_none_stays(tmp_path: Path) -> None:
    clip, blobs = tmp_path / "clip.mp4", Blobs()

    async def run() -> None:
        async with LiveShow(blobs, TASK, every_s=0.02) as show, show.following(clip):
            still_paths(clip).live.write_bytes(b"one")
            await until(lambda: len(blobs.puts) == 1)
            await asyncio.sleep(0.1)
            still_paths(clip).live.write_bytes(b"two")
            await until(lambda: len(blobs.puts) == 2)
            assert [info.key async for info in blobs.list("")] == [KEY]
        assert blobs.puts == [b"one", b"two"]
        assert not await blobs.exists(KEY)

    asyncio.run(run())


@pytest.mark.parametrize("content", [b"", b"x" * (MAX_BYTES + 1)], ids=["empty", "huge"])
def test_what_is_no_still_is_not_shown(tmp_path: Path, content: bytes) -> None:
    clip, blobs = tmp_path / "clip.mp4", Blobs()

    async def run() -> None:
        async with LiveShow(blobs, TASK, every_s=0.01) as show, show.following(clip):
            still_paths(clip).live.write_bytes(content)
            await asyncio.sleep(0.2)

    asyncio.run(run())
    assert blobs.puts == []


def test_a_store_without_room_fails_nothing(tmp_path: Path) -> None:
    clip, blobs = tmp_path / "clip.mp4", Blobs()

    async def run() -> None:
        blobs.is_full = True
        async with LiveShow(blobs, TASK, every_s=0.01) as show, show.following(clip):
            still_paths(clip).live.write_bytes(b"one")
            await asyncio.sleep(0.2)
            blobs.is_full = False
            still_paths(clip).live.write_bytes(b"two")
            await until(lambda: blobs.puts == [b"two"])

    asyncio.run(run())


def test_a_put_that_is_going_on_when_a_task_is_canceled_leaves_no_still(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    begun, go_on = asyncio.Event(), asyncio.Event()

    class SlowBlobs(Blobs):
        async def put_bytes(self, key: str, data: bytes, content_type: str) -> BlobInfo:
            begun.set()
            await go_on.wait()
            return await super().put_bytes(key, data, content_type)

    blobs = SlowBlobs()

    async def work() -> None:
        async with LiveShow(blobs, TASK, every_s=0.01) as show, show.following(clip):
            still_paths(clip).live.write_bytes(b"one")
            await asyncio.Event().wait()

    async def run() -> None:
        task = asyncio.create_task(work())
        await begun.wait()
        task.cancel()
        await asyncio.sleep(0.05)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert blobs.puts == [b"one"]
        assert not await blobs.exists(KEY)

    asyncio.run(run())


# -- the link -------------------------------------------------------------------------------------


def test_the_link_stays_the_same_for_an_hour_and_lives_at_least_another() -> None:
    hour_ms = 3_600_000
    at_first = live_url(TASK, SIGNER, 10 * hour_ms)

    assert live_url(TASK, SIGNER, 11 * hour_ms - 1) == at_first
    assert live_url(TASK, SIGNER, 11 * hour_ms) != at_first
    path, _, query = at_first.removeprefix("https://films.example").partition("?")
    assert SIGNER.verify(path, query, 12 * 3_600 - 1).blob_key == KEY == live_key(TASK)


@pytest.mark.parametrize("status", list(Status))
def test_only_a_running_task_has_a_live_url(status: Status) -> None:
    with Harness() as server:
        task = server.put(status)
        url = f"/kinogate/v1/tasks/{task.id}"
        found = server.client.get(url, headers=server.auth()).json()["live_url"]

        assert (found is not None) == (status is Status.RUNNING)
        if found is not None:
            path = found.removeprefix("https://kinogate.example.com")
            assert path.startswith(f"/files/{live_key(task)}?")
            assert server.client.get(path).status_code == 404


# -- around a whole run ---------------------------------------------------------------------------


class ShowingEngine(BaseEngine):
    """Shows one still, and ends when it is told to: well, or with an error."""

    name = "showing"

    def __init__(
        self, error: InternalError | None = None, *, able: Abilities | None = None
    ) -> None:
        self.shown, self.may_end = asyncio.Event(), asyncio.Event()
        self._error = error
        self._able = able or Abilities()

    def abilities(self, model: str) -> Abilities:
        return self._able

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        still_paths(out).live.write_bytes(b"\xff\xd8 so far")
        self.shown.set()
        await self.may_end.wait()
        if self._error is not None:
            raise self._error
        out.write_bytes(b"mp4")
        return Produced(
            path=str(out),
            width=order.width,
            height=order.height,
            fps=order.fps,
            frame_count=order.frame_count,
            duration_s=order.duration_s,
            has_audio=False,
            fingerprint="showing/1",
        )


class StillClock:
    def now_ms(self) -> int:
        return 5_000


class Bench:
    """One task in a runner over memory."""

    def __init__(
        self,
        folder: Path,
        engine: ShowingEngine,
        *,
        moderation: Moderation | None = None,
        watermark: str | None = None,
    ) -> None:
        self.engine, self.blobs, self.store = engine, Blobs(), MemoryTaskStore()
        plan = a_plan(audio=AudioMode.OFF, is_extendable=False, watermark=watermark)
        self.task = a_task(plan=plan, hold_micro=1_000_000)
        self._inspector = Inspector(slots=1)
        self._runner = Runner(
            store=self.store,
            blobs=self.blobs,
            preparer=Preparer(
                blobs=self.blobs,
                fetcher=Fetcher(FetchPolicy()),
                inspector=self._inspector,
                catalogue=CATALOGUE,
            ),
            router=Router.to(engine),
            clock=StillClock(),
            scratch=folder / "scratch",
            result_ttl_s=3_600,
            aftercare=Aftercare(moderation=moderation),
        )

    async def render(self) -> None:
        await self.store.submit(NewTask(task=self.task))
        await self.store.claim("me", 1, 4_000, lane=self.engine.name)
        try:
            order = await self._runner.prepare(self.task.id)
            await self._runner.render(self.task.id, order)
        finally:
            await self._inspector.close()

    async def stills(self) -> list[bytes]:
        """What is in the store under the live still's key, now."""
        key = live_key(self.task)
        return (
            [b"".join([part async for part in self.blobs.read(key)])]
            if (await self.blobs.exists(key))
            else []
        )


def test_a_still_is_there_while_the_engine_works_and_gone_when_the_clip_is_kept(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        bench = Bench(tmp_path, ShowingEngine())
        work = asyncio.create_task(bench.render())
        await until(lambda: bool(bench.blobs.puts))
        assert await bench.stills() == [b"\xff\xd8 so far"]
        bench.engine.may_end.set()
        await work
        kept = [info.key async for info in bench.blobs.list("results/")]
        assert kept == [f"results/{bench.task.account_id}/{bench.task.id}.mp4"]

    asyncio.run(run())


def test_a_failed_run_leaves_no_still(tmp_path: Path) -> None:
    async def run() -> None:
        error = InternalError(ErrorCode.ENGINE_FAILED, "It broke.")
        bench = Bench(tmp_path, ShowingEngine(error))
        work = asyncio.create_task(bench.render())
        await until(lambda: bool(bench.blobs.puts))
        bench.engine.may_end.set()
        with pytest.raises(InternalError, match="It broke"):
            await work
        assert [info.key async for info in bench.blobs.list("results/")] == []

    asyncio.run(run())


def test_a_canceled_run_leaves_no_still(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path, ShowingEngine())
        work = asyncio.create_task(bench.render())
        await until(lambda: bool(bench.blobs.puts))
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert [info.key async for info in bench.blobs.list("results/")] == []

    asyncio.run(run())


class Judge(HookModerator):
    """Looks at results and at nothing else."""

    parts = frozenset({Part.RESULT})

    def __init__(self) -> None:
        super().__init__(lambda *_: None, "judge")

    async def judge(self, exhibit: Exhibit) -> str | None:
        return None


@pytest.mark.parametrize(
    ("able", "moderation", "watermark"),
    [
        (Abilities(), Moderation(judges=[Judge()]), None),
        (Abilities(draws_mark=False), None, "AI Generated"),
    ],
    ids=["before it is judged", "before it is marked"],
)
def test_nothing_is_shown(
    tmp_path: Path, able: Abilities, moderation: Moderation | None, watermark: str | None
) -> None:
    async def run() -> None:
        engine = ShowingEngine(InternalError(ErrorCode.ENGINE_FAILED, "It broke."), able=able)
        bench = Bench(tmp_path, engine, moderation=moderation, watermark=watermark)
        work = asyncio.create_task(bench.render())
        await asyncio.wait_for(engine.shown.wait(), 20)
        await asyncio.sleep(1.5)  # longer than from one look to the next
        engine.may_end.set()
        with pytest.raises(InternalError):
            await work
        assert bench.blobs.puts == []

    asyncio.run(run())
