"""One claimed task from start to final state, in three stages: prepare, render, finish.

Each stage may be called again after a crash with the same arguments: files are named after the
task or their content, and ending a task is a compare-and-set. Implements `ports.Stages`.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import msgspec
import structlog

from kinogate.blobs.base import BlobStore, content_type_of, owner_segment
from kinogate.domain.catalogue import Catalogue
from kinogate.domain.engine import Engine
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.money import Usage, settle
from kinogate.domain.order import AudioMode, InputFile, Order, Produced
from kinogate.domain.overlays import overlaid, overlay_named
from kinogate.domain.ports import Clock, TaskStore
from kinogate.domain.resolution import Size, tier_of
from kinogate.domain.task import Fault, Outcome, Task
from kinogate.media.still_paths import still_paths
from kinogate.service.aftercare import Aftercare, engine_order
from kinogate.service.briefing import Briefing
from kinogate.service.labels import USUAL_LABELS, LabelPolicy
from kinogate.service.orders import order_for
from kinogate.service.prepare import Preparer
from kinogate.service.prompts import NOBODY
from kinogate.service.simulation import simulated_delay_s, simulated_fault

log = structlog.get_logger(__name__)

_PREPARED_SHARE = 0.05
_PROGRESS_STEP = 0.01
_PROGRESS_EVERY_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyOrder:
    """What `prepare` hands to `render`.

    Attributes:
        order: With blob keys as input paths, so that any process can go on.
        input_s: Seconds of input video that are billed.
        prompt_by: Who wrote the order's prompt.
        prompt_ms: Milliseconds that took.
    """

    order: Order
    input_s: float = 0.0
    prompt_by: str = NOBODY
    prompt_ms: int = 0


class Runner:
    """Runs tasks; holds no state between calls."""

    def __init__(
        self,
        *,
        store: TaskStore,
        blobs: BlobStore,
        preparer: Preparer,
        engine: Engine,
        catalogue: Catalogue,
        clock: Clock,
        scratch: Path,
        result_ttl_s: int,
        briefing: Briefing | None = None,
        aftercare: Aftercare | None = None,
        labels: LabelPolicy = USUAL_LABELS,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._preparer = preparer
        self._engine = engine
        self._catalogue = catalogue
        self._clock = clock
        self._scratch = scratch
        self._result_ttl_s = result_ttl_s
        self._briefing = briefing or Briefing(blobs)
        self._aftercare = aftercare or Aftercare()
        self._labels = labels

    async def prepare(self, task_id: str) -> str:
        """Fetch, check and judge the inputs, extend the prompt, fix the size.

        Returns:
            A `ReadyOrder` as JSON.

        Raises:
            CallerError: An input is not what the model takes, or was refused by moderation.
            UpstreamError: An input could not be fetched, or a judge not be asked.
        """
        task = await self._load(task_id)
        simulated_fault(task.plan.simulate)
        async with self._folder(task_id, "in") as folder:
            prepared = await self._preparer.prepare(task, folder)
        rewritten = await self._briefing.brief(task, prepared)
        ready = ReadyOrder(
            order=order_for(task, prepared, rewritten.prompt, self._labels),
            input_s=prepared.input_s,
            prompt_by=rewritten.by,
            prompt_ms=rewritten.took_ms,
        )
        await self._store.progress(task_id, _PREPARED_SHARE, self._clock.now_ms())
        return msgspec.json.encode(ready).decode()

    async def render(self, task_id: str, order: str) -> str:
        """Run the engine and put its file into the blob store.

        Returns:
            The `Outcome` as JSON.

        Raises:
            CallerError: Moderation refused the result.
            UpstreamError: The engine's upstream failed.
            InternalError: ENGINE_FAILED, TIMED_OUT, RESULT_INVALID or UNAVAILABLE.
        """
        ready = msgspec.json.decode(order, type=ReadyOrder)
        task = await self._load(task_id)
        await asyncio.sleep(simulated_delay_s(task.plan.simulate))
        async with self._folder(task_id, "out") as folder:
            out = folder / "clip.mp4"
            local = await self._localise(ready.order, folder)
            report = _Progress(self._store, self._clock, task_id)
            log.info("engine started", task_id=task_id, engine=self._engine.name)
            try:
                abilities = self._engine.abilities(local.model)
                wanted = engine_order(local, abilities)
                produced = await self._engine.run(wanted, out, report)
            finally:
                await report.settle()
            _check(wanted, produced)
            produced = await self._aftercare.complete(task, local, produced, abilities)
            outcome = await self._keep(task, ready, produced, out)
        return msgspec.json.encode(outcome).decode()

    async def finish(self, task_id: str, outcome: str) -> None:
        """Settle; a task that has ended meanwhile stays as it is."""
        made = msgspec.json.decode(outcome, type=Outcome)
        task = await self._load(task_id)
        now = self._clock.now_ms()
        settled = await self._store.succeed(
            task_id,
            made,
            engine=self._engine.name,
            cost_micro=self._cost(task, made),
            now_ms=now,
            expires_ms=now + self._result_ttl_s * 1000,
        )
        log.info("task finished", task_id=task_id, settled=settled)

    async def fail(self, task_id: str, code: ErrorCode, message: str, field: str | None) -> None:
        """Release the hold and keep the reason."""
        fault = Fault(code=code, message=message, field=field)
        failed = await self._store.fail(
            task_id, fault, now_ms=self._clock.now_ms(), engine=self._engine.name
        )
        log.info("task failed", task_id=task_id, code=code, released=failed)

    async def _load(self, task_id: str) -> Task:
        task = await self._store.load(task_id)
        if task is None:
            raise InternalError(ErrorCode.INTERNAL, "The task's record is gone.")
        return task

    async def _localise(self, order: Order, folder: Path) -> Order:
        """The order with blob keys replaced by local paths."""
        inputs: list[InputFile] = []
        for index, item in enumerate(order.inputs):
            path = folder / f"input-{index}"
            async with self._blobs.local_path(item.path) as source:
                await asyncio.to_thread(_link_or_copy, source, path)
            inputs.append(replace(item, path=str(path)))
        return replace(order, inputs=tuple(inputs))

    async def _keep(self, task: Task, ready: ReadyOrder, produced: Produced, out: Path) -> Outcome:
        stem = f"results/{owner_segment(task.account_id)}/{task.id}"
        stills = still_paths(out)
        poster = await self._put_still(f"{stem}.jpg", stills.poster)
        thumbnail = await self._put_still(f"{stem}-thumb.webp", stills.thumbnail)
        preview = await self._put_still(f"{stem}-preview.webp", stills.preview)
        spritesheet = await self._put_still(f"{stem}-sprites.jpg", stills.spritesheet)
        stored = await self._blobs.put_file(f"{stem}.mp4", out, "video/mp4")
        return Outcome(
            blob_key=f"{stem}.mp4",
            poster_key=poster,
            thumbnail_key=thumbnail,
            preview_key=preview,
            spritesheet_key=spritesheet,
            size_bytes=stored.size_bytes,
            width=produced.width,
            height=produced.height,
            fps=produced.fps,
            frame_count=produced.frame_count,
            duration_s=produced.duration_s,
            input_duration_s=ready.input_s,
            has_audio=produced.has_audio,
            actual_prompt=ready.order.prompt,
            prompt_by=ready.prompt_by,
            prompt_ms=ready.prompt_ms,
            fingerprint=produced.fingerprint,
        )

    async def _put_still(self, key: str, path: Path) -> str | None:
        """Store a still under `key`, which is returned; None when the engine made none."""
        if not await asyncio.to_thread(path.exists):
            return None
        await self._blobs.put_file(key, path, content_type_of(key))
        return key

    def _cost(self, task: Task, made: Outcome) -> int:
        spec = self._catalogue.get(task.plan.model)
        if spec is None:
            raise InternalError(ErrorCode.INTERNAL, "The task's model is gone.")
        overlay = overlay_named(task.plan.house)
        usage = Usage(
            output_s=Fraction(made.frame_count, made.fps),
            tier=tier_of(Size(width=made.width, height=made.height)),
            has_audio=made.has_audio,
            input_s=Fraction(made.input_duration_s).limit_denominator(1000),
        )
        return settle(overlaid(spec, overlay), usage, overlay, hold=task.hold_micro)

    @asynccontextmanager
    async def _folder(self, task_id: str, name: str) -> AsyncIterator[Path]:
        folder = self._scratch / f"{task_id}-{name}"
        shutil.rmtree(folder, ignore_errors=True)  # what a crashed attempt left
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


class _Progress:
    """Writes the engine's progress to the row: at most four times a second, one write at a time."""

    def __init__(self, store: TaskStore, clock: Clock, task_id: str) -> None:
        self._store = store
        self._clock = clock
        self._task_id = task_id
        self._shown = _PREPARED_SHARE
        self._last = 0.0
        self._write: asyncio.Task[None] | None = None

    def __call__(self, stage: str, share: float) -> None:
        share = _PREPARED_SHARE + (0.99 - _PREPARED_SHARE) * min(max(share, 0.0), 1.0)
        now = time.monotonic()
        is_busy = self._write is not None and not self._write.done()
        if is_busy or share < self._shown + _PROGRESS_STEP or now < self._last + _PROGRESS_EVERY_S:
            return
        self._shown, self._last = share, now
        self._write = asyncio.create_task(
            self._store.progress(self._task_id, share, self._clock.now_ms())
        )

    async def settle(self) -> None:
        """Wait for the last write; a lost progress write is no reason to fail a task."""
        if self._write is None:
            return
        results = await asyncio.gather(self._write, return_exceptions=True)
        if isinstance(results[0], Exception):
            log.warning("progress write failed", task_id=self._task_id, error=str(results[0]))


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _check(order: Order, produced: Produced) -> None:
    """What is promised is what the file measures (design §4.6)."""
    promised = (order.width, order.height, order.fps, order.frame_count)
    measured = (produced.width, produced.height, produced.fps, produced.frame_count)
    has_sound = order.audio is not AudioMode.OFF
    if promised != measured or has_sound != produced.has_audio:
        log.error("engine broke its promise", promised=promised, measured=measured)
        raise InternalError(
            ErrorCode.RESULT_INVALID, "The engine's file is not what was asked for."
        )
