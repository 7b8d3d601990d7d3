"""Pull the levers of a preset on a pipeline, and say which of them hold.

A lever that this machine or this pipeline cannot have is left out with the reason, never claimed:
the names in `Active.levers` end up in the task's fingerprint. What changes the pipeline for good is
done by `apply`, once, after loading; what belongs to a run is done and undone by `Active.run`.

Not used, though diffusers offers them: TaylorSeer does nothing on Wan with its own defaults, SeaCache
gets no step from the image pipelines and skips nothing there, and MagCache needs figures that nobody
has published for Wan.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from diffusers import FirstBlockCacheConfig
from diffusers.models.attention_dispatch import attention_backend, dispatch_attention_fn
from torch.nn import functional

from kinogate.engines.diffusers.recipes import RECIPES, REUSE_FROM_STEPS, Recipe
from kinogate.engines.diffusers.rungs import Rung
from kinogate.engines.diffusers.tuning import compile_blocks, compile_fault, fuse_norms, lay_out

__all__ = ["RECIPES", "Active", "Distilled", "LeftOut", "Machine", "Recipe", "apply"]

_log = logging.getLogger(__name__)
_FP8_SINCE = (8, 9)  # Ada; Hopper is 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the levers may count on.

    Attributes:
        is_cuda: Whether the device is an NVIDIA card.
        capability: Of that card, major and minor.
        compiler: Backend of `torch.compile`, or None where it is not worth its time.
    """

    is_cuda: bool = False
    capability: tuple[int, int] = (0, 0)
    compiler: str | None = None

    @classmethod
    def of(cls, device: torch.device) -> Machine:
        """The machine behind a device."""
        if device.type != "cuda":
            return cls()
        return cls(
            is_cuda=True,
            capability=torch.cuda.get_device_capability(device),
            compiler="inductor",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A lever of the recipe that does not hold, and why, in one sentence."""

    lever: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Distilled:
    """A LoRA that makes a model need few steps.

    Attributes:
        path: A safetensors file.
        is_second: Whether it belongs to the low-noise expert of a model with two.
    """

    path: Path
    is_second: bool = False


class _Unfit(Exception):
    """This lever cannot be had; the message says why."""


class Active:
    """What holds on one pipeline.

    Attributes:
        recipe: What was asked for.
        levers: What holds for every run, in the order of the recipe.
        left_out: What does not, with reasons.
    """

    def __init__(
        self, pipe: Any, recipe: Recipe, levers: tuple[str, ...], left_out: tuple[LeftOut, ...]
    ) -> None:
        self._pipe = pipe
        self.recipe = recipe
        self.levers = levers
        self.left_out = left_out

    @contextmanager
    def run(
        self,
        *,
        steps: int,
        is_uniform: bool = True,
        pipe: Any = None,
        rung: Rung = Rung.WHOLE,
    ) -> Iterator[tuple[str, ...]]:
        """Surround one call of the pipeline.

        However the block ends, nothing that the call has left behind reaches the next one: caches
        are taken off, and hooks with a memory are reset.

        Args:
            steps: Denoising steps of the call.
            is_uniform: Whether all tokens are at the same time of the schedule, as they are unless
                TI2V-5B is given a first frame.
            pipe: The pipeline that is called, where it is another one with the same modules.
            rung: How it is held in this call, where that is not for good.

        Yields:
            The levers that hold in this call.
        """
        called = pipe if pipe is not None else self._pipe
        names = list(self.levers)
        if rung is not Rung.WHOLE and _held(rung) not in names:
            names.append(_held(rung))
        with ExitStack() as stack:
            for each in {id(p): p for p in (self._pipe, called)}.values():
                stack.callback(each.maybe_free_model_hooks)
            if self.recipe.reuse is not None and steps >= REUSE_FROM_STEPS:
                for model in transformers_of(called):
                    model.enable_cache(FirstBlockCacheConfig(threshold=self.recipe.reuse))
                    stack.callback(model.disable_cache)
                names.append(f"reuse:{self.recipe.reuse:g}")
            if is_uniform and "timestep" in names:
                for model in transformers_of(called):
                    handle = model.register_forward_pre_hook(_one_timestep, with_kwargs=True)
                    stack.callback(handle.remove)
            elif "timestep" in names:
                names.remove("timestep")
            yield tuple(names)


def _held(rung: Rung) -> str:
    return f"held:{rung.value}"


def transformers_of(pipe: Any) -> list[Any]:
    """The experts that a pipeline has, high noise first."""
    found = (getattr(pipe, name, None) for name in ("transformer", "transformer_2"))
    return [model for model in found if model is not None]


def apply(
    pipe: Any,
    recipe: Recipe,
    device: torch.device | str,
    *,
    distilled: Sequence[Distilled] = (),
    is_distilled: bool = False,
    rung: Rung = Rung.WHOLE,
    machine: Machine | None = None,
) -> Active:
    """Pull the levers of a recipe; once for each pipeline, after loading and before its first run.

    Args:
        pipe: A Wan pipeline, on its device, or in host memory where the rung keeps it there.
        recipe: The preset.
        device: Where it runs.
        distilled: LoRAs to melt into the weights for a recipe that needs them.
        is_distilled: Whether the weights have been distilled already.
        rung: How `offload.hold` will hold it, or has; it is named among the levers.
        machine: What to count on; found out when not given.
    """
    place = torch.device(device)
    machine = machine if machine is not None else Machine.of(place)
    active: list[str] = []
    left_out: list[LeftOut] = []
    for lever, is_wanted, pull in (
        (
            "distilled",
            recipe.is_distilled,
            partial(_distill, pipe, tuple(distilled), is_distilled=is_distilled),
        ),
        ("fp8", recipe.fp8, partial(_fp8, pipe, machine, rung)),
        ("attention", bool(recipe.attention), partial(_attention, pipe, recipe, place, machine)),
        ("timestep", has_token_times(pipe), partial(_needs_cuda, machine)),
        ("tf32", recipe.tf32, partial(_tf32, machine)),
        ("vae:bf16", recipe.is_vae_halved, partial(_halve_vae, pipe)),
        ("vae:tuned", recipe.is_vae_tuned, partial(_tune_vae, pipe, place, machine)),
        # Last: what is compiled must be what the others have made of it.
        ("compile", recipe.compiles, partial(_compile, pipe, place, machine)),
    ):
        if not is_wanted:
            continue
        try:
            active.append(pull() or lever)
        except _Unfit as exc:
            left_out.append(LeftOut(lever=lever, reason=str(exc)))
    if rung is not Rung.WHOLE:
        active.append(_held(rung))
    if recipe.reuse is not None and rung.is_offloaded:
        # Blocks are brought by the ones before them, and a cache leaves these out.
        recipe = replace(recipe, reuse=None)
        left_out.append(LeftOut(lever="reuse", reason="Weights are brought block by block."))
    for item in left_out:
        _log.info("lever left out: %s: %s", item.lever, item.reason)
    return Active(pipe, recipe, tuple(active), tuple(left_out))


def _needs_cuda(machine: Machine) -> None:
    if not machine.is_cuda:
        raise _Unfit("It does nothing for this device.")


def _distill(pipe: Any, loras: tuple[Distilled, ...], *, is_distilled: bool) -> None:
    if is_distilled:
        return
    if not loras:
        raise _Unfit("No step-distilled weights and no such LoRA are configured.")
    for number, lora in enumerate(loras):
        name = f"distilled_{number}"
        pipe.load_lora_weights(
            str(lora.path.parent),
            weight_name=lora.path.name,
            adapter_name=name,
            load_into_transformer_2=lora.is_second,
            use_safetensors=True,
        )
    for model in transformers_of(pipe):
        if getattr(model, "peft_config", None):
            model.fuse_lora(safe_fusing=True)
            # The adapters would be computed once more on top of what they have become.
            model.unload_lora()


def _fp8(pipe: Any, machine: Machine, rung: Rung) -> None:
    _needs_cuda(machine)
    if rung.is_offloaded:
        raise _Unfit("Weights that are moved about are kept as they were loaded.")
    if machine.capability < _FP8_SINCE:
        raise _Unfit("The card multiplies no eight-bit floats.")
    if find_spec("torchao") is None:
        raise _Unfit("The package torchao is not installed.")
    from torchao.quantization import (  # noqa: PLC0415 - optional
        Float8DynamicActivationFloat8WeightConfig,
        PerRow,
        quantize_,
    )

    for model in transformers_of(pipe):
        quantize_(model.blocks, Float8DynamicActivationFloat8WeightConfig(granularity=PerRow()))


def _attention(pipe: Any, recipe: Recipe, device: torch.device, machine: Machine) -> str:
    _needs_cuda(machine)
    models = transformers_of(pipe)
    for name in recipe.attention:
        reason = _why_not(name, device, models[0])
        if reason is None:
            # Around it, because it also makes the backend that of every other model in the process;
            # leaving the block puts back what was there.
            with attention_backend(name):
                for model in models:
                    model.set_attention_backend(name)
            return f"attention:{name.strip('_')}"
        _log.info("attention backend %s: %s", name, reason)
    raise _Unfit("None of the backends works here; the library's own is used.")


def _why_not(name: str, device: torch.device, model: Any) -> str | None:
    """Why a backend cannot be used, by using it: some are accepted anywhere and fail when run."""
    heads, width = 2, model.config.attention_head_dim
    q = torch.randn(1, 256, heads, width, device=device, dtype=model.dtype)
    try:
        with torch.no_grad(), attention_backend(name):
            found = dispatch_attention_fn(q, q, q)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    except Exception as exc:  # noqa: BLE001 - whatever a package raises, it cannot be used
        return str(exc).splitlines()[0] if str(exc) else type(exc).__name__
    flat = q.transpose(1, 2)
    expected = functional.scaled_dot_product_attention(flat, flat, flat).transpose(1, 2)
    if not torch.allclose(found.float(), expected.float(), atol=0.1):
        return "It computes something else."
    return None


def has_token_times(pipe: Any) -> bool:
    """Whether the pipeline gives every token a time of its own, as TI2V-5B's does."""
    return bool(getattr(pipe.config, "expand_timesteps", False))


def _one_timestep(_model: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Replace a time for each token by the one that they share.

    TI2V-5B's pipeline embeds the time of every token, and each block then reads six vectors a
    token: 1 GB at 720p in bfloat16, thirty times a pass. Without a first frame they are all equal.
    """
    timestep = kwargs.get("timestep")
    if timestep is None or timestep.ndim != 2:
        return args, kwargs
    return args, {**kwargs, "timestep": timestep[:, 0]}


def _tf32(machine: Machine) -> None:
    _needs_cuda(machine)
    torch.set_float32_matmul_precision("high")


def _halve_vae(pipe: Any) -> None:
    pipe.vae.to(torch.bfloat16)


def _tune_vae(pipe: Any, device: torch.device, machine: Machine) -> str:
    _needs_cuda(machine)
    torch.backends.cudnn.benchmark = True
    lay_out(pipe.vae)
    if machine.compiler is None or compile_fault(device, machine.compiler) is not None:
        return "vae:channels-last"
    fuse_norms(pipe.vae.decoder, machine.compiler)
    fuse_norms(pipe.vae.encoder, machine.compiler)
    return "vae:tuned"


def _compile(pipe: Any, device: torch.device, machine: Machine) -> None:
    if machine.compiler is None:
        raise _Unfit("Compiling takes longer than it saves on this device.")
    if (fault := compile_fault(device, machine.compiler)) is not None:
        raise _Unfit(f"The compiler does not work here: {fault}")
    for model in transformers_of(pipe):
        compile_blocks(model, machine.compiler)
