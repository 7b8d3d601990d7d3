"""Judgements that the cases share; each fails with a sentence that says what was promised."""

from __future__ import annotations

from kinogate.domain.order import Order, Produced
from kinogate.media.probe import VideoFacts
from kinogate.service.measured import LEAST_SIDE, LENGTH_OFF_S, RATIO_OFF


def require(is_so: bool, sentence: str) -> None:
    """Fail the case unless something is so.

    Raises:
        AssertionError: It is not.
    """
    if not is_so:
        raise AssertionError(sentence)


def sentence_fault(text: str) -> str | None:
    """What is wrong with one sentence for a caller, or None."""
    if not text or text != text.strip() or "\n" in text:
        return f"is not one line: {text!r}"
    if text[-1] not in ".!?" or len(text) > 400:
        return f"is not one sentence of at most 400 characters: {text!r}"
    return None


def check_said(produced: Produced, facts: VideoFacts) -> None:
    """Fail unless what an engine says of a clip is what the clip measures."""
    said = (produced.width, produced.height, produced.frame_count, produced.has_audio)
    real = (facts.width, facts.height, facts.frame_count, facts.has_audio)
    require(said == real, f"The engine says {said} of a clip that measures {real}.")
    require(abs(produced.duration_s - facts.duration_s) < 0.1, "It says another length.")
    require(abs(produced.fps - float(facts.fps)) < 0.51, "It says another frame rate.")


def check_exactly(order: Order, facts: VideoFacts) -> None:
    """Fail unless the clip is what was ordered, to the frame."""
    wanted = (order.width, order.height, float(order.fps), order.frame_count)
    real = (facts.width, facts.height, float(facts.fps), facts.frame_count)
    require(wanted == real, f"{wanted} was ordered and the clip measures {real}.")
    is_long_enough = abs(facts.duration_s - order.duration_s) < 0.05
    require(is_long_enough, f"{order.duration_s} s was ordered, and made {facts.duration_s} s.")


def check_roughly(order: Order, facts: VideoFacts) -> None:
    """Fail unless the clip is near enough to its order, by the same measure as the gateway."""
    real = f"{facts.width}×{facts.height}, {facts.duration_s:.2f} s"
    is_long_enough = abs(facts.duration_s - order.duration_s) <= LENGTH_OFF_S
    require(is_long_enough, f"{order.duration_s} s was ordered, and made: {real}.")
    least = min(order.width, order.height) * LEAST_SIDE
    ratio = facts.width * order.height / (facts.height * order.width)
    is_like = min(facts.width, facts.height) >= least and abs(ratio - 1.0) <= RATIO_OFF
    require(is_like, f"{order.width}×{order.height} was ordered, and made: {real}.")
