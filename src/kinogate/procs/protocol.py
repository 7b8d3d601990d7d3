"""What parent and child say: length-prefixed msgpack frames over two pipes.

A frame is four bytes of length, big endian, and one tagged struct. The parent sends `Call`, `Cancel`
and perhaps a `Hint`; the child answers a call with any number of `Progress` and then one `Result` or
`Failure`, and sends a `Beat` every `BEAT_S` seconds whatever else it does. One call at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from kinogate.domain.errors import (
    AccountError,
    CallerError,
    ErrorCode,
    InternalError,
    KinogateError,
    UpstreamError,
)

MAX_FRAME_BYTES = 16 * 1024 * 1024
BEAT_S = 2.0
LENGTH_BYTES = 4

Report = Callable[[str, float], None]
"""Called by a method with a stage's name and the share done, 0.0–1.0; raises when canceled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the kernel grants a child; None leaves a limit as it is.

    Attributes:
        address_space_bytes: All memory it may map, libraries included.
        cpu_s: Processor seconds for one call, all threads together; the child dies beyond.
        file_bytes: Largest file it may write.
        open_files: Descriptors it may hold.
        nice: Added to its niceness, 0–19.
        is_offline: Whether it is cut off from the network, where the kernel lets us.
    """

    address_space_bytes: int | None = None
    cpu_s: int | None = None
    file_bytes: int | None = None
    open_files: int | None = 256
    nice: int = 0
    is_offline: bool = True


@dataclass(frozen=True, slots=True)
class Method:
    """One thing a worker module can do.

    Attributes:
        args_type: What the call's arguments are decoded into.
        run: Gets the arguments and the report; what it returns is encoded as the result.
    """

    # Any: the table of a worker holds methods of many types; decoding checks the real one.
    args_type: Any
    run: Callable[[Any, Report], Any]


class Spent(Exception):
    """Raised by a method whose call failed and whose process must not be used again.

    The caller gets `error` as if it had been raised itself; the child is replaced. For faults that
    stay behind, such as an illegal memory access on a device. Any exception that is not a
    `KinogateError` has the same effect and is told as a plain ENGINE_FAILED.

    Attributes:
        error: What the caller is told.
    """

    def __init__(self, error: KinogateError) -> None:
        super().__init__(error.message)
        self.error = error


class Start(msgspec.Struct, frozen=True):
    """What a child is told on its command line, as JSON."""

    module: str
    parent_pid: int
    limits: Limits


class Call(msgspec.Struct, frozen=True, tag="call"):
    """Run method `name` with `args`."""

    id: int
    name: str
    args: msgspec.Raw


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Make the next report of call `id` raise."""

    id: int


class Hint(msgspec.Struct, frozen=True, tag="hint"):
    """Something that may make a call to come quicker; nobody waits for it."""

    args: msgspec.Raw


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker module is imported."""


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """The child lives."""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """Call `id` has got so far."""

    id: int
    stage: str
    share: float


class Result(msgspec.Struct, frozen=True, tag="result"):
    """Call `id` ended well."""

    id: int
    value: msgspec.Raw


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """Call `id` ended in an error; `is_fatal` asks the parent to replace the child."""

    id: int
    kind: str
    code: ErrorCode
    message: str
    field: str | None = None
    retry_after_s: int | None = None
    is_retriable: bool = False
    is_charged: bool = False
    upstream_code: str | None = None
    is_fatal: bool = False


ToChild = Call | Cancel | Hint
ToParent = Ready | Beat | Progress | Result | Failure

_KINDS: dict[str, type[KinogateError]] = {
    "caller": CallerError,
    "account": AccountError,
    "upstream": UpstreamError,
}
_ENCODER = msgspec.msgpack.Encoder()


def pack(frame: ToChild | ToParent) -> bytes:
    """The frame as bytes, length first.

    Raises:
        ValueError: It is larger than `MAX_FRAME_BYTES`.
    """
    body = _ENCODER.encode(frame)
    if len(body) > MAX_FRAME_BYTES:
        raise ValueError("The frame is too large.")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def body_length(prefix: bytes) -> int:
    """How many bytes follow the length prefix.

    Raises:
        ValueError: More than `MAX_FRAME_BYTES`.
    """
    length = int.from_bytes(prefix, "big")
    if length > MAX_FRAME_BYTES:
        raise ValueError("The frame is too large.")
    return length


def failure_of(call_id: int, error: KinogateError) -> Failure:
    """The error as a frame."""
    kind = next((word for word, cls in _KINDS.items() if isinstance(error, cls)), "internal")
    frame = Failure(
        id=call_id,
        kind=kind,
        code=error.code,
        message=error.message,
        field=error.field,
        retry_after_s=error.retry_after_s,
    )
    if isinstance(error, UpstreamError):
        return msgspec.structs.replace(
            frame,
            is_retriable=error.retriable,
            is_charged=error.is_charged,
            upstream_code=error.upstream_code,
        )
    return frame


def error_of(failure: Failure) -> KinogateError:
    """The frame as the error that was raised in the child."""
    if failure.kind == "upstream":
        return UpstreamError(
            failure.code,
            failure.message,
            field=failure.field,
            retriable=failure.is_retriable,
            is_charged=failure.is_charged,
            upstream_code=failure.upstream_code,
            retry_after_s=failure.retry_after_s,
        )
    return _KINDS.get(failure.kind, InternalError)(
        failure.code, failure.message, field=failure.field, retry_after_s=failure.retry_after_s
    )
