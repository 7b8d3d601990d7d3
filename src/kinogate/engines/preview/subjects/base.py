"""What a kind of figure promises (`SubjectKind`); what a caller says about one is in `pose`.

Values only: the curves are in `shapes`, the pen in `figure`, the figures beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kinogate.engines.preview.canvas import Color
from kinogate.engines.preview.subjects.figure import Figure
from kinogate.engines.preview.subjects.pose import Pose

__all__ = ["Habitat", "Pose", "SubjectKind"]

Habitat = Literal["ground", "air", "water", "underwater", "space", "road"]
"""Where a kind belongs, so that a scene can put it at a believable height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectKind:
    """How a kind of figure is drawn and how it behaves in a scene.

    Attributes:
        draw: Adds the figure's parts to a pen; local units are figure heights, y upwards.
        aspect: Typical width divided by height.
        habitat: Where the kind belongs.
        speed: Heights per second at which the kind moves, feet not sliding at its default gait.
        run_speed: Heights per second at which the feet of `run` do not slide; 0.0 where the kind
            has no run of its own.
        default_colors: `(body, accent)` in daylight.
        natural_height: Height beside a grown person of 1.0, already bent towards what reads well.
        default_action: What the kind does when the action word means nothing to it.
    """

    draw: Callable[[Figure], None]
    aspect: float
    habitat: Habitat
    speed: float
    default_colors: tuple[Color, Color]
    natural_height: float
    default_action: str = "stand"
    run_speed: float = 0.0
