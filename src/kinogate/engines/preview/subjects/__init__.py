"""Animated illustration figures: one call draws any kind in any pose.

Each module beside this one brings the kinds it draws; scenes know only `KINDS`, `Pose` and
`draw_subject`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kinogate.engines.preview.canvas import Canvas
from kinogate.engines.preview.subjects import (
    air,
    beasts,
    beings,
    people,
    plants,
    road,
    sky,
    water,
)
from kinogate.engines.preview.subjects.base import Habitat, Pose, SubjectKind
from kinogate.engines.preview.subjects.figure import Figure

KINDS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        **people.KINDS,
        **beasts.KINDS,
        **air.KINDS,
        **water.KINDS,
        **road.KINDS,
        **sky.KINDS,
        **beings.KINDS,
        **plants.KINDS,
    }
)
"""Every kind of figure by name."""


def draw_subject(canvas: Canvas, kind: str, pose: Pose) -> None:
    """Draw one figure onto `canvas`, clipped at its edges; the same pose gives the same pixels.

    Raises:
        KeyError: No such kind.
    """
    subject = KINDS[kind]
    figure = Figure(pose)
    subject.draw(figure)
    figure.paint(canvas)


__all__ = ["KINDS", "Habitat", "Pose", "SubjectKind", "draw_subject"]
