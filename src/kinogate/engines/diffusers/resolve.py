"""From an order to the numbers of one run: sizes, frames, sampling, adapters. Pure; no torch.

Obeys the notes on engines, section 5: what is generated is a multiple of what the weights take, and
what is delivered is exactly what was promised. Nothing is shortened or dropped in silence.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.knobs import Expert, Knobs, Lora
from kinogate.domain.order import Mode, Order, Role
from kinogate.domain.resolution import Size, Tier, tier_of
from kinogate.domain.task import Plan
from kinogate.engines.diffusers.cards import (
    DISTILLED_GUIDANCE,
    DISTILLED_SHIFT,
    DISTILLED_STEPS,
    Card,
    Kind,
)
from kinogate.engines.diffusers.flops import Shape
from kinogate.engines.diffusers.options import TURBO, ModelSetup

_ROLES: dict[Mode, frozenset[Role]] = {
    Mode.T2V: frozenset({Role.AUDIO}),
    Mode.I2V: frozenset({Role.FIRST_FRAME, Role.AUDIO}),
    Mode.KF2V: frozenset({Role.FIRST_FRAME, Role.LAST_FRAME, Role.AUDIO}),
    Mode.R2V: frozenset({Role.FIRST_FRAME, Role.REFERENCE_IMAGE, Role.AUDIO}),
    Mode.CLIP: frozenset({Role.FIRST_CLIP, Role.LAST_FRAME, Role.AUDIO}),
    Mode.EDIT: frozenset(
        {Role.SOURCE_VIDEO, Role.MASK_IMAGE, Role.MASK_VIDEO, Role.REFERENCE_IMAGE, Role.AUDIO}
    ),
}
_NEEDED: dict[Mode, frozenset[Role]] = {
    Mode.I2V: frozenset({Role.FIRST_FRAME}),
    Mode.KF2V: frozenset({Role.FIRST_FRAME, Role.LAST_FRAME}),
    Mode.R2V: frozenset({Role.REFERENCE_IMAGE}),
    Mode.CLIP: frozenset({Role.FIRST_CLIP}),
    Mode.EDIT: frozenset({Role.SOURCE_VIDEO}),
}
# These two need a control video or the borders' widths, and nothing here makes either.
_UNKNOWN_FUNCTIONS = frozenset({"video_edit", "video_outpainting"})
_TIER_ORDER = (Tier.P480, Tier.P720, Tier.P1080)
_BARELY_GUIDED = 1.000001
"""Guidance that changes nothing, for the expert that is not guided while the other one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraUse:
    """One adapter of a run.

    Attributes:
        name: As configured.
        file: Its `.safetensors`.
        weight: Its strength.
        expert: Where it goes.
    """

    name: str
    file: str
    weight: float
    expert: Expert


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """The numbers of one run; what is shown and given stays in the order.

    Attributes:
        kind: The pipeline to call.
        width: Pixels generated, a multiple of the card's; the order's are cut out of the middle.
        height: Likewise.
        frames: Frames generated, `4 k + 1`, at `fps`; the order's are taken from the front.
        fps: The weights' native rate.
        steps: Denoising steps.
        guidance: Of the high-noise expert, or of the only transformer; 1.0 and below is off.
        guidance_2: Of the low-noise expert; None with one transformer.
        shift: Flow shift.
        boundary: Share of the schedule at which the experts change; None with one transformer.
        negative: The negative prompt.
        seed: Of the noise.
        preset: One of `knobs.PRESETS`.
        is_distilled: Whether it is sampled as step-distilled weights are.
        loras: Adapters, in order; those of the preset turbo are in the resident weights already.
    """

    kind: Kind
    width: int
    height: int
    frames: int
    fps: int
    steps: int
    guidance: float
    guidance_2: float | None = None
    shift: float
    boundary: float | None = None
    negative: str
    seed: int
    preset: str
    is_distilled: bool = False
    loras: tuple[LoraUse, ...] = ()

    @property
    def is_guided(self) -> bool:
        """Whether every step takes a second pass, for the negative prompt."""
        return self.guidance > 1.0

    @property
    def shape(self) -> Shape:
        """What is generated, for the arithmetic of `flops`."""
        return Shape(width=self.width, height=self.height, frames=self.frames)


def frame_count(duration_s: float, fps: int) -> int:
    """Frames to generate for so many seconds: `4 k + 1`, the nearest; 5 s at 16 fps are 81."""
    return 4 * round(duration_s * fps / 4) + 1


def padded(pixels: int, multiple: int) -> int:
    """The next multiple, at or above."""
    return -(-pixels // multiple) * multiple


def refusal(
    setup: ModelSetup,
    *,
    mode: Mode,
    roles: Collection[Role],
    duration_s: float,
    tier: Tier,
    knobs: Knobs,
    default_preset: str,
    template: str | None = None,
    function: str | None = None,
) -> str | None:
    """Why the weights cannot do this, in one sentence for the caller; None when they can.

    Args:
        setup: The weights.
        mode: What kind of work it is.
        roles: The inputs it comes with.
        duration_s: Seconds of the clip; 0 while it is not known.
        tier: Of the size.
        knobs: The caller's wishes.
        default_preset: The engine's, where the knobs name none.
        template: Effect name, or None.
        function: A vace function name, or None.
    """
    card = setup.card
    if mode not in card.modes:
        return f"The model {card.name} does not do the work {mode.value!r}."
    if template is not None:
        return f"The model {card.name} has no effect templates."
    if function in _UNKNOWN_FUNCTIONS:
        return f"The model {card.name} does not support the function {function!r} here."
    if foreign := sorted(set(roles) - _ROLES[mode]):
        return f"The model {card.name} does not use the input {foreign[0].value!r}."
    if missing := sorted(_NEEDED.get(mode, frozenset()) - set(roles)):
        return f"The model {card.name} needs the input {missing[0].value!r}."
    if mode is Mode.EDIT and not {Role.MASK_IMAGE, Role.MASK_VIDEO} & set(roles):
        return f"The model {card.name} repaints a video only where a mask says so."
    if _TIER_ORDER.index(tier) > _TIER_ORDER.index(card.top_tier):
        return f"The model {card.name} makes clips of up to {card.top_tier.value}."
    if frame_count(duration_s, card.fps) > card.longest_frames and not setup.is_long:
        return f"The model {card.name} makes clips of at most {card.longest_s:g} seconds."
    return _knob_refusal(setup, knobs, knobs.preset or default_preset)


def _knob_refusal(setup: ModelSetup, knobs: Knobs, preset: str) -> str | None:
    card = setup.card
    if preset == TURBO and setup.turbo is None and not setup.is_distilled:
        return f"The model {card.name} has no step-distilled weights for the preset turbo."
    for lora in knobs.loras:
        if lora.name not in setup.loras:
            return f"The model {card.name} has no LoRA named {lora.name!r}."
        if card.experts == 1 and lora.expert is not Expert.BOTH:
            return f"The model {card.name} has one transformer, and no {lora.expert.value!r} one."
    return None


def plan_refusal(
    setup: ModelSetup, plan: Plan, roles: Collection[Role], default_preset: str
) -> str | None:
    """`refusal` of a plan at submit."""
    tier = plan.tier if plan.size is None else tier_of(plan.size)
    return refusal(
        setup,
        mode=plan.mode,
        roles=roles,
        duration_s=plan.duration_s,
        tier=tier,
        knobs=plan.knobs,
        default_preset=default_preset,
        template=plan.template,
        function=plan.function,
    )


def resolve(order: Order, setup: ModelSetup, default_preset: str) -> RunSpec:
    """The numbers of the run that makes `order`.

    Args:
        order: Sizes, length and rate are taken as they stand.
        setup: The weights to make it with.
        default_preset: The engine's, where the order names none.

    Raises:
        CallerError: FEATURE_UNSUPPORTED, with the sentence of `refusal`.
    """
    card, knobs = setup.card, order.knobs
    tier = tier_of(Size(width=order.width, height=order.height))
    reason = refusal(
        setup,
        mode=order.mode,
        roles=[item.role for item in order.inputs],
        duration_s=order.duration_s,
        tier=tier,
        knobs=knobs,
        default_preset=default_preset,
        template=order.template,
        function=order.function,
    )
    if reason is not None:
        raise CallerError(ErrorCode.FEATURE_UNSUPPORTED, reason)
    preset = knobs.preset or default_preset
    is_distilled = setup.is_distilled or preset == TURBO
    steps, guidance, guidance_2, shift = _sampling(card, tier, is_distilled)
    guidance, guidance_2 = _guidance_pair(
        guidance if knobs.guidance is None else knobs.guidance,
        guidance_2 if knobs.guidance_2 is None else knobs.guidance_2,
        card,
    )
    return RunSpec(
        kind=_kind(card, order.mode),
        width=padded(order.width, card.multiple),
        height=padded(order.height, card.multiple),
        frames=max(frame_count(order.duration_s, card.fps), _enough(order, card.fps)),
        fps=card.fps,
        steps=steps if knobs.steps is None else knobs.steps,
        guidance=guidance,
        guidance_2=guidance_2,
        shift=shift if knobs.flow_shift is None else knobs.flow_shift,
        boundary=_boundary(card, knobs),
        negative=order.negative_prompt or card.negative,
        seed=order.seed,
        preset=preset,
        is_distilled=is_distilled,
        loras=tuple(_use(lora, setup) for lora in knobs.loras),
    )


def encoded_frames(card: Card, spec: RunSpec) -> int:
    """Frames that the autoencoder encodes before the first step."""
    if spec.kind is Kind.T2V:
        return 0
    if spec.kind is Kind.VACE:
        return 2 * spec.frames - 1  # what is kept and what is changed, each as long as the clip
    return 1 if len(card.kinds) == 2 else spec.frames  # TI2V-5B takes the picture alone


def notes(order: Order, spec: RunSpec, setup: ModelSetup) -> tuple[str, ...]:
    """Sentences about what a caller may not expect of the clip."""
    found = []
    if spec.fps != order.fps:
        found.append(f"The model's {spec.fps} frames a second are blended to {order.fps}.")
    if frame_count(order.duration_s, spec.fps) > setup.card.longest_frames:
        longest = f"{setup.card.longest_s:g} seconds"
        found.append(f"The clip is longer than the {longest} that the model was trained on.")
    if order.mode is Mode.EDIT and order.input(Role.MASK_IMAGE) is not None:
        found.append("The mask image stands still through the whole clip.")
    return tuple(found)


def _sampling(card: Card, tier: Tier, is_distilled: bool) -> tuple[int, float, float | None, float]:
    if not is_distilled:
        return card.steps, card.guidance, card.guidance_2, card.shift_for(tier)
    second = None if card.guidance_2 is None else DISTILLED_GUIDANCE
    return DISTILLED_STEPS, DISTILLED_GUIDANCE, second, DISTILLED_SHIFT


def _guidance_pair(high: float, low: float | None, card: Card) -> tuple[float, float | None]:
    """The pair as diffusers must be told it: there the high one alone switches guidance on."""
    if card.experts == 1:
        return high, None
    low = high if low is None else low
    if high > 1.0 or low > 1.0:
        # At and below 1.0 means off, which beside a guided expert is a guidance of just 1.
        return max(high, _BARELY_GUIDED), max(low, 1.0)
    return high, low


def _boundary(card: Card, knobs: Knobs) -> float | None:
    if card.boundary is None or knobs.boundary_ratio is None:
        return card.boundary
    return knobs.boundary_ratio


def _kind(card: Card, mode: Mode) -> Kind:
    if card.kind is Kind.T2V and mode is Mode.I2V:
        return Kind.I2V
    return card.kind


def _enough(order: Order, fps: int) -> int:
    """The fewest frames, `4 k + 1`, that the order's own can be taken from.

    A length between two multiples rounds down: 3 frames short of a second, and nothing is ever
    shortened.
    """
    last = -(-(order.frame_count - 1) * fps // order.fps)
    return 4 * -(-last // 4) + 1


def _use(lora: Lora, setup: ModelSetup) -> LoraUse:
    return LoraUse(
        name=lora.name, file=setup.loras[lora.name], weight=lora.weight, expert=lora.expert
    )
