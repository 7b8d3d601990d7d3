"""What a Wan video costs: operations, memory and, with a learned rate, seconds. Pure; no torch.

Operations are counted as `torch.utils.flop_counter` counts them (a multiplication and an addition
are two, masks save nothing), so a figure divided by the time it took is comparable with a card's
data sheet. `tests/wan/test_flops_counted.py` holds these formulas against diffusers' own modules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

GIB = 1024**3
TEXT_TOKENS = 512
"""Prompts are padded to this many tokens, and the padding is always paid for."""

# UMT5-XXL's encoder (google/umt5-xxl, config.json): layers, width, feed-forward.
_TEXT_LAYERS, _TEXT_WIDTH, _TEXT_FFN = 24, 4096, 10240
_TEXT_PARAMETERS = 5_681_000_000
# CLIP ViT-H/14 (laion's, config.json of Wan2.1 I2V): layers, width, feed-forward, tokens.
_IMAGE_LAYERS, _IMAGE_WIDTH, _IMAGE_FFN, IMAGE_TOKENS = 32, 1280, 5120, 257
_TIME_CHANNELS = 256
_PATCH = 4  # 1 x 2 x 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerDims:
    """The sizes of one expert, as in its `config.json`.

    Attributes:
        layers: Transformer blocks.
        width: Channels of a token.
        ffn: Channels between the two layers of the feed-forward part.
        heads: Attention heads; they divide `width`.
        in_channels: Of the latent video with whatever is concatenated to it (36 for most I2V).
        out_channels: Of the predicted latent.
        text_width: Channels of a prompt's embedding.
        image_tokens: Tokens of the image encoder, 0 without one, 514 for first and last frame.
        image_width: Channels of such a token.
        control_layers: Blocks of a VACE model beside its main ones.
        control_channels: Channels of its control video.
    """

    layers: int
    width: int
    ffn: int
    heads: int
    in_channels: int = 16
    out_channels: int = 16
    text_width: int = 4096
    image_tokens: int = 0
    image_width: int = 1280
    control_layers: int = 0
    control_channels: int = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class VaeDims:
    """The sizes of a video autoencoder, as in its `config.json`.

    Attributes:
        base: Channels of the encoder's first stage.
        decoder_base: Channels of the decoder's last stage.
        z: Channels of a latent.
        multiples: Channels of the stages, in multiples of the base.
        blocks: Residual blocks of an encoder's stage; a decoder's has one more.
        is_residual: The Wan2.2 kind, whose up-sampling keeps its channels.
        patch: Pixels a side that are folded into channels before everything else.
        stride: Pixels a side of one latent pixel.
        temporal: At which down-samplings the frames are halved as well.
        parameters: Weights of both halves, counted.
    """

    base: int
    decoder_base: int
    z: int
    multiples: tuple[int, ...] = (1, 2, 4, 4)
    blocks: int = 2
    is_residual: bool = False
    patch: int = 1
    stride: int = 8
    temporal: tuple[bool, ...] = (False, True, True)
    parameters: int


VAE_21 = VaeDims(base=96, decoder_base=96, z=16, parameters=126_892_531)
VAE_22 = VaeDims(
    base=160,
    decoder_base=256,
    z=48,
    is_residual=True,
    patch=2,
    stride=16,
    parameters=704_688_668,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is generated, padding to the model's multiples included.

    Attributes:
        width: Pixels.
        height: Pixels.
        frames: `4 k + 1`.
    """

    width: int
    height: int
    frames: int

    @property
    def latent_frames(self) -> int:
        """One for the first frame and one for every four after it."""
        return 1 + (self.frames - 1) // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFlops:
    """Operations of the stages of one run."""

    text: int = 0
    image: int = 0
    denoise: int = 0
    decode: int = 0

    @property
    def total(self) -> int:
        """All stages together."""
        return self.text + self.image + self.denoise + self.decode


def tokens(vae: VaeDims, shape: Shape) -> int:
    """Tokens of the latent video."""
    side = vae.stride * 2
    return shape.latent_frames * (shape.height // side) * (shape.width // side)


def transformer_flops(dims: TransformerDims, vae: VaeDims, shape: Shape) -> int:
    """One pass of one expert over one prompt."""
    n, d = tokens(vae, shape), dims.width
    block = _block_flops(dims, n)
    embeds = 2 * n * d * _PATCH * (dims.in_channels + dims.out_channels)
    embeds += 2 * TEXT_TOKENS * (dims.text_width * d + d * d)
    embeds += 2 * (_TIME_CHANNELS * d + 7 * d * d)
    if dims.image_tokens:
        embeds += 2 * dims.image_tokens * dims.image_width * (dims.image_width + d)
    if dims.control_layers:
        # Each control block hands a projected copy to the main ones; the first takes one in.
        embeds += 2 * n * d * d * (dims.control_layers + 1)
        embeds += 2 * n * d * _PATCH * dims.control_channels
    return (dims.layers + dims.control_layers) * block + embeds


def _block_flops(dims: TransformerDims, n: int) -> int:
    d, context = dims.width, TEXT_TOKENS + dims.image_tokens
    projections = 2 * n * (6 * d * d + 2 * d * dims.ffn) + 4 * context * d * d
    attention = 4 * n * n * d + 4 * n * context * d
    return projections + attention


def transformer_parameters(dims: TransformerDims) -> int:
    """Weights of one expert."""
    d, f, t = dims.width, dims.ffn, dims.text_width
    block = 8 * d * d + 8 * d + 2 * d * f + f + d + 4 * d + 2 * d + 6 * d
    if dims.image_tokens:
        block += 2 * (d * d + d) + d
    ends = d * (_PATCH * dims.in_channels + 1) + (d + 1) * _PATCH * dims.out_channels + 2 * d
    ends += t * d + d + d * d + d + _TIME_CHANNELS * d + d + 7 * d * d + 7 * d
    if dims.image_tokens:
        i = dims.image_width
        ends += i * i + i + i * d + d + 2 * i + 2 * d
        if dims.image_tokens > IMAGE_TOKENS:
            ends += dims.image_tokens * i  # where each picture stands
    if dims.control_layers:
        ends += (dims.control_layers + 1) * (d * d + d) + d * (_PATCH * dims.control_channels + 1)
    return (dims.layers + dims.control_layers) * block + ends


def _conv(frames: int, pixels: int, cin: int, cout: int, taps: int = 27) -> int:
    return 2 * frames * pixels * cin * cout * taps


def _residual(frames: int, pixels: int, cin: int, cout: int) -> int:
    shortcut = _conv(frames, pixels, cin, cout, 1) if cin != cout else 0
    return _conv(frames, pixels, cin, cout) + _conv(frames, pixels, cout, cout) + shortcut


def _middle(frames: int, pixels: int, c: int) -> int:
    attention = frames * (2 * pixels * 4 * c * c + 4 * pixels * pixels * c)
    return 2 * _residual(frames, pixels, c, c) + attention


def vae_decode_flops(vae: VaeDims, shape: Shape) -> int:
    """Decoding the whole clip, one latent frame after the other."""
    steps = shape.latent_frames
    pixels = (shape.height // vae.stride) * (shape.width // vae.stride)
    widths = [vae.decoder_base * m for m in (vae.multiples[-1], *reversed(vae.multiples))]
    frames = steps
    total = _conv(frames, pixels, vae.z, vae.z, 1) + _conv(frames, pixels, vae.z, widths[0])
    total += _middle(frames, pixels, widths[0])
    last = len(vae.multiples) - 1
    for i in range(last + 1):
        cin, cout = widths[i], widths[i + 1]
        if i and not vae.is_residual:
            cin //= 2
        total += _residual(frames, pixels, cin, cout)
        total += vae.blocks * _residual(frames, pixels, cout, cout)
        if i == last:
            break
        if vae.temporal[::-1][i]:
            # Not for the first latent frame, which stays one frame.
            per_step = (frames - 1) // (steps - 1) if steps > 1 else 0
            total += _conv((steps - 1) * per_step, pixels, cout, 2 * cout, 3)
            frames = 1 + 2 * (frames - 1)
        pixels *= 4
        total += _conv(frames, pixels, cout, cout if vae.is_residual else cout // 2, 9)
    return total + _conv(frames, pixels, widths[-1], 3 * vae.patch**2)


def vae_encode_flops(vae: VaeDims, shape: Shape) -> int:
    """Encoding a clip of this shape; most I2V models encode one as long as the result."""
    steps = shape.latent_frames
    pixels = (shape.height // vae.patch) * (shape.width // vae.patch)
    widths = [vae.base * m for m in (1, *vae.multiples)]
    frames = shape.frames
    total = _conv(frames, pixels, 3 * vae.patch**2, widths[0])
    last = len(vae.multiples) - 1
    for i in range(last + 1):
        cin, cout = widths[i], widths[i + 1]
        total += _residual(frames, pixels, cin, cout)
        total += (vae.blocks - 1) * _residual(frames, pixels, cout, cout)
        if i == last:
            break
        pixels //= 4
        total += _conv(frames, pixels, cout, cout, 9)
        if vae.temporal[i]:
            frames = 1 + (frames - 1) // 2
            total += _conv(frames - 1, pixels, cout, cout, 3)
    total += _middle(steps, pixels, widths[-1])
    total += _conv(steps, pixels, widths[-1], 2 * vae.z)
    return total + _conv(steps, pixels, 2 * vae.z, 2 * vae.z, 1)


def text_flops() -> int:
    """Embedding one prompt with UMT5-XXL."""
    t, d = TEXT_TOKENS, _TEXT_WIDTH
    layer = 2 * t * (4 * d * d + 3 * d * _TEXT_FFN) + 4 * t * t * d
    return _TEXT_LAYERS * layer


def image_flops() -> int:
    """Embedding one picture with CLIP ViT-H/14."""
    t, d = IMAGE_TOKENS, _IMAGE_WIDTH
    layer = 2 * t * (4 * d * d + 2 * d * _IMAGE_FFN) + 4 * t * t * d
    return _IMAGE_LAYERS * layer


def stage_flops(
    dims: TransformerDims,
    vae: VaeDims,
    shape: Shape,
    *,
    steps: int,
    is_guided: bool,
    encoded_frames: int = 0,
    prompts: int = 2,
) -> StageFlops:
    """Operations of one run, stage by stage.

    Args:
        dims: Of either expert; both are alike.
        vae: The autoencoder.
        shape: What is generated.
        steps: Denoising steps.
        is_guided: Whether every step takes a second pass for the negative prompt.
        encoded_frames: Frames that the autoencoder encodes first: 0 without pictures, 1 for
            TI2V-5B, the clip's length for the others, twice that for VACE.
        prompts: How many have to be embedded; fewer where the cache has them.
    """
    passes = steps * (2 if is_guided else 1)
    image = 0
    if encoded_frames:
        first = Shape(width=shape.width, height=shape.height, frames=encoded_frames)
        image = vae_encode_flops(vae, first)
    image += image_flops() * (dims.image_tokens // IMAGE_TOKENS)
    return StageFlops(
        text=prompts * text_flops(),
        image=image,
        denoise=passes * transformer_flops(dims, vae, shape),
        decode=vae_decode_flops(vae, shape),
    )


def video_flops(
    dims: TransformerDims,
    vae: VaeDims,
    shape: Shape,
    *,
    steps: int,
    is_guided: bool,
    encoded_frames: int = 0,
) -> int:
    """Operations of one run, all stages; see `stage_flops`."""
    return stage_flops(
        dims, vae, shape, steps=steps, is_guided=is_guided, encoded_frames=encoded_frames
    ).total


def weight_bytes(
    dims: TransformerDims,
    vae: VaeDims,
    *,
    experts: int = 1,
    value_bytes: int = 2,
    vae_value_bytes: int = 2,
    has_text_encoder: bool = True,
) -> int:
    """Memory of a resident pipeline's weights."""
    text = _TEXT_PARAMETERS * value_bytes if has_text_encoder else 0
    experts_bytes = experts * transformer_parameters(dims) * value_bytes
    return experts_bytes + vae.parameters * vae_value_bytes + text


def working_bytes(
    dims: TransformerDims, vae: VaeDims, shape: Shape, *, value_bytes: int = 2
) -> int:
    """Memory that a run takes on top of the weights, roughly; not yet measured on a card.

    Denoising holds a block's temporaries, of which half are float32 around the norms. Decoding
    holds four frames at the widest stage several times over, and what the causal convolutions
    remember. The larger of the two counts.
    """
    n, d = tokens(vae, shape), dims.width
    denoise = n * (d * (5 * value_bytes + 2 * 4) + 2 * dims.ffn * value_bytes)
    pixels = (shape.height // vae.patch) * (shape.width // vae.patch)
    widest = 2 * vae.decoder_base * pixels  # one frame when the last stage begins
    remembered = 2 * 8 * widest
    decode = (4 * 6 * widest + remembered) * value_bytes
    return max(denoise, decode) + GIB  # the driver's context and the allocator's slack


def seconds(flops: float, rate: float) -> float:
    """How long that many operations take.

    Args:
        flops: Operations.
        rate: Operations a second, above 0.
    """
    return flops / rate


def shape_class(vae: VaeDims, shape: Shape) -> str:
    """Name of the class of shapes that share a rate: one for each doubling of the tokens."""
    return f"2^{round(math.log2(max(tokens(vae, shape), 1)))}"


@dataclass(slots=True, kw_only=True)
class Rates:
    """Operations a second as seen in past runs, by engine and class of shapes.

    Attributes:
        weight: Share of a new run in the mean, above 0.0, at most 1.0.
    """

    weight: float = 0.3
    _known: dict[tuple[str, str], float] = field(default_factory=dict)

    def learn(self, engine: str, shapes: str, flops: float, took_s: float) -> None:
        """Take a finished run into account; one that took no time teaches nothing."""
        if flops <= 0 or took_s <= 0:
            return
        key, rate = (engine, shapes), flops / took_s
        before = self._known.get(key, rate)
        self._known[key] = before + self.weight * (rate - before)

    def rate(self, engine: str, shapes: str) -> float | None:
        """The mean of this class, else of the engine's other classes, else None."""
        if (known := self._known.get((engine, shapes))) is not None:
            return known
        others = [rate for (name, _), rate in self._known.items() if name == engine]
        return _mean(others) if others else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
