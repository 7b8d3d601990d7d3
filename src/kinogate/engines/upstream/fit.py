"""A size in pixels beside a picture of another shape, at an upstream that only knows tiers.

Most image-to-video models keep their picture's ratio. Asked for 1280x720 with a portrait they make
a portrait, and charge for it; so that is found out before the create call.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.order import Order, Role
from kinogate.domain.resolution import Size, fit_to_tier, tier_of
from kinogate.engines.upstream.wire import Wire
from kinogate.media.header import image_size

_HEAD_BYTES = 65_536
_RATIO_OFF = 0.06  # what a clip that is taken as it measures may be off by, too


async def require_fit(wire: Wire, order: Order) -> None:
    """Let an order through whose size is what the upstream will make of its first frame.

    Raises:
        CallerError: MEDIA_DIMENSIONS: the clip would get another ratio than was asked for.
    """
    first = order.input(Role.FIRST_FRAME)
    if first is None or not wire.keeps_ratio(order):
        return
    sides = image_size(await asyncio.to_thread(_head, Path(first.path)))
    if sides is None:  # then it is no picture that could be told a ratio from
        return
    asked = Size(width=order.width, height=order.height)
    made = fit_to_tier(*sides, order.tier or tier_of(asked))
    off = asked.width * made.height / (asked.height * made.width)
    if max(off, 1 / off) > 1 + _RATIO_OFF:
        raise CallerError(
            ErrorCode.MEDIA_DIMENSIONS,
            f"The picture's clip would be {made.star}, not {asked.star}: the engine for "
            f"{order.model} keeps the picture's ratio. Leave the size out or crop the picture.",
            field=Role.FIRST_FRAME,
        )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)
