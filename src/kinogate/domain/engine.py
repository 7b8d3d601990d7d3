"""The port `Engine`: whatever turns an order into a video, and what it says of itself.

Obeys design §4.17–4.18. The contract suite in `tests/contracts/test_engine.py` runs on every one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from kinogate.domain.abilities import Abilities
from kinogate.domain.order import Mode, Order, Produced, Role
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan

ReportProgress = Callable[[str, float], None]
"""Called with a stage's name and the overall share done, 0.0–1.0, never falling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run would take; None where nothing is known.

    Attributes:
        seconds: Wall time of the run, waiting excluded.
        memory_bytes: Peak of the device's memory.
        flops: Floating-point operations of the model.
    """

    seconds: float | None = None
    memory_bytes: int | None = None
    flops: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check found.

    Attributes:
        what: What was looked at: a credential's or a model's name, a file.
        is_ok: Whether it works.
        text: One sentence; no secrets.
    """

    what: str
    is_ok: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether an engine could work now, with what it looked at."""

    is_ready: bool
    findings: tuple[Finding, ...] = ()


class Engine(Protocol):
    """Turns an order into one video file.

    Every implementation promises:

    - the MP4 at `out` has the order's size, frame count, fps and duration, unless its abilities
      say that it is measured;
    - `report` is called with shares that never fall;
    - a second run of the same order may repeat work but charges nothing twice;
    - cancelling the awaiting task stops the work within two seconds;
    - a failure is a `KinogateError`, and leaves no file at `out`.

    While it runs it may show what it has so far: a small JPEG, its longer side at most 480 pixels,
    at `still_paths(out).live` (`clip.live.jpg` beside `clip.mp4`), with the order's mark where it
    draws marks. It replaces that file in one step (`media.stills.LiveStill` does), about once a
    second at most, and need not take it away.

    Attributes:
        name: As the operator calls it; unique on a server.
        capacity: Runs that make sense at a time, at least 1.
    """

    name: str
    capacity: int

    async def start(self) -> None:
        """Get ready; returns when the first run could begin."""
        ...

    async def close(self) -> None:
        """Stop every child process; safe to call twice."""
        ...

    def abilities(self, model: str) -> Abilities:
        """What it takes from an order for the model `model` (canonical name). Pure."""
        ...

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """The kinds of work it can do for a row of the catalogue; empty for none. Pure."""
        ...

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        """Why it cannot do the plan with these inputs, in one sentence; None when it can. Pure."""
        ...

    def estimate(self, order: Order) -> Estimate:
        """What the run would take. Pure."""
        ...

    async def check(self) -> Health:
        """Look whether it could work now; costs nothing and makes no clip. At most 10 seconds."""
        ...

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        """Make the clip.

        Raises:
            CallerError: The order itself cannot be done: an input, or content that was refused.
            UpstreamError: Somebody else's fault; `retriable` says whether another attempt makes
                sense, `is_charged` whether it may have cost something already.
            InternalError: ENGINE_FAILED, RESULT_INVALID, TIMED_OUT or UNAVAILABLE.
        """
        ...


class CallState(StrEnum):
    """How far a create call to an upstream has got."""

    INTENT = "intent"  # about to be sent, or sent with the answer lost: nobody knows
    CREATED = "created"  # the upstream has given it an id
    REFUSED = "refused"  # the upstream said no, or was never reached: nothing was charged
    ENDED = "ended"  # the upstream's task has ended, well or badly


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamCall:
    """One create call to an upstream, as it is kept.

    Attributes:
        task_id: Ours.
        engine: Name of the engine that made it.
        number: 1 for the task's first call through this engine, counting up.
        credential: Name of the credential; its id is valid only with it.
        state: How far it got.
        upstream_id: The upstream's id, from CREATED on.
        created_ms: When the intent was written, epoch milliseconds.
    """

    task_id: str
    engine: str
    number: int
    credential: str
    state: CallState
    upstream_id: str | None = None
    created_ms: int


class UpstreamJournal(Protocol):
    """What we have asked of upstreams; written before we ask, so that a crash cannot ask twice.

    Writes return only after COMMIT.
    """

    async def calls(self, task_id: str, engine: str) -> Sequence[UpstreamCall]:
        """The task's calls through an engine, oldest first."""
        ...

    async def intend(self, task_id: str, engine: str, credential: str) -> UpstreamCall:
        """Write down that a create call is about to be sent; its number is the next one."""
        ...

    async def mark(
        self, call: UpstreamCall, state: CallState, upstream_id: str | None = None
    ) -> UpstreamCall:
        """Write down how it went; an id once written stays. Calling again changes nothing."""
        ...

    async def known(self, engine: str, upstream_ids: Sequence[str]) -> frozenset[str]:
        """Those of the ids that belong to calls of ours already, whoever's task it is."""
        ...
