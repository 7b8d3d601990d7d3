"""What becomes of a plan on an engine that cannot honour all of it."""

from __future__ import annotations

import pytest

from factories import a_plan
from kinogate.domain.abilities import Abilities, adapt
from kinogate.domain.knobs import Knobs, Lora
from kinogate.domain.order import AudioMode, ShotType
from kinogate.domain.task import Plan


def adapted(plan: Plan, abilities: Abilities, *, is_seed_given: bool = True) -> tuple[Plan, str]:
    found, warnings = adapt(plan, abilities, "upstream", is_seed_given=is_seed_given)
    return found, " ".join(warnings)


def test_an_engine_that_honours_everything_changes_nothing() -> None:
    plan = a_plan(is_extendable=False, shot_type=ShotType.MULTI)

    assert adapted(plan, Abilities()) == (plan, "")


@pytest.mark.parametrize(
    ("abilities", "wish", "becomes", "named"),
    [
        (Abilities(prompt_extend=False), {"is_extendable": False}, {}, "prompt_extend"),
        (
            Abilities(shot_type=False),
            {"shot_type": ShotType.MULTI},
            {"shot_type": ShotType.SINGLE},
            "shot_type",
        ),
        (Abilities(seed=False), {"seed": 0}, {}, "seed"),
        (Abilities(fps=16), {"fps": 30}, {"fps": 16}, "fps is 16"),
        (
            Abilities(negative_prompt=False),
            {"negative_prompt": "rain"},
            {"negative_prompt": ""},
            "negative_prompt",
        ),
        (Abilities(unfiltered=False), {"safety_filter": False}, {}, "safety_filter=false"),
        (
            Abilities(auto_audio=False),
            {"audio": AudioMode.AUTO},
            {"audio": AudioMode.OFF},
            "silent",
        ),
    ],
    ids=[
        "prompt_extend",
        "shot_type",
        "seed",
        "fps",
        "negative_prompt",
        "safety_filter",
        "auto audio",
    ],
)
def test_what_cannot_be_honoured_is_adapted_and_reported(
    abilities: Abilities, wish: dict[str, object], becomes: dict[str, object], named: str
) -> None:
    plan, warnings = adapted(a_plan(**wish), abilities)

    assert plan == a_plan(**(wish | becomes))
    assert named in warnings
    assert warnings.count(".") == 1


@pytest.mark.parametrize(
    ("abilities", "wish"),
    [
        (Abilities(prompt_extend=False), {"is_extendable": True}),
        (Abilities(shot_type=False), {"shot_type": ShotType.SINGLE}),
        (Abilities(fps=30), {"fps": 30}),
        (Abilities(auto_audio=False), {"audio": AudioMode.FILE}),
        (Abilities(auto_audio=False), {"audio": AudioMode.OFF}),
    ],
)
def test_nothing_is_reported_of_what_was_not_asked_for(
    abilities: Abilities, wish: dict[str, object]
) -> None:
    assert adapted(a_plan(**wish), abilities) == (a_plan(**wish), "")


def test_what_the_gateway_does_in_an_engines_place_is_nobodys_loss() -> None:
    """Silence, mark, tags, sound and stills are promised all the same (`service/aftercare`)."""
    plain = Abilities(
        silence=False, takes_audio=False, draws_mark=False, writes_tags=False, makes_stills=False
    )
    for audio in AudioMode:
        plan = a_plan(audio=audio, watermark="AI Generated")
        assert adapted(plan, plain) == (plan, "")


def test_wishes_for_a_sampler_that_has_no_such_thing_are_taken_out_and_named() -> None:
    loras = (Lora(name="ink"),)
    plan = a_plan(knobs=Knobs(steps=8, guidance=3.0, loras=loras))

    found, warnings = adapted(plan, Abilities(knobs=frozenset({"steps"})))

    assert found == a_plan(knobs=Knobs(steps=8))
    assert warnings == "guidance, loras are not honoured by the engine upstream."


def test_a_seed_that_we_drew_is_nobodys_loss() -> None:
    assert adapted(a_plan(), Abilities(seed=False), is_seed_given=False) == (a_plan(), "")


def test_one_guidance_for_both_experts_is_kept_by_an_engine_that_has_one() -> None:
    one = Abilities(knobs=frozenset({"guidance"}))

    assert adapted(a_plan(knobs=Knobs(guidance=5.0, guidance_2=5.0)), one) == (
        a_plan(knobs=Knobs(guidance=5.0)),
        "",
    )
    _, warnings = adapted(a_plan(knobs=Knobs(guidance=5.0, guidance_2=4.0)), one)
    assert warnings == "guidance_2 is not honoured by the engine upstream."
