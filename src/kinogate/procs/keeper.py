"""Between us and a foreign server: runs a program and leaves nothing of it behind.

`python -I -S keeper.py '{"command": …}'`: its stdin is our lifeline, its stdout and stderr are
never written. The program's output goes to a log file of bounded size. When the lifeline closes,
when we die, or on SIGTERM, the program gets SIGTERM, a grace, then SIGKILL, and so does everything
that it has started, also what has moved into a session of its own. Standard library only and run
by its path: it starts in the program's environment, in which our packages are strangers.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_IDLE_S = 0.2
_TICK_S = 0.05
LAST_S = 5.0
_CHUNK = 64 * 1024
_MOST_FILES = 1 << 16
CANNOT_START = 127
"""Exit code when there is no such program or it may not be run, as a shell's."""


class RollingLog:
    """A log file that is put aside as `NAME.1` when it has grown to `most` bytes."""

    def __init__(self, path: Path, most: int) -> None:
        self._path = path
        self._most = most
        self._fd: int | None = None
        self._size = 0

    def write(self, data: bytes) -> None:
        """Append; what cannot be written is dropped, for the program must not be held up."""
        try:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                self._size = os.fstat(self._fd).st_size
            self._size += os.write(self._fd, data)
            if self._size >= self._most:
                self.close()
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        except OSError:
            self.close()

    def close(self) -> None:
        """Close the file; a later write opens it again."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class Keeper:
    """One program, from its start until nothing of it is left."""

    def __init__(self, command: list[str], log: RollingLog, grace_s: float) -> None:
        """Start the program.

        Raises:
            OSError: There is no such program, or it may not be run.
        """
        self._log = log
        self._grace_s = grace_s
        self._is_asked = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask)
        self._program = subprocess.Popen(  # noqa: S603 - the operator's own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=_prepare,  # noqa: PLW1509 - this process has one thread
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(0, selectors.EVENT_READ)
        if self._program.stdout is not None:
            os.set_blocking(self._program.stdout.fileno(), False)
            self._selector.register(self._program.stdout, selectors.EVENT_READ)

    def run(self) -> int:
        """Wait until the program ends or we are asked to end it; then see that all is gone.

        Returns:
            Its exit code; 128 and the number where a signal ended it.
        """
        while not self._is_asked and not self._has_ended():
            self._look(_IDLE_S)
        self._end_all()
        code = self._program.returncode or 0
        return code if code >= 0 else 128 - code

    def _ask(self, _number: int, _frame: object) -> None:
        self._is_asked = True

    def _has_ended(self) -> bool:
        self._reap()
        return self._program.returncode is not None

    def _look(self, timeout_s: float) -> None:
        """Copy output to the log; notice that the lifeline is closed."""
        for key, _ in self._selector.select(timeout_s):
            try:
                data = os.read(key.fd, _CHUNK)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                self._selector.unregister(key.fileobj)
            if key.fd == 0:
                self._is_asked = self._is_asked or not data
            elif data:
                self._log.write(data)

    def _end_all(self) -> None:
        """Ask the program's whole family to leave, then make it."""
        asked: set[int] = set()
        now = time.monotonic()
        while not self._reap() and time.monotonic() < now + self._grace_s + LAST_S:
            # Grandchildren become our children as their parents die, so again and again.
            if time.monotonic() < now + self._grace_s:
                asked = self._signal(signal.SIGTERM, asked)
            else:
                self._signal(signal.SIGKILL, set())
            self._look(_TICK_S)
        self._look(0)
        self._log.close()

    def _signal(self, number: int, told: set[int]) -> set[int]:
        """Send a signal to every child that has not been told; those that have been, now."""
        family = set(_children() or [self._program.pid])
        for pid in family - told:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        return family

    def _reap(self) -> bool:
        """Wait for whoever has ended, orphans too; whether nobody is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self._program.pid:
                self._program.returncode = os.waitstatus_to_exitcode(status)


def _children() -> list[int]:
    """Our own children; where the kernel does not list them, none."""
    try:
        return [int(word) for word in Path("/proc/thread-self/children").read_text().split()]
    except OSError:
        return []


def _prepare() -> None:
    """In the new process, before the program: die with the keeper, with signals as usual."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main(argument: str) -> int:
    """Keep one program; returns its exit code."""
    soft = os.sysconf("SC_OPEN_MAX")
    os.closerange(3, _MOST_FILES if soft < 0 else min(soft, _MOST_FILES))
    told = json.loads(argument)
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != told["parent_pid"]:
        return 0
    log = RollingLog(Path(told["log"]), told["log_bytes"])
    try:
        keeper = Keeper(told["command"], log, told["grace_s"])
    except OSError as exc:
        log.write(f"{told['command'][0]}: {exc.strerror}\n".encode())
        log.close()
        return CANNOT_START
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
