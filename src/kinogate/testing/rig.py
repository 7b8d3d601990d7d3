"""What the cases need to know to try an engine, and the tools that they share."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from kinogate.domain.abilities import Abilities
from kinogate.domain.engine import Engine
from kinogate.domain.order import AudioMode, Mode, Order
from kinogate.media.probe import frames

T = TypeVar("T")

AN_ORDER = Order(
    task_id="00000000-0000-4000-8000-000000000001",
    mode=Mode.T2V,
    model="wan2.6-t2v",
    prompt="a sailboat on the ocean at sunset",
    width=320,
    height=192,
    fps=30,
    frame_count=60,
    duration_s=2.0,
    audio=AudioMode.OFF,
    seed=7,
)
"""Two silent seconds in a small size."""
A_LONG_ORDER = replace(AN_ORDER, width=1920, height=1080, frame_count=900, duration_s=30.0)
AN_IMAGE_ORDER = replace(AN_ORDER, mode=Mode.I2V, model="wan2.6-i2v")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """An engine to try, and orders that it can do.

    Attributes:
        make: Builds the engine, not started; gets a folder for files of its own.
        order: One that takes it a few seconds at most; the base of most cases.
        others: Further orders whose clips must measure what was ordered.
        long: One that would keep it busy for at least five seconds, to be canceled.
        image_order: One whose mode starts from a first frame, with no inputs; the cases give it a
            broken one. None where the engine takes no pictures.
        patience_s: Seconds that one case may take.
    """

    make: Callable[[Path], Engine]
    order: Order = AN_ORDER
    others: tuple[Order, ...] = ()
    long: Order = A_LONG_ORDER
    image_order: Order | None = AN_IMAGE_ORDER
    patience_s: float = 100.0


def nothing(_stage: str, _share: float) -> None:
    """A report that nobody reads."""


def run(rig: Rig, work: Coroutine[Any, Any, T]) -> T:
    """Run a case's work on an event loop of its own, within the rig's patience."""

    async def bounded() -> T:
        async with asyncio.timeout(rig.patience_s):
            return await work

    return asyncio.run(bounded())


@asynccontextmanager
async def started(rig: Rig, folder: Path) -> AsyncIterator[Engine]:
    """The engine, started; closed at the end."""
    engine = rig.make(made(folder / "engine"))
    try:
        await engine.start()
        yield engine
    finally:
        await engine.close()


def made(folder: Path) -> Path:
    """The folder, made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ready(order: Order, abilities: Abilities, **changes: Any) -> Order:
    """The order as the gateway would give it to an engine with these abilities.

    It has a task id of its own each time: engines that ask a service would go on with what they
    have asked for already under the same one.
    """
    order = replace(order, task_id=str(uuid.uuid4()), **changes)
    if abilities.fps is not None and abilities.fps != order.fps:
        count = round(order.duration_s * abilities.fps)
        order = replace(order, fps=abilities.fps, frame_count=count)
    if order.audio is AudioMode.AUTO and not abilities.auto_audio:
        order = replace(order, audio=AudioMode.OFF)
    if order.audio is AudioMode.OFF and not abilities.silence:
        order = replace(order, audio=AudioMode.AUTO)
    return order


def pictures_digest(clip: Path) -> str:
    """SHA-256 of all decoded pictures: what a viewer sees, whatever the file says of itself."""
    digest = hashlib.sha256()
    for frame in frames(clip):
        digest.update(frame.tobytes())
    return digest.hexdigest()
