"""How inputs get to an upstream: in the body, by our links, by its own uploads, as parts."""

from __future__ import annotations

import asyncio
import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from factories import a_png, a_wav
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.errors import CallerError, ErrorCode, InternalError, UpstreamError
from kinogate.domain.order import InputFile, Mode, Order, Role
from kinogate.engines.upstream.wire import Delivery
from kinogate.media.received import shrink_image
from upstream_bench import Shares, a_script, an_order, bench
from upstream_script import Reply, ToyWire, hang_up

INSIDE = "http://10.0.0.1/store"
LINK = "https://files.example.com/files/inputs/a?Expires=1&Signature=s"


def with_inputs(folder: Path, **files: bytes) -> Order:
    """An order whose inputs are named after their roles."""
    inputs = []
    for name, data in files.items():
        path = folder / f"input-{name}"
        path.write_bytes(data)
        inputs.append(InputFile(role=Role(name), path=str(path), link=LINK))
    return an_order(mode=Mode.I2V, model="wan2.6-i2v", inputs=tuple(inputs))


def sent(clip: bytes, folder: Path, order: Order, wire: ToyWire, **more: Any) -> list[list[str]]:
    """What the create call said of the inputs."""

    async def run() -> list[list[str]]:
        async with bench(a_script(clip) | more, wire) as one:
            await one.engine.run(order, folder / "a.mp4", Shares())
            found: list[list[str]] = one.stage.creates[0].json["inputs"]
            return found

    return asyncio.run(run())


def noise_png(width: int, height: int) -> bytes:
    """A PNG that hardly packs."""
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def test_a_picture_goes_in_the_body_as_it_is(clip: bytes, tmp_path: Path) -> None:
    order = with_inputs(tmp_path, first_frame=a_png())
    ((role, text),) = sent(clip, tmp_path, order, ToyWire())
    assert role == "first_frame"
    assert text.startswith("data:image/png;base64,")
    assert base64.b64decode(text.partition(",")[2]) == a_png()


def test_a_picture_beyond_the_limit_is_packed_as_a_jpeg_of_the_same_size(
    clip: bytes, tmp_path: Path
) -> None:
    spec = CATALOGUE.get("wan2.6-i2v")
    assert spec is not None
    assert spec.image is not None
    picture = noise_png(2000, 1900)
    assert len(picture) > spec.image.max_bytes
    order = with_inputs(tmp_path, first_frame=picture)
    ((_, text),) = sent(clip, tmp_path, order, ToyWire())

    assert text.startswith("data:image/jpeg;base64,")
    jpeg = base64.b64decode(text.partition(",")[2])
    assert len(jpeg) <= spec.image.max_bytes
    with Image.open(io.BytesIO(jpeg)) as image:
        assert image.size == (2000, 1900)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "input-first_frame"]


def test_a_sound_goes_as_a_link_of_ours_where_only_urls_are_taken(
    clip: bytes, tmp_path: Path
) -> None:
    order = with_inputs(tmp_path, first_frame=a_png(), audio_file=a_wav())
    _, (role, text) = sent(clip, tmp_path, order, ToyWire())
    assert (role, text) == ("audio_file", LINK)


def test_a_sound_goes_in_the_body_where_that_is_taken(clip: bytes, tmp_path: Path) -> None:
    order = with_inputs(tmp_path, audio_file=a_wav())
    ((_, text),) = sent(clip, tmp_path, order, ToyWire(inlines_audio=True))
    assert text.startswith("data:audio/wav;base64,")


def test_without_a_public_address_another_engine_may_be_asked(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        async with bench(a_script(clip)) as one:
            path = tmp_path / "sound"
            path.write_bytes(a_wav())
            order = an_order(inputs=(InputFile(role=Role.AUDIO, path=str(path)),))
            with pytest.raises(InternalError) as raised:
                await one.engine.run(order, tmp_path / "a.mp4", Shares())
            assert raised.value.code is ErrorCode.UNAVAILABLE
            assert await one.states(order) == []
            assert one.stage.seen == []

    asyncio.run(run())


def test_inputs_are_uploaded_under_the_upstreams_leave(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        script = a_script(clip) | {"POST /store": [hang_up, Reply(200)]}
        async with bench(script, ToyWire(delivery=Delivery.POLICY)) as one:
            one.stage.script["GET /leave"] = [
                Reply(200, {"policy": f"p-{index}", "host": f"{one.stage.url}/store"})
                for index in range(2)
            ]
            order = with_inputs(tmp_path, first_frame=a_png(), last_frame=a_png())
            await one.engine.run(order, tmp_path / "a.mp4", Shares())

            stores = one.stage.of("POST", "/store")
            assert len(stores) == 3  # the first was lost, and sent again
            assert a_png() in stores[0].body
            assert stores[0].body.index(b"p-0") < stores[0].body.index(a_png())
            assert all("authorization" not in store.headers for store in stores)
            assert one.stage.of("GET", "/leave")[0].query == {"model": "wan2.6-i2v"}
            assert [text for _, text in one.stage.creates[0].json["inputs"]] == [
                "toy://p-0",
                "toy://p-1",
            ]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("leave", "store", "code"),
    [
        (Reply(401, {"code": "BadKey"}), Reply(200), ErrorCode.UPSTREAM_REFUSED),
        (Reply(200, {"policy": "p", "host": "HERE"}), Reply(403), ErrorCode.UPSTREAM_FAILED),
        (Reply(200, {"policy": "p", "host": INSIDE}), Reply(200), ErrorCode.UPSTREAM_FAILED),
    ],
    ids=["no leave", "no upload", "private host"],
)
def test_an_upload_that_fails_has_cost_nothing(
    leave: Reply, store: Reply, code: ErrorCode, clip: bytes, tmp_path: Path
) -> None:
    async def run() -> None:
        script = a_script(clip) | {"POST /store": [store]}
        async with bench(script, ToyWire(delivery=Delivery.POLICY)) as one:
            body = dict(leave.body)  # type: ignore[arg-type]
            if body.get("host") == "HERE":
                body["host"] = f"{one.stage.url}/store"
            one.stage.script["GET /leave"] = [Reply(leave.status, body)]
            order = with_inputs(tmp_path, first_frame=a_png())
            with pytest.raises(UpstreamError) as raised:
                await one.engine.run(order, tmp_path / "a.mp4", Shares())
            assert raised.value.code is code
            assert not raised.value.is_charged
            assert await one.states(order) == []

    asyncio.run(run())


def test_parts_are_left_to_the_wire(clip: bytes, tmp_path: Path) -> None:
    order = with_inputs(tmp_path, first_frame=a_png())
    assert sent(clip, tmp_path, order, ToyWire(delivery=Delivery.PARTS)) == [["first_frame", ""]]


def test_a_picture_is_made_smaller_only_when_no_quality_fits(tmp_path: Path) -> None:
    path, out = tmp_path / "a.png", tmp_path / "a.jpg"
    path.write_bytes(noise_png(800, 600))
    assert shrink_image(path, out, 400_000) == out.stat().st_size
    with Image.open(out) as image:
        assert image.size == (800, 600)

    assert shrink_image(path, out, 120_000) <= 120_000
    with Image.open(out) as image:
        assert image.size[0] < 800
        assert image.width * 3 == pytest.approx(image.height * 4, abs=8)

    with pytest.raises(CallerError) as raised:
        shrink_image(path, out, 1_000)
    assert raised.value.code is ErrorCode.MEDIA_TOO_LARGE
