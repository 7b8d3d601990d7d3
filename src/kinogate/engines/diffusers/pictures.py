"""Given pictures and clips, brought to exactly the size that is generated.

By cover and centre-crop, never by stretching, which is what the pipelines themselves would do. Runs
in the child process; the server has checked the files, and here they are strangers' all the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.domain.order import Order, Role
from kinogate.engines.diffusers.resolve import RunSpec
from kinogate.media.probe import frames as decoded
from kinogate.media.probe import probe_video

Picture = Image.Image
_UNKNOWN = (128, 128, 128)
"""What VACE is given where it is to invent: mid grey under a white mask."""


def first_picture(order: Order, role: Role, spec: RunSpec) -> Picture | None:
    """The order's first picture of a role, fitted; None where there is none."""
    item = order.input(role)
    return None if item is None else fitted(open_upright(Path(item.path), role), spec)


def fitted(picture: Picture, spec: RunSpec) -> Picture:
    """Cover the generated size, the middle kept."""
    size = (spec.width, spec.height)
    if picture.size == size:
        return picture
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


def open_upright(path: Path, role: Role) -> Picture:
    """Decode a picture as RGB, turned as its EXIF says, alpha laid on white.

    Raises:
        CallerError: MEDIA_FORMAT with the role, when it cannot be decoded.
    """
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            if upright.has_transparency_data:
                ground = Image.new("RGBA", upright.size, "white")
                return Image.alpha_composite(ground, upright.convert("RGBA")).convert("RGB")
            return upright.convert("RGB")
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as exc:
        raise CallerError(
            ErrorCode.MEDIA_FORMAT, "The picture cannot be decoded.", field=role
        ) from exc


def vace_conditions(
    order: Order, spec: RunSpec
) -> tuple[list[Picture], list[Picture], list[Picture]]:
    """What a VACE model is told: known frames, where they may be changed, and references.

    Returns:
        As many frames as are generated; as many masks, black to keep and white to make; the
        reference pictures, which the pipeline itself lays on white.
    """
    known: list[Picture | None] = [None] * spec.frames
    masks: list[Picture | None] = [None] * spec.frames
    for role in (Role.FIRST_CLIP, Role.SOURCE_VIDEO):
        for index, frame in enumerate(_clip(order, role, spec)):
            known[index] = frame
    if (first := first_picture(order, Role.FIRST_FRAME, spec)) is not None:
        known[0] = first
    if (last := first_picture(order, Role.LAST_FRAME, spec)) is not None:
        # The order's last frame, which need not be the last that is generated.
        known[_last_index(order, spec)] = last
    if order.input(Role.SOURCE_VIDEO) is not None:
        known = _prolonged(known)
        masks = _prolonged(_repaint_masks(order, spec))
    black, white = (
        Image.new("RGB", (spec.width, spec.height), tone) for tone in ("black", "white")
    )
    grey = Image.new("RGB", (spec.width, spec.height), _UNKNOWN)
    frames = [frame or grey for frame in known]
    shown = [
        mask or (white if frame is None else black)
        for frame, mask in zip(known, masks, strict=True)
    ]
    references = [
        open_upright(Path(item.path), item.role)
        for item in order.inputs
        if item.role is Role.REFERENCE_IMAGE
    ]
    return frames, shown, references


def _last_index(order: Order, spec: RunSpec) -> int:
    return min(spec.frames - 1, round((order.frame_count - 1) * spec.fps / order.fps))


def _clip(order: Order, role: Role, spec: RunSpec) -> list[Picture]:
    """The frames of a given clip at the generated rate and size, at most as many as fit."""
    item = order.input(role)
    if item is None:
        return []
    return [
        fitted(Image.fromarray(frame), spec)
        for frame in _resampled(Path(item.path), role, spec.fps, spec.frames)
    ]


def _repaint_masks(order: Order, spec: RunSpec) -> list[Picture | None]:
    masks: list[Picture | None] = [None] * spec.frames
    still = order.input(Role.MASK_IMAGE)
    if still is not None:
        mask = _two_toned(fitted(open_upright(Path(still.path), still.role), spec))
        return [mask] * spec.frames
    for index, frame in enumerate(_clip(order, Role.MASK_VIDEO, spec)):
        masks[index] = _two_toned(frame)
    return masks


def _two_toned(mask: Picture) -> Picture:
    """Black and white only: what is neither is decided by the middle."""
    return mask.convert("L").point(lambda tone: 255 if tone > 127 else 0).convert("RGB")


def _prolonged(pictures: list[Picture | None]) -> list[Picture | None]:
    """With the last known picture held to the end, for a source shorter than the clip."""
    held: list[Picture | None] = []
    for picture in pictures:
        held.append(picture if picture is not None or not held else held[-1])
    return held


def _resampled(path: Path, role: Role, fps: int, most: int) -> list[npt.NDArray[np.uint8]]:
    """The nearest frame to each instant of the wanted rate."""
    try:
        facts = probe_video(path)
        wanted = [
            min(round(index * float(facts.fps) / fps), facts.frame_count - 1)
            for index in range(min(most, round(facts.frame_count * fps / float(facts.fps))))
        ]
        taken: list[npt.NDArray[np.uint8]] = []
        for index, frame in enumerate(decoded(path)):
            while len(taken) < len(wanted) and wanted[len(taken)] == index:
                taken.append(frame)
            if len(taken) == len(wanted):
                break
    except InternalError as exc:
        raise CallerError(
            ErrorCode.MEDIA_FORMAT, "The video cannot be decoded.", field=role
        ) from exc
    if not taken:
        raise CallerError(ErrorCode.MEDIA_FORMAT, "The video has no frames.", field=role)
    return taken
