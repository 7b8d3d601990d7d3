"""What an engine cannot honour: reported at submit where it may be adapted, refused where not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness import Harness
from kinogate.domain.abilities import Abilities
from kinogate.domain.order import AudioMode, ShotType

POOR = Abilities(
    prompt_extend=False, shot_type=False, seed=False, fps=16, auto_audio=False, takes_audio=False
)


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as found:
        yield found


def submitted(harness: Harness, **members: object) -> Any:
    body = {"model": "wan2.6-t2v", "prompt": "a boat", **members}
    return harness.client.post("/kinogate/v1/tasks", json=body, headers=harness.auth())


def test_an_able_engine_is_told_everything_and_nothing_is_reported(harness: Harness) -> None:
    reply = submitted(harness, seed=7, shot_type="multi", audio=True)

    plan = harness.last_task().plan
    assert reply.json()["warnings"] == []
    assert (plan.seed, plan.shot_type, plan.audio) == (7, ShotType.MULTI, AudioMode.AUTO)


@pytest.mark.parametrize(
    ("member", "word"),
    [
        ({"prompt_extend": False}, "prompt_extend"),
        ({"shot_type": "multi"}, "shot_type"),
        ({"seed": 0}, "seed"),
        ({"audio": True}, "silent"),
        ({}, "fps is 16"),
    ],
    ids=["prompt_extend", "shot_type", "seed", "audio", "fps"],
)
def test_what_a_poor_engine_cannot_honour_is_in_task_and_header(
    harness: Harness, member: dict[str, object], word: str
) -> None:
    harness.engine.able = POOR
    reply = submitted(harness, **member)

    assert reply.status_code == 201
    assert any(word in warning for warning in reply.json()["warnings"])
    assert word in reply.headers["x-kinogate-warnings"]


def test_the_plan_of_a_poor_engine_is_what_it_can_keep(harness: Harness) -> None:
    harness.engine.able = POOR
    submitted(harness, shot_type="multi", audio=True)

    plan = harness.last_task().plan
    assert (plan.fps, plan.shot_type, plan.audio) == (16, ShotType.SINGLE, AudioMode.OFF)


def test_what_an_engine_refuses_makes_no_task(harness: Harness) -> None:
    harness.engine.refusal = "The idle engine takes no such size."
    reply = submitted(harness)

    assert reply.status_code == 400
    assert reply.json()["code"] == "feature_unsupported"
    assert "no such size" in reply.json()["detail"]


def test_a_remix_is_judged_by_the_word_list_too(harness: Harness) -> None:
    submitted(harness)
    source = harness.last_task()
    path = f"/v1/videos/video_{source.id.replace('-', '')}/remix"

    reply = harness.client.post(path, json={"prompt": "bestiality"}, headers=harness.auth())

    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "moderation_blocked"
    assert harness.last_task().id == source.id
