"""A folder of weights, looked at without torch: is it whole, and does it fit the card?

Only the small JSON files are read, and the headers of the safetensors files. So the API process can
say what is wrong before a child process spends a minute on loading it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kinogate.engines.diffusers.cards import PIPELINES, Card, Kind
from kinogate.engines.diffusers.flops import TransformerDims, VaeDims

_INDEX = "model_index.json"
_MOST_HEADER_BYTES = 100 * 1024 * 1024  # what the format itself allows
_NEEDED = ("scheduler", "text_encoder", "tokenizer", "transformer", "vae")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}")


class BadFolder(Exception):
    """The weights cannot be used; the message says what and where, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFacts:
    """What a folder says of itself.

    Attributes:
        dims: The sizes of its transformer.
        vae: The sizes of its autoencoder.
        weight_bytes: All its safetensors files together.
    """

    dims: TransformerDims
    vae: VaeDims
    weight_bytes: int


def look_at(folder: Path, card: Card) -> FolderFacts:
    """Check a folder against its card.

    Raises:
        BadFolder: It is missing, incomplete, corrupt, or of another model.
    """
    if not folder.is_dir():
        raise BadFolder(f"{folder}: there is no such folder.")
    index = _json(folder / _INDEX)
    name = index.get("_class_name")
    # One set of modules, whichever of its two pipelines the folder was saved from.
    allowed = {PIPELINES[kind] for kind in card.kinds}
    if name not in allowed:
        raise BadFolder(
            f"{folder / _INDEX}: says {name!r}, but {card.name} is a {PIPELINES[card.kind]}."
        )
    for part in (*_NEEDED, *_optional(card)):
        if index.get(part) in (None, [None, None]) or not (folder / part).is_dir():
            raise BadFolder(f"{folder}: the component {part!r} is missing.")
    transformer = _json(folder / "transformer" / "config.json")
    vae = _json(folder / "vae" / "config.json")
    _check_channels(folder, card, index, transformer, vae)
    weight_bytes = sum(_weights(folder / part) for part in _with_weights(card))
    return FolderFacts(
        dims=transformer_dims(transformer, card.dims.image_tokens),
        vae=vae_dims(vae, card.vae.parameters),
        weight_bytes=weight_bytes,
    )


def is_hub_id(source: str) -> bool:
    """Whether a source reads like a repository and is no folder here."""
    return _HUB_ID.fullmatch(source) is not None and not Path(source).exists()


def transformer_dims(config: Mapping[str, Any], image_tokens: int = 0) -> TransformerDims:
    """The sizes that a transformer's `config.json` gives, or those of a loaded one's `config`."""
    heads = int(config["num_attention_heads"])
    return TransformerDims(
        layers=int(config["num_layers"]),
        width=heads * int(config["attention_head_dim"]),
        ffn=int(config["ffn_dim"]),
        heads=heads,
        in_channels=int(config["in_channels"]),
        out_channels=int(config.get("out_channels") or 16),
        text_width=int(config["text_dim"]),
        image_tokens=image_tokens if config.get("image_dim") else 0,
        image_width=int(config.get("image_dim") or 1280),
        control_layers=len(config.get("vace_layers") or ()),
        control_channels=int(config.get("vace_in_channels") or 96),
    )


def vae_dims(config: Mapping[str, Any], parameters: int) -> VaeDims:
    """The sizes that an autoencoder's `config.json` gives; it does not count its parameters."""
    base = int(config.get("base_dim") or 96)
    return VaeDims(
        base=base,
        decoder_base=int(config.get("decoder_base_dim") or base),
        z=int(config["z_dim"]),
        multiples=tuple(config.get("dim_mult") or (1, 2, 4, 4)),
        blocks=int(config.get("num_res_blocks") or 2),
        is_residual=bool(config.get("is_residual")),
        patch=int(config.get("patch_size") or 1),
        stride=int(config.get("scale_factor_spatial") or 8),
        temporal=tuple(config.get("temperal_downsample") or (False, True, True)),
        parameters=parameters,
    )


def _optional(card: Card) -> tuple[str, ...]:
    second = ("transformer_2",) if card.experts == 2 else ()
    return (*second, "image_encoder", "image_processor") if card.has_image_encoder else second


def _with_weights(card: Card) -> tuple[str, ...]:
    encoder = ("image_encoder",) if card.has_image_encoder else ()
    second = ("transformer_2",) if card.experts == 2 else ()
    return ("text_encoder", "transformer", *second, "vae", *encoder)


def _check_channels(
    folder: Path,
    card: Card,
    index: Mapping[str, Any],
    transformer: Mapping[str, Any],
    vae: Mapping[str, Any],
) -> None:
    """Compare what tells the models apart; widths and depths may be anybody's own."""
    where = folder / "transformer" / "config.json"
    found, wanted = transformer.get("in_channels"), card.dims.in_channels
    if found != wanted:
        raise BadFolder(f"{where}: in_channels is {found}, but {card.name} has {wanted}.")
    if bool(transformer.get("image_dim")) != card.has_image_encoder:
        has = "has" if card.has_image_encoder else "has no"
        raise BadFolder(f"{where}: {card.name} {has} image encoder.")
    is_pair = transformer.get("pos_embed_seq_len") is not None
    if card.kind is Kind.I2V and card.has_image_encoder and is_pair != card.takes_last_frame:
        takes = "takes" if card.takes_last_frame else "does not take"
        raise BadFolder(f"{where}: {card.name} {takes} a last frame.")
    if vae.get("z_dim") != card.vae.z:
        raise BadFolder(
            f"{folder / 'vae' / 'config.json'}: z_dim is {vae.get('z_dim')}, "
            f"but {card.name} has {card.vae.z}."
        )
    if bool(index.get("expand_timesteps")) != (len(card.kinds) == 2):
        raise BadFolder(f"{folder / _INDEX}: expand_timesteps does not fit {card.name}.")


def _weights(part: Path) -> int:
    """Bytes of a component's safetensors files, after a look at each."""
    files = sorted(part.glob("*.safetensors"))
    if not files:
        raise BadFolder(f"{part}: there is no safetensors file.")
    for index in part.glob("*.safetensors.index.json"):
        named = set(_json(index).get("weight_map", {}).values())
        if missing := sorted(named - {file.name for file in files}):
            raise BadFolder(f"{part / missing[0]}: the file is missing.")
    for file in files:
        check_safetensors(file)
    return sum(file.stat().st_size for file in files)


def check_safetensors(file: Path) -> None:
    """Read the header and compare its offsets with the file's length.

    Raises:
        BadFolder: It is missing, cut short, or no safetensors file.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if not 2 <= length <= min(size - 8, _MOST_HEADER_BYTES):
                raise BadFolder(f"{file}: is not a whole safetensors file.")
            header = json.loads(opened.read(length))
        ends = [entry["data_offsets"][1] for entry in _entries(header)]
    except OSError as exc:
        raise BadFolder(f"{file}: cannot be read.") from exc
    except (ValueError, KeyError, TypeError, IndexError) as exc:
        raise BadFolder(f"{file}: is not a whole safetensors file.") from exc
    if 8 + length + max(ends, default=0) != size:
        raise BadFolder(f"{file}: is not a whole safetensors file.")


def _entries(header: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (entry for name, entry in header.items() if name != "__metadata__")


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as exc:
        raise BadFolder(f"{path}: the file is missing.") from exc
    except (OSError, ValueError) as exc:
        raise BadFolder(f"{path}: cannot be read as JSON.") from exc
    if not isinstance(value, dict):
        raise BadFolder(f"{path}: cannot be read as JSON.")
    return value


def with_sizes(card: Card, facts: FolderFacts) -> Card:
    """The card with the sizes of the folder, which estimates and progress go by."""
    return replace(card, dims=facts.dims, vae=facts.vae)
