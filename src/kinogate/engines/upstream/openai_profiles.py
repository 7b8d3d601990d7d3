"""How the servers with OpenAI's video API differ, as data, and how each spells sampler wishes.

Obeys spec/dialects.md §D.5. Adding a server is adding a `Profile`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from kinogate.domain.knobs import Expert, Knobs

_DIFFUSERS_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "steps": "num_inference_steps",
        "guidance": "guidance_scale",
        "guidance_2": "guidance_scale_2",
        "flow_shift": "flow_shift",
    }
)
# The reverse of diffusers and SGLang: the plain name is the low-noise stage's.
_VLLM_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "steps": "num_inference_steps",
        "guidance": "guidance_scale_2",
        "guidance_2": "guidance_scale",
        "flow_shift": "flow_shift",
        "boundary_ratio": "boundary_ratio",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One kind of server.

    Attributes:
        name: As the operator writes it.
        is_local: A server of open weights: one model, no accounts, nothing charged, tasks that
            are gone when it restarts; takes frames, and knows no sound.
        stops: Whether DELETE stops the work; SGLang only forgets it.
        knob_names: Members of `Knobs` that it takes, but for LoRAs, and their names on the wire.
        guidance_max: The most it takes, inclusive; None for no limit of its own.
        has_named_loras: Whether it keeps a table of LoRAs itself, as we do.
        has_lora_paths: Whether a call may name a LoRA's place on the server.
    """

    name: str
    is_local: bool
    stops: bool
    knob_names: Mapping[str, str]
    guidance_max: float | None = None
    has_named_loras: bool = False
    has_lora_paths: bool = False


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        # Our own extras are vLLM-Omni's names (docs/dialects/openai.md).
        "openai": Profile(
            name="openai", is_local=False, stops=True, knob_names=_VLLM_NAMES, has_named_loras=True
        ),
        # Its LoRAs are merged into the weights for everybody until they are taken out again, so
        # no single call can ask for one.
        "sglang": Profile(name="sglang", is_local=True, stops=False, knob_names=_DIFFUSERS_NAMES),
        "vllm-omni": Profile(
            name="vllm-omni",
            is_local=True,
            stops=True,
            knob_names=_VLLM_NAMES,
            guidance_max=20.0,
            has_lora_paths=True,
        ),
    }
)
"""The profiles by the name that `profile = …` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnobSpeller:
    """The sampler wishes as one server spells them for one model.

    Attributes:
        profile: Of the server.
        has_two_experts: Whether the model has a high-noise and a low-noise transformer.
        loras: Places of LoRAs on the server, by the names that callers use.
    """

    profile: Profile
    has_two_experts: bool
    loras: Mapping[str, str]

    def known(self) -> frozenset[str]:
        """Members of `Knobs` that are honoured.

        A model with one transformer has no second guidance to disregard, and callers that give
        one number mean both.
        """
        has_loras = self.profile.has_named_loras or bool(self.loras)
        return frozenset(self.profile.knob_names) | ({"loras"} if has_loras else frozenset())

    def refusal(self, knobs: Knobs) -> str | None:
        """Why the wishes cannot be said, in one sentence, or None."""
        high, low = knobs.guidance, knobs.guidance_2
        most = self.profile.guidance_max
        if most is not None and max(high or 0.0, low or 0.0) > most:
            return f"This upstream takes a guidance of at most {most:g}."
        if not self.has_two_experts and None not in (high, low) and high != low:
            return "This upstream's model has one transformer and takes one guidance."
        if low is not None and high is None:
            return "This upstream takes guidance_2 only together with guidance."
        return self._lora_refusal(knobs) if "loras" in self.known() else None

    def fields(self, knobs: Knobs) -> list[tuple[str, str]]:
        """Form fields, for what is asked for and no more."""
        names = dict(self.profile.knob_names)
        if not self.has_two_experts:
            names["guidance"] = "guidance_scale"  # one transformer, and one name everywhere
            del names["guidance_2"]
        found = [
            (name, str(value))
            for member, name in names.items()
            if (value := getattr(knobs, member)) is not None
        ]
        return found + self._lora_fields(knobs)

    def _lora_refusal(self, knobs: Knobs) -> str | None:
        if any(lora.expert is not Expert.BOTH for lora in knobs.loras):
            return "This upstream puts a LoRA on both experts."
        if self.profile.has_named_loras:
            return None
        if len(knobs.loras) > 1:
            return "This upstream takes one LoRA at a time."
        unknown = [lora.name for lora in knobs.loras if lora.name not in self.loras]
        return f"This upstream has no LoRA {unknown[0][:60]!r}." if unknown else None

    def _lora_fields(self, knobs: Knobs) -> list[tuple[str, str]]:
        if not knobs.loras:
            return []
        items: list[dict[str, object]] = [
            {"name": lora.name, "scale": lora.weight}
            | ({"path": self.loras[lora.name]} if self.profile.has_lora_paths else {})
            for lora in knobs.loras
        ]
        text = msgspec.json.encode(items if len(items) > 1 else items[0]).decode()
        return [("lora", text)]
