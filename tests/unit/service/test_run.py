"""The three stages of a run, with an engine and an inspector that are quick and honest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from factories import a_plan, a_png, a_task
from kinogate.blobs.memory import MemoryBlobStore
from kinogate.db.memory import MemoryTaskStore
from kinogate.domain.abilities import Abilities
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.engine import ReportProgress
from kinogate.domain.errors import CallerError, ErrorCode, InternalError, KinogateError
from kinogate.domain.media import AudioFacts, FootageFacts, ImageFacts, ImageRules, Kind
from kinogate.domain.order import AudioMode, Mode, Order, Produced, Role
from kinogate.domain.ports import NewTask
from kinogate.domain.resolution import Tier
from kinogate.domain.spec import AudioFileRule, VideoRule
from kinogate.domain.task import Plan, Status, StoredMedia, Task
from kinogate.engines.base import BaseEngine
from kinogate.net import Fetcher, FetchPolicy
from kinogate.service.prepare import Preparer
from kinogate.service.routing import Router
from kinogate.service.run import Runner

Change = Callable[[Produced], Produced]


class CopyingEngine(BaseEngine):
    """Writes a few bytes and says that it kept its promise, or what `lie` makes of that."""

    name = "copying"

    def abilities(self, model: str) -> Abilities:
        return Abilities(makes_stills=True)

    def __init__(self, lie: Change = lambda produced: produced) -> None:
        self.orders: list[Order] = []
        self._lie = lie

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        self.orders.append(order)
        for share in (0.1, 0.6, 0.3, 1.0):
            report("draw", share)
        out.write_bytes(b"mp4")
        out.with_suffix(".jpg").write_bytes(b"jpg")
        return self._lie(
            Produced(
                path=str(out),
                width=order.width,
                height=order.height,
                fps=order.fps,
                frame_count=order.frame_count,
                duration_s=order.duration_s,
                has_audio=order.audio is not AudioMode.OFF,
                fingerprint="copying/1",
            )
        )


class TrustingInspector:
    """Believes every file; images are 750x1000, sounds last 7.5 seconds."""

    async def image(self, path: Path, rules: ImageRules) -> ImageFacts:
        Path(rules.out).write_bytes(path.read_bytes())
        return ImageFacts(kind=Kind.PNG, width=750, height=1000, size_bytes=1, path=rules.out)

    async def audio(self, path: Path, limits: AudioFileRule) -> AudioFacts:
        return AudioFacts(
            kind=Kind.WAV, duration_s=7.5, sample_rate=48_000, channels=2, size_bytes=1
        )

    async def video(self, path: Path, limits: VideoRule) -> FootageFacts:
        raise CallerError(ErrorCode.MEDIA_FORMAT, "No videos here.")


class StillClock:
    def now_ms(self) -> int:
        return 5_000


class Bench:
    """A runner over memory."""

    def __init__(self, folder: Path, engine: CopyingEngine | None = None) -> None:
        self.store = MemoryTaskStore()
        self.blobs = MemoryBlobStore(lambda: 5.0)
        self.engine = engine or CopyingEngine()
        self.scratch = folder / "scratch"
        self.runner = Runner(
            store=self.store,
            blobs=self.blobs,
            preparer=Preparer(
                blobs=self.blobs,
                fetcher=Fetcher(FetchPolicy(allow_hosts=frozenset())),
                inspector=TrustingInspector(),  # type: ignore[arg-type]
                catalogue=CATALOGUE,
            ),
            router=Router.to(self.engine),
            clock=StillClock(),
            scratch=self.scratch,
            result_ttl_s=3_600,
        )

    async def begin(self, plan: Plan, hold: int = 1_000_000) -> Task:
        task = a_task(plan=plan, hold_micro=hold)
        await self.store.submit(NewTask(task=task))
        await self.store.claim("me", 1, 4_000, lane="preview")
        return task

    async def through(self, plan: Plan) -> Task:
        task = await self.begin(plan)
        order = await self.runner.prepare(task.id)
        await self.runner.finish(task.id, await self.runner.render(task.id, order))
        done = await self.store.load(task.id)
        assert done is not None
        return done


def test_a_run_ends_with_a_file_a_still_and_the_right_price(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        task = await bench.through(a_plan(duration_s=5, tier=Tier.P720))
        assert task.status is Status.SUCCEEDED
        assert task.cost_micro == 500_000
        assert task.expires_ms == 5_000 + 3_600_000
        assert task.outcome is not None
        assert await bench.blobs.exists(task.outcome.blob_key)
        assert task.outcome.poster_key is not None
        assert await bench.blobs.exists(task.outcome.poster_key)

    asyncio.run(run())


def test_nothing_stays_in_the_scratch_folder(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        await bench.through(a_plan())
        assert list(bench.scratch.iterdir()) == []

    asyncio.run(run())


def test_the_size_follows_the_picture_where_the_row_says_so(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        await bench.blobs.put_bytes("inputs/acme/a", a_png(), "image/png")
        media = (StoredMedia(role=Role.FIRST_FRAME, blob_key="inputs/acme/a"),)
        await bench.through(
            a_plan(model="wan2.6-i2v", mode=Mode.I2V, size=None, tier=Tier.P720, media=media)
        )
        (order,) = bench.engine.orders
        assert (order.width, order.height) == (816, 1104)
        assert order.inputs[0].role is Role.FIRST_FRAME

    asyncio.run(run())


def test_a_portrait_lasts_as_long_as_its_audio(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        for name in ("a", "b"):
            await bench.blobs.put_bytes(f"inputs/acme/{name}", b"bytes", "x/y")
        media = (
            StoredMedia(role=Role.FIRST_FRAME, blob_key="inputs/acme/a"),
            StoredMedia(role=Role.AUDIO, blob_key="inputs/acme/b"),
        )
        plan = a_plan(
            model="wan2.2-s2v",
            mode=Mode.S2V,
            size=None,
            tier=Tier.P480,
            duration_s=0,
            audio=AudioMode.FILE,
            media=media,
        )
        await bench.through(plan)
        (order,) = bench.engine.orders
        assert order.duration_s == 7.5
        assert order.frame_count == 225

    asyncio.run(run())


@pytest.mark.parametrize(
    "lie",
    [
        lambda made: replace(made, width=made.width + 2),
        lambda made: replace(made, frame_count=made.frame_count - 1),
        lambda made: replace(made, has_audio=not made.has_audio),
    ],
    ids=["size", "frames", "sound"],
)
def test_an_engine_that_breaks_its_promise_fails_the_task(tmp_path: Path, lie: Change) -> None:
    async def run() -> None:
        bench = Bench(tmp_path, CopyingEngine(lie))
        with pytest.raises(InternalError) as caught:
            await bench.through(a_plan())
        assert caught.value.code is ErrorCode.RESULT_INVALID

    asyncio.run(run())


def test_a_forbidden_url_fails_with_the_inputs_role(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        media = (StoredMedia(role=Role.FIRST_FRAME, url="http://127.0.0.1:9/a.png"),)
        task = await bench.begin(a_plan(model="wan2.6-i2v", mode=Mode.I2V, size=None, media=media))
        with pytest.raises(KinogateError) as caught:
            await bench.runner.prepare(task.id)
        assert caught.value.field == Role.FIRST_FRAME

    asyncio.run(run())


def test_progress_only_rises_and_stays_below_one_until_the_end(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        task = await bench.begin(a_plan())
        order = await bench.runner.prepare(task.id)
        outcome = await bench.runner.render(task.id, order)
        running = await bench.store.load(task.id)
        assert running is not None
        assert 0.05 <= running.progress < 1.0
        await bench.runner.finish(task.id, outcome)
        done = await bench.store.load(task.id)
        assert done is not None
        assert done.progress == 1.0

    asyncio.run(run())


def test_a_stage_may_run_twice_and_settles_once(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        task = await bench.begin(a_plan())
        order = await bench.runner.prepare(task.id)
        assert await bench.runner.prepare(task.id) == order
        outcome = await bench.runner.render(task.id, order)
        await bench.runner.render(task.id, order)
        await bench.runner.finish(task.id, outcome)
        await bench.runner.finish(task.id, outcome)
        assert await bench.store.sums(task.account_id) == (0, 500_000)

    asyncio.run(run())


def test_a_canceled_task_is_not_settled(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        task = await bench.begin(a_plan())
        outcome = await bench.runner.render(task.id, await bench.runner.prepare(task.id))
        await bench.store.cancel(task.account_id, task.id, now_ms=6_000, only_queued=False)
        await bench.runner.finish(task.id, outcome)
        assert await bench.store.sums(task.account_id) == (0, 0)

    asyncio.run(run())


def test_the_prompt_is_extended_unless_switched_off(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        await bench.through(a_plan(prompt="a lighthouse", is_extendable=False))
        await bench.through(a_plan(prompt="a lighthouse", is_extendable=True))
        plain, extended = (order.prompt for order in bench.engine.orders)
        assert plain == "a lighthouse"
        assert extended.startswith("a lighthouse, ")

    asyncio.run(run())


def test_the_same_request_gets_the_same_tags_whatever_its_id(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        await bench.through(a_plan())
        await bench.through(a_plan())
        first, second = bench.engine.orders
        assert first.task_id != second.task_id
        assert first.tags == second.tags
        assert msgspec.json.decode(dict(first.tags)["AIGC"])["Label"] == "1"

    asyncio.run(run())


def test_a_task_of_a_dialect_from_elsewhere_runs_and_settles(tmp_path: Path) -> None:
    async def run() -> None:
        task = await Bench(tmp_path).through(a_plan(house="acme"))
        assert task.status is Status.SUCCEEDED

    asyncio.run(run())
