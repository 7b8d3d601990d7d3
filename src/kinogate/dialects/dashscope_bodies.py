"""Reads DashScope create bodies: one lenient reader for every form the vendor ever published.

The forms (wan2.1 to 2.6, kf2v, vace, s2v and animate, wan2.7, wan3.0) use disjoint names for the
same things, and clients mix them (`img_url` sent to wan2.7-i2v), so the reader takes their union.
Whether the model wants what was sent is the services' question. Obeys spec/dashscope.md §3.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from kinogate.dialects.dashscope_errors import UNRESOLVED_TEXT
from kinogate.dialects.members import Members
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.errors import CallerError, ErrorCode, field_invalid, field_missing
from kinogate.domain.order import AudioMode, Role, ShotType
from kinogate.domain.request import GenerationRequest, MediaInput, Submission
from kinogate.domain.resolution import Size, Tier, parse_size, parse_tier

_SINGLES: tuple[tuple[str, Role], ...] = (
    ("img_url", Role.FIRST_FRAME),
    ("first_frame_url", Role.FIRST_FRAME),
    ("head_frame", Role.FIRST_FRAME),  # old kf2v, still an argument of the vendor's SDK
    ("image_url", Role.FIRST_FRAME),  # s2v and animate: the portrait
    ("last_frame_url", Role.LAST_FRAME),
    ("tail_frame", Role.LAST_FRAME),
    ("first_clip_url", Role.FIRST_CLIP),
    ("last_clip_url", Role.LAST_CLIP),
    ("video_url", Role.SOURCE_VIDEO),
    ("mask_image_url", Role.MASK_IMAGE),
    ("mask_video_url", Role.MASK_VIDEO),
    ("audio_url", Role.AUDIO),
)

# None: each entry is an image or a video, told apart by its name.
_LISTS: tuple[tuple[str, Role | None], ...] = (
    ("reference_urls", None),
    ("reference_url", None),
    ("reference_video_urls", Role.REFERENCE_VIDEO),
    ("ref_images_url", Role.REFERENCE_IMAGE),
)

_ITEM_ROLES: dict[str, Role] = {
    "first_frame": Role.FIRST_FRAME,
    "last_frame": Role.LAST_FRAME,
    "first_clip": Role.FIRST_CLIP,
    "driving_audio": Role.AUDIO,
    "reference_image": Role.REFERENCE_IMAGE,
    "reference_video": Role.REFERENCE_VIDEO,
    "reference_audio": Role.REFERENCE_AUDIO,
    "video": Role.SOURCE_VIDEO,
    "file": Role.DOCUMENT,
    "link": Role.LINK,
}

_VIDEO_ENDINGS = (".mp4", ".mov", ".m4v", ".webm", ".avi", ".mkv")

_SILENCED = "The audio file is not used, because parameters.audio is false."

_UPLOAD_SCHEME = "oss://"

_SDK_FUNCTION = "video-synthesis"
"""What the vendor's 1.x SDK puts into `input.function` of every call; it means nothing."""


def read_body(body: Members) -> Submission:
    """Turn a create body into a submission.

    Args:
        body: The whole JSON object.

    Raises:
        CallerError: FIELD_MISSING or FIELD_INVALID with the dotted wire path.
    """
    model = body.required_text("model")
    given = body.members("input")
    if given is None:
        raise field_missing("input")
    parameters = body.members("parameters") or Members({}, "parameters")
    inputs = _read_inputs(given)
    audio = _audio_mode(parameters.flag("audio"), has_file=inputs.has(Role.AUDIO))
    media = inputs.without(Role.AUDIO) if audio is AudioMode.OFF else tuple(inputs.media)
    warnings = () if len(media) == len(inputs.media) else (_SILENCED,)
    given.raw("extend_prompt")  # deprecated twin of prompt_extend: the 1.x SDK always sends it
    function = given.text("function")
    request = GenerationRequest(
        model=model,
        prompt=given.text("prompt"),
        negative_prompt=given.text("negative_prompt"),
        media=media,
        size=_read_size(parameters),
        resolution=_read_tier(parameters),
        ratio=parameters.text("ratio"),
        duration_s=parameters.integer("duration"),
        audio=audio,
        prompt_extend=parameters.flag("prompt_extend"),
        shot_type=_read_shot_type(parameters),
        watermark=parameters.flag("watermark"),
        seed=_read_seed(parameters, model),
        template=given.text("template") or None,
        function=None if function in ("", _SDK_FUNCTION) else function,
        edit=given.has("media") and inputs.has(Role.SOURCE_VIDEO),
    )
    return Submission(request=request, ignored=body.ignored(), warnings=warnings)


def with_uploads(submission: Submission, *, is_resolving: bool) -> Submission:
    """Tell `oss://` inputs from others.

    Args:
        submission: As `read_body` gave it.
        is_resolving: Whether the call asked for such inputs to be resolved.

    Raises:
        CallerError: MEDIA_URL_INVALID: it did not, and there are some.
    """
    request = submission.request
    media = tuple(_as_upload(item) for item in request.media)
    if media == request.media:
        return submission
    if not is_resolving:
        raise CallerError(ErrorCode.MEDIA_URL_INVALID, UNRESOLVED_TEXT)
    return replace(submission, request=replace(request, media=media))


def _as_upload(item: MediaInput) -> MediaInput:
    text = item.text or ""
    if not text.startswith(_UPLOAD_SCHEME):
        return item
    return MediaInput(role=item.role, upload=text.removeprefix(_UPLOAD_SCHEME))


def _read_size(parameters: Members) -> Size | None:
    text = parameters.text("size")
    if text is None:
        return None
    size = parse_size(text)
    if size is None:
        raise field_invalid(
            parameters.path("size"), "Must be width*height in pixels, such as 1280*720."
        )
    return size


def _read_tier(parameters: Members) -> Tier | None:
    text = parameters.text("resolution")
    if text is None:
        return None
    tier = parse_tier(text)
    if tier is None:
        raise field_invalid(parameters.path("resolution"), "Must be one of 480P, 720P, 1080P.")
    return tier


def _read_shot_type(parameters: Members) -> ShotType | None:
    word = parameters.choice("shot_type", ShotType)
    return None if word is None else ShotType(word)


def _read_seed(parameters: Members, model: str) -> int | None:
    seed = parameters.integer("seed")
    # wan3.0 alone documents -1 as "draw one"; elsewhere it is out of range.
    return None if seed == -1 and _takes_minus_one(model) else seed


def _takes_minus_one(model: str) -> bool:
    try:
        return CATALOGUE.resolve(model).protocol == "C"
    except CallerError:
        return False


class _Inputs:
    """The inputs found so far; inputs are never dropped for coming under two names."""

    def __init__(self) -> None:
        self.media: list[MediaInput] = []
        self._names: dict[Role, str] = {}

    def add(self, name: str, media: tuple[MediaInput, ...]) -> None:
        """Take what one member holds; the same once more under another name changes nothing.

        Raises:
            CallerError: FIELD_INVALID, when a role would get something else besides.
        """
        taken = next((self._names[item.role] for item in media if item.role in self._names), None)
        if taken is None:
            self.media.extend(media)
            self._names.update((item.role, name) for item in media)
        elif not all(item in self.media for item in media):
            raise field_invalid(name, f"Contradicts {taken}, which is also given.")

    def without(self, role: Role) -> tuple[MediaInput, ...]:
        """The inputs of every other role."""
        return tuple(item for item in self.media if item.role is not role)

    def has(self, role: Role) -> bool:
        """Whether an input of this role was found."""
        return role in self._names


def _read_inputs(given: Members) -> _Inputs:
    """Everything in `input` that is media; `media` items come first, in their order."""
    inputs = _Inputs()
    items = given.objects("media")
    inputs.add(given.path("media"), tuple(media for item in items for media in _read_item(item)))
    for name, role in _LISTS:
        texts = _read_texts(given, name)
        found = tuple(MediaInput(role=role or _reference_role(text), text=text) for text in texts)
        inputs.add(given.path(name), found)
    for name, single_role in _SINGLES:
        single = given.text(name)
        if single is not None:
            inputs.add(given.path(name), (MediaInput(role=single_role, text=single),))
    return inputs


def _read_item(item: Members) -> tuple[MediaInput, ...]:
    """One item of `media`, with the voice that it may bring along directly after it."""
    kind = item.required_text("type")
    role = _ITEM_ROLES.get(kind)
    if role is None:
        raise field_invalid(item.path("type"), f"Must be one of {', '.join(_ITEM_ROLES)}.")
    url = item.text("url")
    if url is None:
        raise field_missing(item.path("url"))
    voice = item.text("reference_voice")
    media = MediaInput(role=role, text=url)
    return (media,) if voice is None else (media, MediaInput(role=Role.VOICE, text=voice))


def _read_texts(given: Members, name: str) -> tuple[str, ...]:
    value = given.raw(name)
    return (value,) if isinstance(value, str) else given.texts(name)


def _reference_role(text: str) -> Role:
    """Image or video; a URL that does not say is an image (our choice)."""
    if text.startswith("data:"):
        is_video = text.startswith("data:video/")
    else:
        try:
            path = urlsplit(text).path
        except ValueError:  # a broken URL is the services' to refuse
            path = ""
        is_video = path.lower().endswith(_VIDEO_ENDINGS)
    return Role.REFERENCE_VIDEO if is_video else Role.REFERENCE_IMAGE


def _audio_mode(switch: bool | None, *, has_file: bool) -> AudioMode | None:
    """`audio:false` beats a given file; a given file beats `audio:true`."""
    if switch is False:
        return AudioMode.OFF
    if has_file:
        return AudioMode.FILE
    return AudioMode.AUTO if switch else None
