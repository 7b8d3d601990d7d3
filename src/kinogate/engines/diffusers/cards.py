"""What a set of open weights is: the card that a folder of weights is run by. Pure; no torch.

A card says what the weights were trained for and how they are sampled by default. The rows are in
`card_rows.py`. Which names of the catalogue a card stands in for is our mapping (catalogue, section
6): the vendor does not state that its API names run these weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kinogate.domain.order import Mode
from kinogate.domain.resolution import Tier
from kinogate.engines.diffusers.flops import TransformerDims, VaeDims


class Kind(StrEnum):
    """Which of diffusers' pipelines a run calls."""

    T2V = "t2v"
    I2V = "i2v"
    VACE = "vace"


PIPELINES: dict[Kind, str] = {
    Kind.T2V: "WanPipeline",
    Kind.I2V: "WanImageToVideoPipeline",
    Kind.VACE: "WanVACEPipeline",
}
"""Their class names."""

# Terms of what the weights' own default says is unwanted (Wan2.2's shared configuration, from the
# notes on engines, section 5), in our own words: over-saturated, over-exposed, frozen, blurred,
# captions, painted look, grey cast, low quality, JPEG traces, malformed hands, faces and limbs, fused
# or surplus fingers, messy background, crowds behind, three legs, walking backwards.
NEGATIVE_PROMPT = (
    "色彩过饱和，过度曝光，画面定格，细节糊化，字幕文字，油画质感，整体偏灰，低劣画质，"
    "压缩噪块，手部变形，脸部扭曲，四肢畸变，手指粘连，手指过多，背景凌乱，背景拥挤人群，"
    "三条腿，倒退行走"
)

DISTILLED_STEPS = 4
DISTILLED_GUIDANCE = 1.0
DISTILLED_SHIFT = 5.0
"""How step-distilled weights are sampled (notes on engines, section 3; the schedule unverified)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One set of open weights.

    Attributes:
        name: As the operator writes it in the configuration.
        repo: Its Hugging Face repository.
        kind: The pipeline that its folder names.
        serves: Canonical names of the catalogue that it stands in for by default.
        modes: The kinds of work it does.
        fps: Frames a second that it was trained at.
        longest_frames: Frames of the longest clips it was trained on, `4 k + 1`.
        multiple: Pixels that width and height must be a multiple of.
        top_tier: The largest tier it was trained for.
        steps: Denoising steps.
        guidance: Classifier-free guidance; of the high-noise expert where there are two.
        guidance_2: That of the low-noise expert; None with one transformer.
        shift: Flow shift at 480P.
        shift_720: Flow shift above 480P.
        boundary: Share of the schedule at which the experts change; None with one transformer.
        negative: The negative prompt of a request without one.
        dims: The sizes of one transformer.
        vae: The sizes of the autoencoder.
        has_image_encoder: Whether a CLIP tower comes along.
        takes_last_frame: Whether the last frame may be given.
        licence: SPDX identifier of the weights' licence, and a word where there is more to say.
        source: Where the figures come from.
    """

    name: str
    repo: str
    kind: Kind
    serves: tuple[str, ...]
    modes: frozenset[Mode]
    fps: int = 16
    longest_frames: int = 81
    multiple: int = 16
    top_tier: Tier = Tier.P720
    steps: int = 50
    guidance: float = 5.0
    guidance_2: float | None = None
    shift: float = 5.0
    shift_720: float = 5.0
    boundary: float | None = None
    negative: str = NEGATIVE_PROMPT
    dims: TransformerDims
    vae: VaeDims
    has_image_encoder: bool = False
    takes_last_frame: bool = False
    licence: str = "Apache-2.0"
    source: str

    @property
    def experts(self) -> int:
        """How many transformers there are, 1 or 2."""
        return 1 if self.boundary is None else 2

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The pipelines that its modules can be run by, the folder's own first."""
        if self.kind is Kind.T2V and Mode.I2V in self.modes:
            return (Kind.T2V, Kind.I2V)  # TI2V-5B: one set of modules does both
        return (self.kind,)

    @property
    def longest_s(self) -> float:
        """Seconds of the longest clip it was trained on; 81 frames at 16 fps are 5.0."""
        return (self.longest_frames - 1) / self.fps

    def shift_for(self, tier: Tier) -> float:
        """The flow shift for a size of this tier."""
        return self.shift if tier is Tier.P480 else self.shift_720
