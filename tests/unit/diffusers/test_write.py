"""Generated frames to the promised file: cut, rate, length, marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.domain.order import AudioMode, Mode, Order
from kinogate.engines.diffusers.write import ClipWriter, Resampler, cut
from kinogate.media.probe import frames, probe_video
from kinogate.media.still_paths import still_paths

Frame = npt.NDArray[np.uint8]


def grey(tone: int, width: int = 64, height: int = 64) -> Frame:
    return np.full((height, width, 3), tone, dtype=np.uint8)


def an_order(**changes: Any) -> Order:
    members: dict[str, Any] = {
        "task_id": "t",
        "mode": Mode.T2V,
        "model": "m",
        "prompt": "p",
        "width": 64,
        "height": 48,
        "fps": 16,
        "frame_count": 16,
        "duration_s": 1.0,
        "audio": AudioMode.OFF,
        "seed": 1,
    }
    return Order(**members | changes)


def tones(fps: int, wanted: int, count: int, given: int) -> list[int]:
    resampler = Resampler(fps, wanted, count)
    return [
        int(made[0, 0, 0])
        for index in range(given)
        for made in resampler.push(grey(index * 10, 2, 2))
    ]


def test_at_the_same_rate_frames_pass_and_the_rest_is_left_out() -> None:
    assert tones(16, 16, 3, 5) == [0, 10, 20]


def test_a_higher_rate_blends_neighbours_by_their_distance_in_time() -> None:
    assert tones(10, 20, 7, 5) == [0, 5, 10, 15, 20, 25, 30]
    made = tones(16, 30, 9, 6)
    assert made == [round(index * 16 / 30 * 10) for index in range(9)]


def test_a_lower_rate_does_so_too() -> None:
    assert tones(24, 16, 4, 9) == [0, 15, 30, 45]


def test_what_is_drawn_into_a_frame_is_not_seen_in_the_next() -> None:
    resampler = Resampler(10, 20, 5)
    made = []
    for index in range(3):
        for frame in resampler.push(grey(index * 100, 2, 2)):
            made.append(int(frame[0, 0, 0]))
            frame[:] = 255
    assert made == [0, 50, 100, 150, 200]


def test_the_middle_is_cut_out() -> None:
    frame = grey(0, 6, 6)
    frame[1:5, 2:4] = 9
    assert cut(frame, 2, 4).tolist() == grey(9, 2, 4).tolist()


def test_the_clip_measures_what_was_ordered(tmp_path: Path) -> None:
    order = an_order(tags=(("AIGC", "x"),))
    out = tmp_path / "a.mp4"
    with ClipWriter(order, out, fps=16) as writer:
        writer.take(np.stack([grey(50)]))
        for _ in range(4):
            writer.take(np.stack([grey(90)] * 4))

    produced = writer.produced("print")

    facts = probe_video(out)
    assert (facts.width, facts.height, facts.frame_count, facts.duration_s) == (64, 48, 16, 1.0)
    assert (produced.frame_count, produced.fps, produced.has_audio) == (16, 16, False)
    assert produced.fingerprint == "print"
    assert all(path.exists() for path in still_paths(out).all())
    assert dict(facts.tags)["AIGC"] == "x"


def test_what_there_is_so_far_is_shown_and_gone_at_the_end(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    with ClipWriter(an_order(), out, fps=16) as writer:
        writer.take(np.stack([grey(50)]))
        assert still_paths(out).live.read_bytes()[:2] == b"\xff\xd8"
        writer.take(np.stack([grey(90)] * 15))
    assert not still_paths(out).live.exists()


def test_a_look_before_the_end_is_cut_marked_and_none_of_the_frames(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    order = an_order(width=320, height=192, watermark="AI-generated", watermark_s=0.5)
    with ClipWriter(order, out, fps=16) as writer:
        writer.show(np.full((1, 256, 384, 3), 90, np.uint8))
        still = cv2.imread(str(still_paths(out).live))
        writer.take(np.full((16, 192, 320, 3), 90, np.uint8))

    assert still.shape == (192, 320, 3)
    assert np.ptp(still[:, :100]) < 4
    assert np.ptp(still[-40:, -160:]) > 60


def test_a_mark_is_drawn_for_as_long_as_the_order_says(tmp_path: Path) -> None:
    order = an_order(width=320, height=192, watermark="AI-generated", watermark_s=0.5)
    out = tmp_path / "a.mp4"
    with ClipWriter(order, out, fps=16) as writer:
        writer.take(np.stack([grey(60, 320, 192)] * 16))

    spread = [int(frame.max()) - int(frame.min()) for frame in frames(out)]
    assert min(spread[:8]) > 60
    assert max(spread[9:]) < 30


def test_too_few_frames_are_no_clip(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    with (
        pytest.raises(InternalError) as caught,
        ClipWriter(an_order(), out, fps=16) as writer,
    ):
        writer.take(np.stack([grey(50)] * 9))
    assert caught.value.code is ErrorCode.RESULT_INVALID
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_a_clip_that_was_given_up(tmp_path: Path) -> None:
    def give_up() -> None:
        with ClipWriter(an_order(), tmp_path / "a.mp4", fps=16) as writer:
            writer.take(np.stack([grey(50)] * 12))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_up()
    assert list(tmp_path.iterdir()) == []
