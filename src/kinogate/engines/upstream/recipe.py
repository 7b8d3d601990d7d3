"""How a foreign server is started: what an `[engines.NAME]` section with `command` says of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from kinogate.engines.base import BadOptions, secret

MOST_INSTANCES = 64
LONGEST_START_S = 1800
_PASSED_ON = ("PATH", "HOME", "LD_LIBRARY_PATH")
_PASSED_ON_PREFIX = "CUDA_"
_MEMBERS = ("command", "instances", "devices", "env", "cwd", "health", "start_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How the instances of a foreign server are started.

    Attributes:
        command: Program and arguments; `{port}` and `{index}` stand for an instance's own.
        instances: How many, 1–64.
        devices: `CUDA_VISIBLE_DEVICES` of each instance; empty leaves the choice to the server.
        env: Variables it gets beside the few of ours that it needs to start; may hold secrets.
        cwd: Where it runs, or None for our own working directory.
        health: Path that answers 2xx when an instance could take a task.
        start_s: Seconds that an instance may take until it is healthy, 1–1800.
    """

    command: tuple[str, ...]
    instances: int = 1
    devices: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path | None = None
    health: str = "/health"
    start_s: float = LONGEST_START_S

    def words(self, index: int, port: int) -> list[str]:
        """The command of one instance; other braces in it stay as they are."""
        told = {"{port}": str(port), "{index}": str(index)}
        return [_replaced(word, told) for word in self.command]

    def environment(self, index: int) -> dict[str, str]:
        """All variables of one instance; no others of ours, which may hold keys."""
        passed = {
            name: value
            for name, value in os.environ.items()
            if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIX)
        }
        if self.devices:
            passed["CUDA_VISIBLE_DEVICES"] = self.devices[index]
        return passed | dict(self.env)


def _replaced(word: str, told: Mapping[str, str]) -> str:
    for mark, text in told.items():
        word = word.replace(mark, text)
    return word


def take_recipe(options: MutableMapping[str, object]) -> Recipe | None:
    """Take the members of a foreign server out of a section's options.

    Args:
        options: As TOML has them; the members named as `Recipe`'s attributes are removed.

    Returns:
        None where there is no `command`.

    Raises:
        BadOptions: One of them is wrong, `command` is missing beside another, or there is no such
            program.
    """
    given = {name: options.pop(name) for name in _MEMBERS if name in options}
    if "command" not in given:
        if given:
            raise BadOptions(f"{next(iter(given))}: needs a command beside it.")
        return None
    instances = given.get("instances", 1)
    if not isinstance(instances, int) or not 1 <= instances <= MOST_INSTANCES:
        raise BadOptions(f"instances: must be a whole number from 1 to {MOST_INSTANCES}.")
    devices = _texts("devices", given.get("devices", ()))
    if devices and len(devices) != instances:
        raise BadOptions(f"devices: must name one for each instance, {instances} in all.")
    recipe = Recipe(
        command=_texts("command", given["command"]),
        instances=instances,
        devices=devices,
        env=_environment(given.get("env", {})),
        cwd=_folder(given.get("cwd")),
        health=_path(given.get("health", "/health")),
        start_s=_seconds(given.get("start_s", LONGEST_START_S)),
    )
    _check_program(recipe)
    return recipe


def _check_program(recipe: Recipe) -> None:
    if not recipe.command or not recipe.command[0]:
        raise BadOptions("command: must be a list of texts, the program first.")
    program, path = recipe.command[0], recipe.environment(0).get("PATH")
    if os.sep in program and recipe.cwd is not None:
        program = str(recipe.cwd / program)
    if shutil.which(program, path=path) is None:
        raise BadOptions(f"command: there is no program {program} that may be run.")


def _texts(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(word, str) for word in value):
        return tuple(value)
    raise BadOptions(f"{name}: must be a list of texts.")


def _environment(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise BadOptions("env: must be a table of variables.")
    return {
        str(name): secret(text, f"env.{name}") if text != "" else "" for name, text in value.items()
    }


def _folder(value: object) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str) or not Path(value).is_dir():
        raise BadOptions("cwd: must be a folder that is there.")
    return Path(value)


def _path(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise BadOptions("health: must be a path with a leading slash.")
    return value


def _seconds(value: object) -> float:
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not 1 <= value <= LONGEST_START_S
    ):
        raise BadOptions(f"start_s: must be seconds from 1 to {LONGEST_START_S}.")
    return float(value)
