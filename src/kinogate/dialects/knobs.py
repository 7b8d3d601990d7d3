"""Reads wishes for an engine's sampler: our own spelling, and that of vLLM-Omni and SGLang.

Ranges are those of `domain.knobs.Knobs`. Whether the engine knows a knob is found out later.
"""

from __future__ import annotations

import math
import re

from kinogate.dialects.members import Members, read_json
from kinogate.domain.errors import CallerError, field_invalid, field_missing
from kinogate.domain.knobs import NO_KNOBS, PRESETS, Expert, Knobs, Lora

_STEPS_MAX = 200
_GUIDANCE_MAX = 30.0
_SHIFT_MAX = 100.0
_WEIGHT_MAX = 4.0
_LORAS_MAX = 8
_NAME_MAX = 128
# `float` alone would also take `1_0`, `infinity` and the digits of other scripts.
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_LORA_NAMES = ("name", "lora_name", "adapter")
_LORA_PATHS = ("local_path", "path", "lora_path", "lora_local_path")
_LORA_SCALES = ("scale", "lora_scale")
_LORA_IDS = ("int_id", "lora_int_id")


def read_knobs(body: Members) -> Knobs:
    """The object `knobs` of the native dialect.

    Raises:
        CallerError: FIELD_INVALID or FIELD_MISSING with the wire name.
    """
    inside = body.members("knobs")
    if inside is None:
        return NO_KNOBS
    loras = tuple(
        Lora(
            name=_name(item, ("name",)),
            weight=_weight(item, ("weight",)),
            expert=Expert(item.choice("expert", Expert) or Expert.BOTH),
        )
        for item in inside.objects("loras")
    )
    if len(loras) > _LORAS_MAX:
        raise field_invalid(inside.path("loras"), f"Must hold at most {_LORAS_MAX} items.")
    return Knobs(
        steps=_steps(inside, "steps"),
        guidance=_guidance(inside, "guidance"),
        guidance_2=_guidance(inside, "guidance_2"),
        flow_shift=_flow_shift(inside, "flow_shift"),
        boundary_ratio=_number(inside, "boundary_ratio", 0.0, 1.0),
        preset=inside.choice("preset", PRESETS),
        loras=loras,
    )


def read_server_knobs(body: Members) -> Knobs:
    """The members that vLLM-Omni and SGLang take beside OpenAI's.

    `guidance_scale` is the low-noise stage's and `guidance_scale_2` the high-noise stage's, as
    vLLM-Omni has it; diffusers and SGLang have it the other way round. Alone, `guidance_scale` is
    both stages', which all of them agree on.

    Raises:
        CallerError: FIELD_INVALID or FIELD_MISSING with the wire name.
    """
    low = _guidance(body, "guidance_scale")
    high = _guidance(body, "guidance_scale_2")
    return Knobs(
        steps=_steps(body, "num_inference_steps"),
        guidance=low if high is None else high,
        guidance_2=low,
        flow_shift=_flow_shift(body, "flow_shift"),
        boundary_ratio=_number(body, "boundary_ratio", 0.0, 1.0),
        loras=_server_loras(body),
    )


def _server_loras(body: Members) -> tuple[Lora, ...]:
    """`lora`: an object, its JSON text in a form, or a list of such objects."""
    value, path = body.raw("lora"), body.path("lora")
    if isinstance(value, str):
        if not value.strip():
            return ()
        try:
            value = read_json(value.encode())
        except CallerError as error:
            raise field_invalid(path, "Is not valid JSON.") from error
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    if len(items) > _LORAS_MAX:
        raise field_invalid(path, f"Must hold at most {_LORAS_MAX} items.")
    found = []
    for item in items:
        if not isinstance(item, dict):
            raise field_invalid(path, "Must be an object such as {name, scale}.")
        found.append(_server_lora(Members(item, path)))
    return tuple(found)


def _server_lora(item: Members) -> Lora:
    for name in _LORA_PATHS:
        if item.raw(name) is not None:
            raise field_invalid(
                item.path(name), "Paths are not taken; name a LoRA that this server knows."
            )
    for name in _LORA_IDS:  # a handle of that server's own, which nothing here needs
        item.raw(name)
    lora = Lora(name=_name(item, _LORA_NAMES), weight=_weight(item, _LORA_SCALES))
    if unknown := item.ignored():
        raise field_invalid(unknown[0], "A LoRA has no such member.")
    return lora


def _name(item: Members, names: tuple[str, ...]) -> str:
    found = next((text for name in names if (text := item.text(name)) is not None), None)
    if found is None or not found.strip():
        raise field_missing(item.path(names[0]))
    if len(found) > _NAME_MAX:
        raise field_invalid(item.path(names[0]), f"Must be at most {_NAME_MAX} characters.")
    return found


def _weight(item: Members, names: tuple[str, ...]) -> float:
    found = [_number(item, name, -_WEIGHT_MAX, _WEIGHT_MAX) for name in names]
    return next((weight for weight in found if weight is not None), 1.0)


def _steps(body: Members, name: str) -> int | None:
    steps = body.integer(name)
    if steps is not None and not 1 <= steps <= _STEPS_MAX:
        raise field_invalid(body.path(name), f"Must be from 1 to {_STEPS_MAX}; got {steps}.")
    return steps


def _guidance(body: Members, name: str) -> float | None:
    return _number(body, name, 0.0, _GUIDANCE_MAX)


def _flow_shift(body: Members, name: str) -> float | None:
    shift = _number(body, name, 0.0, _SHIFT_MAX)
    if shift == 0.0:
        raise field_invalid(body.path(name), f"Must be above 0 and at most {_SHIFT_MAX:g}.")
    return shift


def _number(body: Members, name: str, least: float, most: float) -> float | None:
    """A number, or its text as a form has it, within both ends."""
    value = body.raw(name)
    if value is None:
        return None
    number = math.nan
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, str):
        is_number = _NUMBER.fullmatch(value.strip()) is not None
    if is_number and isinstance(value, int | float | str):
        number = float(value)
    if not least <= number <= most:  # also for what is no number
        raise field_invalid(body.path(name), f"Must be a number from {least:g} to {most:g}.")
    return number
