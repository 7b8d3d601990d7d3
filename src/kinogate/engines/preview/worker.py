"""The worker module that `procs.child` runs for the preview engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kinogate.domain.order import Order, Produced
from kinogate.engines.preview.engine import render
from kinogate.procs.protocol import Method, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderJob:
    """Arguments of the method `render`; `out` is the path of the MP4 to write."""

    order: Order
    out: str


def _render(job: RenderJob, report: Report) -> Produced:
    return render(job.order, Path(job.out), report)


METHODS: Mapping[str, Method] = {"render": Method(RenderJob, _render)}
