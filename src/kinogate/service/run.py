"""One claimed task from start to final state, in three stages: prepare, render, finish.

Each stage may be called again after a crash with the same arguments: files are named after the
task or their content, and ending a task is a compare-and-set. Implements `ports.Stages`.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import msgspec
import structlog

from kinogate.blobs.base import BlobStore, content_type_of, owner_segment
from kinogate.domain.abilities import Abilities, adapt
from kinogate.domain.engine import ReportProgress
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.money import Usage, settle
from kinogate.domain.order import AudioMode, InputFile, Order, Produced
from kinogate.domain.overlays import overlaid, overlay_named
from kinogate.domain.ports import Clock, TaskStore
from kinogate.domain.resolution import Size, tier_of
from kinogate.domain.task import Fault, Outcome, Status, Task
from kinogate.media.still_paths import still_paths
from kinogate.service.aftercare import Aftercare, engine_order
from kinogate.service.briefing import Briefing
from kinogate.service.decide import unsupported
from kinogate.service.fleet import Member
from kinogate.service.labels import USUAL_LABELS, LabelPolicy
from kinogate.service.live import LiveShow
from kinogate.service.orders import order_for, order_on
from kinogate.service.prepare import Preparer
from kinogate.service.progress import PREPARED_SHARE, ProgressWriter
from kinogate.service.prompts import NOBODY, UPSTREAM
from kinogate.service.relay import Relay
from kinogate.service.routing import Router
from kinogate.service.simulation import simulated_delay_s, simulated_fault

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyOrder:
    """What `prepare` hands to `render`.

    Attributes:
        order: With blob keys as input paths, so that any process can go on.
        candidates: Names of the engines that may serve it, in order; fixed here, so that a run
            that is taken up again asks the same ones.
        input_s: Seconds of input video that are billed.
        prompt_by: Who wrote the order's prompt.
        prompt_ms: Milliseconds that took.
    """

    order: Order
    candidates: tuple[str, ...] = ()
    input_s: float = 0.0
    prompt_by: str = NOBODY
    prompt_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What one engine has made: its name, the order it had, the file, and what was adapted."""

    engine: str
    order: Order
    abilities: Abilities
    produced: Produced
    warnings: tuple[str, ...]


class Runner:
    """Runs tasks; what it remembers between calls is only for the log."""

    def __init__(
        self,
        *,
        store: TaskStore,
        blobs: BlobStore,
        preparer: Preparer,
        router: Router,
        clock: Clock,
        scratch: Path,
        result_ttl_s: int,
        briefing: Briefing | None = None,
        aftercare: Aftercare | None = None,
        labels: LabelPolicy = USUAL_LABELS,
        relay: Relay | None = None,
        link: Callable[[str], str] | None = None,
    ) -> None:
        """Prepare to run.

        Args:
            store: The tasks.
            blobs: Inputs and results.
            preparer: Makes inputs ready.
            router: Which engines there are, and the rows with their prices.
            clock: Time.
            scratch: Folder for work in progress.
            result_ttl_s: Life of a result, seconds.
            briefing: Decides what the engine is told.
            aftercare: Makes an engine's file what was promised.
            labels: The operator's policy.
            relay: Gives a task to one engine after another; by default without a journal.
            link: Makes a signed URL of a blob key that the outside can fetch, or None where this
                server has no public address.
        """
        self._store = store
        self._blobs = blobs
        self._preparer = preparer
        self._router = router
        self._clock = clock
        self._scratch = scratch
        self._result_ttl_s = result_ttl_s
        self._briefing = briefing or Briefing(blobs)
        self._aftercare = aftercare or Aftercare()
        self._labels = labels
        self._relay = relay or Relay(router.fleet)
        self._link = link
        self._asked: dict[str, str] = {}  # task to the engine asked last, for failed tasks

    async def prepare(self, task_id: str) -> str:
        """Fetch, check and judge the inputs, extend the prompt, fix the size and the engines.

        Returns:
            A `ReadyOrder` as JSON.

        Raises:
            CallerError: An input is not what the model takes, or was refused by moderation; or no
                engine takes the plan any more.
            UpstreamError: An input could not be fetched, or a judge not be asked.
        """
        task = await self._load(task_id)
        simulated_fault(task.plan.simulate)
        candidates = self._candidates(task)
        async with self._folder(task_id, "in") as folder:
            prepared = await self._preparer.prepare(task, folder)
        rewritten = await self._briefing.brief(
            task, prepared, is_rewritten=self._needs_rewriting(task, candidates)
        )
        ready = ReadyOrder(
            order=order_for(task, prepared, rewritten.prompt, self._labels),
            candidates=candidates,
            input_s=prepared.input_s,
            prompt_by=rewritten.by,
            prompt_ms=rewritten.took_ms,
        )
        await self._store.progress(task_id, PREPARED_SHARE, self._clock.now_ms())
        return msgspec.json.encode(ready).decode()

    async def render(self, task_id: str, order: str) -> str:
        """Have an engine make the clip and put its file into the blob store.

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
        async with self._folder(task_id, "out") as folder, LiveShow(self._blobs, task) as live:
            local = await self._localise(ready.order, folder)
            report = ProgressWriter(self._store, self._clock, task_id)

            async def attempt(member: Member) -> _Made:
                return await self._attempt(task, local, member, folder, report=report, live=live)

            async def is_wanted() -> bool:
                return (await self._load(task_id)).status is Status.RUNNING

            try:
                made, notes = await self._relay.serve(
                    task_id,
                    self._still_there(task, ready.candidates),
                    attempt,
                    is_wanted=is_wanted,
                )
            except asyncio.CancelledError:
                self._asked.pop(task_id, None)
                raise
            finally:
                await report.settle()
            produced = await self._aftercare.complete(
                task, made.order, made.produced, made.abilities
            )
            made = replace(made, produced=produced, warnings=(*notes, *made.warnings))
            outcome = await self._keep(task, ready, made)
        self._asked.pop(task_id, None)
        return msgspec.json.encode(outcome).decode()

    async def finish(self, task_id: str, outcome: str) -> None:
        """Settle; a task that has ended meanwhile stays as it is."""
        made = msgspec.json.decode(outcome, type=Outcome)
        task = await self._load(task_id)
        now = self._clock.now_ms()
        settled = await self._store.succeed(
            task_id,
            made,
            engine=made.engine,
            cost_micro=self._cost(task, made),
            now_ms=now,
            expires_ms=now + self._result_ttl_s * 1000,
        )
        log.info("task finished", task_id=task_id, engine=made.engine, settled=settled)

    async def fail(self, task_id: str, code: ErrorCode, message: str, field: str | None) -> None:
        """Release the hold and keep the reason."""
        fault = Fault(code=code, message=message, field=field)
        engine = self._asked.get(task_id)
        failed = await self._store.fail(task_id, fault, now_ms=self._clock.now_ms(), engine=engine)
        self._asked.pop(task_id, None)
        log.info("task failed", task_id=task_id, code=code, engine=engine, released=failed)

    def _candidates(self, task: Task) -> tuple[str, ...]:
        """The engines for a task, as they were chosen when it was accepted.

        Raises:
            CallerError: FEATURE_UNSUPPORTED: the routes have changed, and none takes it now.
        """
        roles = frozenset(item.role for item in task.plan.media)
        choice = self._router.choose(task.plan, roles, task.account_id, task.id)
        if not choice.candidates:
            raise unsupported(choice.refusal or "No engine takes this task.")
        return choice.candidates

    def _still_there(self, task: Task, candidates: tuple[str, ...]) -> tuple[str, ...]:
        """The engines of a run that is taken up again; with those of today when all are gone.

        Those that are gone stay, since only their names tell whether one had begun.
        """
        if any(self._router.fleet.get(name) is not None for name in candidates):
            return candidates
        return (*candidates, *self._candidates(task))

    def _needs_rewriting(self, task: Task, candidates: Sequence[str]) -> bool:
        members = [self._router.fleet.get(name) for name in candidates]
        return any(
            not member.engine.abilities(task.plan.model).extends_prompts
            for member in members
            if member is not None
        )

    async def _attempt(
        self,
        task: Task,
        order: Order,
        member: Member,
        folder: Path,
        *,
        report: ReportProgress,
        live: LiveShow,
    ) -> _Made:
        """One engine's run, in a folder of its own: what a failed one leaves is nobody's result."""
        self._asked[task.id] = member.name
        engine, abilities = member.engine, member.engine.abilities(order.model)
        plan, warnings = adapt(
            task.plan, abilities, member.name, is_seed_given=task.plan.is_seed_given
        )
        own = order_on(order, plan, member.name, abilities, self._labels)
        wanted = engine_order(own, abilities)
        clip = folder / f"by-{member.name}" / "clip.mp4"
        clip.parent.mkdir()
        log.info("engine started", task_id=task.id, engine=member.name)
        is_open = self._aftercare.lets_see_early(task, own, abilities)
        async with live.following(clip) if is_open else nullcontext():
            produced = await engine.run(wanted, clip, report)
        if not abilities.is_measured:
            _check(wanted, produced)
        return _Made(
            engine=member.name,
            order=own,
            abilities=abilities,
            produced=produced,
            warnings=warnings,
        )

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
            link = None if self._link is None else self._link(item.path)
            inputs.append(replace(item, path=str(path), link=link))
        return replace(order, inputs=tuple(inputs))

    async def _keep(self, task: Task, ready: ReadyOrder, made: _Made) -> Outcome:
        produced, out = made.produced, Path(made.produced.path)
        stem = f"results/{owner_segment(task.account_id)}/{task.id}"
        stills = still_paths(out)
        # Each waits for the disk, so together they take about as long as one.
        poster, thumbnail, preview, spritesheet = await asyncio.gather(
            self._put_still(f"{stem}.jpg", stills.poster),
            self._put_still(f"{stem}-thumb.webp", stills.thumbnail),
            self._put_still(f"{stem}-preview.webp", stills.preview),
            self._put_still(f"{stem}-sprites.jpg", stills.spritesheet),
        )
        stored = await self._blobs.put_file(f"{stem}.mp4", out, "video/mp4")
        # What the caller was told at submit is not said again.
        warnings = dict.fromkeys((*made.warnings, *produced.warnings))
        is_rewritten = made.order.prompt == ready.order.prompt
        return Outcome(
            blob_key=f"{stem}.mp4",
            engine=made.engine,
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
            actual_prompt=produced.actual_prompt or made.order.prompt,
            prompt_by=UPSTREAM
            if produced.actual_prompt
            else (ready.prompt_by if is_rewritten else NOBODY),
            prompt_ms=ready.prompt_ms,
            fingerprint=produced.fingerprint,
            warnings=tuple(text for text in warnings if text not in task.warnings),
            upstream_id=produced.upstream_id,
        )

    async def _put_still(self, key: str, path: Path) -> str | None:
        """Store a still under `key`, which is returned; None when the engine made none."""
        if not await asyncio.to_thread(path.exists):
            return None
        await self._blobs.put_file(key, path, content_type_of(key))
        return key

    def _cost(self, task: Task, made: Outcome) -> int:
        spec = self._router.catalogue.get(task.plan.model)
        if spec is None:
            raise InternalError(ErrorCode.INTERNAL, "The task's model is gone.")
        overlay = overlay_named(task.plan.house)
        tier = tier_of(Size(width=made.width, height=made.height))
        usage = Usage(
            output_s=Fraction(made.frame_count, made.fps),
            # An upstream may make more pixels than were asked for; nobody has to pay for them.
            tier=min(tier, task.plan.tier, key=lambda item: item.lines),
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
