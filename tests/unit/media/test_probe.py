import numpy as np
import pytest

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.media.boxes import is_faststart, top_level_boxes
from kinogate.media.probe import audio_windows_db, first_frame, frames, probe_video, ssim

from .makers import a_picture, a_tone, write_mp3, write_video


def _refusal(path):
    with pytest.raises(InternalError) as caught:
        probe_video(path)
    return caught.value.code


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a video at all",
        b"\x00" * 4096,
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:5\nhttp://127.0.0.1:9/a.ts\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    ],
    ids=["empty", "text", "zeros", "sdp", "hls", "concat"],
)
def test_what_is_not_an_mp4_is_an_invalid_result(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    assert _refusal(path) is ErrorCode.RESULT_INVALID


def test_an_mp3_under_an_mp4_name_is_an_invalid_result(tmp_path):
    path = write_mp3(tmp_path / "a.mp4", a_tone(1, rate=44_100))
    assert _refusal(path) is ErrorCode.RESULT_INVALID


def test_a_codec_nobody_knows_is_an_invalid_result(tmp_path):
    path = write_video(tmp_path / "a.mp4", sound=a_tone(1))
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz", 2))
    assert _refusal(path) is ErrorCode.RESULT_INVALID


def test_a_missing_file_is_an_invalid_result(tmp_path):
    assert _refusal(tmp_path / "none.mp4") is ErrorCode.RESULT_INVALID


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_cut_short_is_an_invalid_result(tmp_path, share):
    path = write_video(tmp_path / "a.mp4", count=48, sound=a_tone(2))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert _refusal(path) is ErrorCode.RESULT_INVALID


def test_every_nth_frame_is_given(tmp_path):
    path = write_video(tmp_path / "a.mp4", count=10)
    every, third = list(frames(path)), list(frames(path, step=3))
    assert len(every) == 10
    assert len(third) == 4
    assert np.array_equal(third[1], every[3])


def test_first_frame_is_the_first(tmp_path):
    path = write_video(tmp_path / "a.mp4", count=10)
    assert np.array_equal(first_frame(path), next(frames(path)))


def test_a_silent_file_has_no_windows(tmp_path):
    assert audio_windows_db(write_video(tmp_path / "a.mp4")).size == 0


def test_digital_silence_is_minus_180_db(tmp_path):
    path = write_video(tmp_path / "a.mp4", sound=np.zeros((2, 48_000), np.float32))
    assert set(audio_windows_db(path)) == {-180.0}


def test_a_full_scale_sine_is_three_db_below_full(tmp_path):
    path = write_video(tmp_path / "a.mp4", sound=a_tone(1, level=0.5))
    assert np.median(audio_windows_db(path)) == pytest.approx(-9.03, abs=0.3)


def test_ssim_is_one_for_equal_pictures_and_falls_with_noise():
    picture = a_picture(64, 64)
    noise = np.random.default_rng(1).integers(0, 60, picture.shape, dtype=np.uint8)
    assert ssim(picture, picture) == pytest.approx(1.0)
    assert ssim(picture, picture // 2 + noise) < 0.7


def test_ssim_refuses_pictures_of_two_sizes():
    with pytest.raises(ValueError, match="compared"):
        ssim(a_picture(64, 64), a_picture(64, 66))


def test_boxes_of_64_bit_and_open_ended_sizes_are_read(tmp_path):
    path = tmp_path / "a"
    large = (1).to_bytes(4) + b"free" + (24).to_bytes(8) + b"12345678"
    rest = (0).to_bytes(4) + b"mdat" + b"media"
    path.write_bytes((8).to_bytes(4) + b"moov" + large + rest)
    found = [(box.kind, box.offset, box.size) for box in top_level_boxes(path)]
    assert found == [("moov", 0, 8), ("free", 8, 24), ("mdat", 32, 13)]


@pytest.mark.parametrize("content", [b"", b"\x00\x00\x00\x04moov", b"\x00\x00\xff\xffmoov", b"abc"])
def test_boxes_that_are_not_well_formed_end_the_list(tmp_path, content):
    path = tmp_path / "a"
    path.write_bytes(content)
    assert top_level_boxes(path) == ()
    assert not is_faststart(path)


def test_media_before_the_index_is_not_faststart(tmp_path):
    path = tmp_path / "a"
    path.write_bytes((8).to_bytes(4) + b"mdat" + (8).to_bytes(4) + b"moov")
    assert not is_faststart(path)
