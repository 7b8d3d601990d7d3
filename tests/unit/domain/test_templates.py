"""The effect names, against the vendor's list."""

from __future__ import annotations

import pytest

from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.templates import TEMPLATE_NAMES, TEMPLATES, Subject, find_template

# Catalogue section 5.
TURBO_AND_PLUS = {
    *("squish", "rotation", "poke", "inflate", "dissolve"),
    *("carousel", "singleheart"),
    *("flying", "rose", "crystalrose"),
    *("hug", "frenchkiss", "coupleheart"),
}
PLUS_ONLY = {
    *("melt", "icecream"),
    *("dance1", "dance2", "dance3", "dance4", "dance5", "mermaid", "graduation"),
    *("dragon", "money", "jellyfish", "pupil"),
}
KF2V = {"hanfu-1", "solaron", "magazine", "mech1", "mech2"}


def listed_for(model: str) -> set[str]:
    return {name for name, template in TEMPLATES.items() if model in template.models}


def test_the_vendors_lists_are_complete() -> None:
    assert listed_for("wan2.1-i2v-turbo") == TURBO_AND_PLUS
    assert listed_for("wan2.1-i2v-plus") == TURBO_AND_PLUS | PLUS_ONLY
    assert listed_for("wan2.1-kf2v-plus") == KF2V
    assert (len(TURBO_AND_PLUS), len(TURBO_AND_PLUS | PLUS_ONLY), len(KF2V)) == (13, 26, 5)
    assert set(TEMPLATE_NAMES) == TURBO_AND_PLUS | PLUS_ONLY | KF2V


def test_every_listed_model_is_a_row_that_takes_templates() -> None:
    for template in TEMPLATES.values():
        for name in template.models:
            spec = CATALOGUE.get(name)
            assert spec is not None
            assert spec.template


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("squish", Subject.ANY),
        ("melt", Subject.ANY),
        ("dance3", Subject.ONE_PERSON),
        ("rose", Subject.PERSON_OR_ANIMAL),
        ("hug", Subject.TWO_PEOPLE),
        ("mech1", Subject.UNSPECIFIED),
    ],
)
def test_an_effect_knows_its_subject(name: str, subject: Subject) -> None:
    found = find_template(name)
    assert found is not None
    assert (found.name, found.subject) == (name, subject)


def test_the_vendors_misspelling_is_understood() -> None:
    assert find_template("hufu-1") is TEMPLATES["hanfu-1"]


@pytest.mark.parametrize("name", ["", "Squish", "squish ", "dance6", "hanfu"])
def test_any_other_name_is_no_effect(name: str) -> None:
    assert find_template(name) is None
