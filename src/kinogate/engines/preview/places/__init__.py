"""The places a scene can be set in; each builder turns a `Build` into a `Stage`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kinogate.engines.preview.places import hills
from kinogate.engines.preview.places.base import PlaceBuilder
from kinogate.engines.preview.scene import Place

PLACES: Mapping[Place, PlaceBuilder] = MappingProxyType(
    {
        Place.HILLS: hills.build_hills,
        Place.MOUNTAINS: hills.build_mountains,
    }
)
"""How each place is built."""
