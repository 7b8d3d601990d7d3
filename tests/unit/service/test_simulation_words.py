"""The outcomes that app developers may ask for."""

from __future__ import annotations

import pytest

from kinogate.domain.errors import AccountError, CallerError, ErrorCode, KinogateError
from kinogate.service.simulation import (
    parse_simulation,
    refuse_at_submit,
    simulated_delay_s,
    simulated_fault,
    simulated_queue_s,
)


@pytest.mark.parametrize("text", ["fail", "Moderation", " slow=2 ", "queue=0.5", "rate-limit"])
def test_known_words_pass_in_any_case(text: str) -> None:
    assert parse_simulation(text) == text.strip().lower()


@pytest.mark.parametrize("text", ["", "boom", "slow", "slow=", "slow=-1", "slow=1e9", "queue=x"])
def test_anything_else_is_refused_with_the_list(text: str) -> None:
    with pytest.raises(CallerError, match="rate-limit"):
        parse_simulation(text)


def test_a_rate_limit_says_when_to_come_back() -> None:
    with pytest.raises(AccountError) as caught:
        refuse_at_submit("rate-limit")

    assert caught.value.retry_after_s == 1


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("fail", ErrorCode.ENGINE_FAILED),
        ("moderation", ErrorCode.CONTENT_REFUSED),
        ("upstream-error", ErrorCode.UPSTREAM_FAILED),
    ],
)
def test_faults_come_in_their_own_meaning(word: str, code: ErrorCode) -> None:
    with pytest.raises(KinogateError) as caught:
        simulated_fault(word)

    assert caught.value.code is code


def test_nothing_asked_for_is_nothing_done() -> None:
    simulated_fault(None)
    refuse_at_submit(None)
    assert (simulated_delay_s(None), simulated_queue_s(None)) == (0.0, 0.0)


def test_slow_and_queue_do_not_mix() -> None:
    assert (simulated_delay_s("slow=2.5"), simulated_queue_s("slow=2.5")) == (2.5, 0.0)
    assert (simulated_delay_s("queue=3"), simulated_queue_s("queue=3")) == (0.0, 3.0)
