"""What an engine honours of a plan, and what becomes of the rest (design §4.4).

Inputs, size, duration and template are never adapted: an engine refuses a plan that it cannot do.
What may be adapted is listed here, each with the sentence that the caller reads. What a file still
lacks when it comes from the engine is added by the gateway (`service/aftercare.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kinogate.domain.order import AudioMode, ShotType
from kinogate.domain.task import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What an engine takes from an order as it is; the default is everything.

    Attributes:
        prompt_extend: Works from exactly the prompt it is given. An engine that rewrites prompts
            whatever it is told says False.
        extends_prompts: Extends a prompt itself when asked, so that the gateway leaves it alone.
        shot_type: Cuts between shots when MULTI is asked for.
        seed: The same seed gives the same clip.
        negative_prompt: Keeps what the negative prompt names out of the clip.
        unfiltered: Leaves content uninspected when told to; True also where nothing inspects it.
        fps: The only frame rate it delivers, or None for any.
        auto_audio: Makes a sound of its own.
        silence: Leaves the audio stream away when told to; else the gateway takes it out.
        takes_audio: Plays a given audio file; else the gateway lays it under the silent result.
        makes_stills: Leaves poster, thumbnail, preview and sprite sheet beside its result; else
            the gateway makes them from the file.
        draws_mark: Draws watermark and label, for as long as the order says; else the gateway does.
        mark_text: The only watermark text it draws, for the whole clip, when its wire has the
            switch; it counts where `draws_mark` is False.
        writes_tags: Writes the order's MP4 tags; else the gateway does.
        knobs: Names of the members of `Knobs` that it honours.
        is_measured: Its clip is taken as it measures: a service decides on frame rate and exact
            pixels itself. Size and length are then checked roughly, and what differs is reported.
        is_algorithmic: Draws by algorithms and not by a trained model, as its results then say.
    """

    prompt_extend: bool = True
    extends_prompts: bool = False
    shot_type: bool = True
    seed: bool = True
    negative_prompt: bool = True
    unfiltered: bool = True
    fps: int | None = None
    auto_audio: bool = True
    silence: bool = True
    takes_audio: bool = True
    makes_stills: bool = False
    draws_mark: bool = True
    mark_text: str | None = None
    writes_tags: bool = True
    knobs: frozenset[str] = frozenset()
    is_measured: bool = False
    is_algorithmic: bool = False


def adapt(
    plan: Plan, abilities: Abilities, engine: str, *, is_seed_given: bool
) -> tuple[Plan, tuple[str, ...]]:
    """The plan that an engine can keep, and a sentence for each thing it cannot.

    Calling again with the adapted plan changes nothing more.

    Args:
        plan: As decided from the model's row.
        abilities: The engine's.
        engine: Its name, for the sentences.
        is_seed_given: Whether the caller named a seed; one drawn by us is nobody's loss.
    """
    warnings: list[str] = []
    if not abilities.prompt_extend and not plan.is_extendable:
        warnings.append(f"prompt_extend=false is not honoured by the engine {engine}.")
    if not abilities.shot_type and plan.shot_type is ShotType.MULTI:
        warnings.append(f"shot_type is not honoured by the engine {engine}; it makes one shot.")
        plan = replace(plan, shot_type=ShotType.SINGLE)
    if not abilities.seed and is_seed_given:
        warnings.append(f"seed is not honoured by the engine {engine}.")
    if not abilities.negative_prompt and plan.negative_prompt:
        warnings.append(f"negative_prompt is not honoured by the engine {engine}.")
        plan = replace(plan, negative_prompt="")
    if not abilities.unfiltered and not plan.safety_filter:
        warnings.append(f"safety_filter=false is not honoured by the engine {engine}.")
    if abilities.fps is not None and plan.fps != abilities.fps:
        warnings.append(f"fps is {abilities.fps} on the engine {engine} instead of {plan.fps}.")
        plan = replace(plan, fps=abilities.fps)
    if not abilities.auto_audio and plan.audio is AudioMode.AUTO:
        warnings.append(f"The engine {engine} makes no sound; the clip is silent.")
        plan = replace(plan, audio=AudioMode.OFF)
    knobs = plan.knobs.only(abilities.knobs)
    unknown = [name for name in plan.knobs.given() if name not in knobs.given()]
    if knobs.guidance is not None and plan.knobs.guidance_2 == knobs.guidance:
        # One guidance for both experts is kept by an engine that has only one.
        unknown = [name for name in unknown if name != "guidance_2"]
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        warnings.append(f"{', '.join(unknown)} {verb} not honoured by the engine {engine}.")
    plan = replace(plan, knobs=knobs)
    return plan, tuple(warnings)
