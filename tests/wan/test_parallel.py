"""Two processes that make one clip: the same clip, half the passes each, and an end together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small

HERE = Path(__file__).parent


def together(folder: Path, **told: Any) -> list[dict[str, Any]]:
    """Run both processes of a group; what each of them printed."""
    told = {"steps": 3, "folder": str(folder), "meeting": str(folder / "meeting")} | told
    processes = [
        subprocess.Popen(
            [sys.executable, str(HERE / "pair_process.py"), json.dumps(told | {"rank": rank})],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    outcomes = []
    try:
        for process in processes:
            out, err = process.communicate(timeout=90)
            assert process.returncode == 0, err[-2000:]
            outcomes.append(json.loads(out.splitlines()[-1]))
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
    return outcomes


def alone(variant: str, steps: int = 3, **given: Any) -> np.ndarray:
    pipe = small.build(variant)
    latents: np.ndarray = small.call(
        pipe, variant, steps=steps, output_type="latent", **given
    ).numpy()
    return latents


@pytest.mark.parametrize("variant", ["a14b-i2v", "ti2v"])
def test_two_processes_share_the_two_passes_of_a_step(variant: str, tmp_path: Path) -> None:
    outcomes = together(tmp_path, sharing="guidance", variant=variant)
    assert [outcome["passes"] for outcome in outcomes] == [3, 3]
    first, second = (np.load(tmp_path / f"{rank}.npy") for rank in (0, 1))
    assert np.array_equal(first, second)
    assert np.allclose(first, alone(variant), atol=1e-5)


def test_a_run_without_guidance_has_nothing_to_share(tmp_path: Path) -> None:
    outcomes = together(tmp_path, sharing="guidance", variant="t2v", guidance=1.0)
    assert [outcome["passes"] for outcome in outcomes] == [3, 3]
    assert np.allclose(np.load(tmp_path / "0.npy"), alone("t2v", guidance_scale=1.0), atol=1e-5)


@pytest.mark.parametrize("leaver", ["0", "1"])
def test_when_one_leaves_the_other_leaves_at_the_same_step(leaver: str, tmp_path: Path) -> None:
    outcomes = together(tmp_path, sharing="guidance", variant="t2v", steps=6, stop_at={leaver: 2})
    assert [(one["left"], one["steps"]) for one in outcomes] == [(True, 2), (True, 2)]


def test_each_process_reuses_steps_of_its_own_pass(tmp_path: Path) -> None:
    outcomes = together(tmp_path, sharing="guidance", variant="t2v", steps=12, reuse=0.5)
    assert [outcome["passes"] for outcome in outcomes] == [12, 12]
    first, second = (np.load(tmp_path / f"{rank}.npy") for rank in (0, 1))
    assert np.array_equal(first, second)


def test_two_processes_share_the_tokens_of_every_pass(tmp_path: Path) -> None:
    together(tmp_path, sharing="tokens", variant="t2v")
    first, second = (np.load(tmp_path / f"{rank}.npy") for rank in (0, 1))
    assert np.allclose(first, second, atol=1e-5)
    assert np.allclose(first, alone("t2v"), atol=1e-4)
