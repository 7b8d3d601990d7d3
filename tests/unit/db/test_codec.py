"""What is stored comes back as it was."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import msgspec
import pytest

from factories import an_outcome
from kinogate.db.codec import PER_MILLE, dec_hook, enc_hook, to_json, to_per_mille
from kinogate.domain.task import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """Something with a fraction."""

    rate: Fraction


def test_a_fraction_stays_exact() -> None:
    text = msgspec.json.encode(Rated(rate=Fraction(30000, 1001)), enc_hook=enc_hook)
    assert text == b'{"rate":"30000/1001"}'
    assert msgspec.json.decode(text, type=Rated, dec_hook=dec_hook).rate == Fraction(30000, 1001)


@pytest.mark.parametrize("value", [object(), b"".join])
def test_a_foreign_type_is_refused(value: object) -> None:
    with pytest.raises(NotImplementedError, match="cannot be stored"):
        msgspec.json.encode(value, enc_hook=enc_hook)


@pytest.mark.parametrize(
    ("share", "stored"),
    [(-0.1, 0), (0.0, 0), (0.0009, 0), (0.5, 500), (0.999, 999), (1.0, 999), (7.0, 999)],
)
def test_progress_is_kept_below_one_while_running(share: float, stored: int) -> None:
    assert to_per_mille(share) == stored
    assert stored < PER_MILLE


def test_an_outcome_stored_before_stills_and_writers_were_known_still_reads() -> None:
    row = msgspec.json.decode(to_json(an_outcome()), type=dict[str, object])
    for name in ("thumbnail_key", "preview_key", "spritesheet_key", "prompt_by", "prompt_ms"):
        del row[name]

    assert msgspec.json.decode(msgspec.json.encode(row), type=Outcome) == an_outcome()
