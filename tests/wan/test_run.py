"""Orders on tiny weights of every variant: frames, seeds, progress, cancelling, and no trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tiny
import torch
from PIL import Image

from kinogate.domain.knobs import Knobs
from kinogate.domain.order import InputFile, Mode, Order, Role
from kinogate.engines.diffusers.cards import Kind
from kinogate.engines.diffusers.levers import Active
from kinogate.engines.diffusers.load import Resident
from kinogate.engines.diffusers.pictures import fitted, open_upright, vace_conditions
from kinogate.engines.diffusers.recipes import REUSE_FROM_STEPS
from kinogate.engines.diffusers.resolve import resolve
from kinogate.engines.diffusers.run import costs, generate, run, scheduler
from kinogate.engines.diffusers.stages import Stage, Stages
from kinogate.media.probe import probe_video

Loaded = Callable[..., Resident]


class Stopped(BaseException):
    """What a report raises to cancel; like the child's own, no Exception."""


def nothing(_stage: str, _share: float) -> None:
    """A report that nobody reads."""


def frames_of(
    resident: Resident,
    order: Order,
    report: Callable[[str, float], None] = nothing,
    preset: str = "lossless",
) -> npt.NDArray[np.uint8]:
    """All frames that are generated for an order, `[N, H, W, 3]`."""
    spec = resolve(order, resident.setup, preset)
    taken: list[npt.NDArray[np.uint8]] = []
    stages = Stages(report, costs(resident, order, spec))
    generate(resident, order, spec, stages, lambda block: taken.append(block.copy()))
    return np.concatenate(taken)


@pytest.mark.parametrize("variant", tiny.VARIANTS)
def test_every_variant_makes_the_exact_number_of_frames(
    resident: Loaded, tmp_path: Path, variant: str
) -> None:
    order = tiny.an_order(variant, tiny.inputs_of(variant, tmp_path))

    frames = frames_of(resident(variant), order)

    assert frames.shape == (4 * round(0.5 * order.fps / 4) + 1, 64, 64, 3)
    assert frames.std() > 1.0


@pytest.mark.parametrize("variant", tiny.VARIANTS)
def test_the_same_seed_gives_the_same_frames_and_another_seed_others(
    resident: Loaded, tmp_path: Path, variant: str
) -> None:
    order = tiny.an_order(variant, tiny.inputs_of(variant, tmp_path))
    weights = resident(variant)

    first, again = frames_of(weights, order), frames_of(weights, order)
    other = frames_of(weights, replace(order, seed=8))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("variant", tiny.VARIANTS)
def test_the_prompt_and_the_negative_one_change_the_frames(
    resident: Loaded, tmp_path: Path, variant: str
) -> None:
    order = tiny.an_order(variant, tiny.inputs_of(variant, tmp_path))
    weights = resident(variant)

    plain = frames_of(weights, order)

    assert not np.array_equal(plain, frames_of(weights, replace(order, prompt="蓝色的风筝")))
    assert not np.array_equal(plain, frames_of(weights, replace(order, negative_prompt="blue")))


@pytest.mark.parametrize("variant", ["i2v", "flf2v", "a14b-i2v", "vace"])
def test_every_given_picture_changes_the_frames(
    resident: Loaded, tmp_path: Path, variant: str
) -> None:
    inputs = tiny.inputs_of(variant, tmp_path)
    order = tiny.an_order(variant, inputs)
    plain = frames_of(resident(variant), order)
    for index, item in enumerate(inputs):
        other = tiny.a_picture(tmp_path / f"other-{index}.png", seed=50 + index)
        changed = (*inputs[:index], replace(item, path=str(other)), *inputs[index + 1 :])

        frames = frames_of(resident(variant), replace(order, inputs=changed))

        assert not np.array_equal(plain, frames), item.role


def test_one_set_of_modules_makes_clips_from_text_and_from_a_picture(
    resident: Loaded, tmp_path: Path
) -> None:
    weights = resident("ti2v")
    first = InputFile(role=Role.FIRST_FRAME, path=str(tiny.a_picture(tmp_path / "a.png")))
    text = tiny.an_order("ti2v")
    picture = replace(text, mode=Mode.I2V, inputs=(first,))

    before = frames_of(weights, text)
    shown = frames_of(weights, picture)

    assert weights.pipelines[Kind.I2V].transformer is weights.pipelines[Kind.T2V].transformer
    assert not np.array_equal(before, shown)
    assert np.array_equal(before, frames_of(weights, text))


def test_the_experts_change_where_the_boundary_says(resident: Loaded) -> None:
    weights = resident("a14b-t2v")
    calls: list[str] = []
    handles = [
        module.register_forward_pre_hook(lambda *_, name=name: calls.append(name))
        for name, module in zip(("high", "low"), weights.transformers, strict=True)
    ]
    order = tiny.an_order("a14b-t2v", knobs=Knobs(steps=4, guidance=1.0, guidance_2=1.0))
    try:
        frames_of(weights, replace(order, knobs=replace(order.knobs, boundary_ratio=0.0)))
        low_never = list(calls)
        calls.clear()
        frames_of(weights, replace(order, knobs=replace(order.knobs, boundary_ratio=1.0)))
        high_once = list(calls)
    finally:
        for handle in handles:
            handle.remove()

    assert low_never == ["high"] * 4
    assert high_once.count("high") <= 1
    assert "low" in high_once
    assert weights.any.config.boundary_ratio == 0.875


def test_each_expert_is_guided_by_its_own_number_in_the_order_of_the_knobs(
    resident: Loaded,
) -> None:
    weights = resident("a14b-t2v")
    order = tiny.an_order("a14b-t2v", knobs=Knobs(steps=4))

    def frames(high: float, low: float) -> npt.NDArray[np.uint8]:
        knobs = Knobs(steps=4, guidance=high, guidance_2=low, boundary_ratio=0.0)
        return frames_of(weights, replace(order, knobs=knobs))

    assert np.array_equal(frames(4.0, 1.0), frames(4.0, 9.0))  # no step is the low expert's
    assert not np.array_equal(frames(4.0, 1.0), frames(9.0, 1.0))


def test_the_flow_shift_moves_the_share_of_the_high_noise_expert(resident: Loaded) -> None:
    weights = resident("a14b-t2v")
    counts = []
    for shift in (3.0, 5.0, 8.0, 12.0):
        spec = resolve(
            tiny.an_order("a14b-t2v", knobs=Knobs(steps=40, flow_shift=shift)),
            weights.setup,
            "lossless",
        )
        sampler = scheduler(spec)
        sampler.set_timesteps(40)
        counts.append(sum(time >= 0.875 * 1000 for time in sampler.timesteps.tolist()))

    assert counts == [13, 17, 22, 26]  # as measured on diffusers' own scheduler


@pytest.mark.parametrize("variant", tiny.VARIANTS)
def test_progress_tells_every_step_and_never_falls(
    resident: Loaded, tmp_path: Path, variant: str
) -> None:
    order = tiny.an_order(variant, tiny.inputs_of(variant, tmp_path), knobs=Knobs(steps=5))
    told: list[tuple[str, float]] = []

    frames_of(resident(variant), order, lambda stage, share: told.append((stage, share)))

    shares = [share for _, share in told]
    denoising = {round(share, 9) for stage, share in told if stage == Stage.DENOISE}
    assert shares == sorted(shares)
    assert list(dict.fromkeys(stage for stage, _ in told if stage != Stage.IMAGE)) == [
        Stage.TEXT,
        Stage.DENOISE,
        Stage.DECODE,
    ]
    assert len(denoising) >= 5
    assert 0.9 < shares[-1] <= 0.981


def stop_in(stage: Stage, calls: int) -> Callable[[str, float], None]:
    """A report that cancels at its call number `calls` in a stage."""
    seen = 0

    def report(name: str, _share: float) -> None:
        nonlocal seen
        seen += name == stage
        if seen == calls:
            raise Stopped

    return report


def reusing(weights: Resident) -> Resident:
    """The same weights; where their preset reuses steps, it reuses every one after the first.

    So whatever the cache has kept from an earlier run would be seen: a threshold that fits real
    weights hides it behind the difference of two runs.
    """
    recipe = weights.active.recipe
    if recipe.reuse is None:
        return weights
    active = Active(
        weights.any, replace(recipe, reuse=1e9), weights.active.levers, weights.active.left_out
    )
    return replace(weights, active=active)


CANCELS = [
    ("t2v", "lossless", Stage.TEXT, 1),
    ("t2v", "lossless", Stage.DENOISE, 7),
    ("t2v", "balanced", Stage.DENOISE, 7),
    ("t2v", "balanced", Stage.DENOISE, 45),
    ("t2v", "balanced", Stage.DECODE, 2),
    ("a14b-i2v", "lossless", Stage.IMAGE, 2),
    ("a14b-i2v", "balanced", Stage.DENOISE, 45),
    ("ti2v", "balanced", Stage.DENOISE, 45),
    ("ti2v", "lossless", Stage.DECODE, 2),
    ("vace", "balanced", Stage.DENOISE, 70),
]


@pytest.mark.parametrize(("variant", "preset", "stage", "calls"), CANCELS)
def test_a_canceled_run_changes_nothing_in_the_next_one(
    resident: Loaded, tmp_path: Path, variant: str, preset: str, stage: Stage, calls: int
) -> None:
    weights = reusing(resident(variant, preset))
    order = tiny.an_order(
        variant, tiny.inputs_of(variant, tmp_path), knobs=Knobs(steps=REUSE_FROM_STEPS)
    )
    clean = frames_of(weights, order, preset=preset)

    with pytest.raises(Stopped):
        frames_of(
            weights,
            replace(order, seed=99, prompt="another one"),
            stop_in(stage, calls),
            preset=preset,
        )

    assert np.array_equal(clean, frames_of(weights, order, preset=preset))


def test_a_cancel_need_not_wait_for_the_end_of_a_step(resident: Loaded) -> None:
    weights = resident("t2v")
    order = tiny.an_order("t2v", knobs=Knobs(steps=3))
    passes: list[int] = []
    handle = weights.any.transformer.register_forward_hook(lambda *_: passes.append(1))
    try:
        with pytest.raises(Stopped):
            # The second block of the first pass: no pass has ended yet.
            frames_of(weights, order, stop_in(Stage.DENOISE, 2))
    finally:
        handle.remove()

    assert passes == []
    assert type(weights.any.transformer.blocks) is torch.nn.ModuleList


def test_a_fault_in_the_middle_leaves_nothing_behind_either(resident: Loaded) -> None:
    weights = reusing(resident("t2v", "balanced"))
    order = tiny.an_order("t2v", knobs=Knobs(steps=REUSE_FROM_STEPS))
    clean = frames_of(weights, order, preset="balanced")
    spec = resolve(order, weights.setup, "balanced")

    def broken(_block: object) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        generate(weights, order, spec, Stages(nothing, costs(weights, order, spec)), broken)

    assert np.array_equal(clean, frames_of(weights, order, preset="balanced"))


@pytest.mark.parametrize("preset", ["lossless", "balanced", "fast", "turbo"])
def test_every_preset_makes_a_clip_and_names_what_held(
    resident: Loaded, tmp_path: Path, preset: str
) -> None:
    weights = resident("t2v", preset)
    order = tiny.an_order("t2v")
    spec = resolve(order, weights.setup, preset)

    produced = run(weights, order, spec, tmp_path / "a.mp4", nothing)

    assert f" {preset}[" in produced.fingerprint
    assert "diffusers/" in produced.fingerprint
    assert "torch/" in produced.fingerprint
    assert " wan2.1-t2v-1.3b float32 " in produced.fingerprint
    assert probe_video(tmp_path / "a.mp4").frame_count == order.frame_count


def test_a_picture_is_cropped_and_not_stretched(tmp_path: Path) -> None:
    # Twice as wide as high: the middle is red, what a cover of a square cuts away is blue.
    pixels = np.zeros((100, 200, 3), dtype=np.uint8)
    pixels[..., 2] = 255
    pixels[:, 50:150] = (255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    order = tiny.an_order("ti2v", mode=Mode.I2V)
    spec = resolve(
        replace(order, inputs=(InputFile(role=Role.FIRST_FRAME, path="x"),)),
        tiny.a_setup("ti2v", tmp_path),
        "lossless",
    )

    shown = np.asarray(fitted(open_upright(tmp_path / "wide.png", Role.FIRST_FRAME), spec))

    assert shown.shape == (64, 64, 3)
    assert shown[:, 4:-4, 0].min() > 250  # what resampling leaves of red
    assert shown[:, 4:-4, 2].max() < 5


def test_a_picture_is_turned_as_it_says_and_its_glass_is_white(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20), "red").save(tmp_path / "turned.jpg", exif=exif)
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(tmp_path / "glass.png")

    assert open_upright(tmp_path / "turned.jpg", Role.FIRST_FRAME).size == (20, 40)
    glass = open_upright(tmp_path / "glass.png", Role.FIRST_FRAME)
    assert glass.getpixel((5, 5)) == (255, 255, 255)


def test_a_clip_goes_on_from_the_given_one_and_ends_in_the_given_frame(tmp_path: Path) -> None:
    clip = tiny.a_clip(tmp_path / "clip.mp4", seconds=0.25)
    last = tiny.a_picture(tmp_path / "last.png", seed=9)
    order = tiny.an_order(
        "vace",
        (
            InputFile(role=Role.FIRST_CLIP, path=str(clip)),
            InputFile(role=Role.LAST_FRAME, path=str(last)),
        ),
        mode=Mode.CLIP,
        function="video_extension",
        frame_count=16,
        duration_s=1.0,
    )
    spec = resolve(order, tiny.a_setup("vace", tmp_path), "lossless")

    frames, masks, references = vace_conditions(order, spec)

    kept = [mask.getpixel((0, 0)) == (0, 0, 0) for mask in masks]
    assert (spec.frames, len(frames), references) == (17, 17, [])
    assert kept == [True] * 4 + [False] * 11 + [True] + [False]  # 0.25 s; the order's last frame
    assert frames[4].getpixel((3, 3)) == (128, 128, 128)
