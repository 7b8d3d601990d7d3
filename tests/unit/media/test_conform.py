import json
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.media.conform import finish_clip
from kinogate.media.finish_job import FinishJob, Sound
from kinogate.media.probe import audio_windows_db, first_frame, frames, probe_video, ssim

from .makers import a_picture, a_tone, write_mp3, write_video, write_wav
from .strange import write_clip

TAGS = (("artist", "Kinogate"), ("AIGC", '{"Label":"1"}'))


def finished(clip, **wishes):
    """The facts, and the file that a caller would get."""
    out = clip.with_name("out.mp4")
    out.unlink(missing_ok=True)
    job = FinishJob(clip=str(clip), out=str(out), longest_s=30.0)
    facts = finish_clip(replace(job, **wishes))
    assert out.exists() is facts.is_changed
    assert not list(clip.parent.glob("*.part"))
    return facts, out if facts.is_changed else clip


def packets(path, kind="video"):
    with av.open(str(path)) as container:
        stream = container.streams.get({kind: 0})[0]
        return [(item.pts, item.dts, bytes(item)) for item in container.demux(stream) if item.size]


def delivered(path):
    """What every file that leaves this server is."""
    facts = probe_video(path)
    assert (facts.codec, facts.pix_fmt, facts.faststart) == ("h264", "yuv420p", True)
    if facts.has_audio:
        assert (facts.audio_codec, facts.audio_channels) == ("aac", 2)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert frame.rotation == 0
        assert container.streams.video[0].sample_aspect_ratio in (None, 1)
        assert len(container.streams) == 1 + facts.has_audio
        for sound in container.streams.audio:
            assert sound.profile == "LC"
    return facts


# -- what is right already -----------------------------------------------------------------------


def test_a_clip_that_is_right_is_not_touched(tmp_path):
    clip = write_video(tmp_path / "clip.mp4", tags=TAGS, sound=a_tone(1.0))
    before = clip.read_bytes()

    facts, _ = finished(clip, tags=TAGS)

    assert not facts.is_changed
    assert clip.read_bytes() == before
    assert (facts.width, facts.height, facts.rate, facts.frame_count) == (320, 240, 24.0, 24)
    assert facts.duration_s == pytest.approx(1.0, abs=1e-6)
    assert facts.has_audio


def test_the_same_job_gives_the_same_bytes(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", sound=("aac", "5.1", 48_000, 1.0))
    seen = [finished(clip, mark="AI", tags=TAGS)[1].read_bytes() for _ in range(2)]
    assert seen[0] == seen[1]


# -- tags ----------------------------------------------------------------------------------------


def test_tags_are_written_without_touching_picture_or_sound(tmp_path):
    old = (("comment", "drawn"), ("artist", "somebody"))
    clip = write_video(tmp_path / "clip.mp4", count=48, tags=old, sound=a_tone(2.0))

    facts, out = finished(clip, tags=TAGS)

    assert packets(out) == packets(clip)
    assert packets(out, "audio") == packets(clip, "audio")
    tags = dict(delivered(out).tags)
    assert tags["comment"] == "drawn"
    assert (tags["artist"], tags["AIGC"]) == (TAGS[0][1], TAGS[1][1])
    assert facts.frame_count == 48


OURS = (
    '{"Label":"1","ContentProducer":"Kinogate","ProduceID":"k1","ReservedCode1":"",'
    '"ContentPropagator":"Kinogate","PropagateID":"k1","ReservedCode2":""}'
)


def label_after(tmp_path, theirs):
    tags = () if theirs is None else (("AIGC", theirs),)
    clip = write_clip(tmp_path / "clip.mp4", movflags="faststart+use_metadata_tags", tags=tags)
    _, out = finished(clip, tags=(("AIGC", OURS),))
    return dict(delivered(out).tags)["AIGC"]


def test_a_label_goes_on_naming_who_produced_the_clip(tmp_path):
    theirs = (
        '{"Label":"1","ContentProducer":"Cloud","ProduceID":"c7","ReservedCode1":"x","More":"y"}'
    )

    label = json.loads(label_after(tmp_path, theirs))

    assert label == json.loads(OURS) | {
        "ContentProducer": "Cloud",
        "ProduceID": "c7",
        "ReservedCode1": "x",
    }


@pytest.mark.parametrize("theirs", [None, "no JSON", "[]", '{"Label":1}', '{"Label":"1"}'])
def test_a_label_that_names_nobody_gives_way_to_ours(tmp_path, theirs):
    assert label_after(tmp_path, theirs) == OURS


# -- sound ---------------------------------------------------------------------------------------


def heard(tmp_path, given, *, seconds=5, fps=24, clip_sound=None, **wishes):
    clip = write_video(
        tmp_path / "clip.mp4", fps=fps, count=fps * seconds, tags=TAGS, sound=clip_sound
    )
    wish = {"sound": Sound.GIVEN, "sound_path": str(given), **wishes}
    return clip, finished(clip, **wish)[1]


@pytest.mark.parametrize("fps", [16, 24, 30])
def test_under_a_given_sound_the_picture_is_copied_packet_by_packet(tmp_path, fps):
    clip, out = heard(tmp_path, write_wav(tmp_path / "a.wav", a_tone(5.0)), fps=fps)

    assert packets(out) == packets(clip)
    facts = delivered(out)
    assert (facts.fps, facts.frame_count) == (fps, fps * 5)
    assert facts.duration_s == pytest.approx(5.0, abs=0.03)
    assert facts.audio_duration_s == pytest.approx(5.0, abs=0.03)
    assert set(TAGS) <= set(facts.tags)


@pytest.mark.parametrize("mark", [None, "AI Generated"], ids=["copied", "encoded"])
def test_a_shorter_sound_is_followed_by_silence(tmp_path, mark):
    sound = write_mp3(tmp_path / "a.mp3", a_tone(3.0, rate=44_100))
    _, out = heard(tmp_path, sound, mark=mark)

    loud = audio_windows_db(out)
    assert loud[1:29].min() > -20
    assert loud[32:].max() < -60
    assert len(loud) >= 49


@pytest.mark.parametrize("mark", [None, "AI Generated"], ids=["copied", "encoded"])
def test_a_longer_sound_is_cut(tmp_path, mark):
    _, out = heard(tmp_path, write_wav(tmp_path / "a.wav", a_tone(9.0)), seconds=2, mark=mark)

    facts = delivered(out)
    assert facts.audio_duration_s == pytest.approx(2.0, abs=0.03)
    assert facts.duration_s == pytest.approx(2.0, abs=0.03)


def test_the_clips_own_sound_gives_way_to_a_given_one(tmp_path):
    sound = write_wav(tmp_path / "a.wav", np.zeros((2, 48_000 * 3), dtype=np.float32))
    _, out = heard(tmp_path, sound, seconds=3, clip_sound=a_tone(3.0))

    assert audio_windows_db(out).max() < -60


def test_a_spare_sound_is_laid_under_a_silent_clip_only(tmp_path):
    sound = write_wav(tmp_path / "a.wav", a_tone(2.0))
    _, silent = heard(tmp_path, sound, seconds=2, sound=Sound.SPARE)
    assert audio_windows_db(silent)[1:18].min() > -20

    quiet = np.zeros((2, 48_000 * 2), dtype=np.float32)
    clip, out = heard(tmp_path, sound, seconds=2, clip_sound=quiet, sound=Sound.SPARE)
    assert out == clip


def test_a_sound_that_is_none_is_the_callers_fault_and_leaves_no_file(tmp_path):
    sound = tmp_path / "a.wav"
    sound.write_bytes(b"RIFF....WAVEjunk")

    with pytest.raises(CallerError):
        heard(tmp_path, sound, seconds=1)

    assert not list(tmp_path.glob("out*"))


def test_an_unwanted_sound_is_taken_away_and_the_picture_copied(tmp_path):
    clip = write_video(tmp_path / "clip.mp4", sound=a_tone(1.0))

    facts, out = finished(clip, sound=Sound.DROP)

    assert not facts.has_audio
    assert not delivered(out).has_audio
    assert packets(out) == packets(clip)


@pytest.mark.parametrize(
    ("sound", "note"),
    [
        (("aac", "5.1", 48_000, 2.0), "6 channels"),
        (("ac3", "stereo", 48_000, 2.0), ""),
        (("libmp3lame", "stereo", 44_100, 2.0), ""),
        (("libopus", "stereo", 48_000, 2.0), ""),
    ],
    ids=["5.1", "ac3", "mp3", "opus"],
)
def test_every_sound_becomes_aac_of_two_channels_and_stays_in_step(tmp_path, sound, note):
    clip = write_clip(tmp_path / "clip.mp4", count=48, sound=sound)

    facts, out = finished(clip)

    assert packets(out) == packets(clip)
    assert delivered(out).has_audio
    loud = audio_windows_db(out)
    assert loud[1:18].min() > -25
    assert note in " ".join(facts.notes)


def test_a_sound_that_lasts_far_beyond_its_picture_is_cut(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", count=48, sound=("aac", "stereo", 48_000, 4.0))

    _, out = finished(clip)

    assert delivered(out).duration_s == pytest.approx(2.0, abs=0.05)


# -- the mark ------------------------------------------------------------------------------------


def corner(picture):
    height, width = picture.shape[:2]
    return picture[height * 9 // 10 :, width // 2 :].astype(int)


@pytest.mark.parametrize("rate", [24, Fraction(30_000, 1001)])
def test_a_mark_is_drawn_and_frames_rate_and_size_stay(tmp_path, rate):
    clip = write_clip(tmp_path / "clip.mp4", fps=rate, count=72, width=640, height=360)

    facts, out = finished(clip, mark="AI Generated", tags=TAGS)

    after = delivered(out)
    assert (after.fps, after.frame_count, after.width, after.height) == (rate, 72, 640, 360)
    assert facts.rate == pytest.approx(float(rate))
    assert set(TAGS) <= set(after.tags)
    for before, now in zip(frames(clip), frames(out), strict=True):
        assert np.abs(corner(now) - corner(before)).max() > 80
        assert ssim(before[:300], now[:300]) > 0.97


@pytest.mark.parametrize("seconds", [1.0, None])
def test_a_mark_is_seen_as_long_as_the_order_says(tmp_path, seconds):
    clip = write_clip(tmp_path / "clip.mp4", fps=24, count=48, width=640, height=360)

    _, out = finished(clip, mark="AI Generated", mark_s=seconds)

    changed = [
        bool(np.abs(corner(now) - corner(before)).max() > 80)
        for before, now in zip(frames(clip), frames(out), strict=True)
    ]
    assert changed == [True] * 24 + [seconds is None] * 24


def test_a_label_has_letters_of_five_percent_of_the_shorter_side(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", count=4, width=640, height=360)
    heights = []
    for is_label in (False, True):
        _, out = finished(clip, mark="HHH", is_label=is_label)
        off = np.abs(first_frame(out).astype(int) - first_frame(clip)).max(axis=2) > 60
        rows = np.flatnonzero(off[200:].any(axis=1))
        heights.append(rows.max() - rows.min() + 1)
    assert heights[0] < heights[1]
    assert heights[1] >= 18


def test_sound_mark_and_tags_come_in_one_pass(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", count=48, width=320, height=240)
    sound = write_wav(tmp_path / "a.wav", a_tone(1.0))

    _, out = finished(
        clip, sound=Sound.GIVEN, sound_path=str(sound), mark="AI Generated", tags=TAGS
    )

    facts, loud = delivered(out), audio_windows_db(out)
    assert (facts.frame_count, facts.has_audio) == (48, True)
    assert set(TAGS) <= set(facts.tags)
    assert loud[1:8].min() > -20
    assert loud[12:].max() < -60
    assert np.abs(corner(first_frame(out)) - corner(first_frame(clip))).max() > 80


def test_the_own_sound_stays_in_step_when_the_picture_is_encoded(tmp_path):
    """Silence, then a tone from 1.0 s on: it must begin there to within 50 ms."""
    tone = np.concatenate((np.zeros((2, 48_000), np.float32), a_tone(1.0)), axis=1)
    clip = write_video(tmp_path / "clip.mp4", count=48, sound=tone)

    _, out = finished(clip, mark="AI Generated")

    loud = audio_windows_db(out, window_s=0.05)
    assert loud[:19].max() < -50
    assert loud[21:38].min() > -20


# -- pictures that services deliver --------------------------------------------------------------


def test_a_clip_whose_index_is_at_its_end_is_written_anew_packet_by_packet(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", movflags="", options={"bf": "3"})
    assert not probe_video(clip).faststart

    facts, out = finished(clip)

    delivered(out)
    assert packets(out) == packets(clip)
    assert facts.notes == ()


def test_a_clip_in_fragments_becomes_whole(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", movflags="frag_keyframe+empty_moov", count=24)

    facts, out = finished(clip)

    assert delivered(out).frame_count == facts.frame_count == 24
    assert facts.duration_s == pytest.approx(1.0, abs=0.01)


def test_b_frames_are_counted_and_kept(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", options={"bf": "3"}, count=30, fps=30)

    facts, out = finished(clip, tags=TAGS)

    assert packets(out) == packets(clip)
    assert (facts.frame_count, facts.rate, facts.duration_s) == (30, 30.0, pytest.approx(1.0))


@pytest.mark.parametrize(("turn", "size"), [(90, (120, 160)), (-90, (120, 160)), (180, (160, 120))])
def test_a_turned_clip_is_delivered_upright(tmp_path, turn, size):
    clip = write_clip(tmp_path / "clip.mp4", turn=turn)

    facts, out = finished(clip)

    assert (facts.width, facts.height) == size
    delivered(out)
    wanted = np.rot90(a_picture(160, 120), k=turn // 90)
    assert ssim(first_frame(out), np.ascontiguousarray(wanted)) > 0.9


def test_pixels_that_are_not_square_are_made_so(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", width=120, height=120, shape=Fraction(4, 3))

    facts, out = finished(clip)

    assert (facts.width, facts.height) == (160, 120)
    assert ssim(first_frame(out), a_picture(160, 120)) > 0.7
    delivered(out)


@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv420p10le", "yuvj420p", "yuv422p"])
def test_other_kinds_of_colour_become_yuv420p(tmp_path, pix_fmt):
    clip = write_clip(tmp_path / "clip.mp4", pix_fmt=pix_fmt, width=320, height=240)

    facts, out = finished(clip)

    assert facts.is_changed
    delivered(out)
    assert ssim(first_frame(out), a_picture(320, 240)) > 0.93


def test_odd_sides_lose_a_row_and_a_column(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", pix_fmt="yuv444p", width=161, height=121)

    facts, out = finished(clip)

    assert (facts.width, facts.height) == (160, 120)
    delivered(out)


def test_a_rate_that_varies_is_made_constant_and_time_is_kept(tmp_path):
    """Two seconds: one at 20 frames a second, one in which every other frame is missing."""
    times = [50 * index for index in range(20)] + [1000 + 100 * index for index in range(10)]
    clip = write_clip(tmp_path / "clip.mp4", times=times, width=320, height=240)

    facts, out = finished(clip)

    assert (facts.rate, facts.frame_count) == (20.0, pytest.approx(40, abs=1))
    assert facts.duration_s == pytest.approx(2.0, abs=0.06)
    assert "20 a second" in facts.notes[0]
    shown = list(frames(out))
    # At 1.5 s the frame of that moment is seen: the 26th of the clip.
    assert ssim(shown[30], list(frames(clip))[25]) > 0.95
    delivered(out)


def test_times_that_are_rounded_to_milliseconds_are_no_varying_rate(tmp_path):
    times = [round(1000 * index / 24) for index in range(48)]
    clip = write_clip(tmp_path / "clip.mp4", times=times)

    facts, _ = finished(clip)

    assert not facts.is_changed
    assert (facts.rate, facts.frame_count) == (24.0, 48)


@pytest.mark.parametrize("rate", [Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(25, 2)])
def test_an_odd_rate_is_measured_as_it_is(tmp_path, rate):
    facts, _ = finished(write_clip(tmp_path / "clip.mp4", fps=rate, count=30))

    assert not facts.is_changed
    assert facts.rate == pytest.approx(float(rate), abs=1e-6)


def test_one_frame_is_a_clip(tmp_path):
    facts, _ = finished(write_clip(tmp_path / "clip.mp4", count=1))

    assert facts.frame_count == 1


# -- what is no clip -----------------------------------------------------------------------------


def truncated(path, *, movflags="faststart"):
    write_clip(path, count=48, movflags=movflags, width=320, height=240)
    path.write_bytes(path.read_bytes()[:-2_000])


def sound_alone(path):
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48_000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((2, 1024), np.float32), format="fltp", layout="stereo"
        )
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


BROKEN = {
    "empty": lambda path: path.write_bytes(b""),
    "html": lambda path: path.write_bytes(b"<!doctype html><html><body>Gone</body></html>"),
    "json": lambda path: path.write_bytes(b'{"code":"AccessDenied"}'),
    "truncated": truncated,
    "truncated before its index": lambda path: truncated(path, movflags=""),
    "truncated in fragments": lambda path: truncated(path, movflags="frag_every_frame+empty_moov"),
    "a playlist": lambda path: path.write_bytes(b"#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n"),
    "hevc": lambda path: write_clip(path, codec="libx265", options={"x265-params": "log-level=0"}),
    "vp9": lambda path: write_clip(path, codec="libvpx-vp9"),
    "mpeg4": lambda path: write_clip(path, codec="mpeg4"),
    "a sound alone": sound_alone,
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("mark", [None, "AI"])
def test_what_is_no_clip_is_the_engines_fault_and_leaves_nothing(tmp_path, kind, mark):
    clip = tmp_path / "clip.mp4"
    BROKEN[kind](clip)

    with pytest.raises(InternalError) as caught:
        finished(clip, tags=TAGS, mark=mark)

    assert caught.value.code is ErrorCode.RESULT_INVALID
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_clip_that_is_far_too_long_is_refused_before_any_work(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", count=48)

    with pytest.raises(InternalError, match=r"lasts 2\.00 s"):
        finished(clip, longest_s=1.5, mark="AI")


def test_a_picture_damaged_in_its_middle_keeps_its_length_or_fails_clearly(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", count=48, width=320, height=240)
    data = bytearray(clip.read_bytes())
    middle = len(data) * 2 // 3
    data[middle : middle + 400] = b"\xff" * 400
    clip.write_bytes(data)

    with pytest.raises(InternalError) as caught:
        finished(clip, mark="AI")

    assert caught.value.code is ErrorCode.RESULT_INVALID
