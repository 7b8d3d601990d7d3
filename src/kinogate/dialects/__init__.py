"""The wire APIs: each dialect translates one of them to and from the canonical request.

Here the built-in ones are listed and those of installed packages are found; each is imported only
when the server is built. Dialects do not know each other (see `base.py` for their contract).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinogate.dialects.base import Dialect

ENTRY_POINT_GROUP = "kinogate.dialects"
"""Group under which a package offers dialects: name = a class or function that takes nothing."""

# In the order in which routes are matched. The last one also answers paths that nobody owns.
_BUILT_IN: tuple[tuple[str, str], ...] = (
    ("unified", "kinogate.dialects.unified:Unified"),
    ("dashscope", "kinogate.dialects.dashscope:DashScope"),
    ("vtrix", "kinogate.dialects.vtrix:Vtrix"),
    ("mulerouter", "kinogate.dialects.mulerouter:MuleRouter"),
    ("openai", "kinogate.dialects.openai:OpenAI"),
)
_LAST = ("native", "kinogate.dialects.native:Native")


def build_dialects(*, dashscope_prefixes: Sequence[str]) -> tuple[Dialect, ...]:
    """Make every dialect that this server speaks, in matching order; `native` comes last.

    Args:
        dashscope_prefixes: Path prefixes under which DashScope is served, "" for none.

    Raises:
        ImportError: A dialect cannot be imported.
        ValueError: Two dialects have the same name, or claim the same method and path.
    """
    found: list[Dialect] = []
    for name, target in _BUILT_IN:
        maker = _load(target)
        found.append(maker(prefixes=tuple(dashscope_prefixes)) if name == "dashscope" else maker())
    points = sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name)
    found += [point.load()() for point in points]
    found.append(_load(_LAST[1])())
    _check_unique(found)
    return tuple(found)


def _load(target: str) -> Callable[..., Dialect]:
    module, _, name = target.partition(":")
    maker: Callable[..., Dialect] = getattr(import_module(module), name)
    return maker


def _check_unique(dialects: Sequence[Dialect]) -> None:
    names: set[str] = set()
    claimed: dict[tuple[str, str], str] = {}
    for dialect in dialects:
        if dialect.name in names:
            raise ValueError(f"two dialects are called {dialect.name!r}")
        names.add(dialect.name)
        for route in dialect.routes:
            key = (route.method, re.sub(r"\{[^}]*\}", "{}", route.path))
            owner = claimed.setdefault(key, dialect.name)
            if owner != dialect.name:
                raise ValueError(f"{owner} and {dialect.name} both claim {' '.join(key)}")
