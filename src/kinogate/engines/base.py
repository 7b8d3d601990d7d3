"""What engines are built from: the surroundings they get, and defaults for what few of them need.

An engine is one class that keeps the promises of `domain.engine.Engine`, and one function
`build(surroundings) -> Engine` that the registry in `engines/__init__.py` names. Packages of
others offer theirs under the entry point group `kinogate.engines`.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kinogate.domain.abilities import Abilities
from kinogate.domain.engine import (
    Engine,
    Estimate,
    Health,
    ReportProgress,
    UpstreamJournal,
)
from kinogate.domain.order import Mode, Order, Produced, Role
from kinogate.domain.ports import Clock
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan
from kinogate.media.inspector import Inspector
from kinogate.net import FetchPolicy

__all__ = ["BadOptions", "BaseEngine", "Engine", "Surroundings", "secret"]


class BadOptions(ValueError):
    """An `[engines.NAME]` section cannot be used; the message names the option and what is wrong."""


def secret(value: object, option: str = "key") -> str:
    """A secret of an `[engines.NAME]` section: as it stands, from `env:NAME`, or `file:PATH`.

    Args:
        value: The option's value, as TOML has it.
        option: The option's name, for the message.

    Returns:
        The secret, without white space around it.

    Raises:
        BadOptions: No text, no such variable, no readable file, or nothing in it; the message
            holds no part of a secret.
    """
    if not isinstance(value, str):
        raise BadOptions(f"{option}: must be a text: the secret, env:NAME or file:PATH.")
    found, source = value, "its text"
    if value.startswith("env:"):
        source = f"the environment variable {value[4:]}"
        found = os.environ.get(value[4:], "")
    elif value.startswith("file:"):
        source = f"the file {value[5:]}"
        try:
            found = Path(value[5:]).expanduser().read_text("utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise BadOptions(f"{option}: {source} cannot be read.") from exc
    if not found.strip():
        raise BadOptions(f"{option}: {source} is missing or empty.")
    return found.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the composition root gives to an engine when it is built.

    Attributes:
        name: As the operator calls the engine: the NAME of its `[engines.NAME]` section.
        options: The section without `kind`, as TOML has it; the engine checks it.
        slots: Runs at a time that the server is set to, for engines that compute.
        timeout_s: Longest run of one task, seconds.
        data_dir: Where it may keep files of its own, in a folder of its name.
        journal: Where create calls to upstreams are written down.
        clock: Time.
        inspector: Decodes untrusted media in a confined child process.
        fetch_policy: What the guard of outbound fetches lets through.
        is_wanted: Whether a task is still to be made, by its id; None where nobody knows. A run
            that is canceled while its task is wanted is taken up at the next start.
    """

    name: str
    options: Mapping[str, object] = field(default_factory=dict)
    slots: int
    timeout_s: int
    data_dir: Path
    journal: UpstreamJournal
    clock: Clock
    inspector: Inspector
    fetch_policy: FetchPolicy
    is_wanted: Callable[[str], Awaitable[bool]] | None = None


class BaseEngine:
    """Defaults for an engine that needs no child process and knows no limits of its own.

    A subclass sets `name` and overrides `run`, and whatever else differs.
    """

    name: str
    capacity: int = 1

    async def start(self) -> None:
        """Nothing to get ready."""

    async def close(self) -> None:
        """Nothing to stop."""

    def abilities(self, model: str) -> Abilities:
        """Everything is honoured."""
        return Abilities()

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """Every mode of every row."""
        return spec.modes

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        """Nothing is refused."""
        return None

    def estimate(self, order: Order) -> Estimate:
        """Nothing is known."""
        return Estimate()

    async def check(self) -> Health:
        """Always ready."""
        return Health(is_ready=True)

    async def run(self, order: Order, out: Path, report: ReportProgress) -> Produced:
        """Make the clip; see `domain.engine.Engine.run`."""
        raise NotImplementedError
