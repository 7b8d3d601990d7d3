"""Reads Vtrix create bodies: the flat form of seed 003 and the list form of its clients.

Parses and decides nothing. Obeys spec/dialects.md §B.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from kinogate.dialects.members import Members
from kinogate.dialects.pixels import read_size, read_tier
from kinogate.domain.errors import field_invalid, field_missing
from kinogate.domain.order import AudioMode, Role, ShotType
from kinogate.domain.request import GenerationRequest, MediaInput, Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """Where the two halves of a body lie; one and the same object where it is not halved."""

    given: Members
    parameters: Members


def read_body(body: Members) -> Submission:
    """Turn a create body of either form into a submission.

    Args:
        body: The whole JSON object.

    Raises:
        CallerError: FIELD_MISSING or FIELD_INVALID with the dotted wire path.
    """
    model = body.required_text("model")
    safety_filter = body.flag("moderation")
    parts = _list_form(body) if isinstance(body.raw("input"), list) else _flat_form(body)
    given, parameters = parts.given, parts.parameters
    media, audio = _media(given, parameters)
    shots = parameters.choice("shot_type", ShotType)
    negative = parameters.text("negative_prompt")
    if negative is None:
        negative = given.text("negative_prompt")  # where the wan2.2 page has it
    request = GenerationRequest(
        model=model,
        prompt=given.text("prompt"),
        negative_prompt=negative,
        media=media,
        size=read_size(parameters, "size"),
        resolution=read_tier(parameters, "resolution"),
        duration_s=parameters.integer("duration"),
        audio=audio,
        prompt_extend=parameters.flag("prompt_extend"),
        shot_type=ShotType(shots) if shots else None,
        watermark=parameters.flag("watermark"),
        seed=parameters.integer("seed"),
        template=given.text("template") or None,
        safety_filter=safety_filter,
    )
    return Submission(request=request, ignored=body.ignored())


def _flat_form(body: Members) -> _Parts:
    given = body.members("input")
    if given is None:
        raise field_missing("input")
    return _Parts(given=given, parameters=_or_empty(body, "parameters"))


def _list_form(body: Members) -> _Parts:
    """`input: [{"params": …}]`, the params halved once more or not."""
    items = body.objects("input")
    if len(items) != 1:
        raise field_invalid("input", f"Must hold exactly one element; got {len(items)}.")
    params = items[0].members("params")
    if params is None:
        raise field_missing(items[0].path("params"))
    nested = params.members("input") if params.has("input") else None
    if nested is None:
        return _Parts(given=params, parameters=params)
    return _Parts(given=nested, parameters=_or_empty(params, "parameters"))


def _or_empty(members: Members, name: str) -> Members:
    return members.members(name) or Members({}, members.path(name))


def _media(given: Members, parameters: Members) -> tuple[tuple[MediaInput, ...], AudioMode | None]:
    """The inputs, and the sound after this dialect's precedence: `audio` beats `audio_url`."""
    media = [
        MediaInput(role=role, text=text)
        for name, role in (("img_url", Role.FIRST_FRAME), ("last_frame_url", Role.LAST_FRAME))
        if (text := given.text(name))
    ]
    switch, url = parameters.flag("audio"), given.text("audio_url")
    if switch is False:
        return tuple(media), AudioMode.OFF
    if url:
        return (*media, MediaInput(role=Role.AUDIO, text=url)), AudioMode.FILE
    return tuple(media), AudioMode.AUTO if switch else None
