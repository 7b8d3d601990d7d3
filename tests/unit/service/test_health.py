"""An engine's condition, on a clock that a test turns."""

from __future__ import annotations

from kinogate.service.health import Condition, Stand


class Hand:
    """A clock's."""

    def __init__(self) -> None:
        self.s = 1_000.0

    def __call__(self) -> float:
        return self.s


def cooled(now: Hand) -> Condition:
    """A condition after three failures."""
    condition = Condition(now)
    for _ in range(3):
        condition.fail("It failed.", is_trial=condition.begin())
    return condition


def test_two_failures_in_a_row_are_tolerated_and_a_success_forgives_them() -> None:
    condition = Condition(Hand())
    for _ in range(4):
        for _ in range(2):
            condition.fail("It failed.", is_trial=condition.begin())
        assert condition.stand is Stand.READY
        condition.succeed()


def test_three_failures_in_a_row_cool_it_down_for_ten_seconds() -> None:
    now = Hand()
    condition = cooled(now)

    assert condition.stand is Stand.COOLING
    assert condition.cools_for_s == 10.0
    now.s += 9.9
    assert condition.stand is Stand.COOLING
    now.s += 0.1
    assert condition.stand is Stand.READY


def test_one_trial_at_a_time_decides_after_a_cool_down() -> None:
    now = Hand()
    condition = cooled(now)
    now.s += 10

    assert condition.begin()
    assert condition.stand is Stand.COOLING
    condition.succeed()
    assert condition.stand is Stand.READY
    assert not condition.begin()
    assert condition.failures == 0


def test_a_failed_trial_doubles_the_pause_up_to_five_minutes() -> None:
    now = Hand()
    condition = cooled(now)
    pauses = []
    for _ in range(7):
        pauses.append(condition.cools_for_s)
        now.s += condition.cools_for_s
        condition.fail("It failed.", is_trial=condition.begin())

    assert pauses == [10, 20, 40, 80, 160, 300, 300]


def test_a_trial_that_says_nothing_leaves_the_next_run_to_try() -> None:
    now = Hand()
    condition = cooled(now)
    now.s += 10
    condition.abstain(is_trial=condition.begin())

    assert condition.stand is Stand.READY
    assert condition.begin()


def test_runs_that_began_before_do_not_lengthen_a_cool_down_nor_end_a_trial() -> None:
    now = Hand()
    condition = cooled(now)
    condition.fail("An old run.", is_trial=False)
    assert condition.cools_for_s == 10.0
    now.s += 10
    assert condition.begin()
    condition.abstain(is_trial=False)

    assert condition.stand is Stand.COOLING


def test_an_engine_that_asks_to_be_left_alone_is_left_alone() -> None:
    now = Hand()
    condition = Condition(now)
    condition.fail("Too many requests.", retry_after_s=42)

    assert condition.cools_for_s == 42
    now.s += 42
    assert condition.begin()  # and then it must show itself


def test_an_absurd_wish_to_be_left_alone_is_cut() -> None:
    condition = Condition(Hand())
    condition.fail("Go away.", retry_after_s=10**9)

    assert condition.cools_for_s == 3_600


def test_a_drain_shows_whatever_else_is_the_matter() -> None:
    condition = cooled(Hand())
    condition.is_draining = True
    assert condition.stand is Stand.DRAINING
    condition.is_draining = False
    assert condition.stand is Stand.COOLING
