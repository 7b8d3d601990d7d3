"""The model catalogue: finding the row for a name, however it is spelled, and its siblings.

The rows are in `wan/`, their type in `spec.py` (re-exported here), spellings are taken apart in
`spelling.py`. Obeys the model catalogue, section 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.order import Mode
from kinogate.domain.spec import (
    AUTO_DURATION,
    KEEP_DURATION,
    MIB,
    AudioFileRule,
    AudioRule,
    DurationRule,
    ImageRule,
    ModelSpec,
    RateLimit,
    References,
    Sizing,
    UsageFamily,
    VideoRule,
)
from kinogate.domain.spelling import MAX_SPELLING, VENDOR_SEGMENT, NameParts, name_parts
from kinogate.domain.wan import WAN_MODELS

__all__ = [
    "AUTO_DURATION",
    "CATALOGUE",
    "KEEP_DURATION",
    "MIB",
    "AudioFileRule",
    "AudioRule",
    "Catalogue",
    "DurationRule",
    "ImageRule",
    "ModelSpec",
    "RateLimit",
    "References",
    "Sizing",
    "UsageFamily",
    "VideoRule",
]


class Catalogue:
    """All known models. Immutable after construction and safe to share between threads."""

    def __init__(
        self, specs: Iterable[ModelSpec], *, aliases: Mapping[str, str] | None = None
    ) -> None:
        """Index the rows.

        Args:
            specs: Rows; the order is that of `all()`, and decides between equally good siblings.
            aliases: Extra names from the operator, each of at most 128 characters, to a
                canonical name: `{"sora-2": "wan2.6-t2v"}`. They win over everything else.

        Raises:
            ValueError: Two rows share a name or spelling, or an alias leads to no row.
        """
        self._specs = tuple(specs)
        self._by_name = {spec.name: spec for spec in self._specs}
        self._by_alias: dict[str, ModelSpec] = {}
        self._by_parts: dict[NameParts, ModelSpec] = {}
        if len(self._by_name) != len(self._specs):
            raise ValueError("two rows of the catalogue share a name")
        for spec in self._specs:
            for name in (spec.name, *spec.official_aliases):
                self._index(_folded(name), spec)
        for alias, target in (aliases or {}).items():
            if target not in self._by_name:
                raise ValueError(f"alias {alias!r} leads to no model: {target!r}")
            self._by_alias[_folded(alias)] = self._by_name[target]

    def _index(self, name: str, spec: ModelSpec) -> None:
        if self._by_alias.setdefault(name, spec) is not spec:
            raise ValueError(f"two rows of the catalogue share the name {name!r}")
        parts = name_parts(name)
        if parts is not None and self._by_parts.setdefault(parts, spec) is not spec:
            raise ValueError(f"two rows of the catalogue share the spelling of {name!r}")

    def get(self, name: str) -> ModelSpec | None:
        """The row with exactly this canonical name, or None."""
        return self._by_name.get(name)

    def all(self) -> tuple[ModelSpec, ...]:
        """Every row, newest generation first."""
        return self._specs

    def resolve(self, spelling: str, *, with_image: bool = False) -> ModelSpec:
        """The row a caller means.

        Takes canonical names, the vendor's other names, dated names, and the spellings of other
        gateways (`wan26_i2v`, `alibaba/wan-v2.6-t2v`, `wan/2-6-text-to-video`). Upper case is
        accepted, as tiers and sizes are; whitespace and anything else that is not part of a name
        is not. A bare generation (`wan-2-6`) means its text-to-video model.

        Args:
            spelling: As the caller wrote it; any text, any length.
            with_image: A first frame came along: a bare generation means image-to-video.

        Raises:
            CallerError: `MODEL_UNKNOWN`, field `model`.
        """
        found = None
        if len(spelling) <= MAX_SPELLING:
            found = self._by_alias_of(spelling)
            found = found or self._by_spelling(spelling, with_image=with_image)
        if found is None:
            shown = spelling if len(spelling) <= 64 else spelling[:61] + "..."
            raise CallerError(
                ErrorCode.MODEL_UNKNOWN,
                f"The model {shown!r} does not exist.",
                field="model",
            )
        return found

    def _by_alias_of(self, spelling: str) -> ModelSpec | None:
        """By a name as listed, with or without a vendor segment (`dashscope/wanx-kf2v`)."""
        name = _folded(spelling)
        bare = VENDOR_SEGMENT.sub("", name, count=1)
        return self._by_alias.get(name) or self._by_alias.get(bare)

    def _by_spelling(self, spelling: str, *, with_image: bool) -> ModelSpec | None:
        parts = name_parts(spelling)
        if parts is None:
            return None
        if not parts.words and parts not in self._by_parts:
            word = "i2v" if with_image else "t2v"
            parts = NameParts(generation=parts.generation, words=(word,))
        return self._by_parts.get(parts)

    def i2v_sibling(self, spec: ModelSpec) -> ModelSpec | None:
        """The image-to-video row nearest to `spec`; itself if it is one; None if there is none."""
        return self._sibling(spec, Mode.I2V)

    def t2v_sibling(self, spec: ModelSpec) -> ModelSpec | None:
        """The text-to-video row nearest to `spec`; itself if it is one; None if there is none."""
        return self._sibling(spec, Mode.T2V)

    def _sibling(self, spec: ModelSpec, mode: Mode) -> ModelSpec | None:
        if mode in spec.modes:
            return spec
        candidates = [
            other
            for other in self._specs
            if other.generation == spec.generation and mode in other.modes
        ]
        variant = _variant(spec.name)
        same = (other for other in candidates if _variant(other.name) == variant)
        return next(same, candidates[0] if candidates else None)


def _folded(name: str) -> str:
    """Case-insensitive for ASCII only: `lower()` would turn the Kelvin sign into a k."""
    return name.lower() if name.isascii() else name


def _variant(name: str) -> str:
    """What follows the kind in a canonical name: `plus` of `wan2.2-t2v-plus`."""
    return name.partition("-")[2].partition("-")[2]


CATALOGUE = Catalogue(WAN_MODELS)
"""The built-in catalogue, without operator aliases."""
