"""Machine-readable marks written into every file (design §4.10).

Ids are derived from what was asked for and not from the task, so that the same request with the
same seed gives the same bytes.
"""

from __future__ import annotations

import hashlib

import msgspec

from kinogate.domain.task import Plan

PRODUCER = "Kinogate"


def tags_for(plan: Plan, prompt: str) -> tuple[tuple[str, str], ...]:
    """MP4 tags: who made it, and the `AIGC` key of China's labelling measures.

    The `AIGC` member names are those seen in files in the field (GB 45438-2025); the prompt itself
    is left out, since it may be private.
    """
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
