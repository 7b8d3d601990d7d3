"""What the two wires that sell vace share: its inputs and its functions.

DashScope and MuleRouter spell them alike (spec/dashscope.md §3.3, spec/dialects.md §C.2). Masks'
motion, margins and controls are not in an order, so the vendor's defaults hold for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kinogate.domain.order import Mode, Order, Role
from kinogate.domain.spec import ModelSpec
from kinogate.domain.task import Plan
from kinogate.engines.upstream.base import filled, given, texts
from kinogate.engines.upstream.wire import Given

_FUNCTION_BY_MODE: Mapping[Mode, str] = MappingProxyType(
    {Mode.R2V: "image_reference", Mode.CLIP: "video_extension"}
)
"""The function that a kind of work can only be, where the caller named none."""

_SINGLES: tuple[tuple[str, Role], ...] = (
    ("video_url", Role.SOURCE_VIDEO),
    ("mask_image_url", Role.MASK_IMAGE),
    ("mask_video_url", Role.MASK_VIDEO),
    ("first_frame_url", Role.FIRST_FRAME),
    ("last_frame_url", Role.LAST_FRAME),
    ("first_clip_url", Role.FIRST_CLIP),
    ("last_clip_url", Role.LAST_CLIP),
)

VACE_ROLES = frozenset({Role.REFERENCE_IMAGE, *(role for _, role in _SINGLES)})
"""The inputs that vace takes."""


def is_vace(row: ModelSpec) -> bool:
    """Whether a row has functions; later models that edit are asked in words."""
    return row.protocol == "A" and Mode.EDIT in row.modes


def vace_members(order: Order, media: tuple[Given, ...]) -> dict[str, object]:
    """The function and the inputs."""
    members = filled(ref_images_url=texts(media, Role.REFERENCE_IMAGE) or None)
    members |= filled(**{name: given(media, role) for name, role in _SINGLES})
    return members | {"function": order.function or _FUNCTION_BY_MODE[order.mode]}


def vace_misfit(plan: Plan) -> str | None:
    """Why a plan for vace cannot be said, or None."""
    if plan.function == "video_outpainting":
        return "This upstream cannot be told the margins of video_outpainting."
    if plan.function is None and plan.mode not in _FUNCTION_BY_MODE:
        return f"This upstream needs to be told the function of {plan.model}."
    return None
