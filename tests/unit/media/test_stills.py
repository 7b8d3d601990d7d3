import cv2
import numpy as np
import pytest
from PIL import Image

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.media.probe import frames, ssim
from kinogate.media.still_paths import still_paths
from kinogate.media.stills import LiveStill, StillsMaker, make_stills, small_jpeg

from .makers import a_picture, write_video


def _fill(value, width=320, height=240):
    return np.full((height, width, 3), value, dtype=np.uint8)


def _brightness(path):
    """Mean grey of every tile of a sprite sheet, in reading order."""
    sheet = cv2.imread(str(path))
    rows, columns = sheet.shape[0] // 4, sheet.shape[1] // 6
    return [
        sheet[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns].mean()
        for row in range(4)
        for column in range(6)
    ]


def _shown(tmp_path, count, duration_s=5.0, size=(1280, 720)):
    clip = tmp_path / "clip.mp4"
    maker = StillsMaker(clip, frame_count=count, duration_s=duration_s)
    for index in range(count):
        maker.take(index, _fill(round(250 * index / max(1, count - 1)), *size))
    return maker.finish()


@pytest.mark.parametrize(
    ("size", "small", "sheet"),
    [
        ((1280, 720), (320, 180), (960, 360)),
        ((720, 1280), (180, 320), (540, 640)),
        ((160, 160), (160, 160), (960, 640)),
    ],
)
def test_sizes_follow_the_longer_side_and_nothing_is_blown_up(tmp_path, size, small, sheet):
    paths = _shown(tmp_path, 30, size=size)

    found = []
    for path in paths.all():
        with Image.open(path) as still:
            found.append((still.format, still.size))
    assert found == [("JPEG", size), ("WEBP", small), ("WEBP", small), ("JPEG", sheet)]


def test_tiles_go_through_the_whole_clip_in_reading_order(tmp_path):
    grey = _brightness(_shown(tmp_path, 150).spritesheet)

    assert grey == sorted(grey)
    assert grey[0] < 12
    assert grey[-1] > 238
    steps = np.diff(grey)
    assert steps.min() > 5


def test_the_preview_plays_24_frames_at_the_clips_pace(tmp_path):
    maker = StillsMaker(tmp_path / "clip.mp4", frame_count=150, duration_s=4.8)
    for index in range(150):
        frame = _fill(30, 1280, 720)
        frame[:, index * 8 : index * 8 + 80] = 220
        maker.take(index, frame)
    times = []
    with Image.open(maker.finish().preview) as preview:
        for index in range(preview.n_frames):
            preview.seek(index)
            preview.load()  # Pillow knows a frame's time once it is decoded
            times.append(preview.info["duration"])

    assert times == [200] * 24


@pytest.mark.parametrize("count", [1, 2, 23, 24, 25])
def test_short_clips_repeat_frames(tmp_path, count):
    paths = _shown(tmp_path, count)

    assert all(path.stat().st_size > 0 for path in paths.all())


def test_stills_of_a_file_are_those_of_its_frames(tmp_path):
    clip = write_video(tmp_path / "a.mp4", width=640, height=480, count=48)

    paths = make_stills(clip)

    poster = cv2.imread(str(paths.poster))[:, :, ::-1]
    assert ssim(np.ascontiguousarray(poster), list(frames(clip))[16]) > 0.95
    assert paths == still_paths(clip)


def test_a_clip_that_broke_off_has_no_stills(tmp_path):
    maker = StillsMaker(tmp_path / "a.mp4", frame_count=100, duration_s=4.0)
    maker.take(0, _fill(9))

    with pytest.raises(InternalError) as caught:
        maker.finish()

    assert caught.value.code is ErrorCode.ENGINE_FAILED
    assert list(tmp_path.iterdir()) == []


def test_a_look_at_an_image_is_small_and_has_its_colours(tmp_path):
    picture = a_picture(2000, 1000)
    cv2.imwrite(str(tmp_path / "a.png"), picture[:, :, ::-1])

    seen = cv2.imdecode(np.frombuffer(small_jpeg(tmp_path / "a.png", 768), np.uint8), 1)

    assert seen.shape == (384, 768, 3)
    assert np.abs(seen[:150, :300].mean(axis=(0, 1))[::-1] - (204, 43, 53)).max() < 8


class HandClock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.s = 100.0

    def __call__(self):
        return self.s


def test_a_live_still_shows_the_first_frame_at_once_and_then_one_a_second(tmp_path):
    clock, path = HandClock(), still_paths(tmp_path / "clip.mp4").live
    shown = []

    with LiveStill(tmp_path / "clip.mp4", now=clock) as live:
        for index in range(24):  # eight frames a second
            live.take(_fill(8 * index, 1280, 720))
            shown.append(round(cv2.imread(str(path)).mean()))
            clock.s += 0.125

    assert path.name == "clip.live.jpg"
    assert shown == [0] * 8 + [64] * 8 + [128] * 8


@pytest.mark.parametrize(
    ("size", "small"),
    [((1920, 1080), (480, 270)), ((720, 1280), (270, 480)), ((320, 192), (320, 192))],
)
def test_a_live_still_is_a_small_jpeg(tmp_path, size, small):
    with LiveStill(tmp_path / "clip.mp4") as live:
        live.take(_fill(90, *size))
        with Image.open(still_paths(tmp_path / "clip.mp4").live) as still:
            still.load()
            found = (still.format, still.size)

    assert found == ("JPEG", small)


def test_a_live_still_leaves_the_frame_alone_and_nothing_behind(tmp_path):
    frame = a_picture(640, 480)
    before = frame.copy()

    def break_off():
        with LiveStill(tmp_path / "clip.mp4") as live:
            live.take(frame)
            raise KeyError([path.name for path in tmp_path.iterdir()])

    with pytest.raises(KeyError, match=r"\['clip.live.jpg'\]"):
        break_off()

    assert np.array_equal(frame, before)
    assert list(tmp_path.iterdir()) == []


def test_a_live_still_that_cannot_be_written_stops_nobody(tmp_path):
    with LiveStill(tmp_path / "gone" / "clip.mp4") as live:
        live.take(_fill(9))
        (tmp_path / "gone").mkdir()
        live.take(_fill(9))

    assert list((tmp_path / "gone").iterdir()) == []
