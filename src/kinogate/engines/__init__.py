"""Engines make videos and know no dialect; each is built by the function that is named here.

The built-in kinds and those of installed packages are found the same way, and imported only when
an `[engines.NAME]` section asks for them. Engines do not know each other.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinogate.engines.base import Engine, Surroundings

ENTRY_POINT_GROUP = "kinogate.engines"
"""Group under which a package offers engines: kind = a function from `Surroundings` to `Engine`."""

_BUILT_IN = {
    "diffusers": "kinogate.engines.diffusers.port:build",
    "preview": "kinogate.engines.preview.port:build",
    **{
        kind: f"kinogate.engines.upstream.build:{kind}"
        for kind in ("dashscope", "mulerouter", "openai", "unified", "vtrix")
    },
}


def build_engine(kind: str, surroundings: Surroundings) -> Engine:
    """Make the engine of one `[engines.NAME]` section; nothing is started.

    Raises:
        KeyError: There is no such kind.
        BadOptions: An option is unknown or wrong, or an extra is missing.
        ImportError: The engine cannot be imported.
    """
    target = _BUILT_IN.get(kind)
    if target is not None:
        module, _, name = target.partition(":")
        maker: Callable[[Surroundings], Engine] = getattr(import_module(module), name)
        return maker(surroundings)
    for point in entry_points(group=ENTRY_POINT_GROUP, name=kind):
        maker = point.load()
        return maker(surroundings)
    raise KeyError(kind)


def kinds() -> tuple[str, ...]:
    """Every kind that an `[engines.NAME]` section may name, sorted."""
    return tuple(sorted({*_BUILT_IN, *(p.name for p in entry_points(group=ENTRY_POINT_GROUP))}))
