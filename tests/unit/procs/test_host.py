"""Children that crash, hang, swell, lie and fall silent, and a host that outlives them all."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import uvloop

from kinogate.domain.errors import CallerError, ErrorCode, InternalError, UpstreamError
from kinogate.procs.host import ChildHost, Patience
from kinogate.procs.protocol import Limits

from .workers import Text

T = TypeVar("T")

MIB = 1024 * 1024
HERE = Path(__file__).parent
QUICK = Patience(grace_s=0.5, idle_s=0.3, silence_s=6.0, recycle_after=50)


@asynccontextmanager
async def hosting(
    *, slots: int = 1, limits: Limits | None = None, patience: Patience = QUICK
) -> AsyncIterator[ChildHost]:
    host = ChildHost(
        "procs.workers",
        slots=slots,
        limits=limits or Limits(),
        env={"PYTHONPATH": str(HERE.parent)},
        patience=patience,
    )
    try:
        await host.start()
        yield host
    finally:
        await host.close()


def run(
    work: Callable[[], Awaitable[T]],
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T:
    """Run on a fresh loop and check that neither descriptors nor zombies stay behind."""

    async def timed() -> T:
        return await asyncio.wait_for(work(), 30)

    before, family = descriptors(), children()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        result = runner.run(timed())
    assert descriptors() <= before
    assert children() <= family
    return result


def children() -> set[str]:
    """Processes below this one, dead ones that nobody has waited for included.

    Another test of the same worker may have a server running, so none at all cannot be asked for.
    """
    lists = Path("/proc/self/task").glob("*/children")
    return {pid for path in lists for pid in path.read_text().split()}


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def pid(host: ChildHost) -> int:
    return await host.call("who", None, int, timeout_s=10)


def test_a_call_returns_its_result_however_much_is_printed() -> None:
    async def work() -> str:
        async with hosting() as host:
            return await host.call("echo", Text(text="ab", times=3), str, timeout_s=10)

    assert run(work) == "ababab"


def test_a_frame_may_be_megabytes_long() -> None:
    async def work() -> str:
        async with hosting() as host:
            args = Text(text="x" * 2_000_000, times=3)
            return await host.call("echo", args, str, timeout_s=10)

    assert len(run(work)) == 6_000_000


def test_progress_arrives_in_order() -> None:
    seen: list[tuple[str, float]] = []

    async def work() -> int:
        async with hosting() as host:
            return await host.call(
                "steps", 4, int, timeout_s=10, on_progress=lambda *step: seen.append(step)
            )

    assert run(work) == 4
    assert seen[0] == ("drawing", 0.0)
    assert seen[-1] == ("done", 1.0)
    assert seen == sorted(seen, key=lambda step: step[1])


def test_the_first_child_is_warm_and_used_again() -> None:
    async def work() -> list[int]:
        async with hosting(slots=2) as host:
            return [await pid(host) for _ in range(3)]

    assert len(set(run(work))) == 1


def test_calls_at_once_use_as_many_children_as_there_are_slots() -> None:
    async def work() -> tuple[list[int], int]:
        async with hosting(slots=2) as host:
            calls = (host.call("steps", 3, int, timeout_s=20) for _ in range(4))
            results = await asyncio.gather(*calls)
            return results, len(host._children)

    assert run(work) == ([3, 3, 3, 3], 2)


def test_extra_children_go_when_idle_and_the_last_one_stays() -> None:
    async def work() -> tuple[int, int, int]:
        async with hosting(slots=3) as host:
            calls = asyncio.gather(*(host.call("steps", 3, int, timeout_s=20) for _ in range(3)))
            most = 0
            while not calls.done():  # on a busy machine the first one may be closed by its end
                most = max(most, len(host._children))
                await asyncio.sleep(0.01)
            await calls
            while len(host._children) > 1:
                await asyncio.sleep(0.05)
            left = next(iter(host._children)).process.pid
            await asyncio.sleep(2 * QUICK.idle_s)
            return most, left, await pid(host)

    most, left, still = run(work)
    assert most == 3
    assert left == still


def test_a_child_is_replaced_after_enough_calls() -> None:
    async def work() -> list[int]:
        async with hosting(patience=Patience(recycle_after=2)) as host:
            return [await pid(host) for _ in range(5)]

    first, second, third, fourth, fifth = run(work)
    assert first == second != third == fourth != fifth


def test_our_own_errors_come_back_as_they_were() -> None:
    async def work() -> tuple[CallerError, UpstreamError, bool]:
        async with hosting() as host:
            before = await pid(host)
            with pytest.raises(CallerError) as refused:
                await host.call("refuse", None, int, timeout_s=9)
            with pytest.raises(UpstreamError) as gone:
                await host.call("outage", None, int, timeout_s=9)
            return refused.value, gone.value, before == await pid(host)

    refused, gone, is_same_child = run(work)
    assert (refused.code, refused.message, refused.field) == (
        ErrorCode.MEDIA_FORMAT,
        "No.",
        "first_frame",
    )
    assert (gone.retriable, gone.upstream_code, gone.retry_after_s) == (True, "E7", 9)
    assert is_same_child


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("crash", None),
        ("die", signal.SIGSEGV),
        ("die", signal.SIGKILL),
        ("leave", 0),
        ("leave", 3),
        ("nonsense", None),
        ("unknown", None),
        ("steps", "many"),
        ("swell", 900 * MIB),
    ],
)
def test_any_other_end_is_a_plain_engine_failure_and_the_next_call_works(
    name: str, args: object
) -> None:
    async def work() -> tuple[InternalError, int]:
        async with hosting(limits=Limits(address_space_bytes=600 * MIB)) as host:
            with pytest.raises(InternalError) as caught:
                await host.call(name, args, int, timeout_s=9)
            return caught.value, await pid(host)

    error, next_pid = run(work)
    assert error.code is ErrorCode.ENGINE_FAILED
    assert "secret" not in error.message
    assert next_pid > 0


@pytest.mark.parametrize(
    ("name", "args", "sentence"),
    [
        (
            "die",
            signal.SIGKILL,
            "The engine process was killed from outside, probably because memory ran out.",
        ),
        ("die", signal.SIGSEGV, "The engine process crashed (SIGSEGV)."),
        ("leave", 3, "The engine process ended unexpectedly."),
    ],
)
def test_how_a_child_ended_is_told_apart(name: str, args: object, sentence: str) -> None:
    async def work() -> str:
        async with hosting() as host:
            with pytest.raises(InternalError) as caught:
                await host.call(name, args, int, timeout_s=9)
            return caught.value.message

    assert run(work) == sentence


def test_processor_time_is_limited_for_each_call() -> None:
    async def work() -> float:
        async with hosting(limits=Limits(cpu_s=1)) as host:
            loop = asyncio.get_running_loop()
            begin = loop.time()
            with pytest.raises(InternalError) as caught:
                await host.call("spin", None, int, timeout_s=25)
            assert caught.value.code is ErrorCode.ENGINE_FAILED
            assert caught.value.message == (
                "The engine process used more processor time than it may."
            )
            await pid(host)
            return loop.time() - begin

    assert run(work) < 15


def test_the_size_of_files_is_limited(tmp_path: Path) -> None:
    async def work() -> None:
        async with hosting(limits=Limits(file_bytes=1_000_000)) as host:
            with pytest.raises(InternalError):
                await host.call("fill", str(tmp_path / "a"), int, timeout_s=9)

    run(work)
    assert (tmp_path / "a").stat().st_size <= 1_000_000


@pytest.mark.parametrize("name", ["deaf", "hold_the_lock"])
def test_a_call_that_overruns_is_killed(name: str) -> None:
    async def work() -> tuple[InternalError, float, int]:
        async with hosting() as host:
            loop = asyncio.get_running_loop()
            begin = loop.time()
            with pytest.raises(InternalError) as caught:
                await host.call(name, None, int, timeout_s=0.3)
            return caught.value, loop.time() - begin, await pid(host)

    error, took_s, next_pid = run(work)
    assert error.code is ErrorCode.TIMED_OUT
    assert took_s < 5
    assert next_pid > 0


def test_a_child_that_falls_silent_is_killed() -> None:
    async def work() -> InternalError:
        async with hosting(patience=Patience(silence_s=5.0)) as host:
            with pytest.raises(InternalError) as caught:
                await host.call("hold_the_lock", None, int, timeout_s=25)
            return caught.value

    error = run(work)
    assert (error.code, error.message) == (
        ErrorCode.ENGINE_FAILED,
        "The engine process fell silent.",
    )


def test_a_cancelled_call_stops_at_its_next_report_and_keeps_its_child(tmp_path: Path) -> None:
    async def work() -> tuple[bool, bool]:
        async with hosting() as host:
            before = await pid(host)
            begun = asyncio.Event()
            call = asyncio.ensure_future(
                host.call(
                    "linger",
                    str(tmp_path / "a"),
                    int,
                    timeout_s=20,
                    on_progress=lambda *_: begun.set(),
                )
            )
            await begun.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            return (tmp_path / "a").exists(), before == await pid(host)

    assert run(work) == (True, True)


@pytest.mark.parametrize("cancellations", [1, 2])
def test_a_cancelled_call_that_does_not_listen_is_killed(cancellations: int) -> None:
    async def work() -> tuple[float, bool]:
        async with hosting() as host:
            loop = asyncio.get_running_loop()
            before = await pid(host)
            begun = asyncio.Event()
            call = asyncio.ensure_future(
                host.call("deaf", None, int, timeout_s=20, on_progress=lambda *_: begun.set())
            )
            await begun.wait()
            begin = loop.time()
            for _ in range(cancellations):
                call.cancel()
                await asyncio.sleep(0.1)
            with pytest.raises(asyncio.CancelledError):
                await call
            after = await pid(host)
            return loop.time() - begin, before != after

    took_s, is_new_child = run(work)
    assert took_s < 5
    assert is_new_child


def test_an_idle_child_that_was_killed_is_replaced() -> None:
    async def work() -> bool:
        async with hosting() as host:
            before = await pid(host)
            os.kill(before, signal.SIGKILL)
            await asyncio.sleep(0.3)
            return before != await pid(host)

    assert run(work)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_whole_group_leaves_the_work_to_the_parent(number: int) -> None:
    async def work() -> tuple[int, int]:
        async with hosting() as host:
            before = await pid(host)
            call = asyncio.ensure_future(host.call("steps", 6, int, timeout_s=9))
            await asyncio.sleep(0.1)
            os.kill(before, number)
            return await call, await pid(host) - before

    assert run(work) == (6, 0)


def test_a_callback_that_fails_fails_the_call() -> None:
    def broken(stage: str, share: float) -> None:
        raise KeyError(stage)

    async def work() -> None:
        async with hosting() as host:
            with pytest.raises(KeyError):
                await host.call("steps", 3, int, timeout_s=9, on_progress=broken)
            assert await pid(host) > 0

    run(work)


def test_a_module_that_does_not_import_makes_the_host_unavailable() -> None:
    async def work() -> ErrorCode:
        host = ChildHost("no.such.module", slots=1, limits=Limits())
        try:
            with pytest.raises(InternalError) as caught:
                await host.start()
        finally:
            await host.close()
        return caught.value.code

    assert run(work) is ErrorCode.UNAVAILABLE


def test_a_closed_host_refuses_and_ends_what_waits() -> None:
    async def work() -> list[ErrorCode]:
        async with hosting() as host:
            calls = [
                asyncio.ensure_future(host.call("deaf", None, int, timeout_s=20)) for _ in range(2)
            ]
            await asyncio.sleep(0.3)
            await host.close()
            await host.close()
            calls.append(asyncio.ensure_future(host.call("who", None, int, timeout_s=20)))
            ends = await asyncio.gather(*calls, return_exceptions=True)
            return [end.code for end in ends if isinstance(end, InternalError)]

    assert run(work) == [ErrorCode.ENGINE_FAILED, ErrorCode.UNAVAILABLE, ErrorCode.UNAVAILABLE]


def test_a_child_sees_little_of_us(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> dict[str, str]:
        async with hosting(limits=Limits(nice=3)) as host:
            return await host.call("surroundings", None, dict[str, str], timeout_s=9)

    monkeypatch.setenv("KINOGATE_ADMIN_KEY", "secret")
    seen = run(work)
    assert "KINOGATE_ADMIN_KEY" not in seen
    nice = str(min(os.nice(0) + 3, 19))
    assert (seen["core"], seen["nice"], seen["sigint"], seen["stdin"]) == ("0", nice, "True", "")
    assert len(seen["fds"].split(",")) <= 6  # 0–2, both pipes, and the listing itself


def test_a_child_inherits_no_descriptor_whatever_the_loop() -> None:
    async def work() -> dict[str, str]:
        async with hosting() as host:
            return await host.call("surroundings", None, dict[str, str], timeout_s=9)

    async def nothing() -> dict[str, str]:
        return {}

    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    try:
        uvloop.run(nothing())  # opens its own descriptors once and for all
        seen = run(work, uvloop.new_event_loop)
    finally:
        os.close(reader)
        os.close(writer)
    assert len(seen["fds"].split(",")) <= 6


def test_an_offline_child_reaches_nothing() -> None:
    async def dial(limits: Limits) -> str:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server, hosting(limits=limits) as host:
            port = server.sockets[0].getsockname()[1]
            return await host.call("dial", port, str, timeout_s=9)

    if subprocess.run(
        ["unshare", "-n" if os.getuid() == 0 else "-Un", "true"], check=False, capture_output=True
    ).returncode:
        pytest.skip("this kernel grants no new network namespace")
    assert run(lambda: dial(Limits(is_offline=True))) == "cut off"
    assert run(lambda: dial(Limits(is_offline=False))) == "connected"


PARENT = """
import asyncio, sys
from kinogate.procs.host import ChildHost
from kinogate.procs.protocol import Limits

async def main():
    host = ChildHost("procs.workers", slots=2, limits=Limits(), env={"PYTHONPATH": sys.argv[1]})
    await host.start()
    calls = [asyncio.ensure_future(host.call("hold_the_lock", None, int, timeout_s=50)) for _ in "12"]
    while len(host._children) < 2 or any(child.pending is None for child in host._children):
        await asyncio.sleep(0.05)
    print(*(child.process.pid for child in host._children), flush=True)
    await asyncio.gather(*calls)

asyncio.run(main())
"""


def test_children_die_with_a_killed_parent() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(HERE.parent)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        children = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
    assert len(children) == 2
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline and any(map(_is_running, children)):
        time.sleep(0.02)
    assert not any(map(_is_running, children))


def _is_running(process_id: int) -> bool:
    """Whether the process is there and not just waiting for its new parent to reap it."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
