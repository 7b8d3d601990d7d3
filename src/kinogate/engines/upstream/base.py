"""What the wires share: spellings of models, the rows they sell, and what they refuse.

A wire's limits are the model's row with the vendor's own deviations (`domain/overlays.py`), so
that a plan made under another dialect's wider limits is refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kinogate.domain.abilities import Abilities
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.order import Mode, Order, Role
from kinogate.domain.overlays import NATIVE, Overlay, overlaid
from kinogate.domain.resolution import ADAPTIVE
from kinogate.domain.spec import ModelSpec, Sizing
from kinogate.domain.task import Plan
from kinogate.engines.upstream.wire import Answer, Ask, Delivery, Given, Listed

FRAMES: frozenset[Role] = frozenset({Role.FIRST_FRAME, Role.LAST_FRAME, Role.AUDIO})
"""The inputs of the flat dialects."""

NIL_ID = "00000000-0000-4000-8000-000000000000"
"""An id that no task has; asking for it costs nothing and still needs a valid key."""


class BaseWire:
    """Defaults of a wire that cancels nothing, lists nothing and uploads nothing.

    Attributes:
        overlay: What the vendor says differently from the model's row.
        roles: The inputs that it can be given.
        templates: In which protocols of the row an effect's name can be sent.
        needs_prompt: Whether it takes no request without a prompt.
    """

    name: str
    delivery = Delivery.INLINE
    poll_s = 5.0
    idempotency_header: str | None = None
    inlines_audio = False
    forgets = False
    regions: Mapping[str, str] = MappingProxyType({})

    overlay: Overlay = NATIVE
    roles = FRAMES
    templates: frozenset[str] = frozenset("A")
    needs_prompt = False

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        """Keep the operator's spellings.

        Args:
            names: How the upstream spells models, by canonical name, where it is not the wire's
                own way.
        """
        self._names = MappingProxyType(dict(names or {}))

    def spelled(self, model: str) -> str:
        """The operator's spelling, else the wire's own."""
        return self._names.get(model) or self.own_spelling(model)

    def own_spelling(self, model: str) -> str:
        """How this kind of upstream spells a canonical name."""
        return model

    def row(self, model: str) -> ModelSpec | None:
        """The model's limits here; None for a name without a row."""
        spec = CATALOGUE.get(model)
        return overlaid(spec, self.overlay) if spec else None

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """The kinds of work it can be asked for; None of the row's by default."""
        return frozenset()

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        """The first thing that cannot be said here, in one sentence, or None."""
        row = self.row(plan.model)
        if row is None or plan.mode not in self.offered(row):
            return f"This upstream cannot do {plan.mode.value} with {plan.model}."
        if unknown := sorted(role.value for role in roles - self.roles):
            return f"This upstream takes no {unknown[0]}."
        if plan.template is not None and row.protocol not in self.templates:
            return f"This upstream knows no effect templates with {plan.model}."
        if self.needs_prompt and not plan.prompt.strip() and plan.template is None:
            return "This upstream takes no request without a prompt."
        return self.beyond_limits(plan, row)

    def offered(self, row: ModelSpec) -> frozenset[Mode]:
        """`modes`, and I2V with a model between two frames, whose last frame may be missing."""
        modes = self.modes(row)
        return modes | {Mode.I2V} if Mode.KF2V in modes else modes

    def beyond_limits(self, plan: Plan, row: ModelSpec) -> str | None:
        """What is more, or other, than the vendor sells of this row."""
        if plan.tier not in row.tiers:
            tiers = " or ".join(row.tiers)
            return f"This upstream makes {row.name} at {tiers} only, not at {plan.tier}."
        if row.sizing is Sizing.BY_SIZE and plan.size is not None and plan.size not in row.sizes:
            return f"This upstream does not make {row.name} in the size {plan.size.star}."
        if not row.durations.accepts(plan.duration_s):
            return (
                f"This upstream makes {row.name} {row.durations.describe()} seconds long, "
                f"not {plan.duration_s}."
            )
        if len(plan.prompt) > row.prompt_max:
            return (
                f"This upstream reads {row.prompt_max} characters of a prompt for {row.name}; "
                f"this one has {len(plan.prompt)}."
            )
        return None

    def keeps_ratio(self, order: Order) -> bool:
        """So it is where a tier is all that can be said beside a picture."""
        row = self.row(order.model)
        if row is None or order.mode not in (Mode.I2V, Mode.KF2V):
            return False
        is_open = row.sizing is Sizing.BY_TIER_RATIO and order.ratio in (None, ADAPTIVE)
        return is_open or row.sizing is Sizing.BY_TIER

    def prompt_of(self, order: Order) -> str:
        """The prompt, cut at the row's limit: only one that we rewrote can be longer."""
        row = self.row(order.model)
        return order.prompt[: row.prompt_max] if row else order.prompt

    def cancel(self, upstream_id: str) -> Ask | None:
        """There is no such call."""
        return None

    def listing(self, since_ms: int, until_ms: int) -> Ask | None:
        """There is no such call."""
        return None

    def read_listing(self, answer: Answer, since_ms: int) -> tuple[Listed, ...]:
        """Nothing is ever listed."""
        return ()

    def probe(self) -> Ask | None:
        """There is no such call."""
        return None


def service_abilities(
    row: ModelSpec | None,
    *,
    shot_type: bool = True,
    has_switch: bool = True,
    takes_file: bool = True,
    seed: bool = True,
    negative_prompt: bool = True,
    unfiltered: bool = False,
    mark_text: str | None = None,
) -> Abilities:
    """The abilities of a remote service that rewrites prompts itself.

    Of our marks it draws one at most: its `watermark` is a switch for a text of its own, shown for
    the whole clip. Another dialect's text, two seconds of it, or the size of a label it cannot.

    Args:
        row: The model's; None for an unknown one.
        shot_type: Whether several shots can be asked for.
        has_switch: Whether sound can be switched off.
        takes_file: Whether a sound file can be given.
        seed: Whether a seed can be given.
        negative_prompt: Whether a negative prompt can be given.
        unfiltered: Whether inspection can be switched off.
        mark_text: What its watermark reads, as its page has it; None where it has no switch.
    """
    has_sound = row is not None and row.has_sound
    return Abilities(
        extends_prompts=True,
        shot_type=shot_type,
        seed=seed,
        negative_prompt=negative_prompt,
        unfiltered=unfiltered,
        silence=has_switch or not has_sound,
        takes_audio=takes_file and row is not None and row.accepts_audio_file,
        draws_mark=False,
        mark_text=mark_text,
        writes_tags=False,
        is_measured=True,
    )


def given(media: tuple[Given, ...], role: Role) -> str | None:
    """How the upstream is told of the first input with `role`, or None."""
    return next((item.text for item in media if item.role is role), None)


def texts(media: tuple[Given, ...], *roles: Role) -> list[str]:
    """How the upstream is told of all inputs with these roles, in order."""
    return [item.text for item in media if item.role in roles]


def whole_seconds(order: Order) -> int:
    """The order's length as a whole number of seconds, at least 1."""
    return max(1, round(order.duration_s))


def filled(**members: object) -> dict[str, object]:
    """A JSON object without the members that are None or ""."""
    return {name: value for name, value in members.items() if value is not None and value != ""}
