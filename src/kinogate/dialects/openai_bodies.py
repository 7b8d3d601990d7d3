"""Reads OpenAI video bodies: the published members, our extras, and engine knobs of others.

A form and a JSON object arrive here as the same `Members`; file parts are `bytes`. Obeys
spec/dialects.md §D.2 and §0.3. Limits are the services' question.
"""

from __future__ import annotations

from kinogate.dialects.knobs import read_server_knobs
from kinogate.dialects.members import Members, read_json
from kinogate.domain.errors import CallerError, field_invalid, field_missing
from kinogate.domain.order import AudioMode, Role, ShotType
from kinogate.domain.request import GenerationRequest, MediaInput, Submission
from kinogate.domain.resolution import MAX_SIDE, Size, Tier, parse_size, parse_tier

_FIRST_FRAME_NAMES = (
    "input_reference",
    "image_reference",  # vLLM-Omni
    "reference_url",  # SGLang
    "image_url",
    "img_url",
)
_METADATA_MAX = 16
_METADATA_KEY_MAX = 64
_METADATA_VALUE_MAX = 512


def read_body(body: Members) -> Submission:
    """Turn a create body into a submission; an absent model is "" (the house's default).

    Raises:
        CallerError: FIELD_MISSING or FIELD_INVALID with the wire name.
    """
    warnings: list[str] = []
    first = _first_frame(body)
    media = [] if first is None else [_media(Role.FIRST_FRAME, first)]
    last = _picture(body, "last_frame")
    if last is not None:
        media.append(_media(Role.LAST_FRAME, last))
    sound = _upload_or_text(body, "audio_url")
    audio = _audio_mode(_alias_flag(body, "audio", "generate_sound"), has_file=sound is not None)
    if sound is not None and audio is AudioMode.FILE:
        media.append(_media(Role.AUDIO, sound))
    elif sound is not None:
        warnings.append("audio_url is not used, because audio is false.")
    _check_count(body)
    if body.integer("num_frames") is not None:
        warnings.append("num_frames is not used: a clip has seconds times fps frames.")
    request = GenerationRequest(
        model=body.text("model") or "",
        prompt=body.text("prompt"),
        negative_prompt=body.text("negative_prompt"),
        media=tuple(media),
        size=_size(body),
        resolution=_tier(body),
        ratio=_alias_text(body, "ratio", "aspect_ratio"),
        duration_s=body.integer("seconds"),
        fps=body.integer("fps"),
        audio=audio,
        prompt_extend=_alias_flag(body, "prompt_extend", "enhance_prompt"),
        shot_type=_shot_type(body),
        watermark=body.flag("watermark"),
        seed=body.integer("seed"),
        template=body.text("template") or None,
        knobs=read_server_knobs(body),
        metadata=_metadata(body),
    )
    return Submission(request=request, ignored=body.ignored(), warnings=tuple(warnings))


def _media(role: Role, value: str | bytes) -> MediaInput:
    if isinstance(value, bytes):
        return MediaInput(role=role, data=value)
    return MediaInput(role=role, text=value)


def _first_frame(body: Members) -> str | bytes | None:
    """The reference image under any of its names; two names must not disagree."""
    found: str | bytes | None = None
    taken = ""
    for name in _FIRST_FRAME_NAMES:
        value = _picture(body, name)
        if found is None:
            found, taken = value, name
        elif value not in (None, found):
            raise field_invalid(body.path(name), f"Contradicts {taken}, which is also given.")
    return found


def _picture(body: Members, name: str) -> str | bytes | None:
    """An image in any of its observed forms: a file, a URL or data URI, `{image_url}`, a list."""
    value = body.raw(name)
    path = body.path(name)
    if isinstance(value, list):
        if len(value) > 1:
            raise field_invalid(path, "Takes one image.")
        value = value[0] if value else None
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = _object_from(value, path)
    if value is None or isinstance(value, str | bytes):
        return value
    if isinstance(value, dict):
        return _linked_picture(Members(value, path))
    raise field_invalid(path, "Must be an image file, a URL, a data URI, or {image_url: URL}.")


def _linked_picture(reference: Members) -> str | bytes:
    if reference.has("file_id"):
        raise field_invalid(
            reference.path("file_id"),
            "Files cannot be stored here; send the image itself or its URL.",
        )
    link = reference.raw("image_url")
    if isinstance(link, dict):  # as chat messages have it
        link = Members(link, reference.path("image_url")).text("url")
    if link is None:
        raise field_missing(reference.path("image_url"))
    if not isinstance(link, str | bytes):
        raise field_invalid(reference.path("image_url"), "Must be a string.")
    return link


def _upload_or_text(body: Members, name: str) -> str | bytes | None:
    value = body.raw(name)
    return value if isinstance(value, bytes) else body.text(name)


def _object_from(text: str, path: str) -> object:
    """The value of JSON text in a form field."""
    try:
        return read_json(text.encode())
    except CallerError as error:
        raise field_invalid(path, "Is not valid JSON.") from error


def _alias_flag(body: Members, name: str, alias: str) -> bool | None:
    flag, other = body.flag(name), body.flag(alias)
    return other if flag is None else flag


def _alias_text(body: Members, name: str, alias: str) -> str | None:
    text, other = body.text(name), body.text(alias)
    return other if text is None else text


def _size(body: Members) -> Size | None:
    """`size`, or `width` and `height` together; an empty `size` is the model's own (SGLang)."""
    text = body.text("size") or None
    size = None if text is None else parse_size(text)
    if text is not None and size is None:
        raise field_invalid(body.path("size"), "Must be WIDTHxHEIGHT in pixels, such as 1280x720.")
    width, height = _side(body, "width"), _side(body, "height")
    if width is None and height is None:
        return size
    if width is None or height is None:
        raise field_missing(body.path("width" if width is None else "height"))
    sides = Size(width=width, height=height)
    if size not in (None, sides):
        raise field_invalid(body.path("size"), "Contradicts width and height.")
    return sides


def _side(body: Members, name: str) -> int | None:
    pixels = body.integer(name)
    if pixels is not None and not 1 <= pixels <= MAX_SIDE:
        raise field_invalid(body.path(name), f"Must be from 1 to {MAX_SIDE} pixels.")
    return pixels


def _tier(body: Members) -> Tier | None:
    text = body.text("resolution")
    if text is None:
        return None
    tier = parse_tier(text)
    if tier is None:
        raise field_invalid(body.path("resolution"), "Must be one of 480P, 720P, 1080P.")
    return tier


def _shot_type(body: Members) -> ShotType | None:
    word = body.choice("shot_type", ShotType)
    return None if word is None else ShotType(word)


def _check_count(body: Members) -> None:
    count = body.integer("n")
    if count not in (None, 1):
        raise field_invalid(body.path("n"), "Must be 1: one call makes one video.")


def _metadata(body: Members) -> tuple[tuple[str, str], ...]:
    """OpenAI's own limits: 16 pairs, keys of 64 and values of 512 characters."""
    value = body.raw("metadata")
    path = body.path("metadata")
    if isinstance(value, str):
        value = _object_from(value, path)
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise field_invalid(path, "Must be an object.")
    if len(value) > _METADATA_MAX:
        raise field_invalid(path, f"Must have at most {_METADATA_MAX} pairs.")
    pairs = tuple(value.items())
    for key, text in pairs:
        if not isinstance(text, str):
            raise field_invalid(path, "Values must be strings.")
        if len(key) > _METADATA_KEY_MAX or len(text) > _METADATA_VALUE_MAX:
            raise field_invalid(
                path,
                f"Keys may have {_METADATA_KEY_MAX} characters, values {_METADATA_VALUE_MAX}.",
            )
    return pairs


def _audio_mode(switch: bool | None, *, has_file: bool) -> AudioMode | None:
    """`audio:false` beats a given file; a given file beats `audio:true`."""
    if switch is False:
        return AudioMode.OFF
    if has_file:
        return AudioMode.FILE
    return AudioMode.AUTO if switch else None
