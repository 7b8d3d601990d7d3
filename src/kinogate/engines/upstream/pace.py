"""How long an upstream engine waits for what; every figure is our choice unless a source is named."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Waiting times, seconds.

    Attributes:
        deadline_s: From the create call to the finished clip; also the longest wait for a place.
        poll_s: Between polls at first, or None for the wire's own.
        poll_growth: Factor by which the pause grows from poll to poll.
        poll_cap_s: Longest pause between polls unless the upstream asks for more; DashScope
            advises 15.
        jitter: Share by which a pause is shortened or lengthened at random.
        create_s: For a create call, answer included; its body may have 14 MiB.
        call_s: For any other call.
        throttled_s: Longest time spent on waiting out rate limits of create calls.
        rest_s: Of a credential whose key, permission or balance was refused.
        trouble_s: Of a credential that cannot be reached.
        settle_s: After a lost answer, until a task that no listing shows counts as not created.
        look_s: Between two looks into a listing.
        cancel_s: For canceling at the upstream when the task is canceled here.
        probe_s: For one free call of `check`.
        download_tries: Times that a finished clip is asked for.
        download_pause_s: Before the second try; doubles from try to try.
    """

    deadline_s: float = 900.0
    poll_s: float | None = None
    poll_growth: float = 1.25
    poll_cap_s: float = 15.0
    jitter: float = 0.2
    create_s: float = 90.0
    call_s: float = 30.0
    throttled_s: float = 60.0
    rest_s: float = 300.0
    trouble_s: float = 15.0
    settle_s: float = 20.0
    look_s: float = 4.0
    cancel_s: float = 1.5
    probe_s: float = 8.0
    download_tries: int = 4
    download_pause_s: float = 1.0
