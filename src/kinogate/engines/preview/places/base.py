"""What every place hands back (`Stage`); what it is given is `build.Build`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kinogate.engines.preview.build import Build
from kinogate.engines.preview.layers import Layer


@dataclass(slots=True, kw_only=True)
class Stage:
    """A built place.

    Attributes:
        back: Layers behind the subjects, far to near.
        inside: Layers between the weather outside and the subjects: a room around its window.
        front: Layers before the subjects.
        ground: World y where feet touch.
        waterline: World y where hulls float, or None without water.
        person: Height of a grown person, world units.
        air: World y range of what flies, top and bottom.
        has_sky: Whether sun, stars, clouds and falling weather belong here.
        horizon: World y where the sky's gradient ends.
        has_sun: Whether the disc of sun or moon may be seen.
        dim: Multiplies the light on subjects.
        steady: Scales camera moves; less than 1.0 in narrow places.
    """

    back: list[Layer] = field(default_factory=list)
    inside: list[Layer] = field(default_factory=list)
    front: list[Layer] = field(default_factory=list)
    ground: float = 0.86
    waterline: float | None = None
    person: float = 0.30
    air: tuple[float, float] = (0.22, 0.46)
    has_sky: bool = True
    horizon: float = 0.7
    has_sun: bool = True
    dim: float = 1.0
    steady: float = 1.0


PlaceBuilder = Callable[[Build], Stage]
