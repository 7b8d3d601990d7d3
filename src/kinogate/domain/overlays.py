"""Where a dialect's own documentation differs from the model catalogue.

A row is the vendor's truth; an overlay is what one gateway says about the same model, and nothing
else may override a row (design, section 4.5). Figures: dialects spec, sections 0.4, A.2, B.2, C.2,
and the seed named at each change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from kinogate.domain.resolution import SIZES_BY_TIER, Size, Tier
from kinogate.domain.spec import AudioRule, DurationRule, ModelSpec, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Replacements for fields of a row, by the same names; None leaves the field as it is."""

    prompt_max: int | None = None
    prompt_required: bool | None = None
    durations: DurationRule | None = None
    sizes: tuple[Size, ...] | None = None
    tiers: tuple[Tier, ...] | None = None
    default_size: Size | None = None
    default_tier: Tier | None = None
    fps: int | None = None
    audio: AudioRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """One dialect's changes.

    Attributes:
        name: The dialect's.
        changes: Canonical model names and what changes for them, applied in order.
        silent_half: A silent clip costs half where the row has no price for silence of its own.
    """

    name: str
    changes: tuple[tuple[frozenset[str], Change], ...] = ()
    silent_half: bool = False


def overlaid(spec: ModelSpec, overlay: Overlay) -> ModelSpec:
    """`spec` as this dialect documents it; `spec` itself where nothing changes.

    Applying the same overlay twice gives the same as once.
    """
    replacements: dict[str, object] = {}
    for names, change in overlay.changes:
        if spec.name in names:
            values = ((field.name, getattr(change, field.name)) for field in fields(change))
            replacements.update((name, value) for name, value in values if value is not None)
    # Field names and types of Change are those of ModelSpec; a test compares them.
    return replace(spec, **replacements) if replacements else spec  # type: ignore[arg-type]


def _names(*names: str) -> frozenset[str]:
    return frozenset(names)


_T2V_25_26 = _names("wan2.5-t2v-preview", "wan2.6-t2v")
_I2V_25_26 = _names("wan2.5-i2v-preview", "wan2.6-i2v")
_R2V_26 = _names("wan2.6-r2v")
_ALWAYS_25_26 = _T2V_25_26 | _I2V_25_26 | _R2V_26
_ALWAYS_27 = _names("wan2.7-t2v", "wan2.7-i2v", "wan2.7-r2v")
_ALL_26 = _names("wan2.6-t2v", "wan2.6-i2v", "wan2.6-i2v-flash", "wan2.6-r2v", "wan2.6-r2v-flash")
_ALL_25_26 = _ALL_26 | _names("wan2.5-t2v-preview", "wan2.5-i2v-preview")
# Every row whose prompt the vendor leaves optional although it has a use for one.
_PROMPT_OPTIONAL = _names(
    "wan2.7-i2v",
    "wan2.7-videoedit",
    "wan2.6-i2v",
    "wan2.6-i2v-flash",
    "wan2.5-i2v-preview",
    "wan2.2-i2v-plus",
    "wan2.2-i2v-flash",
    "wan2.2-kf2v-flash",
    "wan2.1-i2v-turbo",
    "wan2.1-i2v-plus",
    "wan2.1-kf2v-plus",
)

_SWITCH = Change(audio=AudioRule.SWITCH)
_PROMPT = Change(prompt_required=True)
_ALL_SIZES = tuple(size for sizes in SIZES_BY_TIER.values() for size in sizes)

NATIVE = Overlay(
    name="native",
    # The rows as they stand, but for the sound: silence can be had wherever any dialect offers it.
    changes=((_ALWAYS_25_26 | _ALWAYS_27, _SWITCH),),
)

UNIFIED = Overlay(
    name="unified",
    changes=(
        # Seeds 000 and 001 list the prompt as required.
        (_PROMPT_OPTIONAL, _PROMPT),
        # Seed 000 has `audio` on wan2.5; section A.2 reads "2.5+".
        (_ALWAYS_25_26 | _ALWAYS_27, _SWITCH),
    ),
)

DASHSCOPE = Overlay(
    name="dashscope",
    # The vendor documents `audio` for the 2.6 flash models only; seed 002 has it on wan2.5.
    changes=((_ALWAYS_25_26, _SWITCH),),
)

VTRIX = Overlay(
    name="vtrix",
    changes=(
        (_ALWAYS_25_26, _SWITCH),
        # Seed 003: 1500 characters; "options 5, 10, 15" beside "range 2-15", whole numbers only.
        (_ALL_25_26, Change(prompt_max=1500)),
        (_names("wan2.6-i2v"), Change(durations=seconds(range(2, 16)))),
    ),
    # Seed 003 bills `audio: false` as silent; how much less is our choice (design 4.14).
    silent_half=True,
)

MULEROUTER = Overlay(
    name="mulerouter",
    changes=(
        (_PROMPT_OPTIONAL, _PROMPT),  # C.2: required everywhere
        (_ALWAYS_25_26, _SWITCH),
        (_ALL_25_26, Change(prompt_max=2000, fps=24)),  # seed 004
        (_ALL_26, Change(durations=seconds((5, 10, 15)))),
        (
            _T2V_25_26,
            Change(
                sizes=_ALL_SIZES,
                tiers=tuple(Tier),
                default_size=Size(width=1280, height=720),
                default_tier=Tier.P720,
            ),
        ),
        (_I2V_25_26, Change(tiers=tuple(Tier), default_tier=Tier.P720)),
        (_names("wan2.6-i2v-flash"), Change(default_tier=Tier.P720)),
        (
            _names("wan2.2-i2v-flash"),
            Change(tiers=(Tier.P480, Tier.P720), default_tier=Tier.P720),
        ),
        (_names("wan2.2-i2v-plus"), Change(default_tier=Tier.P1080)),
        (_names("wan2.1-vace-plus"), Change(durations=seconds((5,)))),
    ),
)

OPENAI = Overlay(
    name="openai",
    changes=(
        (_PROMPT_OPTIONAL, _PROMPT),  # D.2
        # `audio` and `generate_sound` are our extras there; offered as widely as in unified.
        (_ALWAYS_25_26 | _ALWAYS_27, _SWITCH),
    ),
)

OVERLAYS: Mapping[str, Overlay] = MappingProxyType(
    {overlay.name: overlay for overlay in (NATIVE, UNIFIED, DASHSCOPE, VTRIX, MULEROUTER, OPENAI)}
)
"""All overlays by dialect name."""


def overlay_named(name: str) -> Overlay:
    """The overlay that a stored plan names; that of a dialect from elsewhere counts as native.

    Such a dialect's own changes were applied when the plan was decided; after that only its
    price for silence is lost.
    """
    return OVERLAYS.get(name, NATIVE)
