"""Inspection through real child processes, as the server does it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from PIL import Image

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.media import AudioFacts, FootageFacts, ImageFacts, ImageRules
from kinogate.domain.spec import AudioFileRule, ImageRule, VideoRule
from kinogate.media.inspector import INSPECT_LIMITS, Inspector

from .files import encoded, footage, png_header, short, sound

T = TypeVar("T")
FileOf = Callable[[bytes], Path]

MIB = 1024 * 1024
PICTURE = Image.radial_gradient("L").resize((400, 300)).convert("RGB")
IMAGE = ImageRule(min_side=240, max_side=8000, max_bytes=20 * MIB, max_ratio=8)


@asynccontextmanager
async def inspecting(slots: int = 1) -> AsyncIterator[Inspector]:
    inspector = Inspector(slots=slots)
    try:
        await inspector.start()
        yield inspector
    finally:
        await inspector.close()


def run(work: Callable[[Inspector], Awaitable[T]]) -> T:
    async def main() -> T:
        async with inspecting() as inspector:
            return await work(inspector)

    return asyncio.run(main())


def rules(folder: Path) -> ImageRules:
    return ImageRules(limits=IMAGE, out=str(folder / "out.png"))


def test_each_kind_of_file_comes_back_with_its_facts(tmp_path: Path) -> None:
    for name, data in {
        "a.jpg": encoded(PICTURE, "JPEG"),
        "a.mp3": sound("mp3", 4),
        "a.mp4": footage(2),
    }.items():
        (tmp_path / name).write_bytes(data)

    async def work(inspector: Inspector) -> tuple[ImageFacts, AudioFacts, FootageFacts]:
        return (
            await inspector.image(tmp_path / "a.jpg", rules(tmp_path)),
            await inspector.audio(tmp_path / "a.mp3", AudioFileRule(min_s=3, max_s=30)),
            await inspector.video(tmp_path / "a.mp4", VideoRule(max_bytes=MIB)),
        )

    image, audio, video = run(work)
    assert (image.width, image.height, image.path) == (400, 300, str(tmp_path / "out.png"))
    assert (audio.sample_rate, round(audio.duration_s, 1)) == (44100, 4.0)
    assert (video.width, video.frame_count) == (64, 20)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (png_header(100, 300), ErrorCode.MEDIA_DIMENSIONS),
        (png_header(30_000, 30_000), ErrorCode.MEDIA_DIMENSIONS),
        (b"GIF89a" + bytes(100), ErrorCode.MEDIA_FORMAT),
        (encoded(PICTURE, "PNG")[:-300], ErrorCode.MEDIA_FORMAT),
        (encoded(PICTURE, "PNG").ljust(20 * MIB + 1, b"\0"), ErrorCode.MEDIA_TOO_LARGE),
    ],
    ids=short,
)
def test_a_refusal_crosses_the_border_with_its_code(
    data: bytes, code: ErrorCode, file_of: FileOf, tmp_path: Path
) -> None:
    path = file_of(data)
    with pytest.raises(CallerError) as caught:
        run(lambda inspector: inspector.image(path, rules(tmp_path)))
    assert caught.value.code is code
    assert not (tmp_path / "out.png").exists()


def test_the_largest_image_of_the_catalogue_fits_into_the_limits(tmp_path: Path) -> None:
    large = Image.new("RGBA", (8000, 8000), "teal")
    large.save(tmp_path / "large.webp", lossless=True, method=0, quality=0)
    facts = run(lambda inspector: inspector.image(tmp_path / "large.webp", rules(tmp_path)))
    assert (facts.width, facts.height) == (8000, 8000)
    with Image.open(tmp_path / "out.png") as copy:
        assert copy.size == (4096, 4096)


def test_children_have_limits_on_everything() -> None:
    assert INSPECT_LIMITS.address_space_bytes
    assert INSPECT_LIMITS.cpu_s
    assert INSPECT_LIMITS.file_bytes
    assert INSPECT_LIMITS.open_files
    assert INSPECT_LIMITS.is_offline


def test_naming_the_inspector_imports_no_decoder() -> None:
    script = (
        "import sys, kinogate.media.inspector\n"
        "print(sorted({'PIL', 'av', 'cv2', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
