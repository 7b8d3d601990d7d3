"""Files in pieces: bytes only ever join on at the end, and nothing unfinished stays for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import TypeVar

import pytest

from harness import CountedIds, StillClock
from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.service.upload_parts import PART_TTL_S, OffsetError, Part, Parts, Piece

T = TypeVar("T")


async def chunks(*data: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for item in data:
        yield item
    if then is not None:
        raise then


def run(work: Coroutine[object, object, T]) -> T:
    return asyncio.run(work)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def parts(tmp_path: Path, clock: StillClock) -> Parts:
    return Parts(tmp_path / "in", clock, CountedIds())


def again(parts: Parts, part: Part) -> Part:
    found = parts.find("acme", part.id)
    assert found is not None
    return found


def offset_of(parts: Parts, part: Part, piece: Piece, *data: bytes) -> int:
    with pytest.raises(OffsetError) as caught:
        run(parts.append(part, piece, chunks(*data)))
    return caught.value.offset


def test_pieces_join_in_order(parts: Parts) -> None:
    part = parts.begin("acme", 6)
    part = run(parts.append(part, Piece(start=0, end=4, total=6), chunks(b"ab", b"cd")))
    assert (part.received_bytes, part.size_bytes) == (4, 6)
    part = run(parts.append(part, Piece(start=4, end=6, total=6), chunks(b"ef")))
    assert part.path.read_bytes() == b"abcdef"


@pytest.mark.parametrize(
    "piece",
    [
        Piece(start=1, end=3, total=6),
        Piece(start=3, end=6, total=6),
        Piece(start=0, end=2, total=6),
        Piece(start=2, end=4, total=7),
    ],
    ids=["overlap", "gap", "again", "another total"],
)
def test_a_piece_that_does_not_fit_is_told_where_to_go_on(parts: Parts, piece: Piece) -> None:
    part = parts.begin("acme", 6)
    run(parts.append(part, Piece(start=0, end=2, total=6), chunks(b"ab")))
    assert offset_of(parts, part, piece, b"xxxxxx"[: piece.end - piece.start]) == 2
    assert part.path.read_bytes() == b"ab"


def test_a_break_keeps_what_came(parts: Parts) -> None:
    part = parts.begin("acme", 6)
    gone = CallerError(ErrorCode.REQUEST_MALFORMED, "The body ended too early.")
    with pytest.raises(CallerError, match="too early"):
        run(parts.append(part, Piece(start=0, end=6, total=6), chunks(b"abc", then=gone)))
    assert again(parts, part).received_bytes == 3
    done = run(parts.append(part, Piece(start=3, end=6, total=6), chunks(b"def")))
    assert done.path.read_bytes() == b"abcdef"


def test_a_short_piece_keeps_what_came_and_a_long_one_nothing(parts: Parts) -> None:
    part = parts.begin("acme", 6)
    assert offset_of(parts, part, Piece(start=0, end=4, total=6), b"abc") == 3
    assert offset_of(parts, part, Piece(start=3, end=4, total=6), b"d", b"e") == 3
    assert part.path.read_bytes() == b"abc"


def test_two_writers_at_once_are_one_too_many(parts: Parts) -> None:
    part = parts.begin("acme", 4)

    async def work() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b"ab"
            begun.set()
            await go_on.wait()
            yield b"cd"

        first = asyncio.create_task(parts.append(part, Piece(start=0, end=4, total=4), slowly()))
        await begun.wait()
        with pytest.raises(CallerError, match="Another piece"):
            await parts.append(part, Piece(start=0, end=4, total=4), chunks(b"xxxx"))
        go_on.set()
        await first

    run(work())
    assert part.path.read_bytes() == b"abcd"


def test_an_upload_is_its_accounts_alone(parts: Parts) -> None:
    part = parts.begin("acme", 4)
    assert parts.find("acme", part.id) == part
    assert parts.find("umbrella", part.id) is None


def test_an_upload_that_nobody_goes_on_with_expires(parts: Parts, clock: StillClock) -> None:
    part = parts.begin("acme", 4)
    clock.ms += (PART_TTL_S - 1) * 1000
    assert parts.sweep() == 0
    run(parts.append(part, Piece(start=0, end=2, total=4), chunks(b"ab")))
    clock.ms += (PART_TTL_S - 1) * 1000
    assert again(parts, part).received_bytes == 2
    clock.ms += 2_000
    assert parts.find("acme", part.id) is None
    assert parts.sweep() == 1
    assert not part.path.exists()


def test_a_whole_file_lies_there_for_as_long_as_it_is_used(parts: Parts, tmp_path: Path) -> None:
    async def work() -> bytes:
        async with parts.receive(chunks(b"ab", b"c"), 3) as path:
            return path.read_bytes()

    assert run(work()) == b"abc"
    assert [*(tmp_path / "in").iterdir()] == []


def test_a_file_above_the_limit_leaves_nothing(parts: Parts, tmp_path: Path) -> None:
    async def work() -> None:
        async with parts.receive(chunks(b"ab", b"cd"), 3):
            raise AssertionError("it was taken")

    with pytest.raises(CallerError) as caught:
        run(work())
    assert caught.value.code is ErrorCode.MEDIA_TOO_LARGE
    assert [*(tmp_path / "in").iterdir()] == []


def test_a_folder_that_cannot_be_written_is_our_fault(tmp_path: Path, clock: StillClock) -> None:
    (tmp_path / "in").write_bytes(b"a file where the folder should be")
    parts = Parts(tmp_path / "in", clock, CountedIds())
    with pytest.raises(InternalError) as caught:
        parts.begin("acme", 4)
    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert str(tmp_path) not in caught.value.message
