"""The jobs P1 to P7 on weights in this process: stock diffusers and the engine, in turn."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gpu_models
import numpy as np
import torch
from diffusers.hooks.first_block_cache import FBCHeadBlockHook
from gpu_measure import Row, Sample, alternate, pass_ends, rows_of, settle, step_seconds, timed

from kinogate.domain.knobs import Knobs
from kinogate.domain.order import AudioMode, Mode, Order
from kinogate.engines.diffusers import flops, run
from kinogate.engines.diffusers.cards import Card
from kinogate.engines.diffusers.decode import decode
from kinogate.engines.diffusers.flops import Shape
from kinogate.engines.diffusers.load import Resident
from kinogate.engines.diffusers.resolve import RunSpec, resolve
from kinogate.engines.diffusers.stages import Stages
from kinogate.engines.diffusers.write import ClipWriter

TINY = Shape(width=64, height=64, frames=9)
_ids = itertools.count(1)


@dataclass(slots=True, kw_only=True)
class Lab:
    """Where and how much to measure.

    Attributes:
        device: Where.
        is_tiny: Toys instead of full-size models, to see that the script works.
        rounds: Repetitions that count, at least 5 for a figure worth telling.
        warm_ups: Repetitions before them.
        folder: For the files that are made.
        is_full: Run P1 and P7 from end to end as well, and not by the step only.
    """

    device: torch.device
    is_tiny: bool
    rounds: int
    warm_ups: int
    folder: Path
    is_full: bool = False
    _pairs: dict[tuple[str, str], tuple[Any, Resident]] = field(default_factory=dict)

    @property
    def dtype(self) -> torch.dtype:
        """Of the transformers."""
        return torch.float32 if self.device.type == "cpu" else torch.bfloat16

    def shape(self, width: int, height: int, frames: int) -> Shape:
        """The job's shape, or the toy's."""
        return TINY if self.is_tiny else Shape(width=width, height=height, frames=frames)

    def card(self, name: str) -> Card:
        """The card, with toy sizes for toys."""
        return gpu_models.card_of(name, is_tiny=self.is_tiny)

    def pair(self, name: str, preset: str) -> tuple[Any, Resident]:
        """Stock diffusers and the engine on the same random weights; kept for the next case."""
        if (name, preset) not in self._pairs:
            self.clear()  # two models at a time would not fit
            card = self.card(name)
            stock = gpu_models.pipeline(card, self.device, self.dtype, is_tiny=self.is_tiny)
            ours = gpu_models.resident(
                gpu_models.twin(stock), card, preset, self.device, str(self.dtype)
            )
            self._pairs[name, preset] = (stock, ours)
        return self._pairs[name, preset]

    def clear(self) -> None:
        """Let go of the models."""
        self._pairs.clear()
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is made, as both sides need it."""

    order: Order
    spec: RunSpec
    prompts: run.Prompts

    @property
    def passes(self) -> int:
        """Passes of one step."""
        return 2 if self.spec.is_guided else 1


def an_order(card: Card, shape: Shape, *, steps: int, is_guided: bool) -> Order:
    """An order of this shape, for a clip that needs no cutting."""
    count = shape.frames - 1
    return Order(
        task_id=f"00000000-0000-4000-8000-{next(_ids):012x}",
        mode=Mode.T2V,
        model=card.serves[0],
        prompt="random",
        width=shape.width,
        height=shape.height,
        fps=card.fps,
        frame_count=count,
        duration_s=count / card.fps,
        audio=AudioMode.OFF,
        seed=7,
        knobs=Knobs(steps=steps, guidance=5.0 if is_guided else 1.0),
    )


def job_of(lab: Lab, resident: Resident, shape: Shape, steps: int, *, is_guided: bool) -> Job:
    """An order of this shape, and random embeddings for it."""
    order = an_order(resident.card, shape, steps=steps, is_guided=is_guided)
    generator = torch.Generator(lab.device).manual_seed(3)
    embeds = [
        torch.randn(
            1,
            512,
            resident.dims.text_width,
            device=lab.device,
            dtype=lab.dtype,
            generator=generator,
        )
        for _ in range(2)
    ]
    spec = resolve(order, resident.setup, resident.preset)
    prompts = run.Prompts(positive=embeds[0], negative=embeds[1] if is_guided else None)
    return Job(order=order, spec=spec, prompts=prompts)


def stock_latents(pipe: Any, job: Job) -> torch.Tensor:
    """Denoise as a user of diffusers would."""
    spec = job.spec
    latents: torch.Tensor = pipe(
        prompt_embeds=job.prompts.positive,
        negative_prompt_embeds=job.prompts.negative,
        width=spec.width,
        height=spec.height,
        num_frames=spec.frames,
        num_inference_steps=spec.steps,
        guidance_scale=spec.guidance,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        output_type="latent",
    ).frames
    return latents


def our_latents(resident: Resident, job: Job) -> torch.Tensor:
    """Denoise as the engine does."""
    pipe = resident.pipelines[job.spec.kind]
    with torch.no_grad(), run.ready(resident, pipe, job.spec):
        return run.denoise(resident, job.order, job.spec, job.prompts, _silent(job, resident))


def _silent(job: Job, resident: Resident) -> Stages:
    return Stages(lambda _stage, _share: None, run.costs(resident, job.order, job.spec))


def stock_file(pipe: Any, job: Job, latents: torch.Tensor, out: Path) -> None:
    """Decode the whole clip, then write it."""
    z = _denormalized(pipe.vae, latents)
    with torch.no_grad():
        video = pipe.vae.decode(z, return_dict=False)[0]
    frames = pipe.video_processor.postprocess_video(video, output_type="np")[0]
    with ClipWriter(job.order, out, fps=job.spec.fps) as writer:
        writer.take((frames * 255).round().astype(np.uint8))


def our_file(resident: Resident, job: Job, latents: torch.Tensor, out: Path) -> None:
    """Decode into the encoder."""
    with torch.no_grad(), ClipWriter(job.order, out, fps=job.spec.fps) as writer:
        run.decode_frames(resident.any, latents, writer.take, _silent(job, resident))


def _denormalized(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    shape = (1, vae.config.z_dim, 1, 1, 1)
    z = latents.to(vae.device, vae.dtype)
    mean = torch.tensor(vae.config.latents_mean).view(shape).to(z)
    return z * torch.tensor(vae.config.latents_std).view(shape).to(z) + mean


def step_rows(
    lab: Lab, case: str, name: str, shape: Shape, *, preset: str = "lossless", forced: str = ""
) -> tuple[list[Row], float]:
    """Seconds of a guided step; the second value is our median."""
    stock, ours = lab.pair(name, preset)
    # The first step of a call is left out; it also pays for noise, scheduler and the host's start.
    per_call = 10 if forced else 3
    job = job_of(lab, ours, shape, per_call + 1, is_guided=True)
    models = {"stock": [stock.transformer], "ours": [ours.any.transformer]}

    def by_stock(_: Sample) -> list[float]:
        with pass_ends(models["stock"], lab.device) as clock:
            stock_latents(stock, job)
            return step_seconds(clock, job.passes)

    def by_ours(_: Sample) -> list[float]:
        with pass_ends(models["ours"], lab.device) as clock, _forced(forced):
            our_latents(ours, job)
            steps = step_seconds(clock, job.passes)
        return [sum(steps) / len(steps)] if forced else steps

    samples = alternate(
        {f"stock step {_text(shape)}": by_stock, f"{preset} step {_text(shape)}": by_ours},
        rounds=max(1, lab.rounds if forced else -(-lab.rounds // per_call)),
        warm_ups=min(lab.warm_ups, 1),
        device=lab.device,
    )
    work = 2 * flops.transformer_flops(ours.dims, ours.vae, shape)
    levers = "levers " + ("+".join(ours.active.levers) or "none")
    rows = rows_of(case, samples, work, **{f"{preset} step {_text(shape)}": levers})
    if forced:
        rows[-1].notes += f", {forced} of the passes skipped by force: an upper bound"
        rows[-1].flops = 0
    return rows, rows[-1].seconds


@contextmanager
def _forced(pattern: str) -> Iterator[None]:
    """Have the first-block cache skip two passes of five: random weights would decide at random."""
    if not pattern:
        yield
        return
    original = FBCHeadBlockHook._should_compute_remaining_blocks  # noqa: SLF001
    counts: dict[str, int] = {}

    def decide(self: Any, _residual: torch.Tensor) -> bool:
        state = self.state_manager.get_state()
        if state.head_block_residual is None:
            return True
        branch = str(id(state))
        counts[branch] = counts.get(branch, 0) + 1
        return counts[branch] % 5 not in {2, 4}

    FBCHeadBlockHook._should_compute_remaining_blocks = decide  # noqa: SLF001
    try:
        yield
    finally:
        FBCHeadBlockHook._should_compute_remaining_blocks = original  # noqa: SLF001


def _text(shape: Shape) -> str:
    return f"{shape.width}x{shape.height}x{shape.frames}"


def file_rows(lab: Lab, case: str, name: str, shape: Shape, preset: str) -> tuple[list[Row], float]:
    """Seconds from latents to the finished MP4; the second value is our median."""
    stock, ours = lab.pair(name, preset)
    job = job_of(lab, ours, shape, 1, is_guided=False)
    latents = _some_latents(lab, ours, shape)
    samples = alternate(
        {
            f"stock latents to MP4 {_text(shape)}": lambda _: [
                timed(lambda: stock_file(stock, job, latents, lab.folder / "s.mp4"), lab.device)
            ],
            f"{preset} latents to MP4 {_text(shape)}": lambda _: [
                timed(lambda: our_file(ours, job, latents, lab.folder / "o.mp4"), lab.device)
            ],
        },
        rounds=lab.rounds,
        warm_ups=lab.warm_ups,
        device=lab.device,
    )
    work = flops.vae_decode_flops(ours.vae, shape)
    rows = rows_of(case, samples, work)
    return rows, rows[-1].seconds


def _some_latents(lab: Lab, resident: Resident, shape: Shape) -> torch.Tensor:
    vae = resident.vae
    size = (shape.latent_frames, shape.height // vae.stride, shape.width // vae.stride)
    generator = torch.Generator(lab.device).manual_seed(5)
    return torch.randn(1, vae.z, *size, device=lab.device, generator=generator)


def whole_row(lab: Lab, case: str, name: str, shape: Shape, *, steps: int, seconds: float) -> Row:
    """A whole guided run, reckoned from its measured parts."""
    _, ours = lab.pair(name, "lossless")
    work = flops.video_flops(ours.dims, ours.vae, shape, steps=steps, is_guided=True)
    return Row(
        case=case,
        what=f"lossless, {steps} steps and MP4",
        seconds=seconds,
        flops=work,
        notes="steps times the median step, and latents to MP4",
    )


def full_rows(
    lab: Lab, case: str, name: str, shape: Shape, *, steps: int, preset: str, is_guided: bool
) -> list[Row]:
    """Whole runs to the finished MP4, prompts embedded beforehand."""
    stock, ours = lab.pair(name, preset)
    job = job_of(lab, ours, shape, steps, is_guided=is_guided)

    def by_stock(_: Sample) -> list[float]:
        out = lab.folder / "s.mp4"
        return [timed(lambda: stock_file(stock, job, stock_latents(stock, job), out), lab.device)]

    def by_ours(_: Sample) -> list[float]:
        out = lab.folder / "o.mp4"
        return [timed(lambda: our_file(ours, job, our_latents(ours, job), out), lab.device)]

    is_short = not is_guided
    samples = alternate(
        {f"stock, {steps} steps to MP4": by_stock, f"{preset}, {steps} steps to MP4": by_ours},
        rounds=lab.rounds if is_short else 1,
        warm_ups=lab.warm_ups if is_short else 0,
        device=lab.device,
    )
    work = flops.video_flops(ours.dims, ours.vae, shape, steps=steps, is_guided=is_guided)
    return rows_of(case, samples, work)


def p1(lab: Lab) -> list[Row]:
    """TI2V-5B, 720P, 121 frames, 50 steps with guidance, to the finished MP4."""
    shape = lab.shape(1280, 704, 121)
    steps, step_s = step_rows(lab, "P1", gpu_models.TI2V, shape)
    files, file_s = file_rows(lab, "P1", gpu_models.TI2V, shape, "lossless")
    stock = Row(
        case="P1",
        what="stock, 50 steps and MP4",
        seconds=50 * steps[0].seconds + files[0].seconds,
        notes="steps times the median step, and latents to MP4",
    )
    whole = whole_row(lab, "P1", gpu_models.TI2V, shape, steps=50, seconds=50 * step_s + file_s)
    stock.flops, whole.ratio = whole.flops, stock.seconds / whole.seconds
    rows = [*steps, *files, stock, whole]
    if lab.is_full:
        rows += full_rows(
            lab, "P1", gpu_models.TI2V, shape, steps=50, preset="lossless", is_guided=True
        )
    return rows


def p2(lab: Lab) -> list[Row]:
    """P1 with the preset balanced, two passes of five skipped by force."""
    shape = lab.shape(1280, 704, 121)
    steps, step_s = step_rows(
        lab, "P2", gpu_models.TI2V, shape, preset="balanced", forced="two fifths"
    )
    files, file_s = file_rows(lab, "P2", gpu_models.TI2V, shape, "balanced")
    whole = Row(
        case="P2",
        what="balanced, 50 steps and MP4",
        seconds=50 * step_s + file_s,
        ratio=(50 * steps[0].seconds + files[0].seconds) / (50 * step_s + file_s),
        notes="an upper bound: the skips are forced",
    )
    return [*steps, *files, whole]


def p3(lab: Lab) -> list[Row]:
    """TI2V-5B in four steps without guidance, to the finished MP4."""
    shape = lab.shape(1280, 704, 121)
    return full_rows(lab, "P3", gpu_models.TI2V, shape, steps=4, preset="turbo", is_guided=False)


def p4(lab: Lab) -> list[Row]:
    """The Wan2.2 autoencoder alone, latents to bytes in host memory."""
    shape = lab.shape(1280, 704, 121)
    stock, ours = lab.pair(gpu_models.TI2V, "turbo")
    latents = _some_latents(lab, ours, shape)
    half = gpu_models.twin(stock).vae.to(torch.bfloat16)

    def by_stock(vae: Any) -> list[float]:
        def work() -> None:
            with torch.no_grad():
                video = vae.decode(_denormalized(vae, latents), return_dict=False)[0]
            stock.video_processor.postprocess_video(video, output_type="np")

        return [timed(work, lab.device)]

    def by_ours(sample: Sample) -> list[float]:
        first: list[float] = []
        settle(lab.device)
        begun_s = time.perf_counter()

        def take(_frames: object) -> None:
            first.append(time.perf_counter() - begun_s)

        took = timed(lambda: decode(ours.any.vae, latents, take), lab.device)
        sample.more["first frame s"] = first[0]
        return [took]

    samples = alternate(
        {
            "stock float32 decode": lambda _: by_stock(stock.vae),
            "stock bfloat16 decode": lambda _: by_stock(half),
            "streamed bfloat16 decode": by_ours,
        },
        rounds=lab.rounds,
        warm_ups=lab.warm_ups,
        device=lab.device,
    )
    rows = rows_of("P4", samples, flops.vae_decode_flops(ours.vae, shape))
    rows[-1].notes += f", {rows[1].seconds / rows[-1].seconds:.2f}x stock bfloat16"
    return rows


def p5(lab: Lab) -> list[Row]:
    """A14B, 480P, one step of the expert at work."""
    return step_rows(lab, "P5", gpu_models.A14B, lab.shape(832, 480, 81))[0]


def p6(lab: Lab) -> list[Row]:
    """A14B, 720P, one step of the expert at work."""
    return step_rows(lab, "P6", gpu_models.A14B, lab.shape(1280, 720, 81))[0]


def p7(lab: Lab) -> list[Row]:
    """1.3B, 480P, 50 steps with guidance, to the finished MP4."""
    shape = lab.shape(832, 480, 81)
    steps, step_s = step_rows(lab, "P7", gpu_models.SMALL, shape)
    files, file_s = file_rows(lab, "P7", gpu_models.SMALL, shape, "lossless")
    whole = whole_row(lab, "P7", gpu_models.SMALL, shape, steps=50, seconds=50 * step_s + file_s)
    whole.ratio = (50 * steps[0].seconds + files[0].seconds) / whole.seconds
    rows = [*steps, *files, whole]
    if lab.is_full:
        rows += full_rows(
            lab, "P7", gpu_models.SMALL, shape, steps=50, preset="lossless", is_guided=True
        )
    return rows


CASES = {"P1": p1, "P2": p2, "P3": p3, "P4": p4, "P5": p5, "P6": p6, "P7": p7}
