"""Reads MuleRouter create bodies: flat, the model in the path, `null` for "not given".

Parses and decides nothing. Obeys seed 004 and spec/dialects.md §C.2.
"""

from __future__ import annotations

from kinogate.dialects.members import Members
from kinogate.dialects.pixels import read_size, read_tier
from kinogate.domain.order import AudioMode, Role, ShotType
from kinogate.domain.request import GenerationRequest, MediaInput, Submission

_SINGLES: tuple[tuple[str, Role], ...] = (
    ("image", Role.FIRST_FRAME),
    ("last_frame", Role.LAST_FRAME),
)

# vace only; what its other members mean (masks' motion, margins) no engine of ours knows, so they
# are reported as ignored.
_VACE_SINGLES: tuple[tuple[str, Role], ...] = (
    ("first_frame_url", Role.FIRST_FRAME),
    ("last_frame_url", Role.LAST_FRAME),
    ("first_clip_url", Role.FIRST_CLIP),
    ("last_clip_url", Role.LAST_CLIP),
    ("video_url", Role.SOURCE_VIDEO),
    ("mask_image_url", Role.MASK_IMAGE),
    ("mask_video_url", Role.MASK_VIDEO),
)


def read_body(body: Members, model: str) -> Submission:
    """Turn a create body into a submission.

    Args:
        body: The whole JSON object.
        model: As the path spells it; a `model` in the body means nothing.

    Raises:
        CallerError: FIELD_INVALID with the wire name.
    """
    function = body.text("function") or None
    media, audio = _media(body, function)
    extend = body.flag("prompt_extend")
    shots = body.choice("multi_shots", ShotType)
    request = GenerationRequest(
        model=model,
        prompt=body.text("prompt"),
        negative_prompt=body.text("negative_prompt"),
        media=media,
        size=read_size(body, "size"),
        resolution=read_tier(body, "resolution"),
        duration_s=body.integer("duration"),
        audio=audio,
        # vace rewrites prompts only when asked to; everything else unless told not to.
        prompt_extend=False if extend is None and function else extend,
        shot_type=ShotType(shots) if shots else None,
        seed=body.integer("seed"),
        template=body.text("template") or None,
        function=function,
        safety_filter=body.flag("safety_filter"),
    )
    return Submission(request=request, ignored=body.ignored())


def _media(body: Members, function: str | None) -> tuple[tuple[MediaInput, ...], AudioMode | None]:
    """The inputs, and the sound after this dialect's precedence: `audio_url` beats `audio`."""
    names = _SINGLES if function is None else _SINGLES + _VACE_SINGLES
    media = [MediaInput(role=role, text=text) for name, role in names if (text := body.text(name))]
    if function is not None:
        media += [
            MediaInput(role=Role.REFERENCE_IMAGE, text=text)
            for text in body.texts("ref_images_url")
        ]
    switch, url = body.flag("audio"), body.text("audio_url")
    if url:
        return (*media, MediaInput(role=Role.AUDIO, text=url)), AudioMode.FILE
    if switch is None:
        return tuple(media), None
    return tuple(media), AudioMode.AUTO if switch else AudioMode.OFF
