"""Presets: the exact one changes no bit, the others do what their names in the fingerprint say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.attention_dispatch import AttentionBackendName, _AttentionBackendRegistry
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

from kinogate.domain.knobs import PRESETS
from kinogate.engines.diffusers import levers, tuning
from kinogate.engines.diffusers.levers import RECIPES, Active, Distilled, Machine, apply
from kinogate.engines.diffusers.recipes import Recipe
from kinogate.engines.diffusers.rungs import Rung

STEPS = 12
COMPILING = Machine(compiler="aot_eager")
"""A machine that compiles but has no card: the graphs are traced and run without being lowered."""


def latents(pipe: Any, variant: str, **given: Any) -> np.ndarray:
    return small.call(pipe, variant, output_type="latent", **given).numpy()


def calls_of(modules: list[Any]) -> Callable[[], list[int]]:
    """Count how often the insides of each block really run; what a cache skips never gets there."""
    counts = [0] * len(modules)

    def counter(index: int) -> Callable[..., None]:
        def count(*_: object) -> None:
            counts[index] += 1

        return count

    for index, module in enumerate(modules):
        module.ffn.register_forward_hook(counter(index))
    return lambda: list(counts)


def test_there_is_a_recipe_for_every_preset() -> None:
    assert tuple(RECIPES) == PRESETS


@pytest.mark.parametrize("variant", small.VARIANTS)
def test_lossless_is_stock_diffusers_to_the_bit(variant: str) -> None:
    expected = small.call(small.build(variant), variant)
    pipe = small.build(variant)
    active = apply(pipe, RECIPES["lossless"], "cpu")
    with active.run(steps=2, is_uniform=variant != "ti2v-image") as names:
        found = small.call(pipe, variant)
    assert names == ()
    assert np.array_equal(found, expected)


def test_what_a_cpu_cannot_have_is_left_out_with_a_reason() -> None:
    active = apply(small.build("ti2v"), RECIPES["fast"], "cpu")
    assert active.levers == ("vae:bf16",)
    assert {item.lever for item in active.left_out} == {
        "fp8", "attention", "timestep", "tf32", "vae:tuned", "compile"
    }  # fmt: skip
    assert all(item.reason.endswith(".") for item in active.left_out)


def test_balanced_halves_the_autoencoder_and_says_so() -> None:
    pipe = small.build("t2v")
    active = apply(pipe, RECIPES["balanced"], "cpu")
    assert pipe.vae.dtype is torch.bfloat16
    assert active.levers == ("vae:bf16",)
    with active.run(steps=STEPS) as names:
        assert names == ("vae:bf16", "reuse:0.08")
        assert np.isfinite(small.call(pipe, "t2v", steps=STEPS)).all()


@pytest.mark.parametrize("variant", small.VARIANTS)
def test_reused_steps_skip_the_later_blocks(variant: str) -> None:
    pipe = small.build(variant)
    counts = [calls_of(list(model.blocks)) for model in levers.transformers_of(pipe)]
    active = apply(pipe, Recipe(name="reusing", reuse=0.9), "cpu")
    with active.run(steps=STEPS, is_uniform=variant != "ti2v-image") as names:
        latents(pipe, variant, steps=STEPS)
    assert "reuse:0.9" in names
    first, *later = (sum(calls) for calls in zip(*(count() for count in counts), strict=True))
    # VACE's cache takes the blocks of the control video for the first ones; all main ones are later.
    passes = 2 * STEPS
    assert first == passes or variant == "vace"
    assert max(later) < passes


@pytest.mark.parametrize("variant", ["t2v", "a14b-t2v"])
def test_without_reuse_every_block_runs_in_every_pass(variant: str) -> None:
    pipe = small.build(variant)
    models = levers.transformers_of(pipe)
    counts = [calls_of(list(model.blocks)) for model in models]
    with apply(pipe, RECIPES["lossless"], "cpu").run(steps=STEPS):
        latents(pipe, variant, steps=STEPS)
    totals = [sum(calls) for calls in zip(*(count() for count in counts), strict=True)]
    assert totals == [2 * STEPS] * 3


def test_reuse_is_left_out_of_a_run_with_few_steps() -> None:
    pipe = small.build("t2v")
    expected = latents(small.build("t2v"), "t2v", steps=4)
    active = apply(pipe, Recipe(name="reusing", reuse=0.9), "cpu")
    with active.run(steps=4) as names:
        found = latents(pipe, "t2v", steps=4)
    assert names == ()
    assert np.array_equal(found, expected)


class Stop(BaseException):
    """What a cancellation raises."""


@pytest.mark.parametrize("variant", ["t2v", "a14b-t2v", "ti2v"])
def test_a_run_that_was_cancelled_leaves_nothing_in_the_next(variant: str) -> None:
    def stop(step: int) -> None:
        if step == 6:
            raise Stop

    pipe = small.build(variant)
    active = apply(pipe, Recipe(name="reusing", reuse=0.5), "cpu")
    with active.run(steps=STEPS):
        expected = latents(pipe, variant, steps=STEPS)
    with pytest.raises(Stop), active.run(steps=STEPS):
        latents(pipe, variant, steps=STEPS, seed=8, on_step=stop)
    with active.run(steps=STEPS):
        found = latents(pipe, variant, steps=STEPS)
    assert np.array_equal(found, expected)
    assert not any(model.is_cache_enabled for model in levers.transformers_of(pipe))


@pytest.mark.parametrize("variant", ["t2v", "a14b-i2v", "ti2v-image", "vace"])
def test_blocks_compile_whole_and_compute_the_same(variant: str) -> None:
    expected = latents(small.build(variant), variant)
    pipe = small.build(variant)
    active = apply(pipe, Recipe(name="compiled", reuse=None), "cpu", machine=COMPILING)
    with active.run(steps=2) as names:
        found = latents(pipe, variant)
    assert names == ("compile",)
    assert np.allclose(found, expected, atol=1e-5)


def test_all_blocks_of_a_model_share_one_compiled_function() -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    pipe = small.build("t2v")
    assert tuning.compile_blocks(pipe.transformer, "aot_eager") == 3
    latents(pipe, "t2v")
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    assert not torch._dynamo.utils.counters["graph_break"]


def test_reuse_still_skips_when_blocks_are_compiled() -> None:
    pipe = small.build("t2v")
    active = apply(pipe, Recipe(name="both", reuse=0.9), "cpu", machine=COMPILING)
    computed = [0, 0, 0]
    for index, block in enumerate(pipe.transformer.blocks):
        compiled = block.forward

        def counted(*args: Any, index: int = index, compiled: Any = compiled, **kw: Any) -> Any:
            computed[index] += 1
            return compiled(*args, **kw)

        block.forward = counted
    with active.run(steps=STEPS) as names:
        latents(pipe, "t2v", steps=STEPS)
    assert names == ("compile", "reuse:0.9")
    assert computed[0] == 2 * STEPS
    assert max(computed[1:]) < 2 * STEPS
    expected = latents(small.build("t2v"), "t2v")
    with active.run(steps=2):
        assert np.allclose(latents(pipe, "t2v"), expected, atol=1e-5)


def save_lora(folder: Path, scale: float = 0.5) -> Path:
    """A LoRA for the small transformer, as trainers write them."""
    from peft import LoraConfig

    model = small.transformer()
    torch.manual_seed(11)
    model.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_v"]))
    state = {
        f"transformer.{name}": torch.randn_like(weight) * scale
        for name, weight in get_peft_model_state_dict(model).items()
    }
    path = folder / "few-steps.safetensors"
    save_file(state, path)
    return path


@pytest.mark.parametrize("machine", [Machine(), COMPILING], ids=["plain", "compiled"])
def test_a_lora_of_a_request_changes_the_clip_and_leaves_no_trace(
    machine: Machine, tmp_path: Path
) -> None:
    path = save_lora(tmp_path)
    pipe = small.build("t2v")
    active = apply(pipe, RECIPES["lossless"], "cpu", machine=machine)
    with active.run(steps=2):
        plain = latents(pipe, "t2v")
    pipe.load_lora_weights(str(tmp_path), weight_name=path.name, adapter_name="one")
    with active.run(steps=2):
        changed = latents(pipe, "t2v")
    pipe.unload_lora_weights()
    with active.run(steps=2):
        again = latents(pipe, "t2v")
    assert not np.allclose(changed, plain, atol=1e-3)
    assert np.array_equal(again, plain)


def test_turbo_melts_its_lora_into_the_weights(tmp_path: Path) -> None:
    path = save_lora(tmp_path)
    live = small.build("t2v")
    live.load_lora_weights(str(tmp_path), weight_name=path.name, adapter_name="one")
    expected = latents(live, "t2v", guidance_scale=1.0)
    pipe = small.build("t2v")
    before = sum(1 for _ in pipe.transformer.modules())
    active = apply(pipe, RECIPES["turbo"], "cpu", distilled=[Distilled(path=path)])
    with active.run(steps=4) as names:
        found = latents(pipe, "t2v", guidance_scale=1.0)
    assert names == ("distilled", "vae:bf16")
    assert sum(1 for _ in pipe.transformer.modules()) == before
    assert np.allclose(found, expected, atol=1e-4)


def test_turbo_takes_one_pass_a_step() -> None:
    pipe = small.build("t2v")
    count = calls_of(list(pipe.transformer.blocks))
    recipe = RECIPES["turbo"]
    active = apply(pipe, recipe, "cpu", is_distilled=True)
    assert recipe.steps is not None
    with active.run(steps=recipe.steps):
        latents(pipe, "t2v", steps=recipe.steps, guidance_scale=recipe.guidance)
    assert active.levers[0] == "distilled"
    assert count() == [4, 4, 4]


def test_turbo_without_distilled_weights_does_not_claim_them() -> None:
    active = apply(small.build("t2v"), RECIPES["turbo"], "cpu")
    assert "distilled" not in active.levers
    assert "distilled" in {item.lever for item in active.left_out}


def test_a_shared_time_computes_what_a_time_for_every_token_does() -> None:
    expected = latents(small.build("ti2v"), "ti2v")
    pipe = small.build("ti2v")
    seen: list[int] = []
    pipe.transformer.condition_embedder.register_forward_pre_hook(
        lambda _module, args: seen.append(args[0].numel())
    )
    with Active(pipe, RECIPES["lossless"], ("timestep",), ()).run(steps=2) as names:
        found = latents(pipe, "ti2v")
    assert names == ("timestep",)
    assert set(seen) == {1}
    assert np.allclose(found, expected, atol=1e-5)


def test_a_first_frame_has_a_time_of_its_own_and_keeps_it() -> None:
    expected = latents(small.build("ti2v-image"), "ti2v-image")
    pipe = small.build("ti2v-image")
    active = Active(pipe, RECIPES["lossless"], ("timestep",), ())
    with active.run(steps=2, is_uniform=False) as names:
        found = latents(pipe, "ti2v-image")
    assert names == ()
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", ["2.1", "2.2"])
def test_fused_norms_decode_the_same_clip(kind: str, dtype: torch.dtype) -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    torch.manual_seed(5)
    vae = small.vae(kind, dtype)
    z = torch.randn(1, vae.config.z_dim, 3, 4, 4, dtype=dtype)
    with torch.no_grad():
        expected = vae.decode(z).sample
        assert tuning.fuse_norms(vae.decoder, "aot_eager") > 10
        found = vae.decode(z).sample
    assert torch.allclose(found, expected, atol=1e-5)
    # A graph for each shape, and none that was given up on.
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 3
    assert (
        torch._dynamo.utils.counters["frames"]["ok"]
        == (torch._dynamo.utils.counters["frames"]["total"])
    )


def test_convolutions_get_their_channels_last_and_decode_the_same_clip() -> None:
    torch.manual_seed(5)
    vae = AutoencoderKLWan(base_dim=8, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1).eval()
    z = torch.randn(1, 16, 3, 4, 4)
    with torch.no_grad():
        expected = vae.decode(z).sample
        tuning.lay_out(vae)
        found = vae.decode(z).sample
    convolution = vae.decoder.conv_in.weight
    assert convolution.is_contiguous(memory_format=torch.channels_last_3d)
    assert not convolution.is_contiguous()
    assert torch.allclose(found, expected, atol=1e-5)


def test_weights_that_are_moved_about_leave_reuse_and_eight_bits_out() -> None:
    machine = Machine(is_cuda=True, capability=(9, 0))
    recipe = Recipe(name="x", attention=(), tf32=False, is_vae_tuned=False, fp8=True, reuse=0.1)
    active = apply(small.build("t2v"), recipe, "cpu", rung=Rung.GROUPS, machine=machine)
    assert active.levers == ("held:groups",)
    assert {item.lever for item in active.left_out} == {"fp8", "reuse", "compile"}
    with active.run(steps=STEPS) as names:
        assert names == ("held:groups",)


@pytest.fixture
def like_a_card() -> Iterator[Machine]:
    """A machine that says it has a card, on which everything but its kernels is tried."""
    precision = torch.get_float32_matmul_precision()
    benchmark = torch.backends.cudnn.benchmark
    yield Machine(is_cuda=True, capability=(9, 0), compiler="aot_eager")
    torch.set_float32_matmul_precision(precision)
    torch.backends.cudnn.benchmark = benchmark


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("variant", ["t2v", "ti2v", "ti2v-image", "a14b-i2v", "vace"])
def test_every_preset_is_pulled_where_there_is_a_card(
    preset: str, variant: str, like_a_card: Machine
) -> None:
    expected = latents(small.build(variant), variant)
    pipe = small.build(variant)
    active = apply(pipe, RECIPES[preset], "cpu", is_distilled=True, machine=like_a_card)
    assert {"tf32", "vae:tuned", "compile"} <= set(active.levers)
    assert ("timestep" in active.levers) is variant.startswith("ti2v")
    with active.run(steps=2, is_uniform=variant != "ti2v-image") as names:
        found = latents(pipe, variant)
        clip = small.call(pipe, variant)
    assert ("timestep" in names) is (variant == "ti2v")
    assert np.allclose(found, expected, atol=0.05 if "vae:bf16" in names else 1e-4)
    assert np.isfinite(clip).all()
    # torch's own flash attention is the one backend of the list that a CPU has.
    assert "attention:native_flash" in names
    assert {item.lever for item in active.left_out} == ({"fp8"} if preset == "fast" else set())


def test_a_backend_for_one_model_is_not_that_of_the_others(like_a_card: Machine) -> None:
    before = _AttentionBackendRegistry.get_active_backend()
    pipe = small.build("t2v")
    active = apply(pipe, RECIPES["lossless"], "cpu", machine=like_a_card)
    assert "attention:native_flash" in active.levers
    processors = [block.attn1.processor for block in pipe.transformer.blocks]
    assert {one._attention_backend for one in processors} == {AttentionBackendName._NATIVE_FLASH}
    assert _AttentionBackendRegistry.get_active_backend() == before


def test_a_backend_that_is_not_there_is_found_out_by_using_it() -> None:
    model = small.transformer()
    device = torch.device("cpu")
    assert levers._why_not("_native_cudnn", device, model) is not None
    assert levers._why_not("_flash_3", device, model) is not None
    assert levers._why_not("native", device, model) is None


def test_a_compiler_that_is_not_there_is_found_out_by_using_it() -> None:
    active = apply(
        small.build("t2v"), RECIPES["lossless"], "cpu", machine=Machine(compiler="no_such_one")
    )
    assert "compile" in {item.lever for item in active.left_out}
