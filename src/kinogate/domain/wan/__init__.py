"""The Wan family as data: one row per model of the model catalogue, newest generation first.

One file per generation; every figure without a mark is the vendor's own, the others are named in
the row's `unverified`. Prices, limits and availability change here and nowhere else.
"""

from __future__ import annotations

from kinogate.domain.spec import ModelSpec
from kinogate.domain.wan import wan21, wan22, wan25, wan26, wan27, wan30

WAN_MODELS: tuple[ModelSpec, ...] = (
    *wan30.MODELS,
    *wan27.MODELS,
    *wan26.MODELS,
    *wan25.MODELS,
    *wan22.MODELS,
    *wan21.MODELS,
)
