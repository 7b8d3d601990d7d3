"""Giving rights away, in the child, before it touches anything: limits, network, life.

Every step that the kernel may refuse (containers differ) is attempted and then done without;
memory, file size and descriptors are granted by every Linux and must hold.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from kinogate.procs.protocol import Limits

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x1000_0000
_CLONE_NEWNET = 0x4000_0000
_OOM_SCORE = "500"  # when memory runs out the kernel takes a child and not the server


_MOST_FILES = 1 << 20


def close_inherited() -> None:
    """Close all but the three standard streams; not every event loop's spawn does (uvloop).

    A child that holds the pipe of another would keep it from seeing its end.
    """
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(3, _MOST_FILES if soft == resource.RLIM_INFINITY else min(soft, _MOST_FILES))


def follow_to_death(parent_pid: int) -> None:
    """Die with the parent, even if that is killed; leave at once if it is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(0)


def confine(limits: Limits) -> None:
    """Apply `limits` to this process. Call once, before threads start and modules load.

    Raises:
        OSError: A hard limit could not be set.
        ValueError: A limit is above what this process may have.
    """
    # Ctrl-C and service managers signal the whole group; the parent drains first and then ends us.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if limits.nice:
        os.nice(limits.nice)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _write("/proc/self/oom_score_adj", _OOM_SCORE)
        if limits.is_offline:
            _leave_network()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_AS, limits.address_space_bytes)
    _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)


def allow_cpu(seconds: int | None) -> None:
    """Let this process use `seconds` more of processor time; the kernel kills it beyond."""
    if seconds is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _lower(what: int, most: int | None) -> None:
    if most is None:
        return
    hard = resource.getrlimit(what)[1]
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(what, (most, most))


def _leave_network() -> None:
    """Move into an empty network of our own; a decoder that is tricked can call nobody."""
    user, group = os.getuid(), os.getgid()
    if user == 0:
        # Not with a user namespace: root would lose its way into folders of other owners.
        ctypes.CDLL(None).unshare(_CLONE_NEWNET)
        return
    if ctypes.CDLL(None).unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="ascii")
    except OSError:
        return  # refused by this kernel or container; the border holds without it
