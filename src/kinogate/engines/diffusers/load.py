"""Weights into memory: one folder, all the pipelines that its modules can be run by.

Imports torch; child processes only.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import diffusers
import torch
import transformers
from diffusers import (
    DiffusionPipeline,
    WanImageToVideoPipeline,
    WanPipeline,
    WanVACEPipeline,
)

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.knobs import Expert
from kinogate.engines.diffusers.cards import Card, Kind
from kinogate.engines.diffusers.folder import (
    BadFolder,
    FolderFacts,
    is_hub_id,
    look_at,
    transformer_dims,
    vae_dims,
)
from kinogate.engines.diffusers.levers import RECIPES, Active, Distilled, Recipe, apply
from kinogate.engines.diffusers.offload import hold
from kinogate.engines.diffusers.options import AUTO_DEVICE, ModelSetup
from kinogate.engines.diffusers.parallel import split_tokens
from kinogate.engines.diffusers.rungs import Rung
from kinogate.engines.diffusers.seats import Seat, Sharing
from kinogate.engines.diffusers.texts import EmbeddingCache, Texts, identity

if TYPE_CHECKING:
    from kinogate.engines.diffusers.flops import TransformerDims, VaeDims

# Any: diffusers' pipelines are built at run time, and nothing here is checked with torch at hand.
Pipeline = Any

_CLASSES = {
    Kind.T2V: WanPipeline,
    Kind.I2V: WanImageToVideoPipeline,
    Kind.VACE: WanVACEPipeline,
}
_DTYPES = {
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float32": torch.float32,
}


@dataclass(slots=True, kw_only=True)
class Resident:
    """One set of weights in memory.

    Attributes:
        setup: What it is, as the operator has it.
        preset: The one whose levers have been pulled on it, for good.
        rung: How it is held on the device.
        active: Those levers.
        texts: Embeds prompts.
        seat: This process's place where several make each clip together; None where it is alone.
        pipelines: One for each kind; they share their modules.
        device: Where it computes: `cuda:0`, `cpu`.
        dtype: Of the transformers.
        dims: The transformer's true sizes.
        vae: The autoencoder's true sizes.
        weight_bytes: Of all modules.
    """

    setup: ModelSetup
    preset: str
    rung: Rung
    active: Active
    texts: Texts
    pipelines: Mapping[Kind, Pipeline]
    device: str
    dtype: str
    dims: TransformerDims
    vae: VaeDims
    weight_bytes: int
    seat: Seat | None = None

    @property
    def card(self) -> Card:
        """Its card."""
        return self.setup.card

    @property
    def any(self) -> Pipeline:
        """One of the pipelines, for what they share."""
        return next(iter(self.pipelines.values()))

    @property
    def transformers(self) -> tuple[torch.nn.Module, ...]:
        """The transformers there are, the high-noise one first."""
        found = (getattr(self.any, name, None) for name in ("transformer", "transformer_2"))
        return tuple(module for module in found if module is not None)


def best_device(wanted: str) -> str:
    """The device that a name of the configuration means here."""
    if wanted != AUTO_DEVICE:
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def load(
    setup: ModelSetup,
    preset: str,
    *,
    device: str,
    dtype: str,
    is_hub: bool = False,
    rung: Rung = Rung.WHOLE,
    cache: EmbeddingCache | None = None,
    seat: Seat | None = None,
) -> Resident:
    """Read a folder, or a repository of the hub, put it on a device and pull a preset's levers.

    Args:
        setup: What the weights are and where they lie.
        preset: One of `knobs.PRESETS`.
        device: As the operator has it.
        dtype: Of transformers and text encoder; the autoencoder stays float32, which is what
            keeps dark gradients clean, and a preset may lower it.
        is_hub: Whether the network may be used.
        rung: How the pipeline is held on the device; TILES leaves the text encoder outside.
        cache: Where embeddings of prompts are kept; in memory, as long as the weights, without.
        seat: Where several processes make each clip together, after `parallel.join`.

    Raises:
        InternalError: UNAVAILABLE: the weights are missing, incomplete, corrupt, or of another
            model; the message says what and where.
    """
    card = setup.card
    folder, facts, pipeline = _opened(card, setup.source, dtype, is_hub=is_hub)
    where = best_device(device)
    for_good = rung if rung.is_offloaded else Rung.WHOLE  # tiles belong to a run
    _put(pipeline, rung, where)
    resident = Resident(
        setup=setup,
        preset=preset,
        rung=rung,
        texts=Texts(
            cache or EmbeddingCache(),
            encoder=identity(folder, where),
            is_parked=rung is Rung.TILES and where != "cpu",
        ),
        active=_pull(setup, _recipe(preset, seat), pipeline, where, for_good),
        pipelines=_family(card, pipeline),
        device=where,
        dtype=dtype,
        dims=transformer_dims(pipeline.transformer.config, facts.dims.image_tokens),
        vae=vae_dims(pipeline.vae.config, card.vae.parameters),
        weight_bytes=_weight_bytes(pipeline),
        seat=seat,
    )
    if seat is not None and seat.sharing is Sharing.TOKENS:
        split_tokens(pipeline, seat)
    if rung.is_offloaded:
        hold(pipeline, rung, where)
    for each in resident.pipelines.values():
        each.set_progress_bar_config(disable=True)
    return resident


def _opened(
    card: Card, source: str, dtype: str, *, is_hub: bool
) -> tuple[Path, FolderFacts, Pipeline]:
    """The folder, what it says of itself, and its pipeline in host memory.

    Raises:
        InternalError: UNAVAILABLE: as `load` says.
    """
    folder = _folder(card, source, is_hub=is_hub)
    try:
        return folder, look_at(folder, card), _read(card, folder, dtype)
    except BadFolder as exc:
        raise InternalError(ErrorCode.UNAVAILABLE, str(exc)) from exc


def _put(pipeline: Pipeline, rung: Rung, device: str) -> None:
    """Move to the device what the rung wants there, and no more; none of it is ever trained."""
    if device.startswith("cuda:"):
        # Streams and events are the current device's where none is named.
        torch.cuda.set_device(device)
    if rung is Rung.WHOLE:
        pipeline.to(device)
    elif rung is Rung.TILES:
        for name, module in pipeline.components.items():
            if isinstance(module, torch.nn.Module) and name != "text_encoder":
                module.to(device)
    for module in _modules(pipeline):
        module.eval()
        module.requires_grad_(False)


def _recipe(preset: str, seat: Seat | None) -> Recipe:
    """The preset's recipe, without what processes that split the tokens would each do differently."""
    if seat is None or seat.sharing is not Sharing.TOKENS:
        return RECIPES[preset]
    return replace(RECIPES[preset], compiles=False, reuse=None)


def _pull(setup: ModelSetup, recipe: Recipe, pipeline: Pipeline, device: str, rung: Rung) -> Active:
    """Pull the preset's levers, on modules that every pipeline of the family shares."""
    distilled = [
        Distilled(path=Path(setup.loras[lora.name]), is_second=expert is Expert.LOW)
        for lora in setup.turbo or ()
        for expert in _experts(setup.card, lora.expert)
    ]
    return apply(
        pipeline,
        recipe,
        device,
        distilled=distilled,
        is_distilled=setup.is_distilled,
        rung=rung,
    )


def _experts(card: Card, expert: Expert) -> tuple[Expert, ...]:
    if card.experts == 2 and expert is Expert.BOTH:
        return (Expert.HIGH, Expert.LOW)
    return (expert,)


def unload(resident: Resident) -> None:
    """Let go of the modules and give their memory back to the device."""
    resident.pipelines = {}
    free_memory()


def free_memory() -> None:
    """Collect what nobody holds any more, on the host and on the device."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _folder(card: Card, source: str, *, is_hub: bool) -> Path:
    if not is_hub or not is_hub_id(source):
        return Path(source)
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - only where the hub is allowed
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(
            snapshot_download(source, allow_patterns=["*.json", "*.safetensors", "*.model"])
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as exc:
        raise InternalError(
            ErrorCode.UNAVAILABLE, f"{source}: the hub did not give the weights of {card.name}."
        ) from exc


def _read(card: Card, folder: Path, dtype: str) -> Pipeline:
    # Not cast afterwards: modules that must stay float32 would be cast along.
    dtypes = {"default": _DTYPES[dtype], "vae": torch.float32}
    try:
        with _quietly():
            pipeline = DiffusionPipeline.from_pretrained(
                str(folder), dtype=dtypes, local_files_only=True, use_safetensors=True
            )
    except Exception as exc:  # every library below has errors of its own for a bad file
        raise BadFolder(f"{folder}: {card.name} cannot be loaded: {_first_line(exc)}") from exc
    for name, part in pipeline.components.items():
        # diffusers only warns of a weight that no file has, and leaves it without a value.
        if isinstance(part, torch.nn.Module) and (empty := _empty(part)):
            raise BadFolder(
                f"{folder / name}: {len(empty)} weights are missing, such as {empty[0]!r}."
            )
    return pipeline


def _empty(module: torch.nn.Module) -> list[str]:
    return [name for name, tensor in module.named_parameters() if tensor.is_meta]


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200].rstrip(".") + "."


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the bars and the hints of loading, which would fill a server's log."""
    for logging in (diffusers.utils.logging, transformers.utils.logging):
        logging.disable_progress_bar()
        logging.set_verbosity_error()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _family(card: Card, pipeline: Pipeline) -> dict[Kind, Pipeline]:
    """A pipeline for each kind of work, made of the same modules."""
    components, config = pipeline.components, pipeline.config
    family: dict[Kind, Pipeline] = {}
    for kind in card.kinds:
        cls = _CLASSES[kind]
        if type(pipeline) is cls:
            family[kind] = pipeline
            continue
        # Not from_pipe, which casts every shared module to float32 unless it is told otherwise.
        family[kind] = cls(
            **components,
            boundary_ratio=config.boundary_ratio,
            expand_timesteps=config.expand_timesteps,
        )
    return family


def _modules(pipeline: Pipeline) -> list[torch.nn.Module]:
    return [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]


def _weight_bytes(pipeline: Pipeline) -> int:
    return sum(
        tensor.numel() * tensor.element_size()
        for module in _modules(pipeline)
        for tensor in (*module.parameters(), *module.buffers())
    )
