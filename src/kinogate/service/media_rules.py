"""Which inputs make which mode, and which sets of inputs a row takes. Pure.

Obeys the media rules of spec/dashscope.md §3; the byte limits of single files are checked when the
files are read.
"""

from __future__ import annotations

from collections import Counter

from kinogate.domain.catalogue import Catalogue, ModelSpec
from kinogate.domain.errors import CallerError, field_invalid, field_missing
from kinogate.domain.order import Mode, Role
from kinogate.domain.request import Field, GenerationRequest

_FRAMES = frozenset({Role.FIRST_FRAME, Role.LAST_FRAME})
_REFERENCES = frozenset({Role.REFERENCE_IMAGE, Role.REFERENCE_VIDEO, Role.REFERENCE_AUDIO})
_PAGES = frozenset({Role.DOCUMENT, Role.LINK})
_SOUND = frozenset({Role.AUDIO, Role.VOICE})
_VACE = {
    "image_reference": Mode.R2V,
    "video_extension": Mode.CLIP,
    "video_repainting": Mode.EDIT,
    "video_edit": Mode.EDIT,
    "video_outpainting": Mode.EDIT,
}
_AT_MOST_ONE = frozenset(Role) - _REFERENCES - {Role.VOICE}
# A function names the work before any input does; one of these must come along for it.
_NEEDED_BY_FUNCTION = {
    Mode.R2V: (Role.REFERENCE_IMAGE, Role.REFERENCE_VIDEO),
    Mode.CLIP: (Role.FIRST_CLIP,),
    Mode.EDIT: (Role.SOURCE_VIDEO,),
}


def mode_of(request: GenerationRequest, spec: ModelSpec, catalogue: Catalogue) -> Mode:
    """What kind of work the inputs make of a request.

    Raises:
        CallerError: The row does not do that kind of work, or a required input is missing.
    """
    roles = frozenset(item.role for item in request.media) - _SOUND
    mode = _implied(request, spec, roles)
    if mode in spec.modes:
        return mode
    if mode is Mode.I2V and Mode.KF2V in spec.modes:
        return Mode.I2V  # the last frame is optional (spec §3.2)
    raise _misfit(mode, roles, spec, catalogue)


def _implied(request: GenerationRequest, spec: ModelSpec, roles: frozenset[Role]) -> Mode:
    if request.function is not None:
        mode = _VACE.get(request.function)
        if mode is None:
            raise field_invalid(Field.FUNCTION, f"Must be one of {', '.join(_VACE)}.")
        return mode
    if Role.SOURCE_VIDEO in roles:
        return Mode.ANIMATE if Mode.ANIMATE in spec.modes else Mode.EDIT
    if roles & _PAGES:
        return Mode.DOCUMENT
    if Role.FIRST_CLIP in roles:
        return Mode.CLIP
    if roles & _REFERENCES:
        return Mode.R2V
    if Mode.S2V in spec.modes:
        return Mode.S2V
    if Role.LAST_FRAME in roles and not (request.template and Role.FIRST_FRAME in roles):
        return Mode.KF2V
    return Mode.I2V if Role.FIRST_FRAME in roles else Mode.T2V


def _misfit(
    mode: Mode, roles: frozenset[Role], spec: ModelSpec, catalogue: Catalogue
) -> CallerError:
    if not roles:
        return _missing_input(spec)
    if Mode.T2V in spec.modes and roles <= _FRAMES:
        sibling = catalogue.i2v_sibling(spec)
        hint = f"; {sibling.name} does" if sibling else ""
        return field_invalid(Field.FIRST_FRAME, f"{spec.name} takes no image{hint}.")
    if mode is Mode.KF2V and Mode.I2V in spec.modes:
        return field_invalid(Field.LAST_FRAME, f"{spec.name} takes no last frame.")
    role = next(iter(sorted(roles)))
    return field_invalid(role, f"{spec.name} takes no such input.")


def _missing_input(spec: ModelSpec) -> CallerError:
    if spec.modes & {Mode.I2V, Mode.KF2V, Mode.S2V, Mode.ANIMATE}:
        return field_missing(Field.FIRST_FRAME)
    if Mode.EDIT in spec.modes:
        return field_missing(Role.SOURCE_VIDEO)
    return field_missing(Field.MEDIA)


def check_media_set(
    request: GenerationRequest, spec: ModelSpec, mode: Mode, *, is_last_frame_required: bool = False
) -> None:
    """Refuse sets of inputs that the row does not take.

    Args:
        request: As parsed.
        spec: The model's row.
        mode: What `mode_of` said.
        is_last_frame_required: The house rule of that name.

    Raises:
        CallerError: FIELD_MISSING or FIELD_INVALID.
    """
    counts = Counter(item.role for item in request.media)
    for role, count in counts.items():
        if count > 1 and role in _AT_MOST_ONE:
            raise field_invalid(role, "May be given once.")
    roles = frozenset(counts)
    needed = _NEEDED_BY_FUNCTION.get(mode, ()) if request.function is not None else ()
    if needed and roles.isdisjoint(needed):
        raise field_missing(needed[0])
    if Role.LAST_FRAME in roles and not roles & {Role.FIRST_FRAME, Role.FIRST_CLIP}:
        raise field_missing(Field.FIRST_FRAME)
    if is_last_frame_required and spec.modes == {Mode.KF2V} and Role.LAST_FRAME not in roles:
        raise field_missing(Field.LAST_FRAME)
    if mode is Mode.S2V:
        for role in (Role.FIRST_FRAME, Role.AUDIO):
            if role not in roles:
                raise field_missing(role)
    if spec.protocol == "C":
        _check_exclusive(roles)
    if Role.FIRST_CLIP in roles and Role.FIRST_FRAME in roles:
        raise field_invalid(Field.MEDIA, "first_clip and first_frame exclude each other.")
    _check_references(counts, spec)


def _check_exclusive(roles: frozenset[Role]) -> None:
    if roles & _FRAMES and roles & (_REFERENCES | _PAGES):
        raise field_invalid(
            Field.MEDIA,
            "The two modes are mutually exclusive: pass either first_frame/last_frame or "
            "reference_xx, file or link.",
        )
    if roles >= _PAGES:
        raise field_invalid(Field.MEDIA, "file and link exclude each other.")


def _check_references(counts: Counter[Role], spec: ModelSpec) -> None:
    most = spec.references
    limits = (
        (Role.REFERENCE_IMAGE, most.images),
        (Role.REFERENCE_VIDEO, most.videos),
        (Role.REFERENCE_AUDIO, most.audios),
    )
    for role, limit in limits:
        if counts[role] > limit:
            raise field_invalid(role, f"At most {limit} for {spec.name}; got {counts[role]}.")
    together = counts[Role.REFERENCE_IMAGE] + counts[Role.REFERENCE_VIDEO]
    if most.together is not None and together > most.together:
        raise field_invalid(
            Field.MEDIA,
            f"At most {most.together} references for {spec.name}; got {together}.",
        )
