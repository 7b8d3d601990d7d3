"""The wire to servers with OpenAI's video API: SGLang-Diffusion, vLLM-Omni, Kinogate and resellers.

Obeys spec/dialects.md §D, above all §D.5, whose rules for this wire are kept word by word. The
base URL of a credential is what stands before `/v1`. Always multipart, with the picture's bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import quote

from kinogate.domain.abilities import Abilities
from kinogate.domain.order import AudioMode, Mode, Order, Role, ShotType
from kinogate.domain.overlays import OVERLAYS
from kinogate.domain.resolution import SIZES_BY_TIER, Size
from kinogate.domain.spec import ModelSpec, Sizing
from kinogate.domain.task import Plan
from kinogate.engines.upstream.base import BaseWire, service_abilities, whole_seconds
from kinogate.engines.upstream.openai_profiles import PROFILES, KnobSpeller
from kinogate.engines.upstream.openai_replies import OpenaiReplies
from kinogate.engines.upstream.wire import Ask, Delivery, Given, Part

_ROOT = "/v1/videos"
_LIST_LIMIT = 100  # the most that all three take (§D.3)
_MARK_TEXT = "AI generated"
"""What our own server's watermark reads in this dialect, which has no other server's text."""

_TWO_EXPERTS = frozenset({"wan2.2-t2v-plus", "wan2.2-i2v-plus"})  # catalogue §6
_WEIGHTS = ("1.3b", "5b", "14b")  # a spelling with one of these names open weights
_ENDINGS: Mapping[str, str] = MappingProxyType(
    {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "audio/mpeg": "mp3"}
)


class OpenaiWire(OpenaiReplies, BaseWire):
    """One class for all three; what differs is in the profile."""

    name = "openai"
    delivery = Delivery.PARTS
    overlay = OVERLAYS["openai"]
    needs_prompt = True
    inlines_audio = True  # a file part like the picture

    def __init__(
        self,
        names: Mapping[str, str] | None = None,
        *,
        profile: str = "openai",
        loras: Mapping[str, str] | None = None,
    ) -> None:
        """Choose a profile.

        Args:
            names: As `BaseWire`; a server of one model is told it only when it stands here.
            profile: One of `PROFILES`.
            loras: vLLM-Omni: where its LoRAs lie on the server, by the names that callers use.

        Raises:
            ValueError: There is no such profile, or it takes no LoRAs.
        """
        super().__init__(names)
        if profile not in PROFILES:
            raise ValueError(f"profile must be one of {', '.join(PROFILES)}")
        self._profile = PROFILES[profile]
        self._loras = MappingProxyType(dict(loras or {}))
        if self._loras and not self._profile.has_lora_paths:
            raise ValueError(f"the profile {profile} takes no places of LoRAs")
        self.is_local = self._profile.is_local
        self.forgets = self.is_local
        self.poll_s = 2.0 if self.is_local else 5.0
        self.templates = frozenset() if self.is_local else frozenset("ABC")
        self.roles = (
            frozenset({Role.FIRST_FRAME, Role.AUDIO})
            if self.is_local
            else frozenset({Role.FIRST_FRAME, Role.LAST_FRAME, Role.AUDIO})
        )

    def abilities(self, model: str) -> Abilities:
        """Local servers make no sound, rewrite no prompts and inspect nothing."""
        knobs = self._speller(model).known()
        if not self.is_local:
            able = service_abilities(self.row(model), mark_text=_MARK_TEXT)
            return replace(able, knobs=knobs)
        return Abilities(
            shot_type=False,
            auto_audio=False,
            takes_audio=False,
            draws_mark=False,
            writes_tags=False,
            is_measured=True,
            knobs=knobs,
        )

    def modes(self, spec: ModelSpec) -> frozenset[Mode]:
        """From text and from a first frame; a last one only by an extra of our own servers."""
        known = {Mode.T2V, Mode.I2V} if self.is_local else {Mode.T2V, Mode.I2V, Mode.KF2V}
        return spec.modes & known

    def refuses(self, plan: Plan, roles: frozenset[Role]) -> str | None:
        """Also sampler wishes that cannot be said."""
        reason = super().refuses(plan, roles)
        return reason or self._speller(plan.model).refusal(plan.knobs)

    def beyond_limits(self, plan: Plan, row: ModelSpec) -> str | None:
        """The open weights behind a local server are not bound to what the vendor sells."""
        return None if self.is_local else super().beyond_limits(plan, row)

    def keeps_ratio(self, order: Order) -> bool:
        """Never: this dialect has exact sizes beside pictures, too."""
        return False

    def prompt_of(self, order: Order) -> str:
        """Uncut on local servers, which state no limit."""
        return order.prompt if self.is_local else super().prompt_of(order)

    def create(self, order: Order, media: tuple[Given, ...]) -> Ask:
        """`POST /v1/videos`, multipart in every case."""
        fields = [("prompt", self.prompt_of(order) or order.template or "")]
        if not self.is_local or self._names.get(order.model):
            fields.append(("model", self.spelled(order.model)))
        fields.append(("seconds", str(whole_seconds(order))))
        fields += self._local_fields(order) if self.is_local else self._extra_fields(order)
        fields += self._speller(order.model).fields(order.knobs)
        parts = (
            *(Part(name=name, value=value) for name, value in fields),
            *self._files(order, media),
        )
        return Ask(method="POST", path=_ROOT, parts=parts)

    def poll(self, upstream_id: str, model: str) -> Ask:
        """`GET /v1/videos/{id}`."""
        return Ask(method="GET", path=f"{_ROOT}/{quote(upstream_id, safe='')}")

    def cancel(self, upstream_id: str) -> Ask | None:
        """DELETE where it stops the work; SGLang's only forgets the record, so nothing is asked."""
        if not self._profile.stops:
            return None
        return Ask(method="DELETE", path=f"{_ROOT}/{quote(upstream_id, safe='')}")

    def listing(self, since_ms: int, until_ms: int) -> Ask | None:
        """The newest hundred; there is no narrowing by time."""
        query = (("limit", str(_LIST_LIMIT)), ("order", "desc"))
        return Ask(method="GET", path=_ROOT, query=query)

    def probe(self) -> Ask | None:
        """The shortest list."""
        return Ask(method="GET", path=_ROOT, query=(("limit", "1"),))

    def _local_fields(self, order: Order) -> list[tuple[str, str]]:
        """Exact pixels and frames, because the servers' own defaults are not the models'."""
        fps = native_fps(self.spelled(order.model), order.model)
        fields = [
            ("size", f"{order.width}x{order.height}"),
            ("fps", str(fps)),
            ("num_frames", str(frames_for(order.duration_s, fps))),
            ("seed", str(order.seed)),
        ]
        if order.negative_prompt:
            fields.append(("negative_prompt", order.negative_prompt))
        return fields

    def _extra_fields(self, order: Order) -> list[tuple[str, str]]:
        """What §0.3 lists as extras of this dialect; a server that knows none ignores them."""
        row = self.row(order.model)
        fields = _pixels(order, row)
        fields += [
            ("prompt_extend", _word(order.prompt_extend)),
            # Still in the order only where its own text is the promised one (`mark_text`).
            ("watermark", _word(order.watermark is not None)),
            ("seed", str(order.seed)),
        ]
        if order.negative_prompt:
            fields.append(("negative_prompt", order.negative_prompt))
        if order.template:
            fields.append(("template", order.template))
        if row is not None and row.has_sound:
            fields.append(("audio", _word(order.audio is not AudioMode.OFF)))
        if row is not None and row.shots:
            fields.append(("shot_type", "multi" if order.shot_type is ShotType.MULTI else "single"))
        return fields

    def _files(self, order: Order, media: tuple[Given, ...]) -> list[Part]:
        names = {Role.FIRST_FRAME: ("input_reference", "first-frame")}
        if not self.is_local:
            names[Role.LAST_FRAME] = ("last_frame", "last-frame")
            if order.audio is AudioMode.FILE:
                names[Role.AUDIO] = ("audio_url", "sound")
        return [
            Part(
                name=names[item.role][0],
                file=item.file,
                filename=f"{names[item.role][1]}.{_ending(item.content_type)}",
                content_type=item.content_type,
            )
            for item in media
            if item.role in names
        ]

    def _speller(self, model: str) -> KnobSpeller:
        # What runs behind another gateway is unknown, so that both numbers are passed on.
        has_two = not self.is_local or has_two_experts(self.spelled(model), model)
        return KnobSpeller(profile=self._profile, has_two_experts=has_two, loras=self._loras)


def has_two_experts(spelling: str, model: str) -> bool:
    """Whether the weights are a pair; the operator's spelling of them says more than our name."""
    text = spelling.lower()
    return "a14b" in text if _is_telling(text) else model in _TWO_EXPERTS


def native_fps(spelling: str, model: str) -> int:
    """Frames a second that the open weights were trained at: 24 for TI2V-5B, else 16.

    Source: model catalogue §6, where TI2V-5B stands in for `wan2.2-i2v-flash`.
    """
    text = spelling.lower()
    is_small = "ti2v" in text if _is_telling(text) else model == "wan2.2-i2v-flash"
    return 24 if is_small else 16


def _is_telling(text: str) -> bool:
    return any(mark in text for mark in _WEIGHTS)


def frames_for(duration_s: float, fps: int) -> int:
    """The number of the form 4k+1 that is nearest to a duration: 81 for 5 s at 16 a second."""
    return 4 * max(1, round(duration_s * fps / 4)) + 1


def _pixels(order: Order, row: ModelSpec | None) -> list[tuple[str, str]]:
    """The size where it is one that the model sells, else the tier that the input's ratio fills."""
    size = Size(width=order.width, height=order.height)
    if row is None or order.tier is None or size in _sold_sizes(row, order):
        return [("size", size.x)]
    fields = [("resolution", order.tier.value)]
    return [*fields, ("ratio", order.ratio)] if order.ratio else fields


def _sold_sizes(row: ModelSpec, order: Order) -> tuple[Size | None, ...]:
    if order.tier is None:
        return ()
    if row.sizing is Sizing.BY_SIZE:
        return row.sizes
    if row.sizing is Sizing.BY_TIER:
        return SIZES_BY_TIER[order.tier]
    return tuple(row.size_for(order.tier, ratio) for ratio in row.ratios)


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def _ending(content_type: str) -> str:
    return _ENDINGS.get(content_type, "bin")
