"""The plan of one scene as plain values: time, place, weather, subjects, camera.

Standard library only. How a prompt becomes a plan is in `scene`; how a plan is drawn, in `render`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Time(StrEnum):
    """Time of day."""

    DAWN = "dawn"
    MORNING = "morning"
    NOON = "noon"
    SUNSET = "sunset"
    DUSK = "dusk"
    NIGHT = "night"


class Place(StrEnum):
    """Where the scene is set."""

    HILLS = "hills"
    MOUNTAINS = "mountains"
    SEA = "sea"
    BEACH = "beach"
    CITY = "city"
    STREET = "street"
    FOREST = "forest"
    DESERT = "desert"
    LAKE = "lake"
    VILLAGE = "village"
    SNOWFIELD = "snowfield"
    UNDERWATER = "underwater"
    SPACE = "space"
    MOON = "moon"
    GARDEN = "garden"
    PAVILION = "pavilion"
    ROAD = "road"
    ROOM = "room"
    STAGE = "stage"
    CAFE = "cafe"


class Weather(StrEnum):
    """What the sky does."""

    CLEAR = "clear"
    CLOUDY = "cloudy"
    RAIN = "rain"
    STORM = "storm"
    SNOW = "snow"
    FOG = "fog"
    WIND = "wind"
    SANDSTORM = "sandstorm"


class Camera(StrEnum):
    """How the camera moves; left and right are the camera's, so the content moves the other way."""

    PAN_LEFT = "pan_left"
    PAN_RIGHT = "pan_right"
    TILT_UP = "tilt_up"
    TILT_DOWN = "tilt_down"
    ZOOM_IN = "zoom_in"
    ZOOM_OUT = "zoom_out"
    ORBIT = "orbit"
    TRACKING = "tracking"
    STATIC = "static"
    HANDHELD = "handheld"
    CRANE = "crane"


class Season(StrEnum):
    """Season; tints foliage and chooses what falls from the trees."""

    SPRING = "spring"
    SUMMER = "summer"
    AUTUMN = "autumn"
    WINTER = "winter"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectSpec:
    """Who or what acts.

    Attributes:
        kind: A key of `subjects.KINDS`.
        count: How many, 1–7.
        action: `run`, `walk`, `fly`, `dance`, `sit`, `swim`, `sail`, `drive`, `jump`, `stand` or
            `launch`; empty means the kind's own default.
        color: A colour word such as `red`, or None for the kind's own.
    """

    kind: str
    count: int = 1
    action: str = ""
    color: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneSpec:
    """One scene, fully decided.

    Attributes:
        time: Time of day.
        place: Main place.
        backdrop: A second place seen behind the first, or None.
        weather: Weather.
        season: Season.
        subjects: At most three, the first leads.
        camera: Camera move.
        extras: Sorted words such as `fireworks`, `aurora`, `rainbow`, `lighthouse`.
    """

    time: Time
    place: Place
    backdrop: Place | None
    weather: Weather
    season: Season
    subjects: tuple[SubjectSpec, ...]
    camera: Camera
    extras: tuple[str, ...] = ()
