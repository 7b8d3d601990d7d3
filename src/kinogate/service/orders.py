"""From a plan and its prepared inputs to the order, and from that to one engine's order."""

from __future__ import annotations

from dataclasses import replace

from kinogate.domain.abilities import Abilities
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.order import Mode, Order
from kinogate.domain.resolution import fit_to_tier
from kinogate.domain.task import Plan, Task
from kinogate.service.labels import LabelPolicy, mark_for, tags_for
from kinogate.service.prepare import Prepared


def order_for(task: Task, prepared: Prepared, prompt: str, labels: LabelPolicy) -> Order:
    """The order; pure.

    Args:
        task: Its plan says what was decided at submit.
        prepared: What the inputs have decided since: size and length.
        prompt: After prompt extension.
        labels: The operator's policy.

    Raises:
        CallerError: MEDIA_FORMAT, when no input tells a size that was left to one.
    """
    plan = task.plan
    size = plan.size
    if size is None:
        if prepared.picture is None:
            raise CallerError(
                ErrorCode.MEDIA_FORMAT, "No input picture tells the size of the clip."
            )
        size = fit_to_tier(*prepared.picture, plan.tier)
    duration = float(plan.duration_s) if plan.duration_s > 0 else prepared.length_s
    if plan.mode is Mode.EDIT and prepared.length_s > 0:
        duration = min(duration, prepared.length_s)  # a changed video never outlasts its source
    frame_count = round(duration * plan.fps)
    mark = mark_for(plan, labels)
    return Order(
        task_id=task.id,
        mode=plan.mode,
        model=plan.model,
        prompt=prompt,
        negative_prompt=plan.negative_prompt,
        inputs=prepared.inputs,
        width=size.width,
        height=size.height,
        fps=plan.fps,
        frame_count=frame_count,
        duration_s=frame_count / plan.fps,
        tier=plan.tier,
        ratio=plan.ratio,
        audio=plan.audio,
        seed=plan.seed,
        shot_type=plan.shot_type,
        template=plan.template,
        function=plan.function,
        safety_filter=plan.safety_filter,
        knobs=plan.knobs,
        watermark=mark.text,
        watermark_s=mark.seconds,
        is_label=mark.is_label,
        tags=tags_for(plan, prompt, labels),
    )


ENGINE_TAG = "kinogate_engine"
"""MP4 tag that names the engine that served, as the operator calls it."""


def order_on(
    order: Order, plan: Plan, engine: str, abilities: Abilities, labels: LabelPolicy
) -> Order:
    """The order as one engine gets it; pure.

    Args:
        order: As prepared, for any engine.
        plan: As adapted to this engine.
        engine: Its name.
        abilities: Its abilities for the plan's model.
        labels: The operator's policy.
    """
    # An engine that extends prompts itself works from the caller's own words.
    prompt = plan.prompt if abilities.extends_prompts else order.prompt
    tags = tags_for(plan, prompt, labels)
    frame_count = round(order.duration_s * plan.fps)
    return replace(
        order,
        prompt=prompt,
        prompt_extend=abilities.extends_prompts and plan.is_extendable,
        fps=plan.fps,
        frame_count=frame_count,
        duration_s=frame_count / plan.fps,
        negative_prompt=plan.negative_prompt,
        audio=plan.audio,
        shot_type=plan.shot_type,
        knobs=plan.knobs,
        tags=(*tags, (ENGINE_TAG, engine)) if tags else (),
    )
