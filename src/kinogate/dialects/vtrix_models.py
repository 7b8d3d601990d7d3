"""The model list and the parameter sheets that Vtrix's command line reads.

Obeys spec/dialects.md §B.5: `model_id, name, vendor, type, api, parameters[], agent_prompt`. What
a parameter may be comes from the model's row, so a new model needs no line here.
"""

from __future__ import annotations

from kinogate.domain.catalogue import ModelSpec
from kinogate.domain.models import ModelCard
from kinogate.domain.order import Mode, ShotType
from kinogate.domain.overlays import Overlay, overlaid
from kinogate.domain.spec import AudioRule, Sizing

_SEED_MAX = 2_147_483_647
_FRAME_MODES = frozenset({Mode.I2V, Mode.KF2V, Mode.S2V})


def model_entry(card: ModelCard) -> dict[str, object]:
    """One line of the list."""
    return {
        "model_id": card.spec.name,
        "name": card.spec.name,
        "vendor": "alibaba",
        "type": "video",
    }


def model_spec(card: ModelCard, overlay: Overlay) -> dict[str, object]:
    """A model's sheet, with this dialect's deviations."""
    spec = overlaid(card.spec, overlay)
    return {
        **model_entry(card),
        "api": {
            "endpoint": "/model/v1/generation",
            "method": "POST",
            "headers": {"Content-Type": "application/json"},
        },
        "parameters": [*_inputs(spec), *_parameters(spec)],
        "agent_prompt": f"Makes a video with {spec.name}.",
    }


def _inputs(spec: ModelSpec) -> list[dict[str, object]]:
    found = [
        _parameter(
            "input.prompt",
            "string",
            "What the video shows.",
            required=spec.prompt_required,
            max_length=spec.prompt_max,
        )
    ]
    if spec.modes & _FRAME_MODES:
        found.append(_parameter("input.img_url", "string", "The first frame.", required=True))
    if Mode.KF2V in spec.modes:
        found.append(_parameter("input.last_frame_url", "string", "The last frame."))
    if spec.accepts_audio_file:
        found.append(_parameter("input.audio_url", "string", "The sound, WAV or MP3."))
    if spec.template:
        found.append(_parameter("input.template", "string", "Name of an effect."))
    return found


def _pixels(spec: ModelSpec) -> dict[str, object]:
    if spec.sizing is Sizing.BY_SIZE:
        return _parameter(
            "parameters.size",
            "string",
            "Width and height in pixels.",
            enum=[size.star for size in spec.sizes],
            default=spec.default_size.star if spec.default_size else None,
        )
    return _parameter(
        "parameters.resolution",
        "string",
        "Resolution tier.",
        enum=[tier.value for tier in spec.tiers],
        default=spec.default_tier.value,
    )


def _parameters(spec: ModelSpec) -> list[dict[str, object]]:
    found = [_pixels(spec)]
    if spec.durations.values:
        found.append(
            _parameter(
                "parameters.duration",
                "integer",
                "Length in seconds.",
                enum=list(spec.durations.values),
                default=spec.durations.default,
            )
        )
    if spec.negative_max is not None:
        found.append(
            _parameter(
                "parameters.negative_prompt",
                "string",
                "What the video must not show.",
                max_length=spec.negative_max,
            )
        )
    if spec.audio is AudioRule.SWITCH:
        found.append(
            _parameter("parameters.audio", "boolean", "Whether there is sound.", default=True)
        )
    if spec.shots:
        found.append(
            _parameter(
                "parameters.shot_type",
                "string",
                "One shot or several.",
                enum=[shot.value for shot in ShotType],
                default=ShotType.SINGLE.value,
            )
        )
    return [
        *found,
        _parameter(
            "parameters.prompt_extend", "boolean", "Whether the prompt is rewritten.", default=True
        ),
        _parameter("parameters.watermark", "boolean", "Whether to mark the video.", default=False),
        _parameter("parameters.seed", "integer", "Random seed.", min=0, max=_SEED_MAX),
    ]


def _parameter(
    path: str, kind: str, description: str, *, required: bool = False, **constraints: object
) -> dict[str, object]:
    return {
        "name": path.rpartition(".")[2],
        "path": path,
        "type": kind,
        "required": required,
        "description": description,
        "constraints": {key: value for key, value in constraints.items() if value is not None},
    }
