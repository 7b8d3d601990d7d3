"""Old files go, young ones stay."""

from __future__ import annotations

import asyncio

from kinogate.blobs.memory import MemoryBlobStore
from kinogate.service.retention import INPUT_TTL_S, Retention

DAY_S = 86_400


class Clock:
    """A clock that both the store and the sweep read."""

    def __init__(self) -> None:
        self.s = 1_000_000.0

    def now_ms(self) -> int:
        return int(self.s * 1000)

    def now_s(self) -> float:
        return self.s


async def keys(blobs: MemoryBlobStore) -> set[str]:
    return {info.key async for info in blobs.list("")}


def test_results_go_after_their_life_and_inputs_after_a_week() -> None:
    async def run() -> None:
        clock = Clock()
        blobs = MemoryBlobStore(clock.now_s)
        retention = Retention(blobs, clock, DAY_S)
        await blobs.put_bytes("results/a/old.mp4", b"x", "video/mp4")
        await blobs.put_bytes("inputs/a/old", b"x", "image/png")
        clock.s += DAY_S
        assert await retention.sweep() == 0
        clock.s += 3_601
        await blobs.put_bytes("results/a/new.mp4", b"x", "video/mp4")
        assert await retention.sweep() == 1
        assert await keys(blobs) == {"results/a/new.mp4", "inputs/a/old"}
        clock.s += INPUT_TTL_S
        assert await retention.sweep() == 2
        assert await keys(blobs) == set()

    asyncio.run(run())
