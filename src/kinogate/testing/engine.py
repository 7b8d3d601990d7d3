"""What every engine promises, as cases that run on any of them.

```python
import pytest
from kinogate.testing.engine import CASES
from kinogate.testing.rig import Rig

RIG = Rig(make=lambda folder: MyEngine(...))

@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_engine_keeps_every_promise_of_the_port(case, tmp_path):
    case(RIG, tmp_path)
```

A case gets the rig and an empty folder and raises AssertionError with a sentence that says which
promise was broken. What an engine's abilities do not claim is not asked of it.
"""

from __future__ import annotations

import asyncio
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.engine import Engine
from kinogate.domain.errors import KinogateError
from kinogate.domain.knobs import Knobs
from kinogate.domain.order import AudioMode, InputFile, Mode, Order, Produced, Role, ShotType
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan
from kinogate.media.probe import probe_video
from kinogate.media.still_paths import still_paths
from kinogate.testing.checks import (
    check_exactly,
    check_roughly,
    check_said,
    require,
    sentence_fault,
)
from kinogate.testing.rig import Rig, made, nothing, pictures_digest, ready, run, started

Case = Callable[[Rig, Path], None]

CANCEL_S = 2.0
"""Seconds within which a canceled run must have stopped."""
CHECK_S = 10.0
"""Seconds within which `check` must have answered."""


def a_clip_measures_what_was_ordered_and_what_is_said_of_it(rig: Rig, folder: Path) -> None:
    """Size, frames, rate, length and sound, of every order of the rig."""

    async def work() -> list[tuple[Engine, Order, Produced]]:
        async with started(rig, folder) as engine:
            orders = [_ready(engine, order) for order in (rig.order, *rig.others)]
            return [
                (engine, order, await engine.run(order, folder / f"{index}.mp4", nothing))
                for index, order in enumerate(orders)
            ]

    for index, (engine, order, produced) in enumerate(run(rig, work())):
        facts = probe_video(folder / f"{index}.mp4")
        require(Path(produced.path) == folder / f"{index}.mp4", "The clip is not where it belongs.")
        check_said(produced, facts)
        if engine.abilities(order.model).is_measured:
            check_roughly(order, facts)
        else:
            check_exactly(order, facts)
        require(bool(produced.fingerprint), "A clip has no fingerprint.")


def sound_is_there_when_asked_for_and_only_then(rig: Rig, folder: Path) -> None:
    """As far as the abilities claim it."""

    async def work() -> None:
        async with started(rig, folder) as engine:
            able = engine.abilities(rig.order.model)
            if able.auto_audio:
                order = ready(rig.order, able, audio=AudioMode.AUTO)
                produced = await engine.run(order, folder / "loud.mp4", nothing)
                require(produced.has_audio, "Sound was ordered and the clip is silent.")
            if able.silence and not able.is_measured:
                order = ready(rig.order, able, audio=AudioMode.OFF)
                produced = await engine.run(order, folder / "silent.mp4", nothing)
                require(not produced.has_audio, "Silence was ordered and the clip has sound.")

    run(rig, work())


def tags_and_stills_are_there_where_the_engine_says_so(rig: Rig, folder: Path) -> None:
    """An engine that claims them is trusted: nobody adds them afterwards."""

    async def work() -> None:
        async with started(rig, folder) as engine:
            able = engine.abilities(rig.order.model)
            order = ready(rig.order, able, tags=(("AIGC", '{"Label":"1"}'),))
            clip = folder / "a.mp4"
            await engine.run(order, clip, nothing)
            if able.writes_tags:
                has_tag = dict(probe_video(clip).tags).get("AIGC") == '{"Label":"1"}'
                require(has_tag, "The order's tags are not in the file.")
            if able.makes_stills:
                there = [path.name for path in still_paths(clip).all() if not path.exists()]
                require(not there, f"Stills are missing: {there}.")

    run(rig, work())


def the_same_seed_gives_the_same_clip_and_another_one_does_not(rig: Rig, folder: Path) -> None:
    """Where the engine honours seeds."""

    async def work() -> list[str]:
        async with started(rig, folder) as engine:
            if not engine.abilities(rig.order.model).seed:
                return []
            seeds = (rig.order.seed, rig.order.seed, rig.order.seed + 1)
            return [
                await _digest(engine, replace(rig.order, seed=seed), folder / f"{index}.mp4")
                for index, seed in enumerate(seeds)
            ]

    if digests := run(rig, work()):
        require(digests[0] == digests[1], "The same order gave two different clips.")
        require(digests[0] != digests[2], "Another seed gave the same clip.")


def progress_is_a_share_and_never_falls(rig: Rig, folder: Path) -> None:
    """And is told at least once."""
    seen: list[tuple[str, float]] = []

    async def work() -> None:
        async with started(rig, folder) as engine:
            order = _ready(engine, rig.order)
            await engine.run(order, folder / "a.mp4", lambda *told: seen.append(told))

    run(rig, work())
    shares = [share for _, share in seen]
    require(bool(shares), "No progress was reported.")
    require(all(0.0 <= share <= 1.0 for share in shares), f"A share is no share: {shares}.")
    require(shares == sorted(shares), f"Progress falls: {shares}.")
    require(all(stage for stage, _ in seen), "A stage has no name.")


def a_canceled_run_stops_in_time_and_leaves_no_trace(rig: Rig, folder: Path) -> None:
    """Within two seconds, without a file, and the next clip is what it would have been."""

    async def work() -> tuple[float, list[str]]:
        async with started(rig, folder) as engine:
            has_seeds = engine.abilities(rig.order.model).seed
            digests = [await _digest(engine, rig.order, folder / "before.mp4")]
            took_s = await _cancel(engine, _ready(engine, rig.long), folder / "long.mp4")
            digests.append(await _digest(engine, rig.order, folder / "after.mp4"))
            return took_s, digests if has_seeds else []

    took_s, digests = run(rig, work())
    require(took_s < CANCEL_S, f"A canceled run went on for {took_s:.1f} seconds.")
    require(not (folder / "long.mp4").exists(), "A canceled run left its file.")
    require(len(set(digests)) < 2, "The clip after a canceled run is another than before.")


def several_runs_at_a_time_do_not_mix(rig: Rig, folder: Path) -> None:
    """As many as its capacity, three at most; each clip is its own order's."""

    async def work() -> tuple[list[str], list[str]]:
        async with started(rig, folder) as engine:
            if not engine.abilities(rig.order.model).seed:
                return [], []
            count = min(engine.capacity, 3)
            orders = [replace(rig.order, seed=rig.order.seed + index) for index in range(count)]
            together = await asyncio.gather(
                *(
                    _digest(engine, order, folder / f"together-{index}.mp4")
                    for index, order in enumerate(orders)
                )
            )
            alone = [
                await _digest(engine, order, folder / f"alone-{index}.mp4")
                for index, order in enumerate(orders)
            ]
            return list(together), alone

    together, alone = run(rig, work())
    require(together == alone, "Runs at the same time gave other clips than one by one.")


def a_broken_input_fails_in_our_own_words_and_leaves_no_file(rig: Rig, folder: Path) -> None:
    """A first frame that is no picture; the engine goes on."""
    if rig.image_order is None:
        return
    broken = folder / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + b"junk" * 50)
    given = InputFile(role=Role.FIRST_FRAME, path=str(broken))
    image_order = replace(rig.image_order, inputs=(given,))

    async def work() -> None:
        async with started(rig, folder) as engine:
            await _fails(engine, _ready(engine, image_order), folder / "a.mp4")
            require(not list(folder.glob("*.mp4*")), "A failed run left a file.")
            await engine.run(_ready(engine, rig.order), folder / "next.mp4", nothing)

    run(rig, work())


def a_folder_that_is_gone_fails_in_our_own_words(rig: Rig, folder: Path) -> None:
    """As a full disk would."""
    nowhere = made(folder / "gone")
    shutil.rmtree(nowhere)

    async def work() -> None:
        async with started(rig, folder) as engine:
            await _fails(engine, _ready(engine, rig.order), nowhere / "a.mp4")

    run(rig, work())


def what_cannot_be_done_is_refused_in_one_sentence(rig: Rig, folder: Path) -> None:
    """For every model and every work that the engine leaves out."""
    engine = rig.make(made(folder / "engine"))
    for spec in CATALOGUE.all():
        modes = engine.modes(spec)
        require(modes <= spec.modes, f"It offers works that {spec.name} does not have.")
        for mode in spec.modes - modes:
            said = engine.refuses(_plan(spec, mode), _roles(mode))
            require(said is not None, f"{spec.name} {mode.value} is neither offered nor refused.")
            fault = sentence_fault(said or "")
            require(fault is None, f"The refusal {fault}.")


def what_the_rig_orders_is_offered(rig: Rig, folder: Path) -> None:
    """The engine says that it can do what it is tried with."""
    engine = rig.make(made(folder / "engine"))
    orders = [rig.order, *rig.others, *([rig.image_order] if rig.image_order else [])]
    for order in orders:
        spec = CATALOGUE.get(order.model)
        if spec is not None:
            require(order.mode in engine.modes(spec), f"{order.model} {order.mode} is not offered.")


def it_says_the_same_of_itself_each_time(rig: Rig, folder: Path) -> None:
    """Name, capacity, abilities and estimates; nothing has been started yet."""
    engine = rig.make(made(folder / "engine"))
    able = engine.abilities(rig.order.model)
    require(bool(engine.name), "It has no name.")
    require(engine.capacity >= 1, f"Its capacity is {engine.capacity}.")
    require(able == engine.abilities(rig.order.model), "Its abilities change.")
    unknown = able.knobs - {field.name for field in fields(Knobs)}
    require(not unknown, f"It honours knobs that nobody can turn: {sorted(unknown)}.")
    order = ready(rig.order, able)
    estimate = engine.estimate(order)
    require(estimate == engine.estimate(order), "Its estimates change.")
    for name in ("seconds", "memory_bytes", "flops"):
        value = getattr(estimate, name)
        is_sane = value is None or (value > 0 and math.isfinite(value))
        require(is_sane, f"Its estimate of {name} is {value}.")


def a_check_answers_soon_and_says_what_it_saw(rig: Rig, folder: Path) -> None:
    """In ten seconds, in sentences, and well for an engine that has been started."""

    async def work() -> None:
        async with started(rig, folder) as engine:
            begun = time.monotonic()
            health = await engine.check()
            took_s = time.monotonic() - begun
            require(took_s < CHECK_S, f"The check took {took_s:.1f} seconds.")
            require(health.is_ready, f"A started engine is not ready: {health.findings}.")
            for finding in health.findings:
                fault = sentence_fault(finding.text)
                require(bool(finding.what) and fault is None, f"A finding {fault}.")

    run(rig, work())


def closing_twice_is_closing_once_and_leaves_no_process(rig: Rig, folder: Path) -> None:
    """Whether it has worked or not."""

    async def work() -> None:
        idle = rig.make(made(folder / "idle"))
        await idle.close()
        async with started(rig, folder) as engine:
            await engine.run(_ready(engine, rig.order), folder / "a.mp4", nothing)
            await engine.close()

    before = _processes()
    run(rig, work())
    left = _processes() - before
    require(not left, f"Processes are left: {sorted(left)}.")


CASES: tuple[Case, ...] = (
    a_clip_measures_what_was_ordered_and_what_is_said_of_it,
    sound_is_there_when_asked_for_and_only_then,
    tags_and_stills_are_there_where_the_engine_says_so,
    the_same_seed_gives_the_same_clip_and_another_one_does_not,
    progress_is_a_share_and_never_falls,
    a_canceled_run_stops_in_time_and_leaves_no_trace,
    several_runs_at_a_time_do_not_mix,
    a_broken_input_fails_in_our_own_words_and_leaves_no_file,
    a_folder_that_is_gone_fails_in_our_own_words,
    what_cannot_be_done_is_refused_in_one_sentence,
    what_the_rig_orders_is_offered,
    it_says_the_same_of_itself_each_time,
    a_check_answers_soon_and_says_what_it_saw,
    closing_twice_is_closing_once_and_leaves_no_process,
)
"""Every case; they need no order among them."""


def _ready(engine: Engine, order: Order) -> Order:
    return ready(order, engine.abilities(order.model))


async def _digest(engine: Engine, order: Order, out: Path) -> str:
    await engine.run(_ready(engine, order), out, nothing)
    return await asyncio.to_thread(pictures_digest, out)


async def _cancel(engine: Engine, order: Order, out: Path) -> float:
    """Begin a run and cancel it at its first report; the seconds until it had stopped."""
    begun = asyncio.Event()
    task = asyncio.create_task(engine.run(order, out, lambda _stage, _share: begun.set()))
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    require(not task.done(), "The long order ended before it could be canceled.")
    asked = time.monotonic()
    task.cancel()
    await asyncio.wait([task])
    require(task.cancelled(), "A canceled run did not end in a cancellation.")
    return time.monotonic() - asked


async def _fails(engine: Engine, order: Order, out: Path) -> None:
    try:
        await engine.run(order, out, nothing)
    except KinogateError as error:
        fault = sentence_fault(error.message)
        require(fault is None, f"The error {fault}.")
    else:
        require(False, "A run that cannot succeed did.")
    require(not out.exists(), "A failed run left its file.")


def _plan(spec: ModelSpec, mode: Mode) -> Plan:
    return Plan(
        model=spec.name,
        mode=mode,
        prompt="a sailboat",
        negative_prompt="",
        size=spec.default_size,
        tier=spec.default_tier,
        duration_s=max(spec.durations.default, 0),
        fps=spec.fps,
        audio=AudioMode.OFF,
        is_extendable=False,
        shot_type=ShotType.SINGLE,
        watermark=None,
        seed=7,
        house="native",
    )


_ROLES = {
    Mode.I2V: {Role.FIRST_FRAME},
    Mode.KF2V: {Role.FIRST_FRAME, Role.LAST_FRAME},
    Mode.R2V: {Role.REFERENCE_IMAGE},
    Mode.CLIP: {Role.FIRST_CLIP},
    Mode.S2V: {Role.FIRST_FRAME, Role.AUDIO},
    Mode.EDIT: {Role.SOURCE_VIDEO},
    Mode.ANIMATE: {Role.FIRST_FRAME, Role.SOURCE_VIDEO},
    Mode.DOCUMENT: {Role.DOCUMENT},
}


def _roles(mode: Mode) -> frozenset[Role]:
    return frozenset(_ROLES.get(mode, set()))


def _processes() -> set[str]:
    """Processes below this one; none where the kernel does not list them."""
    lists = Path("/proc/self/task").glob("*/children")
    return {pid for path in lists for pid in path.read_text().split()}
