"""A run around the engine: what it is told, and what becomes of its file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factories import a_plan, a_png, a_task
from kinogate.blobs.memory import MemoryBlobStore
from kinogate.db.memory import MemoryTaskStore
from kinogate.domain.abilities import Abilities
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.engine import ReportProgress
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.order import AudioMode, Mode, Order, Produced, Role
from kinogate.domain.ports import NewTask
from kinogate.domain.resolution import Size
from kinogate.domain.review import Exhibit, Part, Rewritten, Wish
from kinogate.domain.task import Plan, StoredMedia, Task
from kinogate.engines.base import BaseEngine
from kinogate.media.encode import Mp4Writer
from kinogate.media.finisher import Finisher
from kinogate.media.inspector import Inspector
from kinogate.media.probe import audio_windows_db, probe_video
from kinogate.net import Fetcher, FetchPolicy
from kinogate.service.aftercare import Aftercare
from kinogate.service.briefing import Briefing
from kinogate.service.moderation import HookModerator, Moderation
from kinogate.service.prepare import Preparer
from kinogate.service.routing import Router
from kinogate.service.run import Runner

SIZE = Size(width=320, height=192)


class SilentEngine(BaseEngine):
    """Makes a real clip without sound, takes none, and leaves no stills."""

    name = "silent"

    def abilities(self, model: str) -> Abilities:
        return Abilities(takes_audio=False, auto_audio=False)

    def __init__(self) -> None:
        self.orders: list[Order] = []

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        self.orders.append(order)
        with Mp4Writer(
            out,
            width=order.width,
            height=order.height,
            fps=order.fps,
            audio_rate=None,
            tags=order.tags,
        ) as writer:
            for index in range(order.frame_count):
                writer.write(np.full((order.height, order.width, 3), index, dtype=np.uint8))
        return Produced(
            path=str(out),
            width=order.width,
            height=order.height,
            fps=order.fps,
            frame_count=order.frame_count,
            duration_s=order.duration_s,
            has_audio=False,
            fingerprint="silent/1",
        )


class Seer:
    """Rewrites every prompt to its own, and remembers what it was shown."""

    wants_pictures = True

    def __init__(self) -> None:
        self.wishes: list[Wish] = []

    async def extend(self, wish: Wish) -> Rewritten:
        self.wishes.append(wish)
        return Rewritten(prompt="as the seer sees it", by="seer-1", took_ms=12)


class StillClock:
    def now_ms(self) -> int:
        return 5_000


class Bench:
    """A runner over memory, with real children for checking and finishing."""

    def __init__(self, folder: Path, moderation: Moderation | None = None) -> None:
        self.store = MemoryTaskStore()
        self.blobs = MemoryBlobStore(lambda: 5.0)
        self.engine = SilentEngine()
        self.seer = Seer()
        self.finisher = Finisher()
        self.inspector = Inspector(slots=1)
        self.runner = Runner(
            store=self.store,
            blobs=self.blobs,
            preparer=Preparer(
                blobs=self.blobs,
                fetcher=Fetcher(FetchPolicy()),
                inspector=self.inspector,
                catalogue=CATALOGUE,
            ),
            router=Router.to(self.engine),
            clock=StillClock(),
            scratch=folder / "scratch",
            result_ttl_s=3_600,
            briefing=Briefing(
                self.blobs, extender=self.seer, moderation=moderation, finisher=self.finisher
            ),
            aftercare=Aftercare(finisher=self.finisher, moderation=moderation),
        )

    async def through(self, plan: Plan) -> Task:
        task = a_task(plan=plan, hold_micro=1_000_000)
        await self.store.submit(NewTask(task=task))
        await self.store.claim("me", 1, 4_000, lane="preview")
        try:
            order = await self.runner.prepare(task.id)
            await self.runner.finish(task.id, await self.runner.render(task.id, order))
        finally:
            await self.finisher.close()
            await self.inspector.close()
        done = await self.store.load(task.id)
        assert done is not None
        return done


def small_plan(**changes: Any) -> Plan:
    members = {"size": SIZE, "audio": AudioMode.OFF, "fps": 24}
    return a_plan(**(members | changes))


async def with_sound(bench: Bench, sound: bytes, **changes: Any) -> Task:
    await bench.blobs.put_bytes("inputs/acme/a", sound, "x/y")
    media = (StoredMedia(role=Role.AUDIO, blob_key="inputs/acme/a"),)
    return await bench.through(small_plan(audio=AudioMode.FILE, media=media, **changes))


def a_tone_wav(seconds: float) -> bytes:
    import io
    import wave

    samples = 0.4 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * 16_000)) / 16_000)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    return file.getvalue()


async def stored(bench: Bench, key: str | None, path: Path) -> Path:
    assert key is not None
    async with bench.blobs.local_path(key) as found:
        path.write_bytes(found.read_bytes())
    return path


def test_a_given_sound_is_laid_under_what_an_engine_without_sound_made(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        task = await with_sound(bench, a_tone_wav(3.0))
        assert task.outcome is not None
        clip = await stored(bench, task.outcome.blob_key, tmp_path / "a.mp4")

        (order,) = bench.engine.orders
        assert (order.audio, order.inputs) == (AudioMode.OFF, ())
        facts, loud = probe_video(clip), audio_windows_db(clip)
        assert (facts.frame_count, facts.has_audio, task.outcome.has_audio) == (120, True, True)
        assert "AIGC" in dict(facts.tags)
        assert loud[1:29].min() > -20
        assert loud[32:].max() < -60

    asyncio.run(run())


def test_the_gateway_makes_the_stills_that_an_engine_does_not(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        outcome = (await bench.through(small_plan())).outcome
        assert outcome is not None
        for key, head in (
            (outcome.poster_key, b"\xff\xd8"),
            (outcome.thumbnail_key, b"RIFF"),
            (outcome.preview_key, b"RIFF"),
            (outcome.spritesheet_key, b"\xff\xd8"),
        ):
            path = await stored(bench, key, tmp_path / "still")
            assert path.read_bytes().startswith(head)

    asyncio.run(run())


def test_the_outcome_says_who_wrote_the_prompt_and_how_long_that_took(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        outcome = (await bench.through(small_plan(prompt="a boat"))).outcome
        assert outcome is not None
        assert bench.engine.orders[0].prompt == outcome.actual_prompt == "as the seer sees it"
        assert (outcome.prompt_by, outcome.prompt_ms) == ("seer-1", 12)

    asyncio.run(run())


@pytest.mark.parametrize("change", [{"is_extendable": False}, {"template": "squish"}])
def test_a_prompt_that_is_not_to_be_extended_is_the_callers_own(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        outcome = (await bench.through(small_plan(prompt="a boat", **change))).outcome
        assert outcome is not None
        assert bench.seer.wishes == []
        assert (outcome.actual_prompt, outcome.prompt_by) == ("a boat", "none")

    asyncio.run(run())


def test_a_model_that_sees_is_shown_a_small_copy_of_the_first_frame(tmp_path: Path) -> None:
    async def run() -> None:
        bench = Bench(tmp_path)
        await bench.blobs.put_bytes("inputs/acme/a", a_png(1600, 900), "image/png")
        media = (StoredMedia(role=Role.FIRST_FRAME, blob_key="inputs/acme/a"),)
        await bench.through(small_plan(model="wan2.6-i2v", mode=Mode.I2V, media=media))
        (picture,) = bench.seer.wishes[0].pictures
        assert picture.startswith(b"\xff\xd8")
        assert len(picture) < 20_000

    asyncio.run(run())


def a_judge(refused: Part, seen: list[Exhibit]) -> HookModerator:
    class Judge(HookModerator):
        async def judge(self, exhibit: Exhibit) -> str | None:
            assert exhibit.path is None or exhibit.path.exists()
            seen.append(replace(exhibit, path=None))
            return "it is too plain" if exhibit.part is refused else None

    unused: Callable[..., None] = lambda *_: None  # noqa: E731 - a hook that is never called
    return Judge(unused, "judge")


@pytest.mark.parametrize(
    ("part", "field", "looked_at"),
    [
        (Part.PROMPT, "prompt", [Part.PROMPT]),
        (Part.IMAGE, "media", [Part.PROMPT, Part.IMAGE]),
        (Part.RESULT, None, [Part.PROMPT, Part.IMAGE, Part.RESULT]),
    ],
)
def test_a_judge_refuses_prompt_image_and_result(
    tmp_path: Path, part: Part, field: str | None, looked_at: list[Part]
) -> None:
    async def run() -> None:
        seen: list[Exhibit] = []
        bench = Bench(tmp_path, Moderation(judges=[a_judge(part, seen)]))
        await bench.blobs.put_bytes("inputs/acme/a", a_png(640, 360), "image/png")
        media = (StoredMedia(role=Role.FIRST_FRAME, blob_key="inputs/acme/a"),)
        with pytest.raises(CallerError, match=f"The {part} was refused by the judge") as caught:
            await bench.through(small_plan(model="wan2.6-i2v", mode=Mode.I2V, media=media))
        assert caught.value.code is ErrorCode.CONTENT_REFUSED
        assert caught.value.field == field
        assert [exhibit.part for exhibit in seen] == looked_at
        assert all(item.picture for item in seen if item.part is not Part.PROMPT)
        assert [info.key async for info in bench.blobs.list("results/")] == []

    asyncio.run(run())


def test_where_policy_allows_a_task_goes_through_unjudged(tmp_path: Path) -> None:
    async def run() -> None:
        seen: list[Exhibit] = []
        moderation = Moderation(judges=[a_judge(Part.PROMPT, seen)], allows_unfiltered=True)
        bench = Bench(tmp_path, moderation)
        assert (await bench.through(small_plan(safety_filter=False))).outcome is not None
        assert seen == []

    asyncio.run(run())
