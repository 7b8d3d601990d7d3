"""A clip of an engine that decides on pixels and frame rate itself: near enough, and what differs.

Pure. Exact engines are held to their order instead (`run`).
"""

from __future__ import annotations

from dataclasses import replace

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.order import AudioMode, Mode, Order, Produced
from kinogate.domain.resolution import Size
from kinogate.media.finish_job import ClipFacts

LENGTH_OFF_S = 0.6
"""Seconds that a clip may be shorter or longer than its order, inclusive (our choice)."""

LEAST_SIDE = 0.9
"""Share of the order's shorter side that a clip must have, inclusive (our choice)."""

RATIO_OFF = 0.06
"""Share by which its ratio may differ, inclusive: 832*480 is called 16:9, and off by 2.5 percent."""

_FREE_MODES = frozenset({Mode.EDIT, Mode.ANIMATE, Mode.DOCUMENT})
"""Work whose length and pixels follow from its source by a service's own rules.

The catalogue's figures for them are inferred, so a clip that differs is told of and not refused.
"""

_FREE_LONGEST_S = 120.0  # four times the longest in the catalogue (our choice)

_SAID_FROM_S = 0.02  # a smaller difference in length is nobody's loss


def longest_s(order: Order) -> float:
    """Seconds from which on a clip is not looked at any further."""
    return _FREE_LONGEST_S if _is_free(order) else order.duration_s + LENGTH_OFF_S


def as_measured(order: Order, produced: Produced, facts: ClipFacts) -> Produced:
    """What was produced, as the file measures; differences from the order become warnings.

    A frame rate is given as the nearest whole number, at least 1.

    Raises:
        InternalError: `RESULT_INVALID`, when that is not the clip that was ordered.
    """
    if off := _too_far(order, facts):
        raise InternalError(
            ErrorCode.RESULT_INVALID, f"The engine's clip is not what was asked for: {off}."
        )
    return replace(
        produced,
        width=facts.width,
        height=facts.height,
        fps=max(1, round(facts.rate)),
        frame_count=facts.frame_count,
        duration_s=facts.duration_s,
        has_audio=facts.has_audio,
        warnings=(*produced.warnings, *_differences(order, facts), *facts.notes),
    )


def is_exact(produced: Produced, facts: ClipFacts) -> bool:
    """Whether the file measures what an exact engine has said of it, its sound aside."""
    said = (produced.width, produced.height, float(produced.fps), produced.frame_count)
    return said == (facts.width, facts.height, facts.rate, facts.frame_count)


def _is_free(order: Order) -> bool:
    return order.mode in _FREE_MODES or order.duration_s <= 0


def _too_far(order: Order, facts: ClipFacts) -> str | None:
    if _is_free(order):
        return None
    size, asked = _sizes(order, facts)
    if abs(facts.duration_s - order.duration_s) > LENGTH_OFF_S + 1e-9:
        return f"it lasts {_plain(facts.duration_s)} s and not {_plain(order.duration_s)} s"
    short, least = min(size.width, size.height), min(asked.width, asked.height) * LEAST_SIDE
    ratio = size.width * asked.height / (size.height * asked.width)
    if short < least - 1e-9 or abs(ratio - 1.0) > RATIO_OFF + 1e-9:
        return f"it measures {size} and not {asked}"
    return None


def _differences(order: Order, facts: ClipFacts) -> list[str]:
    size, asked = _sizes(order, facts)
    found: list[str] = []
    if size != asked:
        found.append(f"size is {size} instead of {asked}.")
    if (rate := _plain(facts.rate)) != str(order.fps):
        found.append(f"fps is {rate} instead of {order.fps}.")
    if abs(facts.duration_s - order.duration_s) > _SAID_FROM_S:
        found.append(
            f"duration is {_plain(facts.duration_s)} s instead of {_plain(order.duration_s)} s."
        )
    if order.audio is not AudioMode.OFF and not facts.has_audio:
        found.append("The engine's clip came without sound.")
    return found


def _sizes(order: Order, facts: ClipFacts) -> tuple[Size, Size]:
    return (
        Size(width=facts.width, height=facts.height),
        Size(width=order.width, height=order.height),
    )


def _plain(number: float) -> str:
    """At most two decimals, and none where they are zero."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
