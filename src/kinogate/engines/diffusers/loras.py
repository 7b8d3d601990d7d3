"""Adapters of one run: put on before it, taken off after it, and nothing stays behind.

Imports torch; child processes only. Removing the adapters takes their layers out again instead of
scaling them to nothing, so the weights are the very same tensors as before.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.knobs import Expert
from kinogate.engines.diffusers.folder import BadFolder, check_safetensors
from kinogate.engines.diffusers.resolve import LoraUse

# Any: diffusers' pipelines are built at run time.
Pipeline = Any


@contextmanager
def applied(pipe: Pipeline, loras: Sequence[LoraUse]) -> Iterator[None]:
    """Have `loras` on the pipeline's transformers inside the block.

    Args:
        pipe: Its own transformers are changed, which every pipeline of the same modules sees.
        loras: In order; the same one may be there twice, for instance once for each expert.

    Raises:
        InternalError: ENGINE_FAILED: a file is missing, corrupt, or fits other weights.
    """
    if not loras:
        yield
        return
    try:
        _put_on(pipe, loras)
        yield
    finally:
        pipe.unload_lora_weights()


def _put_on(pipe: Pipeline, loras: Sequence[LoraUse]) -> None:
    names: dict[str, list[str]] = {}
    weights: dict[str, list[float]] = {}
    for number, lora in enumerate(loras):
        for part in _parts(pipe, lora.expert):
            adapter = f"lora_{number}"
            _load(pipe, lora, adapter, part)
            names.setdefault(part, []).append(adapter)
            weights.setdefault(part, []).append(lora.weight)
    for part, adapters in names.items():
        getattr(pipe, part).set_adapters(adapters, weights[part])


def _parts(pipe: Pipeline, expert: Expert) -> tuple[str, ...]:
    if getattr(pipe, "transformer_2", None) is None:
        return ("transformer",)
    chosen = {
        Expert.HIGH: ("transformer",),
        Expert.LOW: ("transformer_2",),
        Expert.BOTH: ("transformer", "transformer_2"),
    }
    return chosen[expert]


def _load(pipe: Pipeline, lora: LoraUse, adapter: str, part: str) -> None:
    try:
        check_safetensors(Path(lora.file))
    except BadFolder as exc:
        raise _unusable(lora, "the file is missing or not whole") from exc
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there are several, which is what is wanted
            pipe.load_lora_weights(
                lora.file, adapter_name=adapter, load_into_transformer_2=part == "transformer_2"
            )
    except Exception as exc:  # diffusers and peft raise whatever they meet
        raise _unusable(lora, "it does not fit these weights") from exc
    if adapter not in getattr(getattr(pipe, part), "peft_config", {}):
        raise _unusable(lora, "it does not fit these weights")


def _unusable(lora: LoraUse, why: str) -> InternalError:
    return InternalError(ErrorCode.ENGINE_FAILED, f"The LoRA {lora.name!r} cannot be used: {why}.")
