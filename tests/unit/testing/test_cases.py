"""Each case notices an engine that breaks the promise it is about."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinogate.domain.abilities import Abilities
from kinogate.domain.engine import Estimate, Finding, Health, ReportProgress
from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.order import Mode, Order, Produced, Role
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan
from kinogate.engines.base import BaseEngine
from kinogate.media.encode import Mp4Writer
from kinogate.testing import engine as cases
from kinogate.testing.engine import CASES, Case
from kinogate.testing.rig import AN_ORDER, Rig

SHORT = replace(AN_ORDER, width=64, height=48, frame_count=6, fps=6, duration_s=1.0)
LONG = replace(SHORT, duration_s=20.0, frame_count=120)


class Honest(BaseEngine):
    """Grey pictures whose shade is the seed; a second of clip takes no time, a long one does."""

    name = "honest"
    able = Abilities(auto_audio=False, is_algorithmic=True)

    def abilities(self, model: str) -> Abilities:
        return self.able

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        return spec.modes & {Mode.T2V, Mode.I2V}

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        return None if plan.mode in {Mode.T2V, Mode.I2V} else "This is too much for it."

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        report("begin", 0.0)
        if order.inputs:
            raise InternalError(ErrorCode.ENGINE_FAILED, "The picture is broken.")
        if order.duration_s > 10:
            await asyncio.sleep(30)
        self.draw(order, out)
        report("end", 1.0)
        return Produced(
            path=str(out),
            width=order.width,
            height=order.height,
            fps=order.fps,
            frame_count=order.frame_count,
            duration_s=order.duration_s,
            has_audio=False,
            fingerprint="honest/1",
        )

    def shade(self, order: Order) -> int:
        return 20 * (order.seed % 10)

    def draw(self, order: Order, out: Path) -> None:
        size = {"width": order.width, "height": order.height}
        with Mp4Writer(out, fps=order.fps, audio_rate=None, tags=order.tags, **size) as writer:
            for _ in range(order.frame_count):
                shape = (order.height, order.width, 3)
                writer.write(np.full(shape, self.shade(order), dtype=np.uint8))


class Narrow(Honest):
    def draw(self, order: Order, out: Path) -> None:
        super().draw(replace(order, width=order.width - 2), out)


class Mute(Honest):
    able = Abilities(is_algorithmic=True)


class Untagged(Honest):
    def draw(self, order: Order, out: Path) -> None:
        super().draw(replace(order, tags=()), out)


class Forgetful(Honest):
    """Draws by chance."""

    runs = 0

    def shade(self, order: Order) -> int:
        Forgetful.runs += 1
        return 10 * Forgetful.runs % 250


class Deaf(Honest):
    """Pays no heed to seeds."""

    def shade(self, order: Order) -> int:
        return 100


class Falling(Honest):
    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        report("begin", 0.5)
        return await super().run(order, out, report)


class Stubborn(Honest):
    """Does not let itself be canceled for three seconds."""

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        try:
            return await super().run(order, out, report)
        except asyncio.CancelledError:
            await asyncio.sleep(3.0)
            raise


class Messy(Honest):
    """Leaves a file when it is canceled or fails."""

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        out.write_bytes(b"half a clip")
        return await super().run(order, out, report)


class Frank(Honest):
    """Fails in somebody else's words."""

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        if not out.parent.exists():
            raise FileNotFoundError(out)
        return await super().run(order, out, report)


class Silent(Honest):
    """Refuses nothing that it does not offer."""

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        return None


class Picky(Honest):
    """Offers less than it is tried with."""

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        return frozenset()

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        return "It does nothing."


class Boastful(Honest):
    def estimate(self, order: Order) -> Estimate:
        return Estimate(seconds=-1.0)


class Unwell(Honest):
    async def check(self) -> Health:
        return Health(
            is_ready=False, findings=(Finding(what="disk", is_ok=False, text="It is full."),)
        )


class Littering(Honest):
    """Starts a process and forgets it."""

    left: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        Littering.left = subprocess.Popen(["sleep", "20"])


def rig(make: Callable[[], BaseEngine]) -> Rig:
    image_order = replace(SHORT, mode=Mode.I2V, model="wan2.6-i2v")
    return Rig(make=lambda _folder: make(), order=SHORT, long=LONG, image_order=image_order)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_an_honest_engine_passes(case: Case, tmp_path: Path) -> None:
    case(rig(Honest), tmp_path)


@pytest.mark.parametrize(
    ("liar", "case"),
    [
        (Narrow, cases.a_clip_measures_what_was_ordered_and_what_is_said_of_it),
        (Mute, cases.sound_is_there_when_asked_for_and_only_then),
        (Untagged, cases.tags_and_stills_are_there_where_the_engine_says_so),
        (Forgetful, cases.the_same_seed_gives_the_same_clip_and_another_one_does_not),
        (Deaf, cases.the_same_seed_gives_the_same_clip_and_another_one_does_not),
        (Falling, cases.progress_is_a_share_and_never_falls),
        (Stubborn, cases.a_canceled_run_stops_in_time_and_leaves_no_trace),
        (Messy, cases.a_canceled_run_stops_in_time_and_leaves_no_trace),
        (Forgetful, cases.a_canceled_run_stops_in_time_and_leaves_no_trace),
        (Forgetful, cases.several_runs_at_a_time_do_not_mix),
        (Messy, cases.a_broken_input_fails_in_our_own_words_and_leaves_no_file),
        (Silent, cases.what_cannot_be_done_is_refused_in_one_sentence),
        (Picky, cases.what_the_rig_orders_is_offered),
        (Boastful, cases.it_says_the_same_of_itself_each_time),
        (Unwell, cases.a_check_answers_soon_and_says_what_it_saw),
    ],
)
def test_a_case_notices_a_broken_promise(
    liar: Callable[[], BaseEngine], case: Case, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError):
        case(rig(liar), tmp_path)


def test_an_error_in_foreign_words_is_not_taken_for_a_failure_of_ours(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        cases.a_folder_that_is_gone_fails_in_our_own_words(rig(Frank), tmp_path)


def test_a_process_that_is_left_is_noticed(tmp_path: Path) -> None:
    try:
        with pytest.raises(AssertionError, match="Processes are left"):
            cases.closing_twice_is_closing_once_and_leaves_no_process(rig(Littering), tmp_path)
    finally:
        assert Littering.left is not None
        Littering.left.kill()
        Littering.left.wait()
