import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.engines.preview.clips import VideoClip
from kinogate.media.encode import Mp4Writer

_QUARTER_CLOCKWISE = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
_HALF = (-0x10000, 0, 0, 0, -0x10000, 0, 0, 0, 0x40000000)
_QUARTER_BACK = (0, -0x10000, 0, 0x10000, 0, 0, 0, 0, 0x40000000)


def a_clip(tmp_path, *, width=320, height=240, fps=16, count=8):
    """A clip whose left half is red and whose right half is dark, growing lighter."""
    path = tmp_path / "clip.mp4"
    with Mp4Writer(path, width=width, height=height, fps=fps, audio_rate=None, tags=()) as writer:
        for index in range(count):
            frame = np.full((height, width, 3), 10 + 5 * index, dtype=np.uint8)
            frame[:, : width // 2] = (200, 30, 40)
            writer.write(frame)
    return path


def turned(path, matrix):
    """Rewrite the track header's matrix, as a phone does that was held another way."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") - 4 + 48
    data[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(bytes(data))
    return path


def is_red(pixel):
    return pixel[0] > 150 and pixel[1] < 80


def test_every_frame_comes_in_order_and_more_than_once(tmp_path):
    clip = VideoClip(a_clip(tmp_path), cover=(320, 240))
    for _ in range(2):
        seen = list(clip.frames())
        lightness = [float(frame[:, 200:].mean()) for frame in seen]
        assert lightness == sorted(lightness)
        assert len(seen) == 8
    assert (clip.fps, clip.frame_count_hint) == (16.0, 8)
    assert seen[0].shape == (240, 320, 3)
    assert seen[0].dtype == np.uint8
    assert seen[0].flags.c_contiguous


@pytest.mark.parametrize(
    ("matrix", "red"),
    [
        (_QUARTER_CLOCKWISE, (40, 120)),
        (_HALF, (120, 280)),
        (_QUARTER_BACK, (280, 120)),
    ],
)
def test_a_clip_held_another_way_is_set_upright(tmp_path, matrix, red):
    clip = VideoClip(turned(a_clip(tmp_path), matrix), cover=(240, 320))
    frame = next(clip.frames())
    assert is_red(frame[red])
    assert not is_red(frame[frame.shape[0] - 1 - red[0], frame.shape[1] - 1 - red[1]])


@pytest.mark.parametrize(
    ("cover", "expected"),
    [
        ((160, 120), (120, 160)),
        ((160, 60), (120, 160)),
        ((80, 120), (120, 160)),
        ((640, 480), (240, 320)),
    ],
)
def test_frames_shrink_as_far_as_they_still_cover(tmp_path, cover, expected):
    frame = next(VideoClip(a_clip(tmp_path), cover=cover).frames())
    assert frame.shape[:2] == expected


def test_colours_follow_the_matrix_the_file_names(tmp_path):
    path = tmp_path / "hd.mp4"
    picture = np.full((240, 320, 3), (30, 200, 60), dtype=np.uint8)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=1, dst_color_range=1)
        frame.pts, frame.time_base = 0, Fraction(1, 24)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    seen = next(VideoClip(path, cover=(320, 240)).frames())
    assert np.abs(seen[100, 100].astype(int) - picture[0, 0]).max() <= 4


@pytest.mark.parametrize("content", [b"", b"no video", b"#EXTM3U\nhttp://127.0.0.1:9/a.ts\n"])
def test_what_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(CallerError) as caught:
        VideoClip(path, cover=(320, 240))
    assert caught.value.code is ErrorCode.MEDIA_FORMAT


def test_a_clip_of_an_unknown_codec_is_refused(tmp_path):
    path = a_clip(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz", 2))
    with pytest.raises(CallerError) as caught:
        VideoClip(path, cover=(320, 240))
    assert caught.value.code is ErrorCode.MEDIA_FORMAT


def test_a_clip_that_breaks_off_gives_the_frames_before(tmp_path):
    path = a_clip(tmp_path, count=40)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - (len(data) - data.index(b"mdat")) // 2])
    seen = list(VideoClip(path, cover=(320, 240)).frames())
    assert 1 <= len(seen) < 40


def test_a_clip_with_a_head_and_no_frames_is_refused(tmp_path):
    path = a_clip(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 4])
    with pytest.raises(CallerError):
        list(VideoClip(path, cover=(320, 240)).frames())


def test_a_side_over_the_limit_is_refused(tmp_path):
    path = a_clip(tmp_path, width=4112, height=32, count=1)
    with pytest.raises(CallerError) as caught:
        VideoClip(path, cover=(320, 240))
    assert caught.value.code is ErrorCode.MEDIA_DIMENSIONS
