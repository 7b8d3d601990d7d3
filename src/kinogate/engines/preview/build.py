"""What every place and every piece of land is given while it is built."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kinogate.engines.preview.canvas import Color
from kinogate.engines.preview.foliage import Brush
from kinogate.engines.preview.layers import ShapeBuilder
from kinogate.engines.preview.palette import Palette, foliage, grass
from kinogate.engines.preview.spec import SceneSpec, Season, Weather


@dataclass(slots=True, kw_only=True)
class Build:
    """Everything a place may look at while it is built.

    Attributes:
        spec: The plan.
        palette: Its light.
        rng: Seeded; the only source of chance.
        cast_seed: Chooses how the individuals look; a stream apart from `rng`.
        width: Canvas width in pixels.
        height: Canvas height in pixels.
        sun: Where the light stands, world units; also set when it is hidden.
        facing: Way the leading subject goes.
        zoom: The closest the camera comes, 1.0 or more; what may not be cut off must allow for it.
        roams: Whether the camera goes sideways so far that big things in the foreground would
            pass before the subject.
    """

    spec: SceneSpec
    palette: Palette
    rng: np.random.Generator
    cast_seed: int
    width: int
    height: int
    sun: tuple[float, float]
    facing: int
    zoom: float
    roams: bool

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def wind(self) -> float:
        """Strength of the wind, 1.0 a breeze."""
        strong = {Weather.WIND: 2.6, Weather.STORM: 3.0, Weather.SANDSTORM: 2.6, Weather.RAIN: 1.4}
        return strong.get(self.spec.weather, 1.0)

    @property
    def is_white(self) -> bool:
        """Whether snow lies on the ground."""
        return self.spec.season is Season.WINTER

    def lit(self, color: Color, depth: float = 1.0, light: float = 1.0) -> Color:
        """A daylight colour at a depth under the scene's light."""
        return self.palette.lit(color, depth, light)

    @property
    def side(self) -> float:
        """Where the light comes from, +1 right, -1 left."""
        return 1.0 if self.sun[0] >= 0 else -1.0

    def brush(
        self, out: ShapeBuilder, tones: tuple[Color, Color, Color], depth: float = 1.0
    ) -> Brush:
        """A brush for plants of these daylight `tones` at a depth."""
        dark, middle, light = (self.lit(color, depth) for color in tones)
        trunk = self.lit((84, 60, 48), depth)
        return Brush(
            out=out, rng=self.rng, tones=(dark, middle, light), trunk=trunk, side=self.side
        )

    def grass(self) -> Color:
        """Ground cover of the season, in daylight."""
        return grass(self.spec.season)

    def leaves(self) -> tuple[Color, Color, Color]:
        """Dark, middle and light leaf colours of the season, in daylight."""
        return foliage(self.spec.season)
