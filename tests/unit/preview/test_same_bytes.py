import hashlib

import numpy as np

from kinogate.engines.preview.render import scene_frames
from kinogate.engines.preview.shots import plan_shots
from kinogate.media.encode import Mp4Writer


def _dirty_the_heap(rng):
    sizes = [*rng.integers(100, 120_000, 400), *rng.integers(100_000, 3_000_000, 30)]
    blocks = [rng.integers(0, 255, int(size), dtype=np.uint8) for size in sizes]
    rng.shuffle(blocks)


def test_a_scene_gives_the_same_bytes_whatever_memory_held_before(tmp_path):
    """x264 once read memory it had not written, on calm drawn pictures with B-frames."""
    prompt = "a red balloon over snowy mountains at sunset"
    shots = plan_shots(prompt, "", 5, 24, 24, multi=False)
    pictures = [frame.copy() for frame in scene_frames(shots, 416, 240, 24)]
    rng = np.random.default_rng(0)
    digests = set()
    for _ in range(6):
        path = tmp_path / "a.mp4"
        with Mp4Writer(path, width=416, height=240, fps=24, audio_rate=None, tags=()) as writer:
            for index, picture in enumerate(pictures):
                if index % 5 == 0:
                    _dirty_the_heap(rng)
                writer.write(picture)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1
