"""Outcomes that an app developer asks for, to test error handling (design §4.23)."""

from __future__ import annotations

from kinogate.domain.errors import (
    AccountError,
    CallerError,
    ErrorCode,
    InternalError,
    UpstreamError,
    field_invalid,
)

HEADER = "X-Kinogate-Simulate"
_PLAIN = frozenset({"fail", "moderation", "rate-limit", "upstream-error"})
_TIMED = frozenset({"slow", "queue"})
_MAX_S = 600.0


def parse_simulation(text: str) -> str:
    """Check the header's value: one of the plain words, or `slow=SECONDS`, `queue=SECONDS`.

    Raises:
        CallerError: FIELD_INVALID.
    """
    value = text.strip().lower()
    word, _, seconds = value.partition("=")
    if value in _PLAIN or (word in _TIMED and _seconds(seconds) is not None):
        return value
    raise field_invalid(
        HEADER,
        "Must be fail, moderation, rate-limit, upstream-error, slow=SECONDS or queue=SECONDS, "
        f"with at most {_MAX_S:g} seconds.",
    )


def refuse_at_submit(simulate: str | None) -> None:
    """Raise what a `rate-limit` simulation asks for.

    Raises:
        AccountError: RATE_LIMITED.
    """
    if simulate == "rate-limit":
        raise AccountError(
            ErrorCode.RATE_LIMITED, "Too many requests (simulated).", retry_after_s=1
        )


def simulated_fault(simulate: str | None) -> None:
    """Raise the fault that the simulation asks for during the run.

    Raises:
        KinogateError: In the meaning that was asked for.
    """
    if simulate == "fail":
        raise InternalError(ErrorCode.ENGINE_FAILED, "The engine failed (simulated).")
    if simulate == "moderation":
        raise CallerError(
            ErrorCode.CONTENT_REFUSED,
            "Input or output data may contain inappropriate content (simulated).",
        )
    if simulate == "upstream-error":
        raise UpstreamError(ErrorCode.UPSTREAM_FAILED, "The upstream failed (simulated).")


def simulated_delay_s(simulate: str | None) -> float:
    """Extra seconds of running."""
    return _timed(simulate, "slow")


def simulated_queue_s(simulate: str | None) -> float:
    """Seconds that the task stays queued."""
    return _timed(simulate, "queue")


def _timed(simulate: str | None, word: str) -> float:
    name, _, seconds = (simulate or "").partition("=")
    return (_seconds(seconds) or 0.0) if name == word else 0.0


def _seconds(text: str) -> float | None:
    if not text.replace(".", "", 1).isdecimal() or not text.isascii() or len(text) > 8:
        return None
    value = float(text)
    return value if value <= _MAX_S else None
