"""The `[engines.NAME]` section of a diffusers engine, read and checked. Pure; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from kinogate.domain.knobs import PRESETS, Expert, Lora
from kinogate.domain.resolution import parse_tier
from kinogate.engines.base import BadOptions
from kinogate.engines.diffusers.card_rows import CARDS
from kinogate.engines.diffusers.cards import Card
from kinogate.engines.diffusers.seats import Sharing

DTYPES = ("bfloat16", "float16", "float32")
AUTO_DEVICE = "auto"
TURBO = "turbo"

_MOST_DEVICES = 64
_ENGINE_ONLY = (
    "models", "preset", "devices", "sharing", "ahead", "patience_s",
    "dtype", "hub", "fps", "memory_gib", "spares", "previews",
)  # fmt: skip
_SAMPLING = ("steps", "guidance", "guidance_2", "shift", "boundary", "negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSetup:
    """One set of weights as the operator has set it up; travels to the child process as it is.

    Attributes:
        card: Its card, with what the operator has changed of it.
        source: A folder, or the id of a repository where the hub may be asked.
        loras: Names and files of the adapters that orders may ask for.
        turbo: The step-distilled adapters of the preset turbo; None where there are none.
        is_distilled: Whether the weights themselves are step-distilled.
        is_long: Whether clips beyond the trained length are made.
    """

    card: Card
    source: str
    loras: dict[str, str] = field(default_factory=dict)
    turbo: tuple[Lora, ...] | None = None
    is_distilled: bool = False
    is_long: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others: card and source."""
        return self.card.name, self.source

    def does_serve(self, model: str) -> bool:
        """Whether it stands in for the canonical name `model`."""
        return any(fnmatchcase(model, pattern) for pattern in self.card.serves)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffusersOptions:
    """The whole section.

    Attributes:
        models: In the order given; the first that serves a name and mode is taken.
        preset: Of orders that name none.
        devices: Where one order at a time is worked on, each: `auto`, `cpu`, `cuda:0`, or several
            devices that share each clip: `cuda:0+cuda:1`.
        sharing: How they share it.
        ahead: Orders that wait at the engine itself with their inputs at hand, so that no device
            waits for them.
        patience_s: Longest time that such an order is passed over for one whose weights are there.
        dtype: Of the transformers and the text encoder.
        is_hub: Whether weights may be fetched from the hub.
        is_row_fps: Whether clips are brought to the row's frame rate by blending frames.
        memory_bytes: Of one device, what resident weights may take; None for what the device has.
        spares: Further child processes kept imported, for a quick start after a kill.
        has_previews: Whether a clip is looked at while it is still noise; costs a little decoding.
    """

    models: tuple[ModelSetup, ...]
    preset: str = "lossless"
    devices: tuple[str, ...] = (AUTO_DEVICE,)
    sharing: Sharing = Sharing.GUIDANCE
    ahead: int = 1
    patience_s: float = 60.0
    dtype: str = "bfloat16"
    is_hub: bool = False
    is_row_fps: bool = False
    memory_bytes: int | None = None
    spares: int = 1
    has_previews: bool = False


def read_options(options: Mapping[str, object]) -> DiffusersOptions:
    """Check a section.

    Raises:
        BadOptions: The message names the option.
    """
    given = dict(options)
    models = given.pop("models", None)
    engine = {name: given.pop(name) for name in _ENGINE_ONLY if name in given}
    is_hub = _flag(engine, "hub")
    setups: tuple[ModelSetup, ...]
    if models is None:
        setups = (_model(given, "", is_hub),)
    else:
        common = {name: given.pop(name) for name in ("loras", "long") if name in given}
        if given:
            raise BadOptions(f"{next(iter(given))}: not known beside models.")
        setups = tuple(
            _model(common | entry, f"models[{index}].", is_hub)
            for index, entry in enumerate(_tables(models, "models"))
        )
    gib = engine.get("memory_gib")
    sharing = Sharing(_one_of(engine.get("sharing", "guidance"), tuple(Sharing), "sharing"))
    return DiffusersOptions(
        models=setups,
        preset=_preset(engine.get("preset", "lossless"), setups),
        devices=_devices(engine.get("devices", AUTO_DEVICE), sharing),
        sharing=sharing,
        ahead=_whole(engine.get("ahead", 1), 0, 64, "ahead"),
        patience_s=_number(engine.get("patience_s", 60), 0, 86_400, "patience_s"),
        dtype=_one_of(engine.get("dtype", "bfloat16"), DTYPES, "dtype"),
        is_hub=is_hub,
        is_row_fps=_one_of(engine.get("fps", "native"), ("native", "row"), "fps") == "row",
        memory_bytes=None
        if gib is None
        else round(_number(gib, 0.1, 10_000, "memory_gib") * 2**30),
        spares=_whole(engine.get("spares", 1), 0, 8, "spares"),
        has_previews=_flag(engine, "previews"),
    )


def _model(given: Mapping[str, object], at: str, is_hub: bool) -> ModelSetup:
    entry = dict(given)
    card = _card(entry.pop("card", None), f"{at}card")
    source = entry.pop("path", card.repo if is_hub else None)
    if not isinstance(source, str) or not source:
        raise BadOptions(f"{at}path: must name the folder of the weights.")
    loras = _loras(entry.pop("loras", {}), f"{at}loras")
    turbo = entry.pop("turbo_loras", None)
    setup = ModelSetup(
        card=_changed(card, entry, at),
        source=source,
        loras=loras,
        turbo=None if turbo is None else _turbo(turbo, loras, card, f"{at}turbo_loras"),
        is_distilled=_flag(entry, "distilled", at),
        is_long=_flag(entry, "long", at),
    )
    left = entry.keys() - {"distilled", "long"}
    if left:
        raise BadOptions(f"{at}{min(left)}: the diffusers engine has no such option.")
    return setup


def _card(name: object, place: str) -> Card:
    card = CARDS.get(name) if isinstance(name, str) else None
    if card is None:
        raise BadOptions(f"{place}: must be one of {', '.join(CARDS)}.")
    return card


def _changed(card: Card, entry: dict[str, object], at: str) -> Card:
    """The card with the operator's own defaults; takes them out of `entry`."""
    if "serves" in entry:
        card = replace(card, serves=_names(entry.pop("serves"), f"{at}serves"))
    if "top_tier" in entry:
        text = entry.pop("top_tier")
        tier = parse_tier(text) if isinstance(text, str) else None
        if tier is None:
            raise BadOptions(f"{at}top_tier: must be 480P, 720P or 1080P.")
        card = replace(card, top_tier=tier)
    given = {name: entry.pop(name) for name in _SAMPLING if name in entry}
    if "steps" in given:
        card = replace(card, steps=_whole(given["steps"], 1, 200, f"{at}steps"))
    if "guidance" in given:
        card = replace(card, guidance=_number(given["guidance"], 0, 30, f"{at}guidance"))
    if "shift" in given:
        shift = _number(given["shift"], 0.01, 100, f"{at}shift")
        card = replace(card, shift=shift, shift_720=shift)
    if "negative" in given:
        card = replace(card, negative=_text(given["negative"], f"{at}negative"))
    if card.boundary is None:
        if lonely := given.keys() & {"guidance_2", "boundary"}:
            raise BadOptions(f"{at}{min(lonely)}: {card.name} has one transformer.")
        return card
    if "guidance_2" in given:
        card = replace(card, guidance_2=_number(given["guidance_2"], 0, 30, f"{at}guidance_2"))
    if "boundary" in given:
        card = replace(card, boundary=_number(given["boundary"], 0, 1, f"{at}boundary"))
    return card


def _turbo(value: object, loras: Mapping[str, str], card: Card, place: str) -> tuple[Lora, ...]:
    found = []
    for index, entry in enumerate(_tables(value, place)):
        at = f"{place}[{index}]"
        unknown = entry.keys() - {"name", "expert"}
        if unknown:
            raise BadOptions(f"{at}.{min(unknown)}: not known.")
        name = entry.get("name")
        if not isinstance(name, str) or name not in loras:
            raise BadOptions(f"{at}.name: must be one of loras.")
        expert = _one_of(entry.get("expert", "both"), tuple(Expert), f"{at}.expert")
        if card.experts == 1 and expert != Expert.BOTH:
            raise BadOptions(f"{at}.expert: {card.name} has one transformer.")
        found.append(Lora(name=name, expert=Expert(expert)))
    if not found:
        raise BadOptions(f"{place}: must name at least one.")
    return tuple(found)


def _preset(value: object, setups: tuple[ModelSetup, ...]) -> str:
    preset = _one_of(value, PRESETS, "preset")
    if preset == TURBO:
        for setup in setups:
            if setup.turbo is None and not setup.is_distilled:
                raise BadOptions(
                    f"preset: turbo needs turbo_loras or distilled = true for {setup.card.name}."
                )
    return preset


def _devices(value: object, sharing: Sharing) -> tuple[str, ...]:
    groups = (value,) if isinstance(value, str) else value
    if not isinstance(groups, list | tuple) or not 1 <= len(groups) <= _MOST_DEVICES:
        raise BadOptions("devices: must be one device or a list of devices.")
    seen: set[str] = set()
    for group in groups:
        devices = group.split("+") if isinstance(group, str) else [""]
        if len(devices) > 2 and sharing is Sharing.GUIDANCE:
            raise BadOptions('devices: more than two can only share with sharing = "tokens".')
        for device in devices:
            kind, _, number = device.partition(":")
            is_known = kind in {AUTO_DEVICE, "cpu", "cuda", "mps"}
            if not is_known or (number and not number.isdecimal()):
                raise BadOptions("devices: each must be auto, cpu, mps, cuda or cuda:N.")
            if device in seen and kind == "cuda":
                raise BadOptions("devices: a device is named twice.")
            seen.add(device)
    return tuple(groups)


def _loras(value: object, place: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise BadOptions(f"{place}: must be a table of name and file.")
    for name, file in value.items():
        if not isinstance(file, str) or not file.endswith(".safetensors"):
            raise BadOptions(f"{place}.{name}: must be a .safetensors file.")
    return dict(value)


def _names(value: object, place: str) -> tuple[str, ...]:
    names = value if isinstance(value, list | tuple) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise BadOptions(f"{place}: must be a list of model names.")
    return tuple(names)


def _tables(value: object, place: str) -> list[dict[str, object]]:
    entries = value if isinstance(value, list | tuple) else ()
    if not entries or not all(isinstance(entry, Mapping) for entry in entries):
        raise BadOptions(f"{place}: must be a list of tables.")
    return [dict(entry) for entry in entries]


def _flag(given: Mapping[str, object], name: str, at: str = "") -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise BadOptions(f"{at}{name}: must be true or false.")
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise BadOptions(f"{place}: must be text.")
    return value


def _one_of(value: object, allowed: tuple[str, ...], place: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise BadOptions(f"{place}: must be one of {', '.join(allowed)}.")
    return value


def _whole(value: object, least: int, most: int, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadOptions(f"{place}: must be a whole number from {least} to {most}.")
    return value


def _number(value: object, least: float, most: float, place: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:  # type: ignore[operator]
        raise BadOptions(f"{place}: must be a number from {least:g} to {most:g}.")
    return float(value)  # type: ignore[arg-type]
