"""A call in each of our dialects arrives at each upstream with every field that it can express.

What it cannot express is told to the caller, done by the gateway, or refused.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from round_trip import DIALECTS, WIRES, cases, load, shown, travel


def trips() -> list[Any]:
    return [
        pytest.param(case, target, id=f"{case}-to-{target}") for case in cases() for target in WIRES
    ]


def exact(value: object) -> str:
    """JSON text, in which true is not 1 and 5 is not 5.0."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)


@pytest.mark.parametrize(("case", "target"), trips())
def test_a_call_arrives_as_the_spec_writes_it(case: str, target: str) -> None:
    expected = load(case)["to"][target]

    trip = travel(case, target)

    if "refused" in expected:
        assert trip.ask is None
        assert expected["refused"] in str(trip.refused)
        return
    assert trip.refused is None
    assert trip.ask is not None
    literal = {name: expected[name] for name in expected if name not in ("told", "gateway")}
    assert exact(shown(trip.ask)) == exact(literal)
    assert list(trip.gateway) == expected.get("gateway", [])
    told = expected.get("told", [])
    assert len(trip.told) == len(told), trip.told
    for words in told:
        assert any(words in sentence for sentence in trip.told), trip.told


@pytest.mark.parametrize("case", cases())
def test_every_case_names_every_upstream(case: str) -> None:
    assert set(load(case)["to"]) == set(WIRES)


def test_every_dialect_has_cases() -> None:
    assert {case.partition("-")[0] for case in cases()} == set(DIALECTS)
