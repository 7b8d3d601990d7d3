"""Marks on every file: machine-readable ones, and the visible one (design §4.9–4.10).

Ids are derived from what was asked for and not from the task, so that the same request with the
same seed gives the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from kinogate.domain.task import Plan

PRODUCER = "Kinogate"
LABEL_TEXT = "AI-generated"
"""What the visible label says where the caller asked for no watermark."""

LABEL_S = 2.0
"""Seconds that a label must be seen from the start (GB 45438-2025)."""


class Labels(StrEnum):
    """The operator's policy."""

    OFF = "off"  # no mark of ours; an engine still says what it is
    IMPLICIT = "implicit"  # machine-readable marks
    FULL = "full"  # those, and a visible one


class LabelSpan(StrEnum):
    """How long the visible label of `Labels.FULL` is seen."""

    START = "start"  # the first `LABEL_S` seconds
    THROUGHOUT = "throughout"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPolicy:
    """What the operator wants marked, and for how long the visible label stays."""

    labels: Labels = Labels.IMPLICIT
    span: LabelSpan = LabelSpan.START


USUAL_LABELS = LabelPolicy()
"""What holds where the operator says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What is to be seen on a clip; the members of `Order` of the same meaning."""

    text: str | None
    seconds: float | None = None
    is_label: bool = False


def mark_for(plan: Plan, policy: LabelPolicy) -> Mark:
    """The visible mark: the caller's for the whole clip, else the policy's for its span."""
    if policy.labels is not Labels.FULL:
        return Mark(text=plan.watermark)
    if plan.watermark is not None:
        return Mark(text=plan.watermark, is_label=True)
    seconds = LABEL_S if policy.span is LabelSpan.START else None
    return Mark(text=LABEL_TEXT, seconds=seconds, is_label=True)


def tags_for(
    plan: Plan, prompt: str, policy: LabelPolicy = USUAL_LABELS
) -> tuple[tuple[str, str], ...]:
    """MP4 tags: who made it, and the `AIGC` key of China's labelling measures.

    The `AIGC` member names are those seen in files in the field (GB 45438-2025); the prompt itself
    is left out, since it may be private.
    """
    if policy.labels is Labels.OFF:
        return ()
    content = hashlib.sha256(
        "\n".join((plan.model, prompt, plan.negative_prompt, str(plan.seed))).encode()
    ).hexdigest()
    aigc = {
        "Label": "1",
        "ContentProducer": PRODUCER,
        "ProduceID": content[:32],
        "ReservedCode1": "",
        "ContentPropagator": PRODUCER,
        "PropagateID": content[:32],
        "ReservedCode2": "",
    }
    return (("artist", PRODUCER), ("AIGC", msgspec.json.encode(aigc).decode()))
