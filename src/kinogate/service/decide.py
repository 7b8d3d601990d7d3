"""From a request to a plan: every default filled in, every rule of the model's row checked.

Pure: no I/O, no clock; the seed and the engine's refusal come from outside. What needs the inputs'
bytes (a picture's size, a track's length) is decided later, in `run.py`. Obeys design §4.3–4.12.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kinogate.domain.catalogue import (
    AUTO_DURATION,
    AudioRule,
    Catalogue,
    ModelSpec,
    Sizing,
)
from kinogate.domain.errors import CallerError, ErrorCode, field_invalid, field_missing
from kinogate.domain.order import AudioMode, Mode, Role, ShotType
from kinogate.domain.overlays import overlaid
from kinogate.domain.request import (
    Field,
    GenerationRequest,
    HouseRules,
    LongText,
    MediaInput,
)
from kinogate.domain.resolution import ADAPTIVE, SIZES_BY_TIER, Size, Tier, tier_of
from kinogate.domain.task import Plan, StoredMedia
from kinogate.domain.templates import find_template
from kinogate.service.media_rules import check_media_set, mode_of

SEED_MAX = 2_147_483_647
AUTO_DURATION_S = 5
"""What -1 (the model decides) becomes on an engine without an opinion of its own; design §4.24."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A plan whose media are still the request's, the row it obeys, and what was adapted."""

    plan: Plan
    spec: ModelSpec
    warnings: tuple[str, ...]


def decide(
    request: GenerationRequest,
    house: HouseRules,
    catalogue: Catalogue,
    *,
    fresh_seed: int,
) -> Decision:
    """Check a request against its model's row and fill in what is missing.

    Args:
        request: As parsed.
        house: The dialect's rules.
        catalogue: All rows.
        fresh_seed: Used when the caller gave no seed.

    Raises:
        CallerError: With the canonical member at fault.
    """
    spec = find_model(request, house, catalogue)
    mode = mode_of(request, spec, catalogue)
    check_media_set(request, spec, mode, is_last_frame_required=house.is_last_frame_required)
    warnings: list[str] = []
    template = _template(request, mode)
    if template and any(item.role is Role.LAST_FRAME for item in request.media):
        warnings.append("last_frame is not used with a template and was ignored.")
    size, tier, ratio = _pixels(request, house, spec, mode, warnings)
    plan = Plan(
        model=spec.name,
        mode=mode,
        prompt=_prompt(request, house, spec, template, warnings),
        negative_prompt=_negative(request, house, spec, warnings),
        media=(),
        size=size,
        tier=tier,
        ratio=ratio,
        duration_s=_duration(request, house, spec, mode, warnings),
        fps=_fps(request, spec, warnings),
        audio=_audio(request, spec, mode, warnings),
        is_extendable=request.prompt_extend is not False,
        shot_type=_shots(request, spec, warnings),
        watermark=house.watermark_text if request.watermark else None,
        seed=_seed(request, spec, fresh_seed),
        is_seed_given=request.seed not in (None, -1),
        template=template,
        function=request.function,
        knobs=request.knobs,
        safety_filter=request.safety_filter is not False,
        notify_hook=request.notify_hook,
        house=house.name,
        metadata=request.metadata,
    )
    return Decision(plan=plan, spec=spec, warnings=tuple(warnings))


def with_media(plan: Plan, media: tuple[StoredMedia, ...], size: Size | None) -> Plan:
    """The plan with its stored inputs, and its size if an input's header has told it."""
    return replace(plan, media=media, size=plan.size or size)


def used_media(media: tuple[MediaInput, ...], plan: Plan) -> tuple[MediaInput, ...]:
    """Without the inputs that the plan has no use for: a sound not asked for, an effect's end."""
    unused = set()
    if plan.audio is not AudioMode.FILE:
        unused.add(Role.AUDIO)
    if plan.template is not None:
        unused.add(Role.LAST_FRAME)  # spec/dashscope.md §3.2
    return tuple(item for item in media if item.role not in unused)


def find_model(request: GenerationRequest, house: HouseRules, catalogue: Catalogue) -> ModelSpec:
    """The row that a request names, with the dialect's deviations.

    Raises:
        CallerError: FIELD_MISSING or MODEL_UNKNOWN.
    """
    has_image = any(item.role is Role.FIRST_FRAME for item in request.media)
    name = request.model
    if not name:
        name = (house.default_image_model if has_image else None) or house.default_model or ""
    if not name:
        raise field_missing(Field.MODEL)
    return overlaid(catalogue.resolve(name, with_image=has_image), house.overlay)


def _clip(text: str, limit: int, field: Field, house: HouseRules, warnings: list[str]) -> str:
    if len(text) <= limit:
        return text
    if house.long_text is LongText.REFUSE:
        raise field_invalid(field, f"Must be at most {limit} characters; got {len(text)}.")
    warnings.append(f"{field} was cut from {len(text)} to {limit} characters.")
    return text[:limit]


def _prompt(
    request: GenerationRequest,
    house: HouseRules,
    spec: ModelSpec,
    template: str | None,
    warnings: list[str],
) -> str:
    text = request.prompt or ""
    if template:
        return text[: spec.prompt_max]
    if not text.strip():
        if spec.prompt_required or not request.media:
            raise field_missing(Field.PROMPT)
        return ""
    return _clip(text, spec.prompt_max, Field.PROMPT, house, warnings)


def _negative(
    request: GenerationRequest, house: HouseRules, spec: ModelSpec, warnings: list[str]
) -> str:
    text = request.negative_prompt or ""
    if text and spec.negative_max is None:
        warnings.append(f"negative_prompt is not known to {spec.name} and was ignored.")
        return ""
    return _clip(text, spec.negative_max or 0, Field.NEGATIVE_PROMPT, house, warnings)


def _template(request: GenerationRequest, mode: Mode) -> str | None:
    if not request.template:
        return None
    if mode not in (Mode.I2V, Mode.KF2V):
        raise field_invalid(Field.TEMPLATE, "Needs a model that starts from a first frame.")
    template = find_template(request.template)
    if template is None:
        raise field_invalid(Field.TEMPLATE, f"There is no effect {request.template[:60]!r}.")
    return template.name


def _pixels(
    request: GenerationRequest,
    house: HouseRules,
    spec: ModelSpec,
    mode: Mode,
    warnings: list[str],
) -> tuple[Size | None, Tier, str | None]:
    """Output size (None while an input decides it), tier and ratio."""
    tier = request.resolution
    if tier is not None and tier not in spec.tiers:
        raise field_invalid(Field.RESOLUTION, f"Must be {_words(spec.tiers)} for {spec.name}.")
    ratio = _ratio(request, spec, warnings)
    if request.size is not None:
        size = _listed_size(request.size, spec)
        if tier not in (None, tier_of(size)):
            raise field_invalid(
                Field.SIZE,
                f"{size.star} does not belong to the resolution {tier} also given.",
            )
        return size, tier_of(size), ratio
    if spec.sizing is Sizing.BY_SIZE:
        return _size_by_list(request, house, spec, tier)
    tier = tier or spec.default_tier
    follows_input = spec.sizing is Sizing.BY_TIER or (
        mode is not Mode.T2V and ratio in (None, ADAPTIVE)
    )
    if follows_input:
        return None, tier, ratio
    size_found = spec.size_for(tier, ratio or spec.default_ratio or "16:9")
    if size_found is None:
        raise field_invalid(Field.RATIO, f"{ratio} is not available at {tier} for {spec.name}.")
    return size_found, tier, ratio


def _size_by_list(
    request: GenerationRequest, house: HouseRules, spec: ModelSpec, tier: Tier | None
) -> tuple[Size, Tier, None]:
    default = spec.default_size or spec.sizes[-1]
    if tier is None and request.ratio is None:
        if house.default_size in spec.sizes and house.default_size is not None:
            default = house.default_size
        return default, tier_of(default), None
    tier = tier or tier_of(default)
    size = spec.size_for(tier, request.ratio or "16:9")
    if size is None:
        raise field_invalid(
            Field.RATIO, f"{request.ratio} is not available at {tier} for {spec.name}."
        )
    return size, tier, None


def _listed_size(size: Size, spec: ModelSpec) -> Size:
    if spec.sizing is Sizing.BY_SIZE:
        allowed = spec.sizes
    elif spec.sizing is Sizing.BY_TIER:
        allowed = tuple(item for tier in spec.tiers for item in SIZES_BY_TIER[tier])
    else:
        found = (spec.size_for(tier, ratio) for tier in spec.tiers for ratio in spec.ratios)
        allowed = tuple(dict.fromkeys(item for item in found if item is not None))
    if size not in allowed:
        names = ", ".join(item.star for item in allowed)
        raise field_invalid(Field.SIZE, f"Must be one of {names} for {spec.name}.")
    return size


def _ratio(request: GenerationRequest, spec: ModelSpec, warnings: list[str]) -> str | None:
    if request.ratio is None:
        return spec.default_ratio
    if spec.sizing is Sizing.BY_TIER:
        warnings.append(f"{spec.name} keeps its input's ratio; {request.ratio[:16]} was ignored.")
    if spec.sizing is Sizing.BY_TIER_RATIO and request.ratio not in spec.ratios:
        raise field_invalid(Field.RATIO, f"Must be one of {', '.join(spec.ratios)}.")
    return request.ratio if spec.sizing is Sizing.BY_TIER_RATIO else None


def _duration(
    request: GenerationRequest,
    house: HouseRules,
    spec: ModelSpec,
    mode: Mode,
    warnings: list[str],
) -> int:
    rule, asked = spec.durations, request.duration_s
    if asked is None:
        preferred = house.default_duration_s
        asked = preferred if preferred in rule.values and preferred else rule.default
    elif not rule.accepts(asked):
        raise field_invalid(
            Field.DURATION,
            f"Must be {rule.describe()} seconds for {spec.name}; got {asked}.",
        )
    if asked == AUTO_DURATION:
        warnings.append(f"duration was left to the model; it is {AUTO_DURATION_S} seconds.")
        return AUTO_DURATION_S
    return asked


def _fps(request: GenerationRequest, spec: ModelSpec, warnings: list[str]) -> int:
    if request.fps not in (None, spec.fps):
        warnings.append(f"fps is {spec.fps} for {spec.name}; {request.fps} was ignored.")
    return spec.fps


def _audio(
    request: GenerationRequest, spec: ModelSpec, mode: Mode, warnings: list[str]
) -> AudioMode:
    if mode is Mode.S2V:
        return AudioMode.FILE
    if spec.audio is AudioRule.NONE:
        if request.audio is AudioMode.FILE:
            warnings.append(f"{spec.name} has no sound; the audio file was ignored.")
        elif request.audio is AudioMode.AUTO:
            warnings.append(f"{spec.name} has no sound; audio was ignored.")
        return AudioMode.OFF
    if request.audio is AudioMode.OFF and spec.audio is AudioRule.ALWAYS:
        warnings.append(f"{spec.name} always has sound; audio=false was ignored.")
        return AudioMode.AUTO
    if request.audio is AudioMode.FILE and spec.audio_file is None:
        raise field_invalid(Field.AUDIO_FILE, f"{spec.name} takes no audio file.")
    return request.audio or AudioMode.AUTO


def _shots(request: GenerationRequest, spec: ModelSpec, warnings: list[str]) -> ShotType:
    if request.shot_type is not ShotType.MULTI:
        return ShotType.SINGLE
    if not spec.shots:
        warnings.append(f"shot_type is not known to {spec.name} and was ignored.")
        return ShotType.SINGLE
    if request.prompt_extend is False:
        warnings.append("shot_type acts only with prompt_extend on and was ignored.")
        return ShotType.SINGLE
    return ShotType.MULTI


def _seed(request: GenerationRequest, spec: ModelSpec, fresh_seed: int) -> int:
    # wan3.0 documents -1 as "draw one" (spec/dashscope.md §3.5); no other row does.
    if request.seed is None or (request.seed == -1 and spec.protocol == "C"):
        return fresh_seed
    if not 0 <= request.seed <= SEED_MAX:
        raise field_invalid(Field.SEED, f"Must be from 0 to {SEED_MAX}; got {request.seed}.")
    return request.seed


def _words(tiers: tuple[Tier, ...]) -> str:
    return " or ".join(tier.value for tier in tiers)


def unsupported(reason: str) -> CallerError:
    """The refusal of a plan that the chosen engine cannot do."""
    return CallerError(ErrorCode.FEATURE_UNSUPPORTED, reason)
