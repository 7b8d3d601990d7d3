"""Reads an `[engines.NAME]` section of an upstream; every message names the member that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kinogate.engines.base import BadOptions, secret
from kinogate.engines.upstream.credentials import Credential

DEFAULT_CONCURRENCY = 4
"""Tasks at a time for each credential; our choice, below every vendor's limit."""

MAX_CONCURRENCY = 1000
_CREDENTIAL_MEMBERS = ("base_url", "key", "region", "concurrency", "rps")


class Options:
    """A table whose members are taken out one by one, so that what is left is unknown."""

    def __init__(self, members: Mapping[str, object], at: str = "") -> None:
        """Begin with a table.

        Args:
            members: As TOML has them.
            at: Where the table stands, with a full stop at its end; "" for the section itself.
        """
        self.left = dict(members)
        self._at = at

    def has(self, name: str) -> bool:
        """Whether the member is there and not taken."""
        return name in self.left

    def wrong(self, name: str, what: str) -> BadOptions:
        """The error for a member."""
        return BadOptions(f"{self._at}{name}: {what}")

    def text(self, name: str, default: str | None = None) -> str | None:
        """A text that is not empty."""
        if name not in self.left:
            return default
        value = self.left.pop(name)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(name, "must be a text.")
        return value.strip()

    def key(self, name: str, *, is_needed: bool) -> str:
        """A secret: the text itself, `env:NAME` or `file:PATH`; "" where none is needed or given."""
        if name not in self.left:
            if is_needed:
                raise self.wrong(name, "is missing: the key, env:NAME or file:PATH.")
            return ""
        return secret(self.left.pop(name), f"{self._at}{name}")

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number from `low` to `high`, both inclusive."""
        if name not in self.left:
            return None
        value = self.left.pop(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, f"must be a number from {low:g} to {high:g}.")
        if not low <= value <= high:
            raise self.wrong(name, f"must be a number from {low:g} to {high:g}.")
        return float(value)

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`, both inclusive."""
        value = self.left.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self.wrong(name, f"must be a whole number from {low} to {high}.")
        found = self.number(name, low, high)
        return None if found is None else int(found)

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self.left.pop(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "must be true or false.")
        return value

    def texts_by_name(self, name: str) -> dict[str, str]:
        """A table of texts; empty when it is not there."""
        value = self.left.pop(name, {})
        if not isinstance(value, Mapping) or not all(
            isinstance(item, str) and item for item in value.values()
        ):
            raise self.wrong(name, "must be a table of texts.")
        return {str(member): str(item) for member, item in value.items()}

    def tables(self, name: str) -> list[Options]:
        """A list of tables, at least one."""
        value = self.left.pop(name)
        if not isinstance(value, list) or not value:
            raise self.wrong(name, "must be written as [[...]] tables, at least one.")
        found = []
        for index, item in enumerate(value):
            at = f"{self._at}{name}[{index}]"
            if not isinstance(item, Mapping):
                raise BadOptions(f"{at}: must be a table.")
            found.append(Options(item, f"{at}."))
        return found

    def done(self, kind: str) -> None:
        """Refuse what nobody has taken."""
        for name in self.left:
            raise self.wrong(name, f"an engine of the kind {kind} has no such option.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """What the operator says of models: those let through, and how the upstream spells them."""

    patterns: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


def take_models(options: Options) -> Models:
    """`models`: a list of patterns on canonical names, or a table of canonical name to spelling."""
    value = options.left.get("models")
    if isinstance(value, Mapping):
        names = options.texts_by_name("models")
        if not names:
            raise options.wrong("models", "must name at least one model.")
        return Models(patterns=tuple(names), names=names)
    options.left.pop("models", None)
    if value is None:
        return Models()
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise options.wrong("models", "must be a list of patterns, or a table of spellings.")
    return Models(patterns=tuple(value))


def take_credentials(
    options: Options, *, regions: Mapping[str, str], needs_key: bool, default_name: str
) -> list[Credential]:
    """The section's own credential, or those of its `[[credentials]]` tables.

    Raises:
        BadOptions: A member is wrong or missing, a name stands twice, or URL and region differ.
    """
    if not options.has("credentials"):
        return [_credential(options, default_name, regions, needs_key=needs_key)]
    for member in _CREDENTIAL_MEMBERS:
        if options.has(member):
            raise options.wrong(member, "belongs into the [[credentials]] tables beside it.")
    found: dict[str, Credential] = {}
    for table in options.tables("credentials"):
        name = table.text("name")
        if name is None:
            raise table.wrong("name", "is missing.")
        if name in found:
            raise table.wrong("name", f"{name!r} stands twice.")
        found[name] = _credential(table, name, regions, needs_key=needs_key)
        for unknown in table.left:
            raise table.wrong(unknown, "a credential has no such member.")
    return list(found.values())


def _credential(
    options: Options, name: str, regions: Mapping[str, str], *, needs_key: bool
) -> Credential:
    region, base_url = options.text("region"), options.text("base_url")
    if base_url is None:
        if region is None or region not in regions:
            known = f", or region one of {', '.join(regions)}" if regions else ""
            raise options.wrong("base_url", f"is missing: where the upstream is{known}.")
        base_url = regions[region]
    base_url = _checked_url(options, base_url)
    host = urlsplit(base_url).hostname
    for other, url in regions.items():
        if region in regions and region != other and urlsplit(url).hostname == host:
            raise options.wrong("region", f"is {region}, but base_url is the region {other}'s.")
    concurrency = options.whole("concurrency", 1, MAX_CONCURRENCY)
    return Credential(
        name=name,
        base_url=base_url,
        key=options.key("key", is_needed=needs_key),
        region=region,
        concurrency=DEFAULT_CONCURRENCY if concurrency is None else concurrency,
        rps=options.number("rps", 0.001, 1000),
    )


def _checked_url(options: Options, url: str) -> str:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # raises when it is no number
    except ValueError:
        is_good = False
        parts = urlsplit("")
    if not is_good or parts.query or parts.fragment or "@" in parts.netloc:
        # The URL itself stays out of the message: people put keys into it.
        raise options.wrong("base_url", "must be http(s)://host[:port][/path] and no more.")
    return url.rstrip("/")
