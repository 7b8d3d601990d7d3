"""Every row of the fault table on the engine alone: the error, the journal, the disk, the log."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kinogate.domain.errors import CallerError, KinogateError, UpstreamError
from kinogate.engines.upstream.credentials import Credential
from kinogate.media.probe import probe_video
from upstream_bench import Shares, a_script, an_order, bench
from upstream_faults import CREATE_FAULTS, FAULTS, Fault
from upstream_script import Reply, ToyWire

SECRETS = ("k-secret", "Signature=", "?")


def ids(faults: tuple[Fault, ...]) -> list[str]:
    return [fault.name.replace(" ", "-") for fault in faults]


@pytest.mark.parametrize("fault", FAULTS, ids=ids(FAULTS))
def test_a_fault_ends_as_the_table_says(fault: Fault, clip: bytes, tmp_path: Path) -> None:
    async def run() -> KinogateError | None:
        async with bench(fault.script(clip), ToyWire(**fault.wire), **fault.options) as one:
            if fault.base_url is not None:
                authority = one.stage.url.partition("//")[2]
                url = fault.base_url.replace("{authority}", authority)
                one.pool.replace([Credential(name="one", base_url=url, key="k-secret")])
            order = an_order()
            await fault.prepare(one.journal, order.task_id)
            error = None
            try:
                await one.engine.run(order, tmp_path / "a.mp4", Shares())
            except KinogateError as exc:
                error = exc
            assert tuple(await one.states(order)) == fault.states
            assert len(one.stage.creates) == fault.creates
            return error

    with capture_logs() as lines:
        error = asyncio.run(run())

    if fault.code is None:
        assert error is None
        assert probe_video(tmp_path / "a.mp4").frame_count == 24
        assert list(tmp_path.iterdir()) == [tmp_path / "a.mp4"]
    else:
        assert error is not None
        assert error.code is fault.code
        assert isinstance(error, CallerError | UpstreamError)
        assert getattr(error, "is_charged", False) is fault.charged
        if fault.upstream_code is not None:
            assert isinstance(error, UpstreamError)
            assert error.upstream_code == fault.upstream_code
        assert list(tmp_path.iterdir()) == []
    told = f"{lines} {error}"
    assert not [secret for secret in SECRETS if secret in told]


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_key_that_is_refused_rests_and_the_next_one_is_tried(
    status: int, clip: bytes, tmp_path: Path
) -> None:
    async def run() -> None:
        fault = next(item for item in CREATE_FAULTS if item.name == str(status))
        well = a_script(clip, new=[Reply(200, {"id": "u-1"}), Reply(200, {"id": "u-2"})])
        async with bench(fault.script(clip)) as bad, bench(well) as good:
            bad.pool.replace(
                [
                    Credential(name="one", base_url=bad.stage.url, key="k-1"),
                    Credential(name="two", base_url=good.stage.url, key="k-2"),
                ]
            )
            for name in ("a.mp4", "b.mp4"):
                await bad.engine.run(an_order(), tmp_path / name, Shares())
            assert len(bad.stage.creates) == 1
            assert len(good.stage.creates) == 2

    asyncio.run(run())


def test_two_tasks_never_share_an_id(clip: bytes, tmp_path: Path) -> None:
    async def run() -> None:
        script = FAULTS[0].script(clip)
        script["POST /tasks/new"] = [Reply(200, {"id": "u-1"})]
        async with bench(script) as one:
            orders = [an_order() for _ in range(3)]
            ends = await asyncio.gather(
                *(
                    one.engine.run(order, tmp_path / f"{index}.mp4", Shares())
                    for index, order in enumerate(orders)
                ),
                return_exceptions=True,
            )
            codes = sorted(str(getattr(end, "code", "made")) for end in ends)
            assert codes == ["made", "submit_ambiguous", "submit_ambiguous"]

    asyncio.run(run())


def test_an_unknown_word_is_logged_once(clip: bytes, tmp_path: Path) -> None:
    fault = next(item for item in FAULTS if item.name == "unknown status word")

    async def run() -> None:
        async with bench(fault.script(clip)) as one:
            await one.engine.run(an_order(), tmp_path / "a.mp4", Shares())

    with capture_logs() as lines:
        asyncio.run(run())
    assert [line["word"] for line in lines if "word" in line] == ["pondering"]


def test_an_expired_url_is_asked_for_anew_once(clip: bytes, tmp_path: Path) -> None:
    fault = next(item for item in FAULTS if item.name == "expired URL")

    async def run() -> None:
        async with bench(fault.script(clip)) as one:
            with pytest.raises(UpstreamError):
                await one.engine.run(an_order(), tmp_path / "a.mp4", Shares())
            assert len(one.stage.of("GET", "/clip.mp4")) == 2

    asyncio.run(run())


def test_a_repeated_create_call_carries_the_same_name_and_body(clip: bytes, tmp_path: Path) -> None:
    fault = next(item for item in FAULTS if "knows a repeated call" in item.name)

    async def run() -> None:
        async with bench(fault.script(clip), ToyWire(**fault.wire)) as one:
            await one.engine.run(an_order(), tmp_path / "a.mp4", Shares())
            first, again = one.stage.creates
            assert first.headers["once-only"] == again.headers["once-only"]
            assert first.body == again.body

    asyncio.run(run())
