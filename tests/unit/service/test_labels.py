"""The operator's label policy, from plan to order."""

from __future__ import annotations

import pytest

from factories import a_plan, a_task
from kinogate.domain.order import Order
from kinogate.service.labels import LABEL_TEXT, LabelPolicy, Labels, LabelSpan
from kinogate.service.orders import order_for
from kinogate.service.prepare import Prepared


def ordered(
    labels: Labels, watermark: str | None = None, span: LabelSpan = LabelSpan.START
) -> Order:
    task = a_task(plan=a_plan(watermark=watermark))
    return order_for(task, Prepared(), "a boat", LabelPolicy(labels=labels, span=span))


def test_off_leaves_no_mark_of_ours() -> None:
    order = ordered(Labels.OFF)

    assert order.tags == ()
    assert order.watermark is None


@pytest.mark.parametrize("policy", [Labels.IMPLICIT, Labels.FULL])
def test_every_other_policy_writes_the_label_into_the_file(policy: Labels) -> None:
    assert "AIGC" in dict(ordered(policy).tags)


@pytest.mark.parametrize("policy", [Labels.OFF, Labels.IMPLICIT])
def test_a_watermark_that_was_asked_for_stays_for_the_whole_clip(policy: Labels) -> None:
    order = ordered(policy, "AI Generated")

    assert (order.watermark, order.watermark_s, order.is_label) == ("AI Generated", None, False)


def test_full_shows_a_label_for_the_first_two_seconds() -> None:
    order = ordered(Labels.FULL)

    assert (order.watermark, order.watermark_s, order.is_label) == (LABEL_TEXT, 2.0, True)


def test_full_shows_a_label_throughout_where_the_operator_wants_that() -> None:
    order = ordered(Labels.FULL, span=LabelSpan.THROUGHOUT)

    assert (order.watermark, order.watermark_s, order.is_label) == (LABEL_TEXT, None, True)


@pytest.mark.parametrize("policy", [Labels.OFF, Labels.IMPLICIT])
def test_a_span_alone_draws_nothing(policy: Labels) -> None:
    assert ordered(policy, span=LabelSpan.THROUGHOUT).watermark is None


def test_full_makes_a_watermark_that_was_asked_for_as_large_as_a_label() -> None:
    order = ordered(Labels.FULL, "AI Generated")

    assert (order.watermark, order.watermark_s, order.is_label) == ("AI Generated", None, True)


def test_the_label_never_holds_the_prompt() -> None:
    assert "a boat" not in str(ordered(Labels.FULL).tags)
