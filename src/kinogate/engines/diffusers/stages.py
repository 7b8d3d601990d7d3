"""How far a run is: the stages' shares of the whole, weighted by what they cost. Pure; no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from kinogate.engines.diffusers.flops import StageFlops


class Stage(StrEnum):
    """What a run does, in this order."""

    LOAD = "loading"
    TEXT = "encoding text"
    IMAGE = "encoding pictures"
    DENOISE = "denoising"
    DECODE = "decoding"
    FINISH = "finishing"


_CONVOLUTION = 3.0
"""A convolution's operation takes about as long as three of a matrix product (inferred)."""

_LOAD_SHARE, _FINISH_SHARE = 0.02, 0.02


@dataclass(slots=True, kw_only=True)
class _Span:
    start: float
    length: float


class Stages:
    """Turns a stage's own share into one of the whole, and never lets it fall."""

    def __init__(self, report: Callable[[str, float], None], flops: StageFlops) -> None:
        """Lay out the stages.

        Args:
            report: Called with the stage and the share of the whole, 0.0–1.0; may raise.
            flops: What the stages cost.
        """
        costs = {
            Stage.TEXT: float(flops.text),
            Stage.IMAGE: flops.image * _CONVOLUTION,
            Stage.DENOISE: float(flops.denoise),
            Stage.DECODE: flops.decode * _CONVOLUTION,
        }
        whole = sum(costs.values()) or 1.0
        middle = 1.0 - _LOAD_SHARE - _FINISH_SHARE
        self._report = report
        self._spans: dict[Stage, _Span] = {Stage.LOAD: _Span(start=0.0, length=_LOAD_SHARE)}
        start = _LOAD_SHARE
        for stage, cost in costs.items():
            length = middle * cost / whole
            self._spans[stage] = _Span(start=start, length=length)
            start += length
        self._spans[Stage.FINISH] = _Span(start=start, length=1.0 - start)
        self._highest = 0.0

    def at(self, stage: Stage, share: float) -> None:
        """Say how far a stage is, 0.0–1.0.

        Raises:
            BaseException: Whatever `report` raises to cancel.
        """
        span = self._spans[stage]
        now = span.start + span.length * min(max(share, 0.0), 1.0)
        self._highest = min(max(self._highest, now), 1.0)
        self._report(stage.value, self._highest)
