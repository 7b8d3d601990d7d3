"""What a scene should sound like, as plain data: which beds lie under it and which music plays.

Reads the same lexicon as the pictures, so both agree on what a prompt says. How a bed or a tune is
made is `instruments` and `sound`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from kinogate.engines.preview.lexicon import find_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kinogate.engines.preview.lexicon import Tag
    from kinogate.engines.preview.scene import SceneSpec


class Bed(StrEnum):
    """A noise of the place that goes on through the clip."""

    RAIN = "rain"
    THUNDER = "thunder"
    SEA = "sea"
    BROOK = "brook"
    WIND = "wind"
    CITY = "city"
    ROAD = "road"
    CRICKETS = "crickets"
    BIRDS = "birds"
    SPACE = "space"
    UNDERWATER = "underwater"
    FIRE = "fire"
    CROWD = "crowd"
    FIREWORKS = "fireworks"


class Music(StrEnum):
    """The kind of tune that plays over the beds."""

    CALM = "calm"  # pad and slow plucks
    NIGHT = "night"  # soft pad and a few bells
    CHINESE = "chinese"  # zither plucks, pentatonic
    UPBEAT = "upbeat"  # drums, bass, plucks
    CHASE = "chase"  # a driving pulse under the pad
    DRONE = "drone"  # a wide low pad, nothing else
    TENDER = "tender"  # pad and close, gentle plucks


@dataclass(frozen=True, slots=True, kw_only=True)
class Cues:
    """The sound of one clip.

    Attributes:
        beds: At most three, the most telling first.
        music: The one tune.
    """

    beds: tuple[Bed, ...]
    music: Music


_MOST_BEDS: Final = 3

# First come, first kept: what the weather says is heard before what the place says.
_BEDS: Final[tuple[tuple[Tag, tuple[Bed, ...]], ...]] = (
    (("place", "space"), (Bed.SPACE,)),
    (("place", "moon"), (Bed.SPACE,)),
    (("place", "underwater"), (Bed.UNDERWATER,)),
    (("weather", "storm"), (Bed.RAIN, Bed.THUNDER)),
    (("weather", "rain"), (Bed.RAIN,)),
    (("extra", "fireworks"), (Bed.FIREWORKS,)),
    (("extra", "fire"), (Bed.FIRE,)),
    (("weather", "wind"), (Bed.WIND,)),
    (("weather", "snow"), (Bed.WIND,)),
    (("weather", "sandstorm"), (Bed.WIND,)),
    (("place", "sea"), (Bed.SEA,)),
    (("place", "beach"), (Bed.SEA,)),
    (("place", "lake"), (Bed.BROOK,)),
    (("place", "city"), (Bed.CITY,)),
    (("place", "street"), (Bed.CITY,)),
    (("place", "road"), (Bed.ROAD,)),
    (("place", "cafe"), (Bed.CROWD,)),
    (("place", "desert"), (Bed.WIND,)),
    (("place", "mountains"), (Bed.WIND,)),
    (("place", "snowfield"), (Bed.WIND,)),
    (("extra", "aurora"), (Bed.WIND,)),
)
_WILD: Final = frozenset({"hills", "forest", "village", "garden", "pavilion", "lake"})
_DARK: Final = frozenset({"night", "dusk"})
_DRY: Final = frozenset({Bed.RAIN, Bed.SPACE, Bed.UNDERWATER, Bed.FIREWORKS})

_TEMPLATE_MUSIC: Final[Mapping[str, Music]] = {
    "carousel": Music.UPBEAT,
    "graduation": Music.UPBEAT,
    "money": Music.UPBEAT,
    "magazine": Music.UPBEAT,
    "hanfu": Music.CHINESE,
    "dragon": Music.CHASE,
    "mech": Music.CHASE,
    "solaron": Music.DRONE,
    "pupil": Music.DRONE,
    "dissolve": Music.DRONE,
    "dance": Music.UPBEAT,
    "rose": Music.TENDER,
    "crystalrose": Music.TENDER,
    "hug": Music.TENDER,
    "frenchkiss": Music.TENDER,
    "coupleheart": Music.TENDER,
    "singleheart": Music.TENDER,
    "jellyfish": Music.NIGHT,
    "mermaid": Music.NIGHT,
}
_TEMPLATE_BEDS: Final[Mapping[str, tuple[Bed, ...]]] = {
    "jellyfish": (Bed.UNDERWATER,),
    "mermaid": (Bed.UNDERWATER,),
    "flying": (Bed.WIND,),
    "dragon": (Bed.WIND,),
    "graduation": (Bed.CROWD,),
}


def cues_of_prompt(prompt: str, template: str | None) -> Cues:
    """Decide the sound from the words; with a template, from its name alone (design §4.12)."""
    if template is not None:
        name = template.rstrip("0123456789-")
        return Cues(
            beds=_TEMPLATE_BEDS.get(name, ()), music=_TEMPLATE_MUSIC.get(name, Music.UPBEAT)
        )
    words = (word for word in find_words(prompt) if not word.is_negated)
    return cues_of_tags(tag for word in words for tag in word.tags)


def cues_of_scene(spec: SceneSpec) -> Cues:
    """Decide the sound from a planned scene, with all that the seed has chosen for it."""
    places = (spec.place, spec.backdrop) if spec.backdrop is not None else (spec.place,)
    tags: list[Tag] = [("time", spec.time), ("weather", spec.weather)]
    tags += [("place", place) for place in places]
    tags += [("extra", extra) for extra in spec.extras]
    for subject in spec.subjects:
        tags += [("subject", subject.kind), ("action", subject.action)]
    return cues_of_tags(tags)


def cues_of_tags(tags: Iterable[Tag]) -> Cues:
    """Decide the sound from what a scene holds, as `(slot, value)` pairs in any order."""
    found = frozenset(tags)
    beds: list[Bed] = []
    for tag, heard in _BEDS:
        if tag in found:
            beds.extend(bed for bed in heard if bed not in beds)
    is_dark = any(("time", time) in found for time in _DARK)
    is_wild = any(("place", place) in found for place in _WILD)
    if is_wild and not _DRY & set(beds):
        beds.insert(0, Bed.CRICKETS if is_dark else Bed.BIRDS)
    elif ("time", "dawn") in found and not _DRY & set(beds):
        beds.append(Bed.BIRDS)
    return Cues(beds=tuple(beds[:_MOST_BEDS]), music=_music(found, is_dark=is_dark))


def _music(found: frozenset[Tag], *, is_dark: bool) -> Music:
    rules: tuple[tuple[Music, tuple[Tag, ...]], ...] = (
        (Music.DRONE, (("place", "space"), ("place", "moon"), ("subject", "astronaut"))),
        (Music.UPBEAT, (("action", "dance"), ("place", "stage"), ("subject", "dancer"))),
        (
            Music.CHINESE,
            (("place", "pavilion"), ("extra", "bamboo"), ("extra", "lanterns")),
        ),
        (
            Music.CHASE,
            (("action", "run"), ("action", "launch"), ("weather", "storm"), ("subject", "robot")),
        ),
        (Music.TENDER, (("subject", "couple"), ("extra", "petals"), ("place", "room"))),
    )
    for music, reasons in rules:
        if any(reason in found for reason in reasons):
            return music
    return Music.NIGHT if is_dark else Music.CALM
