"""The places a scene can be set in; each builder turns a `Build` into a `Stage`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kinogate.engines.preview.places import (
    city,
    deep,
    desert,
    hills,
    interior,
    lake,
    road,
    sea,
    space,
    theatre,
    village,
    woods,
)
from kinogate.engines.preview.places.base import PlaceBuilder
from kinogate.engines.preview.spec import Place

PLACES: Mapping[Place, PlaceBuilder] = MappingProxyType(
    {
        Place.HILLS: hills.build_hills,
        Place.MOUNTAINS: hills.build_mountains,
        Place.SEA: sea.build_sea,
        Place.BEACH: sea.build_beach,
        Place.CITY: city.build_city,
        Place.STREET: city.build_street,
        Place.FOREST: woods.build_forest,
        Place.DESERT: desert.build_desert,
        Place.LAKE: lake.build_lake,
        Place.VILLAGE: village.build_village,
        Place.SNOWFIELD: woods.build_snowfield,
        Place.UNDERWATER: deep.build_underwater,
        Place.SPACE: space.build_space,
        Place.MOON: space.build_moon,
        Place.GARDEN: village.build_garden,
        Place.PAVILION: lake.build_pavilion,
        Place.ROAD: road.build_road,
        Place.ROOM: interior.build_room,
        Place.STAGE: theatre.build_stage,
        Place.CAFE: interior.build_cafe,
    }
)
"""How each place is built."""
