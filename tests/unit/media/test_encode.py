import hashlib

import numpy as np
import pytest

from kinogate.domain.errors import ErrorCode, InternalError
from kinogate.media.boxes import top_level_boxes
from kinogate.media.encode import AAC_FRAME, Mp4Writer
from kinogate.media.probe import audio_windows_db, first_frame, frames, probe_video, ssim

from .makers import a_picture, a_tone, write_video


@pytest.mark.parametrize(
    ("width", "height", "fps", "count"),
    [
        (832, 480, 30, 60),
        (480, 832, 24, 49),
        (624, 624, 30, 61),
        (1920, 1080, 24, 48),
        (1080, 1920, 30, 60),
        (2, 2, 16, 17),
        (854, 478, 15, 1),
    ],
)
def test_size_count_rate_and_length_are_exactly_what_was_written(
    tmp_path, width, height, fps, count
):
    path = tmp_path / "a.mp4"
    picture = np.full((height, width, 3), 90, dtype=np.uint8)
    with Mp4Writer(
        path, width=width, height=height, fps=fps, audio_rate=None, tags=(), preset="ultrafast"
    ) as writer:
        for _ in range(count):
            writer.write(picture)
    facts = probe_video(path)
    assert (facts.width, facts.height, facts.fps, facts.frame_count) == (width, height, fps, count)
    assert facts.duration_s == pytest.approx(count / fps, abs=1e-4)
    assert sum(1 for _ in frames(path)) == count


@pytest.mark.parametrize(("fps", "count"), [(24, 48), (30, 61), (16, 33), (24, 121)])
def test_sound_is_as_long_as_the_picture_within_one_aac_frame(tmp_path, fps, count):
    sound = a_tone(count / fps + 1)
    facts = probe_video(write_video(tmp_path / "a.mp4", fps=fps, count=count, sound=sound))
    assert facts.audio_duration_s == pytest.approx(count / fps, abs=AAC_FRAME / 48_000)
    assert facts.duration_s == pytest.approx(count / fps, abs=AAC_FRAME / 48_000)
    assert (facts.audio_codec, facts.audio_rate, facts.audio_channels) == ("aac", 48_000, 2)


def test_without_an_audio_rate_there_is_no_audio_stream(tmp_path):
    facts = probe_video(write_video(tmp_path / "a.mp4"))
    assert not facts.has_audio
    assert facts.audio_duration_s == 0.0


def test_video_is_h264_high_with_its_colours_named(tmp_path):
    facts = probe_video(write_video(tmp_path / "a.mp4"))
    assert (facts.codec, facts.profile, facts.pix_fmt) == ("h264", "High", "yuv420p")
    named = (facts.color_matrix, facts.color_range, facts.color_primaries, facts.color_transfer)
    assert named == (6, 1, 1, 1)


def test_the_index_lies_before_the_media(tmp_path):
    path = write_video(tmp_path / "a.mp4", sound=a_tone(1))
    kinds = [box.kind for box in top_level_boxes(path)]
    assert kinds.index("moov") < kinds.index("mdat")
    assert probe_video(path).faststart


def test_any_tag_key_survives_and_keeps_its_place(tmp_path):
    tags = (("AIGC", '{"Label":"1","说明":"测试"}'), ("comment", "algorithmic"), ("title", "x"))
    facts = probe_video(write_video(tmp_path / "a.mp4", tags=tags))
    ours = [pair for pair in facts.tags if pair[0] in ("AIGC", "comment", "title")]
    assert tuple(ours) == tags


@pytest.mark.parametrize(("width", "height"), [(832, 480), (854, 478), (478, 850)])
def test_the_first_frame_looks_like_what_was_written(tmp_path, width, height):
    path = write_video(tmp_path / "a.mp4", width=width, height=height, count=6)
    written, seen = a_picture(width, height), first_frame(path)
    assert ssim(written, seen) >= 0.98
    shift = (seen.astype(float) - written.astype(float)).mean(axis=(0, 1))
    assert np.abs(shift).max() <= 3.0


def test_sound_written_is_sound_heard(tmp_path):
    sound = np.concatenate((a_tone(1), np.zeros((2, 48_000), np.float32)), axis=1)
    levels = audio_windows_db(write_video(tmp_path / "a.mp4", count=48, sound=sound))
    assert levels[:9].min() > -20
    assert levels[11:20].max() < -60


def test_the_same_input_gives_the_same_bytes(tmp_path):
    paths = [
        write_video(tmp_path / f"{name}.mp4", width=640, height=360, sound=a_tone(1))
        for name in "ab"
    ]
    first, second = (hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    assert first == second


def test_sound_may_come_in_pieces_of_any_size(tmp_path):
    sound = a_tone(1)
    whole = write_video(tmp_path / "a.mp4", sound=sound)
    with Mp4Writer(
        tmp_path / "b.mp4", width=320, height=240, fps=24, audio_rate=48_000, tags=()
    ) as writer:
        for index in range(24):
            writer.write(a_picture(320, 240, index))
        for start in range(0, 48_000, 777):
            writer.write_audio(sound[:, start : start + 777])
    assert np.array_equal(audio_windows_db(whole), audio_windows_db(tmp_path / "b.mp4"))


def _write_and_fail(path):
    with Mp4Writer(path, width=320, height=240, fps=24, audio_rate=48_000, tags=()) as writer:
        writer.write(a_picture(320, 240))
        raise KeyError


def test_an_exception_in_the_block_leaves_no_file(tmp_path):
    with pytest.raises(KeyError):
        _write_and_fail(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_is_refused_and_leaves_no_file(tmp_path):
    with (
        pytest.raises(InternalError) as caught,
        Mp4Writer(
            tmp_path / "a.mp4", width=320, height=240, fps=24, audio_rate=None, tags=()
        ) as writer,
    ):
        writer.write(a_picture(320, 242))
    assert caught.value.code is ErrorCode.ENGINE_FAILED
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_finished(tmp_path):
    path = write_video(tmp_path / "a.mp4", count=24)
    before = path.read_bytes()
    with Mp4Writer(path, width=320, height=240, fps=24, audio_rate=None, tags=()) as writer:
        writer.write(a_picture(320, 240))
        assert path.read_bytes() == before
    assert probe_video(path).frame_count == 1


def test_a_folder_that_is_not_there_is_our_failure(tmp_path):
    with (
        pytest.raises(InternalError) as caught,
        Mp4Writer(
            tmp_path / "none" / "a.mp4", width=320, height=240, fps=24, audio_rate=None, tags=()
        ),
    ):
        pass
    assert caught.value.code is ErrorCode.ENGINE_FAILED


@pytest.mark.parametrize(("width", "height"), [(321, 240), (320, 241), (0, 240)])
def test_odd_or_empty_sizes_are_refused(tmp_path, width, height):
    with pytest.raises(InternalError):
        Mp4Writer(tmp_path / "a.mp4", width=width, height=height, fps=24, audio_rate=None, tags=())


def test_sound_for_a_silent_writer_is_refused(tmp_path):
    with (
        pytest.raises(InternalError),
        Mp4Writer(
            tmp_path / "a.mp4", width=320, height=240, fps=24, audio_rate=None, tags=()
        ) as writer,
    ):
        writer.write_audio(a_tone(0.1))
