"""What is usual: who lives where, who appears in a place nobody was named for, and when.

Tables for `scene` to choose from when a prompt leaves something open; nothing is decided here.
"""

from __future__ import annotations

from kinogate.engines.preview.spec import Place, Time

RANK: tuple[Place, ...] = (
    # Of two places in one prompt, the earlier here is the stage and the later the backdrop.
    Place.UNDERWATER,
    Place.MOON,
    Place.CAFE,
    Place.ROOM,
    Place.STAGE,
    Place.PAVILION,
    Place.ROAD,
    Place.STREET,
    Place.BEACH,
    Place.LAKE,
    Place.GARDEN,
    Place.VILLAGE,
    Place.FOREST,
    Place.SEA,
    Place.SNOWFIELD,
    Place.DESERT,
    Place.HILLS,
    Place.CITY,
    Place.MOUNTAINS,
    Place.SPACE,
)
BACKDROPS = frozenset(
    {
        Place.MOUNTAINS,
        Place.CITY,
        Place.FOREST,
        Place.HILLS,
        Place.DESERT,
        Place.VILLAGE,
        Place.SEA,
    }
)
HOMES: dict[str, tuple[Place, ...]] = {
    "cat": (Place.HILLS, Place.ROOM, Place.STREET),
    "kitten": (Place.HILLS, Place.ROOM, Place.GARDEN),
    "dog": (Place.HILLS, Place.BEACH, Place.GARDEN),
    "puppy": (Place.HILLS, Place.GARDEN),
    "horse": (Place.HILLS, Place.DESERT),
    "bird": (Place.MOUNTAINS, Place.LAKE, Place.FOREST),
    "birds": (Place.LAKE, Place.SEA, Place.MOUNTAINS),
    "fish": (Place.UNDERWATER,),
    "whale": (Place.UNDERWATER, Place.SEA),
    "dolphin": (Place.SEA, Place.UNDERWATER),
    "butterfly": (Place.GARDEN,),
    "rabbit": (Place.HILLS, Place.GARDEN),
    "fox": (Place.FOREST, Place.SNOWFIELD),
    "camel": (Place.DESERT,),
    "monkey": (Place.FOREST,),
    "bear": (Place.FOREST, Place.MOUNTAINS),
    "panda": (Place.PAVILION, Place.FOREST),
    "elephant": (Place.DESERT, Place.HILLS),
    "deer": (Place.FOREST, Place.SNOWFIELD),
    "cow": (Place.VILLAGE, Place.HILLS),
    "sheep": (Place.VILLAGE, Place.HILLS),
    "duck": (Place.LAKE,),
    "tiger": (Place.FOREST, Place.MOUNTAINS),
    "lion": (Place.DESERT, Place.HILLS),
    "dragon": (Place.MOUNTAINS, Place.PAVILION),
    "dancer": (Place.STAGE,),
    "runner": (Place.ROAD, Place.CITY, Place.BEACH),
    "couple": (Place.BEACH, Place.GARDEN, Place.LAKE),
    "astronaut": (Place.MOON, Place.SPACE),
    "robot": (Place.CITY, Place.STREET),
    "boat": (Place.SEA, Place.LAKE),
    "ship": (Place.SEA,),
    "car": (Place.ROAD, Place.CITY, Place.STREET),
    "bus": (Place.STREET, Place.ROAD),
    "train": (Place.HILLS, Place.FOREST, Place.MOUNTAINS),
    "bicycle": (Place.ROAD, Place.VILLAGE, Place.STREET),
    "airplane": (Place.MOUNTAINS, Place.SEA, Place.CITY),
    "balloon": (Place.MOUNTAINS, Place.HILLS),
    "rocket": (Place.DESERT, Place.SPACE),
    "kite": (Place.HILLS, Place.BEACH),
    "lantern": (Place.LAKE, Place.PAVILION),
    "tree": (Place.HILLS,),
    "flower": (Place.GARDEN,),
    "umbrella_person": (Place.STREET, Place.GARDEN),
}
EXTRA_HOMES: dict[str, tuple[Place, ...]] = {
    "lighthouse": (Place.SEA,),
    "aurora": (Place.SNOWFIELD, Place.MOUNTAINS),
    "fireworks": (Place.CITY, Place.LAKE),
    "lanterns": (Place.LAKE, Place.PAVILION),
    "cup": (Place.CAFE,),
    "neon": (Place.STREET, Place.CITY),
    "stars": (Place.MOUNTAINS, Place.LAKE),
    "fireflies": (Place.FOREST, Place.GARDEN),
    "fire": (Place.FOREST, Place.BEACH),
}
ANYWHERE = (
    Place.HILLS,
    Place.MOUNTAINS,
    Place.BEACH,
    Place.LAKE,
    Place.FOREST,
    Place.CITY,
    Place.GARDEN,
    Place.VILLAGE,
)
CAST: dict[Place, tuple[str, ...]] = {
    # Who appears when the prompt names nobody; an empty word leaves the place to itself.
    Place.HILLS: ("horse", "birds", "tree", "balloon"),
    Place.MOUNTAINS: ("birds", "balloon", "bird"),
    Place.SEA: ("boat", "birds", "dolphin"),
    Place.BEACH: ("birds", "dog", "couple"),
    Place.CITY: ("birds", "airplane", ""),
    Place.STREET: ("umbrella_person", "car", "person"),
    Place.FOREST: ("deer", "birds", "fox"),
    Place.DESERT: ("camel", "birds", "horse"),
    Place.LAKE: ("duck", "boat", "birds"),
    Place.VILLAGE: ("cow", "sheep", "bicycle"),
    Place.SNOWFIELD: ("fox", "deer", "person"),
    Place.UNDERWATER: ("fish",),
    Place.SPACE: ("rocket", "astronaut"),
    Place.MOON: ("astronaut",),
    Place.GARDEN: ("butterfly", "rabbit"),
    Place.PAVILION: ("birds",),
    Place.ROAD: ("car", "bicycle"),
    Place.ROOM: ("cat", ""),
    Place.STAGE: ("dancer",),
    Place.CAFE: ("",),
}
DAYLIGHT = (Time.MORNING, Time.MORNING, Time.NOON, Time.SUNSET, Time.SUNSET, Time.DAWN)
INDOORS = frozenset({Place.ROOM, Place.CAFE, Place.STAGE})
NO_WEATHER = frozenset({Place.UNDERWATER, Place.SPACE, Place.MOON, Place.STAGE})
