"""What a caller says about a figure. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from kinogate.engines.preview.canvas import Color


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
