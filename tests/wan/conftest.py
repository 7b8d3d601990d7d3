"""Folders of weights for the whole run, and the weights in memory for a module's tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

# Before torch is imported, here and in the children: several threads on weights this small wait for
# each other ten times longer than they compute.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import tiny

from kinogate.engines.diffusers.load import Resident, load


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a variant, written when it is first asked for."""
    root = tmp_path_factory.mktemp("weights")
    made: dict[str, Path] = {}

    def folder(variant: str) -> Path:
        if variant not in made:
            made[variant] = tiny.save(variant, root / variant)
        return made[variant]

    return folder


@pytest.fixture(scope="session")
def resident(folders: Callable[[str], Path]) -> Callable[..., Resident]:
    """A variant's weights, loaded once for each preset and shared by every test of the run."""
    kept: dict[tuple[str, str], Resident] = {}

    def loaded(variant: str, preset: str = "lossless") -> Resident:
        key = (variant, preset)
        if key not in kept:
            setup = tiny.a_setup(variant, folders(variant), is_distilled=preset == "turbo")
            kept[key] = load(setup, preset, device="cpu", dtype="float32")
        return kept[key]

    return loaded
