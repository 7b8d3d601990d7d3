"""From a prompt to a scene plan: what is shown, where, when, in which weather, by which camera.

Pure data, standard library only; nothing here draws. Obeys the prompt first, the negative prompt
above all, and lets the seed choose what both leave open. Equal meaning gives an equal plan, in
English and in Chinese.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

from kinogate.engines.preview.findings import PEOPLE, Found, act, read_findings
from kinogate.engines.preview.habits import (
    ANYWHERE,
    BACKDROPS,
    CAST,
    DAYLIGHT,
    EXTRA_HOMES,
    HOMES,
    INDOORS,
    NO_WEATHER,
    RANK,
)
from kinogate.engines.preview.lexicon import find_words
from kinogate.engines.preview.spec import (
    Camera,
    Place,
    SceneSpec,
    Season,
    SubjectSpec,
    Time,
    Weather,
)

__all__ = [
    "Camera",
    "Place",
    "SceneSpec",
    "Season",
    "SubjectSpec",
    "Time",
    "Weather",
    "plan_scene",
]

_T = TypeVar("_T")
_SEAWORTHY = frozenset(
    {"boat", "ship", "whale", "dolphin", "fish", "duck", "bird", "birds", "airplane", "balloon"}
    | {"kite", "lantern", "dragon", "rocket", "butterfly"}
)


def plan_scene(prompt: str, negative_prompt: str, seed: int) -> SceneSpec:
    """Decide a whole scene; the same arguments always give the same plan.

    Args:
        prompt: English, Chinese or both; any text is accepted, also an empty one.
        negative_prompt: Things that must not be seen, also if the prompt asks for them.
        seed: Chooses what the prompt leaves open.
    """
    findings = list(find_words(prompt))
    banned = {tag for finding in find_words(negative_prompt) for tag in finding.tags}
    banned |= {tag for finding in findings if finding.is_negated for tag in finding.tags}
    banned |= _banned_people(banned)
    found = read_findings(
        [finding for finding in findings if not finding.is_negated], prompt, banned
    )
    draw = _Draw(seed, found if findings else None, prompt)

    subjects = found.subjects
    places = _places(found, subjects)
    if places and places[0] is Place.SEA:
        places, subjects = _off_the_water(places, subjects, found.actions)
    place = places[0] if places else _choose_place(draw, found, banned)
    backdrop = next((other for other in places[1:] if other in BACKDROPS), None)
    if not subjects:
        subjects = _cast(draw, place, found, banned)
    time = Time(found.time) if found.time else _choose_time(draw, place, found, banned)
    weather = _choose_weather(draw, place, found, banned)
    season = _choose_season(draw, place, weather, found, banned)
    return SceneSpec(
        time=time,
        place=place,
        backdrop=backdrop,
        weather=weather,
        season=season,
        subjects=tuple(subjects),
        camera=_choose_camera(draw, found, subjects, banned),
        extras=tuple(sorted(_extras(found, place))),
    )


class _Draw:
    """Independent choices: each slot has its own stream, so a new word moves only its own slot."""

    def __init__(self, seed: int, found: Found | None, prompt: str) -> None:
        # Two prompts with different meanings should differ also in what they leave open; two that
        # mean the same must not. Text nobody understands counts by its letters.
        # The hour, the weather and the camera are left out: a scene keeps its layout at night.
        meaning = prompt.strip().lower() if found is None else found.topic()
        self._salt = f"{seed}:{hashlib.sha256(meaning.encode()).hexdigest()}"

    def pick(self, slot: str, *choices: Sequence[_T]) -> _T:
        """One of the first of `choices` that holds anything; the last one always must.

        A negative prompt may ban everything there is, and a scene still has some place and hour.
        """
        options = next(options for options in choices if options)
        return random.Random(f"{self._salt}:{slot}").choice(list(options))


def _banned_people(banned: set[tuple[str, str]]) -> set[tuple[str, str]]:
    if ("subject", "person") not in banned:
        return set()
    return {("subject", kind) for kind in PEOPLE | {"umbrella"}}


def _places(found: Found, subjects: list[SubjectSpec]) -> list[Place]:
    places = sorted(found.places, key=RANK.index)
    kinds = {spec.kind for spec in subjects}
    if Place.SPACE in places and "astronaut" in kinds and len(places) > 1:
        places = [place for place in places if place is not Place.SPACE]
    if Place.UNDERWATER in places:
        return [Place.UNDERWATER]
    if kinds & {"boat", "ship"} and places and places[0] in BACKDROPS - {Place.SEA}:
        places.insert(0, Place.LAKE)  # a boat among mountains needs water under it
    if kinds & {"car", "bus"} and places and places[0] not in (Place.ROAD, Place.STREET):
        places.insert(0, Place.ROAD)
    if Place.STREET in places and Place.CITY in places and not kinds:
        places.sort(key=lambda place: place is not Place.STREET)
    return places


def _off_the_water(
    places: list[Place], subjects: list[SubjectSpec], actions: list[str]
) -> tuple[list[Place], list[SubjectSpec]]:
    """Nobody walks on the open sea: crews go aboard, everyone else goes ashore."""
    afloat = [spec for spec in subjects if spec.kind in _SEAWORTHY]
    if len(afloat) == len(subjects):
        return places, subjects
    if not afloat and "sail" in actions:
        afloat = [SubjectSpec(kind="boat", action="sail")]
    if any(spec.kind in ("boat", "ship") for spec in afloat):
        return places, afloat
    return [Place.BEACH, *places[1:]], subjects


def _choose_place(draw: _Draw, found: Found, banned: set[tuple[str, str]]) -> Place:
    homes: tuple[Place, ...] = ANYWHERE
    if "dance" in found.actions:
        homes = (Place.STAGE,)
    elif found.subjects and found.subjects[0].action == "launch":
        homes = (Place.DESERT, Place.HILLS)
    elif found.subjects:
        homes = HOMES.get(found.subjects[0].kind, ANYWHERE)
    else:
        for extra, places in EXTRA_HOMES.items():
            if extra in found.extras:
                homes = places
                break
    allowed = [home for home in homes if ("place", home) not in banned]
    anywhere = [place for place in ANYWHERE if ("place", place) not in banned]
    return draw.pick("place", allowed, anywhere, homes)


def _cast(
    draw: _Draw, place: Place, found: Found, banned: set[tuple[str, str]]
) -> list[SubjectSpec]:
    if "dance" in found.actions:
        lead = "dancer"
    elif "run" in found.actions or "walk" in found.actions:
        lead = "runner" if "run" in found.actions else "person"
    elif found.extras & {
        "fireworks",
        "aurora",
        "lighthouse",
        "lanterns",
        "cup",
        "stars",
    }:
        return []
    else:
        lead = draw.pick("lead", CAST[place])
    if not lead or ("subject", lead) in banned:
        return []
    return [act(SubjectSpec(kind=lead), found.actions)]


def _choose_time(draw: _Draw, place: Place, found: Found, banned: set[tuple[str, str]]) -> Time:
    if found.extras & {"fireworks", "aurora", "stars", "fireflies", "neon", "lanterns"}:
        options: tuple[Time, ...] = (Time.NIGHT,)
    elif "storm" in found.weathers:
        options = (Time.DUSK, Time.NIGHT)
    elif "lighthouse" in found.extras:
        options = (Time.DUSK, Time.SUNSET)
    elif place in (Place.SPACE, Place.MOON):
        options = (Time.NIGHT,)
    elif place is Place.UNDERWATER:
        options = (Time.NOON, Time.MORNING)
    elif "rainbow" in found.extras:
        options = (Time.MORNING, Time.NOON)
    else:
        options = DAYLIGHT
    allowed = [time for time in options if ("time", time) not in banned]
    any_time = [time for time in Time if ("time", time) not in banned]
    return draw.pick("time", allowed, any_time, options)


def _choose_weather(
    draw: _Draw, place: Place, found: Found, banned: set[tuple[str, str]]
) -> Weather:
    if found.weathers:
        order = ("sandstorm", "storm", "rain", "snow", "fog", "wind", "cloudy", "clear")
        return Weather(min(found.weathers, key=order.index))
    if place in NO_WEATHER or found.extras & {"fireworks", "aurora", "stars"}:
        return Weather.CLEAR
    if place is Place.SNOWFIELD:
        options: tuple[Weather, ...] = (Weather.CLEAR, Weather.SNOW)
    elif place is Place.PAVILION:
        options = (Weather.FOG, Weather.CLEAR)
    else:
        options = (Weather.CLEAR, Weather.CLEAR, Weather.CLOUDY)
    allowed = [weather for weather in options if ("weather", weather) not in banned]
    return draw.pick("weather", allowed or [Weather.CLEAR])


def _choose_season(
    draw: _Draw,
    place: Place,
    weather: Weather,
    found: Found,
    banned: set[tuple[str, str]],
) -> Season:
    if found.season:
        return Season(found.season)
    if weather is Weather.SNOW or place is Place.SNOWFIELD:
        return Season.WINTER
    if "leaves" in found.extras:
        return Season.AUTUMN
    if "petals" in found.extras:
        return Season.SPRING
    options = [Season.SUMMER, Season.SUMMER, Season.SPRING, Season.AUTUMN]
    allowed = [season for season in options if ("season", season) not in banned]
    return draw.pick("season", allowed or [Season.SUMMER])


def _choose_camera(
    draw: _Draw,
    found: Found,
    subjects: list[SubjectSpec],
    banned: set[tuple[str, str]],
) -> Camera:
    if found.camera:
        return Camera(found.camera)
    lead = subjects[0] if subjects else None
    if lead and (lead.action in ("run", "walk", "drive") or lead.kind in ("car", "bus", "train")):
        return Camera.TRACKING
    options = (
        Camera.ZOOM_IN,
        Camera.PAN_RIGHT,
        Camera.PAN_LEFT,
        Camera.CRANE,
        Camera.ORBIT,
    )
    allowed = [camera for camera in options if ("camera", camera) not in banned]
    return draw.pick("camera", allowed or [Camera.STATIC])


def _extras(found: Found, place: Place) -> set[str]:
    extras = set(found.extras)
    if place in INDOORS:
        extras -= {"lighthouse"}
    return extras
