"""The cases that every engine must pass, on each upstream engine against our own real server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from live import LiveServer

from kinogate.db.memory_journal import MemoryJournal
from kinogate.domain.engine import Engine
from kinogate.domain.order import Mode
from kinogate.domain.resolution import Tier
from kinogate.engines import build_engine
from kinogate.engines.base import Surroundings
from kinogate.machine import SystemClock
from kinogate.media.inspector import Inspector
from kinogate.net import FetchPolicy
from kinogate.testing.engine import (
    CASES,
    Case,
    a_clip_measures_what_was_ordered_and_what_is_said_of_it,
)
from kinogate.testing.rig import AN_ORDER, Rig

BASES = {"dashscope": "/api/v1", "mulerouter": "", "openai": "/v1", "unified": "", "vtrix": ""}
ORDER = replace(
    AN_ORDER,
    model="wan2.5-t2v-preview",
    width=832,
    height=480,
    fps=24,
    frame_count=120,
    duration_s=5.0,
    tier=Tier.P480,
)


def build(kind: str, server: LiveServer, folder: Path, **options: Any) -> Engine:
    """An upstream engine, with a child process of its own that its `close` ends."""
    clock, inspector = SystemClock(), Inspector(slots=1)
    engine = build_engine(
        kind,
        Surroundings(
            name="up",
            options={
                "base_url": server.url + BASES[kind],
                "key": server.key,
                "poll_s": 0.2,
                "concurrency": 2,
                **options,
            },
            slots=1,
            timeout_s=90,
            data_dir=folder,
            journal=MemoryJournal(clock),
            clock=clock,
            inspector=inspector,
            fetch_policy=FetchPolicy(),
        ),
    )
    close = engine.close

    async def close_both() -> None:
        await close()
        await inspector.close()

    engine.close = close_both  # type: ignore[method-assign]
    return engine


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("kind", BASES)
def test_an_upstream_engine_keeps_its_promise(
    kind: str, case: Case, live: LiveServer, tmp_path: Path
) -> None:
    rig = Rig(
        make=lambda folder: build(kind, live, folder),
        order=ORDER,
        long=replace(
            ORDER, width=1920, height=1080, tier=Tier.P1080, frame_count=240, duration_s=10.0
        ),
        image_order=replace(ORDER, mode=Mode.I2V, model="wan2.5-i2v-preview"),
    )
    case(rig, tmp_path)


@pytest.mark.parametrize("profile", ["sglang", "vllm-omni"])
def test_the_profiles_of_local_servers_get_their_clips_from_ours(
    profile: str, live: LiveServer, tmp_path: Path
) -> None:
    """They name frames and rate themselves; the model is told because it is spelled here."""
    spelled = {"wan2.5-t2v-preview": "wan2.5-t2v-preview"}
    rig = Rig(
        make=lambda folder: build("openai", live, folder, profile=profile, models=spelled),
        order=ORDER,
        image_order=None,
    )
    a_clip_measures_what_was_ordered_and_what_is_said_of_it(rig, tmp_path)
