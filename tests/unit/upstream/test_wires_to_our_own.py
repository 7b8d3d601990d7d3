"""What a wire sends is understood by our own server of the same dialect, and means the same there.

The literal files hold the wires to the spec; this holds the server to them, so that one Kinogate
can stand behind another.
"""

from __future__ import annotations

from typing import Any

import pytest
from round_trip import DIALECTS, FRESH_SEED, cases, load, planned, read_call

from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.task import Plan
from kinogate.service.decide import decide

_SAME = {
    "model",
    "mode",
    "negative_prompt",
    "tier",
    "duration_s",
    "audio",
    "is_extendable",
    "shot_type",
    "seed",
    "template",
    "function",
    "safety_filter",
    "watermark",
}
# What the sender tells its caller, or does itself, need not arrive.
_TOLD = (
    ("seed", "seed"),
    ("safety_filter", "safety_filter"),
    ("sound", "audio"),
    ("silence", "audio"),
    ("watermark", "watermark"),
)
_UNKNOWN_TO_US = {"parameters.mode"}
"""Of animate: `wan-std`, which is what our own engines make."""


def trips() -> list[Any]:
    return [
        pytest.param(case, name, id=f"{case}-to-{name}")
        for case in cases()
        for name in DIALECTS
        if name != "native" and "refused" not in load(case)["to"][name]
    ]


@pytest.mark.parametrize(("case", "name"), trips())
def test_our_own_server_understands_the_call(case: str, name: str) -> None:
    literal = load(case)
    sent = literal["to"][name]
    dialect = DIALECTS[name]
    call = sent["call"]
    if name == "dashscope":  # its base URL ends in /api/v1
        call = call.replace(" ", " /api/v1", 1)

    submission = dialect.parse_create(read_call({**sent, "call": call}, dialect))
    plan = decide(submission.request, dialect.house, CATALOGUE, fresh_seed=FRESH_SEED + 1).plan

    assert set(submission.ignored) <= _UNKNOWN_TO_US
    kept = _SAME - {member for words, member in _TOLD if any(words in said for said in told(sent))}
    mine = planned(case, name)
    if not mine.is_seed_given and "seed" not in sent.get("json", {}).get("parameters", {"seed": 0}):
        kept.remove("seed")  # portraits and motions take none, and one drawn by us is no loss
    assert differences(mine, plan, kept) == {}


def told(sent: dict[str, Any]) -> list[str]:
    """What the sender's caller reads, and what the sender does itself."""
    return [*sent.get("told", []), *sent.get("gateway", [])]


def differences(mine: Plan, theirs: Plan, names: set[str]) -> dict[str, tuple[object, object]]:
    """Members that arrived as something else."""
    changed = [name for name in names if getattr(mine, name) != getattr(theirs, name)]
    return {name: (getattr(mine, name), getattr(theirs, name)) for name in changed}
