"""Foreign servers that crash, hang and leave children behind, and a supervisor that clears up."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvloop

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.engines.base import BadOptions
from kinogate.engines.upstream.recipe import Recipe, take_recipe
from kinogate.engines.upstream.supervisor import Rhythm, Supervisor

T = TypeVar("T")
SERVER = str(Path(__file__).with_name("foreign_server.py"))
COMMAND = (sys.executable, SERVER, "--port", "{port}", "--name", "number-{index}")
QUICK = Rhythm(start_every_s=0.05, every_s=0.1, look_s=0.5, hung_s=0.8, back_off_s=0.1, grace_s=1.0)


@asynccontextmanager
async def supervised(
    folder: Path,
    recipe: Recipe,
    *,
    rhythm: Rhythm = QUICK,
    on_change: Callable[[], None] | None = None,
) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor("gpu", recipe, log_dir=folder, on_change=on_change, rhythm=rhythm)
    try:
        await supervisor.start()
        yield supervisor
    finally:
        await supervisor.close()


def recipe(*more: str, **changes: Any) -> Recipe:
    return Recipe(command=(*COMMAND, *more), start_s=20.0, **changes)


def run(
    work: Callable[[], Awaitable[T]],
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T:
    async def timed() -> T:
        return await asyncio.wait_for(work(), 40)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(timed())


async def ask(address: str, path: str = "/") -> dict[str, Any]:
    def call() -> dict[str, Any]:
        with urllib.request.urlopen(address + path, timeout=5) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    return await asyncio.to_thread(call)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not is_so():
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_healthy_server_has_an_address_and_its_own_port_and_index(tmp_path: Path) -> None:
    async def work() -> tuple[list[str], tuple[str, ...]]:
        async with supervised(tmp_path, recipe()) as supervisor:
            (address,) = supervisor.addresses()
            told = await ask(address)
            return told["args"], supervisor.addresses()

    args, (address,) = run(work)
    assert args == ["--port", address.rpartition(":")[2], "--name", "number-0"]
    assert address.startswith("http://127.0.0.1:")


def test_a_server_sees_little_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINOGATE_ADMIN_KEY", "secret")
    monkeypatch.setenv("CUDA_HOME", "/cuda")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/cuda/lib")

    async def work() -> dict[str, str]:
        extra = {"HF_HOME": "/models"}
        async with supervised(tmp_path, recipe(env=extra, devices=("2,3",))) as supervisor:
            told = await ask(supervisor.addresses()[0])
            seen: dict[str, str] = told["env"]
            return seen

    seen = run(work)
    assert seen.pop("CUDA_VISIBLE_DEVICES") == "2,3"
    assert seen.pop("CUDA_HOME") == "/cuda"
    assert seen.pop("HF_HOME") == "/models"
    assert set(seen) <= {"PATH", "HOME", "LD_LIBRARY_PATH", "LC_CTYPE"}  # Python sets the last


@pytest.mark.parametrize("new_loop", [None, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_two_instances_have_two_addresses_and_two_devices(
    tmp_path: Path, new_loop: Callable[[], asyncio.AbstractEventLoop] | None
) -> None:
    async def work() -> list[tuple[str, str]]:
        two = recipe(instances=2, devices=("0", "1"))
        async with supervised(tmp_path, two) as supervisor:
            await until(lambda: len(supervisor.addresses()) == 2)
            told = [await ask(address) for address in supervisor.addresses()]
            return [(one["args"][3], one["env"]["CUDA_VISIBLE_DEVICES"]) for one in told]

    assert run(work, new_loop) == [("number-0", "0"), ("number-1", "1")]


def test_a_server_that_crashes_is_started_again_and_both_changes_are_told(tmp_path: Path) -> None:
    seen: list[int] = []

    async def work() -> tuple[int, int]:
        changes: list[Callable[[], None]] = []
        async with supervised(
            tmp_path, recipe(), on_change=lambda: [change() for change in changes]
        ) as supervisor:
            changes.append(lambda: seen.append(len(supervisor.addresses())))
            before = await ask(supervisor.addresses()[0])
            with pytest.raises(OSError, match=r"closed|reset"):
                await ask(supervisor.addresses()[0], "/crash")
            await until(lambda: not supervisor.addresses())
            assert "exit code 3" in supervisor.findings()[0].text
            await until(lambda: bool(supervisor.addresses()))
            after = await ask(supervisor.addresses()[0])
            return before["pid"], after["pid"]

    before, after = run(work)
    assert before != after
    assert seen[:2] == [0, 1]


def test_one_instance_goes_on_while_the_other_is_started_again(tmp_path: Path) -> None:
    async def work() -> bool:
        async with supervised(tmp_path, recipe(instances=2)) as supervisor:
            await until(lambda: len(supervisor.addresses()) == 2)
            first, second = supervisor.addresses()
            with pytest.raises(OSError, match=r"closed|reset"):
                await ask(first, "/crash")
            await until(lambda: supervisor.by_index() == {1: second})
            await ask(second)
            await until(lambda: len(supervisor.addresses()) == 2)
            return supervisor.by_index()[1] == second

    assert run(work)


def test_a_server_that_hangs_is_killed_and_started_again(tmp_path: Path) -> None:
    async def work() -> tuple[int, int]:
        async with supervised(tmp_path, recipe("--deaf")) as supervisor:
            before = await ask(supervisor.addresses()[0], "/hang")
            await until(lambda: not supervisor.addresses())
            await until(lambda: bool(supervisor.addresses()))
            after = await ask(supervisor.addresses()[0])
            return before["pid"], after["pid"]

    before, after = run(work)
    assert before != after
    assert not is_running(before)


def test_closing_lets_a_server_end_in_order(tmp_path: Path) -> None:
    goodbye = tmp_path / "goodbye"
    goodbye.mkdir()

    async def work() -> tuple[int, float]:
        async with supervised(tmp_path, recipe(env={"GOODBYE": str(goodbye)})) as supervisor:
            told = await ask(supervisor.addresses()[0])
            begin = time.monotonic()
            await supervisor.close()
            await supervisor.close()
            return told["pid"], time.monotonic() - begin

    pid, took_s = run(work)
    assert (goodbye / str(pid)).read_text() == "ended in order"
    assert not is_running(pid)
    assert took_s < 1.0


def test_closing_ends_whatever_a_server_has_started(tmp_path: Path) -> None:
    async def work() -> tuple[int, int]:
        async with supervised(tmp_path, recipe("--deaf")) as supervisor:
            told = await ask(supervisor.addresses()[0], "/family")
            assert is_running(told["child"])
            return told["pid"], told["child"]

    assert not any(map(is_running, run(work)))


PARENT = """
import asyncio, sys, uvloop
from pathlib import Path
from kinogate.engines.upstream.recipe import Recipe
from kinogate.engines.upstream.supervisor import Rhythm, Supervisor

async def main():
    recipe = Recipe(command=tuple(sys.argv[3:]), start_s=20, instances=2)
    rhythm = Rhythm(start_every_s=0.05, grace_s=0.5)
    supervisor = Supervisor("gpu", recipe, log_dir=Path(sys.argv[1]), rhythm=rhythm)
    await supervisor.start()
    while len(supervisor.addresses()) < 2:
        await asyncio.sleep(0.05)
    print(supervisor.addresses()[0], file=sys.stderr, flush=True)  # stdout has the log
    await asyncio.sleep(60)

{"asyncio": asyncio, "uvloop": uvloop}[sys.argv[2]].run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_no_process_is_left_when_we_are_killed(tmp_path: Path, loop: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), loop, *COMMAND, "--deaf"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert parent.stderr is not None
    with parent, parent.stderr:
        address = parent.stderr.readline().strip()
        told = asyncio.run(ask(address, "/family"))
        keepers = children_of(parent.pid)
        family = [*keepers, *(pid for keeper in keepers for pid in children_of(keeper))]
        parent.kill()
    assert told["pid"] in family
    assert len(keepers) == 2
    family.append(told["child"])
    deadline = time.monotonic() + 10.0
    while time.monotonic() < deadline and any(map(is_running, family)):
        time.sleep(0.02)
    assert [pid for pid in family if is_running(pid)] == []


def test_a_keeper_that_is_killed_takes_its_program_along_and_both_come_back(
    tmp_path: Path,
) -> None:
    async def work() -> tuple[int, int]:
        async with supervised(tmp_path, recipe()) as supervisor:
            before = await ask(supervisor.addresses()[0])
            stat = Path(f"/proc/{before['pid']}/stat").read_text()
            os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)
            await until(lambda: not supervisor.addresses())
            await until(lambda: bool(supervisor.addresses()))
            after = await ask(supervisor.addresses()[0])
            return before["pid"], after["pid"]

    before, after = run(work)
    assert before != after
    assert not is_running(before)


@pytest.mark.parametrize(
    ("more", "what"), [("--broken", "ended with exit code 7"), ("--slow", "is starting")]
)
def test_a_server_that_does_not_come_up_is_unavailable_with_a_reason(
    tmp_path: Path, more: str, what: str
) -> None:
    async def work() -> InternalError:
        never = Recipe(command=(*COMMAND, more), start_s=1.5, env={"SLOW_S": "30"})
        supervisor = Supervisor("gpu", never, log_dir=tmp_path, rhythm=Rhythm(back_off_s=30))
        try:
            with pytest.raises(InternalError) as caught:
                await supervisor.start()
        finally:
            await supervisor.close()
        return caught.value

    error = run(work)
    assert error.code is ErrorCode.UNAVAILABLE
    assert what in error.message or "was not healthy within 1.5 seconds" in error.message
    assert "the foreign server starts" in (tmp_path / "server-0.log").read_text()


def test_restarts_come_slower_and_slower(tmp_path: Path) -> None:
    async def work() -> int:
        broken = Recipe(command=(*COMMAND, "--broken"), start_s=3.0)
        supervisor = Supervisor(
            "gpu", broken, log_dir=tmp_path, rhythm=Rhythm(start_every_s=0.02, back_off_s=0.2)
        )
        try:
            with pytest.raises(InternalError):
                await supervisor.start()
        finally:
            await supervisor.close()
        return (tmp_path / "server-0.log").read_text().count("starts")

    assert 2 <= run(work) <= 5  # at 0, 0.2, 0.6, 1.4 and 3.0 seconds, and the starts themselves


def test_closing_while_a_server_starts_ends_the_waiting(tmp_path: Path) -> None:
    async def work() -> ErrorCode:
        slow = recipe(env={"SLOW_S": "30"})
        supervisor = Supervisor("gpu", slow, log_dir=tmp_path, rhythm=QUICK)
        start = asyncio.ensure_future(supervisor.start())
        await asyncio.sleep(0.5)
        await supervisor.close()
        with pytest.raises(InternalError) as caught:
            await start
        return caught.value.code

    assert run(work) is ErrorCode.UNAVAILABLE


def test_the_log_is_put_aside_when_it_has_grown(tmp_path: Path) -> None:
    async def work() -> None:
        small = Rhythm(start_every_s=0.05, grace_s=1.0, log_bytes=12_000)
        async with supervised(tmp_path, recipe(), rhythm=small) as supervisor:
            for _ in range(7):
                await ask(supervisor.addresses()[0], "/chatter")
                await asyncio.sleep(0.05)

    run(work)
    sizes = {path.name: path.stat().st_size for path in tmp_path.glob("server-0.log*")}
    assert sizes.keys() == {"server-0.log", "server-0.log.1"}
    assert max(sizes.values()) < 12_000 + 64 * 1024
    assert (tmp_path / "server-0.log").stat().st_mode & 0o077 == 0


def test_a_section_without_a_command_has_no_server() -> None:
    options: dict[str, object] = {"base_url": "http://127.0.0.1:1"}
    assert take_recipe(options) is None
    assert options == {"base_url": "http://127.0.0.1:1"}


def test_a_section_with_a_command_is_read_and_the_rest_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_TOKEN", "hush")
    options: dict[str, object] = {
        "command": ["sh", "-c", "echo {port} {other}"],
        "instances": 2,
        "devices": ["0", "1"],
        "env": {"HF_TOKEN": "env:MY_TOKEN", "EMPTY": ""},
        "health": "/v1/models",
        "start_s": 600,
        "profile": "sglang",
    }
    found = take_recipe(options)
    assert found is not None
    assert options == {"profile": "sglang"}
    assert found.words(1, 8001) == ["sh", "-c", "echo 8001 {other}"]
    assert found.environment(1)["CUDA_VISIBLE_DEVICES"] == "1"
    assert (found.env["HF_TOKEN"], found.env["EMPTY"]) == ("hush", "")
    assert "hush" not in repr(found)
    assert (found.health, found.start_s) == ("/v1/models", 600.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"command": "sh"}, "command: "),
        ({"command": []}, "command: "),
        ({"command": ["no-such-program"]}, "command: there is no program no-such-program"),
        ({"instances": 2}, "instances: needs a command"),
        ({"command": ["sh"], "instances": 0}, "instances: "),
        ({"command": ["sh"], "instances": 1.5}, "instances: "),
        ({"command": ["sh"], "instances": 2, "devices": ["0"]}, "devices: "),
        ({"command": ["sh"], "env": ["A=b"]}, "env: "),
        ({"command": ["sh"], "env": {"A": "env:NO_SUCH_VARIABLE"}}, "env.A: "),
        ({"command": ["sh"], "cwd": "/no/such/folder"}, "cwd: "),
        ({"command": ["sh"], "health": "health"}, "health: "),
        ({"command": ["sh"], "start_s": 3600}, "start_s: "),
    ],
)
def test_a_wrong_member_is_named(options: dict[str, object], said: str) -> None:
    with pytest.raises(BadOptions, match=said):
        take_recipe(options)
