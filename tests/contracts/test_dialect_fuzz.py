"""Strange values in every place of every dialect's create body: refused or accepted, never a crash.

Derandomised, so that a failure repeats.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.errors import CallerError
from kinogate.service.decide import decide
from speakers import SPEAKERS, Speaker, put

EVERY = pytest.mark.parametrize("speaker", SPEAKERS.values(), ids=SPEAKERS)
BOUNDED = settings(
    max_examples=120,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            " ",
            "wan2.6-i2v",
            "wan2.1-vace-plus",
            "wan3.0-video",
            "1280*720",
            "0*0",
            "99999*99999",
            "adaptive",
            "21:9",
            "-1",
            "5.0",
            "1e9",
            "true",
            "https://media.example.com/a.png",
            "data:image/png;base64,",
            "\u212aelvin",
            "\u0660",
            "__proto__",
        ]
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)


def try_whole(speaker: Speaker, body: object) -> None:
    """Parse and decide; whatever is refused must also render."""
    call = speaker.call(body)
    dialect = speaker.dialect
    try:
        submission = dialect.parse_create(call)
        decide(submission.request, dialect.house, CATALOGUE, fresh_seed=1)
    except CallerError as error:
        reply = dialect.render_error(error, call)
        assert 400 <= reply.status < 500
        assert json.loads(reply.body)


@EVERY
@BOUNDED
@given(body=VALUES)
def test_any_json_is_refused_or_understood(speaker: Speaker, body: object) -> None:
    try_whole(speaker, body)


@EVERY
@BOUNDED
@given(data=st.data())
def test_any_value_in_any_place_is_refused_or_understood(speaker: Speaker, data: Any) -> None:
    body = speaker.body(
        first_frame=data.draw(SCALARS), model=data.draw(st.sampled_from(sorted(NAMES)))
    )
    for name in data.draw(st.lists(st.sampled_from(sorted(speaker.places)), max_size=4)):
        place = speaker.places[name]
        if name not in ("first_frame", "last_frame") and not (name == "model" and place[0] != name):
            put(body, place, data.draw(VALUES))
    try_whole(speaker, body)


NAMES = {spec.name for spec in CATALOGUE.all()}
