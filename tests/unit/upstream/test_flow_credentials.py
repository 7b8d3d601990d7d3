"""Which credential takes a task, how many at a time, how fast; and what a check says of each."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from kinogate.domain.errors import ErrorCode, UpstreamError
from kinogate.engines.upstream.check import check_credentials
from kinogate.engines.upstream.client import Client
from kinogate.engines.upstream.credentials import Credential, CredentialPool, Place
from kinogate.engines.upstream.flow import Instances
from upstream_bench import Shares, a_script, an_order, bench
from upstream_script import Reply, ToyWire, hang, upstream

MODEL = "wan2.6-t2v"


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


def named(name: str, **more: Any) -> Credential:
    return Credential(name=name, base_url=f"https://{name}.example.com", key="k-secret", **more)


def pool(*names: str, **more: Any) -> CredentialPool:
    return CredentialPool([named(name, **more) for name in names])


def test_tasks_are_spread_by_how_busy_a_credential_is_for_its_size() -> None:
    async def work() -> None:
        both = CredentialPool([named("small", concurrency=1), named("large", concurrency=3)])
        places = [await both.take(MODEL, wait_s=1) for _ in range(4)]
        names = [place.credential.name for place in places]
        assert sorted(names) == ["large", "large", "large", "small"]
        places[names.index("small")].leave()
        assert (await both.take(MODEL, wait_s=1)).credential.name == "small"

    run(work())


def test_a_place_is_waited_for_and_left_once() -> None:
    async def work() -> None:
        one = pool("a", concurrency=1)
        first = await one.take(MODEL, wait_s=1)
        waiting = [asyncio.create_task(one.take(MODEL, wait_s=5)) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting)
        first.leave()
        first.leave()
        await asyncio.sleep(0.05)
        assert [task.done() for task in waiting].count(True) == 1
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)

    run(work())


def test_a_place_that_never_comes_fails_uncharged() -> None:
    async def work() -> None:
        one = pool("a", concurrency=1)
        await one.take(MODEL, wait_s=1)
        with pytest.raises(UpstreamError) as raised:
            await one.take(MODEL, wait_s=0.05)
        assert raised.value.retriable
        assert not raised.value.is_charged

    run(work())


def test_a_resting_credential_gets_no_work_and_says_when_it_will() -> None:
    async def work() -> None:
        two = pool("a", "b")
        first = await two.take(MODEL, wait_s=1)
        first.rest(60, "The key was refused.", model=None)
        first.leave()
        other = "b" if first.credential.name == "a" else "a"
        assert (await two.take(MODEL, wait_s=1)).credential.name == other
        with pytest.raises(UpstreamError) as raised:
            await two.take(MODEL, without=frozenset({other}), wait_s=1)
        assert raised.value.code is ErrorCode.UPSTREAM_REFUSED
        assert raised.value.retry_after_s == 60

    run(work())


def test_a_rest_for_one_model_leaves_the_others_alone() -> None:
    async def work() -> None:
        one = pool("a")
        place = await one.take(MODEL, wait_s=1)
        place.rest(60, "The model is not yours.", model=MODEL)
        with pytest.raises(UpstreamError) as raised:
            await one.take(MODEL, wait_s=1)
        assert "not yours" in raised.value.message
        await one.take("wan2.5-t2v-preview", wait_s=1)

    run(work())


def test_a_task_of_an_earlier_run_gets_its_place_whatever_the_limit() -> None:
    async def work() -> None:
        one = pool("a", concurrency=1)
        held = await one.take(MODEL, wait_s=1)
        again = one.join("a")
        assert again is not None
        assert one.join("b") is None
        held.leave()
        with pytest.raises(UpstreamError):
            await one.take(MODEL, wait_s=0.05)
        again.leave()
        await one.take(MODEL, wait_s=0.05)

    run(work())


def test_create_calls_keep_their_rate() -> None:
    async def work() -> None:
        one = pool("a", rps=20.0)
        loop = asyncio.get_running_loop()
        places = [await one.take(MODEL, wait_s=1) for _ in range(4)]
        begun = loop.time()
        await asyncio.gather(*(place.turn() for place in places))
        assert loop.time() - begun >= 0.14

    run(work())


def test_a_server_that_comes_back_elsewhere_keeps_its_tasks() -> None:
    async def work() -> None:
        one = CredentialPool([])
        one.replace([Credential(name="server-0", base_url="http://127.0.0.1:1000")])
        place: Place = await one.take(MODEL, wait_s=1)
        one.replace([])
        assert place.is_gone
        one.replace([Credential(name="server-0", base_url="http://127.0.0.1:2000")])
        assert not place.is_gone
        assert place.credential.base_url == "http://127.0.0.1:2000"
        place.leave()

    run(work())


def test_a_task_of_a_server_that_stays_away_goes_to_another(clip: bytes, tmp_path: Path) -> None:
    """The server dies while it works; what it had is lost with it."""

    class Two:
        """Two servers, of which the first dies."""

        def __init__(self) -> None:
            self.found: dict[int, str] = {}

        async def start(self) -> None:
            pass

        async def close(self) -> None:
            pass

        def by_index(self) -> dict[int, str]:
            return self.found

        def findings(self) -> tuple[()]:
            return ()

    async def work() -> None:
        two = Two()
        instances: Instances = two
        script = a_script(clip, poll=[hang])
        async with (
            bench(a_script(clip, new=[Reply(200, {"id": "u-2"})])) as well,
            bench(
                script,
                ToyWire(forgets=True),
                instances=instances,
                seat=lambda index, url: Credential(name=f"server-{index}", base_url=url),
            ) as one,
        ):
            two.found = {0: one.stage.url}
            await one.engine.start()
            order = an_order()
            task = asyncio.create_task(one.engine.run(order, tmp_path / "a.mp4", Shares()))
            while not one.stage.of("GET", "/tasks/u-1"):
                await asyncio.sleep(0.01)
            two.found = {1: well.stage.url}
            one.engine.seat_instances()
            made = await task
            assert made.upstream_id == "u-2"

    run(work())


def test_neither_keys_nor_urls_are_shown() -> None:
    assert "k-secret" not in repr(named("a"))
    assert named("a").authority == "a.example.com:443"
    assert Credential(name="x", base_url="http://[::1]:90/v1").authority == "[::1]:90"


def check(wire: ToyWire, *credentials: Credential, probe_regions: bool = True) -> Any:
    async def work() -> Any:
        client = Client()
        try:
            return await check_credentials(
                wire, client, credentials, timeout_s=3.0, probe_regions=probe_regions
            )
        finally:
            await client.close()

    return work()


def test_a_check_tells_which_key_works_and_which_region_refused_one() -> None:
    async def work() -> None:
        home = {"GET /me": [Reply(200)]}
        foreign = {"GET /me": [Reply(401)]}
        async with upstream(home) as good, upstream(foreign) as bad:
            wire = ToyWire()
            wire.regions = {
                "here": bad.url,
                "there": good.url.replace("127.0.0.1", "localhost"),
            }
            given = Credential(name="mine", base_url=bad.url, key="k-secret")

            health = await check(wire, given, probe_regions=False)
            assert not health.is_ready
            assert "The region here" in health.findings[0].text
            assert good.seen == []

            health = await check(wire, given)
            assert "belongs to the region there" in health.findings[0].text
            assert "k-secret" not in str(health)

            wire.regions = {"there": good.url.replace("127.0.0.1", "localhost")}
            seen = len(good.seen)
            health = await check(wire, given)
            assert "may be another region's" in health.findings[0].text
            assert len(good.seen) == seen, "a reseller's key was shown to the vendor"

            well = Credential(name="well", base_url=good.url, key="k")
            health = await check(wire, well, given)
            assert health.is_ready
            assert [finding.is_ok for finding in health.findings] == [True, False]

    run(work())


def test_a_check_of_what_does_not_answer_ends_in_time() -> None:
    async def work() -> None:
        async with upstream({"GET /me": [hang]}) as deaf:
            health = await check(
                ToyWire(),
                Credential(name="deaf", base_url=deaf.url),
                Credential(name="away", base_url="http://127.0.0.1:9"),
            )
            assert [finding.text for finding in health.findings] == [
                "127.0.0.1 did not answer in time.",
                "127.0.0.1 cannot be reached.",
            ]

    run(work())
