"""One task from order to decoded clip, against a scripted upstream."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kinogate.domain.engine import CallState
from kinogate.domain.errors import ErrorCode, KinogateError, UpstreamError
from kinogate.media.probe import probe_video
from upstream_bench import (
    CREATED,
    DONE,
    NAME,
    QUICK,
    RUNNING,
    Bench,
    Shares,
    a_script,
    an_order,
    bench,
)
from upstream_script import Reply, ToyWire


def test_a_clip_comes_home_measured_and_the_call_is_ended(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        async with bench(a_script(clip)) as one:
            order, shares = an_order(), Shares()
            made = await one.engine.run(order, tmp_path / "a.mp4", shares)

            assert probe_video(tmp_path / "a.mp4").frame_count == 24
            assert (made.width, made.height, made.fps) == (320, 240, 24)
            assert (made.frame_count, made.duration_s, made.has_audio) == (24, 1.0, False)
            assert made.upstream_id == "u-1"
            assert made.fingerprint == "toy/toy-wan2.6-t2v"
            assert await one.states(order) == [CallState.ENDED]
            assert shares.shares == sorted(shares.shares)
            assert shares.shares[-1] == 1.0
            assert list(tmp_path.iterdir()) == [tmp_path / "a.mp4"]

            (create,) = one.stage.creates
            assert create.json["prompt"] == "A lighthouse at dusk"
            assert create.headers["authorization"] == "Bearer k-secret"
            (fetch,) = one.stage.of("GET", "/clip.mp4")
            assert "authorization" not in fetch.headers

    asyncio.run(run())


def test_the_intent_is_written_before_the_call_is_sent(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        async with bench(a_script(clip)) as one:
            order = an_order()
            seen: list[list[CallState]] = []

            async def create(request: object, line: object) -> None:
                seen.append(await one.states(order))
                await CREATED(request, line)  # type: ignore[arg-type]

            one.stage.script["POST /tasks/new"] = [create]
            await one.engine.run(order, tmp_path / "a.mp4", Shares())
            assert seen == [[CallState.INTENT]]

    asyncio.run(run())


def test_a_run_that_is_taken_up_asks_for_the_task_that_it_has(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        async with bench(a_script(clip)) as one:
            order = an_order()
            call = await one.intent(order)
            await one.journal.mark(call, CallState.CREATED, "u-9")
            made = await one.engine.run(order, tmp_path / "a.mp4", Shares())
            assert made.upstream_id == "u-9"
            assert one.stage.creates == []

    asyncio.run(run())


def test_a_second_run_of_a_finished_task_fetches_it_again_and_pays_nothing(
    clip: bytes, tmp_path: Path
) -> None:
    async def run() -> None:
        async with bench(a_script(clip)) as one:
            order = an_order()
            await one.engine.run(order, tmp_path / "a.mp4", Shares())
            await one.engine.run(order, tmp_path / "b.mp4", Shares())
            assert len(one.stage.creates) == 1
            assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()

    asyncio.run(run())


def test_progress_never_falls_whatever_the_upstream_says(clip: bytes, tmp_path: Path) -> None:
    polls = [
        Reply(200, {"status": "running", "progress": 0.7}),
        Reply(200, {"status": "queued"}),
        Reply(200, {"status": "running", "progress": 0.2}),
        Reply(200, {"status": "running", "progress": 38}),
        Reply(200, {"status": "running"}),
        DONE,
    ]

    async def run() -> None:
        async with bench(a_script(clip, poll=polls)) as one:
            shares = Shares()
            await one.engine.run(an_order(), tmp_path / "a.mp4", shares)
            assert shares.shares == sorted(shares.shares)
            assert max(shares.shares[:-2]) <= 0.9

    asyncio.run(run())


def test_polls_are_spaced_as_the_upstream_asks(clip: bytes, tmp_path: Path) -> None:
    slow = Reply(200, {"status": "running"}, headers=(("openai-poll-after-ms", "400"),))

    async def run() -> float:
        async with bench(a_script(clip, poll=[slow, DONE])) as one:
            loop = asyncio.get_running_loop()
            begun = loop.time()
            await one.engine.run(an_order(), tmp_path / "a.mp4", Shares())
            return loop.time() - begun

    assert asyncio.run(run()) >= 0.3


def test_a_key_goes_with_a_content_call_to_its_own_host_only(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        script = a_script(clip, poll=[Reply(200, {"status": "succeeded", "url": "content"})])
        script["GET /content"] = [Reply(302, b"", headers=(("Location", "{other}/clip.mp4"),))]
        async with bench(a_script(clip)) as other, bench(script) as one:
            assert isinstance(script["GET /content"][0], Reply)
            redirect = (("Location", f"{other.stage.url}/clip.mp4"),)
            one.stage.script["GET /content"] = [Reply(302, b"", headers=redirect)]
            with pytest.raises(UpstreamError):  # the other is private, and nobody listed it
                await one.engine.run(an_order(), tmp_path / "a.mp4", Shares())
            assert other.stage.seen == []
            content = one.stage.of("GET", "/content")[0]
            assert content.headers["authorization"] == "Bearer k-secret"
            assert content.query == {"part": "1"}

    asyncio.run(run())


def test_an_upstream_that_lost_its_tasks_gets_the_order_once_more(
    clip: bytes, tmp_path: Path
) -> None:
    async def run() -> None:
        script = a_script(clip)
        script["POST /tasks/new"] = [CREATED, Reply(200, {"id": "u-2"})]
        script["GET /tasks/u-1"] = [RUNNING, Reply(404)]
        async with bench(script, ToyWire(forgets=True)) as one:
            order = an_order()
            made = await one.engine.run(order, tmp_path / "a.mp4", Shares())
            assert made.upstream_id == "u-2"
            assert await one.states(order) == [CallState.ENDED, CallState.ENDED]

    asyncio.run(run())


def test_an_upstream_that_loses_a_task_twice_gets_no_third(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        script = a_script(clip, poll=[Reply(404)])
        script["POST /tasks/new"] = [CREATED, Reply(200, {"id": "u-2"})]
        async with bench(script, ToyWire(forgets=True)) as one:
            order = an_order()
            for name in ("a.mp4", "b.mp4"):  # also when it is taken up again
                with pytest.raises(UpstreamError) as raised:
                    await one.engine.run(order, tmp_path / name, Shares())
                assert raised.value.code is ErrorCode.UPSTREAM_FAILED
                assert not raised.value.is_charged
            assert len(one.stage.creates) == 2

    asyncio.run(run())


def test_a_task_of_a_server_that_is_gone_is_started_at_another(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        async with bench(a_script(clip), ToyWire(forgets=True)) as one:
            order = an_order()
            call = await one.intent(order, "server-7")
            await one.journal.mark(call, CallState.CREATED, "u-7")
            await one.engine.run(order, tmp_path / "a.mp4", Shares())
            assert len(one.stage.creates) == 1

    asyncio.run(run())


def test_a_task_whose_credential_is_gone_is_asked_for_with_no_other(
    clip: bytes, tmp_path: Path
) -> None:
    async def run() -> None:
        async with bench(a_script(clip)) as one:
            order = an_order()
            call = await one.intent(order, "old")
            await one.journal.mark(call, CallState.CREATED, "u-7")
            with pytest.raises(UpstreamError) as raised:
                await one.engine.run(order, tmp_path / "a.mp4", Shares())
            assert raised.value.code is ErrorCode.SUBMIT_AMBIGUOUS
            assert raised.value.is_charged
            assert one.stage.seen == []

    asyncio.run(run())


def test_a_full_disk_is_seen_before_anything_is_paid(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        async with bench(a_script(clip)) as one:
            with pytest.raises(KinogateError):
                await one.engine.run(an_order(), tmp_path / "gone" / "a.mp4", Shares())
            assert one.stage.seen == []

    asyncio.run(run())


def test_the_deadline_ends_all_waiting_and_counts_from_the_create_call(
    clip: bytes, tmp_path: Path
) -> None:
    async def run() -> None:
        async with bench(a_script(clip, poll=[RUNNING]), ToyWire(cancels=True)) as one:
            order = an_order()
            call = await one.intent(order)
            await one.journal.mark(call, CallState.CREATED, "u-1")
            one.clock.ms += round(QUICK.deadline_s * 1000) + 1
            with pytest.raises(UpstreamError) as raised:
                await one.engine.run(order, tmp_path / "a.mp4", Shares())
            assert raised.value.code is ErrorCode.TIMED_OUT
            assert raised.value.is_charged
            assert len(one.stage.of("POST", "/tasks/u-1/cancel")) == 1

    asyncio.run(run())


async def canceled_while_running(one: Bench, order: object, out: Path) -> float:
    """Cancel a run once it polls; returns how long it took to end."""
    work = asyncio.create_task(one.engine.run(order, out, Shares()))  # type: ignore[arg-type]
    while not one.stage.of("GET", "/tasks/u-"):
        await asyncio.sleep(0.01)
    loop = asyncio.get_running_loop()
    asked = loop.time()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    return loop.time() - asked


def test_a_cancel_is_passed_on_and_the_call_ended_when_confirmed(
    clip: bytes, tmp_path: Path
) -> None:
    async def run() -> None:
        script = a_script(clip, poll=[RUNNING])

        async def cancel(request: object, line: object) -> None:
            one.stage.script["GET /tasks/u-"] = [Reply(200, {"status": "canceled"})]
            await Reply(200)(request, line)  # type: ignore[arg-type]

        script["POST /tasks/u-1/cancel"] = [cancel]
        async with bench(script, ToyWire(cancels=True)) as one:
            order = an_order()
            assert await canceled_while_running(one, order, tmp_path / "a.mp4") < 2.0
            assert await one.states(order) == [CallState.ENDED]

    asyncio.run(run())


@pytest.mark.parametrize("answer", [Reply(409), Reply(200), Reply(500)], ids=["no", "yes", "sick"])
def test_a_cancel_that_is_not_confirmed_leaves_the_call_open(
    clip: bytes, tmp_path: Path, answer: Reply
) -> None:
    async def run() -> None:
        script = a_script(clip, poll=[RUNNING])
        script["POST /tasks/u-1/cancel"] = [answer]
        async with bench(script, ToyWire(cancels=True)) as one:
            order = an_order()
            assert await canceled_while_running(one, order, tmp_path / "a.mp4") < 2.0
            assert await one.states(order) == [CallState.CREATED]
            assert list(tmp_path.iterdir()) == []

    asyncio.run(run())


def test_a_run_that_a_shutdown_stops_leaves_the_upstream_at_work(
    clip: bytes, tmp_path: Path
) -> None:
    async def wanted(task_id: str) -> bool:
        return True

    async def run() -> None:
        script = a_script(clip, poll=[RUNNING])
        async with bench(script, ToyWire(cancels=True), is_wanted=wanted) as one:
            order = an_order()
            await canceled_while_running(one, order, tmp_path / "a.mp4")
            assert one.stage.of("POST", "/tasks/u-1/cancel") == []
            assert await one.states(order) == [CallState.CREATED]

    asyncio.run(run())


def test_a_cancel_during_the_create_call_waits_for_its_id_and_cancels_that(
    clip: bytes, tmp_path: Path
) -> None:
    async def run() -> None:
        script = a_script(clip)
        script["POST /tasks/u-1/cancel"] = [Reply(200)]

        async def slow(request: object, line: object) -> None:
            work.cancel()
            await asyncio.sleep(0.1)
            await CREATED(request, line)  # type: ignore[arg-type]

        script["POST /tasks/new"] = [slow]
        async with bench(script, ToyWire(cancels=True)) as one:
            order = an_order()
            work = asyncio.create_task(one.engine.run(order, tmp_path / "a.mp4", Shares()))
            with pytest.raises(asyncio.CancelledError):
                await work
            assert len(one.stage.of("POST", "/tasks/u-1/cancel")) == 1
            assert (await one.journal.calls(order.task_id, NAME))[0].upstream_id == "u-1"

    asyncio.run(run())
