"""One order on resident weights: text, pictures, denoising, frames, file.

Imports torch; child processes only. Nothing of a run reaches the next one: the scheduler is made
anew, adapters are taken off, what hooks remember is forgotten, also when a report raises to cancel
in the middle (raising leaves the memory of diffusers' caches dirty; notes on engines, section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

from kinogate.domain.order import Order, Produced, Role
from kinogate.engines.diffusers.cards import Kind
from kinogate.engines.diffusers.decode import Frames, decode
from kinogate.engines.diffusers.flops import StageFlops, stage_flops
from kinogate.engines.diffusers.gate import gated
from kinogate.engines.diffusers.load import Pipeline, Resident
from kinogate.engines.diffusers.looks import Looks, Show, is_worth_a_look
from kinogate.engines.diffusers.loras import applied
from kinogate.engines.diffusers.offload import tiled
from kinogate.engines.diffusers.parallel import is_shared, shared
from kinogate.engines.diffusers.pictures import first_picture, vace_conditions
from kinogate.engines.diffusers.resolve import RunSpec, encoded_frames
from kinogate.engines.diffusers.rungs import Rung
from kinogate.engines.diffusers.stages import Stage, Stages
from kinogate.engines.diffusers.write import ClipWriter

Report = Callable[[str, float], None]
Take = Callable[[Frames], None]

_TRAIN_STEPS = 1000


def _never() -> bool:
    """A group of one never leaves itself."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """Embeddings of a prompt and of the negative one, which is None where nothing is guided."""

    positive: torch.Tensor
    negative: torch.Tensor | None


def run(
    resident: Resident,
    order: Order,
    spec: RunSpec,
    out: Path,
    report: Report,
    *,
    rung: Rung = Rung.WHOLE,
    has_left: Callable[[], bool] = _never,
    has_previews: bool = False,
) -> Produced:
    """Make the clip that `order` asks for.

    Args:
        resident: The weights.
        order: Prompt, inputs, marks and tags; its inputs are on local disk.
        spec: The numbers, as `resolve` gave them for this order.
        out: Where the MP4 goes; stills are laid beside it.
        report: Called with the stage and the finished share of the whole, rising. It may raise to
            cancel: everything is cleaned up and the exception travels on.
        rung: How the weights are held in this run, where that is not for good.
        has_left: Whether the clip is to be given up, where several processes make it together.
        has_previews: Whether the live still shows the clip while it is noise, where that pays.

    Raises:
        Left: Another process of the group has given up the clip.
        CallerError: A given picture or clip cannot be decoded.
        InternalError: Ours, or a LoRA that does not fit.
    """
    stages = Stages(report, costs(resident, order, spec))
    levers: tuple[str, ...] = ()
    with ClipWriter(order, out, fps=spec.fps) as writer:
        levers = generate(
            resident,
            order,
            spec,
            stages,
            writer.take,
            rung=rung,
            has_left=has_left,
            show=writer.show if has_previews and is_worth_a_look(spec, rung) else None,
        )
        stages.at(Stage.FINISH, 0.0)
    produced = writer.produced(fingerprint(resident, spec, levers, writer.encoder))
    stages.at(Stage.FINISH, 1.0)
    return produced


def generate(
    resident: Resident,
    order: Order,
    spec: RunSpec,
    stages: Stages,
    take: Take,
    *,
    rung: Rung = Rung.WHOLE,
    has_left: Callable[[], bool] = _never,
    show: Show | None = None,
) -> tuple[str, ...]:
    """Make the frames and hand them to `take`: `[n, H, W, 3]` uint8 RGB at the generated size.

    `show` gets looks at what is still noise, in the same form.

    Returns:
        The levers that held.
    """
    made = _latents(resident, order, spec, stages, rung=rung, has_left=has_left, show=show)
    with tiled(resident.any, rung), made as (latents, levers):
        decode_frames(resident.any, latents, take, stages)
    return levers


def assist(
    resident: Resident,
    order: Order,
    spec: RunSpec,
    report: Report,
    *,
    rung: Rung,
    has_left: Callable[[], bool],
) -> None:
    """Do this process's part of a clip that another process of the group writes; see `run`."""
    stages = Stages(report, costs(resident, order, spec))
    with (
        tiled(resident.any, rung),
        _latents(resident, order, spec, stages, rung=rung, has_left=has_left),
    ):
        pass


@contextmanager
def _latents(
    resident: Resident,
    order: Order,
    spec: RunSpec,
    stages: Stages,
    *,
    rung: Rung,
    has_left: Callable[[], bool],
    show: Show | None = None,
) -> Iterator[tuple[torch.Tensor, tuple[str, ...]]]:
    """Denoise; yields the latents and the levers that held, and cleans up after the block."""
    pipe = resident.pipelines[spec.kind]
    with ExitStack() as stack:
        stack.enter_context(_leaving_clean(resident))
        stack.enter_context(torch.no_grad())
        stack.enter_context(applied(pipe, spec.loras))
        levers = stack.enter_context(ready(resident, pipe, spec, rung))
        prompts = encode_prompts(resident, order, spec, stages)
        seat = resident.seat
        if seat is not None and is_shared(seat, is_guided=spec.is_guided):
            levers = (*levers, f"shared:{seat.sharing.value}")
            stack.enter_context(shared(pipe, seat, has_left=has_left))
        latents = denoise(resident, order, spec, prompts, stages, show=show)
        yield latents, levers


def costs(resident: Resident, order: Order, spec: RunSpec) -> StageFlops:
    """What the stages of a run cost, by the true sizes of the weights."""
    return stage_flops(
        resident.dims,
        resident.vae,
        spec.shape,
        steps=spec.steps,
        is_guided=spec.is_guided,
        encoded_frames=encoded_frames(resident.card, spec),
        prompts=resident.texts.needed(
            resident.any, [order.prompt, spec.negative] if spec.is_guided else [order.prompt]
        ),
    )


@contextmanager
def ready(
    resident: Resident, pipe: Pipeline, spec: RunSpec, rung: Rung = Rung.WHOLE
) -> Iterator[tuple[str, ...]]:
    """Have the preset's levers hold for one call; yields their names."""
    is_uniform = spec.kind is not Kind.I2V or len(resident.card.kinds) == 1
    with resident.active.run(
        steps=spec.steps, is_uniform=is_uniform, pipe=pipe, rung=rung
    ) as levers:
        yield levers


def encode_prompts(resident: Resident, order: Order, spec: RunSpec, stages: Stages) -> Prompts:
    """Embed the prompt, and the negative one where it is needed, unless they are known."""
    stages.at(Stage.TEXT, 0.0)
    pipe = resident.pipelines[spec.kind]
    positive = resident.texts.embed(pipe, order.prompt)
    negative = resident.texts.embed(pipe, spec.negative) if spec.is_guided else None
    stages.at(Stage.TEXT, 1.0)
    return Prompts(positive=positive, negative=negative)


def denoise(
    resident: Resident,
    order: Order,
    spec: RunSpec,
    prompts: Prompts,
    stages: Stages,
    *,
    show: Show | None = None,
) -> torch.Tensor:
    """Run the pipeline up to its latents, `[1, C, T, h, w]`."""
    pipe = resident.pipelines[spec.kind]
    done = 0

    def on_step(_pipe: Pipeline, index: int, _time: Any, values: dict[str, Any]) -> dict[str, Any]:
        nonlocal done
        done = index + 1
        stages.at(Stage.DENOISE, done / pipe.num_timesteps)
        if looks is not None:
            looks.at(done, pipe.num_timesteps)
        return values

    blocks = _Blocks(resident, spec, lambda share: stages.at(Stage.DENOISE, share))
    given, references = _given(order, spec)
    looks = None if show is None else Looks(pipe, spec, show, references=references)
    stages.at(Stage.IMAGE, 0.0)
    with (
        gated(resident.transformers, lambda: blocks.tick(done)),
        _watched(pipe, lambda: stages.at(Stage.IMAGE, 0.5)),
        _sampled_by(pipe, spec),
    ):
        latents = pipe(
            prompt_embeds=prompts.positive,
            negative_prompt_embeds=prompts.negative,
            width=spec.width,
            height=spec.height,
            num_frames=spec.frames,
            num_inference_steps=spec.steps,
            guidance_scale=spec.guidance,
            guidance_scale_2=spec.guidance_2,
            generator=torch.Generator("cpu").manual_seed(spec.seed),
            callback_on_step_end=on_step,
            output_type="latent",
            return_dict=False,
            **given,
        )[0]
    # A VACE pipeline leaves its reference pictures in front where it does not decode itself.
    return latents[:, :, references:]


class _Blocks:
    """Counts blocks within a step, so that a long step shows progress and can be left."""

    def __init__(self, resident: Resident, spec: RunSpec, at: Callable[[float], None]) -> None:
        dims = resident.dims
        passes = 2 if spec.is_guided else 1
        self._each = 1 / (spec.steps * passes * (dims.layers + dims.control_layers))
        self._steps = spec.steps
        self._at = at
        self._step = -1
        self._seen = 0

    def tick(self, step: int) -> None:
        """Another block of step number `step` begins."""
        if step != self._step:
            self._step, self._seen = step, 0
        self._at(min(step / self._steps + self._seen * self._each, (step + 1) / self._steps))
        self._seen += 1


def _given(order: Order, spec: RunSpec) -> tuple[dict[str, Any], int]:
    """The pipeline's arguments for the given pictures, and how many are references."""
    if spec.kind is Kind.T2V:
        return {}, 0
    if spec.kind is Kind.VACE:
        frames, masks, references = vace_conditions(order, spec)
        more = {"reference_images": references} if references else {}
        return {"video": frames, "mask": masks, **more}, len(references)
    first = first_picture(order, Role.FIRST_FRAME, spec)
    last = first_picture(order, Role.LAST_FRAME, spec)
    return {"image": first} | ({} if last is None else {"last_image": last}), 0


def scheduler(spec: RunSpec) -> Any:
    """The sampler of a run.

    Always a new one: a folder may name another class, whose shift has another name, and one that
    has been used remembers.
    """
    if spec.is_distilled:
        return FlowMatchEulerDiscreteScheduler(num_train_timesteps=_TRAIN_STEPS, shift=spec.shift)
    return UniPCMultistepScheduler(
        num_train_timesteps=_TRAIN_STEPS,
        prediction_type="flow_prediction",
        use_flow_sigmas=True,
        flow_shift=spec.shift,
    )


@contextmanager
def _sampled_by(pipe: Pipeline, spec: RunSpec) -> Iterator[None]:
    """Have the run's own scheduler and boundary on the pipeline inside the block."""
    found, boundary = pipe.scheduler, pipe.config.get("boundary_ratio")
    pipe.scheduler = scheduler(spec)
    if spec.boundary is not None:
        pipe.register_to_config(boundary_ratio=spec.boundary)
    try:
        yield
    finally:
        pipe.scheduler = found
        if spec.boundary is not None:
            pipe.register_to_config(boundary_ratio=boundary)


@contextmanager
def _watched(pipe: Pipeline, tick: Callable[[], None]) -> Iterator[None]:
    """Have `tick` called while the autoencoder encodes, before each of its pieces."""
    handle = pipe.vae.encoder.register_forward_pre_hook(lambda *_: tick())
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _leaving_clean(resident: Resident) -> Iterator[None]:
    try:
        yield
    finally:
        resident.any.vae.clear_cache()
        for pipe in resident.pipelines.values():  # whichever of them holds the offloading hooks
            pipe.maybe_free_model_hooks()


def decode_frames(pipe: Pipeline, latents: torch.Tensor, take: Take, stages: Stages) -> None:
    """Decode the latents and hand the frames on as they come."""
    stages.at(Stage.DECODE, 0.0)
    decode(pipe.vae, latents, take, lambda done, all_: stages.at(Stage.DECODE, done / all_))


def fingerprint(resident: Resident, spec: RunSpec, levers: tuple[str, ...], encoder: str) -> str:
    """Engine, versions, weights and levers: all that decides a clip's pixels besides the order."""
    packages = " ".join(f"{name}/{version(name)}" for name in ("diffusers", "torch"))
    names = ",".join(levers) or "none"
    return (
        f"{packages} {resident.card.name} {resident.dtype} {spec.preset}[{names}]"
        f" {encoder} {resident.rung.value} {_device_name(resident.device)}"
    )


def _device_name(device: str) -> str:
    if not device.startswith("cuda"):
        return device
    return str(torch.cuda.get_device_name(device)).replace(" ", "-")
