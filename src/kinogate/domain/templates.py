"""Effect templates: the names that `template` takes.

Model catalogue, section 5 (the vendor's effects page, 2025). Which rows take a template at all is
in the rows; any known name goes on any such row (design, section 4.12).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Subject(StrEnum):
    """What the first frame should show for the effect to make sense; nobody checks it."""

    ANY = "any subject"
    ONE_PERSON = "one person"
    PERSON_OR_ANIMAL = "person or animal"
    TWO_PEOPLE = "two people"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One effect.

    Attributes:
        name: As the caller writes it.
        subject: What it is made for.
        models: Canonical names of the models the vendor lists it for.
    """

    name: str
    subject: Subject
    models: tuple[str, ...]


_PLUS_AND_TURBO = ("wan2.1-i2v-plus", "wan2.1-i2v-turbo")
_PLUS = ("wan2.1-i2v-plus",)
_KF2V = ("wan2.1-kf2v-plus",)

_GROUPS: tuple[tuple[Subject, tuple[str, ...], str], ...] = (
    (Subject.ANY, _PLUS_AND_TURBO, "squish rotation poke inflate dissolve"),
    (Subject.ANY, _PLUS, "melt icecream"),
    (Subject.ONE_PERSON, _PLUS_AND_TURBO, "carousel singleheart"),
    (
        Subject.ONE_PERSON,
        _PLUS,
        "dance1 dance2 dance3 dance4 dance5 mermaid graduation dragon money jellyfish pupil",
    ),
    (Subject.PERSON_OR_ANIMAL, _PLUS_AND_TURBO, "flying rose crystalrose"),
    (Subject.TWO_PEOPLE, _PLUS_AND_TURBO, "hug frenchkiss coupleheart"),
    (Subject.UNSPECIFIED, _KF2V, "hanfu-1 solaron magazine mech1 mech2"),
)

TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {
        name: Template(name=name, subject=subject, models=models)
        for subject, models, names in _GROUPS
        for name in names.split()
    }
)
"""Every effect by name."""

TEMPLATE_NAMES: tuple[str, ...] = tuple(TEMPLATES)

TEMPLATE_ALIASES: Mapping[str, str] = MappingProxyType({"hufu-1": "hanfu-1"})
"""A misspelling on one of the vendor's pages."""


def find_template(name: str) -> Template | None:
    """The effect of this exact name or alias, or None."""
    return TEMPLATES.get(TEMPLATE_ALIASES.get(name, name))
