"""From a prompt to a scene plan: what is shown, where, when, in which weather, by which camera.

Pure data, standard library only; nothing here draws. Obeys the prompt first, the negative prompt
above all, and lets the seed choose what both leave open. Equal meaning gives an equal plan, in
English and in Chinese.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

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
from kinogate.engines.preview.lexicon import Finding, Tag, find_words
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
_MAX_SUBJECTS = 3
_PEOPLE = frozenset(
    {
        "person",
        "woman",
        "man",
        "child",
        "girl",
        "boy",
        "old_man",
        "dancer",
        "runner",
        "couple",
    }
)
_SEAWORTHY = frozenset(
    {"boat", "ship", "whale", "dolphin", "fish", "duck", "bird", "birds", "airplane", "balloon"}
    | {"kite", "lantern", "dragon", "rocket", "butterfly"}
)


@dataclass(slots=True)
class _Found:
    """What the words of one text add up to."""

    time: str | None
    places: list[Place]
    weathers: list[str]
    season: str | None
    subjects: list[SubjectSpec]
    actions: list[str]
    camera: str | None
    extras: set[str]

    def topic(self) -> str:
        """What the scene is about, as one stable line."""
        kinds = (spec.kind for spec in self.subjects)
        return "|".join((*self.places, "/", *kinds, "/", *self.actions, "/", *sorted(self.extras)))


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
    found = _read([finding for finding in findings if not finding.is_negated], prompt, banned)
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

    def __init__(self, seed: int, found: _Found | None, prompt: str) -> None:
        # Two prompts with different meanings should differ also in what they leave open; two that
        # mean the same must not. Text nobody understands counts by its letters.
        # The hour, the weather and the camera are left out: a scene keeps its layout at night.
        meaning = prompt.strip().lower() if found is None else found.topic()
        self._salt = f"{seed}:{hashlib.sha256(meaning.encode()).hexdigest()}"

    def pick(self, slot: str, options: Sequence[_T]) -> _T:
        return random.Random(f"{self._salt}:{slot}").choice(list(options))


def _banned_people(banned: set[tuple[str, str]]) -> set[tuple[str, str]]:
    if ("subject", "person") not in banned:
        return set()
    return {("subject", kind) for kind in _PEOPLE | {"umbrella"}}


def _read(findings: list[Finding], prompt: str, banned: set[tuple[str, str]]) -> _Found:
    values: dict[str, list[str]] = {}
    for finding in findings:
        for slot, value in finding.tags:
            if (slot, value) not in banned:
                values.setdefault(slot, []).append(value)
    actions = values.get("action", [])
    return _Found(
        time=_strongest(values.get("time", [])),
        places=[Place(value) for value in dict.fromkeys(values.get("place", []))],
        weathers=list(dict.fromkeys(values.get("weather", []))),
        season=next(iter(values.get("season", [])), None),
        subjects=_subjects(findings, prompt, banned, actions),
        actions=actions,
        camera=next(iter(values.get("camera", [])), None),
        extras=set(values.get("extra", [])),
    )


def _strongest(times: list[str]) -> str | None:
    """Of several times the most telling: a "sunny sunset" is a sunset, a "starry dawn" a dawn."""
    order = ("sunset", "dawn", "dusk", "night", "morning", "noon")
    return next((time for time in order if time in times), None)


def _subjects(
    findings: list[Finding],
    prompt: str,
    banned: set[tuple[str, str]],
    actions: list[str],
) -> list[SubjectSpec]:
    specs: dict[str, SubjectSpec] = {}
    count, color, last_end = 0, None, 0
    umbrella: str | None = None
    has_umbrella = False
    pool = list(dict.fromkeys(actions))
    for finding in findings:
        gap = finding.start - last_end
        for slot, value in sorted(finding.tags, key=_describes_first):
            if slot == "number":
                count = int(value)
            elif slot == "color":
                color = value
            elif slot == "subject" and (slot, value) not in banned:
                near = gap <= 24
                hue = color if near and color is not None else None
                if value == "umbrella":
                    has_umbrella, umbrella = True, hue
                else:
                    number = count if near and count else 0
                    if number < 2:
                        number = 3 if finding.is_plural else 1
                    specs.setdefault(value, SubjectSpec(kind=value, count=number, color=hue))
        if any(slot in ("subject", "place", "time") for slot, _ in finding.tags):
            count, color = 0, None
        last_end = finding.end
    ordered = _only_leads(specs)
    if has_umbrella:
        ordered = _with_umbrella(ordered, umbrella)
    return [_act(spec, pool) for spec in ordered[:_MAX_SUBJECTS]]


def _describes_first(tag: Tag) -> bool:
    return tag[0] == "subject"


def _only_leads(specs: dict[str, SubjectSpec]) -> list[SubjectSpec]:
    """Drop what another word already says: a kitten is a cat, "flowers" beside a cat are décor."""
    if "birds" in specs:
        specs.pop("bird", None)
    if "couple" in specs:
        specs["couple"] = replace(specs["couple"], count=1)
    for small, large in (("kitten", "cat"), ("puppy", "dog")):
        if small in specs:
            specs.pop(large, None)
    if len(specs) > 1:
        for decor in ("flower", "tree"):
            if len(specs) > 1:
                specs.pop(decor, None)
    if len(specs) > 1 and any(kind in _PEOPLE - {"person"} for kind in specs):
        specs.pop("person", None)
    if "bird" in specs and specs["bird"].count >= 3:
        specs = {
            ("birds" if kind == "bird" else kind): (
                SubjectSpec(kind="birds", color=spec.color) if kind == "bird" else spec
            )
            for kind, spec in specs.items()
        }
    return list(specs.values())


def _with_umbrella(specs: list[SubjectSpec], color: str | None) -> list[SubjectSpec]:
    holder = SubjectSpec(kind="umbrella_person", color=color, action="walk")
    rest = [spec for spec in specs if spec.kind not in _PEOPLE]
    return [holder, *rest]


def _act(spec: SubjectSpec, pool: list[str]) -> SubjectSpec:
    action = spec.action or _fitting_action(spec.kind, pool)
    return SubjectSpec(kind=spec.kind, count=min(7, spec.count), action=action, color=spec.color)


def _fitting_action(kind: str, pool: list[str]) -> str:
    """The first action of the prompt that this kind can do, or none."""
    if kind in ("boat", "ship"):
        wanted = {"sail"}
    elif kind in ("car", "bus", "train", "bicycle"):
        wanted = {"drive", "run"}
    elif kind in (
        "bird",
        "birds",
        "butterfly",
        "airplane",
        "balloon",
        "kite",
        "lantern",
    ):
        wanted = {"fly", "stand", "sit"} if kind == "bird" else {"fly"}
    elif kind == "rocket":
        wanted = {"launch", "fly"}
    elif kind in ("fish", "whale", "dolphin", "duck"):
        wanted = {"swim", "jump"}
    elif kind in ("tree", "flower"):
        wanted = set()
    else:
        wanted = {"run", "walk", "dance", "sit", "jump", "stand", "swim", "fly"}
        wanted -= set() if kind in ("dragon", "astronaut") else {"fly"}
    return next((action for action in pool if action in wanted), "")


def _places(found: _Found, subjects: list[SubjectSpec]) -> list[Place]:
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


def _choose_place(draw: _Draw, found: _Found, banned: set[tuple[str, str]]) -> Place:
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
    return draw.pick(
        "place",
        allowed or [place for place in ANYWHERE if ("place", place) not in banned],
    )


def _cast(
    draw: _Draw, place: Place, found: _Found, banned: set[tuple[str, str]]
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
    return [_act(SubjectSpec(kind=lead), found.actions)]


def _choose_time(draw: _Draw, place: Place, found: _Found, banned: set[tuple[str, str]]) -> Time:
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
    return draw.pick("time", allowed or [time for time in Time if ("time", time) not in banned])


def _choose_weather(
    draw: _Draw, place: Place, found: _Found, banned: set[tuple[str, str]]
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
    found: _Found,
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
    found: _Found,
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


def _extras(found: _Found, place: Place) -> set[str]:
    extras = set(found.extras)
    if place in INDOORS:
        extras -= {"lighthouse"}
    return extras
