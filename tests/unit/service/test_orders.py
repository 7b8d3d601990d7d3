"""How long an order is where an input has a say in it."""

from __future__ import annotations

import pytest

from factories import a_plan, a_task
from kinogate.domain.order import AudioMode, Mode
from kinogate.domain.task import Plan
from kinogate.service.labels import LabelPolicy
from kinogate.service.orders import order_for
from kinogate.service.prepare import Prepared


def length_of(plan: Plan, length_s: float) -> float:
    prepared = Prepared(picture=(1280, 720), length_s=length_s)
    return order_for(a_task(plan=plan), prepared, plan.prompt, LabelPolicy()).duration_s


@pytest.mark.parametrize(
    ("changes", "length_s", "expected"),
    [
        ({"mode": Mode.EDIT, "duration_s": 0}, 5.4, 5.4),  # keep
        ({"mode": Mode.EDIT, "duration_s": 5}, 8.0, 5.0),  # cut
        ({"mode": Mode.EDIT, "duration_s": 5}, 3.0, 3.0),  # there is no more of it
        ({"mode": Mode.ANIMATE, "duration_s": 0}, 6.0, 6.0),
        ({"mode": Mode.S2V, "duration_s": 0, "audio": AudioMode.FILE}, 7.5, 7.5),
        ({"mode": Mode.I2V, "duration_s": 5, "audio": AudioMode.FILE}, 3.0, 5.0),  # then silence
    ],
)
def test_an_order_is_as_long_as_its_plan_and_input_say(
    changes: dict[str, object], length_s: float, expected: float
) -> None:
    assert length_of(a_plan(**changes), length_s) == pytest.approx(expected, abs=1 / 30)
