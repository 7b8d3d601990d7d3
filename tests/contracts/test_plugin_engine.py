"""The example engine from outside keeps the promises of the port, as any engine must."""

from __future__ import annotations

from pathlib import Path

import pytest

from kinogate.domain.engine import Engine
from kinogate.testing.engine import CASES, Case
from kinogate.testing.rig import Rig

SOURCE = Path(__file__).resolve().parents[2] / "examples" / "plugin-engine" / "src"


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package were installed, for this process and for the engine's children."""
    monkeypatch.syspath_prepend(str(SOURCE))
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))


def make(_folder: Path) -> Engine:
    from kinogate_colour_bars import ColourBars

    engine: Engine = ColourBars(name="bars", slots=2, timeout_s=60)
    return engine


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_example_engine_keeps_its_promise(case: Case, tmp_path: Path) -> None:
    case(Rig(make=make, image_order=None), tmp_path)
