"""What a caller says about a figure (`Pose`) and what a kind of figure promises (`SubjectKind`).

Values only: the curves are in `shapes`, the pen in `figure`, the figures beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kinogate.engines.preview.canvas import Color
from kinogate.engines.preview.subjects.figure import Figure

Habitat = Literal["ground", "air", "water", "underwater", "space", "road"]
"""Where a kind belongs, so that a scene can put it at a believable height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """One figure in one frame; the same pose always gives the same pixels.

    Attributes:
        x: Centre of the figure, in pixels.
        ground_y: Where feet, wheels or the waterline touch, in pixels; for fliers and swimmers the
            lowest point of the figure.
        height: Height of the figure in pixels; below 4 nothing readable is left.
        t: Seconds; drives every cycle (gait, wings, blinking, flames).
        action: `walk`, `run`, `dance`, `sit`, …; a word the kind does not know gets its default.
        facing: +1 looks to the right, -1 to the left.
        body: Main colour (fur, clothes, hull).
        accent: Second colour (belly, trousers, sail, stripe).
        shade: The dark side.
        rim: Edge light such as moonlight, or None.
        seed: Individual variation (hair, pattern, phase).
        light: What the light leaves of colours the caller does not choose (skin, glass, tyres).
            None guesses it from `body` and `accent`, so silhouettes stay silhouettes.
    """

    x: float
    ground_y: float
    height: float
    t: float
    action: str
    facing: int
    body: Color
    accent: Color
    shade: Color
    rim: Color | None = None
    seed: int = 0
    light: Color | None = None


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
