"""Open Wan weights on a card: stock diffusers and the engine, in turn, on random full-size weights.

    python bench/gpu/run.py                      P1 to P11; an hour and more on one H200
    python bench/gpu/run.py --only P1,P5         the two headline figures; about 15 minutes
    python bench/gpu/run.py --only P1 --full     P1 from end to end as well
    python bench/gpu/run.py --tiny --device cpu  toys on the CPU: whether the script works

Needs the extra `wan` and neither network nor weights: models are made on the device with normally
distributed weights, and prompts are random embeddings. What depends on what a model has learned, how
often a step can be reused and what a clip looks like, cannot be measured this way; where skips are
forced, the figure is an upper bound.

Seconds are medians. MFU is the committed formula (`kinogate.engines.diffusers.flops`) over seconds,
as a share of 790 TFLOP/s, which an H200 reaches on large bfloat16 matrices, and of the card's own
peak where it is known.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import torch
from gpu_cases import CASES, Lab
from gpu_measure import Row, card_name, card_peak
from gpu_server import served_rows

_SERVED = ("P8", "P9", "P10", "P11")
_GIB = 1024**3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases; 0 when all of them gave their figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = [*CASES, *_SERVED]
    parser.add_argument("--only", default=",".join(every), help="cases, with commas between them")
    parser.add_argument("--out", type=Path, help="write the figures there as JSON")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="toys, one repetition")
    parser.add_argument("--full", action="store_true", help="P1 and P7 from end to end as well")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions that count")
    given = parser.parse_args(arguments)
    wanted = given.only.upper().split(",")
    if unknown := set(wanted) - set(every):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    logging.getLogger("diffusers").setLevel(logging.ERROR)
    device = torch.device(given.device)
    name = card_name(device)
    print(f"{name}, torch {torch.__version__}, diffusers {version('diffusers')}", flush=True)
    rows: list[Row] = []
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="kinogate-bench-") as folder:
        lab = Lab(
            device=device,
            is_tiny=given.tiny,
            rounds=1 if given.tiny else given.rounds,
            warm_ups=0 if given.tiny else 2,
            folder=Path(folder),
            is_full=given.full,
        )
        for case in wanted:
            if case in CASES:
                _one(lab, case, rows, failed, name)
        if served := set(wanted) & set(_SERVED):
            _one(lab, ",".join(sorted(served)), rows, failed, name)
        if given.out is not None:
            _write(given.out, name, rows, failed)
    return 1 if failed else 0


def _one(lab: Lab, case: str, rows: list[Row], failed: dict[str, str], card: str) -> None:
    """Run one case and print its lines at once: a long run that is cut off still has told them."""
    begun_s = time.monotonic()
    try:
        found = CASES[case](lab) if case in CASES else served_rows(lab, set(case.split(",")))
    except Exception as exc:  # noqa: BLE001 - the other cases are worth having all the same
        traceback.print_exc()
        failed[case] = f"{type(exc).__name__}: {exc}"
        print(f"{case:4} failed: {failed[case]}", flush=True)
        return
    rows += found
    for row in found:
        print(_line(row, card), flush=True)
    print(f"     ({case} took {time.monotonic() - begun_s:.0f} s)", flush=True)


def _line(row: Row, card: str) -> str:
    text = f"{row.case:4} {row.what:42} {row.seconds:9.3f} s"
    mfu, peak = row.mfu(), card_peak(card)
    if mfu is not None and card != "CPU":
        text += f"  MFU {100 * mfu:5.1f} %"
        text += f" (of peak {100 * row.flops / row.seconds / peak:.1f} %)" if peak else ""
    if row.ratio is not None:
        text += f"  {row.ratio:.2f}x stock"
    if row.peak_bytes:
        text += f"  {row.peak_bytes / _GIB:.1f} GiB"
    if row.spread is not None and row.spread[0] != row.spread[1]:
        text += f"  [{row.spread[0]:.3f}-{row.spread[1]:.3f}]"
    return f"{text}  {row.notes}".rstrip()


def _write(path: Path, card: str, rows: list[Row], failed: dict[str, str]) -> None:
    figures = [asdict(row) | {"mfu_790": row.mfu(), "card": card} for row in rows]
    versions = {"torch": torch.__version__, "diffusers": version("diffusers")}
    report = {"card": card, "versions": versions, "rows": figures, "failed": failed}
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
