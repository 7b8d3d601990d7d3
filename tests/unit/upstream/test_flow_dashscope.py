"""The flow with DashScope's wire, against answers typed from the vendor's pages (spec/dashscope.md)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kinogate.domain.engine import CallState
from kinogate.domain.errors import ErrorCode, UpstreamError
from kinogate.engines.upstream.dashscope import DashscopeWire
from upstream_bench import START_MS, Bench, Shares, an_order, bench
from upstream_script import Act, Reply, hang_up

ID = "0385dc79-5ff8-4d82-bcb6-7a1c1b1b1b1b"
CREATE = "POST /services/aigc/video-generation/video-synthesis"
CREATED = Reply(
    200, {"output": {"task_status": "PENDING", "task_id": ID}, "request_id": "4909100c-7b5a"}
)


def task(status: str, **more: Any) -> Reply:
    output = {"task_id": ID, "task_status": status, "submit_time": "2026-01-01 08:00:00.000"}
    return Reply(200, {"request_id": "850b3b5a-f8a7", "output": output | more})


def row(task_id: str, **more: Any) -> dict[str, Any]:
    found = {"task_id": task_id, "model_name": "wan2.6-t2v", "status": "RUNNING"}
    return {**found, "gmt_create": START_MS + 300, "start_time": START_MS + 400, **more}


def listed(*rows: dict[str, Any], total: int | None = None) -> Reply:
    count = len(rows) if total is None else total
    page = {"total": count, "total_page": 1, "page_no": 1, "page_size": 100}
    return Reply(200, {"request_id": "1", "data": list(rows), **page})


def a_script(clip: bytes, **lines: list[Act]) -> dict[str, list[Act]]:
    return {
        CREATE: lines.get("new", [CREATED]),
        "GET /tasks/": lines.get("poll", [task("PENDING"), task("RUNNING"), DONE]),
        "GET /tasks": lines.get("listing", [listed()]),
        "GET /clip.mp4": [Reply(200, clip)],
    }


DONE = task("SUCCEEDED", video_url="{url}/clip.mp4?Expires=1", orig_prompt="A lighthouse at dusk")


async def run_on(one: Bench, out: Path) -> tuple[str | None, list[CallState]]:
    """The id of the clip that came home, and how far the calls have got."""
    one.stage.script["GET /tasks/"] = [
        _at(act, one.stage.url) for act in one.stage.script["GET /tasks/"]
    ]
    order = an_order()
    made = await one.engine.run(order, out, Shares())
    return made.upstream_id, await one.states(order)


def _at(act: Act, url: str) -> Act:
    if isinstance(act, Reply) and isinstance(act.body, dict) and "video_url" in act.body["output"]:
        output = act.body["output"] | {"video_url": f"{url}/clip.mp4?Expires=1"}
        return Reply(200, {**act.body, "output": output})
    return act


def wire() -> DashscopeWire:
    quick = DashscopeWire()
    quick.poll_s = 0.02
    return quick


def test_a_clip_comes_home(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        async with bench(a_script(clip), wire()) as one:
            upstream_id, states = await run_on(one, tmp_path / "a.mp4")
            assert (upstream_id, states) == (ID, [CallState.ENDED])
            (create,) = one.stage.of("POST", "/services")
            assert create.headers["x-dashscope-async"] == "enable"
            assert create.json["model"] == "wan2.6-t2v"

    asyncio.run(run())


def test_a_lost_answer_is_found_in_the_list_and_a_stranger_is_not(
    clip: bytes, tmp_path: Path
) -> None:
    """Two tasks of the model are new; only the other's own answer tells that it is not ours."""

    async def run() -> None:
        rows = [
            row("stranger"),
            row(ID),
            row("other-model", model_name="wan2.5-t2v-preview"),
            row("long-ago", gmt_create=START_MS - 600_000),
        ]
        script = a_script(clip, new=[hang_up], listing=[listed(*rows)])
        script["GET /tasks/stranger"] = [task("RUNNING", orig_prompt="A stranger's wish")]
        async with bench(script, wire()) as one:
            upstream_id, states = await run_on(one, tmp_path / "a.mp4")
            assert (upstream_id, states) == (ID, [CallState.ENDED])
            assert len(one.stage.of("POST", "/services")) == 1
            (query,) = [r.query for r in one.stage.seen if r.path == "/tasks"]
            # 2026-01-01T00:00Z is eight in the morning in Beijing.
            assert query["start_time"] == "20260101075900"

    asyncio.run(run())


@pytest.mark.parametrize(
    "listing",
    [listed(row("a"), total=250), Reply(429, {"code": "Throttling", "message": "Slow down."})],
    ids=["more pages", "throttled"],
)
def test_a_list_that_shows_not_all_proves_nothing(
    listing: Reply, clip: bytes, tmp_path: Path
) -> None:
    async def run() -> None:
        script = a_script(clip, new=[Reply(500, b"")], listing=[listing])
        async with bench(script, wire()) as one:
            with pytest.raises(UpstreamError) as raised:
                await run_on(one, tmp_path / "a.mp4")
            assert raised.value.code is ErrorCode.SUBMIT_AMBIGUOUS
            assert raised.value.is_charged
            assert len(one.stage.of("POST", "/services")) == 1

    asyncio.run(run())


def test_an_expired_task_fails_with_the_vendors_word(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        async with bench(a_script(clip, poll=[task("UNKNOWN")]), wire()) as one:
            with pytest.raises(UpstreamError) as raised:
                await run_on(one, tmp_path / "a.mp4")
            assert raised.value.code is ErrorCode.UPSTREAM_FAILED
            assert raised.value.upstream_code == "UNKNOWN"

    asyncio.run(run())


def test_arrears_are_the_operators_and_cost_nothing(clip: bytes, tmp_path: Path) -> None:
    refused = Reply(400, {"code": "Arrearage", "message": "Access denied.", "request_id": "1"})

    async def run() -> None:
        async with bench(a_script(clip, new=[refused]), wire()) as one:
            with pytest.raises(UpstreamError) as raised:
                await run_on(one, tmp_path / "a.mp4")
            assert raised.value.code is ErrorCode.UPSTREAM_REFUSED
            assert raised.value.upstream_code == "Arrearage"
            assert not raised.value.is_charged

    asyncio.run(run())
