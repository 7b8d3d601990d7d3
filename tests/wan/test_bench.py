"""The figures' script runs from end to end, on toys, so that it works the day there is a card."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bench" / "gpu" / "run.py"
CASES = [f"P{number}" for number in range(1, 12)]


@pytest.mark.timeout(400)
def test_every_case_gives_figures_on_toys(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--tiny", "--device", "cpu", "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    report = json.loads(out.read_text())
    assert report["failed"] == {}
    assert [case for case in CASES if not any(r["case"] == case for r in report["rows"])] == []
    for row in report["rows"]:
        assert row["seconds"] > 0 or row["case"] == "P10"
    ours = [row for row in report["rows"] if row["case"] == "P4"]
    assert [row["flops"] for row in ours] == [ours[0]["flops"]] * 3
    assert "first frame" in ours[-1]["notes"]


def test_an_unknown_case_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--only", "P12", "--device", "cpu"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 2
    assert "P12" in done.stderr
