"""DashScope's create bodies, one function for each form the vendor has published.

Which members a form has, and in which half, is spec/dashscope.md §3. Members are named one by one:
nothing goes out that the form does not document.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kinogate.domain.order import AudioMode, Mode, Order, Role, ShotType
from kinogate.domain.resolution import ADAPTIVE, Size, ratio_label
from kinogate.domain.spec import ModelSpec
from kinogate.engines.upstream.base import filled, given, texts, whole_seconds
from kinogate.engines.upstream.vace import is_vace, vace_members
from kinogate.engines.upstream.wire import Given

Halves = tuple[dict[str, object], dict[str, object]]
"""`input` and `parameters`."""

# §3.4 and §3.5: the types of `media` items. `driving_audio` is wan2.7's; wan3.0 has only
# references for sound.
_ITEM_TYPES: Mapping[Role, str] = MappingProxyType(
    {
        Role.FIRST_FRAME: "first_frame",
        Role.LAST_FRAME: "last_frame",
        Role.FIRST_CLIP: "first_clip",
        Role.AUDIO: "driving_audio",
        Role.REFERENCE_IMAGE: "reference_image",
        Role.REFERENCE_VIDEO: "reference_video",
        Role.REFERENCE_AUDIO: "reference_audio",
        Role.SOURCE_VIDEO: "video",
        Role.DOCUMENT: "file",
        Role.LINK: "link",
    }
)


def halves(order: Order, row: ModelSpec, prompt: str, media: tuple[Given, ...]) -> Halves:
    """The two halves of the body that the row's form has.

    Args:
        order: As decided.
        row: The model's.
        prompt: The order's, within the row's limit.
        media: The inputs as the upstream is told of them.
    """
    if row.protocol in ("B", "C"):
        return _with_media(order, row, prompt, media)
    if order.mode is Mode.S2V:
        return _s2v(order, media)
    if order.mode is Mode.ANIMATE:
        return _animate(order, media)
    if is_vace(row):
        return _vace(order, prompt, media)
    if Mode.KF2V in row.modes:
        return _kf2v(order, prompt, media)
    return _flat(order, row, prompt, media)


def _common(order: Order) -> dict[str, object]:
    """What every form has but those of portraits and motions."""
    return {
        "prompt_extend": order.prompt_extend,
        "watermark": _is_marked(order),
        "seed": order.seed,
    }


def _is_marked(order: Order) -> bool:
    """Whether the vendor draws its mark: one is still ordered only where it is the same text."""
    return order.watermark is not None


def _words(order: Order, prompt: str) -> dict[str, object]:
    """The texts; with an effect there is no prompt."""
    return filled(
        prompt=None if order.template else prompt,
        negative_prompt=order.negative_prompt,
        template=order.template,
    )


def _flat(order: Order, row: ModelSpec, prompt: str, media: tuple[Given, ...]) -> Halves:
    """§3.1: wan2.1 to wan2.6, from text, a first frame or references."""
    has_file = order.audio is AudioMode.FILE
    references = texts(media, Role.REFERENCE_IMAGE, Role.REFERENCE_VIDEO)
    inputs = _words(order, prompt) | filled(
        img_url=given(media, Role.FIRST_FRAME),
        audio_url=given(media, Role.AUDIO) if has_file else None,
        reference_urls=references or None,
    )
    parameters = _common(order) | {"duration": whole_seconds(order)}
    if order.mode is Mode.I2V:
        parameters["resolution"] = order.tier
    else:
        parameters["size"] = Size(width=order.width, height=order.height).star
    if row.shots:
        # `multi` acts only with prompt_extend, which a decided order has then (§3.1).
        is_multi = order.shot_type is ShotType.MULTI
        parameters["shot_type"] = "multi" if is_multi else "single"
    if row.has_sound:
        parameters["audio"] = order.audio is not AudioMode.OFF
    return inputs, parameters


def _kf2v(order: Order, prompt: str, media: tuple[Given, ...]) -> Halves:
    """§3.2: between two frames, silent."""
    inputs = _words(order, prompt) | filled(
        first_frame_url=given(media, Role.FIRST_FRAME),
        last_frame_url=given(media, Role.LAST_FRAME),
    )
    return inputs, _common(order) | {"resolution": order.tier, "duration": whole_seconds(order)}


def _vace(order: Order, prompt: str, media: tuple[Given, ...]) -> Halves:
    """§3.3."""
    inputs = _words(order, prompt) | vace_members(order, media)
    size = Size(width=order.width, height=order.height).star
    return inputs, _common(order) | {"size": size, "duration": whole_seconds(order)}


def _s2v(order: Order, media: tuple[Given, ...]) -> Halves:
    """§3.6: no prompt, no seed, and the sound gives the length."""
    inputs = filled(image_url=given(media, Role.FIRST_FRAME), audio_url=given(media, Role.AUDIO))
    return inputs, {"resolution": order.tier}


def _animate(order: Order, media: tuple[Given, ...]) -> Halves:
    """§3.6: `wan-std` is the cheaper of two modes, and no dialect of ours can ask for the other."""
    inputs = filled(
        image_url=given(media, Role.FIRST_FRAME), video_url=given(media, Role.SOURCE_VIDEO)
    )
    return inputs, {"mode": "wan-std", "watermark": _is_marked(order)}


def _with_media(order: Order, row: ModelSpec, prompt: str, media: tuple[Given, ...]) -> Halves:
    """§3.4 and §3.5: wan2.7 and wan3.0."""
    inputs = filled(prompt=prompt)
    if row.protocol == "B":
        inputs |= filled(negative_prompt=order.negative_prompt)
    has_file = order.audio is AudioMode.FILE
    if order.mode is Mode.T2V and row.protocol == "B":
        inputs |= filled(audio_url=given(media, Role.AUDIO) if has_file else None)
    else:
        items = _items(media if has_file else _without_sound(media))
        inputs |= filled(media=items or None)
    parameters = _common(order) | filled(
        resolution=order.tier, ratio=_ratio(order, row), duration=_duration(order, row)
    )
    if row.protocol == "C":
        parameters["audio"] = order.audio is not AudioMode.OFF
    return inputs, parameters


def _without_sound(media: tuple[Given, ...]) -> tuple[Given, ...]:
    return tuple(item for item in media if item.role is not Role.AUDIO)


def _items(media: tuple[Given, ...]) -> list[dict[str, object]]:
    """The `media` list; a voice belongs to the reference that it follows."""
    items: list[dict[str, object]] = []
    for item in media:
        if item.role is Role.VOICE and items:
            items[-1]["reference_voice"] = item.text
        elif item.role in _ITEM_TYPES:
            items.append({"type": _ITEM_TYPES[item.role], "url": item.text})
    return items


def _ratio(order: Order, row: ModelSpec) -> str | None:
    """The ratio in words; None where the form has none or the input's is kept.

    A size asked for in pixels has decided the ratio, whatever the row's default is. From text
    `adaptive` would leave to the model what has been promised already.
    """
    if not row.ratios:
        return None
    follows_input = order.ratio in (None, ADAPTIVE) and order.mode is not Mode.T2V
    label = ratio_label(Size(width=order.width, height=order.height))
    return order.ratio if follows_input or label not in row.ratios else label


def _duration(order: Order, row: ModelSpec) -> int | None:
    """Whole seconds; None, the vendor's "keep", for a clip as long as its input."""
    seconds = whole_seconds(order)
    if row.durations.keep and abs(seconds - order.duration_s) > 1 / order.fps:
        return None
    return seconds if seconds in row.durations.values else None
