"""`shot_type` seen in the finished file: cuts with prompt extension on, none with it off."""

from __future__ import annotations

from pathlib import Path

import httpx2
import numpy as np
import pytest
from wires import NATIVE

from kinogate.media.probe import frames

BODY = {
    "model": "wan2.6-t2v",
    "prompt": "a dog runs over a meadow",
    "size": "1280*720",
    "duration": 5,
    "shot_type": "multi",
    "seed": 7,
}


def cuts(path: Path) -> int:
    """How many times the picture changes at once: a leap far above the usual step."""
    small = np.stack([frame[::16, ::16].astype(np.int16) for frame in frames(path)])
    steps = np.abs(np.diff(small, axis=0)).mean(axis=(1, 2, 3))
    return int((steps > max(8.0, 6 * float(np.median(steps)))).sum())


@pytest.mark.parametrize(("is_extended", "fewest", "most"), [(True, 1, 3), (False, 0, 0)])
def test_several_shots_have_cuts_only_with_prompt_extension(
    client: httpx2.Client, tmp_path: Path, is_extended: bool, fewest: int, most: int
) -> None:
    reply = client.post(NATIVE.create, json=BODY | {"prompt_extend": is_extended})
    assert reply.status_code == 201, reply.text
    task = NATIVE.await_end(client, reply.json()["id"])
    assert task["status"] == "succeeded"
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(client.get(task["video"]["url"]).content)

    assert fewest <= cuts(clip) <= most
