"""A size beside a picture of another shape is refused before anything is paid for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from round_trip import WIRES, an_order

from factories import a_png
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.order import InputFile, Mode, Order, Role
from kinogate.domain.resolution import Tier, fit_to_tier
from kinogate.engines.upstream.fit import require_fit


def with_picture(folder: Path, sides: tuple[int, int], **changes: Any) -> Order:
    path = folder / "picture"
    path.write_bytes(a_png(*sides))
    members = {"mode": Mode.I2V, "model": "wan2.6-i2v"} | changes
    return an_order(inputs=(InputFile(role=Role.FIRST_FRAME, path=str(path)),), **members)


@pytest.mark.parametrize("name", ["dashscope", "mulerouter", "vtrix", "unified"])
def test_a_portrait_is_not_sent_where_a_landscape_was_asked_for(name: str, tmp_path: Path) -> None:
    order = with_picture(tmp_path, (720, 1280))

    with pytest.raises(CallerError, match=r"720\*1280, not 1280\*720") as caught:
        asyncio.run(require_fit(WIRES[name], order))

    assert caught.value.code is ErrorCode.MEDIA_DIMENSIONS
    assert caught.value.field == Role.FIRST_FRAME


@pytest.mark.parametrize("name", ["openai", "sglang", "vllm-omni"])
def test_where_sizes_are_exact_any_picture_will_do(name: str, tmp_path: Path) -> None:
    asyncio.run(require_fit(WIRES[name], with_picture(tmp_path, (720, 1280))))


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("sides", [(750, 1000), (1280, 720), (1000, 1000), (2000, 250), (400, 360)])
def test_an_order_that_follows_its_picture_always_fits(
    tier: Tier, sides: tuple[int, int], tmp_path: Path
) -> None:
    size = fit_to_tier(*sides, tier)
    order = with_picture(tmp_path, sides, tier=tier, width=size.width, height=size.height)

    for wire in WIRES.values():
        asyncio.run(require_fit(wire, order))


@pytest.mark.parametrize(("ratio", "fits"), [("adaptive", False), ("16:9", True)])
def test_a_ratio_that_is_said_needs_no_picture_of_that_shape(
    ratio: str, *, fits: bool, tmp_path: Path
) -> None:
    order = with_picture(tmp_path, (720, 1280), model="wan3.0-video", ratio=ratio)

    if fits:
        asyncio.run(require_fit(WIRES["dashscope"], order))
    else:
        with pytest.raises(CallerError):
            asyncio.run(require_fit(WIRES["dashscope"], order))


def test_what_is_no_picture_is_left_to_the_upstream(tmp_path: Path) -> None:
    order = with_picture(tmp_path, (720, 1280))
    Path(order.inputs[0].path).write_bytes(b"BM")

    asyncio.run(require_fit(WIRES["dashscope"], order))
