"""How one engine has fared lately: failures in a row, cool-down, trial, drain.

After `TOLERATED` failures in a row an engine is left alone for a while that doubles with each failed
trial. In memory only: another process makes its own experience, and a restart forgives.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

TOLERATED = 3
FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 300.0
LONGEST_ASKED_S = 3_600.0
"""The longest `Retry-After` that is believed."""


class Stand(StrEnum):
    """Whether an engine may be given work now."""

    READY = "ready"
    STARTING = "starting"  # for the first time, or after its section has changed
    COOLING = "cooling"
    DRAINING = "draining"


class Condition:
    """One engine's; belongs to one event loop.

    Attributes:
        is_draining: Whether the operator has taken it out.
        failures: In a row.
        reason: The last failure's sentence, until a success.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """Well.

        Args:
            now: Seconds on a clock that never goes back.
        """
        self.is_draining = False
        self.failures = 0
        self.reason: str | None = None
        self._now = now
        self._pause_s = 0.0
        self._until = 0.0
        self._is_on_trial = False

    @property
    def stand(self) -> Stand:
        """Ready also means that a trial run may begin."""
        if self.is_draining:
            return Stand.DRAINING
        if self._pause_s and (self._is_on_trial or self._now() < self._until):
            return Stand.COOLING
        return Stand.READY

    @property
    def cools_for_s(self) -> float:
        """Seconds that the cool-down still lasts; 0.0 when there is none."""
        return max(0.0, self._until - self._now()) if self._pause_s else 0.0

    def begin(self) -> bool:
        """A run begins; True when it is the trial after a cool-down, whose end the others await."""
        self._is_on_trial = self._pause_s > 0
        return self._is_on_trial

    def succeed(self) -> None:
        """A run went well."""
        self.failures, self.reason = 0, None
        self._pause_s, self._until, self._is_on_trial = 0.0, 0.0, False

    def abstain(self, *, is_trial: bool) -> None:
        """A run ended in a way that says nothing about the engine: canceled, a caller's fault."""
        if is_trial:
            self._is_on_trial = False

    def fail(
        self, reason: str, *, is_trial: bool = False, retry_after_s: float | None = None
    ) -> None:
        """A run failed by the engine's fault.

        Args:
            reason: One sentence.
            is_trial: What `begin` said.
            retry_after_s: For how long the engine itself asks to be left alone.
        """
        self.abstain(is_trial=is_trial)
        self.failures += 1
        self.reason = reason
        is_cooling = self._pause_s > 0 and self._now() < self._until
        if is_trial or (self.failures >= TOLERATED and not is_cooling):
            # Runs that began before the cool-down fail during it, and must not lengthen it.
            self._pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * self._pause_s))
            self._until = self._now() + self._pause_s
        if retry_after_s is not None and retry_after_s > 0:
            self._pause_s = self._pause_s or FIRST_PAUSE_S
            self._until = max(self._until, self._now() + min(retry_after_s, LONGEST_ASKED_S))
